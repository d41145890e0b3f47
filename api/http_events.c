/*
 * GET /v1/markets/{m}/events: what happens in a market, as server-sent events.
 *
 * Nothing is queued for anybody. A stream knows how far it has come (struct api_event_place), and
 * the next event is made when the one before it has gone out: from memory while the market is
 * clearing, else from the database. Whoever is slow holds one event and a socket, nobody up.
 */
#include "api/api_internal.h"
#include "api/event_id.h"
#include "api/round_write.h"

#include "core/clock.h"
#include "core/log.h"
#include "db/agents.h"
#include "db/follow.h"
#include "db/markets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 64, CHECK_TOKEN = 4, RETRY_MS = 2000 }; /* CHECK_TOKEN: in heartbeats */

struct api_events {
    struct api_stream_place place;
    struct api_event_place at;
    bool in;           /* place is taken */
    bool own;          /* prices of own buses only */
    const char *agent; /* NULL: all of the client's */
    char *text;        /* that goes out now */
    size_t size;
    FILE *file;             /* text while it is written */
    struct walras_err *err; /* while it is written */
    bool ended;             /* nothing will ever follow */
    bool quiet, blind;      /* there was nothing to tell; because the database was away */
    uint64_t seen;          /* by api_live_await */
    double checked_s;       /* when the token was last looked at */
};

void api_events_free(struct api_request *request)
{
    struct api_events *events = request->events;

    if (!events)
        return;
    if (events->in)
        api_streams_leave(request->server->streams, &events->place);
    free(events->text);
    free(events);
    request->events = NULL;
}

static void begin_event(struct api_events *events, const char *type,
                        const struct api_event_place *place)
{
    char id[API_EVENT_ID_TEXT];

    events->at = *place;
    api_event_id_write(place, id);
    fprintf(events->file, "id: %s\nevent: %s\ndata: ", id, type);
}

static void put_event(struct api_events *events, const char *type,
                      const struct api_event_place *place, const char *json)
{
    begin_event(events, type, place);
    fprintf(events->file, "%s\n\n", json);
}

/* A bound or gap that is not known yet is left out. */
static void put_report(struct api_events *events, const struct api_round_report *report)
{
    const struct api_event_place place = {API_EVENT_CLEARING, report->number, 2};
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"bound", report->bound}, {"objective", report->objective}, {"gap", report->gap}};
    char text[WALRAS_NUMBER_TEXT];

    begin_event(events, "closed", &place);
    fprintf(events->file, "{\"round\": %" PRId64 ", \"answers\": %zu, \"stand_ins\": %zu",
            report->number, report->n_answer, report->n_stand_in);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        walras_number_text(numbers[i].value, text);
        if (strcmp(text, "null") != 0)
            fprintf(events->file, ", \"%s\": %s", numbers[i].key, text);
    }
    fputs("}\n\n", events->file);
}

static void put_round(void *context, const struct api_live_settings *settings,
                      const struct api_round *round)
{
    const struct api_request *request = context;
    struct api_events *events = request->events;
    const struct api_event_place place = {API_EVENT_CLEARING, round->number, 1};
    struct walras_json_out out = walras_json_out_start(events->file, 0);
    struct api_round_buses buses;

    if (api_round_buses(settings, request->client.id, events->agent, &buses, events->err) ==
        WALRAS_OK) {
        begin_event(events, "round", &place);
        api_round_write(&out, settings, round, &buses);
        fputs("\n\n", events->file);
    }
    api_round_buses_release(&buses);
}

/* Whoever has just come is not told of rounds that are over. */
static struct api_event_place at_clearing(const struct api_events *events, int64_t last)
{
    return (struct api_event_place){API_EVENT_CLEARING,
                                    events->at.stage == API_EVENT_NOTHING ? last : 0, 2};
}

/* From memory; false: the market is not there. */
static bool tell_live(struct api_request *request)
{
    struct api_events *events = request->events;
    bool before = events->at.stage < API_EVENT_CLEARING;
    struct api_live_follower follower = {
        .reported = before ? INT64_MAX : events->at.round - (events->at.part != 2),
        .told = before ? INT64_MAX : events->at.round};
    enum api_live_sight sight =
        api_live_follow(request->server->live, request->part[0], &follower, put_round, request);

    events->seen = follower.events;
    if (sight == API_LIVE_REPORT)
        put_report(events, &follower.report);
    if (sight != API_LIVE_NOT_THERE && before) {
        const struct api_event_place place = at_clearing(events, follower.last);

        put_event(events, "state", &place, "{\"state\": \"clearing\"}");
    }
    return sight != API_LIVE_NOT_THERE;
}

static enum walras_status tell_rounds(struct api_request *request, bool *any,
                                      struct walras_err *err)
{
    struct api_events *events = request->events;
    int64_t after =
        events->at.stage < API_EVENT_CLEARING ? 0 : events->at.round - (events->at.part != 2);
    struct db_rows rows = {0};
    enum walras_status status =
        db_follow_rounds(request->db, request->part[0], after, PAGE, &rows, err);

    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++) {
        const struct api_event_place place = {API_EVENT_CLEARING, db_integer(&rows, i, 0), 2};

        put_event(events, "closed", &place, db_text(&rows, i, 1));
    }
    *any = status == WALRAS_OK && rows.n > 0;
    db_rows_release(&rows);
    return status;
}

static enum walras_status tell_prices(struct api_request *request, bool cleared,
                                      struct walras_err *err)
{
    struct api_events *events = request->events;
    const struct db_follow_prices wanted = {.market = request->part[0],
                                            .owner = events->own ? request->client.id : NULL,
                                            .agent = events->own ? events->agent : NULL,
                                            .after = events->at.round - 1,
                                            .limit = PAGE};
    struct db_rows rows = {0};
    enum walras_status status =
        cleared ? db_follow_prices(request->db, &wanted, &rows, err) : WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++) {
        const struct api_event_place place = {API_EVENT_OVER, db_integer(&rows, i, 0) + 1, 0};

        put_event(events, "prices", &place, db_text(&rows, i, 1));
    }
    events->ended = status == WALRAS_OK && rows.n == 0;
    db_rows_release(&rows);
    return status;
}

static enum api_event_stage stage_of(enum db_market_state state)
{
    return state == DB_MARKET_draft      ? API_EVENT_DRAFT
           : state == DB_MARKET_open     ? API_EVENT_OPEN
           : state == DB_MARKET_clearing ? API_EVENT_CLEARING
                                         : API_EVENT_OVER;
}

/* From the database: `row` is db_follow_state's. */
static enum walras_status tell_stored(struct api_request *request, const struct db_rows *row,
                                      struct walras_err *err)
{
    struct api_events *events = request->events;
    enum db_market_state state = db_market_state_find(db_text(row, 0, 0));
    enum api_event_stage stage = stage_of(state);
    struct api_event_place place = {stage, 0, 0};
    bool any = false;
    enum walras_status status = WALRAS_OK;

    if (stage == API_EVENT_OVER && events->at.stage == API_EVENT_OVER)
        return tell_prices(request, state == DB_MARKET_cleared, err);
    if (stage >= API_EVENT_CLEARING && events->at.stage != API_EVENT_NOTHING &&
        (stage == API_EVENT_OVER || events->at.stage == API_EVENT_CLEARING))
        status = tell_rounds(request, &any, err);
    if (status != WALRAS_OK || any || events->at.stage >= (int64_t)stage)
        return status;
    if (stage == API_EVENT_CLEARING)
        place = at_clearing(events, db_integer(row, 0, 2));
    put_event(events, "state", &place, db_text(row, 0, 1));
    return WALRAS_OK;
}

static enum walras_status tell(struct api_request *request, struct walras_err *err)
{
    struct db_rows row = {0};
    enum walras_status status = WALRAS_OK;

    if (tell_live(request))
        return err->code;
    status = api_need_database(request, err);
    if (status == WALRAS_OK)
        status =
            db_follow_state(request->db, request->part[0], !api_owner_filter(request), &row, err);
    if (status == WALRAS_OK)
        status = tell_stored(request, &row, err);
    db_rows_release(&row);
    return status;
}

/* Writes what comes next into events->text, or nothing when there is nothing yet. */
static enum walras_status write_next(struct api_request *request, struct walras_err *err)
{
    struct api_events *events = request->events;
    bool first = events->at.stage == API_EVENT_NOTHING;
    enum walras_status status = WALRAS_OK;

    free(events->text);
    events->text = NULL;
    events->size = 0;
    events->err = err;
    events->file = open_memstream(&events->text, &events->size);
    if (!events->file)
        return walras_fail(err, WALRAS_NOMEM, "no memory for events");
    if (first)
        fprintf(events->file, "retry: %d\n\n", RETRY_MS);
    status = tell(request, err);
    if (fclose(events->file) != 0 && status == WALRAS_OK)
        status = walras_fail(err, WALRAS_NOMEM, "no memory for events");
    return status;
}

/* Tokens end while streams go on: those are looked at now and then. */
static bool is_welcome(struct api_request *request)
{
    struct api_events *events = request->events;
    double now_s = walras_monotonic_s();

    if (now_s - events->checked_s < CHECK_TOKEN * request->server->settings.event_heartbeat_s)
        return true;
    events->checked_s = now_s;
    return api_still_authorised(request);
}

static enum api_more give(const char *text, size_t size, const char **out, size_t *out_size)
{
    *out = text;
    *out_size = size;
    return API_MORE_TEXT;
}

/* Looks once; API_MORE_WAIT: there was nothing. */
static enum api_more look(struct api_request *request, const char **text, size_t *size)
{
    struct api_events *events = request->events;
    struct walras_err err = {0};
    enum walras_status status = write_next(request, &err);

    db_pool_give(request->server->pool, request->db);
    request->db = NULL;
    events->quiet = status != WALRAS_OK || events->size == 0;
    if (!events->quiet)
        return give(events->text, events->size, text, size);
    events->blind = status == WALRAS_UNAVAILABLE;
    if (events->ended)
        return API_MORE_END;
    if (status == WALRAS_OK || events->blind)
        return API_MORE_WAIT;
    walras_log("request_failed", "method=%s path=%s status=%s error=\"%s\"", request->method,
               request->path, walras_status_name(status), err.msg);
    return API_MORE_END;
}

static enum api_more more(struct api_request *request, const char **text, size_t *size)
{
    static const char heartbeat[] = ":\n\n";
    struct api_events *events = request->events;
    double heartbeat_s = request->server->settings.event_heartbeat_s;
    enum api_more found = API_MORE_WAIT;

    if (!is_welcome(request))
        return API_MORE_END;
    if (request->waiter.late) {
        request->waiter.late = false;
        events->quiet = !events->blind;
        return give(heartbeat, sizeof(heartbeat) - 1, text, size);
    }
    while (found == API_MORE_WAIT) {
        if (request->server->stopping)
            return API_MORE_END;
        if (events->quiet && api_wait_for_news(request, events->seen, heartbeat_s))
            return API_MORE_WAIT;
        found = look(request, text, size);
    }
    return found;
}

static enum walras_status read_place(const struct api_request *request,
                                     struct api_event_place *place, struct walras_err *err)
{
    const char *id =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");

    *place = (struct api_event_place){.stage = API_EVENT_NOTHING};
    if (id && !api_event_id_read(id, place))
        return walras_fail(err, WALRAS_INVALID, "Last-Event-ID must be an id of these events");
    return WALRAS_OK;
}

static enum walras_status read_buses(const struct api_request *request, bool *own,
                                     struct walras_err *err)
{
    const char *buses = api_query(request, "buses");

    *own = buses ? strcmp(buses, "own") == 0 : api_owner_filter(request) != NULL;
    if (buses && !*own && strcmp(buses, "all") != 0)
        return walras_fail(err, WALRAS_INVALID, "query: buses must be own or all, got \"%.40s\"",
                           buses);
    return WALRAS_OK;
}

static enum walras_status check_agent(struct api_request *request, struct walras_err *err)
{
    const char *agent = request->events->agent;
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    if (agent)
        status = db_agent_get(request->db, agent, request->client.id, &rows, err);
    if (status == WALRAS_OK && agent && rows.n == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no such agent of this client");
    db_rows_release(&rows);
    return status;
}

static enum walras_status read_request(struct api_request *request, struct walras_err *err)
{
    struct api_events *events = request->events;
    enum walras_status status = read_place(request, &events->at, err);

    events->agent = api_query(request, "agent");
    if (status == WALRAS_OK)
        status = read_buses(request, &events->own, err);
    return status == WALRAS_OK ? check_agent(request, err) : status;
}

static bool enter(struct api_request *request)
{
    struct api_events *events = request->events;
    const struct api_settings *s = &request->server->settings;
    enum api_stream_entry entry =
        api_streams_enter(request->server->streams, &events->place, request->client.id);

    events->in = entry == API_STREAM_IN;
    if (!events->in)
        request->retry_after_s = API_RETRY_S;
    if (entry == API_STREAM_CLIENT_FULL)
        (void)api_refuse(request, MHD_HTTP_TOO_MANY_REQUESTS,
                         "this client has %u event streams, and may have no more",
                         s->event_streams_per_client);
    else if (!events->in)
        (void)api_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "%u event streams are open, and there may be no more", s->event_streams);
    return events->in;
}

enum walras_status api_event_stream(struct api_request *request, struct walras_err *err)
{
    struct api_events *events = request->events = calloc(1, sizeof(*events));
    enum walras_status status = WALRAS_OK;

    if (!events)
        return walras_fail(err, WALRAS_NOMEM, "no memory for a stream");
    events->checked_s = request->started_s;
    status = read_request(request, err);
    if (status != WALRAS_OK || !enter(request))
        return status;
    status = write_next(request, err);
    if (status != WALRAS_OK)
        return status;
    if (events->ended) /* nothing will follow: no use in coming again */
        return api_json(request, MHD_HTTP_NO_CONTENT, err);
    api_stream(request, "text/event-stream", more, events->text, events->size);
    events->quiet = events->size == 0;
    return WALRAS_OK;
}
