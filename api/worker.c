#include "api/worker.h"

#include "core/clock.h"
#include "db/markets.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 64 };

struct place { /* of a thread */
    struct api_worker *worker;
    pthread_t thread;
    bool running;
    char market[DB_ID]; /* that it clears; "": none */
    int64_t epoch;
};

struct api_worker {
    struct api_worker_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stopping;
    struct place places[MAX_THREADS];
    unsigned n_place;
};

static bool is_taken(const struct api_worker *worker, const char *market)
{
    for (unsigned i = 0; i < worker->n_place; i++)
        if (strcmp(worker->places[i].market, market) == 0)
            return true;
    return false;
}

/* Under the lock: the market that has waited longest and nobody has taken. */
static bool claim(struct place *place)
{
    const struct api_worker *worker = place->worker;
    struct db_pool *pool = worker->settings.clear.pool;
    struct db_session *session = NULL;
    struct db_rows rows = {0};

    place->epoch = api_lead_epoch(worker->settings.clear.lead);
    if (place->epoch == 0 || db_pool_take(pool, &session, NULL) != WALRAS_OK)
        return false;
    if (db_market_clearing(session, &rows, NULL) == WALRAS_OK)
        for (size_t i = 0; i < rows.n && place->market[0] == '\0'; i++)
            if (!is_taken(worker, db_text(&rows, i, 0)))
                snprintf(place->market, sizeof(place->market), "%s", db_text(&rows, i, 0));
    db_rows_release(&rows);
    db_pool_give(pool, session);
    return place->market[0] != '\0';
}

/*
 * Sleeps until it is woken, or a second is over: other programs write to the database too. A
 * follower looks often whether it leads now, which costs nothing.
 */
static bool find_work(struct place *place)
{
    struct api_worker *worker = place->worker;
    bool found = false;

    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping && !(found = claim(place))) {
        const struct timespec until =
            walras_monotonic_until(walras_monotonic_s() + (place->epoch > 0 ? 1.0 : 0.1));

        pthread_cond_timedwait(&worker->woken, &worker->lock, &until);
    }
    pthread_mutex_unlock(&worker->lock);
    return found;
}

static void *work(void *context)
{
    struct place *place = context;
    struct api_worker *worker = place->worker;

    while (find_work(place)) {
        api_clear(&worker->settings.clear, place->epoch, place->market);
        pthread_mutex_lock(&worker->lock);
        place->market[0] = '\0';
        pthread_mutex_unlock(&worker->lock);
    }
    return NULL;
}

static enum walras_status start(struct api_worker *worker, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (unsigned i = 0; status == WALRAS_OK && i < worker->settings.n_thread; i++) {
        struct place *place = &worker->places[i];

        place->worker = worker;
        pthread_mutex_lock(&worker->lock);
        worker->n_place = i + 1;
        place->running = pthread_create(&place->thread, NULL, work, place) == 0;
        pthread_mutex_unlock(&worker->lock);
        if (!place->running)
            status = walras_fail(err, WALRAS_NOMEM, "cannot start a thread to clear markets");
    }
    return status;
}

enum walras_status api_worker_new(const struct api_worker_settings *settings,
                                  struct api_worker **made, struct walras_err *err)
{
    struct api_worker *worker = calloc(1, sizeof(*worker));
    pthread_condattr_t monotonic;
    enum walras_status status = WALRAS_OK;

    if (!worker)
        return walras_fail(err, WALRAS_NOMEM, "no memory to clear markets");
    worker->settings = *settings;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    status = start(worker, err);
    if (status == WALRAS_OK)
        *made = worker;
    else
        api_worker_free(worker);
    return status;
}

void api_worker_wake(struct api_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    pthread_cond_signal(&worker->woken);
    pthread_mutex_unlock(&worker->lock);
}

void api_worker_stop(struct api_worker *worker)
{
    if (!worker)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_broadcast(&worker->woken);
    pthread_mutex_unlock(&worker->lock);
    for (unsigned i = 0; i < worker->n_place; i++) {
        if (worker->places[i].running)
            pthread_join(worker->places[i].thread, NULL);
        worker->places[i].running = false;
    }
}

void api_worker_free(struct api_worker *worker)
{
    if (!worker)
        return;
    api_worker_stop(worker);
    pthread_cond_destroy(&worker->woken);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
