/*
 * The awards of a result: what every device draws in every step.
 *
 * Either an array holds them, or they are computed when they are asked for: a million devices over
 * a day of quarter hours are 768 MB, and each draw can be had again from the market's decision.
 *
 * Units      kW, positive from the grid.
 * Ownership  everything is borrowed.
 * Threads    one pass or read at a time; a pass uses threads of its own.
 */
#ifndef WALRAS_SCENARIO_AWARDS_H
#define WALRAS_SCENARIO_AWARDS_H

#include "core/status.h"

struct scenario_awards {
    size_t n_device, n_step;
    unsigned n_worker;     /* threads of a pass, >= 1 */
    const double *draw_kw; /* [n_device x n_step]; NULL: `read` computes them */
    /* Writes draw_kw [n x n_step] of devices [first, first + n); distinct workers in parallel. */
    enum walras_status (*read)(void *self, unsigned worker, size_t first, size_t n, double *draw_kw,
                               struct walras_err *err);
    void *self;
};

/* A part of a pass: devices [first, first + n). Parts are the same for any number of threads. */
struct scenario_awards_part {
    size_t first, n;
    size_t slot;           /* < SCENARIO_AWARDS_SLOTS: from `work` to `take` no other part has it */
    unsigned worker;       /* < n_worker: who is at work; 0 in `take` */
    const double *draw_kw; /* [n x n_step] */
};
enum { SCENARIO_AWARDS_SLOTS = 128 };

struct scenario_awards_pass {
    void *context;
    /* Called for every part, several at the same time; NULL: nothing to do. */
    enum walras_status (*work)(void *context, const struct scenario_awards_part *part,
                               struct walras_err *err);
    /* Called for every part after `work`, from the calling thread, in device order. */
    enum walras_status (*take)(void *context, const struct scenario_awards_part *part,
                               struct walras_err *err);
};

/* Awards that an array holds. */
struct scenario_awards scenario_awards_of(const double *draw_kw, size_t n_device, size_t n_step);

/* One pass over all devices. Returns the first failure in device order. */
WALRAS_NODISCARD enum walras_status scenario_awards_run(const struct scenario_awards *awards,
                                                        const struct scenario_awards_pass *pass,
                                                        struct walras_err *err);

/* The draws [n x n_step] of devices [first, first + n). */
WALRAS_NODISCARD enum walras_status scenario_awards_read(const struct scenario_awards *awards,
                                                         size_t first, size_t n, double *draw_kw,
                                                         struct walras_err *err);

#endif
