/*
 * Which prices the bundle asks: the first ones, those of a warm start, and the proximal steps from
 * the centre with the rules for their length tau.
 */
#include "market/bundle_internal.h"
#include "market/dual.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_PASSES = 3 };

/*
 * The first step length, in what energy costs. What the steps had come to in the clearing before is
 * no guide for a warm start: they end long.
 */
#define FIRST_STEP 3.0

/* The model at a trial's prices, from the cuts themselves. */
static double model_value(const struct bundle *b, const struct market_trial *trial)
{
    size_t n_step = b->problem->n_step;
    double value = market_dual_open_part(&b->rows, trial->u, trial->price, b->reach_kw);

    for (size_t g = 0; g < b->problem->n_group; g++) {
        const struct market_group_cuts *cuts = &b->cuts.groups[g];
        const double *price = trial->price + b->problem->groups[g].bus * n_step;
        double least = INFINITY;

        for (size_t j = 0; j < cuts->n; j++) {
            double cut = cuts->cuts[j].cost;

            for (size_t t = 0; t < n_step; t++)
                cut += price[t] * cuts->draw_kw[j * n_step + t];
            least = fmin(least, cut);
        }
        value += least;
    }
    return value;
}

enum walras_status bundle_query_trial(struct bundle *b, const struct market_trial *trial,
                                      struct walras_err *err)
{
    size_t i = b->n_asked++;

    memcpy(b->asked_price + i * bundle_n_cell(b), trial->price,
           bundle_n_cell(b) * sizeof(*trial->price));
    return market_priced_set(&b->asked[i], &b->rows, trial->u, trial->price, b->reach_kw, err);
}

/*
 * How long the first steps are: what energy costs before anybody is asked. The mean of all open
 * prices would count those of last resort, such as the price of shedding load.
 */
static void start_tau(struct bundle *b, const double *energy_price_per_mwh, double levels)
{
    size_t n_step = b->problem->n_step;
    double sum = 0.0;

    for (size_t t = 0; t < n_step; t++)
        sum += fabs(energy_price_per_mwh[t]) / (double)n_step;
    sum = fmin(fmax(sum, 1e-3 * b->level.price_per_mwh), b->level.price_per_mwh);
    b->tau = levels * sum;
}

/* Before any answer: prices at which what is open meets the firm draw. */
static enum walras_status first_query(struct bundle *b, struct walras_err *err)
{
    enum walras_status status =
        market_trial_open(&b->step, &b->solver, &b->rows, &b->cuts, UINT_MAX, err);

    start_tau(b, b->step.u, b->master_lp ? 0.5 : FIRST_STEP);
    return status == WALRAS_OK ? bundle_query_trial(b, &b->step, err) : status;
}

/*
 * What was asked before is asked again, with the limits that were full then. Only of the best
 * prices is known what they are made of; the others bring answers, no bound.
 */
static enum walras_status warm_query(struct bundle *b, struct walras_err *err)
{
    const struct market_warm *warm = &b->settings.warm;
    size_t n_step = b->problem->n_step;
    enum walras_status status = WALRAS_OK;
    double *u = NULL;

    for (size_t i = 0; i < warm->n_shadow && status == WALRAS_OK; i++)
        status = market_rows_add(&b->rows, &warm->shadows[i], err);
    market_rows_sort(&b->rows);
    u = malloc(market_rows_size(&b->rows) * sizeof(*u));
    if (status == WALRAS_OK && !u)
        status = walras_fail(err, WALRAS_NOMEM, "cannot start the bundle");
    if (status == WALRAS_OK) {
        memcpy(u, warm->energy_price_per_mwh, n_step * sizeof(*u));
        for (size_t a = 0; a < b->rows.n; a++)
            u[n_step + a] = fmin(fmax(b->rows.rows[a].shadow_price_per_mwh, 0.0),
                                 b->rows.rows[a].breach_price_per_mwh);
        memcpy(b->step.energy_guess, u, n_step * sizeof(*u));
        market_rows_price(&b->rows, u, b->asked_price);
        status = market_priced_set(&b->asked[0], &b->rows, u, b->asked_price, b->reach_kw, err);
    }
    free(u);
    for (size_t i = 0; i < warm->n_point && status == WALRAS_OK; i++) {
        const double *price = warm->point_price_per_mwh + i * bundle_n_cell(b);

        memcpy(b->asked_price + (i + 1) * bundle_n_cell(b), price,
               bundle_n_cell(b) * sizeof(*price));
        memcpy(b->asked[i + 1].price, price, bundle_n_cell(b) * sizeof(*price));
        b->asked[i + 1].open = -INFINITY;
    }
    b->n_asked = 1 + warm->n_point;
    start_tau(b, warm->energy_price_per_mwh, FIRST_STEP);
    return status;
}

size_t bundle_lead_point(const struct bundle *b)
{
    return b->curvature ? b->settings.n_point - 1 : 0;
}

/* What curvature takes off the model at a trial's prices. */
static double bend(const struct bundle *b, const struct market_trial *trial)
{
    size_t n_step = b->problem->n_step;
    double sum = 0.0;

    for (size_t g = 0; g < b->problem->n_group && b->curvature; g++) {
        size_t first = b->problem->groups[g].bus * n_step;
        const double *now = trial->price + first, *centre = b->centre.price + first;
        const double *curvature = b->curvature + g * n_step * n_step;

        for (size_t t = 0; t < n_step; t++)
            for (size_t s = 0; s < n_step; s++)
                sum +=
                    0.5 * curvature[t * n_step + s] * (now[t] - centre[t]) * (now[s] - centre[s]);
    }
    return sum;
}

static double point_factor(size_t i)
{
    static const double factors[] = {1.0, 0.2, 0.5, 2.0, 8.0};

    return i < 5 ? factors[i] : pow(2.0, (double)i - 1.0);
}

enum walras_status bundle_next_queries(struct bundle *b, struct walras_err *err)
{
    for (size_t i = 0; i < b->settings.n_point; i++) {
        struct market_master_settings settings =
            bundle_master_settings(b, fmin(1e-6, 0.01 * b->settings.gap));
        struct market_master_problem ask = {
            .cuts = &b->cuts,
            .centre = b->centre.price,
            .tau = b->tau * point_factor(i > bundle_lead_point(b) ? i - bundle_lead_point(b)
                                                                  : bundle_lead_point(b) - i),
            .curvature = b->curvature};
        enum walras_status status = market_trial_solve(&b->step, &b->solver, &b->rows, &ask,
                                                       &settings, 1e-5, STEP_PASSES, err);

        if (status == WALRAS_OK)
            status = bundle_query_trial(b, &b->step, err);
        if (status != WALRAS_OK)
            return status;
        if (i == bundle_lead_point(b)) {
            b->next_value = model_value(b, &b->step);
            b->foretold = b->next_value - bend(b, &b->step);
        }
    }
    return WALRAS_OK;
}

enum walras_status bundle_ask(struct market_method *method, struct market_query *query,
                              struct walras_err *err)
{
    struct bundle *b = bundle_of(method);
    enum walras_status status = WALRAS_OK;

    if (b->n_asked == 0 && b->problem->n_group > 0 && b->round == 0)
        status = bundle_is_warm(b) ? warm_query(b, err) : first_query(b, err);
    *query = (struct market_query){.n_point = b->n_asked, .price_per_mwh = b->asked_price};
    /* of a warm start's first points the last is not ours */
    query->curved = b->curvature && (b->round > 0 || !bundle_is_warm(b));
    return status;
}

void bundle_adapt_tau(struct bundle *b, double gain, double foretold_gain, double little)
{
    if (foretold_gain <= little || gain >= 0.8 * foretold_gain)
        b->tau *= 4.0;
    else if (gain >= 0.5 * foretold_gain)
        b->tau *= 2.0;
    else if (gain < 0.1 * foretold_gain)
        b->tau *= b->master_lp ? 0.5 : 0.85; /* a box lets prices jump to its corners */
}
