#include "api/metrics.h"

#include <inttypes.h>

void api_metrics_count(struct api_metrics *metrics, size_t route, unsigned http, double seconds)
{
    size_t at = route < API_MAX_ROUTES ? route : API_MAX_ROUTES;
    unsigned class = http / 100 < API_CLASSES ? http / 100 : 0;

    metrics->requests[at][class]++;
    metrics->microseconds[at] += (uint64_t)(1e6 * seconds);
}

static void write_one(FILE *file, const char *name, const char *type, const char *help,
                      uint64_t value)
{
    fprintf(file, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name,
            value);
}

static void label_of(size_t route, size_t n_route, void (*label)(size_t, char *, size_t),
                     char *text, size_t size)
{
    if (route < n_route)
        label(route, text, size);
    else
        snprintf(text, size, "method=\"\",route=\"none\"");
}

void api_metrics_write(const struct api_metrics *metrics, size_t n_route,
                       void (*label)(size_t route, char *text, size_t size), FILE *file)
{
    char text[160];

    fputs("# HELP walras_http_requests_total requests answered, by class of status\n"
          "# TYPE walras_http_requests_total counter\n",
          file);
    for (size_t r = 0; r <= API_MAX_ROUTES; r++)
        for (unsigned class = 0; class < API_CLASSES; class ++)
            if (metrics->requests[r][class] > 0) {
                label_of(r, n_route, label, text, sizeof(text));
                fprintf(file, "walras_http_requests_total{%s,class=\"%uxx\"} %" PRIu64 "\n", text,
                        class, metrics->requests[r][class]);
            }
    fputs("# HELP walras_http_request_seconds_total time from the request's header to its answer\n"
          "# TYPE walras_http_request_seconds_total counter\n",
          file);
    for (size_t r = 0; r <= API_MAX_ROUTES; r++)
        if (metrics->microseconds[r] > 0) {
            label_of(r, n_route, label, text, sizeof(text));
            fprintf(file, "walras_http_request_seconds_total{%s} %.6f\n", text,
                    1e-6 * (double)metrics->microseconds[r]);
        }
    write_one(file, "walras_connections", "gauge", "open connections", metrics->connections);
    write_one(file, "walras_connections_total", "counter", "connections accepted", metrics->opened);
    write_one(file, "walras_connections_cut_total", "counter",
              "connections closed for being too slow", metrics->cut);
    write_one(file, "walras_requests_limited_total", "counter",
              "requests refused for coming too often", metrics->limited);
}
