/*
 * Unit conversions. No conversion factor appears anywhere else.
 */
#ifndef WALRAS_CORE_UNITS_H
#define WALRAS_CORE_UNITS_H

#define WALRAS_PI 3.14159265358979323846

static inline double walras_kw_from_mw(double mw)
{
    return 1000.0 * mw;
}

static inline double walras_mw_from_kw(double kw)
{
    return kw / 1000.0;
}

/* Energy of an average power over a step, in the unit prices are quoted in. */
static inline double walras_mwh(double kw, double step_h)
{
    return kw * step_h / 1000.0;
}

static inline double walras_rad_from_deg(double deg)
{
    return deg * (WALRAS_PI / 180.0);
}

/* Of radians that came from degrees it gives degrees with exactly the same radians. */
static inline double walras_deg_from_rad(double rad)
{
    return rad / (WALRAS_PI / 180.0);
}

#endif
