#include "api/commit.h"

#include "core/log.h"
#include "db/news.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 }; /* answers in one transaction, a request more or less */

struct api_commit {
    pthread_mutex_t lock;
    pthread_cond_t come;
    pthread_t thread;
    bool running, ending;
    struct api_answers *first, **last; /* a queue */
    struct db_pool *pool;
    struct api_live *live;
    const struct api_lead *lead;
    _Atomic uint64_t n_answer, n_commit;
};

/* Takes the front of the queue off; NULL when it is ending and there is none. */
static struct api_answers *take(struct api_commit *commit)
{
    struct api_answers *taken = NULL, *at = NULL;
    size_t n = 0;

    pthread_mutex_lock(&commit->lock);
    while (!commit->first && !commit->ending)
        pthread_cond_wait(&commit->come, &commit->lock);
    taken = commit->first;
    for (at = taken; at; at = at->next) {
        n += at->n;
        if (n >= MOST || !at->next)
            break;
    }
    if (at) {
        commit->first = at->next;
        at->next = NULL;
    }
    if (!commit->first)
        commit->last = &commit->first;
    pthread_mutex_unlock(&commit->lock);
    return taken;
}

static bool same_round(const struct db_round *a, const struct db_round *b)
{
    return a->number == b->number && strcmp(a->market, b->market) == 0;
}

/* The requests from `from` to `end`, all to one round, `n` answers in all. */
static enum walras_status write_round(const struct api_commit *commit, struct db_session *session,
                                      struct api_answers *from, const struct api_answers *end,
                                      size_t n, struct walras_err *err)
{
    struct db_response *list = calloc(n + 1, sizeof(*list));
    enum walras_status status = WALRAS_OK;
    size_t k = 0;

    if (!list)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu answers", n);
    for (struct api_answers *at = from; at != end; at = at->next)
        for (size_t i = 0; i < at->n; i++)
            list[k++] = (struct db_response){.agent = at->list[i].agent,
                                             .draw_kw = at->list[i].draw_kw.data,
                                             .cost = at->list[i].cost.data};
    status = db_responses_put(session, &from->round, list, n, err);
    k = 0;
    for (struct api_answers *at = from; at != end; at = at->next)
        for (size_t i = 0; i < at->n; i++)
            at->list[i].fate = list[k++].fate;
    free(list);
    if (status == WALRAS_OK && api_lead_epoch(commit->lead) == 0)
        status = db_news_answers(session, from->round.market, err);
    return status;
}

/* One transaction; all share its fate. */
static enum walras_status write_all(const struct api_commit *commit, struct db_session *session,
                                    struct api_answers *from, struct api_answers *end,
                                    struct walras_err *err)
{
    enum walras_status status = db_begin(session, err);

    if (status != WALRAS_OK)
        return status;
    while (status == WALRAS_OK && from != end) {
        struct api_answers *next = from;
        size_t n = 0;

        for (; next != end && same_round(&next->round, &from->round); next = next->next)
            n += next->n;
        status = write_round(commit, session, from, next, n, err);
        from = next;
    }
    return db_end(session, status, err);
}

static void set_status(struct api_answers *from, const struct api_answers *end,
                       enum walras_status status, const struct walras_err *err)
{
    for (struct api_answers *at = from; at != end; at = at->next) {
        at->status = status;
        at->err = *err;
    }
}

/* All together; when somebody's fails for a reason of its own, each alone. */
static void write_group(struct api_commit *commit, struct api_answers *group)
{
    struct db_session *session = NULL;
    struct walras_err err = {0};
    enum walras_status status = db_pool_take(commit->pool, &session, &err);

    if (status == WALRAS_OK)
        status = write_all(commit, session, group, NULL, &err);
    set_status(group, NULL, status, &err);
    if (session && status != WALRAS_OK && status != WALRAS_UNAVAILABLE)
        for (struct api_answers *at = group; at; at = at->next) {
            struct walras_err own = {0};

            at->status = write_all(commit, session, at, at->next, &own);
            at->err = own;
        }
    db_pool_give(commit->pool, session);
    commit->n_commit++;
    if (status == WALRAS_UNAVAILABLE)
        walras_log("commit_failed", "error=\"%s\"", err.msg);
}

static void tell(struct api_commit *commit, struct api_answers *group)
{
    struct api_answers *next = NULL;

    for (struct api_answers *at = group; at; at = next) {
        next = at->next;
        for (size_t i = 0; at->status == WALRAS_OK && i < at->n; i++)
            if (at->list[i].fate == DB_RESPONSE_KEPT || at->list[i].fate == DB_RESPONSE_AGAIN) {
                commit->n_answer += at->list[i].fate == DB_RESPONSE_KEPT;
                api_live_answered(commit->live, at->round.market, at->round.number,
                                  at->list[i].agent);
            }
        at->told(at);
    }
}

static void *work(void *context)
{
    struct api_commit *commit = context;
    struct api_answers *group = NULL;

    while ((group = take(commit))) {
        write_group(commit, group);
        tell(commit, group);
    }
    return NULL;
}

enum walras_status api_commit_new(struct db_pool *pool, struct api_live *live,
                                  const struct api_lead *lead, struct api_commit **made,
                                  struct walras_err *err)
{
    struct api_commit *commit = calloc(1, sizeof(*commit));

    if (!commit)
        return walras_fail(err, WALRAS_NOMEM, "no memory for answers");
    commit->pool = pool;
    commit->live = live;
    commit->lead = lead;
    commit->last = &commit->first;
    pthread_mutex_init(&commit->lock, NULL);
    pthread_cond_init(&commit->come, NULL);
    commit->running = pthread_create(&commit->thread, NULL, work, commit) == 0;
    if (!commit->running) {
        api_commit_free(commit);
        return walras_fail(err, WALRAS_NOMEM, "cannot start a thread for answers");
    }
    *made = commit;
    return WALRAS_OK;
}

void api_commit_stop(struct api_commit *commit)
{
    if (!commit)
        return;
    pthread_mutex_lock(&commit->lock);
    commit->ending = true;
    pthread_cond_signal(&commit->come);
    pthread_mutex_unlock(&commit->lock);
    if (commit->running)
        pthread_join(commit->thread, NULL);
    commit->running = false;
}

void api_commit_free(struct api_commit *commit)
{
    if (!commit)
        return;
    api_commit_stop(commit);
    pthread_cond_destroy(&commit->come);
    pthread_mutex_destroy(&commit->lock);
    free(commit);
}

bool api_commit_submit(struct api_commit *commit, struct api_answers *answers,
                       void (*suspend)(struct api_answers *answers))
{
    bool taken = false;

    pthread_mutex_lock(&commit->lock);
    taken = !commit->ending;
    if (taken) {
        suspend(answers);
        answers->next = NULL;
        *commit->last = answers;
        commit->last = &answers->next;
        pthread_cond_signal(&commit->come);
    }
    pthread_mutex_unlock(&commit->lock);
    return taken;
}

void api_commit_count(struct api_commit *commit, uint64_t *n_answer, uint64_t *n_commit)
{
    *n_answer = commit->n_answer;
    *n_commit = commit->n_commit;
}
