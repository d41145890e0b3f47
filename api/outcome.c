/* What came of a market: awards by the weights of answers, all of it stored with its last move. */
#include "api/clearing_hidden.h"
#include "core/hash.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/names.h"
#include "db/results.h"
#include "db/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct documents {
    char *result, *certificate;
};

static enum walras_status begin(const struct clearing *c, struct outcome *o, struct walras_err *err)
{
    o->point_of = calloc(o->result->market->n_point + 1, sizeof(*o->point_of));
    o->awards = calloc(c->n_remote + 1, sizeof(*o->awards));
    o->award_room = calloc(c->n_remote * c->n_step + 1, sizeof(*o->award_room));
    if (!o->point_of || !o->awards || !o->award_room)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the awards of %s", c->id);
    for (size_t i = 0; i < c->n_remote; i++)
        o->awards[i].draw_kw = o->award_room + i * c->n_step;
    return WALRAS_OK;
}

static void release(struct outcome *o)
{
    scenario_release(&o->derived);
    free(o->point_of);
    free(o->awards);
    free(o->award_room);
    free(o->plan_kw);
}

static bool is_used(const struct outcome *o, size_t n, size_t announced)
{
    for (size_t j = 0; j < n; j++)
        if (o->point_of[j] == announced)
            return true;
    return false;
}

/* The result's points are known by their prices; asked twice, they count in the order asked. */
static void find_points(const struct clearing *c, struct outcome *o)
{
    const struct market_result *r = o->result->market;
    size_t n_price = c->n_bus * c->n_step;

    for (size_t j = 0; j < r->n_point; j++) {
        uint64_t hash = walras_hash(0, r->point_price_per_mwh + j * c->n_node * c->n_step,
                                    n_price * sizeof(*r->point_price_per_mwh));

        o->point_of[j] = SIZE_MAX;
        for (size_t i = 0; i < c->n_announced && o->point_of[j] == SIZE_MAX; i++)
            if (c->points[i].hash == hash && !is_used(o, j, i))
                o->point_of[j] = i;
    }
}

static const double *weights_of(const struct clearing *c, const struct outcome *o, size_t guest)
{
    const struct market_result *r = o->result->market;

    return r->weight + (r->n_group - c->n_guest + guest) * r->n_point;
}

/* Adds an agent's answers of one round, each times its weight. */
static enum walras_status mix_answers(const struct clearing *c, struct outcome *o, size_t remote,
                                      const double *weight, int64_t round,
                                      const struct db_rows *rows, size_t row,
                                      struct walras_err *err)
{
    struct clearing_award *award = &o->awards[remote];
    size_t n_point = db_numbers_count(rows, row, 2);
    double *work = calloc(n_point * (c->n_step + 1) + 1, sizeof(*work));
    double *cost = work ? work + n_point * c->n_step : NULL;
    enum walras_status status =
        work ? db_numbers(rows, row, 1, work, n_point * c->n_step, err)
             : walras_fail(err, WALRAS_NOMEM, "no memory for the awards of %s", c->id);

    if (status == WALRAS_OK)
        status = db_numbers(rows, row, 2, cost, n_point, err);
    for (size_t j = 0; status == WALRAS_OK && j < o->result->market->n_point; j++) {
        const struct clearing_point *point =
            o->point_of[j] == SIZE_MAX ? NULL : &c->points[o->point_of[j]];

        if (!point || point->round != round || weight[j] <= 0.0)
            continue;
        award->cost += weight[j] * (isnan(cost[point->position])
                                        ? clearing_hidden_cost_of(c, remote, o->point_of[j])
                                        : cost[point->position]);
        for (size_t t = 0; t < c->n_step; t++)
            award->draw_kw[t] += weight[j] * work[(size_t)point->position * c->n_step + t];
    }
    free(work);
    return status;
}

/* Whether anybody's award has a share of what was answered in that round. */
static bool round_counts(const struct clearing *c, const struct outcome *o, int64_t round)
{
    for (size_t j = 0; j < o->result->market->n_point; j++) {
        if (o->point_of[j] == SIZE_MAX || c->points[o->point_of[j]].round != round)
            continue;
        for (size_t g = 0; g < c->n_guest; g++)
            if (weights_of(c, o, g)[j] > 0.0)
                return true;
    }
    return false;
}

static enum walras_status mix_round(struct clearing *c, struct db_session *session,
                                    struct outcome *o, int64_t number, const size_t *guest_of,
                                    struct walras_err *err)
{
    const struct db_round round = {c->id, number};
    struct db_rows rows = {0};
    enum walras_status status = db_round_answers(session, &round, &rows, err);

    for (size_t i = 0; status == WALRAS_OK && i < rows.n; i++) {
        size_t remote = walras_names_find(c->remote_names, db_text(&rows, i, 0));

        if (remote != SIZE_MAX)
            status = mix_answers(c, o, remote, weights_of(c, o, guest_of[remote]), number, &rows, i,
                                 err);
    }
    db_rows_release(&rows);
    return status;
}

/* The members' awards are the group's draw, or a weight was given to an answer nobody has. */
static enum walras_status check_sum(const struct clearing *c, const struct outcome *o, size_t guest,
                                    struct walras_err *err)
{
    const struct market_result *r = o->result->market;
    const double *draw = r->group_draw_kw + (r->n_group - c->n_guest + guest) * c->n_step;

    for (size_t t = 0; t < c->n_step; t++) {
        double sum = 0.0, size = 1.0;

        for (size_t i = 0; i < c->guests[guest].n; i++) {
            double kw = o->awards[c->guests[guest].members[i]].draw_kw[t];

            sum += kw;
            size = fmax(size, fabs(kw));
        }
        if (!(fabs(sum - draw[t]) <= 1e-6 * size * (double)c->guests[guest].n))
            return walras_fail(err, WALRAS_INTERNAL,
                               "awards behind bus %s add up to %.9g kW in step %zu, the market "
                               "counted %.9g",
                               c->bus_ids[c->guests[guest].bus], sum, t, draw[t]);
    }
    return WALRAS_OK;
}

static enum walras_status mix(struct clearing *c, struct db_session *session, void *context,
                              struct walras_err *err)
{
    struct outcome *o = context;
    size_t *guest_of = calloc(c->n_remote + 1, sizeof(*guest_of));
    enum walras_status status =
        guest_of ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "no memory for awards");

    for (size_t g = 0; g < c->n_guest && status == WALRAS_OK; g++)
        for (size_t i = 0; i < c->guests[g].n; i++)
            guest_of[c->guests[g].members[i]] = g;
    for (size_t i = 0; i < c->n_remote; i++)
        o->awards[i].cost = 0.0;
    memset(o->award_room, 0, c->n_remote * c->n_step * sizeof(*o->award_room));
    for (int64_t round = 1; round <= c->number && status == WALRAS_OK; round++)
        if (round_counts(c, o, round))
            status = mix_round(c, session, o, round, guest_of, err);
    for (size_t g = 0; g < c->n_guest && status == WALRAS_OK; g++)
        status = check_sum(c, o, g, err);
    free(guest_of);
    return status;
}

static void put_number(struct walras_json_out *out, const char *key, double value)
{
    walras_json_out_key(out, key);
    walras_json_out_number(out, value);
}

struct stragglers {
    size_t n_repeated, n_fallback, n_suspended;
    struct db_rows suspended;
};

/* What rests on nobody's word, and how wrong it may be. */
static void put_hidden(struct walras_json_out *out, const struct clearing *c,
                       const struct outcome *o)
{
    put_number(out, "costs_hidden", (double)c->n_hiding);
    if (c->n_hiding == 0)
        return;
    put_number(out, "cost_inferred", o->inferred);
    put_number(out, "cost_uncertain", o->doubt);
    put_number(out, "answers_inconsistent", (double)clearing_hidden_odd(c));
}

static void put_certificate(FILE *file, const struct clearing *c, const struct outcome *o,
                            const struct stragglers *stragglers)
{
    const struct scenario_certificate *found = &o->certificate;
    struct walras_json_out out = walras_json_out_start(file, 0);

    walras_json_out_open(&out, '{');
    walras_json_out_key(&out, "status");
    walras_json_out_text(&out, market_outcome_name(o->market.outcome));
    walras_json_out_key(&out, "clean");
    walras_json_out_bool(&out, found->clean);
    put_number(&out, "objective", found->objective);
    put_number(&out, "dual_bound", found->dual_bound);
    put_number(&out, "gap", found->gap);
    walras_json_out_key(&out, "bound_proven");
    walras_json_out_bool(&out, o->proven);
    put_hidden(&out, c, o);
    put_number(&out, "max_imbalance_kw", found->max_imbalance_kw);
    put_number(&out, "max_line_breach_kw", found->max_line_breach_kw);
    put_number(&out, "max_device_breach", found->max_device_breach);
    put_number(&out, "max_supply_breach_kw", found->max_supply_breach_kw);
    put_number(&out, "max_price_error_per_mwh", found->max_price_error_per_mwh);
    walras_json_out_key(&out, "remote");
    walras_json_out_open(&out, '{');
    put_number(&out, "agents", (double)c->n_remote);
    put_number(&out, "rounds", (double)c->number);
    put_number(&out, "answers_repeated", (double)stragglers->n_repeated);
    put_number(&out, "answers_fallback", (double)stragglers->n_fallback);
    walras_json_out_key(&out, "suspended");
    walras_json_out_open(&out, '[');
    for (size_t i = 0; i < stragglers->suspended.n; i++)
        walras_json_out_text(&out, db_text(&stragglers->suspended, i, 0));
    walras_json_out_close(&out, ']');
    walras_json_out_close(&out, '}');
    walras_json_out_close(&out, '}');
}

static enum walras_status write_documents(const struct clearing *c, const struct outcome *o,
                                          const struct stragglers *stragglers,
                                          struct documents *documents, struct walras_err *err)
{
    size_t size = 0;
    FILE *file = open_memstream(&documents->result, &size);
    enum walras_status status =
        file ? scenario_result_print(file, &o->judged, err)
             : walras_fail(err, WALRAS_NOMEM, "no memory for the result of %s", c->id);

    if (file && fclose(file) != 0 && status == WALRAS_OK)
        status = walras_fail(err, WALRAS_NOMEM, "no memory for the result of %s", c->id);
    file = status == WALRAS_OK ? open_memstream(&documents->certificate, &size) : NULL;
    if (file)
        put_certificate(file, c, o, stragglers);
    if (status == WALRAS_OK && (!file || fclose(file) != 0))
        status = walras_fail(err, WALRAS_NOMEM, "no memory for the result of %s", c->id);
    return status;
}

/* A delegated agent's award is what its devices draw together. */
static void sum_devices(const struct clearing *c, const struct outcome *o, size_t agent,
                        double *sum_kw)
{
    const struct scenario_agent *a = &c->scenario.agents[agent];

    for (size_t d = a->first_device; d < a->first_device + a->n_device; d++)
        for (size_t t = 0; t < c->n_step; t++)
            sum_kw[t] += o->plan_kw[d * c->n_step + t];
}

static enum walras_status store_awards(struct clearing *c, struct db_session *session,
                                       const struct outcome *o, struct walras_err *err)
{
    size_t n_own = c->scenario.n_agent, n = n_own + c->n_remote;
    struct db_award *list = calloc(n + 1, sizeof(*list));
    double *sum_kw = calloc(n_own * c->n_step + 1, sizeof(*sum_kw));
    enum walras_status status =
        list && sum_kw ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "no memory for awards");

    for (size_t a = 0; status == WALRAS_OK && a < n_own; a++) {
        sum_devices(c, o, a, sum_kw + a * c->n_step);
        list[a] = (struct db_award){.agent = c->scenario.agents[a].id,
                                    .draw_kw = sum_kw + a * c->n_step,
                                    .cost = (double)NAN,
                                    .mix = -1};
    }
    for (size_t g = 0; status == WALRAS_OK && g < c->n_guest; g++)
        for (size_t i = 0; i < c->guests[g].n; i++) {
            size_t remote = c->guests[g].members[i];

            list[n_own + remote] = (struct db_award){
                .agent = c->remotes[remote].id,
                .draw_kw = o->awards[remote].draw_kw,
                .cost = clearing_hides(c, remote) ? (double)NAN : o->awards[remote].cost,
                .mix = (int64_t)g};
        }
    if (status == WALRAS_OK)
        status = db_result_awards(session, c->id, list, n, c->n_step, err);
    free(list);
    free(sum_kw);
    return status;
}

/* Those that answer together have the same. */
static enum walras_status store_weights(struct clearing *c, struct db_session *session,
                                        const struct outcome *o, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t g = 0; g < c->n_guest; g++)
        for (size_t j = 0; status == WALRAS_OK && j < o->result->market->n_point; j++) {
            const struct clearing_point *point =
                o->point_of[j] == SIZE_MAX ? NULL : &c->points[o->point_of[j]];
            double weight = weights_of(c, o, g)[j];

            if (point && weight > 0.0)
                status = db_result_weight(session, c->id, (int64_t)g, point->round, point->position,
                                          fmin(1.0, weight), err);
        }
    return status;
}

static enum walras_status store_all(struct clearing *c, struct db_session *session,
                                    const struct outcome *o, struct walras_err *err)
{
    struct documents documents = {0};
    struct stragglers stragglers = {0};
    enum walras_status status = WALRAS_OK;

    for (size_t b = 0; status == WALRAS_OK && b < c->n_bus; b++)
        status = db_result_price(session, c->id, b, c->bus_ids[b],
                                 o->market.price_per_mwh + b * c->n_step, c->n_step, err);
    if (status == WALRAS_OK)
        status = store_awards(c, session, o, err);
    if (status == WALRAS_OK)
        status = store_weights(c, session, o, err);
    if (status == WALRAS_OK)
        status = db_round_suspended(session, c->id, &stragglers.suspended, err);
    if (status == WALRAS_OK)
        status =
            db_round_stand_ins(session, c->id, &stragglers.n_repeated, &stragglers.n_fallback, err);
    if (status == WALRAS_OK)
        status = write_documents(c, o, &stragglers, &documents, err);
    if (status == WALRAS_OK)
        status = db_result_documents(session, c->id, documents.result, documents.certificate, err);
    if (status == WALRAS_OK)
        status = db_market_move(session, "server", c->id, DB_MARKET_FINISH, NULL, err);
    db_rows_release(&stragglers.suspended);
    free(documents.result);
    free(documents.certificate);
    return status;
}

/* Whether a try whose end nobody heard of has come through after all. */
static enum walras_status is_over(struct clearing *c, struct db_session *session, bool *over,
                                  struct walras_err *err)
{
    struct db_market market;
    struct db_rows rows = {0};
    enum db_market_state state = DB_N_MARKET_STATE;
    enum walras_status status = db_market_load(session, c->id, &rows, &market, &state, err);

    *over = state == DB_MARKET_cleared || state == DB_MARKET_failed;
    db_rows_release(&rows);
    return status;
}

static enum walras_status store(struct clearing *c, struct db_session *session, void *context,
                                struct walras_err *err)
{
    bool over = false;
    enum walras_status status = is_over(c, session, &over, err);

    return status == WALRAS_OK && !over ? store_all(c, session, context, err) : status;
}

static enum walras_status store_failure(struct clearing *c, struct db_session *session,
                                        void *context, struct walras_err *err)
{
    bool over = false;
    enum walras_status status = is_over(c, session, &over, err);

    return status == WALRAS_OK && !over
               ? db_market_move(session, "server", c->id, DB_MARKET_FAIL, context, err)
               : status;
}

enum walras_status clearing_fail(struct clearing *c, const char *why, struct walras_err *err)
{
    return clearing_write(c, store_failure, (void *)why, err);
}

static enum walras_status finish_with_plan(struct clearing *c, struct outcome *o,
                                           struct walras_err *err)
{
    enum walras_status status = begin(c, o, err);

    if (status == WALRAS_OK) {
        find_points(c, o);
        status = clearing_read(c, mix, o, err);
    }
    if (status == WALRAS_OK)
        status = outcome_judge(c, o, err);
    if (status == WALRAS_OK)
        status = clearing_write(c, store, o, err);
    if (status == WALRAS_OK)
        walras_log("cleared", "market=%s status=%s rounds=%lld gap=%.2e clean=%s", c->id,
                   market_outcome_name(o->market.outcome), (long long)c->number, o->certificate.gap,
                   o->certificate.clean ? "yes" : "no");
    return status;
}

enum walras_status clearing_finish(struct clearing *c, const struct scenario_result *result,
                                   struct walras_err *err)
{
    struct outcome outcome = {.result = result};
    const char *why = result->why ? result->why : "no plan was found in the rounds there were";
    enum walras_status status = WALRAS_OK;

    if (result->market->has_plan && result->market->outcome != MARKET_INFEASIBLE) {
        status = finish_with_plan(c, &outcome, err);
        release(&outcome);
        return status;
    }
    walras_log("cleared", "market=%s status=%s why=\"%s\"", c->id,
               market_outcome_name(result->market->outcome), why);
    return clearing_fail(c, why, err);
}
