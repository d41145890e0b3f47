/* Tokens: who asks, and whether they may. */
#include "api/api_internal.h"

#include "core/clock.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "Bearer ";

static bool refuse(struct api_request *request, unsigned http, const char *detail)
{
    (void)api_refuse(request, http, "%s", detail);
    return false;
}

/* Asks the database. */
static bool look_up_client(struct api_request *request, const char *token,
                           const char digest[DB_DIGEST_TEXT])
{
    struct db_session *session = NULL;
    struct walras_err err = {0};
    bool known = false;
    double now_s = walras_monotonic_s(), left_s = 0.0;
    enum walras_status status = db_pool_take(request->server->pool, &session, &err);

    if (status == WALRAS_OK)
        status = db_token_find(session, token, &known, &request->client, &left_s, &err);
    db_pool_give(request->server->pool, session);
    if (status != WALRAS_OK) {
        api_problem_of(request, &err);
        return false;
    }
    if (known)
        api_tokens_keep(request->server->tokens, digest, &request->client,
                        now_s + fmin(left_s, API_TOKEN_BELIEF_S));
    return known ||
           refuse(request, MHD_HTTP_UNAUTHORIZED,
                  "the token is not known, or has expired: get a new one (POST /v1/token)");
}

/* On routes that agents ask all the time, one that was good a moment ago is believed. */
static bool find_client(struct api_request *request, const char *token)
{
    char digest[DB_DIGEST_TEXT];

    db_digest_text(token, strlen(token), digest);
    return (request->route->no_database &&
            api_tokens_find(request->server->tokens, digest, walras_monotonic_s(),
                            &request->client)) ||
           look_up_client(request, token, digest);
}

bool api_authorise(struct api_request *request)
{
    const char *given = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_AUTHORIZATION);

    if (!given || strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
        return refuse(request, MHD_HTTP_UNAUTHORIZED,
                      "a token is needed: Authorization: Bearer TOKEN (POST /v1/token)");
    if (!find_client(request, given + sizeof(scheme) - 1))
        return false;
    if (!(request->route->roles & (1u << request->client.role)))
        return refuse(request, MHD_HTTP_FORBIDDEN, "this client's role may not do that");
    return true;
}

bool api_still_authorised(struct api_request *request)
{
    const char *given = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_AUTHORIZATION);
    struct db_session *session = NULL;
    struct db_client client;
    bool known = false;
    enum walras_status status = db_pool_take(request->server->pool, &session, NULL);

    if (status == WALRAS_OK)
        status = db_token_find(session, given + sizeof(scheme) - 1, &known, &client, NULL, NULL);
    db_pool_give(request->server->pool, session);
    return status != WALRAS_OK || (known && client.role == request->client.role);
}

const char *api_owner_filter(const struct api_request *request)
{
    return request->client.role == DB_ROLE_operator || request->client.role == DB_ROLE_observer
               ? NULL
               : request->client.id;
}

enum walras_status api_transaction(struct api_request *request,
                                   enum walras_status (*work)(struct api_request *request,
                                                              void *context,
                                                              struct walras_err *err),
                                   void *context, struct walras_err *err)
{
    enum walras_status status = db_begin(request->db, err);

    if (status != WALRAS_OK)
        return status;
    status = work(request, context, err);
    return db_end(request->db, status, err);
}
