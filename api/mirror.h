/*
 * Live markets of a server that does not lead: copies of what the leader has open, taken from the
 * database whenever there is news of a market. With them a follower serves long polls, events and
 * answers as the leader does.
 *
 * Threads  any.
 */
#ifndef WALRAS_API_MIRROR_H
#define WALRAS_API_MIRROR_H

#include "api/live.h"
#include "db/pool.h"

struct api_mirror;

/* `pool` and `live` are borrowed. */
WALRAS_NODISCARD enum walras_status api_mirror_new(struct db_pool *pool, struct api_live *live,
                                                   struct api_mirror **made,
                                                   struct walras_err *err);
void api_mirror_free(struct api_mirror *mirror); /* NULL is fine */
/* False: this server leads, and has markets of its own: all copies are dropped. */
void api_mirror_enable(struct api_mirror *mirror, bool enabled);
/*
 * Looks at the market again, or (NULL) at all that are clearing or copied. WALRAS_UNAVAILABLE: the
 * database is away; WALRAS_CONFLICT: this server is not done with clearing it. Look again later.
 */
WALRAS_NODISCARD enum walras_status api_mirror_look(struct api_mirror *mirror, const char *market,
                                                    struct walras_err *err);

#endif
