/*
 * Judges cleared markets by one central linear program of the whole market (central_lp.h).
 */
#ifndef WALRAS_TESTS_JUDGE_H
#define WALRAS_TESTS_JUDGE_H

#include "marketkit.h"

/*
 * Clears the scenario; false, with the reason printed and the text kept in a file named by the
 * seed, when the answer is wrong. *infeasible: no plan meets the limits, which may be right.
 */
bool judge_market(const char *text, uint64_t seed, const struct scenario_clear_settings *settings,
                  bool *infeasible);
void judge_keep(uint64_t seed, const char *text);

#endif
