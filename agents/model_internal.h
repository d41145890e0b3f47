/*
 * How a device becomes a program: the builder that each type's formulation uses, and what a model
 * keeps between solves. Private to agents.
 */
#ifndef WALRAS_AGENTS_MODEL_INTERNAL_H
#define WALRAS_AGENTS_MODEL_INTERNAL_H

#include "agents/model.h"
#include "agents/program.h"
#include "core/units.h"
#include "lp/lp.h"

/* A state at the end of a step that must lie in [low, high]; kept to say what cannot be met. */
struct model_need {
    size_t step, state;
    double low, high;
    const char *unit;
};

/* Of one step; a model with half as many is made anew before the next solve. */
enum { MODEL_TANGENTS = 64, SQUARE_TANGENTS = 160 };

/* coef · (x − at)² currency; `cost` is the column that stands for it. */
struct model_square {
    size_t column, cost;
    double at, unit, coef;           /* unit: about how far x goes */
    double tangent[SQUARE_TANGENTS]; /* (x − at)/unit where it is touched */
    size_t n_tangent;
};

struct agent_model {
    struct agent_device device;
    struct agent_horizon horizon;
    struct lp *lp;
    double *own_cost; /* [n_column] without prices */
    size_t n_column, column_room;
    double *cost, *x; /* [solve_room] with prices; the last solution */
    size_t solve_room;
    struct agent_program_draw *terms;
    size_t n_term, term_room;
    double *firm_kw; /* [n_step] the draw that is no decision */
    double firm_cost;

    bool whole;     /* written out: every rule from the start, quadratic costs as they are */
    double *square; /* [column_room] cost per square of the column; whole only */
    struct agent_program_label *column_label, *row_label; /* whole only */
    size_t n_row, row_label_room;

    bool elastic; /* states may leave their bounds, at a cost: to find out which cannot hold */
    struct model_need *needs;
    size_t n_need, need_room;

    size_t *row_column; /* scratch for rows of many columns: [row_room] */
    double *row_coef;
    size_t row_room;

    struct agent_model *relaxed; /* exclusive battery: the same without that rule, or NULL */
    size_t *first_column;        /* [n_step] of the step's block; meaning is the type's */
    bool *exclusive;             /* [n_step] battery: the rule has been put into the program */
    double *tangent_kw; /* [n_step x MODEL_TANGENTS] generator: where the cost is touched */
    size_t *n_tangent;  /* [n_step] */
    double unit_kw;     /* generator: what its quadratic cost is measured at */
    struct model_square *squares; /* battery, ev, thermal: [2 n_step] */
    size_t n_square;
    size_t *binary; /* columns of model_binary */
    size_t n_binary, binary_room;
    bool held; /* they are fixed as in the last solution */
};

/* Calls after a failure do nothing, so formulations need not look at each one. */
struct model_builder {
    struct agent_model *model;
    struct walras_err *err;
    enum walras_status status;
    struct agent_program_label column_label, row_label; /* of the next ones */
};

/* What the columns and rows that follow are called, in a program that is written out. */
void model_label(struct model_builder *build, const char *what, size_t step);

/* A column low <= x <= high with the device's own cost per unit. */
size_t model_column(struct model_builder *build, double low, double high, double own_cost);
size_t model_binary(struct model_builder *build, double own_cost);
/* |x − at| <= most in every plan (HUGE_VAL: who knows). None when the device is not smooth. */
void model_square(struct model_builder *build, size_t column, double at, double coef, double most);
/* Adds cost·x² to the cost of a column; only when model->whole. */
void model_whole_square(struct model_builder *build, size_t column, double cost);
void model_draw(struct model_builder *build, size_t column, size_t step, double coef);
void model_row(struct model_builder *build, size_t n, const size_t *column, const double *coef,
               double low, double high);
/* A state at the end of `step`, which must lie in [low, high] whatever it takes. */
size_t model_state(struct model_builder *build, size_t step, double low, double high,
                   const char *unit);

/* The columns of a program that was read become the model's. */
void model_adopt_columns(struct model_builder *build);

/* What is left of a state after a step; what is not worth a coefficient is nothing. */
static inline double model_kept(double share)
{
    return share < 1e-14 ? 0.0 : share;
}

/* One formulation a type. */
void model_build_load(struct model_builder *build, const struct agent_load *load);
void model_build_pv(struct model_builder *build, const struct agent_pv *pv);
void model_build_bid(struct model_builder *build, const struct agent_bid *bid);
void model_build_shiftable(struct model_builder *build, const struct agent_shiftable *shiftable);
void model_build_battery(struct model_builder *build, const struct agent_battery *battery);
void model_build_ev(struct model_builder *build, const struct agent_ev *ev);
void model_build_thermal(struct model_builder *build, const struct agent_thermal *thermal);
void model_build_generator(struct model_builder *build, const struct agent_generator *generator);
void model_build_lp(struct model_builder *build, const struct agent_lp *file);

/*
 * What the program does not know yet. Given its solution model->x, adds what that breaks (an
 * exclusive battery's rule, tangents of a quadratic cost) and returns how many; *excess is what the
 * true cost exceeds the program's by, *size the size of the costs it is to be compared with.
 */
size_t model_refine_battery(struct model_builder *build);
size_t model_refine_squares(struct model_builder *build, double size, double *excess);
size_t model_refine_generator(struct model_builder *build, double size, double *excess);
/* Touches the quadratic cost where these prices would lead if there were no ramp limit; makes the
 * program anew when that is far from what its cost is measured at. */
void model_expect_generator(struct model_builder *build, const double *price_per_mwh);

/*
 * Holds what is integer as in model->x, or lets go. Held, it is a linear program, and its tangents
 * are found without searching again.
 */
void model_hold(struct model_builder *build, bool hold);

/* Charges and discharges in one step of the solution model->x. */
bool model_does_both(const struct agent_model *model, size_t step);

/* `elastic`: states may leave their bounds. model_build makes the program anew. */
WALRAS_NODISCARD enum walras_status model_make(const struct agent_device *device,
                                               const struct agent_horizon *horizon, bool elastic,
                                               struct agent_model **made, struct walras_err *err);
/* The same with everything in it that is otherwise added while solving. Not for solving. */
WALRAS_NODISCARD enum walras_status model_make_whole(const struct agent_device *device,
                                                     const struct agent_horizon *horizon,
                                                     struct agent_model **made,
                                                     struct walras_err *err);
WALRAS_NODISCARD enum walras_status model_build(struct agent_model *model, struct walras_err *err);

#endif
