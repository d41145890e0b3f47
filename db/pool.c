#include "db/pool.h"

#include "core/clock.h"

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
    bool away, tried; /* the database, when it was last tried; somebody is trying again */
    double again_s;   /* when it may be tried again */
    struct walras_err why;
};

#define QUICK_S 0.1 /* a failure that nobody minds waiting for */
#define AGAIN_S 0.25

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

/* Under the lock: it could not be reached a moment ago, or somebody is trying to just now. */
static bool is_hopeless(const struct db_pool *pool)
{
    return pool->away && (pool->tried || walras_monotonic_s() < pool->again_s);
}

/* A place for a session, and one that was made before or NULL; false: not now. */
static bool enter(struct db_pool *pool, struct db_session **session, bool *tries,
                  struct walras_err *err)
{
    bool hopeless = false;

    pthread_mutex_lock(&pool->lock);
    while (!(hopeless = is_hopeless(pool)) && pool->n_out == pool->most)
        pthread_cond_wait(&pool->given, &pool->lock);
    if (hopeless) {
        (void)walras_fail(err, pool->why.code, "%s", pool->why.msg);
    } else {
        *tries = pool->tried = pool->away;
        pool->n_out++;
        if (pool->n_idle > 0)
            *session = pool->idle[--pool->n_idle];
    }
    pthread_mutex_unlock(&pool->lock);
    return !hopeless;
}

/* What came of connecting: others need not wait for the same failure, where it takes a while. */
static void note(struct db_pool *pool, bool tries, double from_s, const struct walras_err *cause)
{
    double now_s = walras_monotonic_s();

    pthread_mutex_lock(&pool->lock);
    pool->away = cause->code == WALRAS_UNAVAILABLE;
    pool->again_s = now_s + (now_s - from_s > QUICK_S ? AGAIN_S : 0.0);
    pool->why = *cause;
    if (tries)
        pool->tried = false;
    if (pool->away)
        pthread_cond_broadcast(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}

enum walras_status db_pool_take(struct db_pool *pool, struct db_session **session,
                                struct walras_err *err)
{
    struct db_session *taken = NULL;
    struct walras_err cause = {0};
    bool tries = false;
    double from_s = 0.0;
    enum walras_status status = WALRAS_OK;

    if (!enter(pool, &taken, &tries, &cause))
        return walras_fail(err, cause.code, "%s", cause.msg);
    from_s = walras_monotonic_s();
    status = taken ? db_ready(taken, &cause) : db_session_new(&pool->settings, &taken, &cause);
    note(pool, tries, from_s, &cause);
    if (status == WALRAS_OK) {
        *session = taken;
        return status;
    }
    leave(pool, taken);
    return walras_fail(err, status, "%s", cause.msg);
}

void db_pool_give(struct db_pool *pool, struct db_session *session)
{
    if (session)
        leave(pool, session);
}
