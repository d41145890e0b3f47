/*
 * The table of routes: docs/protocol.md and api/docs/openapi.json say what they do.
 *
 * Threads  any: nothing changes.
 */
#ifndef WALRAS_API_ROUTES_H
#define WALRAS_API_ROUTES_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

struct api_request;

enum api_body { API_NO_BODY, API_JSON, API_FORM, API_GRID };

struct api_route {
    const char *method, *path; /* "{}" stands for a name */
    enum walras_status (*handle)(struct api_request *request, struct walras_err *err);
    unsigned roles; /* bits of those who may; 0: anybody, without a token */
    enum api_body body;
    size_t max_body;
    bool no_database; /* answers without a session */
};

extern const struct api_route api_routes[]; /* [api_n_route] */
extern const size_t api_n_route;

#endif
