/*
 * What a network loses, as the market learns it: tangents, each from the AC power flow of a plan.
 *
 * Model      docs/mathematics.md, "Losses". A first clearing draws nothing for losses; its plan
 *            gives each tree and step a tangent. The next one adds more itself, wherever what it
 *            looks at loses more than it draws (grid_limits_learn), and its plan is held against
 *            its own power flow, which may give more. A tangent that says more than is lost
 *            (losses are not convex where taps and held voltages are in play) goes. Where a tree
 *            would gladly draw more than it loses, at prices of 0 and below, the last tangent
 *            holds as an equation; where that does not settle either, for nothing says that it
 *            must, what the last plan lost is what is drawn.
 *            In the model dc factors of kvar are left out: its prices do not know them.
 * Ownership  the scenario is borrowed and outlives them; limits that were given them do not use
 *            them any more once something was learned.
 * Threads    one at a time.
 */
#ifndef WALRAS_SCENARIO_LOSSES_H
#define WALRAS_SCENARIO_LOSSES_H

#include "grid/limits.h"
#include "grid/powerflow.h"
#include "market/method.h"
#include "scenario/result.h"

struct scenario_losses;

/*
 * The voltages that generators hold, [n_bus]; NAN: none is. Only in the model dc, where nothing
 * tells reactive power apart.
 */
void scenario_hold_generators(const struct scenario *scenario, double *hold_v_pu);

/* Whether losses can be told of: WALRAS_INVALID (copperplate, no lines, one without impedance). */
WALRAS_NODISCARD enum walras_status scenario_losses_check(const struct scenario *scenario,
                                                          struct walras_err *err);
/* For whoever looks at one market with limits known beforehand: WALRAS_UNSUPPORTED with losses. */
WALRAS_NODISCARD enum walras_status
scenario_losses_refuse(const struct scenario *scenario, const char *what, struct walras_err *err);

/* WALRAS_NOMEM. The scenario has passed scenario_losses_check. */
WALRAS_NODISCARD enum walras_status scenario_losses_new(const struct scenario *scenario,
                                                        struct scenario_losses **made,
                                                        struct walras_err *err);
void scenario_losses_free(struct scenario_losses *losses);

/* For the limits of a clearing. */
const struct grid_losses *scenario_losses_given(const struct scenario_losses *losses);
/* Whether anything was learned: before, nothing is drawn, and limits need not be given losses. */
bool scenario_losses_known(const struct scenario_losses *losses);
/* The most that a tree may draw for its losses, in any step; 0 before anything is known. */
double scenario_losses_most_kw(const struct scenario_losses *losses, size_t tree);
/* [n_tree x n_step] what the plan that was noted last loses. */
const double *scenario_losses_lost_kw(const struct scenario_losses *losses);

/* The AC power flow of one step of a plan, `flow` standing at `solved`. WALRAS_INVALID as
 * grid_powerflow_loss_factors. */
WALRAS_NODISCARD enum walras_status
scenario_losses_note(struct scenario_losses *losses, size_t step, struct grid_powerflow *flow,
                     const struct grid_powerflow_solution *solved, struct walras_err *err);

/*
 * Holds what trees drew, [n_tree x n_step], against what was noted for all steps of that plan, and
 * learns from it unless they differ by so little that it costs no more than the gap leaves, and by
 * no more than 5 % in any step, which is told in out->settled. WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status scenario_losses_learn(struct scenario_losses *losses,
                                                          const struct market_result *market,
                                                          const double *drawn_kw, double gap,
                                                          struct scenario_losses_told *out,
                                                          struct walras_err *err);
/*
 * Shadow prices with which a clearing may begin: those of `market` without its own losses', and for
 * the tangents that were learned the prices at slacks. The limits' own rows are n_row. *shadows
 * [*n] is the caller's to free. WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status scenario_losses_warm(const struct scenario_losses *losses,
                                                         const struct market_result *market,
                                                         size_t n_row,
                                                         struct market_shadow **shadows, size_t *n,
                                                         struct walras_err *err);

#endif
