/*
 * What libmicrohttpd calls; `context` is the struct api_server.
 */
#ifndef WALRAS_API_HTTP_H
#define WALRAS_API_HTTP_H

#include "api/watch.h"

#include <microhttpd.h>

void api_http_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                         enum MHD_ConnectionNotificationCode code);
enum MHD_Result api_http_request(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *data,
                                 size_t *size, void **kept);
void api_http_completed(void *context, struct MHD_Connection *connection, void **kept,
                        enum MHD_RequestTerminationCode code);
struct api_watched *api_http_watched(struct MHD_Connection *connection);

#endif
