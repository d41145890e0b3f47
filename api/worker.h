/*
 * The threads that clear markets: each takes one that has been started, and sees it to its end.
 *
 * A market that was clearing when the server ended, however that came, is taken up again. While the
 * server follows, nothing is.
 */
#ifndef WALRAS_API_WORKER_H
#define WALRAS_API_WORKER_H

#include "api/clearing.h"

struct api_worker;

struct api_worker_settings {
    struct api_clear_settings clear;
    unsigned n_thread;
};

WALRAS_NODISCARD enum walras_status api_worker_new(const struct api_worker_settings *settings,
                                                   struct api_worker **made,
                                                   struct walras_err *err);
/* After api_live_stop: markets under way are parked. NULL is fine. */
void api_worker_stop(struct api_worker *worker);
void api_worker_free(struct api_worker *worker);
/* There may be something to do. */
void api_worker_wake(struct api_worker *worker);

#endif
