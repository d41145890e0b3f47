#include "core/rng.h"
#include "market/master_tree.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * The elimination from the leaves against the matrix it stands for: random nested limits over
 * random buses, each of which answers its prices by a random symmetric matrix. What comes out must
 * satisfy N u = rhs, N = Σ_b E_bᵀ K_b E_b + D, multiplied out here without any elimination.
 */

enum { BUSES = 9, STEPS = 5, LIMITS = 8, ROWS = 2 * LIMITS * STEPS, UNKNOWNS = STEPS + ROWS };

struct system {
    struct market_problem problem;
    struct market_rows rows;
    struct market_row row[ROWS];
    size_t step_first[STEPS + 1];
    uint32_t buses[LIMITS][BUSES];
    double coefs[LIMITS][BUSES];
    size_t n_behind[LIMITS];
    double answer[BUSES][STEPS * STEPS]; /* K_b, full */
    double diagonal[UNKNOWNS];
};

/* Limit l lies behind a random earlier one, or behind none; every bus hangs behind some limit. */
static void make_limits(struct system *s, struct walras_rng *rng, size_t n_limit)
{
    size_t parent[LIMITS], at[BUSES];

    for (size_t l = 0; l < n_limit; l++)
        parent[l] = l > 0 && walras_rng_below(rng, 3) > 0 ? walras_rng_below(rng, l) : SIZE_MAX;
    for (size_t b = 0; b < BUSES;
         b++) /* bus 0 is the slack's, the others have zones of their own */
        at[b] = b > 0 && b <= n_limit ? b - 1 : SIZE_MAX;
    for (size_t l = 0; l < n_limit; l++) {
        double coef = walras_rng_below(rng, 2) ? -1.0 : 0.5;

        s->n_behind[l] = 0;
        for (uint32_t b = 0; b < BUSES; b++) {
            size_t up = at[b];

            while (up != SIZE_MAX && up != l)
                up = parent[up];
            if (up == l) {
                s->buses[l][s->n_behind[l]] = b;
                s->coefs[l][s->n_behind[l]++] = coef;
            }
        }
    }
}

/* Every limit is active in step 0 at least: buses that nothing active tells apart would be one. */
static void make_rows(struct system *s, struct walras_rng *rng, size_t n_limit)
{
    s->rows =
        (struct market_rows){.problem = &s->problem, .rows = s->row, .step_first = s->step_first};
    for (uint32_t t = 0; t < STEPS; t++) {
        s->step_first[t] = s->rows.n;
        for (size_t l = 0; l < n_limit; l++)
            for (int direction = -1; direction <= 1; direction += 2)
                if (walras_rng_below(rng, 3) == 0 || (t == 0 && direction > 0))
                    s->row[s->rows.n++] =
                        (struct market_row){.limit = l,
                                            .step = t,
                                            .direction = direction,
                                            .coef = {s->n_behind[l], s->buses[l], s->coefs[l]}};
    }
    s->step_first[STEPS] = s->rows.n;
}

static void make_answers(struct system *s, struct walras_rng *rng)
{
    for (size_t b = 0; b < BUSES; b++) {
        double column[STEPS];

        memset(s->answer[b], 0, sizeof(s->answer[b]));
        for (int rank = 0; rank < 3; rank++) {
            for (size_t t = 0; t < STEPS; t++)
                column[t] = walras_rng_range(rng, -1.0, 1.0);
            for (size_t t = 0; t < STEPS; t++)
                for (size_t u = 0; u < STEPS; u++)
                    s->answer[b][t * STEPS + u] += column[t] * column[u];
        }
    }
    for (size_t i = 0; i < UNKNOWNS; i++) /* rows that bind have next to nothing on the diagonal */
        s->diagonal[i] = pow(10.0, walras_rng_range(rng, -6.0, 2.0));
}

static void make(struct system *s, struct walras_rng *rng)
{
    size_t n_limit = walras_rng_below(rng, LIMITS) + 1;

    s->problem = (struct market_problem){.n_bus = n_limit + 1, .n_step = STEPS};
    make_limits(s, rng, n_limit);
    make_rows(s, rng, n_limit);
    make_answers(s, rng);
}

static void add_answer(void *context, size_t bus, double *matrix)
{
    const struct system *s = context;

    for (size_t t = 0; t < STEPS; t++)
        for (size_t u = t; u < STEPS; u++)
            matrix[t * STEPS + u] += s->answer[bus][t * STEPS + u];
}

/* out = N u, the long way. */
static void multiply(struct system *s, const double *u, double *out)
{
    double price[BUSES * STEPS], injection[BUSES * STEPS];

    market_rows_price(&s->rows, u, price);
    for (size_t b = 0; b < s->problem.n_bus; b++)
        for (size_t t = 0; t < STEPS; t++) {
            injection[b * STEPS + t] = 0.0;
            for (size_t k = 0; k < STEPS; k++)
                injection[b * STEPS + t] += s->answer[b][t * STEPS + k] * price[b * STEPS + k];
        }
    market_rows_project(&s->rows, injection, out);
    for (size_t i = 0; i < STEPS + s->rows.n; i++)
        out[i] += s->diagonal[i] * u[i];
}

static void test_elimination_solves_the_whole_system(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    struct master_tree tree = {0};
    static struct system s;
    size_t n_case = testkit_cases(2000);

    for (size_t k = 0; k < n_case; k++) {
        double rhs[UNKNOWNS], u[UNKNOWNS], back[UNKNOWNS], worst = 0.0;

        make(&s, &rng);
        CU_ASSERT_EQUAL_FATAL(master_tree_index(&tree, &s.rows, NULL), WALRAS_OK);
        CU_ASSERT_TRUE_FATAL(tree.nested);
        CU_ASSERT_TRUE_FATAL(
            master_tree_factor(&tree, add_answer, &s, s.diagonal + STEPS, s.diagonal, 0.0));
        for (size_t i = 0; i < STEPS + s.rows.n; i++)
            u[i] = rhs[i] = walras_rng_range(&rng, -1.0, 1.0);
        master_tree_solve(&tree, u);
        multiply(&s, u, back);
        for (size_t i = 0; i < STEPS + s.rows.n; i++) {
            double size = 1.0;

            for (size_t j = 0; j < STEPS + s.rows.n; j++)
                size = fmax(size, fabs(u[j]));
            worst = fmax(worst, fabs(back[i] - rhs[i]) / size);
        }
        if (!(worst < 1e-9))
            printf("case %zu: %zu rows, off by %g\n", k, s.rows.n, worst);
        CU_ASSERT_TRUE(worst < 1e-9);
    }
    master_tree_release(&tree);
}

/* Two limits that share one bus of two each, and one that counts its buses differently. */
static void test_other_limits_are_told_apart(void)
{
    static const uint32_t first[] = {1, 2}, second[] = {2, 3};
    static const double alike[] = {1.0, 1.0}, unlike[] = {1.0, 0.5};
    struct market_problem problem = {.n_bus = 4, .n_step = 1};
    struct market_row row[] = {{.limit = 0, .direction = 1, .coef = {2, first, alike}},
                               {.limit = 1, .direction = 1, .coef = {2, second, alike}}};
    size_t step_first[] = {0, 2};
    struct market_rows rows = {.problem = &problem, .rows = row, .n = 2, .step_first = step_first};
    struct master_tree tree = {0};

    CU_ASSERT_EQUAL_FATAL(master_tree_index(&tree, &rows, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(tree.nested);
    row[1].coef = (struct grid_row){2, first, unlike};
    CU_ASSERT_EQUAL_FATAL(master_tree_index(&tree, &rows, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(tree.nested);
    master_tree_release(&tree);
}

static const struct testkit_test tests[] = {
    {"elimination solves the whole system", test_elimination_solves_the_whole_system},
    {"other limits are told apart", test_other_limits_are_told_apart},
};
TESTKIT_MAIN("nested limits", tests)
