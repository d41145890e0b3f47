#include "api/lead.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define LEADER_TURN_S   0.5  /* six in the time after which a leader is taken for gone */
#define FOLLOWER_TURN_S 0.25 /* what it takes to notice that the lead can be had */

struct api_lead {
    struct api_lead_settings settings;
    struct db_lead *lead;
    _Atomic int64_t epoch;
    bool lost; /* the database, as far as was logged */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool running, ending;
};

static void change(struct api_lead *lead, int64_t epoch)
{
    if (epoch == lead->epoch)
        return;
    if (lead->epoch > 0) {
        walras_log("not_leading", "epoch=%" PRId64, lead->epoch);
        lead->epoch = 0;
        lead->settings.changed(lead->settings.context, 0);
    }
    if (epoch > 0) {
        lead->settings.changed(lead->settings.context, epoch);
        lead->epoch = epoch;
        walras_log("leading", "epoch=%" PRId64, epoch);
    }
}

static enum walras_status turn(struct api_lead *lead, struct walras_err *err)
{
    int64_t epoch = lead->epoch;
    enum walras_status status = db_lead_turn(lead->lead, &epoch, err);

    if (status != WALRAS_OK && !lead->lost)
        walras_log("lead_unknown", "error=\"%s\"", err->msg);
    lead->lost = status != WALRAS_OK;
    change(lead, epoch);
    return status;
}

static bool wait(struct api_lead *lead)
{
    const struct timespec until = walras_monotonic_until(
        walras_monotonic_s() + (lead->epoch > 0 ? LEADER_TURN_S : FOLLOWER_TURN_S));
    bool ending = false;

    pthread_mutex_lock(&lead->lock);
    if (!lead->ending)
        pthread_cond_timedwait(&lead->ended, &lead->lock, &until);
    ending = lead->ending;
    pthread_mutex_unlock(&lead->lock);
    return !ending;
}

static void *keep(void *context)
{
    struct api_lead *lead = context;

    while (wait(lead)) {
        struct walras_err err = {0};

        (void)turn(lead, &err); /* logged; the next comes soon */
    }
    return NULL;
}

enum walras_status api_lead_new(const struct api_lead_settings *settings, struct api_lead **made,
                                struct walras_err *err)
{
    struct api_lead *lead = calloc(1, sizeof(*lead));
    pthread_condattr_t monotonic;
    enum walras_status status = WALRAS_OK;

    if (!lead)
        return walras_fail(err, WALRAS_NOMEM, "no memory to lead");
    lead->settings = *settings;
    pthread_mutex_init(&lead->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lead->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    status = db_lead_new(settings->database, &lead->lead, err);
    if (status == WALRAS_OK)
        status = turn(lead, err);
    if (status == WALRAS_OK) {
        lead->running = pthread_create(&lead->thread, NULL, keep, lead) == 0;
        if (!lead->running)
            status = walras_fail(err, WALRAS_NOMEM, "cannot start a thread to lead");
    }
    if (status == WALRAS_OK)
        *made = lead;
    else
        api_lead_free(lead);
    return status;
}

void api_lead_stop(struct api_lead *lead)
{
    if (!lead)
        return;
    pthread_mutex_lock(&lead->lock);
    lead->ending = true;
    pthread_cond_signal(&lead->ended);
    pthread_mutex_unlock(&lead->lock);
    if (lead->running)
        pthread_join(lead->thread, NULL);
    lead->running = false;
    db_lead_free(lead->lead);
    lead->lead = NULL;
    lead->epoch = 0;
}

void api_lead_free(struct api_lead *lead)
{
    if (!lead)
        return;
    api_lead_stop(lead);
    pthread_cond_destroy(&lead->ended);
    pthread_mutex_destroy(&lead->lock);
    free(lead);
}

int64_t api_lead_epoch(const struct api_lead *lead)
{
    return lead->epoch;
}
