/*
 * Results in words, for the digest, the check and the charts: power, energy, prices and where they
 * are.
 *
 * Threads  read only.
 */
#ifndef WALRAS_SCENARIO_WORDS_H
#define WALRAS_SCENARIO_WORDS_H

#include "scenario/result.h"

enum { SCENARIO_WORDS = 120, SCENARIO_LIMIT_WORDS = 240 };

/* "12.5 kW", from 10,000 kW on "12.5 MW"; four digits, never an exponent. */
void scenario_power_words(double kw, char words[SCENARIO_WORDS]);
/* "1.250 MWh", below 0.1 MWh "12.5 kWh"; never an exponent. */
void scenario_energy_words(double mwh, char words[SCENARIO_WORDS]);

struct scenario_extreme {
    size_t bus, step;
    size_t n_alike; /* buses with that price in that step, but for what the eye cannot see */
    double price_per_mwh;
};
/* The lowest and the highest price of a result that has prices; the first of equals. */
void scenario_price_extremes(const struct scenario_result *result, struct scenario_extreme *low,
                             struct scenario_extreme *high);
/* Prices that differ by less than this look the same. */
double scenario_price_blur(const struct scenario_extreme *low, const struct scenario_extreme *high);
/*
 * A limit of the grid: "line l4 (bus A to B, 100 kW)", "bus A (at least 0.95 per unit)"; direction
 * 1 is its high side.
 */
void scenario_limit_words(const struct scenario *scenario, const struct grid_limits *limits,
                          size_t row, int direction, char words[SCENARIO_LIMIT_WORDS]);
/* How far a limit is exceeded, in its own unit: "12.5 kW", "0.0021 per unit". */
void scenario_breach_words(const struct grid_limits *limits, size_t row, int direction,
                           double breach_kw, char words[SCENARIO_WORDS]);
/* "bus A", "bus A and 2 more" or "every bus": `bus` stands for `n_alike` buses. */
void scenario_bus_words(const struct grid_network *network, size_t bus, size_t n_alike,
                        char words[SCENARIO_WORDS]);

#endif
