/*
 * What the model lindistflow adds to the lines of a step: flows of reactive power and squares of
 * voltages w as columns, an equation for each line, and sides of limits of apparent power
 * (docs/grid.md, "LinDistFlow"). Behind the columns and rows of export_grid.c.
 */
#include "core/units.h"
#include "grid/limits.h"
#include "scenario/export_internal.h"

#include <math.h>

static const struct grid_network *network_of(const struct export *x)
{
    return &x->scenario->network;
}

static const struct grid_line *line_at(const struct export *x, size_t k)
{
    return &network_of(x)->lines[x->grid.lines[k]];
}

static const struct grid_line *sided_at(const struct export *x, size_t i)
{
    return line_at(x, x->grid.sided[i]);
}

static bool soft_lines(const struct export *x)
{
    return !isnan(x->scenario->line_overload_price_per_mwh);
}

static bool soft_volts(const struct export *x)
{
    return !isnan(x->scenario->voltage_violation_price_per_pu_h);
}

/* Where columns of a kind begin in the block: kvar of lines, w of buses, breaches of sides, of low
 * and of high voltages. */
static size_t first_kvar(const struct export *x)
{
    return x->grid.n_line + x->grid.n_breach;
}

static size_t first_w(const struct export *x)
{
    return first_kvar(x) + x->grid.n_line;
}

static size_t first_side(const struct export *x)
{
    return first_w(x) + x->n_bus;
}

static size_t first_volt(const struct export *x)
{
    size_t n = soft_lines(x) ? GRID_POLYGON_SIDES * x->grid.n_sided : 0;

    return first_side(x) + n;
}

size_t export_grid_columns(const struct export *x)
{
    if (!x->reactive)
        return x->grid.n_line + x->grid.n_breach;
    return first_volt(x) + (soft_volts(x) ? 2 * x->n_bus : 0);
}

bool export_has_kvar(const struct export *x, size_t bus)
{
    return x->reactive && !grid_network_is_slack(network_of(x), bus);
}

struct export_name export_kvar_name(const struct export *x, size_t line, size_t step)
{
    return (struct export_name){.what = "kvar", .id = {line_at(x, line)->id}, .step = step};
}

size_t export_kvar_number(const struct export *x, size_t line, size_t step)
{
    return step * export_grid_columns(x) + first_kvar(x) + line;
}

struct export_name export_volts_column_name(const struct export *x, size_t column, size_t step)
{
    const struct grid_network *network = network_of(x);
    size_t at;

    if (column < first_w(x))
        return export_kvar_name(x, column - first_kvar(x), step);
    if (column < first_side(x))
        return (struct export_name){
            .what = "v2", .id = {network->buses[column - first_w(x)].id}, .step = step};
    if (column < first_volt(x)) {
        at = column - first_side(x);
        return (struct export_name){.what = "kva_breach",
                                    .id = {sided_at(x, at / GRID_POLYGON_SIDES)->id},
                                    .step = step,
                                    .part = at % GRID_POLYGON_SIDES};
    }
    at = column - first_volt(x);
    return (struct export_name){
        .what = "v2_breach", .id = {network->buses[at / 2].id}, .step = step, .part = at % 2};
}

/* Rows: one for each line, then all sides, then two for each bus where voltages are soft. */
struct export_name export_volts_row_name(const struct export *x, size_t row, size_t step)
{
    size_t n_line = x->grid.n_line, at = row - n_line,
           n_side = GRID_POLYGON_SIDES * x->grid.n_sided;

    if (row < n_line)
        return (struct export_name){.what = "drop", .id = {line_at(x, row)->id}, .step = step};
    if (at < n_side)
        return (struct export_name){.what = "kva",
                                    .id = {sided_at(x, at / GRID_POLYGON_SIDES)->id},
                                    .step = step,
                                    .part = at % GRID_POLYGON_SIDES};
    at -= n_side;
    return (struct export_name){
        .what = "volt", .id = {network_of(x)->buses[at / 2].id}, .step = step, .part = at % 2};
}

static enum walras_status add_kvar(const struct export *x, size_t k, size_t step,
                                   struct export_block *block)
{
    const struct grid_line *line = line_at(x, k);
    enum walras_status status = export_block_column(
        block, (struct export_column){.low = (double)-INFINITY, .high = (double)INFINITY}, x->err);

    if (status == WALRAS_OK && export_has_kvar(x, line->from))
        status = export_block_draw(
            block, (struct export_draw){first_kvar(x) + k, x->n_bus + line->from, step, 1.0},
            x->err);
    if (status == WALRAS_OK && export_has_kvar(x, line->to))
        status = export_block_draw(
            block, (struct export_draw){first_kvar(x) + k, x->n_bus + line->to, step, -1.0},
            x->err);
    return status;
}

static enum walras_status add_w(const struct export *x, size_t b, struct export_block *block)
{
    const struct grid_bus *bus = &network_of(x)->buses[b];
    struct export_column column = {.low = (double)-INFINITY, .high = (double)INFINITY};
    double v = grid_network_slack_v(network_of(x), b);

    if (grid_network_is_slack(network_of(x), b)) {
        column.low = column.high = v * v;
    } else if (!soft_volts(x)) {
        column.low = bus->v_min_pu > 0.0 ? bus->v_min_pu * bus->v_min_pu : (double)-INFINITY;
        column.high = bus->v_max_pu * bus->v_max_pu;
    }
    return export_block_column(block, column, x->err);
}

static enum walras_status add_breaches(const struct export *x, struct export_block *block)
{
    const struct scenario *s = x->scenario;
    double per_kwh = walras_mwh(1.0, s->horizon.step_h);
    size_t n_side = soft_lines(x) ? GRID_POLYGON_SIDES * x->grid.n_sided : 0;
    size_t n_volt = soft_volts(x) ? 2 * x->n_bus : 0;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < n_side && status == WALRAS_OK; i++)
        status = export_block_column(
            block,
            (struct export_column){.high = (double)INFINITY,
                                   .cost = per_kwh * s->line_overload_price_per_mwh},
            x->err);
    for (size_t i = 0; i < n_volt && status == WALRAS_OK; i++) {
        const struct grid_bus *bus = &s->network.buses[i / 2];
        double v = i % 2 ? bus->v_max_pu : bus->v_min_pu;
        double price = s->voltage_violation_price_per_pu_h * s->horizon.step_h;
        struct export_column column = {.high = (double)INFINITY,
                                       .cost = v > 0.0 && isfinite(v) ? price / (2.0 * v) : 0.0};

        status = export_block_column(block, column, x->err);
    }
    return status;
}

/* w_to = w_from / tap² − 2 (r P + x Q) / base */
static enum walras_status add_drop(const struct export *x, size_t k, struct export_block *block)
{
    const struct grid_line *line = line_at(x, k);
    double of_kw = 2.0 / walras_kw_from_mw(network_of(x)->base_mva);
    const struct lp_entry entries[] = {{0, first_w(x) + line->to, 1.0},
                                       {0, first_w(x) + line->from, -1.0 / (line->tap * line->tap)},
                                       {0, k, of_kw * line->r_pu},
                                       {0, first_kvar(x) + k, of_kw * line->x_pu}};
    enum walras_status status = export_block_row(block, 0.0, 0.0, x->err);

    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]) && status == WALRAS_OK; i++)
        if (entries[i].coef != 0.0)
            status = export_block_entry(block, entries[i].column, entries[i].coef, x->err);
    return status;
}

static enum walras_status add_side(const struct export *x, size_t i, unsigned side,
                                   struct export_block *block)
{
    struct grid_side a = grid_polygon_side(side);
    double limit_kva = sided_at(x, i)->limit_kva * x->scenario->rating_scale;
    size_t k = x->grid.sided[i];
    enum walras_status status =
        export_block_row(block, (double)-INFINITY, a.share * limit_kva, x->err);

    if (status == WALRAS_OK)
        status = export_block_entry(block, k, a.kw, x->err);
    if (status == WALRAS_OK)
        status = export_block_entry(block, first_kvar(x) + k, a.kvar, x->err);
    if (status == WALRAS_OK && soft_lines(x))
        status =
            export_block_entry(block, first_side(x) + GRID_POLYGON_SIDES * i + side, -1.0, x->err);
    return status;
}

/* w + low breach >= v_min²; w − high breach <= v_max² */
static enum walras_status add_volt(const struct export *x, size_t b, size_t high,
                                   struct export_block *block)
{
    const struct grid_bus *bus = &network_of(x)->buses[b];
    double least = bus->v_min_pu * bus->v_min_pu, most = bus->v_max_pu * bus->v_max_pu;
    enum walras_status status = export_block_row(block, high ? (double)-INFINITY : least,
                                                 high ? most : (double)INFINITY, x->err);

    if (status == WALRAS_OK)
        status = export_block_entry(block, first_w(x) + b, 1.0, x->err);
    if (status == WALRAS_OK)
        status = export_block_entry(block, first_volt(x) + 2 * b + high, high ? -1.0 : 1.0, x->err);
    return status;
}

enum walras_status export_volts_columns(const struct export *x, size_t step,
                                        struct export_block *block)
{
    enum walras_status status = WALRAS_OK;

    for (size_t k = 0; k < x->grid.n_line && status == WALRAS_OK; k++)
        status = add_kvar(x, k, step, block);
    for (size_t b = 0; b < x->n_bus && status == WALRAS_OK; b++)
        status = add_w(x, b, block);
    return status == WALRAS_OK ? add_breaches(x, block) : status;
}

enum walras_status export_volts_rows(const struct export *x, struct export_block *block)
{
    enum walras_status status = WALRAS_OK;

    for (size_t k = 0; k < x->grid.n_line && status == WALRAS_OK; k++)
        status = add_drop(x, k, block);
    for (size_t i = 0; i < x->grid.n_sided; i++)
        for (unsigned side = 0; side < GRID_POLYGON_SIDES && status == WALRAS_OK; side++)
            status = add_side(x, i, side, block);
    for (size_t i = 0; soft_volts(x) && i < 2 * x->n_bus && status == WALRAS_OK; i++)
        status = add_volt(x, i / 2, i % 2, block);
    return status;
}

void export_charging(const struct export *x, size_t bus, double *kvar)
{
    double base_kw = walras_kw_from_mw(network_of(x)->base_mva);

    for (size_t e = x->grid.first_end[bus]; e < x->grid.first_end[bus + 1]; e++) {
        const struct grid_line *line = line_at(x, x->grid.ends[e].line);
        double half_kvar = 0.5 * line->b_pu * base_kw;

        *kvar += line->from == bus ? half_kvar / (line->tap * line->tap) : half_kvar;
    }
}
