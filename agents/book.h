/*
 * An order book: what separable devices offer and ask openly, orders of one price at one bus and
 * step put together.
 *
 * Orders with a slope are kept apart. After the clearing a device's share of a merged order is the
 * same fraction of its own range as of the whole: pro rata.
 *
 * Units  as struct market_order.
 */
#ifndef WALRAS_AGENTS_BOOK_H
#define WALRAS_AGENTS_BOOK_H

#include "agents/device.h"
#include "market/oracle.h"

struct agent_book;

WALRAS_NODISCARD enum walras_status agent_book_new(size_t n_bus,
                                                   const struct agent_horizon *horizon,
                                                   struct agent_book **made,
                                                   struct walras_err *err);
void agent_book_free(struct agent_book *book);

/*
 * Enters a separable device at `bus`: its orders, firm draw and constant cost. `owner` is a number
 * of the caller's, larger with every entry, by which the device is known when it is awarded.
 */
WALRAS_NODISCARD enum walras_status agent_book_enter(struct agent_book *book, size_t owner,
                                                     const struct agent_device *device,
                                                     uint32_t bus, struct walras_err *err);

/* After the last entry: orders in bus, step and price order. */
WALRAS_NODISCARD enum walras_status agent_book_close(struct agent_book *book,
                                                     struct walras_err *err);
const struct market_order *agent_book_orders(const struct agent_book *book, size_t *n);
const double *agent_book_firm_kw(const struct agent_book *book); /* [n_bus x n_step] draw */
double agent_book_firm_cost(const struct agent_book *book);

/*
 * The draw [n_step] of a device that was entered, when the book's orders inject order_kw. A device
 * has at most one sloped order a step.
 */
WALRAS_NODISCARD enum walras_status agent_book_award(const struct agent_book *book, size_t owner,
                                                     const struct agent_device *device,
                                                     uint32_t bus, const double *order_kw,
                                                     double *draw_kw, struct walras_err *err);

#endif
