#include "api/clearing.h"

#include "api/clearing_internal.h"
#include "core/log.h"

#include <math.h>
#include <string.h>

struct report {
    const struct market_round *round;
};

static enum walras_status write_report(struct clearing *c, struct db_session *session,
                                       void *context, struct walras_err *err)
{
    const struct market_round *round = ((struct report *)context)->round;
    const struct db_round of = {c->id, c->number};

    return db_round_report(session, &of, isfinite(round->bound) ? round->bound : (double)NAN,
                           round->objective, round->gap, err);
}

/* Progress is told within a round too: followers are told of it once it is over. */
static void note_report(struct clearing *c, const struct market_round *round)
{
    c->report = (struct api_round_report){.number = c->number,
                                          .n_answer = c->n_answer,
                                          .n_stand_in = c->n_remote - c->n_answer,
                                          .bound = round->bound,
                                          .objective = round->objective,
                                          .gap = round->gap};
}

static bool progress(void *context, const struct market_round *round)
{
    struct clearing *c = context;
    struct report report = {round};
    struct walras_err err = {0};

    walras_log("round", "market=%s round=%lld bound=%.9g objective=%.9g gap=%.2e", c->id,
               (long long)c->number, round->bound, round->objective, round->gap);
    note_report(c, round);
    if (c->n_remote > 0 && clearing_write(c, write_report, &report, &err) != WALRAS_OK)
        walras_log("report_failed", "market=%s error=\"%s\"", c->id, err.msg);
    return !clearing_stopping(c);
}

static enum walras_status run(struct clearing *c, struct scenario_clearing **clearing,
                              struct walras_err *err)
{
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();

    settings.market.gap = c->market.gap;
    settings.market.max_rounds = (unsigned)c->market.max_rounds;
    settings.market.n_point = (unsigned)c->market.points;
    settings.market.announce = clearing_announce;
    settings.market.progress = progress;
    settings.market.context = c;
    settings.guests = c->groups;
    settings.n_guest = c->n_guest;
    return scenario_clear(&c->scenario, &settings, clearing, err);
}

/* A market that nobody can clear has failed; one that the server cannot go on with now is left. */
static void end(struct clearing *c, enum walras_status status, struct walras_err *err)
{
    struct walras_err failure = {0};

    if (status == WALRAS_OK)
        return;
    if (status == WALRAS_UNAVAILABLE || status == WALRAS_CONFLICT) {
        walras_log(status == WALRAS_CONFLICT ? "clearing_dropped" : "clearing_parked",
                   "market=%s round=%lld", c->id, (long long)c->number);
        return;
    }
    walras_log("clearing_failed", "market=%s error=\"%s\"", c->id, err->msg);
    if (clearing_fail(c, err->msg, &failure) != WALRAS_OK)
        walras_log("clearing_failed", "market=%s error=\"%s\"", c->id, failure.msg);
}

void api_clear(const struct api_clear_settings *settings, int64_t epoch, const char *market)
{
    struct clearing c = {.pool = settings->pool,
                         .live = settings->live,
                         .lead = settings->lead,
                         .epoch = epoch,
                         .id = market};
    struct scenario_clearing *clearing = NULL;
    struct walras_err err = {0};
    enum walras_status status = clearing_set_up(&c, &err);

    walras_log("clearing", "market=%s remote=%zu delegated=%zu", market, c.n_remote,
               c.scenario.n_agent);
    if (status == WALRAS_OK)
        status = run(&c, &clearing, &err);
    if (status == WALRAS_OK && clearing_stopping(&c)) /* it may have ended early */
        status = walras_fail(&err, WALRAS_UNAVAILABLE, "it is for another to go on");
    if (status == WALRAS_OK)
        status = clearing_finish(&c, scenario_clearing_result(clearing), &err);
    end(&c, status, &err);
    scenario_clearing_free(clearing);
    clearing_release(&c);
    api_live_notify(c.live, market);
}
