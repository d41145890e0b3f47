/*
 * Several price methods on one market: what each round of each of them brought.
 *
 * Model    docs/mathematics.md, "Comparing methods". All clear the same scenario with the same
 *          settings, one after another. Measured are rounds, messages (one participant's answer to
 *          one set of prices) and seconds until a gap was certified.
 * Units    costs and bounds in currency; gaps relative.
 * Ownership  the scenario is borrowed and outlives the comparison, which owns the rest:
 *          scenario_comparison_release.
 * Threads  one at a time; settings.clear.market.n_thread workers answer for the devices.
 */
#ifndef WALRAS_SCENARIO_COMPARE_H
#define WALRAS_SCENARIO_COMPARE_H

#include "scenario/clear.h"

#include <stdio.h>

enum { SCENARIO_MAX_METHODS = 64, SCENARIO_MAX_LEVELS = 16 };

/* How a method's run ended; name in files, words for people. */
#define SCENARIO_RUN_LIST(X)                                                                       \
    X(CONVERGED, "converged", "gap reached")                                                       \
    X(ROUND_LIMIT, "round_limit", "round limit")                                                   \
    X(TIME_LIMIT, "time_limit", "time limit")                                                      \
    X(INFEASIBLE, "infeasible", "cannot be cleared")                                               \
    X(STOPPED, "stopped", "stopped")                                                               \
    X(FAILED, "failed", "failed")                                                                  \
    X(NOT_RUN, "not_run", "not run")

enum scenario_run_end {
#define X(name, key, words) SCENARIO_RUN_##name,
    SCENARIO_RUN_LIST(X)
#undef X
};
const char *scenario_run_end_name(enum scenario_run_end end);

struct scenario_run { /* of one method */
    const char *method;
    enum scenario_run_end end;
    enum walras_status failure; /* when it failed; `why` says how */
    bool doubtful;  /* its plan or prices did not pass the separate check: its gaps prove nothing */
    double awarded; /* cost of the plan with whole-number decisions, NAN: no plan */
    struct market_round *history; /* [n_round]; the last has the plan that was awarded */
    unsigned n_round;
    char why[480]; /* "" or what kept it from clearing */
};

struct scenario_comparison {
    const struct scenario *scenario;
    double gap_asked;
    struct scenario_run *runs; /* [n_run], in the order asked for */
    size_t n_run;
    /* what follows is scenario_comparison_sum_up's */
    double levels[SCENARIO_MAX_LEVELS]; /* [n_level] 0.1, 0.01 … and the gap asked for */
    size_t n_level;
    double best_objective, best_bound; /* of all sound runs; NAN: none */
};

struct scenario_compare_now {
    const char *method;
    size_t run, n_run;
    const struct market_round *round; /* NULL: the method is about to begin */
};

struct scenario_compare_settings {
    struct scenario_clear_settings clear; /* its method, progress and context are not looked at */
    const char *const *methods;           /* [n_method] names of market_methods() */
    size_t n_method;
    /* Called before each method and after each round; false stops this method and the rest. */
    bool (*progress)(void *context, const struct scenario_compare_now *now);
    void *context;
};

/*
 * Splits "a,b,c" into names of market_methods(); NULL: all there are. methods
 * [SCENARIO_MAX_METHODS] point into the table. WALRAS_INVALID for a name that is not there (with
 * those that are), that is empty or that stands twice.
 */
WALRAS_NODISCARD enum walras_status scenario_compare_methods(const char *list,
                                                             const char *methods[], size_t *n,
                                                             struct walras_err *err);

/*
 * Runs the methods. One that fails is a run that failed, and the others go on; a market that is
 * found infeasible is not tried again. Fails when every method did, with the first one's reason, or
 * with WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status
scenario_compare(const struct scenario *scenario, const struct scenario_compare_settings *settings,
                 struct scenario_comparison *comparison, struct walras_err *err);
void scenario_comparison_release(struct scenario_comparison *comparison);

/* Levels and the best of all runs, from gap_asked and the runs. */
void scenario_comparison_sum_up(struct scenario_comparison *comparison);

/* It has rounds, and they prove something: all needs could be met, the result passed the check. */
bool scenario_run_is_sound(const struct scenario_run *run);
/* The last round, or NULL. */
const struct market_round *scenario_run_last(const struct scenario_run *run);
/* The first round with a certified gap of at most `level`, or NULL. */
const struct market_round *scenario_run_reaches(const struct scenario_run *run, double level);
/* (best objective - bound) / max(1, |best objective|), at least 0; NAN when there is none. */
double scenario_bound_gap(const struct scenario_comparison *comparison,
                          const struct market_round *round);
/* The first round whose bound is that close to the best plan of all runs, or NULL. */
const struct market_round *scenario_bound_reaches(const struct scenario_comparison *comparison,
                                                  const struct scenario_run *run, double level);

enum { SCENARIO_LEVEL_TEXT = 24 };
/* "1e-4", "2.5e-3" */
void scenario_level_text(double level, char text[SCENARIO_LEVEL_TEXT]);

/* For people: when each level was reached, and where each method ended. */
void scenario_comparison_print(FILE *file, const struct scenario_comparison *comparison);
/* compare.json, to a stream. */
void scenario_comparison_print_json(FILE *file, const struct scenario_comparison *comparison);

/*
 * compare.json and compare.csv into `directory`, which exists; whole, or WALRAS_IO "PATH: reason"
 * or WALRAS_NOMEM. Hand it the staging directory of core/outdir.h.
 */
WALRAS_NODISCARD enum walras_status
scenario_comparison_write(const char *directory, const struct scenario_comparison *comparison,
                          struct walras_err *err);
/* compare.png and compare-bound.png with their scripts; none when no method has a gap to show. */
WALRAS_NODISCARD enum walras_status
scenario_comparison_draw(const char *directory, const struct scenario_comparison *comparison,
                         struct walras_err *err);

#endif
