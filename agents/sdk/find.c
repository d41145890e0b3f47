#include "agents/sdk/agent_internal.h"
#include "agents/sdk/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LISTED = 1000, MOST_CLEARING = 100 };

typedef char id_text[WALRAS_AGENT_ID];

/* The ids that a list of the server has under `key`, at most as many as `most`. */
static int list(struct walras_agent *agent, const char *path, const char *key, size_t most,
                id_text *ids, size_t *n)
{
    struct walras_sdk_reply reply;
    int status = walras_sdk_ask(agent, "GET", path, NULL, &reply);

    if (status == WALRAS_AGENT_OK && reply.status != 200)
        return walras_sdk_refuse(agent, &reply);
    if (status == WALRAS_AGENT_OK && !walras_wire_ids(reply.body, reply.size, key, most, ids, n))
        return walras_sdk_not_understood(agent, "list");
    return status;
}

static int find_agent(struct walras_agent *agent, id_text id)
{
    id_text ids[2];
    size_t n = 0;
    int status = list(agent, "/v1/agents?limit=2", "id", 2, ids, &n);

    if (status != WALRAS_AGENT_OK)
        return status;
    if (n == 0)
        return walras_sdk_fail(agent, WALRAS_AGENT_REFUSED,
                               "this client owns no agent: an operator makes one");
    if (n > 1)
        return walras_sdk_fail(agent, WALRAS_AGENT_INVALID,
                               "this client owns several agents: say which one");
    memcpy(id, ids[0], sizeof(ids[0]));
    return status;
}

static int takes_part(struct walras_agent *agent, const char *market, const char *id, bool *in)
{
    char path[WALRAS_SDK_PATH];
    id_text *ids = calloc(MOST_LISTED, sizeof(*ids));
    size_t n = 0;
    int status = WALRAS_AGENT_OK;

    *in = false;
    if (!ids)
        return walras_sdk_fail(agent, WALRAS_AGENT_NO_MEMORY, "out of memory");
    snprintf(path, sizeof(path), "/v1/markets/%.64s/participants?limit=%d", market, MOST_LISTED);
    status = list(agent, path, "agent", MOST_LISTED, ids, &n);
    for (size_t i = 0; i < n && status == WALRAS_AGENT_OK; i++)
        *in = *in || strcmp(ids[i], id) == 0;
    free(ids);
    return status;
}

/* The market that clears with the agent in it; "": none does. */
static int find_clearing(struct walras_agent *agent, id_text market, const char *id)
{
    id_text ids[MOST_CLEARING];
    size_t n = 0, n_in = 0;
    int status = list(agent, "/v1/markets?state=clearing&limit=100", "id", MOST_CLEARING, ids, &n);

    for (size_t i = 0; i < n && status == WALRAS_AGENT_OK; i++) {
        bool in = false;

        status = takes_part(agent, ids[i], id, &in);
        if (status == WALRAS_AGENT_OK && in) {
            memcpy(market, ids[i], sizeof(ids[i]));
            n_in++;
        }
    }
    return status == WALRAS_AGENT_OK && n_in > 1
               ? walras_sdk_fail(agent, WALRAS_AGENT_INVALID,
                                 "this agent is in several markets that clear: say which one")
               : status;
}

static int find_open(struct walras_agent *agent, id_text market)
{
    id_text ids[2];
    size_t n = 0;
    int status = list(agent, "/v1/markets?state=open&limit=2", "id", 2, ids, &n);

    if (status == WALRAS_AGENT_OK && n > 1)
        return walras_sdk_fail(agent, WALRAS_AGENT_INVALID,
                               "several markets are open: say which one");
    if (status == WALRAS_AGENT_OK && n == 1)
        memcpy(market, ids[0], sizeof(ids[0]));
    return status;
}

int walras_agent_find(struct walras_agent *agent, char market[WALRAS_AGENT_ID],
                      char id[WALRAS_AGENT_ID])
{
    bool told = false;
    int status = id[0] == '\0' ? find_agent(agent, id) : WALRAS_AGENT_OK;

    while (status == WALRAS_AGENT_OK && market[0] == '\0') {
        status = find_clearing(agent, market, id);
        if (status == WALRAS_AGENT_OK && market[0] == '\0')
            status = find_open(agent, market);
        if (status != WALRAS_AGENT_OK || market[0] != '\0')
            break;
        if (!told)
            walras_sdk_log(agent->transport, "no market is open yet: waiting for one");
        told = true;
        if (walras_sdk_pause(agent->transport, 1.0) != WALRAS_AGENT_OK)
            status = walras_sdk_fail(agent, WALRAS_AGENT_STOPPED, "stopped as asked");
    }
    return status;
}
