/*
 * MATPOWER case files (format version 2): baseMVA, bus, gen, branch, gencost.
 *
 * Read as people write them: comments, line breaks within rows, commas or blanks, scientific
 * notation, Inf, extra columns, any struct name or none before the field. Code after the tables
 * that changes them is refused unless it is a recognised, published pattern (kW and ohm to MW and
 * per unit). Source   MATPOWER manual, appendix B (data file format).
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
    double *point_kw, *point_per_h;  /* piecewise: [n_point], owned by the case */
    size_t n_point;
};

struct grid_case {
    char *name;
    struct grid_network
        network; /* off-line branches kept with in_service false; isolated buses left out */
    struct grid_generator *generators; /* in service only */
    size_t n_generator;
};

/* Messages name file and line: "case5.m:14: ...". */
WALRAS_NODISCARD enum walras_status grid_case_read(const char *path, struct grid_case *out,
                                                   struct walras_err *err);
/* The same from memory; `name` stands for the file in messages. text [size] need not end in NUL. */
WALRAS_NODISCARD enum walras_status grid_case_parse(const char *name, const char *text, size_t size,
                                                    struct grid_case *out, struct walras_err *err);
void grid_case_release(struct grid_case *c);

#endif
