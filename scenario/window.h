/*
 * A window: the horizon that is planned from some step of a run on, as a scenario of its own.
 *
 * Model    docs/simulation.md. Series are taken from the run's at an offset, devices start in the
 *          state that they are in. Cars and appliances come again every period (the length of the
 *          horizon), so a window that begins within a stay holds its end and, at the other side,
 *          the beginning of the next: two devices of the window with one origin.
 * Ownership  a window borrows network, ids, series and curves from the run's scenario.
 * Threads  read only once it is made.
 */
#ifndef WALRAS_SCENARIO_WINDOW_H
#define WALRAS_SCENARIO_WINDOW_H

#include "agents/state.h"
#include "scenario/scenario.h"

struct scenario_trace { /* what one device of the run has come to */
    struct agent_state state;
    int64_t started; /* shiftable: step of the run that it last started in; < 0: not yet */
};

struct scenario_window {
    struct scenario scenario; /* scenario_window_release frees it, not scenario_release */
    size_t *origin;           /* [n_device] device of the run */
    size_t first_step;        /* of the run */
};

/* traces [run->n_device]. run->n_known must reach first_step + n_step. */
WALRAS_NODISCARD enum walras_status
scenario_window_make(const struct scenario *run, const struct scenario_trace *traces,
                     size_t first_step, struct scenario_window *out, struct walras_err *err);
void scenario_window_release(struct scenario_window *window);

/* The device with its series (and curves) read from `step` on. */
struct agent_device scenario_device_from(const struct agent_device *device, size_t step);

/*
 * The device during the steps [first, first + n) of the run, which do not cross a multiple of the
 * period, without what it owes later: what an audit of a committed draw judges by. False when there
 * is nothing to judge (a car that is not there; an appliance, which a window's plan has judged).
 */
bool scenario_piece_of(const struct scenario *run, size_t device,
                       const struct scenario_trace *trace, size_t first, size_t n,
                       struct agent_device *out);

#endif
