/*
 * The result of clearing a scenario, and how it is written (docs/scenario.md, "Result").
 *
 * Units      kW, currency per MWh, currency; draw is positive from the grid; row-major arrays.
 * Ownership  everything is borrowed.
 * Threads    read only.
 */
#ifndef WALRAS_SCENARIO_RESULT_H
#define WALRAS_SCENARIO_RESULT_H

#include "market/clearing.h"
#include "scenario/awards.h"
#include "scenario/scenario.h"

#include <stdio.h>

struct scenario_certificate;
struct scenario_inverter;
struct scenario_parts;

/* What AC-feasible clearing came to (scenario/ac.h). */
struct scenario_ac {
    unsigned n_clearing;
    bool feasible;                     /* the plan keeps all limits in the AC power flow */
    double first_objective, objective; /* of the first plan; of the last */
    char why[440];                     /* not feasible: why; else empty */
};

/* What clearing with losses came to (scenario/losses.h). */
struct scenario_losses_told {
    unsigned n_clearing;
    bool settled;        /* what is drawn for losses is what the AC power flow of the plan loses */
    double max_error_kw; /* the most that they differ in a step, where the slack is */
    size_t bus, step;
    char why[200]; /* not settled: why; else empty */
};

struct scenario_losses;

struct scenario_result {
    const struct scenario *scenario;
    const struct market_result *market;
    const struct grid_limits *limits; /* the rows that market->binding and ->breach name; or NULL */
    /*
     * Several ranks have the awards of their own scenarios' devices each; the plan is rank 0's, who
     * judges and writes with the others' help (every rank calls the same functions). NULL: alone.
     */
    struct walras_ranks *ranks;
    const char *method;
    const char *why;              /* outcome infeasible: what cannot be met; else NULL */
    const struct scenario_ac *ac; /* NULL: not asked for */
    double *ac_breach; /* NULL, or see struct scenario_ac_wish: the certificate fills it */
    const struct scenario_losses_told *losses; /* NULL: the market has none */
    const double *loss_kw; /* [slacks x n_step] drawn at each slack for losses; NULL: none */
    /* What the certificate holds them against and puts what it finds of them into; NULL: no losses
     */
    struct scenario_losses *loss_model;
    double gap_asked;
    double setup_s, judging_s; /* beside market->seconds: before it; awards and certificate */
    const struct scenario_parts *parts; /* of prices; NULL: there are none */
    /* The plan; all NULL when there is none (infeasible). */
    const struct scenario_awards *awards; /* every device's draw */
    const double *bus_draw_kw;            /* [n_bus x n_step] of all devices at a bus */
    const double *flow_kw;                /* [n_line x n_step] from → to */
    const double *flow_kvar;              /* the same of reactive power; NULL unless lindistflow */
    const double *v_pu;                   /* [n_bus x n_step]; NULL unless lindistflow */
    const struct scenario_inverter *inverters; /* [n_inverter] by device */
    size_t n_inverter;
    const double *inverter_kvar;                    /* [n_inverter x n_step] draw of kvar */
    const double *import_kw;                        /* [n_supply x n_step] */
    const double *export_kw;                        /* [n_supply x n_step] */
    const struct scenario_certificate *certificate; /* NULL: none */
};

/* "converged", "round_limit", "time_limit" or "infeasible". */
const char *scenario_result_status(const struct scenario_result *result);

/*
 * Writes result.json, grid.json, awards.csv, prices.csv and rounds.csv into `directory`, which
 * exists. Files are complete or an error is returned: WALRAS_IO "PATH: reason", WALRAS_NOMEM. Hand
 * it the staging directory of core/outdir.h, so that the results appear whole or not at all. Awards
 * are written to 1e-9 kW, everything else as it is.
 */
WALRAS_NODISCARD enum walras_status scenario_result_write(const char *directory,
                                                          const struct scenario_result *result,
                                                          struct walras_err *err);

/* What the ranks other than 0 do meanwhile: they hand over their lines of awards.csv. */
WALRAS_NODISCARD enum walras_status scenario_result_help(const struct scenario_result *result,
                                                         struct walras_err *err);

/* Only what result.json holds, to a stream (for --json). */
WALRAS_NODISCARD enum walras_status
scenario_result_print(FILE *file, const struct scenario_result *result, struct walras_err *err);

#endif
