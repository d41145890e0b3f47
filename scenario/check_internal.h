/*
 * Parts of looking at a market. Private to the scenario folder.
 */
#ifndef WALRAS_SCENARIO_CHECK_INTERNAL_H
#define WALRAS_SCENARIO_CHECK_INTERNAL_H

#include "scenario/check.h"

__attribute__((format(printf, 2, 3))) void check_warn(struct scenario_summary *summary,
                                                      const char *format, ...);

/* Warns of prices that seem to be per kWh. */
void check_prices(struct scenario_summary *summary);
/* Warns of devices that clear would refuse. Only memory can fail. */
enum walras_status check_devices(struct scenario_summary *summary, struct walras_err *err);

#endif
