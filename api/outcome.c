/* What came of a market, stored with its last move. */
#include "api/clearing_hidden.h"
#include "core/json_write.h"
#include "core/log.h"
#include "db/results.h"

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
            double weight = outcome_weights(c, o, g)[j];

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

    if (status == WALRAS_OK)
        status = outcome_mix(c, o, err);
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
