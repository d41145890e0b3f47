/*
 * The limits of a network as linear rows on injections: what the market prices.
 *
 * Nodes      injections are those of nodes: the buses themselves, and behind them further ones,
 * each at a bus, whose draw comes with reactive draw in a fixed ratio (lindistflow only). Model
 * value_rt = base_rt + Σ_n s_rnt · injection_nt, to stay within [low_r, high_r] in every step t.
 *            DC: value is the flow of a line (from → to positive), s the PTDF row with the
 *            withdrawal at the slack, base the flow that phase shifters drive:
 *
 *                flow = base_mva · (θ_from − θ_to − shift) / (x · tap)      (docs/grid.md)
 *
 *            LinDistFlow: flows of lines, the twelve sides of limits of apparent power, squares of
 *            voltages, and what trees with a slack of their own exchange: nothing
 *            (docs/grid.md, "LinDistFlow").
 *            Shunt conductance is a draw at its bus: the caller counts it in the injections.
 * Units      injection and value in kW. What is not a power is measured in the power that would do
 *            as much: a voltage in kW drawn at its bus (grid_limits_unit_per_kw tells how much that
 *            is), a side of a polygon in kVA.
 * Cost       DC: one sparse factorization when made; grid_limits_values one sparse solve; a row one
 *            sparse solve the first time, kept. LinDistFlow: walks through the trees, O(buses)
 * each. No dense buses x lines matrix exists. Threads    values and rows write to a workspace: one
 * thread at a time.
 */
#ifndef WALRAS_GRID_LIMITS_H
#define WALRAS_GRID_LIMITS_H

#include "grid/network.h"

#include <stdbool.h>
#include <stdint.h>

enum grid_limit_kind {
    GRID_LIMIT_LINE,     /* active power of a line */
    GRID_LIMIT_APPARENT, /* one of the sides of a line's limit of apparent power */
    GRID_LIMIT_VOLTAGE,
    GRID_LIMIT_ISLAND,   /* what a tree injects in all: nothing, it has no line to the others */
    GRID_LIMIT_INVERTER, /* a side of the limit of an inverter, which is a line to its terminal */
    GRID_LIMIT_LOSS      /* what a tree draws to cover its losses, beyond a tangent of them */
};

struct grid_limit {
    enum grid_limit_kind kind;
    size_t index;     /* of the line or bus (of an island or a loss: its slack) */
    unsigned side;    /* of the polygon, 0 to 11; of a loss: 0, or 1 + the tangent */
    double low, high; /* ±INFINITY: no limit on that side */
    double size;      /* what deviations are measured by, > 0 */
};

/* Whether it is one of twelve rows that stand together. */
static inline bool grid_limit_is_side(const struct grid_limit *limit)
{
    return limit->kind == GRID_LIMIT_APPARENT || limit->kind == GRID_LIMIT_INVERTER;
}

/* A limit that a drawer of electricity meets on the way: not what is lost there. */
static inline bool grid_limit_is_loss(const struct grid_limit *limit)
{
    return limit->kind == GRID_LIMIT_LOSS;
}

struct grid_row { /* sparse: |coefficients| below 1e-12 of the largest are left out */
    size_t n;
    const uint32_t *bus; /* nodes, rising */
    const double *coef;
};

struct grid_limits;

/*
 * DC model of `network` (borrowed: outlives the limits; has passed grid_network_check). One row per
 * line in service, limited or not, limits multiplied by rating_scale. The nodes are the buses.
 *
 * Returns WALRAS_INVALID when rating_scale is not finite and above 0, when there are several
 * slacks, or when reactances of both signs cancel so that flows are not determined (the message
 * names a bus); WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status grid_limits_dc(const struct grid_network *network,
                                                   double rating_scale, struct grid_limits **made,
                                                   struct walras_err *err);

struct grid_node { /* 1 kW drawn here comes with so many kvar */
    uint32_t bus;
    bool reactive; /* or what is drawn here are kvar alone; the ratio is not read */
    double kvar_per_kw;
    const double *kvar_per_kw_of; /* [n_step] of each step; NULL: kvar_per_kw in all */
};

struct grid_lindist {              /* borrowed, as the network is */
    const struct grid_node *nodes; /* [n_node] behind the buses, which draw no kvar */
    size_t n_node;
    const double *fixed_kvar; /* [n_bus x n_step] drawn whatever the market does; NULL: none */
    size_t n_step;
    double rating_scale;
    bool soft_voltages; /* voltages may be out of their limits */
};

/*
 * LinDistFlow model of `network`, as above. First the lines in service, limited or not, in their
 * order; the sides of inverters last.
 *
 * Returns WALRAS_INVALID for a rating_scale as above, a network that is not radial, a resistance
 * below 0, or a bus whose voltage is out of its limits when nobody draws or injects (a slack: at
 * all) and voltages are not soft; WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status grid_limits_lindist(const struct grid_network *network,
                                                        const struct grid_lindist *input,
                                                        struct grid_limits **made,
                                                        struct walras_err *err);
void grid_limits_free(struct grid_limits *limits);

struct grid_tangent {  /* of what trees lose, as a function of what their buses inject */
    double *kw, *kvar; /* [n_bus x n_step] marginal loss factors (grid/powerflow.h) */
    double *loss_kw;   /* [n_tree x n_step] where no decision injects; NAN: none of this step */
};

struct grid_point { /* what decisions do in a step */
    size_t step;
    const double *kw, *kvar; /* [n_bus] injected */
    const double *drawn_kw;  /* [n_tree] for losses */
};

/*
 * What trees draw at their slacks to cover their losses, below by tangents that the caller knows.
 * With L_j the draw of tree j and f, f' the factors of a tangent, row by row
 *
 *     value = L_j − Σ_b (f_b · kw_b + f'_b · kvar_b) − loss_kw    over the tree's buses,   >= 0
 *
 * (docs/mathematics.md, L2). First a row of each tree for the steps in which it draws what one
 * tangent says, no more and no less: = 0. Then the tangents in order, each a row of each tree, for
 * the other steps.
 */
struct grid_losses { /* borrowed */
    size_t n_bus;    /* of the network without terminals of inverters */
    size_t n_tree, n_step;
    size_t n_tangent;    /* the most there may be */
    const size_t *slack; /* [n_tree] */
    const size_t *tree;  /* [n_bus] */
    /* [n_tangent] Those of a step stay as they are; more may come where there are none yet. */
    const struct grid_tangent *tangents;
    const bool *exact;                   /* [n_tree x n_step] whether it draws what equation says */
    const struct grid_tangent *equation; /* its columns of other steps are not read */
    const double *size_kw;               /* [n_tree] about what it loses, > 0 */
    /* Called by grid_limits_learn: may add a tangent of the step, at that point. */
    enum walras_status (*learn)(void *self, const struct grid_point *point, struct walras_err *err);
    void *self;
};
/*
 * Puts those rows behind the limits' own. The nodes that draw L_j are the last n_tree: in the model
 * lindistflow those of the input, at the slacks; in dc they come behind the buses by this call. A
 * tangent ties every bus, so that the model is no tree any more. WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status grid_limits_add_losses(struct grid_limits *limits,
                                                           const struct grid_losses *losses,
                                                           struct walras_err *err);
/*
 * Tells the losses what injection_kw [nodes] is in a step, so that the values found next are held
 * against what is lost there. Nothing without losses. Errors are those of `learn`.
 */
WALRAS_NODISCARD enum walras_status grid_limits_learn(struct grid_limits *limits, size_t step,
                                                      const double *injection_kw,
                                                      struct walras_err *err);

/* All rows; those of losses are the last of them. */
size_t grid_limits_count(const struct grid_limits *limits);
size_t grid_limits_losses(const struct grid_limits *limits);
/* The buses of the network, terminals of inverters among them. */
size_t grid_limits_buses(const struct grid_limits *limits);
const struct grid_limit *grid_limits_at(const struct grid_limits *limits, size_t row);
const char *grid_limit_kind_name(enum grid_limit_kind kind);
/* The id of the line or bus that row r limits. */
const char *grid_limits_id(const struct grid_limits *limits, size_t row);
/*
 * Makes limits tighter, step by step: tighten_kw [count x n_step x 2] >= 0 at the low and the high
 * side of each row, borrowed; of losses' rows it is not read.
 */
void grid_limits_tighten(struct grid_limits *limits, const double *tighten_kw, size_t n_step);
/* The high side (direction 1) or low side (-1) of a row in a step, and how much tighter it is. */
double grid_limits_bound(const struct grid_limits *limits, size_t row, size_t step, int direction);
double grid_limits_tightened(const struct grid_limits *limits, size_t row, size_t step,
                             int direction);
/* base_rt: the value when nobody injects. */
double grid_limits_base(const struct grid_limits *limits, size_t row, size_t step);
/* Whether the sensitivities of row r differ from step to step. */
bool grid_limits_varies(const struct grid_limits *limits, size_t row);
/*
 * What 1 kW of a row's value is at its high (direction 1) or low side (-1): per unit of voltage for
 * GRID_LIMIT_VOLTAGE, linear in the square from the limit on, (v² − v_max²) / (2 v_max); else 1.
 */
double grid_limits_unit_per_kw(const struct grid_limits *limits, size_t row, int direction);

/*
 * Row values in a step for injection_kw [nodes] (sum zero to rounding; what is missing is put at
 * the slack). value [grid_limits_count] out. WALRAS_INVALID names the bus whose injection is not
 * finite.
 */
WALRAS_NODISCARD enum walras_status grid_limits_values(struct grid_limits *limits, size_t step,
                                                       const double *injection_kw, double *value,
                                                       struct walras_err *err);
/*
 * Of the values found last: the row of a neighbouring bus whose voltage is further out than that of
 * this row's bus, and which is worth knowing first; SIZE_MAX: there is none, or this is no voltage.
 */
size_t grid_limits_worse(const struct grid_limits *limits, size_t row);
/* The sensitivities of one row; valid until the limits are freed. */
WALRAS_NODISCARD enum walras_status grid_limits_row(struct grid_limits *limits, size_t row,
                                                    size_t step, struct grid_row *out,
                                                    struct walras_err *err);

/*
 * What 1 kW and 1 kvar injected at each bus in a step change of a row's value: kw and kvar [n_bus].
 * Only for losses (of the network's own buses; terminals are left as they were) does it depend on
 * the step. Writes to the workspace.
 */
WALRAS_NODISCARD enum walras_status grid_limits_effect(struct grid_limits *limits, size_t row,
                                                       size_t step, double *kw, double *kvar,
                                                       struct walras_err *err);

/*
 * A radial model as the tree that it is, so that whoever solves with its rows need not see them as
 * a matrix. Ways are those from a slack outwards; `sum` adds up along them, per kW and kvar.
 */
struct grid_tree { /* the limits' own arrays */
    size_t n_bus;
    const size_t *order;             /* [n_bus] buses, each behind its parent */
    const size_t *parent;            /* [n_bus] SIZE_MAX at a slack */
    const double *sum_kw, *sum_kvar; /* [n_bus] 0 at a slack */
};
/* False where the model is none of that kind. */
bool grid_limits_tree(const struct grid_limits *limits, struct grid_tree *out);

struct grid_unit { /* what 1 kW drawn at a node is at its bus */
    double kw, kvar;
};
size_t grid_limits_bus(const struct grid_limits *limits, size_t node);
struct grid_unit grid_limits_unit(const struct grid_limits *limits, size_t node, size_t step);

/*
 * Where in the tree a row has its coefficients. For a node at bus b that is unit u:
 * by_way   u.kw · kw · sum_kw[c] + u.kvar · kvar · sum_kvar[c], c the last bus that the ways to
 *          `bus` and to b have in common (0 where they have none)
 * else     u.kw · kw + u.kvar · kvar where b is `bus` or behind it, else 0
 */
struct grid_place {
    size_t bus;
    bool by_way;
    double kw, kvar;
};
/* Of limits that have a tree. */
struct grid_place grid_limits_place(const struct grid_limits *limits, size_t row);

struct grid_state {    /* of a step; caller's arrays, each may be NULL */
    double *flow_kw;   /* [n_line] from → to; 0 out of service */
    double *flow_kvar; /* [n_line] */
    double *v_pu;      /* [n_bus]; 0 where the square would be negative */
};
/* Flows and voltages at these injections [nodes]; of limits by grid_limits_lindist. */
void grid_limits_state(const struct grid_limits *limits, size_t step, const double *injection_kw,
                       const struct grid_state *out);

enum { GRID_POLYGON_SIDES = 12 };
/*
 * The polygon within the circle P² + Q² ≤ S² whose corners are at multiples of 30 degrees: side k
 * is kw · P + kvar · Q ≤ share · S with the angle 15° + k · 30° (docs/grid.md).
 */
struct grid_side {
    double kw, kvar, share;
};
struct grid_side grid_polygon_side(unsigned side);

#endif
