/*
 * A clearing's insides, shared by running it (clear.c), running it again until losses settle
 * (clear_losses.c), offering openly (clear_orders.c), telling what it decided (clear_awards.c) and
 * explaining what cannot be met (infeasible.c).
 */
#ifndef WALRAS_SCENARIO_CLEAR_INTERNAL_H
#define WALRAS_SCENARIO_CLEAR_INTERNAL_H

#include "agents/fleet.h"
#include "scenario/clear.h"
#include "scenario/losses.h"
#include "scenario/nodes.h"
#include "scenario/parts.h"

struct scenario_clearing {
    const struct scenario *scenario;
    struct scenario_clear_settings settings;
    struct agent_fleet *fleet;
    struct grid_limits *limits;  /* NULL: one bus */
    double *breach_prices;       /* [limits x 2]; see market_problem */
    bool limited;                /* any of the limits is one */
    struct scenario_nodes nodes; /* the market's buses */
    struct market_order *orders; /* [n_order] the book's, then the supplies' */
    /* inverters' behind the supplies', losses' at the end */
    size_t n_order, n_booked, n_supplied;
    struct clear_book *book; /* whose orders those are; NULL: alone */
    double *firm_kw;         /* [nodes x n_step] of all ranks, at rank 0 */
    double firm_cost;
    struct market_group *groups; /* [n_group] */
    size_t n_group;
    const char **bus_ids;
    struct market_result market;
    struct agent_awards decided;
    struct scenario_awards awards;
    double *award_kw; /* [n_device x n_step] while they are few; NULL: computed when asked for */
    double *node_draw_kw, *bus_draw_kw, *flow_kw, *import_kw; /* export behind import */
    double *flow_kvar, *v_pu;                                 /* lindistflow */
    double *inverter_kvar;                                    /* [inverters x n_step] */
    double *loss_kw;                    /* [nodes.n_loss x n_step] drawn at slacks */
    struct scenario_losses *own_losses; /* NULL: there are none, or they are the caller's */
    struct scenario_losses_told losses_told;
    struct scenario_parts *parts; /* of prices; NULL: there are no prices */
    char why[480];
    struct scenario_certificate certificate;
    struct scenario_result result;
};

/* Clears once, with what is known of the losses. Errors as scenario_clear. */
WALRAS_NODISCARD enum walras_status clear_once(const struct scenario *scenario,
                                               const struct scenario_clear_settings *settings,
                                               struct scenario_clearing **made,
                                               struct walras_err *err);
/* As scenario_clear, of a scenario with losses. */
WALRAS_NODISCARD enum walras_status
clear_with_losses(const struct scenario *scenario, const struct scenario_clear_settings *settings,
                  struct scenario_clearing **made, struct walras_err *err);

/* What the market decided, as a plan: awards, draws of buses, flows, exchange. */
WALRAS_NODISCARD enum walras_status clear_awards(struct scenario_clearing *clearing,
                                                 struct walras_err *err);
void clear_awards_release(struct scenario_clearing *clearing);

/* Fills orders, and firm_kw and firm_cost beside them. */
WALRAS_NODISCARD enum walras_status clear_orders(struct scenario_clearing *clearing,
                                                 struct walras_err *err);
/* What became of the own orders: decided.order_kw. */
WALRAS_NODISCARD enum walras_status clear_order_awards(struct scenario_clearing *clearing,
                                                       struct walras_err *err);
void clear_book_free(struct clear_book *book);

/* Writes `why` from the needs that the market could not meet: where, when, how much. */
void scenario_explain_infeasible(struct scenario_clearing *clearing);

#endif
