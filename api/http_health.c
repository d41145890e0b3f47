/* GET /healthz, /readyz, /metrics: what watches the server asks. */
#include "api/api_internal.h"

#include "db/migrate.h"

#include <inttypes.h>

enum walras_status api_health(struct api_request *request, struct walras_err *err)
{
    enum walras_status status = api_json(request, MHD_HTTP_OK, err);

    if (status == WALRAS_OK)
        fputs("{\"status\": \"ok\"}", request->stream);
    return status;
}

/* Fails while the database cannot be reached or is not up to date, or the server is stopping. */
enum walras_status api_ready(struct api_request *request, struct walras_err *err)
{
    enum walras_status status = db_migration_need(request->db, err);

    if (status == WALRAS_OK)
        status = api_json(request, MHD_HTTP_OK, err);
    if (status == WALRAS_OK)
        fprintf(request->stream, "{\"status\": \"ready\", \"role\": \"%s\"}",
                api_lead_epoch(request->server->lead) > 0 ? "leader" : "follower");
    return status;
}

static void label(size_t route, char *text, size_t size)
{
    snprintf(text, size, "method=\"%s\",route=\"%s\"", api_routes[route].method,
             api_routes[route].path);
}

enum walras_status api_show_metrics(struct api_request *request, struct walras_err *err)
{
    enum walras_status status = api_json(request, MHD_HTTP_OK, err);

    if (status != WALRAS_OK)
        return status;
    request->type = "text/plain; version=0.0.4";
    api_metrics_write(&request->server->metrics, api_n_route, label, request->stream);
    fprintf(request->stream,
            "# HELP walras_event_streams open event streams\n# TYPE walras_event_streams gauge\n"
            "walras_event_streams %u\n",
            api_streams_count(request->server->streams));
    fprintf(request->stream,
            "# HELP walras_lead_epoch in which this server leads; 0: it follows\n"
            "# TYPE walras_lead_epoch gauge\nwalras_lead_epoch %" PRId64 "\n",
            api_lead_epoch(request->server->lead));
    return WALRAS_OK;
}
