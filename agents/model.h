/*
 * The best response of one device to prices, by GLPK: any type, also the integer ones.
 *
 * A model is built once and solved again with new prices from its last basis. Quadratic
 * costs are refined by tangents until the answer's cost is exact to 1e-9 relative, or GLPK's
 * tolerances leave no more to find: then the bound is what was proven, and lower.
 * Threads  a model belongs to one thread at a time (lp/lp.h).
 */
#ifndef WALRAS_AGENTS_MODEL_H
#define WALRAS_AGENTS_MODEL_H

#include "agents/solve.h"

struct agent_model;

WALRAS_NODISCARD enum walras_status agent_model_new(const struct agent_device *device,
                                                    const struct agent_horizon *horizon,
                                                    struct agent_model **made,
                                                    struct walras_err *err);
void agent_model_free(struct agent_model *model);

/* True when the program has integer columns: its answers cannot be mixed. */
bool agent_model_is_integer(const struct agent_model *model);

/* As agent_solve. `answer->bound` is what GLPK has proven. */
WALRAS_NODISCARD enum walras_status agent_model_solve(struct agent_model *model,
                                                      const double *price_per_mwh, double *draw_kw,
                                                      struct market_answer *answer,
                                                      struct walras_err *err);

/* Asks a device of any type once, by agent_solve where that knows it, else by a model made for it.
 */
WALRAS_NODISCARD enum walras_status
agent_ask_once(const struct agent_device *device, const struct agent_horizon *horizon,
               const double *price_per_mwh, struct agent_workspace *workspace, double *draw_kw,
               struct market_answer *answer, struct walras_err *err);

#endif
