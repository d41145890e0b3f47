/*
 * Whether this server leads (db/lead.h): a thread of its own takes the lead when nobody has it, and
 * keeps it.
 *
 * While the database cannot be reached nobody knows who leads; then a leader takes itself for one
 * still, which harms nobody, because all it writes for a clearing holds its epoch.
 *
 * Threads  any may ask.
 */
#ifndef WALRAS_API_LEAD_H
#define WALRAS_API_LEAD_H

#include "db/lead.h"

struct api_lead;

struct api_lead_settings {
    const struct db_settings *database;
    /* From the thread, when the epoch is about to begin (> 0) or has ended (0). */
    void (*changed)(void *context, int64_t epoch);
    void *context;
};

/* Takes the lead at once where it can be had. */
WALRAS_NODISCARD enum walras_status api_lead_new(const struct api_lead_settings *settings,
                                                 struct api_lead **made, struct walras_err *err);
/* Gives it up, so that another can take it now. NULL is fine. */
void api_lead_stop(struct api_lead *lead);
void api_lead_free(struct api_lead *lead);
/* The epoch in which this server leads; 0: it follows. */
int64_t api_lead_epoch(const struct api_lead *lead);

#endif
