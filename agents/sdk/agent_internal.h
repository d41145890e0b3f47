/* An agent's insides, shared by its parts: agent.c and find.c. */
#ifndef WALRAS_AGENTS_SDK_AGENT_INTERNAL_H
#define WALRAS_AGENTS_SDK_AGENT_INTERNAL_H

#include "agents/sdk/transport.h"

enum { WALRAS_SDK_PATH = 400 };

struct walras_agent {
    struct walras_sdk_transport *transport;
    atomic_bool stop;
    char error[500];
};

/* Each keeps the text for walras_agent_error and returns a status. */
int walras_sdk_fail(struct walras_agent *agent, int status, const char *text);
int walras_sdk_refuse(struct walras_agent *agent, const struct walras_sdk_reply *reply);
int walras_sdk_not_understood(struct walras_agent *agent, const char *what);
/* A request whose failure is told; any answer of the server is none. */
WALRAS_AGENT_NODISCARD int walras_sdk_ask(struct walras_agent *agent, const char *method,
                                          const char *path, const char *body,
                                          struct walras_sdk_reply *reply);

bool walras_sdk_is_id(const char *id);

#endif
