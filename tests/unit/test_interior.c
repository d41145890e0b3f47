/*
 * One storage-like device's turns of the market's interior point method. The turns are driven alone
 * and judged by the exact solver and the audit at the path's end; on the way, by what they told
 * before, and by a barrier method at points of the central path.
 */
#include "agents/audit.h"
#include "agents/solve.h"
#include "barrier.h"
#include "core/units.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KINDS = 3 };

static const enum agent_device_type kinds[KINDS] = {AGENT_BATTERY, AGENT_EV, AGENT_THERMAL};

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
    double value = value_of(in), rounding = 1e-8 * inside_size(in) * money(in), burnt = 0.0;

    CU_ASSERT_EQUAL(agent_solve(&in->random.device, &in->random.horizon, in->price_per_mwh,
                                in->asked, exact_kw, &answer, NULL),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(
        agent_audit(&in->random.device, &in->random.horizon, in->draw_kw, &verdict, NULL),
        WALRAS_OK);
    if (step->in_per_kw < smooth->out_per_kw) /* what is too much can be burnt */
        burnt = 2.0 * (double)(smooth->end - smooth->first) * smooth->wear_per_mwh /
                (1.0 - step->in_per_kw / smooth->out_per_kw);
    rounding += 1e-9 * fabs(answer.bound) + in->turn.off * (worth_of_rows(in) + burnt) * money(in);
    if (value >= answer.bound - rounding && value <= answer.bound + promised + rounding &&
        verdict.cost <= in->turn.cost * money(in) + rounding &&
        verdict.breach <= 1e-7 * (1.0 + inside_kw(in)))
        return true;
    fprintf(stderr,
            "value %.15g, exact %.15g: off by %.3g where %.3g + %.3g is allowed; cost %.15g, "
            "audited %.15g; "
            "breach %g (%s)\n",
            value, answer.bound, value - answer.bound, promised, rounding,
            in->turn.cost * money(in), verdict.cost, verdict.breach,
            verdict.what ? verdict.what : "none");
    return false;
}

static void test_the_path_ends_at_the_exact_answer(void)
{
    static struct inside in;

    for (size_t k = 0; k < KINDS; k++) {
        size_t cases = testkit_cases(3000), n_possible = 0, n_ended = 0, n_wrong = 0;

        for (size_t i = 0; i < cases; i++) {
            uint64_t seed = testkit_seed() + 1000000 * (k + 1) + i;

            inside_draw(&in, kinds[k], seed, i % 50 == 0 ? 96 : 12);
            inside_open(&in);
            if (inside_is_possible(&in)) {
                bool ended = inside_follow(&in, 1e-6 * inside_size(&in));

                n_possible++;
                n_ended += ended;
                if (!ended && inside_has_room(&in, 1e-3)) {
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
            inside_close(&in);
        }
        printf("%s: %zu of %zu ended ", agent_device_type_name(kinds[k]), n_ended, n_possible);
        CU_ASSERT_EQUAL(n_wrong, 0);
        CU_ASSERT_TRUE(20 * n_ended > 19 * n_possible);
    }
}

static void random_moves(struct inside *in, struct walras_rng *rng)
{
    double size = 0.1 * inside_price(in);

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
 * stride; and what rows and slopes were missed by is what is left of it.
 */
static bool moves_as_told(struct inside *in, struct walras_rng *rng)
{
    size_t n = in->random.horizon.n_step;
    double by_kw[RANDOM_STEPS], before_kw[RANDOM_STEPS], off = in->turn.off, size = inside_kw(in);
    double unpriced = in->turn.unpriced, worth = inside_size(in) + in->turn.product;
    double stride, mu = in->turn.product / fmax(1.0, (double)in->n_pair) * walras_rng_unit(rng);
    bool right = true;

    random_moves(in, rng);
    inside_turn(in, MARKET_INTERIOR_PREDICT);
    in->turn.mu = mu;
    inside_turn(in, MARKET_INTERIOR_CORRECT);
    stride = 0.9 * fmin(in->turn.longest.primal, in->turn.longest.dual);
    give_way(in, in->second_per_mwh, by_kw);
    for (size_t t = 0; t < n; t++) {
        double told = in->still_kw[t] + mu * in->per_mu_kw[t] + in->bent_kw[t] - by_kw[t];

        before_kw[t] = in->draw_kw[t];
        size = fmax(size, 1e-2 * (fabs(in->bent_kw[t]) + fabs(by_kw[t])));
        by_kw[t] = stride * told;
        in->price_per_mwh[t] += stride * in->second_per_mwh[t];
    }
    inside_fold(in, stride, stride);
    for (size_t t = 0; t < n; t++)
        right = right && fabs(in->draw_kw[t] - before_kw[t] - by_kw[t]) <= 1e-7 * size;
    right = right && fabs(in->turn.off - (1.0 - stride) * off) <=
                         1e-4 * (off + size) + 1e3 * inside_rounding_kw(in);
    right = right && fabs(in->turn.unpriced - (1.0 - stride) * unpriced) <=
                         1e-5 * (unpriced + worth + in->turn.product);
    return right && in->turn.product > 0.0;
}

/* No move of prices makes the draw go along with them, but for rounding of what it is made of. */
static bool is_curved_rightly(const struct inside *in, struct walras_rng *rng)
{
    size_t n = in->random.horizon.n_step;
    double move[RANDOM_STEPS], by_kw[RANDOM_STEPS];
    double mu = in->turn.product / fmax(1.0, (double)in->n_pair),
           largest = inside_kw(in) * inside_kw(in) / mu;

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

            inside_draw(&in, kinds[k], seed, i % 50 == 0 ? 96 : 12);
            inside_open(&in);
            if (inside_is_possible(&in) && inside_has_room(&in, 1e-3) &&
                interior_size(in.smooth) > 0) {
                size_t passes = walras_rng_below(&rng, 15);
                bool right = true;

                inside_start(&in, 0.1 * inside_size(&in) / fmax(1.0, (double)in.n_pair));
                for (size_t pass = 0; pass < passes && in.turn.product > 1e-6 * inside_size(&in);
                     pass++)
                    (void)inside_iterate(&in, 1e-7 * inside_size(&in) / (double)in.n_pair);
                right = in.n_pair == 0 || moves_as_told(&in, &rng);
                n_tried++;
                if (!right || !is_curved_rightly(&in, &rng)) {
                    fprintf(stderr, "%s %llu after %zu passes: %s\n",
                            agent_device_type_name(kinds[k]), (unsigned long long)seed, passes,
                            right ? "the curvature is indefinite" : "moves otherwise");
                    n_wrong++;
                }
            }
            inside_close(&in);
        }
        CU_ASSERT_EQUAL(n_wrong, 0);
        CU_ASSERT_TRUE(2 * n_tried > cases);
    }
}

/* Draws of the central points with a price a little off: minus their difference is S's column. */
static bool is_column(struct inside *in, struct barrier *b, const double *x, size_t i, double by)
{
    const struct smooth *smooth = in->smooth;
    size_t n = b->n, n_step = in->random.horizon.n_step;
    double *price = &in->price_per_mwh[smooth->first + i], before = *price;
    double up[BARRIER_VARIABLES], down[BARRIER_VARIABLES], largest = 0.0;
    bool found, right = true;

    memcpy(up, x, sizeof(up));
    memcpy(down, x, sizeof(down));
    *price = before + by;
    found = barrier_centre(b, up);
    *price = before - by;
    found = barrier_centre(b, down) && found;
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
    double x[BARRIER_VARIABLES] = {0}, kw = inside_kw(in);
    size_t n = b.n;

    b.n_x = 4 * n;
    memcpy(x, in->state, n * sizeof(*x)); /* where the turns have led */
    memcpy(x + n, in->state + 6 * n, n * sizeof(*x));
    barrier_states(&b, x);
    for (size_t i = n; i-- > 0;) {
        const struct smooth_step *step = &in->smooth->step[in->smooth->first + i];

        x[2 * n + i] = fmax(step->bend_low - b.state[i], 0.0) + 0.01;
        x[3 * n + i] = fmax(b.state[i] - step->bend_high, 0.0) + 0.01;
    }
    if (!barrier_centre(&b, x))
        return "";
    barrier_put(in, &b, x);
    inside_fold(in, 0.0, 0.0);
    if (fabs(in->turn.product - mu * (double)in->n_pair) > 1e-6 * mu * (double)in->n_pair)
        return "products are not mu";
    if (in->turn.off > 1e-9 * kw + 100.0 * inside_rounding_kw(in) ||
        in->turn.unpriced > 1e-6 * inside_size(in))
        return "the point is off";
    memset(in->first_per_mwh, 0, sizeof(in->first_per_mwh));
    inside_turn(in, MARKET_INTERIOR_PREDICT);
    for (size_t t = 0; t < in->random.horizon.n_step; t++)
        if (fabs(in->still_kw[t] + mu * in->per_mu_kw[t]) > 1e-6 * (kw + fabs(in->still_kw[t])))
            return "it would move";
    for (size_t i = 0; i < n; i++)
        if (!is_column(in, &b, x, i,
                       1e-4 * inside_price(in)) && /* too far, or too near for rounding */
            !is_column(in, &b, x, i, 1e-6 * inside_price(in)))
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

            inside_draw(&in, kinds[k], seed, BARRIER_STEPS);
            inside_open(&in);
            if (inside_is_possible(&in) && inside_has_room(&in, 1e-2) && inside_price(&in) < 1e4 &&
                inside_follow(&in, 1e-2 * inside_size(&in)) && in.n_pair > 0) {
                double mu = inside_size(&in) / (double)in.n_pair *
                            pow(10.0, walras_rng_range(&rng, -3.0, 0.0));
                const char *wrong = judge_centre(&in, mu);

                n_tried += !wrong || *wrong;
                if (wrong && *wrong) {
                    fprintf(stderr, "%s %llu: %s\n", agent_device_type_name(kinds[k]),
                            (unsigned long long)seed, wrong);
                    n_wrong++;
                }
            }
            inside_close(&in);
        }
        printf("%s: %zu ", agent_device_type_name(kinds[k]), n_tried);
        CU_ASSERT_TRUE(50 * n_wrong <= n_tried); /* differences lose digits */
        CU_ASSERT_TRUE(4 * n_tried > cases);
    }
}

static const struct testkit_test tests[] = {
    {"the path ends at the exact answer", test_the_path_ends_at_the_exact_answer},
    {"draws move as told", test_draws_move_as_told},
    {"curvature is that of the central path", test_curvature_is_that_of_the_central_path},
};
TESTKIT_MAIN("interior", tests)
