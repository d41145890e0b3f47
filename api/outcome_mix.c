/* Awards: what agents answered to each point that was announced, mixed by its weight in the result.
 */
#include "api/clearing_hidden.h"
#include "core/hash.h"
#include "core/names.h"
#include "db/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

const double *outcome_weights(const struct clearing *c, const struct outcome *o, size_t guest)
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
            if (outcome_weights(c, o, g)[j] > 0.0)
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
            status = mix_answers(c, o, remote, outcome_weights(c, o, guest_of[remote]), number,
                                 &rows, i, err);
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

enum walras_status outcome_mix(struct clearing *c, struct outcome *o, struct walras_err *err)
{
    find_points(c, o);
    return clearing_read(c, mix, o, err);
}
