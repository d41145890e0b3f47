/*
 * The floor under a server of answers: libmicrohttpd with the threads and the polling of `walras
 * serve`, which parses each body with jansson, forgets it, and answers what an answer gets.
 *
 *     bench_floor THREADS          prints its address; ends with standard input
 */
#include <jansson.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct upload {
    char *data;
    size_t size, room;
};

static enum MHD_Result answer(struct MHD_Connection *connection, struct upload *upload, bool single)
{
    static char reply[] = "{\"market\": \"m\", \"round\": 1, \"agent\": \"a000000\"}";
    json_t *root = json_loadb(upload->data ? upload->data : "", upload->size, 0, NULL);
    unsigned status = !root ? 400 : single ? 201 : 200;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(reply) - 1, reply, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_NO;

    json_decref(root);
    MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **context)
{
    struct upload *upload = *context;

    (void)self, (void)url, (void)version;
    if (!upload) {
        *context = calloc(1, sizeof(*upload));
        return *context ? MHD_YES : MHD_NO;
    }
    if (*size == 0)
        return answer(connection, upload, strcmp(method, "PUT") == 0);
    if (upload->size + *size > upload->room) {
        upload->room = 2 * (upload->size + *size);
        upload->data = realloc(upload->data, upload->room);
        if (!upload->data)
            return MHD_NO;
    }
    memcpy(upload->data + upload->size, data, *size);
    upload->size += *size;
    *size = 0;
    return MHD_YES;
}

static void forget(void *self, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *context;

    (void)self, (void)connection, (void)code;
    if (upload)
        free(upload->data);
    free(upload);
    *context = NULL;
}

int main(int argc, char **argv)
{
    unsigned n_thread = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4;
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, NULL,
                         MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_THREAD_POOL_SIZE, n_thread,
                         MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;

    if (!info) {
        fprintf(stderr, "cannot listen on a port of the loopback\n");
        return 1;
    }
    printf("http://127.0.0.1:%u\n", info->port);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    MHD_stop_daemon(daemon);
    return 0;
}
