#include "agents/book.h"

#include "agents/orders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct shelf { /* orders of one bus and step, by price; sloped ones last, in order of entry */
    struct market_order *orders;
    size_t n, capacity, n_flat;
    size_t *owner; /* [n - n_flat] of the sloped orders, rising; room for n_owner */
    size_t n_owner;
    size_t first; /* index of orders[0] in the closed book */
};

struct agent_book {
    struct agent_horizon horizon;
    size_t n_shelf;
    struct shelf *shelves; /* [n_bus x n_step] */
    double *firm_kw;
    double firm_cost;
    struct market_order *orders; /* once closed */
    size_t n_order;
};

struct entry { /* one device on its way into the book */
    struct agent_book *book;
    size_t owner;
    uint32_t bus;
};

struct visit { /* one device on its way through its orders, for its award */
    const struct agent_book *book;
    size_t owner;
    uint32_t bus;
    const double *order_kw;
    double *draw_kw;
};

enum walras_status agent_book_new(size_t n_bus, const struct agent_horizon *horizon,
                                  struct agent_book **made, struct walras_err *err)
{
    struct agent_book *book = calloc(1, sizeof(*book));

    if (book) {
        book->horizon = *horizon;
        book->n_shelf = n_bus * horizon->n_step;
        book->shelves = calloc(book->n_shelf, sizeof(*book->shelves));
        book->firm_kw = calloc(book->n_shelf, sizeof(*book->firm_kw));
    }
    if (!book || !book->shelves || !book->firm_kw) {
        agent_book_free(book);
        return walras_fail(err, WALRAS_NOMEM, "an order book of %zu buses does not fit in memory",
                           n_bus);
    }
    *made = book;
    return WALRAS_OK;
}

void agent_book_free(struct agent_book *book)
{
    if (!book)
        return;
    for (size_t i = 0; book->shelves && i < book->n_shelf; i++) {
        free(book->shelves[i].orders);
        free(book->shelves[i].owner);
    }
    free(book->shelves);
    free(book->firm_kw);
    free(book->orders);
    free(book);
}

/* Where a flat order of that price is, or belongs. */
static size_t find_price(const struct shelf *shelf, double price_per_mwh)
{
    size_t low = 0, high = shelf->n_flat;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (shelf->orders[middle].price_per_mwh < price_per_mwh)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_price(const struct shelf *shelf, size_t at, double price_per_mwh)
{
    return at < shelf->n_flat && shelf->orders[at].price_per_mwh <= price_per_mwh;
}

static bool make_room(struct shelf *shelf)
{
    size_t capacity = shelf->capacity ? 2 * shelf->capacity : 4;
    struct market_order *grown = NULL;

    if (shelf->n < shelf->capacity)
        return true;
    grown = realloc(shelf->orders, capacity * sizeof(*grown));
    if (!grown)
        return false;
    shelf->orders = grown;
    shelf->capacity = capacity;
    return true;
}

/* Sloped orders stand behind all flat ones; whose they are stands beside them. */
static enum walras_status enter_sloped(struct shelf *shelf, size_t owner)
{
    size_t at = shelf->n - shelf->n_flat;

    if (at == shelf->n_owner) {
        size_t room = shelf->n_owner ? 2 * shelf->n_owner : 4;
        size_t *grown = realloc(shelf->owner, room * sizeof(*grown));

        if (!grown)
            return WALRAS_NOMEM;
        shelf->owner = grown;
        shelf->n_owner = room;
    }
    shelf->owner[at] = owner;
    return WALRAS_OK;
}

static enum walras_status enter_order(void *context, const struct market_order *order)
{
    const struct entry *entry = context;
    size_t n_step = entry->book->horizon.n_step;
    struct shelf *shelf = &entry->book->shelves[entry->bus * n_step + order->step];
    bool flat = order->slope_per_mwh_per_kw <= 0.0;
    size_t at = flat ? find_price(shelf, order->price_per_mwh) : shelf->n;

    if (flat && is_price(shelf, at, order->price_per_mwh)) {
        shelf->orders[at].low_kw += order->low_kw;
        shelf->orders[at].high_kw += order->high_kw;
        return WALRAS_OK;
    }
    if (!make_room(shelf) || (!flat && enter_sloped(shelf, entry->owner) != WALRAS_OK))
        return WALRAS_NOMEM;
    memmove(shelf->orders + at + 1, shelf->orders + at, (shelf->n - at) * sizeof(*order));
    shelf->orders[at] = *order;
    shelf->orders[at].bus = entry->bus;
    shelf->n++;
    shelf->n_flat += flat;
    return WALRAS_OK;
}

enum walras_status agent_book_enter(struct agent_book *book, size_t owner,
                                    const struct agent_device *device, uint32_t bus,
                                    struct walras_err *err)
{
    struct entry entry = {.book = book, .owner = owner, .bus = bus};
    enum walras_status status =
        agent_device_orders(device, &book->horizon, book->firm_kw + bus * book->horizon.n_step,
                            &book->firm_cost, enter_order, &entry);

    if (status != WALRAS_OK)
        return walras_fail(err, status, "device %s: its orders do not fit in memory", device->id);
    return WALRAS_OK;
}

enum walras_status agent_book_close(struct agent_book *book, struct walras_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < book->n_shelf; i++)
        n += book->shelves[i].n;
    book->orders = malloc((n + 1) * sizeof(*book->orders));
    if (!book->orders)
        return walras_fail(err, WALRAS_NOMEM, "%zu orders do not fit in memory", n);
    for (size_t i = 0; i < book->n_shelf; i++) {
        struct shelf *shelf = &book->shelves[i];

        shelf->first = book->n_order;
        if (shelf->n > 0)
            memcpy(book->orders + book->n_order, shelf->orders, shelf->n * sizeof(*book->orders));
        book->n_order += shelf->n;
    }
    return WALRAS_OK;
}

const struct market_order *agent_book_orders(const struct agent_book *book, size_t *n)
{
    *n = book->n_order;
    return book->orders;
}

const double *agent_book_firm_kw(const struct agent_book *book)
{
    return book->firm_kw;
}

double agent_book_firm_cost(const struct agent_book *book)
{
    return book->firm_cost;
}

/* The sloped order of that owner. */
static size_t find_owner(const struct shelf *shelf, size_t owner)
{
    size_t low = 0, high = shelf->n - shelf->n_flat;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (shelf->owner[middle] < owner)
            low = middle + 1;
        else
            high = middle;
    }
    return shelf->n_flat + low;
}

static enum walras_status award_order(void *context, const struct market_order *order)
{
    const struct visit *visit = context;
    size_t n_step = visit->book->horizon.n_step;
    const struct shelf *shelf = &visit->book->shelves[visit->bus * n_step + order->step];
    size_t at = order->slope_per_mwh_per_kw > 0.0 ? find_owner(shelf, visit->owner)
                                                  : find_price(shelf, order->price_per_mwh);
    const struct market_order *whole = &shelf->orders[at];
    double width = whole->high_kw - whole->low_kw;
    double filled = visit->order_kw[shelf->first + at] - whole->low_kw;
    double share = width > 0.0 ? fmin(1.0, fmax(0.0, filled / width)) : 0.0;

    visit->draw_kw[order->step] -= order->low_kw + share * (order->high_kw - order->low_kw);
    return WALRAS_OK;
}

enum walras_status agent_book_award(const struct agent_book *book, size_t owner,
                                    const struct agent_device *device, uint32_t bus,
                                    const double *order_kw, double *draw_kw, struct walras_err *err)
{
    struct visit visit = {
        .book = book, .owner = owner, .bus = bus, .order_kw = order_kw, .draw_kw = draw_kw};
    double cost = 0.0;
    enum walras_status status = WALRAS_OK;

    memset(draw_kw, 0, book->horizon.n_step * sizeof(*draw_kw));
    status = agent_device_orders(device, &book->horizon, draw_kw, &cost, award_order, &visit);
    if (status != WALRAS_OK)
        return walras_fail(err, status, "device %s: its award cannot be told", device->id);
    return WALRAS_OK;
}
