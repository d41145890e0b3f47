#include "api/watch.h"

#include "core/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct api_watched {
    struct api_watched *before, *after;
    int socket;
    double until_s; /* INFINITY: as long as it takes */
};

struct api_watch {
    struct api_watch_settings settings;
    pthread_mutex_t lock;
    pthread_t thread;
    bool running, stop;
    struct api_watched list; /* a ring */
};

static void cut_late(struct api_watch *watch)
{
    double now_s = walras_monotonic_s();

    pthread_mutex_lock(&watch->lock);
    for (struct api_watched *at = watch->list.after; at != &watch->list; at = at->after)
        if (now_s > at->until_s) {
            shutdown(at->socket, SHUT_RDWR); /* its server sees the end and closes it */
            at->until_s = (double)INFINITY;
            (*watch->settings.cut)++;
        }
    pthread_mutex_unlock(&watch->lock);
}

static void *look(void *context)
{
    struct api_watch *watch = context;
    const struct timespec pause = {.tv_nsec = 500000000};
    bool stop = false;

    while (!stop) {
        nanosleep(&pause, NULL);
        cut_late(watch);
        pthread_mutex_lock(&watch->lock);
        stop = watch->stop;
        pthread_mutex_unlock(&watch->lock);
    }
    return NULL;
}

enum walras_status api_watch_new(const struct api_watch_settings *settings, struct api_watch **made,
                                 struct walras_err *err)
{
    struct api_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return walras_fail(err, WALRAS_NOMEM, "no memory to watch connections");
    watch->settings = *settings;
    watch->list.before = watch->list.after = &watch->list;
    pthread_mutex_init(&watch->lock, NULL);
    watch->running = pthread_create(&watch->thread, NULL, look, watch) == 0;
    if (!watch->running) {
        api_watch_free(watch);
        return walras_fail(err, WALRAS_NOMEM, "cannot start a thread to watch connections");
    }
    *made = watch;
    return WALRAS_OK;
}

void api_watch_free(struct api_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_mutex_unlock(&watch->lock);
    if (watch->running)
        pthread_join(watch->thread, NULL);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

static void set_until(struct api_watch *watch, struct api_watched *watched, double wait_s)
{
    double until_s = walras_monotonic_s() + wait_s;

    if (!watched)
        return;
    pthread_mutex_lock(&watch->lock);
    watched->until_s = until_s;
    pthread_mutex_unlock(&watch->lock);
}

struct api_watched *api_watch_add(struct api_watch *watch, int socket)
{
    struct api_watched *watched = calloc(1, sizeof(*watched));

    if (!watched)
        return NULL;
    watched->socket = socket;
    watched->until_s = walras_monotonic_s() + watch->settings.header_s;
    pthread_mutex_lock(&watch->lock);
    watched->before = watch->list.before;
    watched->after = &watch->list;
    watched->before->after = watched->after->before = watched;
    pthread_mutex_unlock(&watch->lock);
    return watched;
}

void api_watch_remove(struct api_watch *watch, struct api_watched *watched)
{
    if (!watched)
        return;
    pthread_mutex_lock(&watch->lock);
    watched->before->after = watched->after;
    watched->after->before = watched->before;
    pthread_mutex_unlock(&watch->lock);
    free(watched);
}

void api_watch_body(struct api_watch *watch, struct api_watched *watched)
{
    set_until(watch, watched, watch->settings.body_s);
}

void api_watch_answer(struct api_watch *watch, struct api_watched *watched)
{
    set_until(watch, watched, (double)INFINITY);
}

void api_watch_stall(struct api_watch *watch, struct api_watched *watched)
{
    set_until(watch, watched, watch->settings.stall_s);
}

void api_watch_idle(struct api_watch *watch, struct api_watched *watched)
{
    set_until(watch, watched, watch->settings.idle_s);
}
