/*
 * A market of the database worded as a scenario: what is judged when something is put, and what is
 * cleared, is read by the one reader there is.
 */
#ifndef WALRAS_API_WORDING_H
#define WALRAS_API_WORDING_H

#include "db/markets.h"
#include "scenario/scenario.h"

#include <stdio.h>

struct api_wording { /* JSON texts; NULL: what the format has when it is absent */
    const char *name, *currency;
    const char *horizon; /* an object; NULL: made from the next three */
    const char *start;   /* plain text */
    int64_t step_minutes, steps;
    const char *grid;            /* an object */
    const char *supply, *agents; /* lists */
};
struct api_wording api_wording_of(const struct db_market *market, const char *grid);

/* Messages begin with "body: /json/path". Naming a file is an error. */
WALRAS_NODISCARD enum walras_status api_wording_read(const struct api_wording *wording,
                                                     struct scenario *scenario,
                                                     struct walras_err *err);
/* An agent of the list; devices: a JSON list. */
void api_wording_agent(FILE *file, bool first, const char *id, const char *bus,
                       const char *devices);
/* Takes `prefix` off the pointer in the message, when it begins with it. */
void api_wording_strip(struct walras_err *err, const char *prefix);

#endif
