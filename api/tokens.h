/*
 * Tokens that were found good a moment ago, so that routes that agents ask all the time do not ask
 * the database each time.
 *
 * A token is believed for API_TOKEN_BELIEF_S at most and never beyond its end: what is revoked
 * counts no longer than that. Kept are digests, not tokens.
 *
 * Threads  any.
 */
#ifndef WALRAS_API_TOKENS_H
#define WALRAS_API_TOKENS_H

#include "core/status.h"
#include "db/clients.h"
#include "db/secret.h"

#define API_TOKEN_BELIEF_S 2.0

struct api_tokens;

WALRAS_NODISCARD enum walras_status api_tokens_new(struct api_tokens **made,
                                                   struct walras_err *err);
void api_tokens_free(struct api_tokens *tokens); /* NULL is fine */

/* Times are by the monotonic clock. */
bool api_tokens_find(struct api_tokens *tokens, const char digest[DB_DIGEST_TEXT], double now_s,
                     struct db_client *client);
void api_tokens_keep(struct api_tokens *tokens, const char digest[DB_DIGEST_TEXT],
                     const struct db_client *client, double until_s);

#endif
