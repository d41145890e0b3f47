/* Answers: JSON, pages, problem documents (RFC 9457). */
#include "api/api_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void drop_answer(struct api_request *request)
{
    if (request->stream)
        fclose(request->stream);
    request->stream = NULL;
    free(request->answer);
    request->answer = NULL;
    request->answer_size = 0;
}

static bool begin(struct api_request *request, unsigned http, const char *type)
{
    drop_answer(request);
    request->stream = open_memstream(&request->answer, &request->answer_size);
    request->http = http;
    request->type = type;
    request->answered = true;
    if (request->stream)
        request->out = walras_json_out_start(request->stream, 0);
    return request->stream != NULL;
}

enum walras_status api_json(struct api_request *request, unsigned http, struct walras_err *err)
{
    return begin(request, http, "application/json")
               ? WALRAS_OK
               : walras_fail(err, WALRAS_NOMEM, "no memory for the answer");
}

void api_finish_answer(struct api_request *request)
{
    bool whole = request->stream && fclose(request->stream) == 0;

    request->stream = NULL;
    if (whole)
        return;
    drop_answer(request);
    request->http = MHD_HTTP_INTERNAL_SERVER_ERROR;
}

enum walras_status api_row(struct api_request *request, struct db_rows *rows, unsigned http,
                           const char *what, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    if (rows->n == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no %s", what);
    if (status == WALRAS_OK)
        status = api_json(request, http, err);
    if (status == WALRAS_OK)
        fputs(db_text(rows, 0, 0), request->stream);
    db_rows_release(rows);
    return status;
}

enum walras_status api_rows(struct api_request *request, struct db_rows *rows,
                            const struct db_page *page, struct walras_err *err)
{
    size_t n = rows->n > (size_t)page->limit ? (size_t)page->limit : rows->n;
    enum walras_status status = api_json(request, MHD_HTTP_OK, err);

    if (status == WALRAS_OK) {
        fputs("{\"items\": [", request->stream);
        for (size_t i = 0; i < n; i++)
            fprintf(request->stream, "%s%s", i == 0 ? "" : ", ", db_text(rows, i, 0));
        fputs("], \"next\": ", request->stream);
        walras_json_out_text(&request->out, n < rows->n ? db_text(rows, n - 1, 1) : NULL);
        fputs("}", request->stream);
    }
    db_rows_release(rows);
    return status;
}

const char *api_query(const struct api_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

enum walras_status api_query_whole(const struct api_request *request, const char *name, int64_t low,
                                   int64_t high, int64_t *value, struct walras_err *err)
{
    const char *text = api_query(request, name);
    char *end = NULL;
    long long found = 0;

    if (!text)
        return WALRAS_OK;
    errno = 0;
    found = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || found < low || found > high)
        return walras_fail(err, WALRAS_INVALID,
                           "query: %s must be a whole number from %lld to %lld, got \"%.40s\"",
                           name, (long long)low, (long long)high, text);
    *value = found;
    return WALRAS_OK;
}

enum walras_status api_page(struct api_request *request, struct db_page *page,
                            struct walras_err *err)
{
    const char *after = api_query(request, "after");

    *page = (struct db_page){.after = after ? after : "", .limit = 100};
    if (after && !db_id_is_good(after))
        return walras_fail(err, WALRAS_INVALID, "query: after must be the `next` of a page");
    return api_query_whole(request, "limit", 1, DB_MAX_PAGE, &page->limit, err);
}

static const char *title_of(unsigned http)
{
    return http == 422 ? "Unprocessable Content" : MHD_get_reason_phrase_for(http);
}

void api_problem(struct api_request *request, unsigned http, const char *detail,
                 const char *pointer, const char *oauth)
{
    struct walras_json_out *out = &request->out;

    if (!begin(request, http, "application/problem+json"))
        return; /* api_finish_answer sends an empty answer */
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "type");
    walras_json_out_text(out, "about:blank");
    walras_json_out_key(out, "title");
    walras_json_out_text(out, title_of(http));
    walras_json_out_key(out, "status");
    walras_json_out_integer(out, http);
    walras_json_out_key(out, "detail");
    walras_json_out_text(out, detail);
    if (pointer) {
        walras_json_out_key(out, "pointer");
        walras_json_out_text(out, pointer);
    }
    if (oauth) {
        walras_json_out_key(out, "error");
        walras_json_out_text(out, oauth);
    }
    walras_json_out_close(out, '}');
}

enum walras_status api_refuse(struct api_request *request, unsigned http, const char *format, ...)
{
    char detail[480];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    api_problem(request, http, detail, NULL, NULL);
    return WALRAS_OK;
}

/* "body: /path: text" has its place in it. The root's pointer is "". */
void api_problem_of(struct api_request *request, const struct walras_err *err)
{
    static const char before[] = "body: /";
    char pointer[sizeof(err->msg)];
    const char *detail = err->msg, *end = NULL;
    unsigned http = (unsigned)walras_status_http(err->code);

    if (strncmp(err->msg, before, sizeof(before) - 1) == 0)
        end = strstr(err->msg + sizeof(before) - 1, ": ");
    if (end) {
        const char *start = err->msg + sizeof(before) - 2;

        snprintf(pointer, sizeof(pointer), "%.*s", (int)(end - start), start);
        detail = end + 2;
    }
    /* the log has the reason; it is nobody else's */
    if (http == MHD_HTTP_SERVICE_UNAVAILABLE) {
        request->retry_after_s = API_RETRY_S;
        detail = request->server->stopping ? "the server is stopping"
                                           : "the database is not available now";
    } else if (http == MHD_HTTP_INTERNAL_SERVER_ERROR) {
        detail = "the server failed; its log says why";
    }
    api_problem(request, http, detail, end ? (pointer[1] == '\0' ? "" : pointer) : NULL, NULL);
}
