/*
 * Secrets and digests, by libsodium. Secrets are 256 random bits made here, so that one fast hash
 * with a salt is enough: there is nothing to guess.
 *
 * Threads  db_secret_init once, before any thread; then no shared state.
 */
#ifndef WALRAS_DB_SECRET_H
#define WALRAS_DB_SECRET_H

#include "core/status.h"

enum { DB_SECRET_TEXT = 64, DB_SECRET_HASH = 128, DB_DIGEST = 32, DB_DIGEST_TEXT = 65 };

WALRAS_NODISCARD enum walras_status db_secret_init(struct walras_err *err);

/* A new secret as text of letters, digits, "-" and "_". */
void db_secret_make(char text[DB_SECRET_TEXT]);
/* What is stored of it. WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status db_secret_hash(const char *secret, char hash[DB_SECRET_HASH],
                                                   struct walras_err *err);
/* In constant time. */
bool db_secret_matches(const char *secret, const char *hash);
/* As long as db_secret_matches takes: for names that are not there. */
void db_secret_pretend(const char *secret);
void db_secret_forget(void *text, size_t size);

/* SHA-256 in hex. */
void db_digest_text(const void *bytes, size_t size, char text[DB_DIGEST_TEXT]);

#endif
