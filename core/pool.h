/*
 * A pool of worker threads that run the parts of one job.
 *
 * Which worker runs which part is not determined; so parts write to places of their own and the
 * caller combines them in part order. Results then do not depend on the number of threads.
 *
 * Threads  one job at a time: walras_pool_run is for one thread.
 */
#ifndef WALRAS_CORE_POOL_H
#define WALRAS_CORE_POOL_H

#include "core/status.h"

struct walras_pool;

/* `n_worker` >= 1 counts the calling thread, which works too: 1 starts no thread. */
WALRAS_NODISCARD enum walras_status walras_pool_new(unsigned n_worker, struct walras_pool **pool,
                                                    struct walras_err *err);
void walras_pool_free(struct walras_pool *pool);
unsigned walras_pool_workers(const struct walras_pool *pool);

/* Calls run(context, part, worker) once for every part in 0 … n_part-1; returns when all are done.
 */
void walras_pool_run(struct walras_pool *pool, size_t n_part,
                     void (*run)(void *context, size_t part, unsigned worker), void *context);

#endif
