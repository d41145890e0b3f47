#include "grid/matpower_internal.h"

#include "core/names.h"
#include "core/units.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double unlimited_mva = 1e10;  /* MATPOWER takes ratings from here on as none */
static const double largest_number = 1e15; /* of a bus: whole numbers are exact up to here */

enum bus_type { BUS_PQ = 1, BUS_PV = 2, BUS_REFERENCE = 3, BUS_ISOLATED = 4 };
enum { id_size = 24 };

struct builder {
    const struct grid_mp_file *file;
    struct grid_case *c;
    struct walras_names *numbers; /* of all rows of the bus table */
    char (*number)[id_size];      /* [bus rows] */
    size_t *bus_of_row;           /* [bus rows] index in the network; SIZE_MAX: isolated */
};

static double cell(const struct builder *b, enum grid_mp_table_name which, size_t row,
                   size_t column)
{
    const struct grid_mp_table *table = &b->file->table[which];

    return table->value[row * table->n_column + column];
}

static enum walras_status row_fail(const struct builder *b, enum grid_mp_table_name which,
                                   size_t row, enum walras_status status, struct walras_err *err,
                                   const char *what)
{
    return grid_mp_fail(b->file->name, b->file->table[which].line[row], status, err,
                        "%s row %zu: %s", grid_mp_table_text(which), row + 1, what);
}

static char *copy_of(const char *text, size_t length)
{
    char *copy = calloc(length + 1, 1);

    if (copy)
        memcpy(copy, text, length);
    return copy;
}

/* Writes a bus number as text; false when it is not a whole number that can be one. */
static bool number_text(double number, char text[id_size])
{
    if (!(number >= 1.0) || number > largest_number || floor(number) != number)
        return false;
    snprintf(text, id_size, "%.0f", number);
    return true;
}

/* Names, types and places of the buses; the network's own buses are made later. */
static enum walras_status number_buses(struct builder *b, struct walras_err *err)
{
    const struct grid_mp_table *table = &b->file->table[GRID_MP_BUS];
    struct grid_network *network = &b->c->network;
    enum walras_status status = walras_names_new(&b->numbers, err);
    size_t n_reference = 0;

    for (size_t row = 0; row < table->n_row && status == WALRAS_OK; row++) {
        double type = cell(b, GRID_MP_BUS, row, GRID_MP_BUS_TYPE);

        if (!number_text(cell(b, GRID_MP_BUS, row, GRID_MP_BUS_ID), b->number[row]))
            return row_fail(b, GRID_MP_BUS, row, WALRAS_INVALID, err,
                            "the bus number must be a whole number above 0");
        if (type != BUS_PQ && type != BUS_PV && type != BUS_REFERENCE && type != BUS_ISOLATED)
            return row_fail(b, GRID_MP_BUS, row, WALRAS_INVALID, err,
                            "the bus type must be 1, 2, 3 or 4");
        if (walras_names_find(b->numbers, b->number[row]) != SIZE_MAX)
            return row_fail(b, GRID_MP_BUS, row, WALRAS_INVALID, err,
                            "the bus number stands in an earlier row");
        if (type == BUS_REFERENCE && n_reference++ > 0)
            return row_fail(b, GRID_MP_BUS, row, WALRAS_UNSUPPORTED, err,
                            "a second reference bus (type 3); expected one");
        if (type == BUS_REFERENCE)
            network->slack = network->n_bus;
        b->bus_of_row[row] = type == BUS_ISOLATED ? SIZE_MAX : network->n_bus++;
        status = walras_names_add(b->numbers, b->number[row], err);
    }
    if (status == WALRAS_OK && n_reference == 0)
        return grid_mp_fail(b->file->name, table->opened, WALRAS_INVALID, err,
                            "no bus is the reference (type 3)");
    return status;
}

/* A network check of one bus or line, with its row before the message. */
static enum walras_status at_row(const struct builder *b, enum grid_mp_table_name which, size_t row,
                                 enum walras_status status, struct walras_err *err)
{
    if (status != WALRAS_OK)
        walras_err_prefix(err, "%s:%zu: %s row %zu", b->file->name, b->file->table[which].line[row],
                          grid_mp_table_text(which), row + 1);
    return status;
}

static enum walras_status make_buses(struct builder *b, struct walras_err *err)
{
    struct grid_network *network = &b->c->network;
    size_t n_row = b->file->table[GRID_MP_BUS].n_row;
    enum walras_status status = WALRAS_OK;

    network->buses = calloc(network->n_bus, sizeof(*network->buses));
    b->c->holds_voltage = calloc(network->n_bus, sizeof(*b->c->holds_voltage));
    if (!network->buses || !b->c->holds_voltage) {
        network->n_bus = 0;
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu buses", n_row);
    }
    for (size_t row = 0; row < n_row && status == WALRAS_OK; row++) {
        if (b->bus_of_row[row] == SIZE_MAX)
            continue;
        struct grid_bus *bus = &network->buses[b->bus_of_row[row]];

        *bus = (struct grid_bus){
            .id = copy_of(b->number[row], strlen(b->number[row])),
            .base_kv = cell(b, GRID_MP_BUS, row, GRID_MP_BASE_KV),
            .v_min_pu = cell(b, GRID_MP_BUS, row, GRID_MP_VMIN),
            .v_max_pu = cell(b, GRID_MP_BUS, row, GRID_MP_VMAX),
            .load_kw = walras_kw_from_mw(cell(b, GRID_MP_BUS, row, GRID_MP_PD)),
            .load_kvar = walras_kw_from_mw(cell(b, GRID_MP_BUS, row, GRID_MP_QD)),
            .shunt_draw_kw = walras_kw_from_mw(cell(b, GRID_MP_BUS, row, GRID_MP_GS)),
            .shunt_inject_kvar = walras_kw_from_mw(cell(b, GRID_MP_BUS, row, GRID_MP_BS)),
        };
        if (!bus->id)
            return walras_fail(err, WALRAS_NOMEM, "no memory for the names of buses");
        if (b->bus_of_row[row] == network->slack)
            network->slack_v_pu = cell(b, GRID_MP_BUS, row, GRID_MP_VM);
        b->c->holds_voltage[b->bus_of_row[row]] =
            cell(b, GRID_MP_BUS, row, GRID_MP_BUS_TYPE) != BUS_PQ;
        status = at_row(b, GRID_MP_BUS, row,
                        grid_network_check_bus(network, b->bus_of_row[row], err), err);
    }
    return status;
}

/* The network's bus of the number in a cell; SIZE_MAX when it is isolated. */
static enum walras_status find_bus(const struct builder *b, enum grid_mp_table_name which,
                                   size_t row, size_t column, size_t *bus, struct walras_err *err)
{
    char number[id_size];
    size_t found = SIZE_MAX;

    if (!number_text(cell(b, which, row, column), number))
        return row_fail(b, which, row, WALRAS_INVALID, err,
                        "the bus number must be a whole number above 0");
    found = walras_names_find(b->numbers, number);
    if (found == SIZE_MAX)
        return grid_mp_fail(b->file->name, b->file->table[which].line[row], WALRAS_INVALID, err,
                            "%s row %zu: bus %s is not in the bus table", grid_mp_table_text(which),
                            row + 1, number);
    *bus = b->bus_of_row[found];
    return WALRAS_OK;
}

static double limit_kw(double rate_mva)
{
    return rate_mva == 0.0 || rate_mva >= unlimited_mva ? (double)INFINITY
                                                        : walras_kw_from_mw(rate_mva);
}

static enum walras_status make_line(struct builder *b, size_t row, struct walras_err *err)
{
    struct grid_network *network = &b->c->network;
    double tap = cell(b, GRID_MP_BRANCH, row, GRID_MP_TAP);
    double status_cell = cell(b, GRID_MP_BRANCH, row, GRID_MP_BR_STATUS);
    size_t from = SIZE_MAX, to = SIZE_MAX;
    char id[id_size];
    enum walras_status status = find_bus(b, GRID_MP_BRANCH, row, GRID_MP_F_BUS, &from, err);

    if (status == WALRAS_OK)
        status = find_bus(b, GRID_MP_BRANCH, row, GRID_MP_T_BUS, &to, err);
    if (status != WALRAS_OK || from == SIZE_MAX || to == SIZE_MAX)
        return status;
    if (!isfinite(status_cell))
        return row_fail(b, GRID_MP_BRANCH, row, WALRAS_INVALID, err, "the status must be 0 or 1");
    snprintf(id, sizeof(id), "l%zu", row + 1);
    struct grid_line *line = &network->lines[network->n_line];

    *line = (struct grid_line){
        .id = copy_of(id, strlen(id)),
        .from = from,
        .to = to,
        .r_pu = cell(b, GRID_MP_BRANCH, row, GRID_MP_R),
        .x_pu = cell(b, GRID_MP_BRANCH, row, GRID_MP_X),
        .b_pu = cell(b, GRID_MP_BRANCH, row, GRID_MP_B),
        .limit_kw = limit_kw(cell(b, GRID_MP_BRANCH, row, GRID_MP_RATE_A)),
        .tap = tap == 0.0 ? 1.0 : tap,
        .shift_rad = walras_rad_from_deg(cell(b, GRID_MP_BRANCH, row, GRID_MP_SHIFT)),
        .in_service = status_cell != 0.0,
    };
    if (!line->id)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the names of lines");
    network->n_line++;
    return at_row(b, GRID_MP_BRANCH, row,
                  grid_network_check_line(network, network->n_line - 1, err), err);
}

static enum walras_status make_lines(struct builder *b, struct walras_err *err)
{
    size_t n_row = b->file->table[GRID_MP_BRANCH].n_row;
    enum walras_status status = WALRAS_OK;

    b->c->network.lines = calloc(n_row + 1, sizeof(*b->c->network.lines));
    if (!b->c->network.lines)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu lines", n_row);
    for (size_t row = 0; row < n_row && status == WALRAS_OK; row++)
        status = make_line(b, row, err);
    return status;
}

/* In service, at a bus that is there. The first at the slack sets the slack's voltage. */
static enum walras_status make_generators(struct builder *b, struct walras_err *err)
{
    struct grid_case *c = b->c;
    size_t n_row = b->file->table[GRID_MP_GEN].n_row;
    bool slack_is_set = false;

    c->generators = calloc(n_row + 1, sizeof(*c->generators));
    if (!c->generators)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu generators", n_row);
    for (size_t row = 0; row < n_row; row++) {
        size_t bus = SIZE_MAX;
        enum walras_status status = find_bus(b, GRID_MP_GEN, row, GRID_MP_GEN_BUS, &bus, err);

        if (status != WALRAS_OK)
            return status;
        if (!isfinite(cell(b, GRID_MP_GEN, row, GRID_MP_GEN_STATUS)))
            return row_fail(b, GRID_MP_GEN, row, WALRAS_INVALID, err, "the status must be 0 or 1");
        if (bus == SIZE_MAX || cell(b, GRID_MP_GEN, row, GRID_MP_GEN_STATUS) <= 0.0)
            continue;
        if (bus == c->network.slack && !slack_is_set) {
            c->network.slack_v_pu = cell(b, GRID_MP_GEN, row, GRID_MP_VG);
            slack_is_set = true;
        }
        c->generators[c->n_generator++] = (struct grid_generator){
            .bus = bus,
            .row = row + 1,
            .p_kw = walras_kw_from_mw(cell(b, GRID_MP_GEN, row, GRID_MP_PG)),
            .q_kvar = walras_kw_from_mw(cell(b, GRID_MP_GEN, row, GRID_MP_QG)),
            .v_pu = cell(b, GRID_MP_GEN, row, GRID_MP_VG),
            .q_min_kvar = walras_kw_from_mw(cell(b, GRID_MP_GEN, row, GRID_MP_QMIN)),
            .q_max_kvar = walras_kw_from_mw(cell(b, GRID_MP_GEN, row, GRID_MP_QMAX)),
        };
    }
    return WALRAS_OK;
}

/* The name of the function, else of the file without directory and ".m". */
static enum walras_status take_name(struct builder *b, struct walras_err *err)
{
    const struct grid_mp_token *function = &b->file->function_name;
    const char *slash = strrchr(b->file->name, '/'), *name = slash ? slash + 1 : b->file->name;
    size_t length = strlen(name);

    if (function->kind == GRID_MP_WORD) {
        name = function->at;
        length = function->length;
    } else if (length > 2 && strcmp(name + length - 2, ".m") == 0) {
        length -= 2;
    }
    b->c->name = copy_of(name, length);
    return b->c->name ? WALRAS_OK
                      : walras_fail(err, WALRAS_NOMEM, "no memory for the name of the case");
}

static enum walras_status check_whole(const struct builder *b, struct walras_err *err)
{
    enum walras_status status = grid_network_check(&b->c->network, err);

    if (status != WALRAS_OK)
        walras_err_prefix(err, "%s", b->file->name);
    return status;
}

enum walras_status grid_mp_build(const struct grid_mp_file *file, struct grid_case *c,
                                 struct walras_err *err)
{
    size_t n_row = file->table[GRID_MP_BUS].n_row;
    struct builder b = {.file = file, .c = c};
    enum walras_status status = WALRAS_OK;

    b.number = calloc(n_row + 1, sizeof(*b.number));
    b.bus_of_row = calloc(n_row + 1, sizeof(*b.bus_of_row));
    if (!b.number || !b.bus_of_row) {
        status = walras_fail(err, WALRAS_NOMEM, "no memory for %zu buses", n_row);
        goto out;
    }
    c->network.base_mva = file->base_mva;
    status = number_buses(&b, err);
    if (status != WALRAS_OK)
        c->network.n_bus = 0; /* none is made yet */
    if (status == WALRAS_OK)
        status = make_buses(&b, err);
    if (status == WALRAS_OK)
        status = make_lines(&b, err);
    if (status == WALRAS_OK)
        status = make_generators(&b, err);
    if (status == WALRAS_OK)
        status = take_name(&b, err);
    if (status == WALRAS_OK)
        status = check_whole(&b, err);
    if (status == WALRAS_OK)
        status = grid_mp_read_costs(file, c, err);
out:
    walras_names_free(b.numbers);
    free(b.number);
    free(b.bus_of_row);
    return status;
}
