/*
 * A small result to write and to draw: three buses in a row, two lines, four steps, one device of
 * each kind that the charts tell apart. Numbers are made up, but consistent in shape.
 */
#ifndef WALRAS_TESTS_RESULTKIT_H
#define WALRAS_TESTS_RESULTKIT_H

#include "scenario/certificate.h"
#include "scenario/parts.h"
#include "scenario/result.h"

enum { RESULTKIT_BUS = 3, RESULTKIT_LINE = 2, RESULTKIT_STEP = 4, RESULTKIT_DEVICE = 6 };

struct resultkit {
    struct grid_bus buses[RESULTKIT_BUS];
    struct grid_line lines[RESULTKIT_LINE];
    struct agent_device devices[RESULTKIT_DEVICE];
    struct scenario_agent agents[2];
    uint32_t device_agent[RESULTKIT_DEVICE];
    struct scenario_supply supply;
    struct scenario scenario;
    struct grid_limits *limits;
    struct scenario_parts *parts;
    struct market_result market;
    struct market_binding binding;
    struct market_breach breach;
    struct market_round history[3];
    struct scenario_certificate certificate;
    double award_kw[RESULTKIT_DEVICE * RESULTKIT_STEP], flow_kw[RESULTKIT_LINE * RESULTKIT_STEP];
    double bus_draw_kw[RESULTKIT_BUS * RESULTKIT_STEP];
    struct scenario_awards awards;
    double import_kw[RESULTKIT_STEP], export_kw[RESULTKIT_STEP];
    double price_per_mwh[RESULTKIT_BUS * RESULTKIT_STEP], energy_price_per_mwh[RESULTKIT_STEP];
    struct scenario_result result;
};

/* Fills the kit; resultkit_release frees what it holds. */
void resultkit_init(struct resultkit *kit);
void resultkit_release(struct resultkit *kit);

/* A fresh directory under TMPDIR, or NULL; path is static. */
const char *resultkit_directory(void);
/* Removes a directory and the files in it. */
void resultkit_remove(const char *directory);

#endif
