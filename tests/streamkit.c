#include "streamkit.h"

#include "core/clock.h"
#include "testkit.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define MOST_S 30.0

static size_t keep(char *data, size_t size, size_t n, void *context)
{
    struct streamkit *stream = context;

    walras_text_add(&stream->text, data, size * n);
    return size * n;
}

static void move(struct streamkit *stream)
{
    int running = 0;

    CU_ASSERT_EQUAL_FATAL(curl_multi_perform(stream->multi, &running), CURLM_OK);
    curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &stream->status);
    stream->ended = running == 0;
    if (running > 0)
        curl_multi_poll(stream->multi, NULL, 0, 20, NULL);
}

void streamkit_open(struct streamkit *stream, const struct servekit_client *client,
                    const char *path, const char *last_id)
{
    char text[256], url[1024];

    *stream = (struct streamkit){.curl = curl_easy_init(), .multi = curl_multi_init()};
    CU_ASSERT_TRUE_FATAL(stream->curl && stream->multi);
    walras_text_init(&stream->text, 1 << 28);
    walras_text_add(&stream->text, "", 0);
    snprintf(url, sizeof(url), "%s%s", client->base, path);
    if (client->token[0]) {
        snprintf(text, sizeof(text), "Authorization: Bearer %s", client->token);
        stream->headers = curl_slist_append(stream->headers, text);
    }
    if (last_id) {
        snprintf(text, sizeof(text), "Last-Event-ID: %s", last_id);
        stream->headers = curl_slist_append(stream->headers, text);
    }
    curl_easy_setopt(stream->curl, CURLOPT_URL, url);
    curl_easy_setopt(stream->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(stream->curl, CURLOPT_HTTPHEADER, stream->headers);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEDATA, stream);
    curl_multi_add_handle(stream->multi, stream->curl);
    for (double until_s = walras_monotonic_s() + MOST_S;
         stream->status == 0 && !stream->ended && walras_monotonic_s() < until_s;)
        move(stream);
}

void streamkit_close(struct streamkit *stream)
{
    curl_multi_remove_handle(stream->multi, stream->curl);
    curl_easy_cleanup(stream->curl);
    curl_multi_cleanup(stream->multi);
    curl_slist_free_all(stream->headers);
    walras_text_release(&stream->text);
}

bool streamkit_await(struct streamkit *stream, const char *text)
{
    double until_s = walras_monotonic_s() + MOST_S;

    while (!(text && strstr(stream->text.data, text)) && !stream->ended &&
           walras_monotonic_s() < until_s)
        move(stream);
    if (text ? strstr(stream->text.data, text) != NULL : stream->ended)
        return true;
    printf("no %s in the stream (%ld), which is: %.2000s\n", text ? text : "end", stream->status,
           stream->text.data);
    return false;
}

const char *streamkit_last_id(const struct streamkit *stream)
{
    static char id[64];
    const char *last = NULL;

    id[0] = '\0';
    for (const char *at = stream->text.data; (at = strstr(at, "id: ")); at++)
        last = at;
    if (last)
        snprintf(id, sizeof(id), "%.*s", (int)strcspn(last + 4, "\n"), last + 4);
    return id;
}

size_t streamkit_count(const struct streamkit *stream, const char *text)
{
    size_t n = 0;

    for (const char *at = stream->text.data; (at = strstr(at, text)); at++)
        n++;
    return n;
}
