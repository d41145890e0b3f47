#include "db/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct db_pool {
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct db_settings settings;
    char *conninfo;
    struct db_session **idle; /* [n_idle] */
    unsigned n_idle, n_out, most;
};

enum walras_status db_pool_new(const struct db_settings *settings, unsigned most,
                               struct db_pool **made, struct walras_err *err)
{
    struct db_pool *pool = calloc(1, sizeof(*pool));

    if (pool) {
        pool->idle = calloc(most, sizeof(struct db_session *));
        pool->conninfo = strdup(settings->conninfo);
    }
    if (!pool || !pool->idle || !pool->conninfo) {
        if (pool)
            free(pool->conninfo);
        if (pool)
            free(pool->idle);
        free(pool);
        return walras_fail(err, WALRAS_NOMEM, "no memory for %u database sessions", most);
    }
    pool->settings = *settings;
    pool->settings.conninfo = pool->conninfo;
    pool->most = most;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->given, NULL);
    *made = pool;
    return WALRAS_OK;
}

void db_pool_free(struct db_pool *pool)
{
    if (!pool)
        return;
    for (unsigned i = 0; i < pool->n_idle; i++)
        db_session_free(pool->idle[i]);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->lock);
    free(pool->idle);
    free(pool->conninfo);
    free(pool);
}

static void leave(struct db_pool *pool, struct db_session *kept)
{
    pthread_mutex_lock(&pool->lock);
    if (kept)
        pool->idle[pool->n_idle++] = kept;
    pool->n_out--;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}

enum walras_status db_pool_take(struct db_pool *pool, struct db_session **session,
                                struct walras_err *err)
{
    struct db_session *taken = NULL;
    enum walras_status status = WALRAS_OK;

    pthread_mutex_lock(&pool->lock);
    while (pool->n_out == pool->most)
        pthread_cond_wait(&pool->given, &pool->lock);
    pool->n_out++;
    if (pool->n_idle > 0)
        taken = pool->idle[--pool->n_idle];
    pthread_mutex_unlock(&pool->lock);
    status = taken ? db_ready(taken, err) : db_session_new(&pool->settings, &taken, err);
    if (status == WALRAS_OK)
        *session = taken;
    else
        leave(pool, taken);
    return status;
}

void db_pool_give(struct db_pool *pool, struct db_session *session)
{
    if (session)
        leave(pool, session);
}
