/*
 * MATPOWER case files (format version 2): baseMVA, bus, gen, branch, gencost.
 *
 * Read     as people write them: comments, line breaks, commas or blanks, scientific notation, Inf,
 *          extra columns, other fields, any struct name or none before the field. Code after the
 *          tables that changes them is refused, except the published conversion of distribution
 *          cases from kW and ohm to MW and per unit, which is applied (docs/grid.md).
 * Names    a bus is named by its number ("17"), a branch by its row in the table ("l1", "l2", …).
 * Source   MATPOWER User's Manual, appendix B (data file format); DC model: docs/grid.md.
 * Threads  no shared state.
 */
#ifndef WALRAS_GRID_MATPOWER_H
#define WALRAS_GRID_MATPOWER_H

#include "grid/network.h"

enum grid_cost_model { GRID_COST_POLYNOMIAL, GRID_COST_PIECEWISE };

struct grid_generator {
    size_t bus;            /* index into network.buses */
    size_t row;            /* row of the gen table, from 1: names it to people */
    double min_kw, max_kw; /* injection */
    enum grid_cost_model model;
    double per_mw2h, per_mwh, per_h; /* polynomial: currency per hour for g in MW */
    /* Piecewise, convex, the end pieces going on beyond the end points: [n_point], the case's. */
    double *point_kw, *point_per_h;
    size_t n_point;
    /* For power flow, as the table has them (finite or not): see grid_case_power. */
    double p_kw, q_kvar, v_pu;     /* injection; voltage to hold */
    double q_min_kvar, q_max_kvar; /* injection */
};

struct grid_case {
    char *name;                        /* of the function in the file, else of the file */
    struct grid_network network;       /* off-line branches have in_service false; isolated buses
                                          (type 4) and branches that end there are left out */
    struct grid_generator *generators; /* in service, at buses that are there */
    size_t n_generator;
    bool *holds_voltage; /* [n_bus] of type 2 or 3: its generators, if any, hold their voltage */
    struct walras_err market_fault; /* see grid_case_check_market */
};

/*
 * Messages name file and line: "case5.m:14: gen row 3: …". Returns WALRAS_IO (cannot be read),
 * WALRAS_INVALID, WALRAS_UNSUPPORTED (a statement, a version, several reference buses) or
 * WALRAS_NOMEM; on failure *out is not touched.
 */
WALRAS_NODISCARD enum walras_status grid_case_read(const char *path, struct grid_case *out,
                                                   struct walras_err *err);
/* The same from memory; `name` stands for the file in messages. text [size] need not end in NUL. */
WALRAS_NODISCARD enum walras_status grid_case_parse(const char *name, const char *text, size_t size,
                                                    struct grid_case *out, struct walras_err *err);
void grid_case_release(struct grid_case *c);

/*
 * Whether the case can be a market of its own. Faults of generator limits and costs (no gencost
 * table, a range that is not finite or empty, a polynomial above degree 2, costs that are not
 * convex) do not keep a case from being read as a network: they are told here, and then the limits
 * and costs of all generators are 0.
 */
WALRAS_NODISCARD enum walras_status grid_case_check_market(const struct grid_case *c,
                                                           struct walras_err *err);

/*
 * What grid_powerflow_solve asks for, all [n_bus]: injections of generators less loads, and
 * voltages to hold (NAN: none). Generators at buses that hold no voltage give their PG and QG.
 * Limits of reactive power are not enforced, as in MATPOWER unless told otherwise. WALRAS_INVALID
 * names the row of gen whose power is not finite, or whose voltage is not that of an earlier row at
 * the bus.
 */
WALRAS_NODISCARD enum walras_status grid_case_power(const struct grid_case *c, double *injection_kw,
                                                    double *injection_kvar, double *hold_v_pu,
                                                    struct walras_err *err);

#endif
