#include "api/live.h"

#include "core/clock.h"
#include "core/hash.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct api_live_market {
    struct api_live_market *next;
    struct api_live_settings settings;
    struct api_round round;
    bool open, dropped, poked;
    size_t n_missing;
    struct api_round_report *reports; /* [n_report] by number */
    size_t n_report, report_room;
};

enum { BUCKETS = 1024 };

#define LOOK_S 1.0

struct api_live {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for clearings, by the monotonic clock */
    pthread_t thread;
    bool running, stopping, ended;
    uint64_t events[BUCKETS]; /* that happened, by the hash of the market's name */
    struct api_live_market *markets;
    struct api_waiter waiters; /* a ring */
};

static void wake(struct api_waiter *waiter)
{
    waiter->before->after = waiter->after;
    waiter->after->before = waiter->before;
    waiter->wake(waiter);
}

static uint64_t *events_of(struct api_live *live, const char *market)
{
    return &live->events[walras_hash(0, market, strlen(market)) % BUCKETS];
}

/* market NULL: of all */
static void wake_all(struct api_live *live, const char *market)
{
    struct api_waiter *next = NULL;

    if (market)
        ++*events_of(live, market);
    for (struct api_waiter *at = live->waiters.after; at != &live->waiters; at = next) {
        next = at->after;
        if (!market || strcmp(at->market, market) == 0)
            wake(at);
    }
}

static void *wake_late(void *context)
{
    struct api_live *live = context;
    const struct timespec pause = {.tv_nsec = 100000000};
    bool ended = false;

    while (!ended) {
        struct api_waiter *next = NULL;
        double now_s = 0.0;

        nanosleep(&pause, NULL);
        now_s = walras_monotonic_s();
        pthread_mutex_lock(&live->lock);
        for (struct api_waiter *at = live->waiters.after; at != &live->waiters; at = next) {
            next = at->after;
            if (now_s >= at->until_s) {
                at->late = true;
                wake(at);
            }
        }
        ended = live->ended;
        pthread_mutex_unlock(&live->lock);
    }
    return NULL;
}

enum walras_status api_live_new(struct api_live **made, struct walras_err *err)
{
    struct api_live *live = calloc(1, sizeof(*live));
    pthread_condattr_t monotonic;

    if (!live)
        return walras_fail(err, WALRAS_NOMEM, "no memory for rounds");
    live->waiters.before = live->waiters.after = &live->waiters;
    pthread_mutex_init(&live->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&live->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    live->running = pthread_create(&live->thread, NULL, wake_late, live) == 0;
    if (!live->running) {
        api_live_free(live);
        return walras_fail(err, WALRAS_NOMEM, "cannot start a thread for rounds");
    }
    *made = live;
    return WALRAS_OK;
}

void api_live_free(struct api_live *live)
{
    if (!live)
        return;
    pthread_mutex_lock(&live->lock);
    live->ended = true;
    pthread_mutex_unlock(&live->lock);
    if (live->running)
        pthread_join(live->thread, NULL);
    pthread_cond_destroy(&live->changed);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

void api_live_stop(struct api_live *live)
{
    if (!live)
        return;
    pthread_mutex_lock(&live->lock);
    live->stopping = true;
    wake_all(live, NULL);
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

bool api_live_stopping(struct api_live *live)
{
    bool stopping = false;

    pthread_mutex_lock(&live->lock);
    stopping = live->stopping;
    pthread_mutex_unlock(&live->lock);
    return stopping;
}

static struct api_live_market *find(struct api_live *live, const char *market)
{
    struct api_live_market *at = live->markets;

    while (at && strcmp(at->settings.market, market) != 0)
        at = at->next;
    return at;
}

enum walras_status api_live_begin(struct api_live *live, const struct api_live_settings *settings,
                                  struct api_live_market **made, struct walras_err *err)
{
    struct api_live_market *market = calloc(1, sizeof(*market));
    bool taken = false;

    if (!market)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the rounds of %s", settings->market);
    market->settings = *settings;
    pthread_mutex_lock(&live->lock);
    taken = find(live, settings->market) != NULL;
    market->next = live->markets;
    if (!taken)
        live->markets = market;
    pthread_mutex_unlock(&live->lock);
    if (taken) {
        free(market);
        return walras_fail(err, WALRAS_CONFLICT, "%s is live already", settings->market);
    }
    *made = market;
    return WALRAS_OK;
}

void api_live_end(struct api_live *live, struct api_live_market *market)
{
    if (!market)
        return;
    pthread_mutex_lock(&live->lock);
    for (struct api_live_market **at = &live->markets; *at; at = &(*at)->next)
        if (*at == market) {
            *at = market->next;
            break;
        }
    wake_all(live, market->settings.market);
    pthread_mutex_unlock(&live->lock);
    free(market->reports);
    free(market);
}

void api_live_open(struct api_live *live, struct api_live_market *market,
                   const struct api_round *round)
{
    const struct api_live_settings *s = &market->settings;

    pthread_mutex_lock(&live->lock);
    market->round = *round;
    market->n_missing = 0;
    for (size_t i = 0; i < s->n_agent; i++)
        market->n_missing += !s->agents[i].answered && !s->agents[i].suspended;
    market->open = true;
    wake_all(live, s->market);
    pthread_mutex_unlock(&live->lock);
}

void api_live_close(struct api_live *live, struct api_live_market *market)
{
    pthread_mutex_lock(&live->lock);
    market->open = false;
    pthread_mutex_unlock(&live->lock);
}

enum walras_status api_live_report(struct api_live *live, struct api_live_market *market,
                                   const struct api_round_report *report, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    pthread_mutex_lock(&live->lock);
    if (market->n_report == market->report_room) {
        size_t room = 2 * market->report_room + 16;
        struct api_round_report *grown = realloc(market->reports, room * sizeof(*grown));

        if (grown) {
            market->reports = grown;
            market->report_room = room;
        } else {
            status = walras_fail(err, WALRAS_NOMEM, "no memory for %zu rounds", room);
        }
    }
    if (status == WALRAS_OK)
        market->reports[market->n_report++] = *report;
    wake_all(live, market->settings.market);
    pthread_mutex_unlock(&live->lock);
    return status;
}

enum api_live_news api_live_wait(struct api_live *live, struct api_live_market *market)
{
    double until_s = market->round.until_s, look_s = walras_monotonic_s() + LOOK_S;
    const struct timespec until = walras_monotonic_until(until_s < look_s ? until_s : look_s);
    enum api_live_news news = API_LIVE_COMPLETE;
    int failure = 0;

    pthread_mutex_lock(&live->lock);
    while (market->n_missing > 0 && !market->dropped && !live->stopping && !market->poked &&
           failure != ETIMEDOUT)
        failure = pthread_cond_timedwait(&live->changed, &live->lock, &until);
    news = live->stopping                    ? API_LIVE_STOPPING
           : market->dropped                 ? API_LIVE_DROPPED
           : market->n_missing == 0          ? API_LIVE_COMPLETE
           : walras_monotonic_s() >= until_s ? API_LIVE_LATE
                                             : API_LIVE_LOOK;
    market->poked = false;
    pthread_mutex_unlock(&live->lock);
    return news;
}

bool api_live_poke(struct api_live *live, const char *name)
{
    bool found = false;

    pthread_mutex_lock(&live->lock);
    for (struct api_live_market *at = live->markets; at; at = at->next)
        if (!name || strcmp(at->settings.market, name) == 0)
            found = at->poked = true;
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
    return found;
}

void api_live_drop(struct api_live *live, const char *name)
{
    struct api_live_market *market = NULL;

    pthread_mutex_lock(&live->lock);
    market = find(live, name);
    if (market)
        market->dropped = true;
    wake_all(live, name);
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

void api_live_answered(struct api_live *live, const char *name, int64_t round, const char *agent)
{
    struct api_live_market *market = NULL;
    size_t at = SIZE_MAX;

    pthread_mutex_lock(&live->lock);
    market = find(live, name);
    if (market && market->open && market->round.number == round)
        at = walras_names_find(market->settings.names, agent);
    if (market && at != SIZE_MAX && !market->settings.agents[at].answered) {
        struct api_live_agent *found = &market->settings.agents[at];

        found->answered = true;
        if (!found->suspended && --market->n_missing == 0)
            pthread_cond_broadcast(&live->changed);
    }
    pthread_mutex_unlock(&live->lock);
}

void api_live_suspend(struct api_live *live, const char *name, const char *agent)
{
    const struct api_live_market *market = NULL;

    pthread_mutex_lock(&live->lock);
    market = find(live, name);
    if (market) {
        size_t at = walras_names_find(market->settings.names, agent);

        if (at != SIZE_MAX)
            market->settings.agents[at].suspended = true;
    }
    pthread_mutex_unlock(&live->lock);
}

enum api_live_claim api_live_claims(struct api_live *live, const char *name, const char *agent,
                                    const char *owner)
{
    const struct api_live_market *market = NULL;
    enum api_live_claim claim = API_LIVE_UNKNOWN;

    pthread_mutex_lock(&live->lock);
    market = find(live, name);
    if (market) {
        size_t at = walras_names_find(market->settings.names, agent);
        const struct api_live_agent *found = at == SIZE_MAX ? NULL : &market->settings.agents[at];

        claim = !found || strcmp(found->owner, owner) != 0 ? API_LIVE_OTHER
                : found->suspended                         ? API_LIVE_SUSPENDED
                                                           : API_LIVE_OWN;
    }
    pthread_mutex_unlock(&live->lock);
    return claim;
}

void api_live_notify(struct api_live *live, const char *market)
{
    pthread_mutex_lock(&live->lock);
    wake_all(live, market);
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

bool api_live_look(struct api_live *live, const char *name, int64_t after, uint64_t *events,
                   void (*look)(void *context, const struct api_live_settings *settings,
                                const struct api_round *round),
                   void *context)
{
    struct api_live_market *market = NULL;
    bool found = false;

    pthread_mutex_lock(&live->lock);
    *events = *events_of(live, name);
    market = find(live, name);
    found = market && market->open && market->round.number > after;
    if (found)
        look(context, &market->settings, &market->round);
    pthread_mutex_unlock(&live->lock);
    return found;
}

/* The first report above a number: they are few or it is near the end. */
static const struct api_round_report *report_after(const struct api_live_market *market,
                                                   int64_t number)
{
    size_t at = market->n_report;

    while (at > 0 && market->reports[at - 1].number > number)
        at--;
    return at < market->n_report ? &market->reports[at] : NULL;
}

enum api_live_sight
api_live_follow(struct api_live *live, const char *name, struct api_live_follower *follower,
                void (*look)(void *context, const struct api_live_settings *settings,
                             const struct api_round *round),
                void *context)
{
    const struct api_live_market *market = NULL;
    const struct api_round_report *report = NULL;
    enum api_live_sight sight = API_LIVE_NOT_THERE;

    pthread_mutex_lock(&live->lock);
    follower->events = *events_of(live, name);
    market = find(live, name);
    report = market ? report_after(market, follower->reported) : NULL;
    follower->last =
        market && market->n_report > 0 ? market->reports[market->n_report - 1].number : 0;
    if (report) {
        follower->report = *report;
        sight = API_LIVE_REPORT;
    } else if (market && market->open && market->round.number > follower->told) {
        look(context, &market->settings, &market->round);
        sight = API_LIVE_ROUND;
    } else if (market) {
        sight = API_LIVE_NOTHING_NEW;
    }
    pthread_mutex_unlock(&live->lock);
    return sight;
}

bool api_live_await(struct api_live *live, struct api_waiter *waiter, uint64_t events,
                    void (*suspend)(struct api_waiter *waiter))
{
    bool waits = false;

    pthread_mutex_lock(&live->lock);
    waiter->late = false;
    waits = *events_of(live, waiter->market) == events && !live->stopping;
    if (waits) {
        suspend(waiter);
        waiter->before = live->waiters.before;
        waiter->after = &live->waiters;
        waiter->before->after = waiter->after->before = waiter;
    }
    pthread_mutex_unlock(&live->lock);
    return waits;
}
