#include "scenario/compare.h"

#include "core/text.h"
#include "market/method.h"
#include "scenario/losses.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct watch { /* what a run's rounds are handed on with */
    const struct scenario_compare_settings *settings;
    struct scenario_compare_now now;
    bool stopped;
};

const char *scenario_run_end_name(enum scenario_run_end end)
{
    static const char *const names[] = {
#define X(name, key, words) key,
        SCENARIO_RUN_LIST(X)
#undef X
    };

    return names[end];
}

static enum walras_status unknown_method(const char *name, struct walras_err *err)
{
    const struct market_method_ops *const *all = market_methods();
    const char *names[SCENARIO_MAX_METHODS], *close = NULL;
    char there_are[256] = "";
    size_t n = 0, used = 0;

    for (; all[n] && n < SCENARIO_MAX_METHODS; n++) {
        names[n] = all[n]->name;
        if (used < sizeof(there_are))
            used += (size_t)snprintf(there_are + used, sizeof(there_are) - used, "%s%s",
                                     n == 0 ? "" : ", ", names[n]);
    }
    close = walras_text_closest(name, names, n);
    return walras_fail(err, WALRAS_INVALID, "there is no price method \"%s\"%s%s%s; there are %s",
                       name, close ? "; did you mean \"" : "", close ? close : "",
                       close ? "\"?" : "", there_are);
}

static enum walras_status add_method(const char *word, size_t size, const char *methods[],
                                     size_t *n, struct walras_err *err)
{
    const struct market_method_ops *found = NULL;
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name)), word);
    if (size == 0)
        return walras_fail(err, WALRAS_INVALID, "the name of a price method is empty");
    found = market_method_find(name);
    if (!found)
        return unknown_method(name, err);
    for (size_t i = 0; i < *n; i++)
        if (strcmp(methods[i], name) == 0)
            return walras_fail(err, WALRAS_INVALID, "price method \"%s\" is named twice", name);
    methods[(*n)++] = found->name;
    return WALRAS_OK;
}

enum walras_status scenario_compare_methods(const char *list, const char *methods[], size_t *n,
                                            struct walras_err *err)
{
    const struct market_method_ops *const *all = market_methods();
    enum walras_status status = WALRAS_OK;

    *n = 0;
    if (!list) {
        for (; all[*n] && *n < SCENARIO_MAX_METHODS; ++*n)
            methods[*n] = all[*n]->name;
        return WALRAS_OK;
    }
    for (const char *word = list; word && status == WALRAS_OK;) {
        size_t size = strcspn(word, ",");

        status = add_method(word, size, methods, n, err);
        word = word[size] == ',' ? word + size + 1 : NULL;
    }
    return status;
}

void scenario_comparison_release(struct scenario_comparison *comparison)
{
    for (size_t i = 0; i < comparison->n_run; i++)
        free(comparison->runs[i].history);
    free(comparison->runs);
    *comparison = (struct scenario_comparison){0};
}

static bool ask_to_go_on(struct watch *watch, const struct market_round *round)
{
    const struct scenario_compare_settings *settings = watch->settings;

    watch->now.round = round;
    if (!watch->stopped && settings->progress)
        watch->stopped = !settings->progress(settings->context, &watch->now);
    return !watch->stopped;
}

static bool after_round(void *context, const struct market_round *round)
{
    return ask_to_go_on(context, round);
}

static enum scenario_run_end end_of(enum market_outcome outcome, bool stopped)
{
    switch (outcome) {
    case MARKET_CONVERGED:
        return SCENARIO_RUN_CONVERGED;
    case MARKET_INFEASIBLE:
        return SCENARIO_RUN_INFEASIBLE;
    case MARKET_ROUND_LIMIT:
        return SCENARIO_RUN_ROUND_LIMIT;
    case MARKET_TIME_LIMIT:
        break;
    }
    return stopped ? SCENARIO_RUN_STOPPED : SCENARIO_RUN_TIME_LIMIT;
}

/* The plan is recovered once more at the end; awarded and certified, it counts for the last round.
 */
static void take_last_plan(struct scenario_run *run)
{
    struct market_round *last = &run->history[run->n_round - 1];

    last->objective = fmin(last->objective, run->awarded); /* fmin passes over NAN */
    last->gap = (last->objective - last->bound) / fmax(1.0, fabs(last->objective));
}

static enum walras_status take_result(struct scenario_run *run,
                                      const struct scenario_result *result, bool stopped,
                                      struct walras_err *err)
{
    const struct market_result *market = result->market;

    run->history = calloc((size_t)market->n_rounds + 1, sizeof(*run->history));
    if (!run->history)
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %u rounds of %s", market->n_rounds,
                           run->method);
    if (market->n_rounds > 0)
        memcpy(run->history, market->history, market->n_rounds * sizeof(*run->history));
    run->n_round = market->n_rounds;
    run->end = end_of(market->outcome, stopped);
    run->doubtful = result->certificate && !result->certificate->clean;
    run->awarded = result->awards ? market->objective : (double)NAN;
    if (run->n_round > 0 && result->awards && !run->doubtful)
        take_last_plan(run);
    snprintf(run->why, sizeof(run->why), "%s", result->why ? result->why : "");
    return WALRAS_OK;
}

static enum walras_status run_method(const struct scenario *scenario, struct watch *watch,
                                     struct scenario_run *run, struct walras_err *err)
{
    struct scenario_clear_settings clear = watch->settings->clear;
    struct scenario_clearing *clearing = NULL;
    struct walras_err fault = {0};

    clear.market.method = run->method;
    clear.market.progress = after_round;
    clear.market.context = watch;
    run->failure = scenario_clear(scenario, &clear, &clearing, &fault);
    if (run->failure != WALRAS_OK) {
        run->end = SCENARIO_RUN_FAILED;
        snprintf(run->why, sizeof(run->why), "%s", fault.msg);
        return WALRAS_OK;
    }
    enum walras_status status =
        take_result(run, scenario_clearing_result(clearing), watch->stopped, err);

    scenario_clearing_free(clearing);
    return status;
}

/* At least one method has something to say. */
static enum walras_status check_runs(const struct scenario_comparison *c, struct walras_err *err)
{
    for (size_t i = 0; i < c->n_run; i++)
        if (c->runs[i].end != SCENARIO_RUN_FAILED)
            return WALRAS_OK;
    return walras_fail(err, c->runs[0].failure, "%s", c->runs[0].why);
}

enum walras_status scenario_compare(const struct scenario *scenario,
                                    const struct scenario_compare_settings *settings,
                                    struct scenario_comparison *comparison, struct walras_err *err)
{
    struct scenario_comparison c = {
        .scenario = scenario, .gap_asked = settings->clear.market.gap, .n_run = settings->n_method};
    struct watch watch = {.settings = settings, .now = {.n_run = settings->n_method}};
    enum walras_status status = scenario_losses_refuse(scenario, "comparing methods", err);

    if (status != WALRAS_OK)
        return status;
    c.runs = calloc(c.n_run + 1, sizeof(*c.runs));
    if (!c.runs) {
        c.n_run = 0;
        return walras_fail(err, WALRAS_NOMEM, "cannot compare %zu methods", settings->n_method);
    }
    for (size_t i = 0; i < c.n_run; i++)
        c.runs[i] = (struct scenario_run){
            .method = settings->methods[i], .end = SCENARIO_RUN_NOT_RUN, .awarded = NAN};
    for (size_t i = 0; i < c.n_run && status == WALRAS_OK; i++) {
        watch.now.method = c.runs[i].method;
        watch.now.run = i;
        if (!ask_to_go_on(&watch, NULL))
            break;
        status = run_method(scenario, &watch, &c.runs[i], err);
        if (c.runs[i].end == SCENARIO_RUN_INFEASIBLE)
            break;
    }
    if (status == WALRAS_OK)
        status = check_runs(&c, err);
    if (status == WALRAS_OK) {
        scenario_comparison_sum_up(&c);
        *comparison = c;
        c = (struct scenario_comparison){0};
    }
    scenario_comparison_release(&c);
    return status;
}
