/*
 * Counters, written out as Prometheus reads them.
 *
 * Threads  counters are atomic.
 */
#ifndef WALRAS_API_METRICS_H
#define WALRAS_API_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { API_MAX_ROUTES = 64, API_CLASSES = 6 };

struct api_metrics {
    _Atomic uint64_t requests[API_MAX_ROUTES + 1][API_CLASSES]; /* by HTTP status / 100 */
    _Atomic uint64_t microseconds[API_MAX_ROUTES + 1];
    _Atomic uint64_t connections, opened, cut; /* open now; so far; for being too slow */
    _Atomic uint64_t limited;                  /* refused for asking too often */
};

void api_metrics_count(struct api_metrics *metrics, size_t route, unsigned http, double seconds);
/* name(i) is the label text of route i: method="GET",route="/v1/grids". */
void api_metrics_write(const struct api_metrics *metrics, size_t n_route,
                       void (*label)(size_t route, char *text, size_t size), FILE *file);

#endif
