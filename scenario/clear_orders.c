/*
 * What is offered and asked openly: the book's orders, then two for each supply and step, then what
 * inverters and losses take. With
 * ranks, each has a book of its own devices; rank 0 puts equal orders together as one book would,
 * and tells each rank afterwards what became of its own: the same fraction as of the whole.
 */
#include "scenario/clear_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct told { /* an order of some rank's book, at rank 0 */
    struct market_order order;
    size_t at;     /* in rank order */
    size_t merged; /* which of the market's orders it went into */
};

struct clear_book {
    struct told *told; /* [n] by bus, step and price */
    size_t n;
    size_t *n_of; /* [ranks] orders of each */
    double *own_kw;
};

void clear_book_free(struct clear_book *book)
{
    if (!book)
        return;
    free(book->told);
    free(book->n_of);
    free(book->own_kw);
    free(book);
}

static bool is_flat(const struct market_order *order)
{
    return order->slope_per_mwh_per_kw <= 0.0;
}

static int compare(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* As agent_book_orders gives them: bus, step, flat ones by price, then sloped ones. */
static int by_place(const void *left, const void *right)
{
    const struct told *a = left, *b = right;

    if (a->order.bus != b->order.bus)
        return a->order.bus < b->order.bus ? -1 : 1;
    if (a->order.step != b->order.step)
        return a->order.step < b->order.step ? -1 : 1;
    if (is_flat(&a->order) != is_flat(&b->order))
        return is_flat(&a->order) ? -1 : 1;
    int price = is_flat(&a->order) ? compare(a->order.price_per_mwh, b->order.price_per_mwh) : 0;

    return price != 0 ? price : a->at < b->at ? -1 : a->at > b->at;
}

static bool goes_into(const struct told *told, const struct market_order *order)
{
    return is_flat(&told->order) && is_flat(order) && told->order.bus == order->bus &&
           told->order.step == order->step &&
           compare(told->order.price_per_mwh, order->price_per_mwh) == 0;
}

/* Rank 0: the orders of all ranks, in rank order. */
static enum walras_status gather(struct scenario_clearing *c, const struct market_order *own,
                                 size_t n_own, struct walras_err *err)
{
    struct walras_ranks *ranks = c->settings.market.ranks;
    struct clear_book *book = c->book;
    struct market_order *orders = NULL;
    size_t n = 0;

    for (unsigned r = 0; r < walras_ranks_count(ranks); r++)
        book->n += book->n_of[r];
    orders = calloc(book->n + 1, sizeof(*orders));
    book->told = calloc(book->n + 1, sizeof(*book->told));
    enum walras_status status =
        orders && book->told
            ? WALRAS_OK
            : walras_fail(err, WALRAS_NOMEM, "%zu orders do not fit in memory", book->n);

    status = walras_ranks_agree(ranks, status, err);
    if (status == WALRAS_OK && n_own > 0)
        memcpy(orders, own, n_own * sizeof(*own));
    n = n_own;
    for (unsigned r = 1; r < walras_ranks_count(ranks) && status == WALRAS_OK; r++) {
        walras_ranks_receive(ranks, r, orders + n, book->n_of[r] * sizeof(*orders));
        n += book->n_of[r];
    }
    for (size_t i = 0; i < n && status == WALRAS_OK; i++)
        book->told[i] = (struct told){.order = orders[i], .at = i};
    free(orders);
    return status;
}

static enum walras_status exchange(struct scenario_clearing *c, struct walras_err *err)
{
    struct walras_ranks *ranks = c->settings.market.ranks;
    size_t n_own = 0;
    const struct market_order *own = agent_book_orders(agent_fleet_book(c->fleet), &n_own);
    enum walras_status status = WALRAS_OK;

    c->book = calloc(1, sizeof(*c->book));
    if (c->book) {
        c->book->n_of = calloc(walras_ranks_count(ranks), sizeof(*c->book->n_of));
        c->book->own_kw = calloc(n_own + 1, sizeof(*c->book->own_kw));
    }
    if (!c->book || !c->book->n_of || !c->book->own_kw)
        status = walras_fail(err, WALRAS_NOMEM, "%zu orders do not fit in memory", n_own);
    status = walras_ranks_agree(ranks, status, err);
    if (status != WALRAS_OK)
        return status;
    walras_ranks_collect(ranks, &n_own, c->book->n_of, sizeof(n_own));
    if (walras_ranks_lead(ranks))
        return gather(c, own, n_own, err);
    status = walras_ranks_agree(ranks, WALRAS_OK, err);
    if (status == WALRAS_OK)
        walras_ranks_send(ranks, own, n_own * sizeof(*own));
    return status;
}

static void merge(struct scenario_clearing *c)
{
    struct clear_book *book = c->book;

    if (book->n == 0 || !book->told || !c->orders)
        return;
    qsort(book->told, book->n, sizeof(*book->told), by_place);
    for (size_t i = 0; i < book->n; i++) {
        struct told *told = &book->told[i];

        if (c->n_booked > 0 && goes_into(told, &c->orders[c->n_booked - 1])) {
            c->orders[c->n_booked - 1].low_kw += told->order.low_kw;
            c->orders[c->n_booked - 1].high_kw += told->order.high_kw;
        } else {
            c->orders[c->n_booked++] = told->order;
        }
        told->merged = c->n_booked - 1;
    }
}

static void add_supplies(struct scenario_clearing *c)
{
    const struct scenario *s = c->scenario;

    for (size_t i = 0; i < s->n_supply; i++)
        for (uint32_t t = 0; t < s->horizon.n_step; t++) {
            const struct scenario_supply *supply = &s->supplies[i];

            c->orders[c->n_order++] =
                (struct market_order){.bus = supply->bus,
                                      .step = t,
                                      .high_kw = walras_series_at(supply->import_limit_kw, t),
                                      .price_per_mwh = walras_series_at(supply->price_per_mwh, t)};
            c->orders[c->n_order++] = (struct market_order){
                .bus = supply->bus,
                .step = t,
                .low_kw = -walras_series_at(supply->export_limit_kw, t),
                .price_per_mwh = walras_series_at(supply->export_price_per_mwh, t)};
        }
}

/* What inverters can give or take, for nothing; their limits leave less beside kW. */
static void add_inverters(struct scenario_clearing *c)
{
    c->n_supplied = c->n_order;
    for (size_t i = 0; i < c->nodes.n_inverter; i++)
        for (uint32_t t = 0; t < c->scenario->horizon.n_step; t++) {
            const struct scenario_inverter *at = &c->nodes.inverters[i];
            double reach = agent_device_reach_kvar(&c->scenario->devices[at->device], t);

            c->orders[c->n_order++] = (struct market_order){
                .bus = (uint32_t)at->node, .step = t, .low_kw = -reach, .high_kw = reach};
        }
}

/* What trees may draw for their losses, for nothing: limits say that it is no less than they are.
 */
static void add_losses(struct scenario_clearing *c)
{
    size_t first = c->nodes.n - c->nodes.n_loss;

    for (size_t j = 0; j < c->nodes.n_loss; j++)
        for (uint32_t t = 0; t < c->scenario->horizon.n_step; t++)
            c->orders[c->n_order++] =
                (struct market_order){.bus = (uint32_t)(first + j),
                                      .step = t,
                                      .low_kw = -scenario_losses_most_kw(c->settings.losses, j)};
}

/* The draw and cost that nothing changes, of all ranks. */
static enum walras_status add_firm(struct scenario_clearing *c, struct walras_err *err)
{
    struct walras_ranks *ranks = c->settings.market.ranks;
    size_t n_cell = c->nodes.n * c->scenario->horizon.n_step;
    enum walras_status status = WALRAS_OK;

    c->firm_kw = calloc(n_cell + 1, sizeof(*c->firm_kw));
    if (!c->firm_kw)
        status = walras_fail(err, WALRAS_NOMEM, "the draws of buses do not fit in memory");
    status = walras_ranks_agree(ranks, status, err);
    if (status != WALRAS_OK || !c->firm_kw)
        return status;
    memcpy(c->firm_kw, agent_book_firm_kw(agent_fleet_book(c->fleet)),
           n_cell * sizeof(*c->firm_kw));
    c->firm_cost = agent_book_firm_cost(agent_fleet_book(c->fleet));
    walras_ranks_sum(ranks, c->firm_kw, n_cell);
    walras_ranks_sum(ranks, &c->firm_cost, 1);
    return WALRAS_OK;
}

enum walras_status clear_orders(struct scenario_clearing *c, struct walras_err *err)
{
    const struct scenario *s = c->scenario;
    struct walras_ranks *ranks = c->settings.market.ranks;
    enum walras_status status = add_firm(c, err);
    size_t n = 0;
    const struct market_order *own = agent_book_orders(agent_fleet_book(c->fleet), &n);

    if (status == WALRAS_OK && ranks)
        status = exchange(c, err);
    if (status != WALRAS_OK || !walras_ranks_lead(ranks))
        return status;
    n = ranks ? c->book->n : n;
    c->orders = calloc(
        n + (2 * s->n_supply + c->nodes.n_inverter + c->nodes.n_loss) * s->horizon.n_step + 1,
        sizeof(*c->orders));
    if (!c->orders)
        return walras_fail(err, WALRAS_NOMEM, "%zu orders do not fit in memory", n);
    if (ranks)
        merge(c);
    else if (n > 0)
        memcpy(c->orders, own, n * sizeof(*own));
    c->n_booked = ranks ? c->n_booked : n;
    c->n_order = c->n_booked;
    add_supplies(c);
    add_inverters(c);
    add_losses(c);
    return WALRAS_OK;
}

/* What an order that went into another gets of it: the same fraction of its range. */
static double share_of(const struct market_order *order, const struct market_order *whole,
                       double whole_kw)
{
    double width = whole->high_kw - whole->low_kw;
    double share = width > 0.0 ? fmin(1.0, fmax(0.0, (whole_kw - whole->low_kw) / width)) : 0.0;

    return order->low_kw + share * (order->high_kw - order->low_kw);
}

enum walras_status clear_order_awards(struct scenario_clearing *c, struct walras_err *err)
{
    struct walras_ranks *ranks = c->settings.market.ranks;
    struct clear_book *book = c->book;
    size_t first = 0, all = 0;
    double *kw = NULL;
    enum walras_status status = WALRAS_OK;

    c->decided.order_kw = c->market.order_kw;
    if (!ranks)
        return WALRAS_OK;
    for (unsigned r = 0; r < ranks->n; r++) {
        first += r < ranks->rank ? book->n_of[r] : 0;
        all += book->n_of[r];
    }
    kw = calloc(all + 1, sizeof(*kw));
    if (!kw)
        status = walras_fail(err, WALRAS_NOMEM, "the awards of %zu orders do not fit", all);
    status = walras_ranks_agree(ranks, status, err);
    for (size_t i = 0; status == WALRAS_OK && kw && i < book->n; i++) {
        const struct told *told = &book->told[i];

        kw[told->at] =
            share_of(&told->order, &c->orders[told->merged], c->market.order_kw[told->merged]);
    }
    if (status == WALRAS_OK && kw) {
        walras_ranks_broadcast(ranks, kw, all * sizeof(*kw));
        memcpy(book->own_kw, kw + first, book->n_of[ranks->rank] * sizeof(*kw));
        c->decided.order_kw = book->own_kw;
    }
    free(kw);
    return status;
}
