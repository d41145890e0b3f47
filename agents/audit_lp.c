/*
 * Audit of a device that is a program of its own: its draw columns are tied to the asked draw with
 * a deviation either way. The least deviation is the breach; with that allowed and no more, the
 * least cost of the program is the cost of the draw.
 */
#include "agents/audit_internal.h"
#include "lp/lp.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* GLPK's own tolerance on rows: what it cannot tell from 0. */
#define DEVIATION_FREE_KW 1e-6

struct tied {
    struct lp *lp;
    size_t n_own;     /* columns of the file */
    size_t deviation; /* first of 2 · n_step columns: above and below, step by step */
    double *x, *cost; /* [n_own + 2 · n_step] */
};

static void tied_release(struct tied *tied)
{
    free(tied->cost);
    free(tied->x);
    lp_free(tied->lp);
}

static enum walras_status tie(const struct audit_case *audit, struct tied *tied,
                              struct walras_err *err)
{
    static const double low[] = {0.0, 0.0}, high[] = {HUGE_VAL, HUGE_VAL}, cost[] = {1.0, 1.0};
    static const double coef[] = {1.0, -1.0, 1.0};

    for (size_t t = 0; t < audit->horizon->n_step; t++) {
        char name[32];
        size_t column[3], row;
        double draw_kw = audit->draw_kw[t];
        enum walras_status status;

        snprintf(name, sizeof(name), "draw_%zu", t);
        column[0] = lp_find_column(tied->lp, name);
        if (column[0] == SIZE_MAX)
            return walras_fail(err, WALRAS_INVALID, "column %s is missing", name);
        status = lp_add_columns(tied->lp, 2, low, high, cost, &column[1], err);
        column[2] = column[1] + 1;
        if (status == WALRAS_OK)
            status = lp_add_row(tied->lp, 3, column, coef, draw_kw, draw_kw, &row, err);
        if (status != WALRAS_OK)
            return status;
    }
    return WALRAS_OK;
}

/* The least total deviation: the file's own costs are set aside first. */
static enum walras_status least_deviation(const struct audit_case *audit, struct tied *tied,
                                          struct walras_err *err)
{
    const struct lp_settings settings = {0};
    struct lp_info info;
    enum walras_status status = WALRAS_OK;

    for (size_t j = 0; status == WALRAS_OK && j < tied->n_own; j++) {
        tied->cost[j] = lp_cost(tied->lp, j);
        status = lp_set_cost(tied->lp, j, 0.0, err);
    }
    if (status == WALRAS_OK)
        status = lp_solve(tied->lp, &settings, tied->x, NULL, &info, err);
    if (status == WALRAS_OK && info.outcome != LP_OPTIMAL)
        status = walras_fail(err, WALRAS_INVALID, "the program has no solution at any draw");
    for (size_t t = 0; status == WALRAS_OK && t < audit->horizon->n_step; t++) {
        const double *deviation = tied->x + tied->deviation + 2 * t;
        double off_kw = fmax(deviation[0], deviation[1]);

        audit_breach(audit, off_kw > DEVIATION_FREE_KW ? off_kw : 0.0, t, "program");
    }
    return status;
}

static enum walras_status least_cost(const struct audit_case *audit, struct tied *tied,
                                     struct walras_err *err)
{
    const struct lp_settings settings = {0};
    struct lp_info info;
    enum walras_status status = WALRAS_OK;

    for (size_t j = 0; status == WALRAS_OK && j < tied->n_own; j++)
        status = lp_set_cost(tied->lp, j, tied->cost[j], err);
    for (size_t k = 0; status == WALRAS_OK && k < 2 * audit->horizon->n_step; k++) {
        size_t column = tied->deviation + k;

        status = lp_set_cost(tied->lp, column, 0.0, err);
        if (status == WALRAS_OK)
            status = lp_set_column_bounds(tied->lp, column, 0.0,
                                          tied->x[column] + 0.1 * DEVIATION_FREE_KW, err);
    }
    if (status == WALRAS_OK)
        status = lp_solve(tied->lp, &settings, tied->x, NULL, &info, err);
    if (status == WALRAS_OK && info.outcome != LP_OPTIMAL)
        status = walras_fail(err, WALRAS_INVALID, "the program's cost has no least value");
    if (status == WALRAS_OK)
        audit->verdict->cost = info.objective;
    return status;
}

enum walras_status audit_lp(const struct audit_case *audit, const struct agent_lp *file,
                            struct walras_err *err)
{
    size_t n_deviation = 2 * audit->horizon->n_step;
    struct tied tied = {0};
    enum walras_status status = lp_read(file->path, &tied.lp, err);

    if (status != WALRAS_OK)
        goto out;
    tied.n_own = tied.deviation = lp_columns(tied.lp);
    tied.x = calloc(tied.n_own + n_deviation, sizeof(*tied.x));
    tied.cost = calloc(tied.n_own + n_deviation, sizeof(*tied.cost));
    if (!tied.x || !tied.cost) {
        status = walras_fail(err, WALRAS_NOMEM, "cannot audit %s", file->path);
        goto out;
    }
    status = tie(audit, &tied, err);
    if (status == WALRAS_OK)
        status = least_deviation(audit, &tied, err);
    if (status == WALRAS_OK)
        status = least_cost(audit, &tied, err);
out:
    tied_release(&tied);
    return status;
}
