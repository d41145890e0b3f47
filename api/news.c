#include "api/news.h"

#include "core/clock.h"
#include "core/log.h"
#include "db/news.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 200 };

#define CHECK_S 5.0 /* without news: whether the connection stands still */

struct api_news {
    struct api_news_settings settings;
    struct db_settings database;
    struct db_session *session; /* NULL: not listening */
    double heard_s;
    bool all; /* copies are to be looked at: something may have been missed */
    int64_t epoch;
    pthread_t thread;
    bool running;
    _Atomic bool ending;
};

static enum walras_status listen_anew(struct api_news *news, struct walras_err *err)
{
    enum walras_status status = db_session_new(&news->database, &news->session, err);

    if (status == WALRAS_OK)
        status = db_news_listen(news->session, err);
    news->heard_s = walras_monotonic_s();
    news->all = true;
    api_live_notify(news->settings.live, NULL);
    (void)api_live_poke(news->settings.live, NULL);
    return status;
}

/* A market that is live here and now is cleared here, or copied. */
static void handle(struct api_news *news, const struct db_news *what)
{
    const struct api_news_settings *s = &news->settings;
    struct walras_err err = {0};

    news->heard_s = walras_monotonic_s();
    if (api_lead_epoch(s->lead) == 0) {
        if (!what->answers && api_mirror_look(s->mirror, what->market, &err) != WALRAS_OK)
            news->all = true;
    } else if (!api_live_poke(s->live, what->market)) {
        api_live_notify(s->live, what->market);
        api_worker_wake(s->worker);
    }
}

static enum walras_status next(struct api_news *news, struct walras_err *err)
{
    struct db_news what;
    bool any = false;
    enum walras_status status = db_news_next(news->session, WAIT_MS, &what, &any, err);

    if (status == WALRAS_OK && any)
        handle(news, &what);
    if (status == WALRAS_OK && !any && walras_monotonic_s() - news->heard_s > CHECK_S) {
        news->heard_s = walras_monotonic_s();
        status = db_news_check(news->session, err);
    }
    return status;
}

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};

    nanosleep(&pause, NULL);
}

static void *listen_on(void *context)
{
    struct api_news *news = context;
    bool lost = false;

    while (!news->ending) {
        int64_t epoch = api_lead_epoch(news->settings.lead);
        struct walras_err err = {0};
        enum walras_status status = news->session ? WALRAS_OK : listen_anew(news, &err);

        news->all = news->all || epoch != news->epoch;
        news->epoch = epoch;
        if (status == WALRAS_OK && news->all)
            news->all = api_mirror_look(news->settings.mirror, NULL, &err) != WALRAS_OK;
        if (status == WALRAS_OK)
            status = next(news, &err);
        if (status != WALRAS_OK) {
            if (!lost)
                walras_log("news_lost", "error=\"%s\"", err.msg);
            db_session_free(news->session);
            news->session = NULL;
            pause_a_little();
        }
        lost = status != WALRAS_OK;
    }
    return NULL;
}

enum walras_status api_news_new(const struct api_news_settings *settings, struct api_news **made,
                                struct walras_err *err)
{
    struct api_news *news = calloc(1, sizeof(*news));

    if (!news)
        return walras_fail(err, WALRAS_NOMEM, "no memory to listen");
    news->settings = *settings;
    news->database = *settings->database;
    news->running = pthread_create(&news->thread, NULL, listen_on, news) == 0;
    if (!news->running) {
        api_news_free(news);
        return walras_fail(err, WALRAS_NOMEM, "cannot start a thread to listen");
    }
    *made = news;
    return WALRAS_OK;
}

void api_news_free(struct api_news *news)
{
    if (!news)
        return;
    news->ending = true;
    if (news->running)
        pthread_join(news->thread, NULL);
    db_session_free(news->session);
    free(news);
}
