/*
 * The network as flows: a column for every line and step, and for every independent loop the sum of
 * voltage angle differences, flow/y + shift, that must vanish. Angles need no columns, and a radial
 * network no rows but its balances (J. Hörsch, H. Ronellenfitsch, D. Witthaut, T. Brown, "Linear
 * optimal power flow using cycle flows", Electric Power Systems Research 158, 2018).
 */
#include "core/units.h"
#include "scenario/export_internal.h"

#include <math.h>
#include <stdlib.h>

struct tree {
    size_t *line, *depth, *queue; /* [n_bus] line to the parent (SIZE_MAX: root or not yet met) */
    bool *met;
};

static const struct grid_line *line_at(const struct export *x, size_t k)
{
    return &x->scenario->network.lines[x->grid.lines[k]];
}

static size_t other_end(const struct grid_line *line, size_t bus)
{
    return line->from == bus ? line->to : line->from;
}

void export_grid_release(struct export_grid *grid)
{
    free(grid->lines);
    free(grid->breach_line);
    free(grid->sided);
    free(grid->first_end);
    free(grid->ends);
    free(grid->loop_line);
    free(grid->first_part);
    free(grid->parts);
    free(grid->loop_side);
}

static enum walras_status no_memory(struct export *x)
{
    return walras_fail(x->err, WALRAS_NOMEM, "no memory for the network's %zu lines",
                       x->scenario->network.n_line);
}

static enum walras_status take_lines(struct export *x)
{
    const struct scenario *s = x->scenario;
    struct export_grid *grid = &x->grid;
    size_t n = s->model == SCENARIO_COPPERPLATE ? 0 : s->network.n_line;

    grid->lines = calloc(n + 1, sizeof(*grid->lines));
    grid->breach_line = calloc(n + 1, sizeof(*grid->breach_line));
    grid->sided = calloc(n + 1, sizeof(*grid->sided));
    if (!grid->lines || !grid->breach_line || !grid->sided)
        return no_memory(x);
    for (size_t l = 0; l < n; l++) {
        const struct grid_line *line = &s->network.lines[l];
        bool soft = isfinite(line->limit_kw) && !isnan(s->line_overload_price_per_mwh);

        if (!line->in_service)
            continue;
        if (soft)
            grid->breach_line[grid->n_breach++] = grid->n_line;
        if (x->reactive && line->limit_kva > 0.0 && isfinite(line->limit_kva))
            grid->sided[grid->n_sided++] = grid->n_line;
        grid->lines[grid->n_line++] = l;
    }
    return WALRAS_OK;
}

static enum walras_status take_ends(struct export *x)
{
    struct export_grid *grid = &x->grid;
    size_t n_bus = x->scenario->network.n_bus;

    grid->first_end = calloc(n_bus + 2, sizeof(*grid->first_end));
    grid->ends = calloc(2 * grid->n_line + 1, sizeof(*grid->ends));
    if (!grid->first_end || !grid->ends)
        return no_memory(x);
    /* counted two places further on, so that filling moves each start to where it belongs */
    for (size_t k = 0; k < grid->n_line; k++) {
        grid->first_end[line_at(x, k)->from + 2]++;
        grid->first_end[line_at(x, k)->to + 2]++;
    }
    for (size_t b = 2; b < n_bus + 2; b++)
        grid->first_end[b] += grid->first_end[b - 1];
    for (size_t k = 0; k < grid->n_line; k++) {
        grid->ends[grid->first_end[line_at(x, k)->from + 1]++] = (struct export_line_end){k, 1.0};
        grid->ends[grid->first_end[line_at(x, k)->to + 1]++] = (struct export_line_end){k, -1.0};
    }
    return WALRAS_OK;
}

/* Breadth first from the slack: loops are short. */
static void grow_tree(const struct export *x, struct tree *tree)
{
    size_t n = 0, slack = x->scenario->network.slack;

    tree->queue[n++] = slack;
    tree->met[slack] = true;
    tree->line[slack] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t bus = tree->queue[i];

        for (size_t e = x->grid.first_end[bus]; e < x->grid.first_end[bus + 1]; e++) {
            size_t k = x->grid.ends[e].line, next = other_end(line_at(x, k), bus);

            if (tree->met[next])
                continue;
            tree->met[next] = true;
            tree->line[next] = k;
            tree->depth[next] = tree->depth[bus] + 1;
            tree->queue[n++] = next;
        }
    }
}

static enum walras_status add_part(struct export *x, size_t line, double sign, size_t *n,
                                   size_t *room)
{
    struct export_grid *grid = &x->grid;
    const struct grid_line *at = line_at(x, line);

    if (*n == *room) {
        size_t larger = 2 * *room + 64;
        struct export_loop_part *grown = realloc(grid->parts, larger * sizeof(*grown));

        if (!grown)
            return no_memory(x);
        grid->parts = grown;
        *room = larger;
    }
    grid->parts[(*n)++] = (struct export_loop_part){line, sign * at->x_pu * at->tap};
    grid->loop_side[grid->n_loop] -= sign * at->shift_rad;
    return WALRAS_OK;
}

/* The loop that line k closes: forwards through it, then back to its start through the tree. */
static enum walras_status add_loop(struct export *x, const struct tree *tree, size_t k, size_t *n,
                                   size_t *room)
{
    struct export_grid *grid = &x->grid;
    size_t start = line_at(x, k)->from, at = line_at(x, k)->to, first = *n;
    enum walras_status status;
    double largest = 0.0;

    grid->loop_line[grid->n_loop] = k;
    status = add_part(x, k, 1.0, n, room);
    while (status == WALRAS_OK && at != start) {
        bool up = tree->depth[at] >= tree->depth[start];
        size_t bus = up ? at : start, line = tree->line[bus];
        bool leaves = line_at(x, line)->from == bus;

        status = add_part(x, line, leaves == up ? 1.0 : -1.0, n, room);
        *(up ? &at : &start) = other_end(line_at(x, line), bus);
    }
    for (size_t i = first; i < *n; i++)
        largest = fmax(largest, fabs(grid->parts[i].coef));
    for (size_t i = first; i < *n; i++)
        grid->parts[i].coef /= largest;
    /* flow in kW is base · angle / (x · tap) */
    grid->loop_side[grid->n_loop] *= walras_kw_from_mw(x->scenario->network.base_mva) / largest;
    grid->first_part[++grid->n_loop] = *n;
    return status;
}

static enum walras_status take_loops(struct export *x)
{
    size_t n_bus = x->scenario->network.n_bus, n_part = 0, room = 0;
    struct export_grid *grid = &x->grid;
    struct tree tree = {.line = calloc(n_bus, sizeof(*tree.line)),
                        .depth = calloc(n_bus, sizeof(*tree.depth)),
                        .queue = calloc(n_bus, sizeof(*tree.queue)),
                        .met = calloc(n_bus, sizeof(*tree.met))};
    enum walras_status status = WALRAS_OK;

    grid->loop_line = calloc(grid->n_line + 1, sizeof(*grid->loop_line));
    grid->first_part = calloc(grid->n_line + 2, sizeof(*grid->first_part));
    grid->loop_side = calloc(grid->n_line + 1, sizeof(*grid->loop_side));
    if (!tree.line || !tree.depth || !tree.queue || !tree.met || !grid->loop_line ||
        !grid->first_part || !grid->loop_side) {
        status = no_memory(x);
        goto out;
    }
    grow_tree(x, &tree);
    for (size_t k = 0; k < grid->n_line && status == WALRAS_OK; k++)
        if (tree.line[line_at(x, k)->from] != k && tree.line[line_at(x, k)->to] != k)
            status = add_loop(x, &tree, k, &n_part, &room);
out:
    free(tree.line);
    free(tree.depth);
    free(tree.queue);
    free(tree.met);
    return status;
}

enum walras_status export_grid_make(struct export *x)
{
    enum walras_status status = take_lines(x);

    if (status == WALRAS_OK)
        status = take_ends(x);
    if (status == WALRAS_OK && x->grid.n_line > 0 && !x->reactive)
        status = take_loops(x);
    return status;
}

struct export_name export_flow_name(const struct export *x, size_t line, size_t step)
{
    return (struct export_name){.what = "flow", .id = {line_at(x, line)->id}, .step = step};
}

size_t export_flow_number(const struct export *x, size_t line, size_t step)
{
    return step * export_grid_columns(x) + line;
}

static struct export_name column_name(const struct export_block *block, size_t column)
{
    const struct export *x = block->of;
    size_t n = x->grid.n_line;

    if (column < n)
        return export_flow_name(x, column, block->index);
    if (column >= n + x->grid.n_breach)
        return export_volts_column_name(x, column, block->index);
    return (struct export_name){.what = "breach",
                                .id = {line_at(x, x->grid.breach_line[column - n])->id},
                                .step = block->index};
}

/* Loops, then two rows for each limit that can be breached. */
static struct export_name row_name(const struct export_block *block, size_t row)
{
    const struct export *x = block->of;
    size_t n = x->grid.n_loop;

    if (row >= n + 2 * x->grid.n_breach)
        return export_volts_row_name(x, row - n - 2 * x->grid.n_breach, block->index);
    if (row < n)
        return (struct export_name){
            .what = "loop", .id = {line_at(x, x->grid.loop_line[row])->id}, .step = block->index};
    return (struct export_name){.what = "limit",
                                .id = {line_at(x, x->grid.breach_line[(row - n) / 2])->id},
                                .step = block->index,
                                .part = (row - n) % 2};
}

static enum walras_status add_flow(const struct export *x, size_t k, size_t step,
                                   struct export_block *block)
{
    const struct grid_line *line = line_at(x, k);
    bool hard = isnan(x->scenario->line_overload_price_per_mwh);
    double limit_kw = hard ? line->limit_kw * x->scenario->rating_scale : (double)INFINITY;
    enum walras_status status = export_block_column(
        block, (struct export_column){.low = -limit_kw, .high = limit_kw}, x->err);

    if (status == WALRAS_OK)
        status = export_block_draw(block, (struct export_draw){k, line->from, step, 1.0}, x->err);
    if (status == WALRAS_OK)
        status = export_block_draw(block, (struct export_draw){k, line->to, step, -1.0}, x->err);
    return status;
}

/* −F − breach <= flow <= F + breach */
static enum walras_status add_breach(const struct export *x, size_t i, struct export_block *block)
{
    size_t k = x->grid.breach_line[i], breach = x->grid.n_line + i;
    double limit_kw = line_at(x, k)->limit_kw * x->scenario->rating_scale;
    enum walras_status status = WALRAS_OK;

    for (int side = 0; side < 2 && status == WALRAS_OK; side++) {
        status = export_block_row(block, side ? -limit_kw : (double)-INFINITY,
                                  side ? (double)INFINITY : limit_kw, x->err);
        if (status == WALRAS_OK)
            status = export_block_entry(block, k, 1.0, x->err);
        if (status == WALRAS_OK)
            status = export_block_entry(block, breach, side ? 1.0 : -1.0, x->err);
    }
    return status;
}

static enum walras_status add_loop_row(const struct export *x, size_t loop,
                                       struct export_block *block)
{
    const struct export_grid *grid = &x->grid;
    enum walras_status status =
        export_block_row(block, grid->loop_side[loop], grid->loop_side[loop], x->err);

    for (size_t i = grid->first_part[loop]; i < grid->first_part[loop + 1] && status == WALRAS_OK;
         i++)
        status = export_block_entry(block, grid->parts[i].line, grid->parts[i].coef, x->err);
    return status;
}

enum walras_status export_grid_block(struct export *x, size_t step, struct export_block *block)
{
    const struct export_grid *grid = &x->grid;
    double cost =
        walras_mwh(1.0, x->scenario->horizon.step_h) * x->scenario->line_overload_price_per_mwh;
    enum walras_status status = WALRAS_OK;

    export_block_clear(block);
    block->of = x;
    block->index = step;
    block->column_name = column_name;
    block->row_name = row_name;
    for (size_t k = 0; k < grid->n_line && status == WALRAS_OK; k++)
        status = add_flow(x, k, step, block);
    for (size_t k = 0; k < grid->n_breach && status == WALRAS_OK; k++)
        status = export_block_column(
            block, (struct export_column){.high = (double)INFINITY, .cost = cost}, x->err);
    if (x->reactive && status == WALRAS_OK)
        status = export_volts_columns(x, step, block);
    for (size_t i = 0; i < grid->n_loop && status == WALRAS_OK; i++)
        status = add_loop_row(x, i, block);
    for (size_t i = 0; i < grid->n_breach && status == WALRAS_OK; i++)
        status = add_breach(x, i, block);
    return x->reactive && status == WALRAS_OK ? export_volts_rows(x, block) : status;
}
