/*
 * The audit of each type; private to agents. Each adds to a verdict that starts clean: the largest
 * breach with its place, and the least cost of the draw.
 */
#ifndef WALRAS_AGENTS_AUDIT_INTERNAL_H
#define WALRAS_AGENTS_AUDIT_INTERNAL_H

#include "agents/audit.h"

/* One question: is draw_kw [n_step] something the device can do? */
struct audit_case {
    const struct agent_horizon *horizon;
    const double *draw_kw;
    struct agent_verdict *verdict;
};

/* Keeps the largest breach; amount <= 0 is none. */
static inline void audit_breach(const struct audit_case *audit, double amount, size_t step,
                                const char *what)
{
    if (amount > audit->verdict->breach) {
        audit->verdict->breach = amount;
        audit->verdict->step = step;
        audit->verdict->what = what;
    }
}

enum walras_status audit_battery(const struct audit_case *audit,
                                 const struct agent_battery *battery, struct walras_err *err);
enum walras_status audit_ev(const struct audit_case *audit, const struct agent_ev *ev,
                            struct walras_err *err);
void audit_thermal(const struct audit_case *audit, const struct agent_thermal *thermal);
enum walras_status audit_generator(const struct audit_case *audit,
                                   const struct agent_generator *generator, struct walras_err *err);
enum walras_status audit_lp(const struct audit_case *audit, const struct agent_lp *file,
                            struct walras_err *err);

#endif
