#include "swarm/swarm_internal.h"

#include "agents/sdk/wire.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/names.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BODY = 1 << 30, MOST_POINTS = 16 };

struct swarm_settings swarm_settings_defaults(void)
{
    return (struct swarm_settings){.http = {.n_connection = 32, .patience_s = 60.0},
                                   .gap = 1e-4,
                                   .points = 5,
                                   .max_rounds = 100,
                                   .round_timeout_s = 60,
                                   .batch = 500,
                                   .n_thread = 1};
}

void swarm_say(struct swarm_state *state, const char *format, ...)
{
    char line[400];
    va_list args;

    if (!state->settings->say)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    state->settings->say(state->settings->context, line);
}

struct announced {
    char state[16];
    int64_t number; /* 0: no round is open */
    size_t n_point;
};

/* Prices of one bus at one point. */
static enum walras_status read_bus(struct swarm_state *state, const struct walras_json *list,
                                   size_t point, size_t bus, struct walras_err *err)
{
    size_t n_step = state->scenario->horizon.n_step, n_bus = state->scenario->network.n_bus;
    double *price = state->price_per_mwh + (point * n_bus + bus) * n_step;
    const struct walras_range any = {.low = -1e12, .high = 1e12};
    enum walras_status status = walras_json_array(list, n_step, n_step, err);

    for (size_t t = 0; t < n_step && status == WALRAS_OK; t++) {
        struct walras_json at = walras_json_at(list, t);

        status = walras_json_number(&at, any, &price[t], err);
    }
    return status;
}

/* Of a client whose agents are all at one bus there is one list; else one for each bus. */
static enum walras_status read_point(struct swarm_state *state, const struct walras_json *node,
                                     size_t point, struct walras_err *err)
{
    struct walras_json by_bus, list;
    enum walras_status status = WALRAS_OK;
    bool many = walras_json_find(node, "prices_per_mwh_by_bus", &by_bus);

    if (!many)
        status = walras_json_need(node, "prices_per_mwh", &list, err);
    for (size_t i = 0; i < state->cast.n_remote && status == WALRAS_OK; i++) {
        size_t bus = state->cast.parts[i].bus;

        if (i > 0 && state->cast.parts[i - 1].bus == bus)
            continue;
        if (many)
            status = walras_json_need(&by_bus, state->scenario->network.buses[bus].id, &list, err);
        if (status == WALRAS_OK)
            status = read_bus(state, &list, point, bus, err);
    }
    return status;
}

static enum walras_status read_round(struct swarm_state *state, const struct walras_json *root,
                                     struct announced *out, struct walras_err *err)
{
    struct walras_json node, points;
    const char *text = NULL;
    enum walras_status status = walras_json_need(root, "state", &node, err);

    *out = (struct announced){0};
    if (status == WALRAS_OK)
        status = walras_json_text(&node, sizeof(out->state) - 1, &text, err);
    if (status == WALRAS_OK)
        snprintf(out->state, sizeof(out->state), "%s", text);
    if (status == WALRAS_OK)
        status = walras_json_need(root, "round", &node, err);
    if (status != WALRAS_OK || walras_json_is(&node, WALRAS_JSON_NULL))
        return status;
    status = walras_json_integer(&node, 1, INT32_MAX, &out->number, err);
    if (status == WALRAS_OK)
        status = walras_json_need(root, "points", &points, err);
    if (status == WALRAS_OK)
        status = walras_json_array(&points, 1, MOST_POINTS, err);
    out->n_point = status == WALRAS_OK ? walras_json_count(&points) : 0;
    for (size_t p = 0; p < out->n_point && status == WALRAS_OK; p++) {
        struct walras_json point = walras_json_at(&points, p);

        status = read_point(state, &point, p, err);
    }
    return status;
}

static enum walras_status wait_for_round(struct swarm_state *state, int64_t last,
                                         struct announced *out, struct walras_err *err)
{
    char path[SWARM_PATH], *text = NULL;
    struct walras_json_doc *doc = NULL;
    enum walras_status status = WALRAS_OK;

    snprintf(path, sizeof(path), "/v1/markets/%s/round?after=%lld&wait=30", state->settings->market,
             (long long)last);
    status = swarm_ask(state, "GET", path, NULL, 200, 200, &text, err);
    if (status == WALRAS_OK)
        status = walras_json_parse("the round", text, strlen(text), &doc, err);
    if (status == WALRAS_OK) {
        struct walras_json root = walras_json_root(doc);

        status = read_round(state, &root, out, err);
    }
    walras_json_free(doc);
    free(text);
    return status;
}

struct sending { /* answers to a round */
    struct swarm_state *state;
    int64_t round;
    size_t n_late; /* that came when the round was over */
};

static void make_answer(void *context, size_t i, struct swarm_request *request)
{
    const struct sending *s = context;
    const char *market = s->state->settings->market;

    request->body = s->state->bodies[i];
    if (s->state->settings->batch > 0) {
        request->method = "POST";
        snprintf(request->path, sizeof(request->path), "/v1/markets/%s/rounds/%lld/responses",
                 market, (long long)s->round);
    } else {
        request->method = "PUT";
        snprintf(request->path, sizeof(request->path), "/v1/markets/%s/rounds/%lld/responses/%s",
                 market, (long long)s->round, s->state->cast.parts[i].id);
    }
}

static enum walras_status take_answer(void *context, size_t i, const struct swarm_reply *reply,
                                      struct walras_err *err)
{
    struct sending *s = context;

    (void)i;
    if (reply->status == 200 || reply->status == 201)
        return WALRAS_OK;
    if (reply->status != 409)
        return swarm_refused("an answer", reply, err);
    s->n_late++;
    return WALRAS_OK;
}

/* Answers `first` to `end` as one body; of one agent by itself without its name. */
static char *word_answers(const struct swarm_state *state, size_t first, size_t end)
{
    bool alone = state->settings->batch == 0;
    struct walras_text text;

    walras_text_init(&text, MOST_BODY);
    if (!alone)
        walras_text_addf(&text, "{\"responses\": [");
    for (size_t i = first; i < end; i++) {
        const char *answers = swarm_answers_text(state->answers, i);

        if (alone)
            walras_text_addf(&text, "{\"answers\": ");
        else
            walras_text_addf(&text, "%s{\"agent\": \"%s\", \"answers\": ", i == first ? "" : ",\n",
                             state->cast.parts[i].id);
        walras_text_add(&text, answers, strlen(answers));
        walras_text_add(&text, "}", 1);
    }
    if (!alone)
        walras_text_addf(&text, "]}");
    if (text.failure == WALRAS_OK)
        return text.data;
    walras_text_release(&text);
    return NULL;
}

static enum walras_status send_answers(struct swarm_state *state, int64_t round,
                                       struct walras_err *err)
{
    struct sending sending = {.state = state, .round = round};
    struct swarm_work work = {make_answer, take_answer, &sending};
    size_t n = state->cast.n_remote, size = state->settings->batch > 0 ? state->settings->batch : 1;
    size_t n_body = (n + size - 1) / size;
    enum walras_status status = WALRAS_OK;

    swarm_forget_bodies(state);
    for (size_t i = 0; i < n_body; i++) {
        state->bodies[i] = word_answers(state, i * size, i * size + size < n ? i * size + size : n);
        if (!state->bodies[i])
            return walras_fail(err, WALRAS_NOMEM, "the answers do not fit in memory");
    }
    status = swarm_http_run(state->http, n_body, &work, err);
    if (status == WALRAS_OK && sending.n_late > 0)
        swarm_say(state, "round %lld: %zu requests came when it was over", (long long)round,
                  sending.n_late);
    return status;
}

static enum walras_status answer_round(struct swarm_state *state, const struct announced *round,
                                       struct walras_err *err)
{
    double start_s = walras_monotonic_s(), found_s = 0.0;
    enum walras_status status =
        swarm_answers_find(state->answers, round->n_point, state->price_per_mwh, err);

    found_s = walras_monotonic_s();
    if (status == WALRAS_OK)
        status = send_answers(state, round->number, err);
    state->report->find_s += found_s - start_s;
    state->report->send_s += walras_monotonic_s() - found_s;
    if (status == WALRAS_OK)
        swarm_say(state, "round %lld: %zu points, %zu agents answered in %.2f s",
                  (long long)round->number, round->n_point, state->cast.n_remote,
                  walras_monotonic_s() - start_s);
    return status;
}

static enum walras_status play(struct swarm_state *state, struct walras_err *err)
{
    struct swarm_report *report = state->report;
    struct announced round = {.state = "clearing"};
    double start_s = walras_monotonic_s(), last_s = start_s;
    int64_t last = 0;
    enum walras_status status = WALRAS_OK;

    while (status == WALRAS_OK && walras_wire_state_goes_on(round.state)) {
        status = wait_for_round(state, last, &round, err);
        if (last > 0 && status == WALRAS_OK &&
            (round.number > 0 || !walras_wire_state_goes_on(round.state))) {
            report->round_s[report->n_round - 1] = walras_monotonic_s() - last_s;
            last_s = walras_monotonic_s();
        }
        if (status != WALRAS_OK || round.number == 0)
            continue;
        last = round.number;
        if (report->n_round < SWARM_MOST_ROUNDS)
            report->n_round++;
        status = answer_round(state, &round, err);
    }
    report->clearing_s = walras_monotonic_s() - start_s;
    snprintf(report->state, sizeof(report->state), "%s", round.state);
    return status;
}

static double number_of(const struct walras_json *root, const char *key)
{
    const struct walras_range any = {.low = -1e300, .high = 1e300};
    struct walras_json node;
    double value = (double)NAN;

    if (!walras_json_find(root, key, &node) ||
        walras_json_number(&node, any, &value, NULL) != WALRAS_OK)
        return (double)NAN;
    return value;
}

static enum walras_status read_certificate(struct swarm_state *state, struct walras_err *err)
{
    struct swarm_report *report = state->report;
    char path[SWARM_PATH], *text = NULL;
    const char *word = NULL;
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    enum walras_status status = WALRAS_OK;

    report->objective = report->bound = report->gap = (double)NAN;
    if (strcmp(report->state, "cleared") != 0)
        return WALRAS_OK;
    snprintf(path, sizeof(path), "/v1/markets/%s/certificate", state->settings->market);
    status = swarm_ask(state, "GET", path, NULL, 200, 200, &text, err);
    if (status == WALRAS_OK)
        status = walras_json_parse("the certificate", text, strlen(text), &doc, err);
    if (status == WALRAS_OK) {
        root = walras_json_root(doc);
        report->objective = number_of(&root, "objective");
        report->bound = number_of(&root, "dual_bound");
        report->gap = number_of(&root, "gap");
        if (walras_json_find(&root, "status", &node) &&
            walras_json_text(&node, sizeof(report->status) - 1, &word, NULL) == WALRAS_OK)
            snprintf(report->status, sizeof(report->status), "%s", word);
    }
    walras_json_free(doc);
    free(text);
    return status;
}

static enum walras_status begin(struct swarm_state *state, struct walras_err *err)
{
    const struct scenario *s = state->scenario;
    enum walras_status status = swarm_cast_make(s, &state->cast, err);

    if (status == WALRAS_OK)
        status = swarm_answers_new(&state->cast, state->settings->n_thread, &state->answers, err);
    if (status == WALRAS_OK)
        status = swarm_http_new(&state->settings->http, &state->http, err);
    if (status != WALRAS_OK)
        return status;
    state->bodies = calloc(state->cast.n + 1, sizeof(char *));
    state->price_per_mwh =
        calloc(MOST_POINTS * s->network.n_bus * s->horizon.n_step, sizeof(*state->price_per_mwh));
    state->report->n_remote = state->cast.n_remote;
    state->report->n_delegated = state->cast.n - state->cast.n_remote;
    return state->bodies && state->price_per_mwh ? WALRAS_OK : swarm_no_memory(err);
}

enum walras_status swarm_run(const struct scenario *scenario, const struct swarm_settings *settings,
                             struct swarm_report *out, struct walras_err *err)
{
    struct swarm_state state = {.settings = settings, .scenario = scenario, .report = out};
    double start_s = walras_monotonic_s();
    enum walras_status status = WALRAS_OK;

    *out = (struct swarm_report){0};
    status = begin(&state, err);
    if (status == WALRAS_OK)
        status = swarm_set_up(&state, err);
    out->setup_s = walras_monotonic_s() - start_s;
    if (status == WALRAS_OK)
        status = play(&state, err);
    if (status == WALRAS_OK)
        status = read_certificate(&state, err);
    if (state.http)
        out->n_answer = swarm_http_count(state.http);
    if (state.bodies)
        swarm_forget_bodies(&state);
    free(state.bodies);
    free(state.price_per_mwh);
    swarm_http_free(state.http);
    swarm_answers_free(state.answers);
    swarm_cast_release(&state.cast);
    return status;
}
