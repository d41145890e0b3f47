/*
 * What a market is, before it is cleared: for `walras check`.
 *
 * Ownership  scenario_summary borrows from the scenario.
 */
#ifndef WALRAS_SCENARIO_CHECK_H
#define WALRAS_SCENARIO_CHECK_H

#include "scenario/scenario.h"

#include <stdio.h>

enum {
    SCENARIO_WARNINGS = 40,
    SCENARIO_REFUSED = 20,        /* devices named */
    SCENARIO_ASK_DEVICES = 100000 /* of more than so many devices none is asked */
};

struct scenario_warning {
    char text[320]; /* lower case, no full stop, names the thing */
};

struct scenario_summary {
    const struct scenario *scenario;
    size_t n_type[AGENT_N_TYPE];                             /* devices by type */
    size_t n_line_in_service, n_line_limited, n_bus_limited; /* buses: of voltage */
    size_t n_integer;                                        /* devices with integer decisions */
    double import_peak_kw; /* largest sum of import limits in any step; may be INFINITY */
    double export_peak_kw;
    double firm_peak_kw; /* largest sum of the loads' draws (sheddable ones too) in any step */
    size_t firm_peak_step;
    double pv_peak_kw;
    double generator_kw; /* sum of max_kw and of the largest offers of bids */
    double storage_kwh;  /* batteries and cars that can give back */
    double discharge_kw; /* of the same */
    double shiftable_kw; /* the most that batteries, cars, heat pumps and appliances can draw */
    size_t n_refused;    /* devices that cannot meet their own limits: clear would refuse them */
    struct scenario_warning
        warning[SCENARIO_WARNINGS]; /* [n_warning]; what is allowed but seldom meant */
    size_t n_warning, n_warning_left_out;
};

/*
 * Looks at the market and asks the devices with hard limits once, at prices of zero. The file of an
 * `lp` device is read.
 */
WALRAS_NODISCARD enum walras_status scenario_summarise(const struct scenario *scenario,
                                                       struct scenario_summary *out,
                                                       struct walras_err *err);
/* For people. */
void scenario_summary_print(const struct scenario_summary *summary, FILE *file);

#endif
