/*
 * The master by zones: folds the market along the active rows, solves the folded master
 * (market/master.h), and tells its answer bus by bus, order by order and group by group.
 *
 * Model    docs/mathematics.md, "Zones and blocs". The reduced prices are those of the folded
 *          master; a merged order is filled pro rata; every member of a bloc takes the bloc's
 *          weights. Where nothing can be folded it is the plain master.
 * Input    cuts of all groups answer the same points in the same order.
 * Units    as in market/master.h.
 * Threads  one at a time.
 */
#ifndef WALRAS_MARKET_FOLDED_H
#define WALRAS_MARKET_FOLDED_H

#include "market/master.h"

struct market_folded;

/* n_bloc: about how many blocs to form, at least one a zone with groups; 0: chosen by size. */
WALRAS_NODISCARD enum walras_status market_folded_new(const struct market_problem *problem,
                                                      size_t n_bloc, struct market_folded **made,
                                                      struct walras_err *err);
void market_folded_free(struct market_folded *folded);

struct market_master_solver market_folded_solver_of(struct market_folded *folded);

#endif
