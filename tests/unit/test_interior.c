/*
 * One storage-like device's turns of the market's interior point method. The turns are driven alone
 * at prices that stand still and judged by the exact solver and the audit; at points of the central
 * path that a barrier method of this file has found, they are judged by it.
 */
#include "agents/audit.h"
#include "agents/interior.h"
#include "agents/solve_internal.h"
#include "core/units.h"
#include "random_devices.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 3, MAX_PASSES = 150, SHORT = 6 };

static const enum agent_device_type kinds[KINDS] = {AGENT_BATTERY, AGENT_EV, AGENT_THERMAL};

/* A device in the method, as the market has it: its state, and all that a turn reads and tells. */
struct inside {
    struct random_device random;
    double price_per_mwh[RANDOM_STEPS], first_per_mwh[RANDOM_STEPS], second_per_mwh[RANDOM_STEPS];
    double draw_kw[RANDOM_STEPS], still_kw[RANDOM_STEPS];
    double per_mu_kw[RANDOM_STEPS], bent_kw[RANDOM_STEPS];
    double curvature[RANDOM_STEPS * RANDOM_STEPS];
    struct market_interior turn;
    size_t n_pair;
    bool curved;
    double *state;
    struct interior_room *room;
    struct agent_workspace *described, *asked; /* the one holds the description */
    const struct smooth *smooth;
};

static void open_inside(struct inside *in)
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

static void close_inside(struct inside *in)
{
    free(in->state);
    interior_room_free(in->room);
    agent_workspace_free(in->described);
    agent_workspace_free(in->asked);
}

/* One turn; what it gathers is emptied before. */
static void take_turn(struct inside *in, enum market_interior_phase phase)
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

static void fold(struct inside *in, double primal, double dual)
{
    in->turn.stride = (struct market_stride){primal, dual};
    take_turn(in, MARKET_INTERIOR_FOLD);
}

/* Puts the device inside its bounds. */
static void start(struct inside *in, double mu)
{
    in->turn.mu = mu;
    take_turn(in, MARKET_INTERIOR_START);
    in->n_pair = in->turn.n_pair;
    in->curved = in->turn.curved;
    fold(in, 0.0, 0.0);
}

static struct market_stride allowed(const struct inside *in)
{
    struct market_stride longest = in->turn.longest;

    if (in->curved)
        longest.primal = longest.dual = fmin(longest.primal, longest.dual);
    return longest;
}

/* The largest price that the device sees, its own among them. */
static double price_of(const struct inside *in)
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

static double kw_of(const struct inside *in)
{
    return in->smooth->charge_kw + in->smooth->discharge_kw + 1e-3;
}

/* What the kW of the device and prices make of all products of slack and multiplier. */
static double size_of(const struct inside *in)
{
    return price_of(in) * (double)in->random.horizon.n_step * kw_of(in);
}

/* One iteration at prices that stand still, towards `least` at the lowest. */
static struct market_stride iterate(struct inside *in, double least)
{
    double n_pair = fmax(1.0, (double)in->n_pair), product = in->turn.product, after, sigma;
    struct market_stride stride;

    take_turn(in, MARKET_INTERIOR_PREDICT);
    stride = allowed(in);
    after = (1.0 - stride.dual) * product + (stride.primal - stride.dual) * in->turn.leaning +
            stride.primal * stride.dual * in->turn.crossed;
    sigma = product > 0.0 ? pow(fmax(after, 0.0) / product, 3.0) : 0.0;
    in->turn.mu = fmax(sigma * product / n_pair, least);
    take_turn(in, MARKET_INTERIOR_CORRECT);
    stride = allowed(in);
    fold(in, 0.995 * stride.primal, 0.995 * stride.dual);
    return stride;
}

/* What rows may miss: nothing but rounding, as kW. */
static double rounding_kw(const struct inside *in)
{
    const struct smooth *smooth = in->smooth;
    double kw = 1e-12 * kw_of(in);

    for (size_t t = smooth->first; t < smooth->end; t++)
        kw = fmax(kw, 1e-13 * fmax(fabs(smooth->step[t].low), fabs(smooth->step[t].high)) /
                          smooth->step[t].in_per_kw);
    return kw;
}

/* Follows the path until Σ slack · multiplier is `enough`; false: it does not get there. */
static bool follow(struct inside *in, double enough)
{
    memset(in->first_per_mwh, 0, sizeof(in->first_per_mwh));
    memset(in->second_per_mwh, 0, sizeof(in->second_per_mwh));
    start(in, 0.1 * size_of(in) / fmax(1.0, (double)in->n_pair));
    for (size_t i = 0; i < MAX_PASSES; i++) {
        if (in->turn.product + in->turn.unpriced <= enough && in->turn.off <= rounding_kw(in))
            return true;
        (void)iterate(in, 0.1 * enough / fmax(1.0, (double)in->n_pair));
    }
    return false;
}

static void draw_random(struct inside *in, enum agent_device_type kind, uint64_t seed,
                        size_t max_step)
{
    struct walras_rng rng = walras_rng_from_seed(seed);

    memset(in, 0, sizeof(*in));
    random_device(&rng, kind, max_step, &in->random);
    random_prices(&rng, in->random.horizon.n_step, in->price_per_mwh);
    if (walras_rng_unit(&rng) < 0.4)
        random_squares(&rng, &in->random);
}

static double money(const struct inside *in)
{
    return walras_mwh(1.0, in->random.horizon.step_h);
}

/* What the draw costs with what it is worth, currency. */
static double value_of(const struct inside *in)
{
    double value = in->turn.cost;

    for (size_t t = 0; t < in->random.horizon.n_step; t++)
        value += in->price_per_mwh[t] * in->draw_kw[t];
    return value * money(in);
}

/* Σ value of a row as the path has it, per kW of charge. */
static double worth_of_rows(const struct inside *in)
{
    const struct smooth *smooth = in->smooth;
    size_t n = smooth->end - smooth->first;
    const double *value = in->state + 18 * n; /* behind three variables' six arrays */
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(value[i]) * smooth->step[smooth->first + i].in_per_kw;
    return sum;
}

/* At the end of the path the plan is as good as promised and the device can do it. */
static bool is_right(struct inside *in)
{
    const struct smooth *smooth = in->smooth;
    const struct smooth_step *step = &smooth->step[smooth->first];
    struct market_answer answer;
    struct agent_verdict verdict;
    double exact_kw[RANDOM_STEPS], promised = (in->turn.product + in->turn.unpriced) * money(in);
    double value = value_of(in), rounding = 1e-8 * size_of(in) * money(in), burnt = 0.0;

    CU_ASSERT_EQUAL(agent_solve(&in->random.device, &in->random.horizon, in->price_per_mwh,
                                in->asked, exact_kw, &answer, NULL),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(
        agent_audit(&in->random.device, &in->random.horizon, in->draw_kw, &verdict, NULL),
        WALRAS_OK);
    if (step->in_per_kw < smooth->out_per_kw) /* what is too much can be burnt */
        burnt = 2.0 * (double)(smooth->end - smooth->first) * smooth->wear_per_mwh / (1.0 - step->in_per_kw / smooth->out_per_kw);
    rounding += 1e-9 * fabs(answer.bound) + in->turn.off * (worth_of_rows(in) + burnt) * money(in);
    if (value >= answer.bound - rounding && value <= answer.bound + promised + rounding &&
        verdict.cost <= in->turn.cost * money(in) + rounding &&
        verdict.breach <= 1e-7 * (1.0 + kw_of(in)))
        return true;
    fprintf(stderr,
            "value %.15g, exact %.15g: off by %.3g where %.3g + %.3g is allowed; cost %.15g, audited %.15g; "
            "breach %g (%s)\n",
            value, answer.bound, value - answer.bound, promised, rounding, in->turn.cost * money(in), verdict.cost,
            verdict.breach, verdict.what ? verdict.what : "none");
    return false;
}

/* Can it be done with all variables so far, relative, from both of their bounds? */
static bool is_inside(const struct smooth *smooth, double margin)
{
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
static bool is_possible(struct inside *in)
{
    struct market_answer answer;
    double draw_kw[RANDOM_STEPS];

    return agent_solve(&in->random.device, &in->random.horizon, in->price_per_mwh, in->asked,
                       draw_kw, &answer, NULL) == WALRAS_OK;
}

static void test_the_path_ends_at_the_exact_answer(void)
{
    static struct inside in;

    for (size_t k = 0; k < KINDS; k++) {
        size_t cases = testkit_cases(3000), n_possible = 0, n_ended = 0, n_wrong = 0;

        for (size_t i = 0; i < cases; i++) {
            uint64_t seed = testkit_seed() + 1000000 * (k + 1) + i;

            draw_random(&in, kinds[k], seed, i % 50 == 0 ? 96 : 12);
            open_inside(&in);
            if (is_possible(&in)) {
                bool ended = follow(&in, 1e-6 * size_of(&in));

                n_possible++;
                n_ended += ended;
                if (!ended && is_inside(in.smooth, 1e-3)) {
                    fprintf(stderr, "the path does not end at %s %llu\n",
                            agent_device_type_name(kinds[k]), (unsigned long long)seed);
                    n_wrong++;
                }
                if (ended && !is_right(&in)) {
                    fprintf(stderr, "  at %s %llu\n", agent_device_type_name(kinds[k]),
                            (unsigned long long)seed);
                    n_wrong++;
                }
            }
            close_inside(&in);
        }
        printf("%s: %zu of %zu ended ", agent_device_type_name(kinds[k]), n_ended, n_possible);
        CU_ASSERT_EQUAL(n_wrong, 0);
        CU_ASSERT_TRUE(20 * n_ended > 19 * n_possible);
    }
}

static void random_moves(struct inside *in, struct walras_rng *rng)
{
    double size = 0.1 * price_of(in);

    for (size_t t = 0; t < in->random.horizon.n_step; t++) {
        in->first_per_mwh[t] = walras_rng_range(rng, -size, size);
        in->second_per_mwh[t] = walras_rng_range(rng, -size, size);
    }
}

/* S times a move of prices, from its lower triangle. */
static void give_way(const struct inside *in, const double *move, double *by_kw)
{
    size_t n = in->random.horizon.n_step;

    memset(by_kw, 0, n * sizeof(*by_kw));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            by_kw[j] += in->curvature[i * n + j] * move[i];
            if (j > i)
                by_kw[i] += in->curvature[i * n + j] * move[j];
        }
}

/*
 * Anywhere on the way, whatever prices do: the draw moves by what has been told of it, times the
 * stride; and rows that were missed are missed by what is left.
 */
static bool moves_as_told(struct inside *in, struct walras_rng *rng)
{
    size_t n = in->random.horizon.n_step;
    double by_kw[RANDOM_STEPS], before_kw[RANDOM_STEPS], off = in->turn.off, size = kw_of(in);
    double primal, mu = in->turn.product / fmax(1.0, (double)in->n_pair) * walras_rng_unit(rng);
    bool right = true;

    random_moves(in, rng);
    take_turn(in, MARKET_INTERIOR_PREDICT);
    in->turn.mu = mu;
    take_turn(in, MARKET_INTERIOR_CORRECT);
    primal = 0.9 * in->turn.longest.primal;
    give_way(in, in->second_per_mwh, by_kw);
    for (size_t t = 0; t < n; t++) {
        double told = in->still_kw[t] + mu * in->per_mu_kw[t] + in->bent_kw[t] - by_kw[t];

        before_kw[t] = in->draw_kw[t];
        size = fmax(size, 1e-2 * (fabs(in->bent_kw[t]) + fabs(by_kw[t])));
        by_kw[t] = primal * told;
    }
    fold(in, primal, 0.9 * in->turn.longest.dual);
    for (size_t t = 0; t < n; t++)
        right = right && fabs(in->draw_kw[t] - before_kw[t] - by_kw[t]) <= 1e-7 * size;
    right = right && fabs(in->turn.off - (1.0 - primal) * off) <=
                         1e-5 * (off + size) + 1e3 * rounding_kw(in);
    return right && in->turn.product > 0.0;
}

/* No move of prices makes the draw go along with them, but for rounding of what it is made of. */
static bool is_curved_rightly(const struct inside *in, struct walras_rng *rng)
{
    size_t n = in->random.horizon.n_step;
    double move[RANDOM_STEPS], by_kw[RANDOM_STEPS];
    double mu = in->turn.product / fmax(1.0, (double)in->n_pair), largest = kw_of(in) * kw_of(in) / mu;

    for (size_t k = 0; k < 10; k++) {
        double sum = 0.0;

        for (size_t t = 0; t < n; t++)
            move[t] = walras_rng_range(rng, -1.0, 1.0);
        give_way(in, move, by_kw);
        for (size_t t = 0; t < n; t++)
            sum += move[t] * by_kw[t];
        if (!(sum >= -1e-15 * (double)n * largest))
            return false;
    }
    return true;
}

static void test_draws_move_as_told(void)
{
    static struct inside in;

    for (size_t k = 0; k < KINDS; k++) {
        size_t cases = testkit_cases(2000), n_tried = 0, n_wrong = 0;

        for (size_t i = 0; i < cases; i++) {
            uint64_t seed = testkit_seed() + 1000000 * (k + 10) + i;
            struct walras_rng rng = walras_rng_from_seed(seed);

            draw_random(&in, kinds[k], seed, i % 50 == 0 ? 96 : 12);
            open_inside(&in);
            if (is_possible(&in) && is_inside(in.smooth, 1e-3) &&
                interior_size(in.smooth) > 0) {
                size_t passes = walras_rng_below(&rng, 15);
                bool right = true;

                start(&in, 0.1 * size_of(&in) / fmax(1.0, (double)in.n_pair));
                for (size_t pass = 0; pass < passes && in.turn.product > 1e-6 * size_of(&in); pass++)
                    (void)iterate(&in, 1e-7 * size_of(&in) / (double)in.n_pair);
                right = in.n_pair == 0 || moves_as_told(&in, &rng);
                n_tried++;
                if (!right || !is_curved_rightly(&in, &rng)) {
                    fprintf(stderr, "%s %llu after %zu passes: %s\n",
                            agent_device_type_name(kinds[k]), (unsigned long long)seed, passes,
                            right ? "the curvature is indefinite" : "moves otherwise");
                    n_wrong++;
                }
            }
            close_inside(&in);
        }
        CU_ASSERT_EQUAL(n_wrong, 0);
        CU_ASSERT_TRUE(2 * n_tried > cases);
    }
}

/*
 * The central path by another route: the least of cost + price · draw - mu Σ log slack, states
 * written as what charge and discharge make of them, by Newton's method on dense matrices.
 */
enum { BARRIER = 4 * SHORT };

struct barrier {
    const struct inside *in;
    double mu;
    size_t n, n_x; /* steps; variables: charges, discharges, violations below and above */
    double state[SHORT], by_charge[SHORT][SHORT], by_discharge[SHORT][SHORT];
    double gradient[BARRIER], hessian[BARRIER][BARRIER];
    bool live[BARRIER]; /* false: stands still */
    double value;       /* INFINITY outside */
};

static void find_states(struct barrier *b, const double *x)
{
    const struct smooth *smooth = b->in->smooth;

    memset(b->by_charge, 0, sizeof(b->by_charge));
    memset(b->by_discharge, 0, sizeof(b->by_discharge));
    for (size_t i = 0; i < b->n; i++) {
        const struct smooth_step *step = &smooth->step[smooth->first + i];

        b->state[i] = step->drift + smooth->keep * (i > 0 ? b->state[i - 1] : smooth->start) +
                      step->in_per_kw * x[i] - smooth->out_per_kw * x[b->n + i];
        for (size_t j = 0; j < i; j++) {
            b->by_charge[i][j] = smooth->keep * b->by_charge[i - 1][j];
            b->by_discharge[i][j] = smooth->keep * b->by_discharge[i - 1][j];
        }
        b->by_charge[i][i] = step->in_per_kw;
        b->by_discharge[i][i] = -smooth->out_per_kw;
    }
}

/* Adds f(v) for v = offset + row · x: its value, slope and curve. */
static void add_term(struct barrier *b, const double *row, double value, double slope, double curve)
{
    b->value += value;
    for (size_t j = 0; j < b->n_x; j++) {
        b->gradient[j] += slope * row[j];
        for (size_t k = 0; k < b->n_x && row[j] != 0.0; k++)
            b->hessian[j][k] += curve * row[j] * row[k];
    }
}

/* - mu log(slack), slack = ... + row · x */
static void add_slack(struct barrier *b, const double *row, double slack)
{
    if (slack > 0.0)
        add_term(b, row, -b->mu * log(slack), -b->mu / slack, b->mu / (slack * slack));
    else
        b->value = INFINITY;
}

static void add_bounds(struct barrier *b, const double *row, double at, double low, double high)
{
    double minus[BARRIER];

    for (size_t j = 0; j < b->n_x; j++)
        minus[j] = -row[j];
    add_slack(b, row, at - low);
    add_slack(b, minus, high - at);
}

static void add_power(struct barrier *b, const double *x, size_t at, double high, double price)
{
    double row[BARRIER] = {0}, curve = b->in->smooth->curve;

    b->live[at] = high > 0.0;
    if (!b->live[at])
        return;
    row[at] = 1.0;
    add_term(b, row, (price + 0.5 * curve * x[at]) * x[at], price + curve * x[at], curve);
    add_bounds(b, row, x[at], 0.0, high);
}

/* A bend with its violation x[at]: sign (state - place) + violation >= 0. */
static void add_bend(struct barrier *b, const double *x, size_t i, size_t at, double sign,
                     double place, double price)
{
    double row[BARRIER] = {0};

    b->live[at] = price > 0.0;
    if (!b->live[at])
        return;
    row[at] = 1.0;
    add_term(b, row, price * x[at], price, 0.0);
    add_slack(b, row, x[at]);
    for (size_t j = 0; j <= i; j++) {
        row[j] = sign * b->by_charge[i][j];
        row[b->n + j] = sign * b->by_discharge[i][j];
    }
    add_slack(b, row, sign * (b->state[i] - place) + x[at]);
}

static void add_state(struct barrier *b, const double *x, size_t i)
{
    const struct smooth *smooth = b->in->smooth;
    const struct smooth_step *step = &smooth->step[smooth->first + i];
    double beyond = smooth->is_reach ? 1.0 + step->high - step->low : 0.0, row[BARRIER] = {0};
    double stiff = smooth->stiff / smooth->step_h, off = b->state[i] - step->target;

    for (size_t j = 0; j <= i; j++) {
        row[j] = b->by_charge[i][j];
        row[b->n + j] = b->by_discharge[i][j];
    }
    add_term(b, row, 0.5 * stiff * off * off, stiff * off, stiff);
    add_bounds(b, row, b->state[i], step->low - beyond, step->high + beyond);
    add_bend(b, x, i, 2 * b->n + i, 1.0, step->bend_low, step->bend_below / smooth->step_h);
    add_bend(b, x, i, 3 * b->n + i, -1.0, step->bend_high, step->bend_above / smooth->step_h);
}

static void evaluate(struct barrier *b, const double *x)
{
    const struct smooth *smooth = b->in->smooth;

    b->value = 0.0;
    memset(b->gradient, 0, sizeof(b->gradient));
    memset(b->hessian, 0, sizeof(b->hessian));
    find_states(b, x);
    for (size_t i = 0; i < b->n; i++) {
        double price = b->in->price_per_mwh[smooth->first + i];

        add_power(b, x, i, smooth->charge_kw, price + smooth->wear_per_mwh);
        add_power(b, x, b->n + i, smooth->discharge_kw, smooth->wear_per_mwh - price);
        add_state(b, x, i);
    }
    for (size_t j = 0; j < b->n_x; j++)
        if (!b->live[j]) {
            b->gradient[j] = 0.0;
            memset(b->hessian[j], 0, sizeof(b->hessian[j]));
            for (size_t k = 0; k < b->n_x; k++)
                b->hessian[k][j] = 0.0;
            b->hessian[j][j] = 1.0;
        }
}

/* Solves hessian · move = -gradient by elimination; returns the Newton decrement. */
static double newton_move(const struct barrier *b, double *move)
{
    double a[BARRIER][BARRIER], decrement = 0.0;
    size_t n = b->n_x;

    memcpy(a, b->hessian, sizeof(a));
    for (size_t j = 0; j < n; j++)
        move[j] = -b->gradient[j];
    for (size_t j = 0; j < n; j++)
        for (size_t k = j + 1; k < n; k++) {
            double factor = a[k][j] / a[j][j];

            for (size_t l = j; l < n; l++)
                a[k][l] -= factor * a[j][l];
            move[k] -= factor * move[j];
        }
    for (size_t j = n; j-- > 0;) {
        for (size_t k = j + 1; k < n; k++)
            move[j] -= a[j][k] * move[k];
        move[j] /= a[j][j];
        decrement -= b->gradient[j] * move[j];
    }
    return decrement;
}

/* From a point inside on to the central one of mu; false: not found. */
static bool centre(struct barrier *b, double *x)
{
    for (size_t pass = 0; pass < 100; pass++) {
        double move[BARRIER], at[BARRIER], before, decrement, part = 1.0;

        evaluate(b, x);
        before = b->value;
        decrement = newton_move(b, move);
        if (!(fabs(decrement) < 1e30))
            return false;
        do {
            for (size_t j = 0; j < b->n_x; j++)
                at[j] = x[j] + part * move[j];
            evaluate(b, at);
            part *= 0.5;
        } while (part > 1e-9 && decrement > 1e-8 * b->mu &&
                 !(b->value <= before - 0.1 * part * decrement));
        if (!isfinite(b->value))
            return false;
        memcpy(x, at, sizeof(at));
        if (decrement <= 1e-20 * b->mu)
            return true;
    }
    return false;
}

/* Where the state keeps what: six arrays each of charge, discharge and state; then values. */
static void put_box(double *kept, size_t n, size_t i, double x, double low, double high, double mu)
{
    bool free = high > low;

    kept[i] = x;
    kept[n + i] = free ? mu / (x - low) : 0.0;
    kept[2 * n + i] = free ? mu / (high - x) : 0.0;
}

/* Writes the central point into the device's state, as if its turns had led there. */
static void put_centre(struct inside *in, struct barrier *b, const double *x)
{
    const struct smooth *smooth = in->smooth;
    size_t n = b->n, first = 0;
    double *value = in->state + 18 * n, *bend = in->state + 22 * n;

    while (first < n && !b->live[2 * n + first] && !b->live[3 * n + first])
        first++;
    find_states(b, x);
    for (size_t i = n; i-- > 0;) {
        const struct smooth_step *step = &smooth->step[smooth->first + i];
        double beyond = smooth->is_reach ? 1.0 + step->high - step->low : 0.0;
        double low = step->low - beyond, high = step->high + beyond;
        double slope = smooth->stiff / smooth->step_h * (b->state[i] - step->target);

        put_box(in->state, n, i, x[i], 0.0, smooth->charge_kw, b->mu);
        put_box(in->state + 6 * n, n, i, x[n + i], 0.0, smooth->discharge_kw, b->mu);
        put_box(in->state + 12 * n, n, i, b->state[i], low, high, b->mu);
        value[i] = (i + 1 < n ? smooth->keep * value[i + 1] : 0.0) - slope +
                   b->mu / (b->state[i] - low) - b->mu / (high - b->state[i]);
        for (int above = 0; above < 2 && i >= first; above++) {
            size_t m = n - first, at = (2 + (size_t)above) * n + i;
            double price = (above ? step->bend_above : step->bend_below) / smooth->step_h;
            double *kept = bend + (size_t)above * 4 * m + i - first;

            if (!b->live[at])
                continue;
            kept[0] = price - b->mu / x[at];
            kept[m] = x[at];
            value[i] += above ? -kept[0] : kept[0];
        }
    }
}

/* Draws of the central points with a price a little off: minus their difference is S's column. */
static bool is_column(struct inside *in, struct barrier *b, const double *x, size_t i)
{
    const struct smooth *smooth = in->smooth;
    size_t n = b->n, n_step = in->random.horizon.n_step;
    double *price = &in->price_per_mwh[smooth->first + i], before = *price, by = 1e-6 * price_of(in);
    double up[BARRIER], down[BARRIER], largest = 0.0;
    bool found, right = true;

    memcpy(up, x, sizeof(up));
    memcpy(down, x, sizeof(down));
    *price = before + by;
    found = centre(b, up);
    *price = before - by;
    found = centre(b, down) && found;
    *price = before;
    for (size_t j = 0; j < n; j++)
        largest = fmax(largest, fabs(in->curvature[(smooth->first + j) * (n_step + 1)]));
    for (size_t j = i; j < n && found; j++) {
        double slope = (up[j] - up[n + j] - down[j] + down[n + j]) / (2.0 * by);
        double told = in->curvature[(smooth->first + i) * n_step + smooth->first + j];

        right = right && fabs(slope + told) <= 1e-3 * largest;
    }
    return found && right;
}

/* At a central point nothing is off, nothing moves, and S is how the central draw gives way. */
static const char *judge_centre(struct inside *in, double mu)
{
    struct barrier b = {.in = in, .mu = mu, .n = in->smooth->end - in->smooth->first};
    double x[BARRIER] = {0}, kw = kw_of(in);
    size_t n = b.n;

    b.n_x = 4 * n;
    memcpy(x, in->state, n * sizeof(*x)); /* where the turns have led */
    memcpy(x + n, in->state + 6 * n, n * sizeof(*x));
    find_states(&b, x);
    for (size_t i = n; i-- > 0;) {
        const struct smooth_step *step = &in->smooth->step[in->smooth->first + i];

        x[2 * n + i] = fmax(step->bend_low - b.state[i], 0.0) + 0.01;
        x[3 * n + i] = fmax(b.state[i] - step->bend_high, 0.0) + 0.01;
    }
    if (!centre(&b, x))
        return "";
    evaluate(&b, x);
    put_centre(in, &b, x);
    fold(in, 0.0, 0.0);
    if (fabs(in->turn.product - mu * (double)in->n_pair) > 1e-6 * mu * (double)in->n_pair)
        return "products are not mu";
    if (in->turn.off > 1e-9 * kw || in->turn.unpriced > 1e-6 * size_of(in))
        return "the point is off";
    memset(in->first_per_mwh, 0, sizeof(in->first_per_mwh));
    take_turn(in, MARKET_INTERIOR_PREDICT);
    for (size_t t = 0; t < in->random.horizon.n_step; t++)
        if (fabs(in->still_kw[t] + mu * in->per_mu_kw[t]) >
            1e-6 * (kw + fabs(in->still_kw[t])))
            return "it would move";
    for (size_t i = 0; i < n; i++)
        if (!is_column(in, &b, x, i))
            return "the curvature is otherwise";
    return NULL;
}

static void test_curvature_is_that_of_the_central_path(void)
{
    static struct inside in;

    for (size_t k = 0; k < KINDS; k++) {
        size_t cases = testkit_cases(1000), n_tried = 0, n_wrong = 0;

        for (size_t i = 0; i < cases; i++) {
            uint64_t seed = testkit_seed() + 1000000 * (k + 20) + i;
            struct walras_rng rng = walras_rng_from_seed(seed);

            draw_random(&in, kinds[k], seed, SHORT);
            open_inside(&in);
            if (is_possible(&in) && is_inside(in.smooth, 1e-2) && price_of(&in) < 1e4 &&
                follow(&in, 1e-2 * size_of(&in)) && in.n_pair > 0) {
                double mu = size_of(&in) / (double)in.n_pair *
                            pow(10.0, walras_rng_range(&rng, -3.0, 0.0));
                const char *wrong = judge_centre(&in, mu);

                n_tried += !wrong || *wrong;
                if (wrong && *wrong) {
                    fprintf(stderr, "%s %llu: %s\n", agent_device_type_name(kinds[k]),
                            (unsigned long long)seed, wrong);
                    n_wrong++;
                }
            }
            close_inside(&in);
        }
        printf("%s: %zu ", agent_device_type_name(kinds[k]), n_tried);
        CU_ASSERT_EQUAL(n_wrong, 0);
        CU_ASSERT_TRUE(4 * n_tried > cases);
    }
}

static const struct testkit_test tests[] = {
    {"the path ends at the exact answer", test_the_path_ends_at_the_exact_answer},
    {"draws move as told", test_draws_move_as_told},
    {"curvature is that of the central path", test_curvature_is_that_of_the_central_path},
};
TESTKIT_MAIN("interior", tests)
