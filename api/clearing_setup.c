#include "api/clearing_hidden.h"

#include "core/names.h"
#include "db/grids.h"
#include "db/values.h"
#include "scenario/nodes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GUESTS = 256, REMOTE_KIND = AGENT_N_TYPE };

void clearing_release(struct clearing *c)
{
    api_live_end(c->live, c->live_market);
    clearing_hidden_release(c);
    scenario_release(&c->scenario);
    walras_names_free(c->bus_names);
    walras_names_free(c->remote_names);
    free(c->delegated);
    free(c->bus_ids);
    free(c->remotes);
    free(c->remote_row);
    free(c->remote_swing_kw);
    free(c->guests);
    free(c->groups);
    free(c->member_room);
    free(c->draw_kw);
    free(c->cost);
    free(c->points);
    free(c->told_per_mwh);
    db_rows_release(&c->people);
    db_rows_release(&c->grid_rows);
    db_rows_release(&c->market_rows);
}

static enum walras_status load(struct clearing *c, struct db_session *session, void *context,
                               struct walras_err *err)
{
    enum db_market_state state = DB_N_MARKET_STATE;
    enum walras_status status = WALRAS_OK;

    (void)context;
    db_rows_release(&c->market_rows);
    db_rows_release(&c->grid_rows);
    db_rows_release(&c->people);
    status = db_market_load(session, c->id, &c->market_rows, &c->market, &state, err);
    if (status == WALRAS_OK)
        status = db_grid_get(session, c->market.grid, c->market.grid_version, &c->grid_rows, err);
    if (status == WALRAS_OK && c->grid_rows.n == 0)
        status = walras_fail(err, WALRAS_INTERNAL, "grid %s is gone", c->market.grid);
    return status == WALRAS_OK ? db_round_participants(session, c->id, &c->people, err) : status;
}

static bool is_remote(const struct clearing *c, size_t row)
{
    return strcmp(db_text(&c->people, row, 1), "remote") == 0;
}

static enum walras_status word_delegated(struct clearing *c, struct walras_err *err)
{
    size_t size = 0;
    FILE *file = open_memstream(&c->delegated, &size);
    bool first = true;

    if (file)
        fputc('[', file);
    for (size_t i = 0; file && i < c->people.n; i++) {
        if (is_remote(c, i))
            continue;
        api_wording_agent(file, first, db_text(&c->people, i, 0), db_text(&c->people, i, 2),
                          db_text(&c->people, i, 4));
        first = false;
    }
    if (file)
        fputc(']', file);
    return file && fclose(file) == 0
               ? WALRAS_OK
               : walras_fail(err, WALRAS_NOMEM, "no memory for the agents of %s", c->id);
}

/* Remote agents stand at buses: of the market's nodes beyond them they are told nothing. */
static enum walras_status count_nodes(struct clearing *c, struct walras_err *err)
{
    struct scenario_nodes nodes = {0};
    enum walras_status status = scenario_nodes_make(&c->scenario, &nodes, err);

    if (status != WALRAS_OK)
        return status;
    c->n_node = nodes.n;
    scenario_nodes_release(&nodes);
    if (c->n_node == c->n_bus)
        return WALRAS_OK;
    c->told_per_mwh = calloc(CLEARING_MOST_POINTS * c->n_bus * c->n_step, sizeof(*c->told_per_mwh));
    return c->told_per_mwh
               ? WALRAS_OK
               : walras_fail(err, WALRAS_NOMEM, "no memory for the prices of %s", c->id);
}

static enum walras_status read_scenario(struct clearing *c, struct walras_err *err)
{
    struct api_wording wording = api_wording_of(&c->market, db_text(&c->grid_rows, 0, 2));
    enum walras_status status = word_delegated(c, err);

    wording.agents = c->delegated;
    if (status == WALRAS_OK)
        status = api_wording_read(&wording, &c->scenario, err);
    if (status != WALRAS_OK)
        return status;
    c->n_bus = c->scenario.network.n_bus;
    c->n_step = c->scenario.horizon.n_step;
    status = count_nodes(c, err);
    if (status != WALRAS_OK)
        return status;
    c->bus_ids = calloc(c->n_bus + 1, sizeof(*c->bus_ids));
    if (!c->bus_ids)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the buses of %s", c->id);
    status = walras_names_new(&c->bus_names, err);
    for (size_t b = 0; status == WALRAS_OK && b < c->n_bus; b++) {
        c->bus_ids[b] = c->scenario.network.buses[b].id;
        status = walras_names_add(c->bus_names, c->bus_ids[b], err);
    }
    return status;
}

/* About how far it can move, from all that is known of it: what it falls back on. */
static enum walras_status guess_swing(struct clearing *c, size_t remote, double *work,
                                      struct walras_err *err)
{
    enum walras_status status =
        db_numbers(&c->people, c->remote_row[remote], 5, work, c->n_step, err);

    c->remote_swing_kw[remote] = 1.0;
    for (size_t t = 0; status == WALRAS_OK && t < c->n_step; t++)
        c->remote_swing_kw[remote] = fmax(c->remote_swing_kw[remote], 2.0 * fabs(work[t]));
    return status;
}

static enum walras_status list_remote(struct clearing *c, size_t row, struct walras_err *err)
{
    struct api_live_agent *agent = &c->remotes[c->n_remote];
    size_t bus = walras_names_find(c->bus_names, db_text(&c->people, row, 2));

    if (bus == SIZE_MAX)
        return walras_fail(err, WALRAS_INVALID, "agent %s is at bus %s, which the grid has not",
                           db_text(&c->people, row, 0), db_text(&c->people, row, 2));
    *agent = (struct api_live_agent){.id = db_text(&c->people, row, 0),
                                     .owner = db_text(&c->people, row, 3),
                                     .bus = (uint32_t)bus,
                                     .suspended = db_bool(&c->people, row, 6)};
    c->hidden[c->n_remote].inferred.n_step = c->n_step;
    c->remote_row[c->n_remote++] = row;
    return walras_names_add(c->remote_names, agent->id, err);
}

static enum walras_status list_remotes(struct clearing *c, struct walras_err *err)
{
    size_t n = c->people.n, n_answer = CLEARING_MOST_POINTS * n;
    double *work = calloc(c->n_step + 1, sizeof(*work));
    enum walras_status status = walras_names_new(&c->remote_names, err);

    c->remotes = calloc(n + 1, sizeof(*c->remotes));
    c->remote_row = calloc(n + 1, sizeof(*c->remote_row));
    c->remote_swing_kw = calloc(n + 1, sizeof(*c->remote_swing_kw));
    c->draw_kw = calloc(n_answer * c->n_step + 1, sizeof(*c->draw_kw));
    c->cost = calloc(n_answer + 1, sizeof(*c->cost));
    c->hidden = calloc(n + 1, sizeof(*c->hidden));
    if (!work || !c->remotes || !c->remote_row || !c->remote_swing_kw || !c->draw_kw || !c->cost ||
        !c->hidden)
        status = walras_fail(err, WALRAS_NOMEM, "no memory for %zu participants", n);
    for (size_t i = 0; status == WALRAS_OK && i < n; i++)
        if (is_remote(c, i))
            status = list_remote(c, i, err);
    for (size_t i = 0; status == WALRAS_OK && i < c->n_remote; i++)
        status = guess_swing(c, i, work, err);
    free(work);
    return status;
}

/* How many at one bus answer together, so that there are about as many groups at most. */
static size_t group_size(const struct clearing *c)
{
    return (c->n_remote + MOST_GUESTS - 1) / MOST_GUESTS;
}

static void fill_group(struct clearing *c, size_t g)
{
    struct clearing_guest *guest = &c->guests[g];
    double swing_kw = 0.0;

    for (size_t i = 0; i < guest->n; i++)
        swing_kw += c->remote_swing_kw[guest->members[i]];
    c->groups[g] =
        (struct market_group){.bus = guest->bus,
                              .oracle = {.ops = &clearing_guest_ops, .self = guest, .n_part = 1},
                              .swing_kw = swing_kw,
                              .kind = REMOTE_KIND,
                              .n_device = guest->n,
                              .name = "remote agents"};
}

/* By bus, and there in order of ids: the same groups whenever the market is taken up again. */
static enum walras_status form_groups(struct clearing *c, struct walras_err *err)
{
    size_t most = group_size(c), n_member = 0;

    c->guests = calloc(c->n_remote + 1, sizeof(*c->guests));
    c->groups = calloc(c->n_remote + 1, sizeof(*c->groups));
    c->member_room = calloc(c->n_remote + 1, sizeof(*c->member_room));
    if (!c->guests || !c->groups || !c->member_room)
        return walras_fail(err, WALRAS_NOMEM, "no memory for %zu participants", c->n_remote);
    for (uint32_t b = 0; n_member < c->n_remote && b < c->n_bus; b++) {
        struct clearing_guest *open = NULL;

        for (size_t i = 0; i < c->n_remote; i++) {
            if (c->remotes[i].bus != b)
                continue;
            if (!open || open->n == most) {
                open = &c->guests[c->n_guest++];
                *open = (struct clearing_guest){
                    .clearing = c, .bus = b, .members = c->member_room + n_member};
            }
            open->members[open->n++] = i;
            n_member++;
        }
    }
    for (size_t g = 0; g < c->n_guest; g++)
        fill_group(c, g);
    return WALRAS_OK;
}

static enum walras_status go_live(struct clearing *c, struct walras_err *err)
{
    const struct api_live_settings settings = {.market = c->id,
                                               .agents = c->remotes,
                                               .n_agent = c->n_remote,
                                               .names = c->remote_names,
                                               .bus_ids = c->bus_ids,
                                               .n_bus = c->n_bus,
                                               .n_step = c->n_step};

    return api_live_begin(c->live, &settings, &c->live_market, err);
}

enum walras_status clearing_set_up(struct clearing *c, struct walras_err *err)
{
    enum walras_status status = clearing_read(c, load, NULL, err);

    if (status == WALRAS_OK)
        status = read_scenario(c, err);
    if (status == WALRAS_OK)
        status = list_remotes(c, err);
    if (status == WALRAS_OK)
        status = form_groups(c, err);
    return status == WALRAS_OK ? go_live(c, err) : status;
}
