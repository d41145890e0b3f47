#include "db/agents.h"

#include "db/values.h"

#include <stdio.h>

static enum walras_status need_owner(struct db_session *session, const char *owner,
                                     struct walras_err *err)
{
    static const struct db_sql ask = {
        "client_there", "SELECT 1 FROM client WHERE id = $1 AND revoked_at IS NULL FOR KEY SHARE"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, owner);
    status = db_query(session, &ask, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_INVALID, "there is no client \"%s\"", owner);
    db_rows_release(&rows);
    return status;
}

static enum walras_status insert_devices(struct db_session *session, const char *agent,
                                         const struct db_device *devices, size_t n,
                                         struct walras_err *err)
{
    static const struct db_sql insert = {
        "device_insert",
        "INSERT INTO device (agent, position, id, definition) SELECT $1, n - 1, id, d::json FROM "
        "unnest($2::text[], $3::text[]) WITH ORDINALITY AS c (id, d, n)"};
    struct walras_text ids, definitions;
    struct db_args args = {0};
    enum walras_status status = WALRAS_OK;

    db_array_open(&ids);
    db_array_open(&definitions);
    for (size_t i = 0; i < n; i++) {
        db_array_text(&ids, devices[i].id);
        db_array_text(&definitions, devices[i].definition);
    }
    db_array_close(&ids);
    db_array_close(&definitions);
    db_add_text(&args, agent);
    db_add_text(&args, ids.data);
    db_add_text(&args, definitions.data);
    status = ids.failure == WALRAS_OK && definitions.failure == WALRAS_OK
                 ? db_query(session, &insert, &args, NULL, err)
                 : walras_fail(err, WALRAS_NOMEM, "the devices of %s do not fit in memory", agent);
    walras_text_release(&ids);
    walras_text_release(&definitions);
    return status;
}

enum walras_status db_agent_create(struct db_session *session, const char *actor,
                                   const struct db_agent *agent, struct walras_err *err)
{
    static const struct db_sql insert = {
        "agent_insert", "INSERT INTO agent (id, kind, bus, owner) VALUES ($1, $2::agent_kind, $3, "
                        "$4) ON CONFLICT DO NOTHING RETURNING id"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = need_owner(session, agent->owner, err);

    if (status != WALRAS_OK)
        return status;
    db_add_text(&args, agent->id);
    db_add_text(&args, agent->delegated ? "delegated" : "remote");
    db_add_text(&args, agent->bus);
    db_add_text(&args, agent->owner);
    status = db_query(session, &insert, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_CONFLICT, "there is an agent \"%s\" already", agent->id);
    db_rows_release(&rows);
    if (status == WALRAS_OK)
        status = insert_devices(session, agent->id, agent->devices, agent->n_device, err);
    if (status == WALRAS_OK)
        status = db_audit(session, actor, "agent.create", agent->id, agent->owner, err);
    return status;
}

/* Locks it; its devices are not to change under a market that reads them. */
static enum walras_status need_idle(struct db_session *session, const char *id,
                                    struct walras_err *err)
{
    static const struct db_sql lock = {"agent_lock",
                                       "SELECT kind FROM agent WHERE id = $1 FOR UPDATE"};
    static const struct db_sql ask = {
        "agent_busy", "SELECT m.id, m.state FROM participant p JOIN market m ON m.id = p.market "
                      "WHERE p.agent = $1 AND m.state IN ('open', 'clearing') LIMIT 1"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, id);
    status = db_query(session, &lock, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status = walras_fail(err, WALRAS_NOT_FOUND, "there is no agent \"%s\"", id);
    db_rows_release(&rows);
    if (status == WALRAS_OK)
        status = db_query(session, &ask, &args, &rows, err);
    if (status == WALRAS_OK && rows.n > 0)
        status = walras_fail(err, WALRAS_CONFLICT,
                             "agent \"%s\" takes part in market \"%s\", which is "
                             "%s: it can be changed when that has ended",
                             id, db_text(&rows, 0, 0), db_text(&rows, 0, 1));
    db_rows_release(&rows);
    return status;
}

static enum walras_status replace_devices(struct db_session *session, const char *id,
                                          const struct db_agent_change *change,
                                          struct walras_err *err)
{
    static const struct db_sql clear = {"device_clear", "DELETE FROM device WHERE agent = $1"};
    struct db_args args = {0};
    enum walras_status status = WALRAS_OK;

    db_add_text(&args, id);
    status = db_query(session, &clear, &args, NULL, err);
    return status == WALRAS_OK ? insert_devices(session, id, change->devices, change->n_device, err)
                               : status;
}

enum walras_status db_agent_change(struct db_session *session, const char *actor, const char *id,
                                   const struct db_agent_change *change, struct walras_err *err)
{
    static const struct db_sql update = {
        "agent_update",
        "UPDATE agent SET bus = coalesce($2, bus), owner = coalesce($3, owner) WHERE id = $1"};
    struct db_args args = {0};
    char detail[96];
    enum walras_status status = need_idle(session, id, err);

    if (status == WALRAS_OK && change->owner)
        status = need_owner(session, change->owner, err);
    db_add_text(&args, id);
    db_add_text(&args, change->bus);
    db_add_text(&args, change->owner);
    if (status == WALRAS_OK)
        status = db_query(session, &update, &args, NULL, err);
    if (status == WALRAS_OK && change->devices)
        status = replace_devices(session, id, change, err);
    snprintf(detail, sizeof(detail), "%s%s%s", change->bus ? "bus " : "",
             change->owner ? "owner " : "", change->devices ? "devices" : "");
    return status == WALRAS_OK ? db_audit(session, actor, "agent.change", id, detail, err) : status;
}

enum walras_status db_agent_delete(struct db_session *session, const char *actor, const char *id,
                                   struct walras_err *err)
{
    static const struct db_sql delete = {
        "agent_delete", "DELETE FROM agent WHERE id = $1 AND NOT EXISTS "
                        "(SELECT 1 FROM participant WHERE agent = $1) RETURNING id"};
    struct db_args args = {0};
    struct db_rows rows = {0};
    enum walras_status status = need_idle(session, id, err);

    db_add_text(&args, id);
    if (status == WALRAS_OK)
        status = db_query(session, &delete, &args, &rows, err);
    if (status == WALRAS_OK && rows.n == 0)
        status =
            walras_fail(err, WALRAS_CONFLICT,
                        "agent \"%s\" has taken part in a market, whose record it stays in", id);
    db_rows_release(&rows);
    return status == WALRAS_OK ? db_audit(session, actor, "agent.delete", id, "", err) : status;
}

enum walras_status db_agent_get(struct db_session *session, const char *id, const char *owner,
                                struct db_rows *rows, struct walras_err *err)
{
    static const struct db_sql get = {
        "agent_get",
        "SELECT json_build_object('id', id, 'kind', kind, 'bus', bus, 'owner', owner, "
        "'created_at', created_at, 'devices', devices), kind, bus, devices FROM (SELECT a.*, "
        "(SELECT coalesce(json_agg(definition ORDER BY position), '[]') FROM device d "
        "WHERE d.agent = a.id) AS devices FROM agent a WHERE a.id = $1 AND ($2::text IS NULL OR "
        "a.owner = $2)) AS found"};
    struct db_args args = {0};

    db_add_text(&args, id);
    db_add_text(&args, owner);
    return db_query(session, &get, &args, rows, err);
}

enum walras_status db_agent_list(struct db_session *session, const char *owner,
                                 const struct db_page *page, struct db_rows *rows,
                                 struct walras_err *err)
{
    static const struct db_sql list = {
        "agent_list",
        "SELECT json_build_object('id', id, 'kind', kind, 'bus', bus, 'owner', owner, "
        "'created_at', created_at), id FROM agent WHERE id > $1 AND ($3::text IS NULL OR "
        "owner = $3) ORDER BY id LIMIT $2"};
    struct db_args args = {0};

    db_add_page(&args, page);
    db_add_text(&args, owner);
    return db_query(session, &list, &args, rows, err);
}

enum walras_status db_agent_takes_part(struct db_session *session, const char *market,
                                       const char *agent, const char *owner, struct db_rows *rows,
                                       struct walras_err *err)
{
    static const struct db_sql ask = {
        "agent_takes_part", "SELECT p.suspended FROM participant p JOIN agent a ON a.id = p.agent "
                            "WHERE p.market = $1 AND p.agent = $2 AND a.owner = $3 AND a.kind = "
                            "'remote'"};
    struct db_args args = {0};

    db_add_text(&args, market);
    db_add_text(&args, agent);
    db_add_text(&args, owner);
    return db_query(session, &ask, &args, rows, err);
}
