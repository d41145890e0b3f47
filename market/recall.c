#include "market/recall.h"

#include <stdlib.h>
#include <string.h>

/* What matters at a bus comes first; what matters elsewhere decides among the rest. */
#define ELSEWHERE 1e-3

/* score [n_bus x n_point]: how much of the plan at a bus is made of the answers to a point. */
static void score_points(const struct market_problem *problem, const struct market_plan *plan,
                         double *score)
{
    for (size_t g = 0; g < problem->n_group; g++)
        for (size_t j = 0; j < plan->n_point; j++) {
            double weight = plan->weight[g * plan->n_point + j];

            for (size_t b = 0; b < problem->n_bus && weight > 0.0; b++)
                score[b * plan->n_point + j] +=
                    weight *
                    (b == problem->groups[g].bus ? 1.0 : ELSEWHERE / (double)problem->n_group);
        }
}

/* The point with the highest score, which is then spent. */
static size_t best_point(double *score, size_t n_point)
{
    size_t best = 0;

    for (size_t j = 1; j < n_point; j++)
        if (score[j] > score[best])
            best = j;
    score[best] = -1.0;
    return best;
}

enum walras_status market_recall(const struct market_problem *problem,
                                 const struct market_plan *plan, size_t most,
                                 double **price_per_mwh, size_t *n, struct walras_err *err)
{
    size_t n_step = problem->n_step, n_cell = problem->n_bus * n_step;
    size_t n_recall = plan->n_point < most ? plan->n_point : most;
    double *score = calloc(problem->n_bus * plan->n_point + 1, sizeof(*score));
    double *price = malloc((n_recall * n_cell + 1) * sizeof(*price));

    if (!score || !price) {
        free(score);
        free(price);
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu prices to ask again", n_recall);
    }
    score_points(problem, plan, score);
    for (size_t k = 0; k < n_recall; k++)
        for (size_t b = 0; b < problem->n_bus; b++) {
            size_t j = best_point(score + b * plan->n_point, plan->n_point);

            memcpy(price + k * n_cell + b * n_step,
                   plan->point_price_per_mwh + j * n_cell + b * n_step, n_step * sizeof(*price));
        }
    free(score);
    *price_per_mwh = price;
    *n = n_recall;
    return WALRAS_OK;
}
