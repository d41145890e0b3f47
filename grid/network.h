/*
 * A network: buses and the lines between them, as written by a scenario or a MATPOWER case.
 *
 * Units      per unit on base_mva and each bus's base_kv; limits and loads in kW and kvar;
 *            `draw` is positive from the grid.
 * Ownership  the network owns its arrays and names; grid_network_release frees them.
 * Threads    read only after it is built.
 */
#ifndef WALRAS_GRID_NETWORK_H
#define WALRAS_GRID_NETWORK_H

#include "core/status.h"

struct grid_bus {
    char *id;
    double base_kv;            /* 0: not given */
    double v_min_pu, v_max_pu; /* 0 and INFINITY: not given */
    double load_kw, load_kvar; /* draw of the case's own fixed load, 0 in inline grids */
    double shunt_draw_kw;      /* conductance Gs at 1 p.u.: a draw */
    double shunt_inject_kvar;  /* susceptance Bs at 1 p.u.: an injection */
    double slack_v_pu;         /* > 0: one more slack, held at that voltage */
};

struct grid_line {
    char *id;
    size_t from, to; /* bus indices */
    double r_pu, x_pu, b_pu;
    double limit_kw;  /* INFINITY: unlimited */
    double limit_kva; /* of apparent power, in the model lindistflow; 0: unlimited */
    double tap;       /* off-nominal ratio at the from side, 1 for a line */
    double shift_rad; /* phase shift at the from side */
    bool in_service;
    bool terminal; /* an inverter: limit_kva, unscaled and never soft, is of what is behind it */
};

struct grid_network {
    double base_mva;
    size_t slack; /* bus index; more slacks: grid_bus.slack_v_pu */
    double slack_v_pu;
    struct grid_bus *buses;
    size_t n_bus;
    struct grid_line *lines;
    size_t n_line;
    bool may_lack_reactance; /* lines in service without any are fine: not in the DC model */
};

static inline bool grid_network_is_slack(const struct grid_network *network, size_t bus)
{
    return bus == network->slack || network->buses[bus].slack_v_pu > 0.0;
}

/* The voltage that a slack bus is held at. */
static inline double grid_network_slack_v(const struct grid_network *network, size_t bus)
{
    return bus == network->slack ? network->slack_v_pu : network->buses[bus].slack_v_pu;
}

/* The apparent power that a line may carry: the less of its two limits; INFINITY: any. */
static inline double grid_line_rating_kva(const struct grid_line *line)
{
    return line->limit_kva > 0.0 && line->limit_kva < line->limit_kw ? line->limit_kva
                                                                     : line->limit_kw;
}

/* One bus named "1", no line. */
WALRAS_NODISCARD enum walras_status grid_network_copperplate(struct grid_network *network,
                                                             struct walras_err *err);
void grid_network_release(struct grid_network *network);

/* Index of the bus of that id, or SIZE_MAX. Linear in n_bus; readers of many names keep their own
 * index. */
size_t grid_network_find_bus(const struct grid_network *network, const char *id);

/*
 * Judges the network: ids unique and not empty, ends exist and differ, reactances of lines in
 * service not zero (unless they may), limits not negative, everything finite, and every bus
 * connected to a slack by lines in service. The message names the bus or line (of an island: its
 * size and one bus of it).
 */
WALRAS_NODISCARD enum walras_status grid_network_check(const struct grid_network *network,
                                                       struct walras_err *err);
/* The part of grid_network_check that looks at one bus or line alone, for readers that know its
 * place in a file. */
WALRAS_NODISCARD enum walras_status grid_network_check_bus(const struct grid_network *network,
                                                           size_t index, struct walras_err *err);
WALRAS_NODISCARD enum walras_status grid_network_check_line(const struct grid_network *network,
                                                            size_t index, struct walras_err *err);

#endif
