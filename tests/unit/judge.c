#include "judge.h"

#include "central_lp.h"

#include <math.h>
#include <stdio.h>

void judge_keep(uint64_t seed, const char *text)
{
    char path[64];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "random_market_%llu.json", (unsigned long long)seed);
    file = fopen(path, "w");
    if (file) {
        fputs(text, file);
        fclose(file);
    }
    fprintf(stderr, "  seed %llu, written to %s\n", (unsigned long long)seed, path);
}

/* What is wrong with the engine's answer, or NULL. */
static const char *judge(const struct marketkit *kit, const struct lp_info *optimum, double gap)
{
    double size = fmax(1.0, fabs(optimum->objective));

    if (kit->status != WALRAS_OK)
        return "the engine failed";
    if (optimum->outcome == LP_INFEASIBLE)
        return kit->market->outcome == MARKET_INFEASIBLE ? NULL : "infeasible, not noticed";
    if (kit->market->outcome == MARKET_INFEASIBLE)
        return "feasible, called infeasible";
    if (kit->market->outcome != MARKET_CONVERGED)
        return "not converged";
    if (!kit->certificate || !kit->certificate->clean)
        return "the certificate is not clean";
    if (kit->market->bound > optimum->objective + 1e-8 * size)
        return "the bound is above the optimum";
    if (kit->market->objective < optimum->objective - 1e-6 * size)
        return "the objective is below the optimum";
    if (kit->market->objective - kit->market->bound > gap * size * 1.01 + 1e-9)
        return "the gap is larger than asked";
    return NULL;
}

bool judge_market(const char *text, uint64_t seed, const struct scenario_clear_settings *settings,
                  bool *infeasible)
{
    struct marketkit kit = {0};
    struct lp_info optimum = {0};
    const char *wrong = NULL;

    marketkit_clear(text, NULL, settings, &kit);
    if (kit.clearing && central_lp_solve(&kit.scenario, &optimum, &kit.err) != WALRAS_OK)
        wrong = kit.err.msg;
    else
        wrong = judge(&kit, &optimum, settings->market.gap);
    *infeasible = optimum.outcome == LP_INFEASIBLE;
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        if (kit.clearing)
            fprintf(stderr, "  %s, %u rounds: bound %.12g, objective %.12g, optimum %.12g%s%s\n",
                    market_outcome_name(kit.market->outcome), kit.market->n_rounds,
                    kit.market->bound, kit.market->objective, optimum.objective,
                    kit.result->why ? "; " : "", kit.result->why ? kit.result->why : "");
        judge_keep(seed, text);
    }
    marketkit_release(&kit);
    return !wrong;
}
