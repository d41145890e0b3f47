/*
 * Ranks: processes that hold shares of one market and work on it together.
 *
 * Every call below is made by all ranks, in the same order; with `ranks` NULL there is one process
 * and nothing happens. Rank 0 leads. Whoever implements them (ranks/ranks.h) ends all ranks when
 * one is lost, so the calls themselves cannot fail; what a rank cannot do it says in
 * walras_ranks_agree.
 *
 * Threads  from the main thread only.
 */
#ifndef WALRAS_CORE_RANKS_H
#define WALRAS_CORE_RANKS_H

#include "core/status.h"

#include <stdint.h>

struct walras_ranks {
    unsigned rank, n;
    uint64_t n_byte; /* that this rank has handed over or been given */
    void (*broadcast)(void *bytes, size_t n);
    void (*sum)(double *values, size_t n, unsigned rank);
    void (*count)(uint32_t *counts, uint32_t *before, size_t n);
    void (*collect)(const void *mine, void *all, size_t n);
    void (*send)(const void *bytes, size_t n);
    void (*receive)(unsigned from, void *bytes, size_t n);
};

static inline bool walras_ranks_lead(const struct walras_ranks *ranks)
{
    return !ranks || ranks->rank == 0;
}

static inline unsigned walras_ranks_count(const struct walras_ranks *ranks)
{
    return ranks ? ranks->n : 1;
}

/* What rank 0 has, to all. */
void walras_ranks_broadcast(struct walras_ranks *ranks, void *bytes, size_t n);
/* Rank 0's values [n] become the sums over all ranks; those of the others stay as they are. */
void walras_ranks_sum(struct walras_ranks *ranks, double *values, size_t n);
/* The same for all ranks, with the same bits. */
void walras_ranks_sum_all(struct walras_ranks *ranks, double *values, size_t n);
/* counts [n] become sums over all ranks, before [n] the sums over the ranks before this one. */
void walras_ranks_total(struct walras_ranks *ranks, uint32_t *counts, uint32_t *before, size_t n);
/* all [ranks x n] bytes: what each rank has, in rank order. */
void walras_ranks_collect(struct walras_ranks *ranks, const void *mine, void *all, size_t n);
/* From another rank to rank 0 only: `send` there, `receive` here. */
void walras_ranks_send(struct walras_ranks *ranks, const void *bytes, size_t n);
void walras_ranks_receive(struct walras_ranks *ranks, unsigned from, void *bytes, size_t n);
/* The first failure in rank order becomes everybody's, with its message. */
WALRAS_NODISCARD enum walras_status
walras_ranks_agree(struct walras_ranks *ranks, enum walras_status status, struct walras_err *err);

/* clang's analyzer sees one file at a time; this tells it that an own failure stays one */
#ifdef __clang_analyzer__
static inline enum walras_status
walras_ranks_agreed(struct walras_ranks *ranks, enum walras_status status, struct walras_err *err)
{
    enum walras_status agreed = walras_ranks_agree(ranks, status, err);

    return status != WALRAS_OK ? status : agreed;
}
#define walras_ranks_agree(ranks, status, err) walras_ranks_agreed((ranks), (status), (err))
#endif

#endif
