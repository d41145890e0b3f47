#include "api/api_internal.h"

#include <string.h>

#define ROLE(name) (1u << DB_ROLE_##name)
enum {
    NOBODY = 0, /* no token is asked for */
    OPERATOR = ROLE(operator),
    READERS = ROLE(operator) | ROLE(observer),
    ALL = ROLE(operator) | ROLE(observer) | ROLE(agent) | ROLE(aggregator),
    JOINERS = ROLE(operator) | ROLE(agent) | ROLE(aggregator),
    KB = 1024,
    MB = 1024 * 1024
};

const struct api_route api_routes[] = {
    {"GET", "/healthz", api_health, NOBODY, API_NO_BODY, 0, true},
    {"GET", "/readyz", api_ready, NOBODY, API_NO_BODY, 0, false},
    {"GET", "/metrics", api_show_metrics, NOBODY, API_NO_BODY, 0, true},
    {"GET", "/openapi.json", api_docs_document, NOBODY, API_NO_BODY, 0, true},
    {"GET", "/docs", api_docs_page, NOBODY, API_NO_BODY, 0, true},
    {"GET", "/docs/page.css", api_docs_style, NOBODY, API_NO_BODY, 0, true},
    {"GET", "/docs/page.js", api_docs_script, NOBODY, API_NO_BODY, 0, true},
    {"POST", "/v1/token", api_token, NOBODY, API_FORM, 4 * KB, false},
    {"GET", "/v1/grids", api_grid_list, ALL, API_NO_BODY, 0, false},
    {"PUT", "/v1/grids/{}", api_grid_put, OPERATOR, API_GRID, 64 * MB, false},
    {"GET", "/v1/grids/{}", api_grid_get, READERS, API_NO_BODY, 0, false},
    {"POST", "/v1/agents", api_agent_post, OPERATOR, API_JSON, 4 * MB, false},
    {"GET", "/v1/agents", api_agent_list, ALL, API_NO_BODY, 0, false},
    {"GET", "/v1/agents/{}", api_agent_get, ALL, API_NO_BODY, 0, false},
    {"PATCH", "/v1/agents/{}", api_agent_patch, OPERATOR, API_JSON, 4 * MB, false},
    {"DELETE", "/v1/agents/{}", api_agent_delete, OPERATOR, API_NO_BODY, 0, false},
    {"POST", "/v1/markets", api_market_post, OPERATOR, API_JSON, 4 * MB, false},
    {"GET", "/v1/markets", api_market_list, ALL, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}", api_market_get, ALL, API_NO_BODY, 0, false},
    {"POST", "/v1/markets/{}/open", api_market_open, OPERATOR, API_NO_BODY, 0, false},
    {"POST", "/v1/markets/{}/start", api_market_start, OPERATOR, API_NO_BODY, 0, false},
    {"POST", "/v1/markets/{}/cancel", api_market_cancel, OPERATOR, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}/participants", api_participant_list, ALL, API_NO_BODY, 0, false},
    {"PUT", "/v1/markets/{}/participants/{}", api_participant_put, JOINERS, API_JSON, 256 * KB,
     false},
    {"GET", "/v1/markets/{}/round", api_round_get, JOINERS, API_NO_BODY, 0, true},
    {"GET", "/v1/markets/{}/events", api_event_stream, ALL, API_NO_BODY, 0, false},
    {"PUT", "/v1/markets/{}/rounds/{}/responses/{}", api_response_put, JOINERS, API_JSON, 4 * MB,
     true},
    {"POST", "/v1/markets/{}/rounds/{}/responses", api_response_post, JOINERS, API_JSON, 64 * MB,
     true},
    {"GET", "/v1/markets/{}/rounds", api_round_list, ALL, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}/prices", api_price_list, ALL, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}/binding", api_binding_get, ALL, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}/certificate", api_certificate_get, ALL, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}/result", api_result_get, READERS, API_NO_BODY, 0, false},
    {"GET", "/v1/markets/{}/awards/{}", api_award_get, ALL, API_NO_BODY, 0, false},
};
const size_t api_n_route = sizeof(api_routes) / sizeof(api_routes[0]);
_Static_assert(sizeof(api_routes) / sizeof(api_routes[0]) <= API_MAX_ROUTES, "room to count");

/* One segment of the path against one of the pattern. */
static bool matches(const char *pattern, size_t n, const char *segment, size_t size,
                    char part[API_MAX_PARTS][DB_ID], size_t *n_part)
{
    if (n != 2 || strncmp(pattern, "{}", 2) != 0)
        return n == size && strncmp(pattern, segment, n) == 0;
    if (size == 0 || size >= DB_ID || *n_part == API_MAX_PARTS)
        return false;
    memcpy(part[*n_part], segment, size);
    part[*n_part][size] = '\0';
    return db_id_is_good(part[(*n_part)++]);
}

static bool path_matches(const char *pattern, const char *path, char part[API_MAX_PARTS][DB_ID])
{
    size_t n_part = 0;

    while (*pattern == '/' && *path == '/') {
        size_t n = strcspn(++pattern, "/"), size = strcspn(++path, "/");

        if (!matches(pattern, n, path, size, part, &n_part))
            return false;
        pattern += n;
        path += size;
    }
    return *pattern == '\0' && *path == '\0';
}

const struct api_route *api_route_find(const char *method, const char *path,
                                       char part[API_MAX_PARTS][DB_ID], char allow[64])
{
    allow[0] = '\0';
    for (size_t i = 0; i < api_n_route; i++) {
        if (!path_matches(api_routes[i].path, path, part))
            continue;
        if (strcmp(api_routes[i].method, method) == 0)
            return &api_routes[i];
        snprintf(allow + strlen(allow), 64 - strlen(allow), "%s%s", allow[0] ? ", " : "",
                 api_routes[i].method);
    }
    return NULL;
}
