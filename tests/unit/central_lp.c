#include "central_lp.h"

#include "core/units.h"

#include <math.h>
#include <stdlib.h>

struct term { /* what a column draws at a bus in a step */
    size_t cell, column;
    double coef;
};

struct central {
    const struct scenario *scenario;
    size_t n_step;
    double step_h, mwh_per_kw;
    struct lp *lp;
    struct term *terms;
    size_t n_term, capacity;
    double *firm_kw; /* [n_bus x n_step] draw */
    double constant;
    enum walras_status status; /* the first failure; everything after it does nothing */
    struct walras_err *err;
};

static size_t column(struct central *c, double low, double high, double cost)
{
    size_t made = 0;

    if (c->status == WALRAS_OK)
        c->status = lp_add_columns(c->lp, 1, &low, &high, &cost, &made, c->err);
    return made;
}

static void row(struct central *c, size_t n, const size_t *columns, const double *coef, double low,
                double high)
{
    if (c->status == WALRAS_OK)
        c->status = lp_add_row(c->lp, n, columns, coef, low, high, NULL, c->err);
}

static void draw(struct central *c, size_t bus, size_t t, size_t of, double coef)
{
    if (c->n_term == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 256;
        struct term *grown = realloc(c->terms, capacity * sizeof(*grown));

        if (!grown) {
            c->status = walras_fail(c->err, WALRAS_NOMEM, "central program");
            return;
        }
        c->terms = grown;
        c->capacity = capacity;
    }
    c->terms[c->n_term++] = (struct term){bus * c->n_step + t, of, coef};
}

static void add_load(struct central *c, size_t bus, const struct agent_load *load)
{
    for (size_t t = 0; t < c->n_step; t++) {
        double draw_kw = walras_series_at(load->draw_kw, t);

        c->firm_kw[bus * c->n_step + t] += draw_kw;
        if (!isnan(load->shed_price_per_mwh) && draw_kw > 0.0)
            draw(c, bus, t, column(c, 0.0, draw_kw, c->mwh_per_kw * load->shed_price_per_mwh),
                 -1.0);
    }
}

static void add_pv(struct central *c, size_t bus, const struct agent_pv *pv)
{
    for (size_t t = 0; t < c->n_step; t++) {
        double high = walras_series_at(pv->available_kw, t);

        draw(c, bus, t,
             column(c, pv->curtailable ? 0.0 : high, high, c->mwh_per_kw * pv->cost_per_mwh), -1.0);
    }
}

struct store {
    size_t first, end;
    double keep, charge_kw, discharge_kw, charge_efficiency, discharge_efficiency, start_kwh;
    double wear_per_mwh, low_kwh, high_kwh, end_low_kwh;
};

/* The column of the energy at the end. */
static size_t add_store(struct central *c, size_t bus, const struct store *s)
{
    size_t before = 0;

    for (size_t t = s->first; t < s->end; t++) {
        double wear = c->mwh_per_kw * s->wear_per_mwh, kept = 0.0;
        size_t charge = column(c, 0.0, s->charge_kw, wear);
        size_t discharge = column(c, 0.0, s->discharge_kw, wear);
        size_t energy = column(c, t + 1 == s->end ? fmax(s->low_kwh, s->end_low_kwh) : s->low_kwh,
                               s->high_kwh, 0.0);

        kept = t == s->first ? s->keep * s->start_kwh : 0.0;
        row(c, t == s->first ? 3 : 4, (size_t[]){energy, charge, discharge, before},
            (double[]){1.0, -c->step_h * s->charge_efficiency, c->step_h / s->discharge_efficiency,
                       -s->keep},
            kept, kept);
        draw(c, bus, t, charge, 1.0);
        draw(c, bus, t, discharge, -1.0);
        before = energy;
    }
    return before;
}

static void add_battery(struct central *c, size_t bus, const struct agent_battery *b)
{
    (void)add_store(c, bus,
                    &(struct store){.end = c->n_step,
                                    .keep = pow(1.0 - b->loss_per_hour, c->step_h),
                                    .charge_kw = b->charge_kw,
                                    .discharge_kw = b->discharge_kw,
                                    .charge_efficiency = b->charge_efficiency,
                                    .discharge_efficiency = b->discharge_efficiency,
                                    .start_kwh = b->start_kwh,
                                    .wear_per_mwh = b->wear_per_mwh,
                                    .low_kwh = b->min_kwh,
                                    .high_kwh = b->capacity_kwh,
                                    .end_low_kwh = b->end_min_kwh});
}

static void add_ev(struct central *c, size_t bus, const struct agent_ev *ev)
{
    double wanted_kwh = ev->start_kwh + ev->energy_kwh;
    bool soft = !isnan(ev->unserved_price_per_mwh);
    size_t energy = add_store(c, bus,
                              &(struct store){.first = ev->arrive,
                                              .end = ev->depart,
                                              .keep = 1.0,
                                              .charge_kw = ev->charge_kw,
                                              .discharge_kw = ev->discharge_kw,
                                              .charge_efficiency = ev->efficiency,
                                              .discharge_efficiency = ev->efficiency,
                                              .start_kwh = ev->start_kwh,
                                              .wear_per_mwh = ev->wear_per_mwh,
                                              .high_kwh = ev->capacity_kwh,
                                              .end_low_kwh = soft ? 0.0 : wanted_kwh});

    if (soft) {
        size_t unserved = column(c, 0.0, HUGE_VAL, ev->unserved_price_per_mwh / 1000.0);

        row(c, 2, (size_t[]){energy, unserved}, (double[]){1.0, 1.0}, wanted_kwh, HUGE_VAL);
    }
}

/* Both sides of the band in one row: what is outside costs comfort. */
static void add_thermal(struct central *c, size_t bus, const struct agent_thermal *th)
{
    double a = exp(-th->conductance_kw_per_k * c->step_h / th->capacity_kwh_per_k);
    bool soft = !isnan(th->comfort_price_per_kh);
    size_t before = 0;

    for (size_t t = 0; t < c->n_step; t++) {
        double per_kw = (1.0 - a) / th->conductance_kw_per_k;
        double drift = (1.0 - a) * walras_series_at(th->outdoor_c, t) +
                       per_kw * walras_series_at(th->gain_kw, t) + (t == 0 ? a * th->start_c : 0.0);
        size_t power = column(c, 0.0, th->max_kw, 0.0);
        size_t state = column(c, -HUGE_VAL, HUGE_VAL, 0.0);
        size_t outside = column(c, 0.0, soft ? HUGE_VAL : 0.0,
                                soft ? th->comfort_price_per_kh * c->step_h : 0.0);

        row(c, t == 0 ? 2 : 3, (size_t[]){state, power, before},
            (double[]){1.0, (th->cool ? 1.0 : -1.0) * per_kw * walras_series_at(th->cop, t), -a},
            drift, drift);
        row(c, 2, (size_t[]){state, outside}, (double[]){1.0, 1.0}, walras_series_at(th->min_c, t),
            HUGE_VAL);
        row(c, 2, (size_t[]){state, outside}, (double[]){1.0, -1.0}, -HUGE_VAL,
            walras_series_at(th->max_c, t));
        draw(c, bus, t, power, 1.0);
        before = state;
    }
}

static void add_generator(struct central *c, size_t bus, const struct agent_generator *g)
{
    double ramp_kw = g->ramp_kw_per_h * c->step_h;
    size_t before = 0;

    c->constant += g->segments ? 0.0 : g->per_h * c->step_h * (double)c->n_step;
    for (size_t t = 0; t < c->n_step; t++) {
        size_t power =
            column(c, g->min_kw, g->max_kw, g->segments ? 0.0 : c->mwh_per_kw * g->per_mwh);
        size_t columns[64] = {power};
        double coef[64] = {-1.0};
        size_t n = 1;

        for (uint32_t i = 0; i < g->n_segment && g->segments && n < 64; i++, n++) {
            columns[n] = column(c, 0.0, g->segments[i].width_kw,
                                c->mwh_per_kw * g->segments[i].price_per_mwh);
            coef[n] = 1.0;
        }
        if (n > 1)
            row(c, n, columns, coef, 0.0, 0.0);
        if (t > 0 && isfinite(ramp_kw))
            row(c, 2, (size_t[]){power, before}, (double[]){1.0, -1.0}, -ramp_kw, ramp_kw);
        draw(c, bus, t, power, -1.0);
        before = power;
    }
}

/* sign +1: demand blocks, cost is minus their value; -1: offers. */
static void add_blocks(struct central *c, size_t bus, const struct agent_segment *blocks,
                       const uint32_t *first, bool one_list, double sign)
{
    for (size_t t = 0; t < c->n_step && first; t++)
        for (uint32_t i = first[one_list ? 0 : t]; i < first[one_list ? 1 : t + 1]; i++)
            draw(
                c, bus, t,
                column(c, 0.0, blocks[i].width_kw, -sign * c->mwh_per_kw * blocks[i].price_per_mwh),
                sign);
}

static void add_device(struct central *c, const struct agent_device *device, size_t bus)
{
    switch (device->type) {
    case AGENT_LOAD:
        add_load(c, bus, &device->load);
        break;
    case AGENT_PV:
        add_pv(c, bus, &device->pv);
        break;
    case AGENT_BATTERY:
        add_battery(c, bus, &device->battery);
        break;
    case AGENT_EV:
        add_ev(c, bus, &device->ev);
        break;
    case AGENT_THERMAL:
        add_thermal(c, bus, &device->thermal);
        break;
    case AGENT_GENERATOR:
        add_generator(c, bus, &device->generator);
        break;
    case AGENT_BID:
        add_blocks(c, bus, device->bid.demand, device->bid.demand_first, device->bid.one_list, 1.0);
        add_blocks(c, bus, device->bid.offer, device->bid.offer_first, device->bid.one_list, -1.0);
        break;
    case AGENT_SHIFTABLE:
    case AGENT_LP:
        c->status = walras_fail(c->err, WALRAS_UNSUPPORTED, "device %s: not in the central program",
                                device->id);
        break;
    }
}

static void add_supply(struct central *c, const struct scenario_supply *supply)
{
    for (size_t t = 0; t < c->n_step; t++) {
        double price = walras_series_at(supply->price_per_mwh, t);
        double export_price = walras_series_at(supply->export_price_per_mwh, t);

        draw(c, supply->bus, t,
             column(c, 0.0, walras_series_at(supply->import_limit_kw, t), c->mwh_per_kw * price),
             -1.0);
        draw(c, supply->bus, t,
             column(c, 0.0, walras_series_at(supply->export_limit_kw, t),
                    -c->mwh_per_kw * export_price),
             1.0);
    }
}

/* flow = base · (θ_from − θ_to − shift) / (x · tap), a column of its own. */
static void add_line(struct central *c, const struct grid_line *line, const size_t *angle, size_t t)
{
    const struct scenario *s = c->scenario;
    double kw_per_rad = walras_kw_from_mw(s->network.base_mva) / (line->x_pu * line->tap);
    double limit_kw = line->limit_kw * s->rating_scale;
    bool soft = !isnan(s->line_overload_price_per_mwh);
    size_t flow = column(c, -HUGE_VAL, HUGE_VAL, 0.0);

    row(c, 3, (size_t[]){flow, angle[line->from], angle[line->to]},
        (double[]){1.0, -kw_per_rad, kw_per_rad}, -kw_per_rad * line->shift_rad,
        -kw_per_rad * line->shift_rad);
    draw(c, line->from, t, flow, 1.0);
    draw(c, line->to, t, flow, -1.0);
    if (!isfinite(limit_kw))
        return;
    size_t breach = column(c, 0.0, soft ? HUGE_VAL : 0.0,
                           soft ? c->mwh_per_kw * s->line_overload_price_per_mwh : 0.0);

    row(c, 2, (size_t[]){flow, breach}, (double[]){1.0, -1.0}, -HUGE_VAL, limit_kw);
    row(c, 2, (size_t[]){flow, breach}, (double[]){1.0, 1.0}, -limit_kw, HUGE_VAL);
}

static void add_network(struct central *c)
{
    const struct grid_network *network = &c->scenario->network;
    size_t *angle = calloc(network->n_bus, sizeof(*angle));

    if (!angle) {
        c->status = walras_fail(c->err, WALRAS_NOMEM, "central program");
        return;
    }
    for (size_t t = 0; t < c->n_step; t++) {
        for (size_t b = 0; b < network->n_bus; b++)
            angle[b] = column(c, b == network->slack ? 0.0 : -HUGE_VAL,
                              b == network->slack ? 0.0 : HUGE_VAL, 0.0);
        for (size_t l = 0; l < network->n_line; l++)
            if (network->lines[l].in_service)
                add_line(c, &network->lines[l], angle, t);
    }
    free(angle);
}

static int compare_terms(const void *left, const void *right)
{
    const struct term *a = left, *b = right;

    return a->cell < b->cell ? -1 : a->cell > b->cell;
}

/* Every bus and step: what is drawn, exported and flows away is nothing. */
static void add_balances(struct central *c)
{
    size_t n_cell = c->scenario->network.n_bus * c->n_step, at = 0;
    size_t *columns = calloc(c->n_term + 1, sizeof(*columns));
    double *coef = calloc(c->n_term + 1, sizeof(*coef));

    if (columns && coef) {
        qsort(c->terms, c->n_term, sizeof(*c->terms), compare_terms);
        for (size_t cell = 0; cell < n_cell; cell++) {
            size_t n = 0;

            for (; at < c->n_term && c->terms[at].cell == cell; at++, n++) {
                columns[n] = c->terms[at].column;
                coef[n] = c->terms[at].coef;
            }
            row(c, n, columns, coef, -c->firm_kw[cell], -c->firm_kw[cell]);
        }
    } else {
        c->status = walras_fail(c->err, WALRAS_NOMEM, "central program");
    }
    free(columns);
    free(coef);
}

enum walras_status central_lp_solve(const struct scenario *s, struct lp_info *info,
                                    struct walras_err *err)
{
    struct central c = {.scenario = s,
                        .n_step = s->horizon.n_step,
                        .step_h = s->horizon.step_h,
                        .mwh_per_kw = walras_mwh(1.0, s->horizon.step_h),
                        .err = err};

    c.firm_kw = calloc(s->network.n_bus * c.n_step, sizeof(*c.firm_kw));
    c.status = c.firm_kw ? lp_new(&c.lp, err) : WALRAS_NOMEM;
    for (size_t i = 0; i < s->n_device && c.status == WALRAS_OK; i++)
        add_device(&c, &s->devices[i], scenario_device_bus(s, i));
    for (size_t i = 0; i < s->n_supply && c.status == WALRAS_OK; i++)
        add_supply(&c, &s->supplies[i]);
    if (c.status == WALRAS_OK)
        add_network(&c);
    if (c.status == WALRAS_OK)
        add_balances(&c);
    if (c.status == WALRAS_OK)
        c.status = lp_solve(c.lp, NULL, NULL, NULL, info, err);
    if (c.status == WALRAS_OK) {
        info->objective += c.constant;
        info->bound += c.constant;
    }
    lp_free(c.lp);
    free(c.terms);
    free(c.firm_kw);
    return c.status;
}
