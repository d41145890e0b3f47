#include "core/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct walras_pool {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    unsigned n_worker, n_started; /* n_started: threads that exist besides the caller */
    unsigned n_busy;              /* threads still in the current job */
    unsigned long job;            /* counts jobs, so that a thread sees a new one */
    bool stopping;
    void (*run)(void *, size_t, unsigned);
    void *context;
    size_t n_part;
    atomic_size_t next_part;
    struct member {
        struct walras_pool *pool;
        pthread_t thread;
        unsigned worker;
    } members[];
};

static void work(struct walras_pool *pool, unsigned worker)
{
    for (;;) {
        size_t part = atomic_fetch_add(&pool->next_part, 1);

        if (part >= pool->n_part)
            return;
        pool->run(pool->context, part, worker);
    }
}

static void *member_main(void *argument)
{
    struct member *member = argument;
    struct walras_pool *pool = member->pool;
    unsigned long seen = 0;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->stopping && pool->job == seen)
            pthread_cond_wait(&pool->start, &pool->lock);
        if (pool->stopping)
            break;
        seen = pool->job;
        pthread_mutex_unlock(&pool->lock);
        work(pool, member->worker);
        pthread_mutex_lock(&pool->lock);
        if (--pool->n_busy == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum walras_status walras_pool_new(unsigned n_worker, struct walras_pool **pool,
                                   struct walras_err *err)
{
    struct walras_pool *made = calloc(1, sizeof(*made) + n_worker * sizeof(made->members[0]));

    if (!made)
        return walras_fail(err, WALRAS_NOMEM, "cannot set up %u threads", n_worker);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->start, NULL);
    pthread_cond_init(&made->done, NULL);
    made->n_worker = n_worker;
    for (unsigned i = 1; i < n_worker; i++) {
        struct member *member = &made->members[i];

        *member = (struct member){.pool = made, .worker = i};
        if (pthread_create(&member->thread, NULL, member_main, member) != 0) {
            walras_pool_free(made);
            return walras_fail(err, WALRAS_NOMEM, "cannot start thread %u of %u", i + 1, n_worker);
        }
        made->n_started++;
    }
    *pool = made;
    return WALRAS_OK;
}

void walras_pool_free(struct walras_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 1; i <= pool->n_started; i++)
        pthread_join(pool->members[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->start);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

unsigned walras_pool_workers(const struct walras_pool *pool)
{
    return pool->n_worker;
}

void walras_pool_run(struct walras_pool *pool, size_t n_part,
                     void (*run)(void *context, size_t part, unsigned worker), void *context)
{
    pthread_mutex_lock(&pool->lock);
    pool->run = run;
    pool->context = context;
    pool->n_part = n_part;
    atomic_store(&pool->next_part, 0);
    pool->n_busy = pool->n_started;
    pool->job++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    work(pool, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->n_busy > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
