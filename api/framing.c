#include "api/framing.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct framing {
    unsigned n_length, n_coding, n_host;
    const char *fault;
};

static bool is_number(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n > 0 && n < 20 && text[n] == '\0';
}

/* Letters, digits and what else a token may have (RFC 9110, 5.6.2); no blank above all. */
static bool is_name(const char *text)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    size_t n = strspn(text, token);

    return n > 0 && text[n] == '\0';
}

static enum MHD_Result look(void *context, enum MHD_ValueKind kind, const char *name,
                            const char *value)
{
    struct framing *framing = context;
    const char *text = value ? value : "";

    (void)kind;
    if (!is_name(name))
        framing->fault = "a header's name is no token";
    if (strcasecmp(name, "Host") == 0 && ++framing->n_host > 1)
        framing->fault = "there is more than one Host";
    if (strcasecmp(name, "Content-Length") == 0 && (++framing->n_length > 1 || !is_number(text)))
        framing->fault = "Content-Length must be one whole number";
    if (strcasecmp(name, "Transfer-Encoding") == 0 &&
        (++framing->n_coding > 1 || strcasecmp(text, "chunked") != 0))
        framing->fault = "the only Transfer-Encoding known is chunked";
    return MHD_YES;
}

const char *api_framing_fault(struct MHD_Connection *connection)
{
    struct framing framing = {0};

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &framing);
    if (!framing.fault && framing.n_length > 0 && framing.n_coding > 0)
        framing.fault = "there is Content-Length beside Transfer-Encoding";
    return framing.fault;
}
