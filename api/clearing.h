/*
 * Clearing a market of the database: its delegated participants in this process, its remote ones by
 * rounds over the network.
 *
 * The price method is told what the rounds brought, and nothing else: run again from the start,
 * with the rounds that are stored, it stands where it stood. So nothing of it is kept, and a server
 * that was killed goes on with the same round.
 */
#ifndef WALRAS_API_CLEARING_H
#define WALRAS_API_CLEARING_H

#include "api/live.h"
#include "db/pool.h"

/*
 * Until the market is cleared, failed or cancelled, or the server stops; then it is left as it is.
 * What happens is logged.
 */
void api_clear(struct db_pool *pool, struct api_live *live, const char *market);

#endif
