/* POST /v1/token: OAuth 2.0 client credentials (RFC 6749, 4.4). */
#include "api/api_internal.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD = 256 };

struct credentials {
    char grant[FIELD], id[FIELD], secret[FIELD];
};

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decodes text [size] into out; false when it does not fit or is not well formed. */
static bool decode(const char *text, size_t size, char out[FIELD])
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        int c = text[i] == '+' ? ' ' : (unsigned char)text[i];

        if (c == '%') {
            int high = i + 1 < size ? hex_of(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_of(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = 16 * high + low;
            i += 2;
        }
        if (c == 0 || n + 1 >= FIELD)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

static bool read_field(const char *pair, size_t size, struct credentials *found)
{
    struct {
        const char *name;
        char *value;
    } fields[] = {{"grant_type=", found->grant},
                  {"client_id=", found->id},
                  {"client_secret=", found->secret}};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t n = strlen(fields[i].name);

        if (size >= n && strncmp(pair, fields[i].name, n) == 0)
            return decode(pair + n, size - n, fields[i].value);
    }
    return true; /* others are ignored */
}

static bool read_form(const struct api_request *request, struct credentials *found)
{
    const char *at = request->body ? request->body : "";

    if (strlen(at) != request->size)
        return false; /* a NUL in it */
    while (*at) {
        size_t size = strcspn(at, "&");

        if (!read_field(at, size, found))
            return false;
        at += size + (at[size] == '&');
    }
    return true;
}

static enum walras_status refuse(struct api_request *request, unsigned http, const char *error,
                                 const char *detail)
{
    api_problem(request, http, detail, NULL, error);
    return WALRAS_OK;
}

/* From the header when it is there, else from the form. */
static bool take_basic(struct api_request *request, struct credentials *found)
{
    char *secret = NULL;
    char *id = MHD_basic_auth_get_username_password(request->connection, &secret);
    bool fits = true;

    if (id && secret)
        fits = decode(id, strlen(id), found->id) && decode(secret, strlen(secret), found->secret);
    if (secret)
        db_secret_forget(secret, strlen(secret));
    MHD_free(id);
    MHD_free(secret);
    return fits;
}

static enum walras_status issue(struct api_request *request, const struct credentials *given,
                                struct walras_err *err)
{
    unsigned life_s = request->server->settings.token_life_s;
    struct walras_json_out *out = &request->out;
    char token[DB_SECRET_TEXT];
    bool known = false;
    enum walras_status status = db_token_issue(request->db, given->id, given->secret, life_s,
                                               &known, &request->client, token, err);

    if (status == WALRAS_OK && !known)
        return refuse(request, MHD_HTTP_UNAUTHORIZED, "invalid_client",
                      "there is no client of that name with that secret");
    if (status == WALRAS_OK)
        status = api_json(request, MHD_HTTP_OK, err);
    if (status != WALRAS_OK)
        return status;
    walras_json_out_open(out, '{');
    walras_json_out_key(out, "access_token");
    walras_json_out_text(out, token);
    walras_json_out_key(out, "token_type");
    walras_json_out_text(out, "Bearer");
    walras_json_out_key(out, "expires_in");
    walras_json_out_integer(out, life_s);
    walras_json_out_key(out, "scope");
    walras_json_out_text(out, db_role_name(request->client.role));
    walras_json_out_close(out, '}');
    return WALRAS_OK;
}

enum walras_status api_token(struct api_request *request, struct walras_err *err)
{
    struct credentials given = {.grant = ""};
    enum walras_status status = WALRAS_OK;

    if (!read_form(request, &given) || !take_basic(request, &given))
        return refuse(request, MHD_HTTP_BAD_REQUEST, "invalid_request",
                      "the form cannot be read: it needs grant_type=client_credentials");
    if (strcmp(given.grant, "client_credentials") != 0)
        return refuse(request, MHD_HTTP_BAD_REQUEST, "unsupported_grant_type",
                      "grant_type must be client_credentials");
    if (given.id[0] == '\0')
        return refuse(request, MHD_HTTP_UNAUTHORIZED, "invalid_client",
                      "client_id and client_secret are needed, in an Authorization: Basic header "
                      "or in the form");
    status = issue(request, &given, err);
    db_secret_forget(&given, sizeof(given));
    return status;
}
