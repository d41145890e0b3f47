#include "api/tokens.h"

#include "core/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 8192 }; /* where two tokens share one, the later is believed */

struct slot {
    char digest[DB_DIGEST_TEXT];
    struct db_client client;
    double until_s;
};

struct api_tokens {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

enum walras_status api_tokens_new(struct api_tokens **made, struct walras_err *err)
{
    struct api_tokens *tokens = calloc(1, sizeof(*tokens));

    if (!tokens)
        return walras_fail(err, WALRAS_NOMEM, "no memory for tokens");
    pthread_mutex_init(&tokens->lock, NULL);
    *made = tokens;
    return WALRAS_OK;
}

void api_tokens_free(struct api_tokens *tokens)
{
    if (!tokens)
        return;
    pthread_mutex_destroy(&tokens->lock);
    free(tokens);
}

static struct slot *slot_of(struct api_tokens *tokens, const char *digest)
{
    return &tokens->slots[walras_hash(0, digest, strlen(digest)) % SLOTS];
}

bool api_tokens_find(struct api_tokens *tokens, const char digest[DB_DIGEST_TEXT], double now_s,
                     struct db_client *client)
{
    struct slot *slot = slot_of(tokens, digest);
    bool found = false;

    pthread_mutex_lock(&tokens->lock);
    found = now_s < slot->until_s && strcmp(slot->digest, digest) == 0;
    if (found)
        *client = slot->client;
    pthread_mutex_unlock(&tokens->lock);
    return found;
}

void api_tokens_keep(struct api_tokens *tokens, const char digest[DB_DIGEST_TEXT],
                     const struct db_client *client, double until_s)
{
    struct slot *slot = slot_of(tokens, digest);

    pthread_mutex_lock(&tokens->lock);
    memcpy(slot->digest, digest, DB_DIGEST_TEXT);
    slot->client = *client;
    slot->until_s = until_s;
    pthread_mutex_unlock(&tokens->lock);
}
