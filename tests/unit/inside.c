#include "inside.h"

#include "agents/solve.h"
#include "testkit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PASSES = 150 };

void inside_open(struct inside *in)
{
    const struct agent_horizon *horizon = &in->random.horizon;

    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(horizon, &in->described, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(agent_workspace_new(horizon, &in->asked, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(interior_room_new(horizon->n_step, &in->room, NULL), WALRAS_OK);
    in->smooth = agent_describe(&in->random.device, horizon, in->described);
    CU_ASSERT_PTR_NOT_NULL_FATAL(in->smooth);
    in->state = calloc(interior_size(in->smooth) + 1, sizeof(*in->state));
    CU_ASSERT_PTR_NOT_NULL_FATAL(in->state);
    in->turn = (struct market_interior){.price_per_mwh = in->price_per_mwh,
                                        .first_per_mwh = in->first_per_mwh,
                                        .second_per_mwh = in->second_per_mwh,
                                        .draw_kw = in->draw_kw,
                                        .curvature = in->curvature,
                                        .still_kw = in->still_kw,
                                        .per_mu_kw = in->per_mu_kw,
                                        .bent_kw = in->bent_kw};
}

void inside_close(struct inside *in)
{
    free(in->state);
    interior_room_free(in->room);
    agent_workspace_free(in->described);
    agent_workspace_free(in->asked);
}

/* One turn; what it gathers is emptied before. */
void inside_turn(struct inside *in, enum market_interior_phase phase)
{
    struct market_interior *turn = &in->turn;

    turn->phase = phase;
    turn->n_pair = 0;
    turn->curved = false;
    turn->cost = turn->product = turn->off = turn->unpriced = turn->crossed = turn->leaning = 0.0;
    turn->longest = (struct market_stride){1.0, 1.0};
    if (phase == MARKET_INTERIOR_FOLD || phase == MARKET_INTERIOR_TELL)
        memset(in->draw_kw, 0, sizeof(in->draw_kw));
    if (phase == MARKET_INTERIOR_FOLD) {
        memset(in->still_kw, 0, sizeof(in->still_kw));
        memset(in->curvature, 0, sizeof(in->curvature));
    }
    if (phase == MARKET_INTERIOR_PREDICT) {
        memset(in->per_mu_kw, 0, sizeof(in->per_mu_kw));
        memset(in->bent_kw, 0, sizeof(in->bent_kw));
    }
    interior_turn(in->smooth, turn, in->state, in->room);
}

void inside_fold(struct inside *in, double primal, double dual)
{
    in->turn.stride = (struct market_stride){primal, dual};
    inside_turn(in, MARKET_INTERIOR_FOLD);
}

/* Puts the device inside its bounds. */
void inside_start(struct inside *in, double mu)
{
    in->turn.mu = mu;
    inside_turn(in, MARKET_INTERIOR_START);
    in->n_pair = in->turn.n_pair;
    in->curved = in->turn.curved;
    inside_fold(in, 0.0, 0.0);
}

static struct market_stride allowed(const struct inside *in)
{
    struct market_stride longest = in->turn.longest;

    if (in->curved)
        longest.primal = longest.dual = fmin(longest.primal, longest.dual);
    return longest;
}

/* The largest price that the device sees, its own among them. */
double inside_price(const struct inside *in)
{
    const struct smooth *smooth = in->smooth;
    double price = 1.0 + smooth->wear_per_mwh, own = 0.0;

    for (size_t t = 0; t < in->random.horizon.n_step; t++)
        price = fmax(price, fabs(in->price_per_mwh[t]));
    for (size_t t = smooth->first; t < smooth->end; t++)
        own = fmax(own, smooth->step[t].in_per_kw *
                            fmax(smooth->step[t].bend_below, smooth->step[t].bend_above));
    return fmax(price, own / smooth->step_h);
}

double inside_kw(const struct inside *in)
{
    return in->smooth->charge_kw + in->smooth->discharge_kw + 1e-3;
}

/* What the kW of the device and prices make of all products of slack and multiplier. */
double inside_size(const struct inside *in)
{
    return inside_price(in) * (double)in->random.horizon.n_step * inside_kw(in);
}

/* One iteration at prices that stand still, towards `least` at the lowest. */
struct market_stride inside_iterate(struct inside *in, double least)
{
    double n_pair = fmax(1.0, (double)in->n_pair), product = in->turn.product, after, sigma;
    struct market_stride stride;

    inside_turn(in, MARKET_INTERIOR_PREDICT);
    stride = allowed(in);
    after = (1.0 - stride.dual) * product + (stride.primal - stride.dual) * in->turn.leaning +
            stride.primal * stride.dual * in->turn.crossed;
    sigma = product > 0.0 ? pow(fmax(after, 0.0) / product, 3.0) : 0.0;
    in->turn.mu = fmax(sigma * product / n_pair, least);
    inside_turn(in, MARKET_INTERIOR_CORRECT);
    stride = allowed(in);
    inside_fold(in, 0.995 * stride.primal, 0.995 * stride.dual);
    return stride;
}

/* What rows may miss: nothing but rounding, as kW. */
double inside_rounding_kw(const struct inside *in)
{
    const struct smooth *smooth = in->smooth;
    double kw = 1e-12 * inside_kw(in);

    for (size_t t = smooth->first; t < smooth->end; t++)
        kw = fmax(kw, 1e-13 * fmax(fabs(smooth->step[t].low), fabs(smooth->step[t].high)) /
                          smooth->step[t].in_per_kw);
    return kw;
}

/* Follows the path until Σ slack · multiplier is `enough`; false: it does not get there. */
bool inside_follow(struct inside *in, double enough)
{
    memset(in->first_per_mwh, 0, sizeof(in->first_per_mwh));
    memset(in->second_per_mwh, 0, sizeof(in->second_per_mwh));
    inside_start(in, 0.1 * inside_size(in) / fmax(1.0, (double)in->n_pair));
    for (size_t i = 0; i < MAX_PASSES; i++) {
        if (in->turn.product + in->turn.unpriced <= enough &&
            in->turn.off <= inside_rounding_kw(in))
            return true;
        (void)inside_iterate(in, 0.1 * enough / fmax(1.0, (double)in->n_pair));
    }
    return false;
}

void inside_draw(struct inside *in, enum agent_device_type kind, uint64_t seed, size_t max_step)
{
    struct walras_rng rng = walras_rng_from_seed(seed);

    memset(in, 0, sizeof(*in));
    random_device(&rng, kind, max_step, &in->random);
    random_prices(&rng, in->random.horizon.n_step, in->price_per_mwh);
    if (walras_rng_unit(&rng) < 0.4)
        random_squares(&rng, &in->random);
}
/* Can it be done with all variables so far, relative, from both of their bounds? */
bool inside_has_room(const struct inside *in, double margin)
{
    const struct smooth *smooth = in->smooth;
    double low = smooth->start, high = smooth->start;

    for (size_t t = smooth->first; t < smooth->end; t++) {
        const struct smooth_step *step = &smooth->step[t];
        double width = step->high - step->low, beyond = smooth->is_reach ? 1.0 + width : 0.0;
        double up = step->in_per_kw * smooth->charge_kw;
        double down = smooth->out_per_kw * smooth->discharge_kw;

        width += 2.0 * beyond;
        low = fmax(smooth->keep * low + step->drift + margin * up - (1.0 - margin) * down,
                   step->low - beyond + margin * width);
        high = fmin(smooth->keep * high + step->drift + (1.0 - margin) * up - margin * down,
                    step->high + beyond - margin * width);
        if (low > high && !(width < 1e-9 && low - high < 1e-12 * (1.0 + fabs(low))))
            return false;
    }
    return true;
}

/* Can the device be kept within its bounds at all? */
bool inside_is_possible(struct inside *in)
{
    struct market_answer answer;
    double draw_kw[RANDOM_STEPS];

    return agent_solve(&in->random.device, &in->random.horizon, in->price_per_mwh, in->asked,
                       draw_kw, &answer, NULL) == WALRAS_OK;
}
