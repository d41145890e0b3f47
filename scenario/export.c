#include "scenario/export.h"

#include "agents/program.h"
#include "core/units.h"
#include "scenario/export_internal.h"
#include "scenario/losses.h"
#include "scenario/nodes.h"

#include <math.h>
#include <stdlib.h>

struct device_names { /* what the names of a device's block come from */
    const struct agent_program *program;
    const char *agent, *device;
};

static struct export_name device_name(const struct device_names *of,
                                      const struct agent_program_label *label)
{
    return (struct export_name){.what = label->what,
                                .id = {of->agent, of->device},
                                .step = label->step == AGENT_PROGRAM_NO_STEP ? EXPORT_NO_STEP
                                                                             : label->step,
                                .part = label->part};
}

static struct export_name device_column_name(const struct export_block *block, size_t column)
{
    const struct device_names *of = block->of;
    size_t n_own = lp_columns(of->program->lp);

    if (column >= n_own)
        return (struct export_name){
            .what = "inverter_kvar", .id = {of->agent, of->device}, .step = column - n_own};

    const char *own = lp_column_name(of->program->lp, column);
    struct export_name name = device_name(of, &of->program->column_label[column]);

    if (*own) /* from a file */
        name = (struct export_name){
            .what = "own", .id = {of->agent, of->device, own}, .step = EXPORT_NO_STEP};
    return name;
}

static struct export_name device_row_name(const struct export_block *block, size_t row)
{
    const struct device_names *of = block->of;
    size_t n_own = lp_rows(of->program->lp);

    if (row >= n_own) /* sides of inverters are parts 1 to 12 */
        return (struct export_name){.what = "inverter_kva",
                                    .id = {of->agent, of->device},
                                    .step = (row - n_own) / GRID_POLYGON_SIDES,
                                    .part = 1 + (row - n_own) % GRID_POLYGON_SIDES};
    if (!of->program->row_label)
        return (struct export_name){.what = "own", .id = {of->agent, of->device}, .step = row};
    return device_name(of, &of->program->row_label[row]);
}

static enum walras_status take_columns(const struct agent_program *program,
                                       struct export_block *block, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t j = 0; j < lp_columns(program->lp) && status == WALRAS_OK; j++) {
        struct export_column column = {.cost = program->cost[j],
                                       .square = program->square[j],
                                       .integer = lp_is_integer(program->lp, j)};

        lp_column_bounds(program->lp, j, &column.low, &column.high);
        status = export_block_column(block, column, err);
    }
    return status;
}

static enum walras_status take_rows(const struct agent_program *program, struct export_block *block,
                                    struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    size_t k = 0, n = lp_entries(program->lp);

    for (size_t i = 0; i < lp_rows(program->lp) && status == WALRAS_OK; i++) {
        double low, high;

        lp_row_bounds(program->lp, i, &low, &high);
        status = export_block_row(block, low, high, err);
        for (; k < n && lp_entry(program->lp, k).row == i && status == WALRAS_OK; k++)
            status = export_block_entry(block, lp_entry(program->lp, k).column,
                                        lp_entry(program->lp, k).coef, err);
    }
    return status;
}

/* What a column draws, and the kvar that come with it. */
static enum walras_status take_draws(const struct export *x, const struct agent_device *device,
                                     const struct agent_program *program, size_t bus,
                                     struct export_block *block)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < program->n_draw && status == WALRAS_OK; i++) {
        const struct agent_program_draw *draw = &program->draws[i];
        struct export_draw made = {draw->column, bus, draw->step, draw->coef};

        if (made.coef == 0.0)
            continue;
        status = export_block_draw(block, made, x->err);
        made.bus += x->n_bus;
        made.coef *= scenario_reactive_of(device, draw->step).kvar_per_kw;
        if (status == WALRAS_OK && export_has_kvar(x, bus) && made.coef != 0.0)
            status = export_block_draw(block, made, x->err);
    }
    return status;
}

static void take_firm(struct export *x, const struct agent_device *device,
                      const struct agent_program *program, size_t bus, struct export_block *block)
{
    block->firm_kw = program->firm_kw;
    if (!export_has_kvar(x, bus))
        return;
    for (size_t t = 0; t < x->n_step; t++) {
        struct scenario_reactive reactive = scenario_reactive_of(device, t);
        double firm_kw = program->firm_kw ? program->firm_kw[t] : 0.0;

        x->firm_kvar[t] = reactive.fixed_kvar + reactive.kvar_per_kw * firm_kw;
    }
    block->firm_kvar = x->firm_kvar;
}

/* One side of an inverter's limit in a step, what it draws being `draws` and the column of kvar. */
static enum walras_status inverter_side(const struct export_draw *draws, size_t n_draw,
                                        struct grid_side side, size_t kvar_column, double limit,
                                        struct export_block *block, struct walras_err *err)
{
    enum walras_status status = export_block_row(block, -INFINITY, limit, err);

    for (size_t i = 0; i < n_draw && status == WALRAS_OK; i++)
        status = export_block_entry(block, draws[i].column, side.kw * draws[i].coef, err);
    if (status == WALRAS_OK)
        status = export_block_entry(block, kvar_column, side.kvar, err);
    return status;
}

/* Behind a device's own columns and rows: the kvar of its inverter in a step, and its limit. */
static enum walras_status inverter_step(struct export *x, const struct agent_device *device,
                                        const struct agent_program *program, size_t bus, size_t t,
                                        struct export_draw *draws)
{
    struct export_block *block = &x->block;
    double kva = agent_device_apparent_kva(device), reach = agent_device_reach_kvar(device, t);
    double firm_kw = program->firm_kw ? program->firm_kw[t] : 0.0;
    size_t column = block->n_column, n_draw = 0;
    enum walras_status status =
        export_block_column(block, (struct export_column){.low = -reach, .high = reach}, x->err);

    for (size_t i = 0; i < program->n_draw; i++)
        if (program->draws[i].step == t)
            draws[n_draw++] =
                (struct export_draw){program->draws[i].column, bus, t, program->draws[i].coef};
    if (status == WALRAS_OK && export_has_kvar(x, bus))
        status =
            export_block_draw(block, (struct export_draw){column, x->n_bus + bus, t, 1.0}, x->err);
    for (unsigned k = 0; k < GRID_POLYGON_SIDES && status == WALRAS_OK; k++) {
        struct grid_side side = grid_polygon_side(k);

        status = inverter_side(draws, n_draw, side, column, side.share * kva - side.kw * firm_kw,
                               block, x->err);
    }
    return status;
}

static enum walras_status add_inverter(struct export *x, const struct agent_device *device,
                                       const struct agent_program *program, size_t bus)
{
    struct export_draw *draws = calloc(program->n_draw + 1, sizeof(*draws));
    enum walras_status status = WALRAS_OK;

    if (!draws)
        return walras_fail(x->err, WALRAS_NOMEM, "no memory for %zu draws", program->n_draw);
    for (size_t t = 0; t < x->n_step && status == WALRAS_OK; t++)
        status = inverter_step(x, device, program, bus, t, draws);
    free(draws);
    return status;
}

static enum walras_status device_block(struct export *x, const struct agent_device *device,
                                       const struct device_names *names, size_t bus,
                                       struct export_block *block)
{
    const struct agent_program *program = names->program;
    enum walras_status status;

    export_block_clear(block);
    block->of = names;
    block->column_name = device_column_name;
    block->row_name = device_row_name;
    block->constant = program->firm_cost;
    take_firm(x, device, program, bus, block);
    status = take_columns(program, block, x->err);
    if (status == WALRAS_OK)
        status = take_rows(program, block, x->err);
    if (status == WALRAS_OK)
        status = take_draws(x, device, program, bus, block);
    if (status == WALRAS_OK && x->reactive && agent_device_apparent_kva(device) > 0.0)
        status = add_inverter(x, device, program, bus);
    return status;
}

/* Two columns a step. */
static struct export_name supply_column_name(const struct export_block *block, size_t column)
{
    const struct scenario_supply *supply = block->of;

    return (struct export_name){
        .what = column % 2 ? "sell" : "buy", .id = {supply->id}, .step = column / 2};
}

static enum walras_status supply_block(const struct export *x, const struct scenario_supply *supply,
                                       struct export_block *block)
{
    double mwh_per_kw = walras_mwh(1.0, x->scenario->horizon.step_h);
    size_t bus = export_bus_of(x, supply->bus);
    enum walras_status status = WALRAS_OK;

    export_block_clear(block);
    block->of = supply;
    block->column_name = supply_column_name;
    for (size_t t = 0; t < x->n_step && status == WALRAS_OK; t++) {
        struct export_column columns[2] = {
            {.high = walras_series_at(supply->import_limit_kw, t),
             .cost = mwh_per_kw * walras_series_at(supply->price_per_mwh, t)},
            {.high = walras_series_at(supply->export_limit_kw, t),
             .cost = -mwh_per_kw * walras_series_at(supply->export_price_per_mwh, t)}};

        for (size_t i = 0; i < 2 && status == WALRAS_OK; i++) {
            status = export_block_column(block, columns[i], x->err);
            if (status == WALRAS_OK)
                status = export_block_draw(
                    block, (struct export_draw){2 * t + i, bus, t, i ? 1.0 : -1.0}, x->err);
        }
    }
    return status;
}

/* In a copperplate all buses are one. */
size_t export_bus_of(const struct export *x, size_t bus)
{
    return x->scenario->model == SCENARIO_COPPERPLATE ? 0 : bus;
}

static enum walras_status visit(struct export *x, const struct export_visitor *visitor,
                                void *context)
{
    struct export_block *block = &x->block;
    enum walras_status status = visitor->block ? visitor->block(x, block, context) : WALRAS_OK;

    block->first_column += block->n_column;
    block->first_row += block->n_row;
    return status;
}

static enum walras_status visit_device(struct export *x, size_t i, size_t bus,
                                       const struct export_visitor *visitor, void *context)
{
    const struct scenario *s = x->scenario;
    struct agent_program program;
    struct device_names names = {
        .program = &program, .agent = s->agents[s->device_agent[i]].id, .device = s->devices[i].id};
    enum walras_status status = agent_program_make(&s->devices[i], &s->horizon, &program, x->err);

    if (status != WALRAS_OK) {
        walras_err_prefix(x->err, "%s/%s", names.agent, names.device);
        return status;
    }
    status = device_block(x, &s->devices[i], &names, bus, &x->block);
    if (status == WALRAS_OK)
        status = visit(x, visitor, context);
    agent_program_free(&program);
    return status;
}

static enum walras_status visit_bus(struct export *x, size_t bus,
                                    const struct export_visitor *visitor, void *context)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = x->first_device[bus]; i < x->first_device[bus + 1] && status == WALRAS_OK; i++)
        status = visit_device(x, x->devices[i], bus, visitor, context);
    for (size_t i = x->first_supply[bus]; i < x->first_supply[bus + 1] && status == WALRAS_OK;
         i++) {
        status = supply_block(x, &x->scenario->supplies[x->supplies[i]], &x->block);
        if (status == WALRAS_OK)
            status = visit(x, visitor, context);
    }
    if (status == WALRAS_OK && visitor->bus)
        status = visitor->bus(x, bus, context);
    return status;
}

enum walras_status export_walk(struct export *x, const struct export_visitor *visitor,
                               void *context)
{
    enum walras_status status = WALRAS_OK;

    x->block.first_column = x->block.first_row = 0;
    for (size_t t = 0; t < x->n_step && export_grid_columns(x) > 0 && status == WALRAS_OK; t++) {
        status = export_grid_block(x, t, &x->block);
        if (status == WALRAS_OK)
            status = visit(x, visitor, context);
    }
    for (size_t b = 0; b < x->n_bus && status == WALRAS_OK; b++)
        status = visit_bus(x, b, visitor, context);
    return status;
}

/* Indices 0 … n − 1 by their bus: those of bus b are list[first[b]] to list[first[b + 1] − 1]. */
static enum walras_status sort_by_bus(const struct export *x, size_t n,
                                      size_t (*bus_of)(const struct scenario *s, size_t i),
                                      size_t **first, size_t **list)
{
    *first = calloc(x->n_bus + 2, sizeof(**first));
    *list = calloc(n + 1, sizeof(**list));
    if (!*first || !*list)
        return walras_fail(x->err, WALRAS_NOMEM, "no memory to sort %zu devices", n);
    /* counted two places further on, so that filling moves each start to where it belongs */
    for (size_t i = 0; i < n; i++)
        (*first)[export_bus_of(x, bus_of(x->scenario, i)) + 2]++;
    for (size_t b = 2; b < x->n_bus + 2; b++)
        (*first)[b] += (*first)[b - 1];
    for (size_t i = 0; i < n; i++)
        (*list)[(*first)[export_bus_of(x, bus_of(x->scenario, i)) + 1]++] = i;
    return WALRAS_OK;
}

static size_t bus_of_device(const struct scenario *s, size_t i)
{
    return scenario_device_bus(s, i);
}

static size_t bus_of_supply(const struct scenario *s, size_t i)
{
    return s->supplies[i].bus;
}

static enum walras_status count_block(struct export *x, const struct export_block *block,
                                      void *context)
{
    (void)context;
    x->info.n_column += block->n_column;
    x->info.n_row += block->n_row;
    x->info.n_entry += block->n_entry + block->n_draw;
    x->info.constant += block->constant;
    for (size_t j = 0; j < block->n_column; j++) {
        x->info.n_integer += block->columns[j].integer;
        x->info.n_square += block->columns[j].square != 0.0;
    }
    return WALRAS_OK;
}

static enum walras_status prepare(struct export *x)
{
    static const struct export_visitor counting = {.block = count_block};
    const struct scenario *s = x->scenario;
    enum walras_status status = export_grid_make(x);

    if (status == WALRAS_OK)
        status = sort_by_bus(x, s->n_device, bus_of_device, &x->first_device, &x->devices);
    if (status == WALRAS_OK)
        status = sort_by_bus(x, s->n_supply, bus_of_supply, &x->first_supply, &x->supplies);
    if (status == WALRAS_OK)
        status = export_walk(x, &counting, NULL);
    x->info.n_column++; /* the constant's */
    for (size_t b = 0; b < x->n_bus; b++)
        x->info.n_row += (export_has_kvar(x, b) ? 2 : 1) * x->n_step;
    return status;
}

enum walras_status scenario_export(const struct scenario *scenario,
                                   const struct scenario_export_settings *settings, FILE *file,
                                   struct scenario_export_info *info, struct walras_err *err)
{
    bool whole = scenario->model == SCENARIO_COPPERPLATE;
    struct export x = {.scenario = scenario,
                       .settings = *settings,
                       .file = file,
                       .n_bus = whole ? 1 : scenario->network.n_bus,
                       .n_step = scenario->horizon.n_step,
                       .reactive = scenario->model == SCENARIO_LINDISTFLOW,
                       .firm_kvar = calloc(scenario->horizon.n_step, sizeof(*x.firm_kvar)),
                       .err = err};
    enum walras_status status;

    if (!x.firm_kvar)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu steps", x.n_step);
    status = scenario_losses_refuse(scenario, "export", err);
    if (status == WALRAS_OK)
        status = prepare(&x);
    if (status == WALRAS_OK)
        status =
            settings->format == SCENARIO_EXPORT_LP ? export_write_lp(&x) : export_write_mps(&x);
    if (status == WALRAS_OK && info)
        *info = x.info;
    export_grid_release(&x.grid);
    free(x.firm_kvar);
    free(x.first_device);
    free(x.devices);
    free(x.first_supply);
    free(x.supplies);
    free(x.block.columns);
    free(x.block.rows);
    free(x.block.entries);
    free(x.block.draws);
    return status;
}
