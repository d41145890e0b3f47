/*
 * A request on its way: what the server's files share.
 *
 * Handlers parse, call, render. One returns WALRAS_OK with an answer made (api_json, api_rows …),
 * or a failure that becomes a problem document (RFC 9457): the HTTP status is the failure's, and a
 * message "body: /path: text" becomes a JSON pointer and a text. What no walras_status stands for
 * is made with api_refuse.
 *
 * Threads  a request is handled by one thread at a time.
 */
#ifndef WALRAS_API_API_INTERNAL_H
#define WALRAS_API_API_INTERNAL_H

#include "api/commit.h"
#include "api/live.h"
#include "api/metrics.h"
#include "api/news.h"
#include "api/rate.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/streams.h"
#include "api/tokens.h"
#include "api/watch.h"
#include "api/worker.h"
#include "core/json.h"
#include "core/json_write.h"
#include "db/clients.h"
#include "db/page.h"
#include "db/pool.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>

enum { API_MAX_PARTS = 3, API_RETRY_S = 2 };

struct api_server {
    struct api_settings settings;
    struct MHD_Daemon *daemon;
    struct db_pool *pool;
    struct api_rate *rate;
    struct api_tokens *tokens;
    struct api_watch *watch;
    struct api_live *live;
    struct api_commit *commit;
    struct api_lead *lead;
    struct api_mirror *mirror;
    struct api_news *news;
    struct api_worker *worker;
    struct api_streams *streams;
    struct api_metrics metrics;
    _Atomic size_t n_request; /* on their way */
    char *tls_cert, *tls_key; /* texts of the files */
    char url[300];
    double started_s;
    _Atomic bool stopping;
};

struct api_events; /* of a request that follows a market; http_events.c */

enum api_more { API_MORE_TEXT, API_MORE_WAIT, API_MORE_END };

struct api_request {
    struct api_server *server;
    struct MHD_Connection *connection;
    const struct api_route *route; /* NULL: refused before one was found */
    size_t route_index;
    char method[12], path[256];      /* for the log: printable */
    char part[API_MAX_PARTS][DB_ID]; /* the names in the path */
    struct db_client client;         /* of routes with roles */
    char *body;
    size_t size, capacity;
    bool too_large, refused, answered;
    struct db_session *db;
    struct walras_json_doc *doc;
    double started_s;
    /* a handler may wait: it returns with `suspended`, and is called again with `resumed` */
    bool suspended, resumed;
    struct api_waiter waiter;
    struct api_answers answers;
    /* an answer that goes on: stream.c */
    enum api_more (*more)(struct api_request *request, const char **text, size_t *size);
    const char *stream_text; /* [stream_left] */
    size_t stream_left;
    struct api_events *events;
    /* the answer */
    unsigned http;
    char *answer;
    size_t answer_size;
    FILE *stream;
    struct walras_json_out out;
    const char *type;
    const char *policy; /* what a browser may do with it; NULL: nothing */
    char location[200], allow[64];
    unsigned retry_after_s;
    bool last; /* the connection is closed after it */
};
/* What it holds; the struct is the caller's. */
void api_request_release(struct api_request *request);

/*
 * Finds the route and takes the names out of the path. NULL: none; then `allow` has the methods
 * that the path knows, "" when it is no path at all.
 */
const struct api_route *api_route_find(const char *method, const char *path,
                                       char part[API_MAX_PARTS][DB_ID], char allow[64]);

/* The body as JSON, an object; the root lives as long as the request. */
WALRAS_NODISCARD enum walras_status api_body_json(struct api_request *request,
                                                  struct walras_json *root, struct walras_err *err);

/* Starts the answer: write the body to request->out, then return WALRAS_OK. */
WALRAS_NODISCARD enum walras_status api_json(struct api_request *request, unsigned http,
                                             struct walras_err *err);
/* The first column of the first row as it is; WALRAS_NOT_FOUND "there is no <what>" without one. */
WALRAS_NODISCARD enum walras_status api_row(struct api_request *request, struct db_rows *rows,
                                            unsigned http, const char *what,
                                            struct walras_err *err);
/* {"items": [first columns], "next": where the next page begins or null}. */
WALRAS_NODISCARD enum walras_status api_rows(struct api_request *request, struct db_rows *rows,
                                             const struct db_page *page, struct walras_err *err);
/* Reads ?after= and ?limit=. */
WALRAS_NODISCARD enum walras_status api_page(struct api_request *request, struct db_page *page,
                                             struct walras_err *err);
/* NULL: not given */
const char *api_query(const struct api_request *request, const char *name);
/* A whole number of the query; keeps *value when it is not given. */
WALRAS_NODISCARD enum walras_status api_query_whole(const struct api_request *request,
                                                    const char *name, int64_t low, int64_t high,
                                                    int64_t *value, struct walras_err *err);

/* A problem document as the answer. `oauth` (RFC 6749) and `pointer` may be NULL. */
void api_problem(struct api_request *request, unsigned http, const char *detail,
                 const char *pointer, const char *oauth);
/* The same; for handlers that refuse with a status of HTTP's own. Returns WALRAS_OK. */
__attribute__((format(printf, 3, 4))) enum walras_status
api_refuse(struct api_request *request, unsigned http, const char *format, ...);
void api_problem_of(struct api_request *request, const struct walras_err *err);

/* Token and role; false with a problem as the answer. */
bool api_authorise(struct api_request *request);
/* Whether the token still counts; true as well when that cannot be told now. */
bool api_still_authorised(struct api_request *request);
/* Operators and observers see all; others what is theirs: their id, else NULL. */
const char *api_owner_filter(const struct api_request *request);

/* Runs in a transaction: `work` with the request's session. */
WALRAS_NODISCARD enum walras_status api_transaction(
    struct api_request *request,
    enum walras_status (*work)(struct api_request *request, void *context, struct walras_err *err),
    void *context, struct walras_err *err);

/* A session for a handler whose route has no_database; given back with the others. */
WALRAS_NODISCARD enum walras_status api_need_database(struct api_request *request,
                                                      struct walras_err *err);
/* Waits for something to happen in the market; false: it has happened, look again. */
bool api_wait_for_news(struct api_request *request, uint64_t events, double most_s);
/* Waits until request->answers are committed; false: the server is stopping. */
bool api_submit_answers(struct api_request *request);

/*
 * Starts an answer of that type that goes on: `first` [size] goes out, then what `more` gives,
 * which is called when all before it is gone and says API_MORE_WAIT when it has suspended the
 * request. Texts are borrowed until the next call.
 */
void api_stream(struct api_request *request, const char *type,
                enum api_more (*more)(struct api_request *request, const char **text, size_t *size),
                const char *first, size_t size);
struct MHD_Response *api_stream_response(struct api_request *request);
void api_events_free(struct api_request *request);

/* The body of the answer, ready to be sent; http.c */
void api_finish_answer(struct api_request *request);

/* Handlers, one file a resource. */
enum walras_status api_health(struct api_request *request, struct walras_err *err);
enum walras_status api_ready(struct api_request *request, struct walras_err *err);
enum walras_status api_show_metrics(struct api_request *request, struct walras_err *err);
enum walras_status api_docs_document(struct api_request *request, struct walras_err *err);
enum walras_status api_docs_page(struct api_request *request, struct walras_err *err);
enum walras_status api_docs_style(struct api_request *request, struct walras_err *err);
enum walras_status api_docs_script(struct api_request *request, struct walras_err *err);
enum walras_status api_token(struct api_request *request, struct walras_err *err);
enum walras_status api_grid_put(struct api_request *request, struct walras_err *err);
enum walras_status api_grid_get(struct api_request *request, struct walras_err *err);
enum walras_status api_grid_list(struct api_request *request, struct walras_err *err);
enum walras_status api_agent_post(struct api_request *request, struct walras_err *err);
enum walras_status api_agent_list(struct api_request *request, struct walras_err *err);
enum walras_status api_agent_get(struct api_request *request, struct walras_err *err);
enum walras_status api_agent_patch(struct api_request *request, struct walras_err *err);
enum walras_status api_agent_delete(struct api_request *request, struct walras_err *err);
enum walras_status api_market_post(struct api_request *request, struct walras_err *err);
enum walras_status api_market_list(struct api_request *request, struct walras_err *err);
enum walras_status api_market_get(struct api_request *request, struct walras_err *err);
enum walras_status api_market_open(struct api_request *request, struct walras_err *err);
enum walras_status api_market_start(struct api_request *request, struct walras_err *err);
enum walras_status api_market_cancel(struct api_request *request, struct walras_err *err);
enum walras_status api_participant_put(struct api_request *request, struct walras_err *err);
enum walras_status api_participant_list(struct api_request *request, struct walras_err *err);
enum walras_status api_round_get(struct api_request *request, struct walras_err *err);
enum walras_status api_event_stream(struct api_request *request, struct walras_err *err);
enum walras_status api_round_list(struct api_request *request, struct walras_err *err);
enum walras_status api_response_put(struct api_request *request, struct walras_err *err);
enum walras_status api_response_post(struct api_request *request, struct walras_err *err);
enum walras_status api_price_list(struct api_request *request, struct walras_err *err);
enum walras_status api_binding_get(struct api_request *request, struct walras_err *err);
enum walras_status api_certificate_get(struct api_request *request, struct walras_err *err);
enum walras_status api_result_get(struct api_request *request, struct walras_err *err);
enum walras_status api_award_get(struct api_request *request, struct walras_err *err);

#endif
