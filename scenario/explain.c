#include "scenario/explain.h"

#include "core/file.h"
#include "core/json.h"
#include "core/units.h"
#include "grid/limits.h"
#include "scenario/scenario.h"
#include "scenario/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct walras_range any = {-HUGE_VAL, HUGE_VAL, false, false};

struct share { /* what one binding limit adds to the price */
    size_t row;
    int direction;
    double price, kw,
        kvar; /* in the limit's own unit; a kW and a kvar drawn at the bus move it by */
    double adds, adds_kvar;
};

struct explanation {
    struct scenario scenario;
    struct walras_json_doc *doc;
    struct walras_json root;
    struct grid_limits *limits; /* NULL: one bus */
    size_t bus, step;
    double price, energy, congestion, voltage, loss, reactive;
    struct share *shares; /* the largest first */
    size_t n_share;
};

static void release(struct explanation *x)
{
    grid_limits_free(x->limits);
    walras_json_free(x->doc);
    scenario_release(&x->scenario);
    free(x->shares);
}

static enum walras_status open_files(const char *directory, struct explanation *x,
                                     struct walras_err *err)
{
    char *grid = walras_path_join(directory, "grid.json");
    char *result = walras_path_join(directory, "result.json");
    enum walras_status status = WALRAS_OK;

    if (!grid || !result)
        status = walras_fail(err, WALRAS_NOMEM, "cannot hold the names of files");
    if (status == WALRAS_OK)
        status = scenario_read(grid, &x->scenario, err);
    if (status == WALRAS_OK)
        status = walras_json_read(result, &x->doc, err);
    if (status == WALRAS_OK)
        x->root = walras_json_root(x->doc);
    free(grid);
    free(result);
    return status;
}

static enum walras_status find_place(struct explanation *x, const char *bus, size_t step,
                                     struct walras_err *err)
{
    x->bus = grid_network_find_bus(&x->scenario.network, bus);
    x->step = step;
    if (x->bus == SIZE_MAX)
        return walras_fail(err, WALRAS_INVALID, "there is no bus \"%.100s\" in this result", bus);
    if (step >= x->scenario.horizon.n_step)
        return walras_fail(err, WALRAS_INVALID, "there is no step %zu in this result: 0 to %zu",
                           step, x->scenario.horizon.n_step - 1);
    return WALRAS_OK;
}

/* root/first/second[row][column], a number. */
static enum walras_status read_cell(const struct explanation *x, const char *first,
                                    const char *second, size_t row, size_t column, double *out,
                                    struct walras_err *err)
{
    struct walras_json object, rows, cells, cell;
    enum walras_status status = walras_json_need(&x->root, first, &object, err);

    if (status == WALRAS_OK && second)
        status = walras_json_need(&object, second, &rows, err);
    else
        rows = object;
    if (status == WALRAS_OK && walras_json_is(&rows, WALRAS_JSON_NULL))
        return walras_fail(err, WALRAS_INVALID, "this result has no prices");
    if (status == WALRAS_OK)
        status = walras_json_array(&rows, row + 1, SIZE_MAX, err);
    if (status != WALRAS_OK)
        return status;
    cells = walras_json_at(&rows, row);
    status = walras_json_array(&cells, column + 1, SIZE_MAX, err);
    if (status != WALRAS_OK)
        return status;
    cell = walras_json_at(&cells, column);
    return walras_json_number(&cell, any, out, err);
}

static enum walras_status read_prices(struct explanation *x, struct walras_err *err)
{
    struct {
        const char *first, *second;
        double *out;
    } cells[] = {{"prices", "values", &x->price},
                 {"price_parts", "energy", &x->energy},
                 {"price_parts", "congestion", &x->congestion},
                 {"price_parts", "voltage", &x->voltage},
                 {"price_parts", "loss", &x->loss},
                 {"reactive_prices_per_mvarh", NULL, &x->reactive}};
    size_t n = x->scenario.model == SCENARIO_LINDISTFLOW ? 6 : 5;
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; i < n && status == WALRAS_OK; i++)
        status = read_cell(x, cells[i].first, cells[i].second, x->bus, x->step, cells[i].out, err);
    return status;
}

static enum walras_status make_limits(struct explanation *x, struct walras_err *err)
{
    const struct scenario *s = &x->scenario;
    struct grid_lindist input = {
        .n_step = 1, .rating_scale = s->rating_scale, .soft_voltages = true};

    if (s->model == SCENARIO_LINDISTFLOW)
        return grid_limits_lindist(&s->network, &input, &x->limits, err);
    if (s->model == SCENARIO_DC && s->network.n_line > 0)
        return grid_limits_dc(&s->network, s->rating_scale, &x->limits, err);
    return WALRAS_OK;
}

static enum walras_status read_whole(const struct walras_json *object, const char *key, int64_t low,
                                     int64_t *out, struct walras_err *err)
{
    struct walras_json node;
    enum walras_status status = walras_json_need(object, key, &node, err);

    return status == WALRAS_OK ? walras_json_integer(&node, low, INT32_MAX, out, err) : status;
}

static enum walras_status read_text(const struct walras_json *object, const char *key,
                                    const char **out, struct walras_err *err)
{
    struct walras_json node;
    enum walras_status status = walras_json_need(object, key, &node, err);

    return status == WALRAS_OK ? walras_json_text(&node, 1000, out, err) : status;
}

/* The row that an entry of `binding` names, and its shadow price as a row's. */
static enum walras_status find_row(const struct explanation *x, const struct walras_json *entry,
                                   struct share *share, struct walras_err *err)
{
    static const char *const keys[] = {"shadow_price_per_mwh", "shadow_price_per_mvah",
                                       "shadow_price_per_pu_h"};
    const char *kind = NULL, *id = NULL;
    struct walras_json node;
    int64_t direction = 0, side = 0;
    enum walras_status status = read_text(entry, "kind", &kind, err);

    if (status == WALRAS_OK)
        status = read_text(entry, "id", &id, err);
    if (status == WALRAS_OK)
        status = read_whole(entry, "direction", -1, &direction, err);
    if (status == WALRAS_OK && walras_json_find(entry, "side", &node))
        status = walras_json_integer(&node, 0, 11, &side, err);
    for (size_t i = 0; i < 3 && status == WALRAS_OK; i++)
        if (walras_json_find(entry, keys[i], &node))
            status = walras_json_number(&node, any, &share->price, err);
    share->direction = (int)direction;
    for (size_t r = 0; status == WALRAS_OK && r < grid_limits_count(x->limits); r++) {
        const struct grid_limit *limit = grid_limits_at(x->limits, r);

        if (strcmp(grid_limit_kind_name(limit->kind), kind) == 0 && limit->side == side &&
            strcmp(grid_limits_id(x->limits, r), id) == 0) {
            share->row = r;
            return WALRAS_OK;
        }
    }
    return status != WALRAS_OK
               ? status
               : walras_json_fail(entry, WALRAS_INVALID, err, "grid.json has no such limit");
}

/* What a kW and a kvar drawn at the bus do to the limit, and what that costs. */
static enum walras_status weigh(const struct explanation *x, struct share *share, double *kw,
                                double *kvar, struct walras_err *err)
{
    double unit = grid_limits_unit_per_kw(x->limits, share->row, share->direction);
    bool voltage = grid_limits_at(x->limits, share->row)->kind == GRID_LIMIT_VOLTAGE;
    double per_mwh = voltage ? walras_kw_from_mw(share->price) * unit : share->price;
    enum walras_status status = grid_limits_effect(x->limits, share->row, 0, kw, kvar, err);

    share->kw = -kw[x->bus] * unit;
    share->kvar = -kvar[x->bus] * unit;
    share->adds = share->direction * per_mwh * -kw[x->bus];
    share->adds_kvar = share->direction * per_mwh * -kvar[x->bus];
    return status;
}

static int by_size(const void *left, const void *right)
{
    const struct share *a = left, *b = right;

    if (fabs(a->adds) > fabs(b->adds))
        return -1;
    return fabs(a->adds) < fabs(b->adds);
}

/* Limits of inverters price what is at their terminals, no bus: they are passed over. */
static enum walras_status read_shares(struct explanation *x, struct walras_err *err)
{
    const char *inverter = grid_limit_kind_name(GRID_LIMIT_INVERTER);
    size_t n_bus = x->scenario.network.n_bus, n = 0;
    double *effect = calloc(2 * n_bus, sizeof(*effect));
    struct walras_json list;
    enum walras_status status = walras_json_need(&x->root, "binding", &list, err);

    if (status == WALRAS_OK)
        status = walras_json_array(&list, 0, SIZE_MAX, err);
    if (status == WALRAS_OK) {
        n = walras_json_count(&list);
        x->shares = calloc(n + 1, sizeof(*x->shares));
    }
    if (status == WALRAS_OK && (!x->shares || !effect))
        status = walras_fail(err, WALRAS_NOMEM, "cannot hold %zu limits", n);
    for (size_t i = 0; i < n && status == WALRAS_OK && x->limits; i++) {
        struct walras_json entry = walras_json_at(&list, i);
        struct share share = {0};
        const char *kind = "";
        int64_t step = 0;

        status = read_whole(&entry, "step", 0, &step, err);
        if (status == WALRAS_OK && (size_t)step == x->step)
            status = read_text(&entry, "kind", &kind, err);
        if (status != WALRAS_OK || (size_t)step != x->step || strcmp(kind, inverter) == 0)
            continue;
        status = find_row(x, &entry, &share, err);
        if (status == WALRAS_OK)
            status = weigh(x, &share, effect, effect + n_bus, err);
        if (status == WALRAS_OK)
            x->shares[x->n_share++] = share;
    }
    if (status == WALRAS_OK && x->n_share > 1)
        qsort(x->shares, x->n_share, sizeof(*x->shares), by_size);
    free(effect);
    return status;
}

/* ---- in words ---- */

static void print_part(FILE *file, const char *what, double value, const char *words)
{
    fprintf(file, "%-12s %12.4f   %s\n", what, fabs(value) < 5e-5 ? 0.0 : value, words);
}

/* How the exchange at a bus stands; true when it sets the price there. */
static bool print_supply(const struct explanation *x, size_t i, double import_kw, double export_kw,
                         FILE *file)
{
    const struct scenario_supply *supply = &x->scenario.supplies[i];
    double buys = walras_series_at(supply->price_per_mwh, x->step);
    double sells = walras_series_at(supply->export_price_per_mwh, x->step);
    double most_kw = walras_series_at(supply->import_limit_kw, x->step);
    const char *stands =
        import_kw >= most_kw * (1.0 - 1e-9) && most_kw > 0.0 ? ", all that it may" : "";
    char power[SCENARIO_WORDS];
    bool here = x->scenario.network.buses[supply->bus].slack_v_pu > 0.0 ||
                supply->bus == x->scenario.network.slack;
    double near = 1e-6 * fmax(1.0, fabs(x->energy));

    scenario_power_words(import_kw >= export_kw ? import_kw : export_kw, power);
    if (import_kw < 1e-9 && export_kw < 1e-9)
        fprintf(file, "%29s%s: nothing is bought (at %.4f) or sold (at %.4f)\n", "", supply->id,
                buys, sells);
    else if (import_kw >= export_kw)
        fprintf(file, "%29s%s: %s are bought at %.4f%s\n", "", supply->id, power, buys, stands);
    else
        fprintf(file, "%29s%s: %s are sold at %.4f\n", "", supply->id, power, sells);
    return here && (fabs(buys - x->energy) <= near || fabs(sells - x->energy) <= near);
}

static enum walras_status print_energy(const struct explanation *x, FILE *file,
                                       struct walras_err *err)
{
    struct walras_json list;
    enum walras_status status = walras_json_need(&x->root, "supply", &list, err);
    bool set = false;

    print_part(file, "energy", x->energy, "what one more MWh costs at the slack");
    for (size_t i = 0; i < x->scenario.n_supply && status == WALRAS_OK; i++) {
        struct walras_json entry, cells, cell;
        double kw[2] = {0.0, 0.0};
        static const char *const keys[] = {"import_kw", "export_kw"};

        status = walras_json_array(&list, x->scenario.n_supply, SIZE_MAX, err);
        entry = walras_json_at(&list, i);
        for (size_t k = 0; k < 2 && status == WALRAS_OK; k++) {
            status = walras_json_need(&entry, keys[k], &cells, err);
            if (status != WALRAS_OK || walras_json_is(&cells, WALRAS_JSON_NULL))
                continue;
            cell = walras_json_at(&cells, x->step);
            status = walras_json_number(&cell, any, &kw[k], err);
        }
        if (status == WALRAS_OK)
            set = print_supply(x, i, kw[0], kw[1], file) || set;
    }
    if (status == WALRAS_OK)
        fprintf(file, "%29s%s\n", "",
                set ? "the exchange sets it"
                    : "no exchange has this price: devices set it, by what they would do");
    return status;
}

static const char *full_words(const struct grid_limit *limit, const struct share *share)
{
    if (limit->kind == GRID_LIMIT_VOLTAGE)
        return "there";
    return limit->kind == GRID_LIMIT_LINE && share->direction < 0 ? "full backwards" : "full";
}

static void print_share(const struct explanation *x, const struct share *share, FILE *file)
{
    const struct grid_limit *limit = grid_limits_at(x->limits, share->row);
    char words[SCENARIO_LIMIT_WORDS];

    scenario_limit_words(&x->scenario, x->limits, share->row, share->direction, words);
    fprintf(file, "%-12s %12.4f   %s is %s: ", "", share->adds, words, full_words(limit, share));
    switch (limit->kind) {
    case GRID_LIMIT_VOLTAGE:
        fprintf(file,
                "a kW drawn here moves it by %+.3g per unit, which is worth %.4g a unit and h\n",
                share->kw, share->price);
        break;
    case GRID_LIMIT_APPARENT:
        fprintf(file, "a kW drawn here adds %+.3g kVA in its direction, at %.4f/MVAh\n",
                share->direction * share->kw, share->price);
        break;
    default:
        fprintf(file, "a kW drawn here adds %+.3g kW in its direction, at %.4f/MWh\n",
                share->direction * share->kw, share->price);
        break;
    }
}

/* Rounding of sensitivities is no touch. */
static bool touches(double adds)
{
    return fabs(adds) > 1e-9;
}

static void print_kind(const struct explanation *x, bool voltage, const char *what, double value,
                       FILE *file)
{
    double told = 0.0;
    size_t n = 0;

    for (size_t i = 0; i < x->n_share; i++) {
        enum grid_limit_kind kind = grid_limits_at(x->limits, x->shares[i].row)->kind;

        if (kind == GRID_LIMIT_ISLAND || (kind == GRID_LIMIT_VOLTAGE) != voltage)
            continue;
        told += x->shares[i].adds;
        n += touches(x->shares[i].adds);
    }
    print_part(file, what, value,
               n > 0 ? "limits that a draw here touches:"
                     : "no limit that a draw here touches binds");
    for (size_t i = 0; i < x->n_share; i++) {
        enum grid_limit_kind kind = grid_limits_at(x->limits, x->shares[i].row)->kind;

        if (kind != GRID_LIMIT_ISLAND && (kind == GRID_LIMIT_VOLTAGE) == voltage &&
            touches(x->shares[i].adds))
            print_share(x, &x->shares[i], file);
    }
    if (fabs(value - told) > 1e-6 * fmax(1.0, fabs(x->price)))
        fprintf(file, "%-12s %12.4f   limits whose shadow prices are too small to be listed\n", "",
                value - told);
}

/* Slacks balance kvar for nothing: what one costs is what it does to limits. */
static void print_reactive(const struct explanation *x, FILE *file)
{
    double told = 0.0;
    bool some = false;

    for (size_t i = 0; i < x->n_share; i++) {
        some = some || touches(x->shares[i].adds_kvar);
        told += x->shares[i].adds_kvar;
    }
    print_part(file, "reactive", x->reactive,
               some || x->scenario.losses
                   ? "what one more Mvarh drawn here costs, by what it does to limits and losses:"
                   : "what one more Mvarh drawn here costs: no limit that it touches binds");
    if (x->scenario.losses)
        fprintf(file,
                "%-12s %12.4f   what more is lost on the way, and limits that are not listed\n", "",
                x->reactive - told);
    for (size_t i = 0; i < x->n_share; i++) {
        const struct share *share = &x->shares[i];
        const struct grid_limit *limit = grid_limits_at(x->limits, share->row);
        bool voltage = limit->kind == GRID_LIMIT_VOLTAGE;
        char words[SCENARIO_LIMIT_WORDS];

        if (!touches(share->adds_kvar))
            continue;
        scenario_limit_words(&x->scenario, x->limits, share->row, share->direction, words);
        fprintf(file, "%-12s %12.4f   %s: a kvar drawn here %s %+.3g %s\n", "", share->adds_kvar,
                words, voltage ? "moves it by" : "adds",
                voltage ? share->kvar : share->direction * share->kvar,
                voltage ? "per unit" : "kVA");
    }
}

/* The part is the price at the slack times what a kW drawn here adds to the losses. */
static void print_loss(const struct explanation *x, FILE *file)
{
    char words[80] = "what more is lost on the way";

    if (x->energy != 0.0)
        snprintf(words, sizeof(words), "a kW drawn here makes the grid lose %+.4g kW",
                 x->loss / x->energy);
    print_part(file, "loss", x->loss, words);
}

static enum walras_status print(const struct explanation *x, FILE *file, struct walras_err *err)
{
    char from[SCENARIO_TIME_TEXT], to[SCENARIO_TIME_TEXT];
    enum walras_status status = WALRAS_OK;

    scenario_step_text(&x->scenario, x->step, from);
    scenario_step_text(&x->scenario, x->step + 1, to);
    fprintf(file, "%s: bus %s, step %zu (%s to %s), %s per MWh\n\n", x->scenario.name,
            x->scenario.network.buses[x->bus].id, x->step, from, to, x->scenario.currency);
    status = print_energy(x, file, err);
    print_kind(x, false, "congestion", x->congestion, file);
    if (x->scenario.model == SCENARIO_LINDISTFLOW)
        print_kind(x, true, "voltage", x->voltage, file);
    if (x->scenario.losses)
        print_loss(x, file);
    print_part(file, "price", x->price, "the sum: what one more MWh drawn here costs");
    if (x->scenario.model == SCENARIO_LINDISTFLOW)
        print_reactive(x, file);
    return status;
}

enum walras_status scenario_explain(const char *directory, const char *bus, size_t step, FILE *file,
                                    struct walras_err *err)
{
    struct explanation x = {0};
    enum walras_status status = open_files(directory, &x, err);

    if (status == WALRAS_OK)
        status = find_place(&x, bus, step, err);
    if (status == WALRAS_OK)
        status = read_prices(&x, err);
    if (status == WALRAS_OK)
        status = make_limits(&x, err);
    if (status == WALRAS_OK)
        status = read_shares(&x, err);
    if (status == WALRAS_OK)
        status = print(&x, file, err);
    release(&x);
    return status;
}
