#include "db/news.h"

#include "db/session_internal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum walras_status db_news_listen(struct db_session *session, struct walras_err *err)
{
    return db_script(session, "LISTEN walras_market; LISTEN walras_answers", err);
}

static bool take(PGconn *conn, struct db_news *news)
{
    PGnotify *notify = PQnotifies(conn);

    if (!notify)
        return false;
    news->answers = strcmp(notify->relname, "walras_answers") == 0;
    snprintf(news->market, sizeof(news->market), "%s", notify->extra);
    PQfreemem(notify);
    return true;
}

enum walras_status db_news_next(struct db_session *session, int wait_ms, struct db_news *news,
                                bool *any, struct walras_err *err)
{
    PGconn *conn = db_session_connection(session);
    struct pollfd input = {.fd = conn ? PQsocket(conn) : -1, .events = POLLIN};

    *any = conn && take(conn, news);
    if (*any)
        return WALRAS_OK;
    if (input.fd >= 0 && poll(&input, 1, wait_ms) > 0 && PQconsumeInput(conn) == 0)
        return walras_fail(err, WALRAS_UNAVAILABLE, "the database's news have ended");
    if (input.fd < 0 || PQstatus(conn) != CONNECTION_OK)
        return walras_fail(err, WALRAS_UNAVAILABLE, "the database cannot be reached");
    *any = take(conn, news);
    return WALRAS_OK;
}

enum walras_status db_news_check(struct db_session *session, struct walras_err *err)
{
    static const struct db_sql check = {"news_check", "SELECT 1"};

    return db_query(session, &check, NULL, NULL, err);
}

enum walras_status db_news_answers(struct db_session *session, const char *market,
                                   struct walras_err *err)
{
    static const struct db_sql tell = {"news_answers", "SELECT pg_notify('walras_answers', $1)"};
    struct db_args args = {0};

    db_add_text(&args, market);
    return db_query(session, &tell, &args, NULL, err);
}
