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

#include "api/lead.h"
#include "api/live.h"
#include "db/pool.h"

struct api_clear_settings { /* borrowed */
    struct db_pool *pool;
    struct api_live *live;
    const struct api_lead *lead;
};

/*
 * Until the market is cleared, failed or cancelled, or the server stops or does not lead in that
 * epoch any more; then it is left as it is. What happens is logged.
 */
void api_clear(const struct api_clear_settings *settings, int64_t epoch, const char *market);

#endif
