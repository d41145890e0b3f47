/*
 * A device as a program that is written out: its formulation (agents/model.h) with every rule in it
 * from the start and quadratic costs as they are, its columns and rows named.
 *
 * Ownership  everything a program points to lives until agent_program_free.
 */
#ifndef WALRAS_AGENTS_PROGRAM_H
#define WALRAS_AGENTS_PROGRAM_H

#include "agents/device.h"
#include "lp/lp.h"

#define AGENT_PROGRAM_NO_STEP SIZE_MAX

/* `what` of a step; the part tells apart several of one kind. Unique among columns, among rows. */
struct agent_program_label {
    const char *what;
    size_t step, part;
};

/* The draw of a step grows by coef kW times the column. */
struct agent_program_draw {
    size_t column, step;
    double coef;
};

struct agent_model;

struct agent_program {
    struct agent_model *model;
    const struct lp *lp;         /* columns, rows, integers; not the cost */
    const double *cost, *square; /* [columns] currency per unit of x and of x² */
    double firm_cost;            /* whatever it does */
    const double *firm_kw;       /* [n_step] draw whatever it does */
    const struct agent_program_draw *draws;
    size_t n_draw;
    const struct agent_program_label *column_label, *row_label; /* lp device: see lp_column_name */
};

/* Returns WALRAS_INVALID for what agent_device_check refuses, or an lp device's file. */
WALRAS_NODISCARD enum walras_status agent_program_make(const struct agent_device *device,
                                                       const struct agent_horizon *horizon,
                                                       struct agent_program *program,
                                                       struct walras_err *err);
void agent_program_free(struct agent_program *program);

#endif
