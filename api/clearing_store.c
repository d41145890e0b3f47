/* How a clearing reads and writes the database: it waits for it, and writes only while it leads. */
#include "api/clearing_internal.h"

#include "core/log.h"

#include <time.h>

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 300000000};

    nanosleep(&pause, NULL);
}

bool clearing_stopping(const struct clearing *c)
{
    return api_live_stopping(c->live) || c->deposed || api_lead_epoch(c->lead) != c->epoch;
}

static enum walras_status fail_stopping(const struct clearing *c, struct walras_err *err)
{
    return walras_fail(err, WALRAS_UNAVAILABLE,
                       api_live_stopping(c->live) ? "the server is stopping"
                                                  : "the clearing is to be taken up anew");
}

enum walras_status clearing_give_up(struct clearing *c, struct walras_err *err)
{
    c->deposed = true;
    return fail_stopping(c, err);
}

static enum walras_status take_session(struct clearing *c, struct db_session **session,
                                       struct walras_err *err)
{
    bool told = false;

    while (!clearing_stopping(c)) {
        struct walras_err cause = {0};
        enum walras_status status = db_pool_take(c->pool, session, &cause);

        if (status == WALRAS_OK)
            return status;
        if (!told)
            walras_log("database_lost", "market=%s error=\"%s\"", c->id, cause.msg);
        told = true;
        pause_a_little();
    }
    return fail_stopping(c, err);
}

enum walras_status clearing_read(struct clearing *c, clearing_work work, void *context,
                                 struct walras_err *err)
{
    while (true) {
        struct db_session *session = NULL;
        struct walras_err cause = {0};
        enum walras_status status = take_session(c, &session, err);

        if (status != WALRAS_OK)
            return status;
        status = work(c, session, context, &cause);
        db_pool_give(c->pool, session);
        if (status == WALRAS_OK)
            return status;
        if (status != WALRAS_UNAVAILABLE)
            return walras_fail(err, status, "%s", cause.msg);
        if (c->deposed)
            return fail_stopping(c, err);
        walras_log("database_lost", "market=%s error=\"%s\"", c->id, cause.msg);
        pause_a_little();
    }
}

struct held {
    clearing_work work;
    void *context;
};

static enum walras_status write_held(struct clearing *c, struct db_session *session, void *context,
                                     struct walras_err *err)
{
    const struct held *held = context;
    bool leads = false;
    enum walras_status status = db_begin(session, err);

    if (status != WALRAS_OK)
        return status;
    status = db_lead_hold(session, c->epoch, &leads, err);
    if (status == WALRAS_OK && !leads)
        status = clearing_give_up(c, err);
    if (status == WALRAS_OK)
        status = held->work(c, session, held->context, err);
    return db_end(session, status, err);
}

enum walras_status clearing_write(struct clearing *c, clearing_work work, void *context,
                                  struct walras_err *err)
{
    struct held held = {work, context};

    return clearing_read(c, write_held, &held, err);
}
