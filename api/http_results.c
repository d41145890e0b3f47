/* What came of a market: prices, binding limits, certificate, rounds, the whole result, awards. */
#include "api/api_internal.h"

#include "db/markets.h"
#include "db/results.h"

#include <string.h>

static enum walras_status need_market(struct api_request *request, struct walras_err *err)
{
    struct db_market market;
    struct db_rows rows = {0};
    enum db_market_state state = DB_N_MARKET_STATE;
    enum walras_status status =
        db_market_load(request->db, request->part[0], &rows, &market, &state, err);

    db_rows_release(&rows);
    return status;
}

static enum walras_status tell(struct api_request *request, struct db_rows *rows,
                               struct walras_err *err)
{
    return api_row(request, rows, MHD_HTTP_OK, "result: the market has not cleared", err);
}

static enum walras_status show(struct api_request *request,
                               enum walras_status (*get)(struct db_session *, const char *,
                                                         struct db_rows *, struct walras_err *),
                               struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = need_market(request, err);

    if (status == WALRAS_OK)
        status = get(request->db, request->part[0], &rows, err);
    return status == WALRAS_OK ? tell(request, &rows, err) : status;
}

enum walras_status api_result_get(struct api_request *request, struct walras_err *err)
{
    return show(request, db_result_get, err);
}

enum walras_status api_certificate_get(struct api_request *request, struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = need_market(request, err);

    if (status == WALRAS_OK)
        status = db_certificate_get(request->db, request->part[0], api_owner_filter(request), &rows,
                                    err);
    return status == WALRAS_OK ? tell(request, &rows, err) : status;
}

enum walras_status api_binding_get(struct api_request *request, struct walras_err *err)
{
    return show(request, db_binding_get, err);
}

enum walras_status api_round_list(struct api_request *request, struct walras_err *err)
{
    return show(request, db_round_list, err);
}

/* Buses have any name: a page begins behind a position in the grid. */
enum walras_status api_price_list(struct api_request *request, struct walras_err *err)
{
    struct db_page page = {.after = "", .limit = 100};
    char after[24] = "";
    int64_t position = -1;
    struct db_rows rows = {0};
    enum walras_status status = api_query_whole(request, "limit", 1, DB_MAX_PAGE, &page.limit, err);

    if (status == WALRAS_OK)
        status = api_query_whole(request, "after", 0, INT32_MAX, &position, err);
    snprintf(after, sizeof(after), "%lld", (long long)position);
    page.after = after;
    if (status == WALRAS_OK)
        status = need_market(request, err);
    if (status == WALRAS_OK)
        status = db_price_list(request->db, request->part[0], &page, &rows, err);
    if (status == WALRAS_OK && rows.n == 0 && position < 0) {
        db_rows_release(&rows);
        status = walras_fail(err, WALRAS_NOT_FOUND,
                             "there are no prices: the market has not "
                             "cleared");
    }
    return status == WALRAS_OK ? api_rows(request, &rows, &page, err) : status;
}

enum walras_status api_award_get(struct api_request *request, struct walras_err *err)
{
    struct db_rows rows = {0};
    enum walras_status status = db_award_get(request->db, request->part[0], request->part[1],
                                             api_owner_filter(request), &rows, err);

    return status == WALRAS_OK ? api_row(request, &rows, MHD_HTTP_OK, "such award", err) : status;
}
