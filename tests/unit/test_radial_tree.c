#include "core/rng.h"
#include "gridkit.h"
#include "market/master_tree.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The elimination from the leaves where voltages are priced: random forests with taps, kvar in
 * fixed and changing ratio to kW, kvar alone, sides of apparent power, islands, and rows that fit
 * no tree; every bus answers its prices by a random symmetric matrix. What comes out must satisfy
 * N u = rhs, N = Σ_b E_bᵀ K_b E_b + D, multiplied out here by the rows' coefficients alone.
 */

enum {
    BUSES = 12,
    NODES = BUSES + 6,
    STEPS = 4,
    ROWS = 60,
    LOOSE = 2,
    UNKNOWNS = STEPS + ROWS,
};

struct system {
    struct grid_network network;
    struct grid_node nodes[NODES - BUSES];
    double ratio[NODES - BUSES][STEPS];
    struct grid_limits *limits;
    struct market_problem problem;
    bool reactive[NODES];
    struct market_rows rows;
    struct market_row row[ROWS];
    size_t step_first[STEPS + 1];
    size_t n_loose;
    double loose_coef[LOOSE][NODES];
    uint32_t all[NODES];
    double answer[NODES][STEPS * STEPS]; /* K_b, full */
    double diagonal[UNKNOWNS];
};

static void make_limits(struct system *s, struct walras_rng *rng)
{
    size_t n_bus = 2 + walras_rng_below(rng, BUSES - 1), n_slack = 1 + walras_rng_below(rng, 2);
    size_t n_node = walras_rng_below(rng, NODES - BUSES + 1);
    bool varies = walras_rng_below(rng, 3) == 0;
    struct grid_lindist input = {.nodes = s->nodes,
                                 .n_node = n_node,
                                 .n_step = STEPS,
                                 .rating_scale = 1.0,
                                 .soft_voltages = true};
    struct walras_err err = {0};

    s->network = gridkit_forest(rng, n_bus, n_slack < n_bus ? n_slack : 1);
    for (size_t i = 0; i < n_node; i++) {
        for (size_t t = 0; t < STEPS; t++)
            s->ratio[i][t] = walras_rng_range(rng, -0.5, 0.8);
        s->nodes[i] = (struct grid_node){.bus = (uint32_t)walras_rng_below(rng, n_bus),
                                         .reactive = walras_rng_below(rng, 3) == 0,
                                         .kvar_per_kw = s->ratio[i][0],
                                         .kvar_per_kw_of = varies && i % 2 ? s->ratio[i] : NULL};
        s->reactive[n_bus + i] = s->nodes[i].reactive;
    }
    CU_ASSERT_EQUAL_FATAL(grid_limits_lindist(&s->network, &input, &s->limits, &err), WALRAS_OK);
    s->problem = (struct market_problem){
        .n_bus = n_bus + n_node, .n_step = STEPS, .limits = s->limits, .reactive = s->reactive};
}

static void put_row(struct system *s, size_t limit, uint32_t step, int direction)
{
    struct market_row *row = &s->row[s->rows.n++];

    *row = (struct market_row){.limit = limit,
                               .step = step,
                               .direction = direction,
                               .varies = grid_limits_varies(s->limits, limit)};
    CU_ASSERT_EQUAL_FATAL(grid_limits_row(s->limits, limit, step, &row->coef, NULL), WALRAS_OK);
}

/* Coefficients that are no tree's. */
static void loosen(struct system *s, struct walras_rng *rng, struct market_row *row)
{
    double *coef = s->loose_coef[s->n_loose++];

    for (uint32_t b = 0; b < s->problem.n_bus; b++) {
        s->all[b] = b;
        coef[b] = walras_rng_range(rng, -1.0, 1.0);
    }
    row->coef = (struct grid_row){s->problem.n_bus, s->all, coef};
    row->varies = true;
}

static void make_rows(struct system *s, struct walras_rng *rng)
{
    size_t n_limit = grid_limits_count(s->limits), one_in = 1 + walras_rng_below(rng, 8);

    s->rows =
        (struct market_rows){.problem = &s->problem, .rows = s->row, .step_first = s->step_first};
    for (uint32_t t = 0; t < STEPS; t++) {
        s->step_first[t] = s->rows.n;
        for (size_t l = 0; l < n_limit; l++)
            for (int direction = -1; direction <= 1; direction += 2)
                if (walras_rng_below(rng, one_in) == 0 && s->rows.n < (t + 1) * ROWS / STEPS) {
                    put_row(s, l, t, direction);
                    if (s->n_loose < LOOSE && walras_rng_below(rng, 25) == 0)
                        loosen(s, rng, &s->row[s->rows.n - 1]);
                }
    }
    s->step_first[STEPS] = s->rows.n;
}

static void make_answers(struct system *s, struct walras_rng *rng)
{
    for (size_t b = 0; b < s->problem.n_bus; b++) {
        double column[STEPS];

        for (size_t rank = walras_rng_below(rng, 4); rank > 0; rank--) { /* 0: nobody is there */
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
    memset(s, 0, sizeof(*s));
    make_limits(s, rng);
    make_rows(s, rng);
    make_answers(s, rng);
}

static void release(struct system *s)
{
    grid_limits_free(s->limits);
    grid_network_release(&s->network);
}

static void add_answer(void *context, size_t bus, double *matrix)
{
    const struct system *s = context;

    for (size_t t = 0; t < STEPS; t++)
        for (size_t u = t; u < STEPS; u++)
            matrix[t * STEPS + u] += s->answer[bus][t * STEPS + u];
}

/* out = N u, the long way; *size: what rounding of the solution is measured by. */
static void multiply(struct system *s, const double *u, double *out, double *size)
{
    double price[NODES * STEPS], injection[NODES * STEPS];

    market_rows_price(&s->rows, u, price);
    for (size_t b = 0; b < s->problem.n_bus; b++)
        for (size_t t = 0; t < STEPS; t++) {
            injection[b * STEPS + t] = 0.0;
            for (size_t k = 0; k < STEPS; k++)
                injection[b * STEPS + t] += s->answer[b][t * STEPS + k] * price[b * STEPS + k];
            *size = fmax(*size, fabs(injection[b * STEPS + t]));
        }
    market_rows_project(&s->rows, injection, out);
    for (size_t i = 0; i < STEPS + s->rows.n; i++) {
        out[i] += s->diagonal[i] * u[i];
        *size = fmax(*size, fmax(fabs(s->diagonal[i] * u[i]), fabs(u[i])));
    }
}

static double solve_and_check(struct system *s, struct walras_rng *rng, struct master_tree *tree)
{
    double rhs[UNKNOWNS], u[UNKNOWNS], back[UNKNOWNS], size = 1.0, worst = 0.0;

    CU_ASSERT_TRUE_FATAL(
        master_tree_factor(tree, add_answer, s, s->diagonal + STEPS, s->diagonal, 0.0));
    for (size_t i = 0; i < STEPS + s->rows.n; i++)
        u[i] = rhs[i] = walras_rng_range(rng, -1.0, 1.0);
    master_tree_solve(tree, u);
    multiply(s, u, back, &size);
    for (size_t i = 0; i < STEPS + s->rows.n; i++)
        worst = fmax(worst, fabs(back[i] - rhs[i]) / size);
    return worst;
}

/* The walks along the tree are the rows' coefficients. */
static double walk_and_check(struct system *s, struct walras_rng *rng, struct master_tree *tree)
{
    double u[UNKNOWNS], price[NODES * STEPS], injection[NODES * STEPS], out[UNKNOWNS];
    double by_rows[NODES * STEPS + UNKNOWNS], worst = 0.0;
    size_t n = s->problem.n_bus * STEPS;

    for (size_t i = 0; i < UNKNOWNS; i++)
        u[i] = walras_rng_range(rng, -1.0, 1.0);
    for (size_t i = 0; i < n; i++)
        injection[i] = walras_rng_range(rng, -1.0, 1.0);
    master_tree_price(tree, u, price);
    market_rows_price(&s->rows, u, by_rows);
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(price[i] - by_rows[i]));
    master_tree_project(tree, injection, out);
    market_rows_project(&s->rows, injection, by_rows);
    for (size_t i = 0; i < STEPS + s->rows.n; i++)
        worst = fmax(worst, fabs(out[i] - by_rows[i]));
    return worst;
}

static void test_elimination_solves_the_whole_system(void)
{
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());
    struct master_tree tree = {0};
    static struct system s;
    size_t n_case = testkit_cases(3000), n_way = 0, n_loose = 0;

    for (size_t k = 0; k < n_case; k++) {
        make(&s, &rng);
        CU_ASSERT_EQUAL_FATAL(master_tree_index(&tree, &s.rows, NULL), WALRAS_OK);
        CU_ASSERT_TRUE_FATAL(tree.nested);
        CU_ASSERT_EQUAL(tree.n_loose, s.n_loose); /* all others are found in their place */

        double worst = solve_and_check(&s, &rng, &tree);

        if (!(worst < 1e-9))
            printf("case %zu: %zu buses, %zu rows, off by %g\n", k, s.problem.n_bus, s.rows.n,
                   worst);
        CU_ASSERT_TRUE(worst < 1e-9);
        CU_ASSERT_TRUE(walk_and_check(&s, &rng, &tree) < 1e-10);
        for (size_t i = 0; i < tree.n_node; i++)
            n_way += tree.nodes[i].way.n;
        n_loose += tree.n_loose;
        release(&s);
    }
    CU_ASSERT_TRUE(n_way > n_case && n_loose > n_case / 10); /* it was about these */
    master_tree_release(&tree);
}

/* A chain of many buses needs no more matrices at once than a short one. */
static void test_long_ways_need_little_memory(void)
{
    enum { LONG = 400 };
    static struct gridkit_line lines[LONG - 1];
    struct grid_network network;
    struct grid_lindist input = {.n_step = 1, .rating_scale = 1.0, .soft_voltages = true};
    struct grid_limits *limits = NULL;
    struct market_problem problem = {.n_bus = LONG, .n_step = 1};
    struct market_row row = {.direction = -1};
    size_t step_first[] = {0, 1};
    struct market_rows rows = {.problem = &problem, .rows = &row, .n = 1, .step_first = step_first};
    struct master_tree tree = {0};

    for (size_t i = 0; i < LONG - 1; i++)
        lines[i] = (struct gridkit_line){i + 1, i + 2, 1e-3};
    network = gridkit_network(LONG, lines, LONG - 1);
    network.buses[LONG - 1].v_min_pu = 0.9;
    for (size_t i = 0; i < LONG - 1; i++)
        network.lines[i].r_pu = 1e-3;
    CU_ASSERT_EQUAL_FATAL(grid_limits_lindist(&network, &input, &limits, NULL), WALRAS_OK);
    problem.limits = limits;
    row.limit = grid_limits_count(limits) - 1;
    CU_ASSERT_EQUAL_FATAL(grid_limits_row(limits, row.limit, 0, &row.coef, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(master_tree_index(&tree, &rows, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(tree.nested);
    CU_ASSERT_EQUAL(tree.n_node, LONG + 2); /* the row's own, and the energy price */
    CU_ASSERT_EQUAL(tree.n_slot, 1);
    master_tree_release(&tree);
    grid_limits_free(limits);
    grid_network_release(&network);
}

static const struct testkit_test tests[] = {
    {"elimination solves the whole system", test_elimination_solves_the_whole_system},
    {"long ways need little memory", test_long_ways_need_little_memory},
};
TESTKIT_MAIN("radial trees", tests)
