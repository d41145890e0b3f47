/*
 * Participants inside the interior point method: the turns of all groups' parts
 * (market/oracle.h), gathered by zone.
 *
 * Model    docs/mathematics.md, "Interior". Parts of one zone are added up in chunks of a few
 *          hundred devices, chunks in order: results do not depend on the number of threads.
 * Shapes   zone arrays are [n_zone x n_step].
 * Ownership  problem and runner are borrowed.
 * Threads  one at a time; parts run on the runner's.
 */
#ifndef WALRAS_MARKET_PARTS_H
#define WALRAS_MARKET_PARTS_H

#include "market/method.h"

struct market_parts;

/* All groups must be able to take part: WALRAS_UNSUPPORTED names one that is not. */
WALRAS_NODISCARD enum walras_status market_parts_new(const struct market_problem *problem,
                                                     const struct market_runner *runner,
                                                     struct market_parts **made,
                                                     struct walras_err *err);
void market_parts_free(struct market_parts *parts);

/* Which zone each bus is in; forgets what was gathered. */
WALRAS_NODISCARD enum walras_status market_parts_zone(struct market_parts *parts,
                                                      const uint32_t *zone, size_t n_zone,
                                                      struct walras_err *err);

/* What the last turn has gathered. */
struct market_parts_sum {
    size_t n_pair;   /* of slack and multiplier */
    bool curved;     /* some cost is quadratic */
    double product;  /* Σ slack · multiplier */
    double cost;     /* kW · currency/MWh */
    double off_kw;   /* the largest miss of a participant's own rows */
    double unpriced; /* what the multipliers miss by, at most: kW · currency/MWh */
    struct market_stride longest;
    double crossed, leaning;                /* of the first moves: Σ dx dz, Σ z dx */
    double *draw_kw;                        /* by zone */
    double *still_kw, *per_mu_kw, *bent_kw; /* by zone: what moves the draw besides prices */
};
const struct market_parts_sum *market_parts_sum(const struct market_parts *parts);

/* Puts everybody inside their bounds, slack · multiplier = mu. Prices by zone, here and below. */
void market_parts_start(struct market_parts *parts, const double *price_per_mwh, double mu);
/* Goes along the last moves (0: stays) and tells draws, curvature and pulls at the prices. */
void market_parts_fold(struct market_parts *parts, const double *price_per_mwh,
                       struct market_stride stride);
void market_parts_predict(struct market_parts *parts, const double *first_per_mwh);
void market_parts_correct(struct market_parts *parts, const double *second_per_mwh, double mu);
/* Adds a zone's curvature to s [n_step x n_step], lower triangle, column major. */
void market_parts_add_curvature(const struct market_parts *parts, size_t zone, double *s);

/* Draws [n_group x n_step] and costs [n_group] as they stand; keep: they are the awards. */
WALRAS_NODISCARD enum walras_status market_parts_tell(struct market_parts *parts, bool keep,
                                                      double *draw_kw, double *cost,
                                                      struct walras_err *err);

#endif
