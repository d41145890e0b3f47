/*
 * What the devices of a fleet share: the weather and the habits of their place, as series.
 *
 * Seasons are those of the northern temperate zone, by the month the horizon starts in; hours are
 * local, by the offset that the start is written with.
 */
#ifndef WALRAS_SCENARIO_FLEET_CATALOGUE_H
#define WALRAS_SCENARIO_FLEET_CATALOGUE_H

#include "core/rng.h"
#include "scenario/read_internal.h"

enum {
    FLEET_PV_SIZES = 15, /* 3.0, 3.5 … 10.0 kWp */
    FLEET_PV_FACES = 3,  /* east, south, west */
    FLEET_HOMES = 64,    /* load shapes */
    FLEET_PUMPS = 4      /* kinds of heat pumps: their coefficients of performance */
};

struct fleet_catalogue {
    struct walras_series pv_kw[FLEET_PV_SIZES * FLEET_PV_FACES];
    struct walras_series home_kw[FLEET_HOMES];
    struct walras_series outdoor_c, cop[FLEET_PUMPS];
    struct walras_series zero;
    bool cool;        /* the season: heat pumps cool when the mean is above 15 °C */
    double extreme_c; /* coldest or, when cooling, hottest */
};

/* The hour of the local day, 0 … 24, in the middle of a step. */
double fleet_hour(const struct scenario *scenario, size_t step);

WALRAS_NODISCARD enum walras_status fleet_catalogue_make(struct scenario_reader *reader,
                                                         struct walras_rng *rng,
                                                         struct fleet_catalogue *out,
                                                         struct walras_err *err);

#endif
