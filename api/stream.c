/* Answers that are sent as they come about: MHD asks for more when what it had is gone. */
#include "api/api_internal.h"
#include "api/http.h"

#include <string.h>
#include <sys/socket.h>

/* SOCKET_BUFFER: of what the kernel holds for a client that does not read. */
enum { SOCKET_BUFFER = 65536, BLOCK = 1024 };

void api_stream(struct api_request *request, const char *type,
                enum api_more (*more)(struct api_request *request, const char **text, size_t *size),
                const char *first, size_t size)
{
    request->http = MHD_HTTP_OK;
    request->type = type;
    request->answered = true;
    request->more = more;
    request->stream_text = first;
    request->stream_left = size;
}

static bool ask_for_more(struct api_request *request, ssize_t *nothing)
{
    struct api_watch *watch = request->server->watch;
    struct api_watched *watched = api_http_watched(request->connection);

    /* all before it has gone out: whoever waits now is waiting for us */
    api_watch_answer(watch, watched);
    switch (request->more(request, &request->stream_text, &request->stream_left)) {
    case API_MORE_TEXT:
        api_watch_stall(watch, watched);
        return true;
    case API_MORE_WAIT:
        *nothing = 0;
        break;
    case API_MORE_END:
        *nothing = MHD_CONTENT_READER_END_OF_STREAM;
        break;
    }
    return false;
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t most)
{
    struct api_request *request = context;
    ssize_t nothing = 0;
    size_t n = 0;

    (void)position;
    if (request->stream_left == 0 && !ask_for_more(request, &nothing))
        return nothing;
    n = request->stream_left < most ? request->stream_left : most;
    memcpy(out, request->stream_text, n);
    request->stream_text += n;
    request->stream_left -= n;
    return (ssize_t)n;
}

struct MHD_Response *api_stream_response(struct api_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int size = SOCKET_BUFFER;

    if (info)
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    api_watch_stall(request->server->watch, api_http_watched(request->connection));
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, request, NULL);
}
