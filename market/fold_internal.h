/*
 * What the files of a fold share: zones, orders and rows (fold.c) and the forming of blocs
 * (fold_blocs.c).
 */
#ifndef WALRAS_MARKET_FOLD_INTERNAL_H
#define WALRAS_MARKET_FOLD_INTERNAL_H

#include "market/fold.h"

/* Makes the groups of each zone into blocs, with no cuts yet; zones and groups to skip are known.
 */
WALRAS_NODISCARD enum walras_status market_fold_blocs(struct market_fold *fold,
                                                      struct walras_err *err);

#endif
