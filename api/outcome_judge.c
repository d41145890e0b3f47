/*
 * The certificate of a market with participants on the network. Their awards are firm loads of a
 * market derived from this one, which the certificate of scenarios judges as any other: balance,
 * flows, devices, exchange, prices. What only they know, they have told: the cost of their awards
 * is that of the answers it is mixed of, and the bound takes for each what it answered at the final
 * prices in place of what a firm load pays. Of those that hide their cost, what can be inferred is
 * taken for told; that makes no bound a proven one.
 */
#include "api/clearing_hidden.h"
#include "core/hash.h"
#include "core/text.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_load(FILE *file, const double *draw_kw, size_t n_step)
{
    char number[WALRAS_NUMBER_TEXT];

    fputs("[{\"id\": \"award\", \"type\": \"load\", \"draw_kw\": [", file);
    for (size_t t = 0; t < n_step; t++) {
        walras_number_text(draw_kw[t], number);
        fprintf(file, "%s%s", t == 0 ? "" : ",", number);
    }
    fputs("]}]", file);
}

static char *load_text(const double *draw_kw, size_t n_step)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    if (file)
        put_load(file, draw_kw, n_step);
    if (file && fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

/* The delegated agents, then the remote ones as loads. */
static char *word_plan(const struct clearing *c, const struct outcome *o)
{
    char *text = NULL;
    size_t size = 0, n = strlen(c->delegated);
    FILE *file = open_memstream(&text, &size);
    bool whole = file != NULL;

    if (file)
        fprintf(file, "%.*s", (int)(n - 1), c->delegated); /* without its bracket */
    for (size_t i = 0; whole && i < c->n_remote; i++) {
        char *load = load_text(o->awards[i].draw_kw, c->n_step);

        whole = load != NULL;
        if (whole)
            api_wording_agent(file, i == 0 && c->scenario.n_agent == 0, c->remotes[i].id,
                              c->bus_ids[c->remotes[i].bus], load);
        free(load);
    }
    if (file)
        fputc(']', file);
    whole = file && fclose(file) == 0 && whole;
    if (whole)
        return text;
    free(text);
    return NULL;
}

static enum walras_status derive(const struct clearing *c, struct outcome *o,
                                 struct walras_err *err)
{
    struct api_wording wording = api_wording_of(&c->market, db_text(&c->grid_rows, 0, 2));
    char *agents = word_plan(c, o);
    enum walras_status status =
        agents ? WALRAS_OK : walras_fail(err, WALRAS_NOMEM, "no memory to judge %s", c->id);

    wording.agents = agents;
    if (status == WALRAS_OK)
        status = api_wording_read(&wording, &o->derived, err);
    free(agents);
    if (status == WALRAS_OK && o->derived.n_device != c->scenario.n_device + c->n_remote)
        status = walras_fail(err, WALRAS_INTERNAL, "the plan of %s has other devices", c->id);
    return status;
}

static enum walras_status take_plan(const struct clearing *c, struct outcome *o,
                                    struct walras_err *err)
{
    size_t n_own = c->scenario.n_device, n_step = c->n_step;
    enum walras_status status = WALRAS_OK;

    o->plan_kw = calloc(o->derived.n_device * n_step + 1, sizeof(*o->plan_kw));
    if (!o->plan_kw)
        return walras_fail(err, WALRAS_NOMEM, "no memory to judge %s", c->id);
    if (n_own > 0)
        status = scenario_awards_read(o->result->awards, 0, n_own, o->plan_kw, err);
    for (size_t i = 0; status == WALRAS_OK && i < c->n_remote; i++)
        memcpy(o->plan_kw + (n_own + i) * n_step, o->awards[i].draw_kw,
               n_step * sizeof(*o->plan_kw));
    o->plan = scenario_awards_of(o->plan_kw, o->derived.n_device, n_step);
    return status;
}

/* The point that the final prices are; NULL: they are none that was announced. */
static const struct clearing_point *final_point(const struct clearing *c,
                                                const struct market_result *market)
{
    uint64_t hash = walras_hash(0, market->price_per_mwh,
                                c->n_bus * c->n_step * sizeof(*market->price_per_mwh));

    for (size_t i = c->n_announced; i-- > 0;)
        if (c->points[i].hash == hash)
            return &c->points[i];
    return NULL;
}

/* What firm loads as large as the awards pay at the final prices. */
static double paid(const struct clearing *c, const struct outcome *o)
{
    double sum = 0.0;

    for (size_t i = 0; i < c->n_remote; i++)
        for (size_t t = 0; t < c->n_step; t++)
            sum += o->result->market->price_per_mwh[c->remotes[i].bus * c->n_step + t] *
                   o->awards[i].draw_kw[t];
    return walras_mwh(sum, c->scenario.horizon.step_h);
}

static enum walras_status weigh_hidden(const struct clearing *c, struct outcome *o,
                                       const struct clearing_point *point, struct walras_err *err)
{
    const struct market_result *r = o->result->market;
    enum walras_status status = WALRAS_OK;

    o->inferred = o->doubt = 0.0;
    for (size_t g = 0; g < c->n_guest; g++)
        for (size_t i = 0; status == WALRAS_OK && i < c->guests[g].n; i++) {
            size_t remote = c->guests[g].members[i];
            double doubt = (double)INFINITY;

            if (!clearing_hides(c, remote))
                continue;
            if (point)
                status =
                    clearing_hidden_doubt(c, remote, (size_t)(point - c->points), o->point_of,
                                          r->weight + (r->n_group - c->n_guest + g) * r->n_point,
                                          r->n_point, &doubt, err);
            o->inferred += o->awards[remote].cost;
            o->doubt += doubt;
        }
    return status;
}

static enum walras_status certify(struct clearing *c, struct outcome *o, struct walras_err *err)
{
    const struct clearing_point *point = final_point(c, o->result->market);
    double cost = 0.0, shift = 0.0;
    enum walras_status status = weigh_hidden(c, o, point, err);

    if (status != WALRAS_OK)
        return status;
    for (size_t i = 0; i < c->n_remote; i++)
        cost += o->awards[i].cost;
    if (point)
        shift =
            point->remote_bound + clearing_hidden_cost(c, (size_t)(point - c->points)) - paid(c, o);
    o->market.objective -= cost;
    o->market.bound = c->n_remote == 0 || point ? o->market.bound - shift : -(double)INFINITY;
    status = scenario_certify(&o->judged, &o->certificate, err);
    o->market = *o->result->market;
    if (status != WALRAS_OK)
        return status;
    o->proven = c->n_remote == 0 || (point && point->own && c->n_hiding == 0);
    o->certificate.device_cost += cost;
    o->certificate.objective += cost;
    o->certificate.dual_bound += shift;
    if (c->n_remote > 0 && !point)
        o->certificate.dual_bound = -(double)INFINITY;
    o->certificate.gap = (o->certificate.objective - o->certificate.dual_bound) /
                         fmax(1.0, fabs(o->certificate.objective));
    o->judged.certificate = &o->certificate;
    if (o->certificate.clean)
        o->market.objective = o->certificate.objective;
    else if (o->market.outcome == MARKET_CONVERGED)
        o->market.outcome = MARKET_ROUND_LIMIT;
    return WALRAS_OK;
}

enum walras_status outcome_judge(struct clearing *c, struct outcome *o, struct walras_err *err)
{
    enum walras_status status = derive(c, o, err);

    if (status == WALRAS_OK)
        status = take_plan(c, o, err);
    if (status != WALRAS_OK)
        return status;
    o->market = *o->result->market; /* its arrays stay the clearing's */
    o->judged = *o->result;
    o->judged.scenario = &o->derived;
    o->judged.market = &o->market;
    o->judged.awards = &o->plan;
    o->judged.certificate = NULL;
    return certify(c, o, err);
}
