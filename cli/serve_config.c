#include "cli/serve_config.h"

#include "core/json_write.h"
#include "db/conninfo.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_OPTION = 22, N_FIXED = 2, NAME = 64 };

/* The first N_FIXED are for the command line only. */
static void list_options(struct serve_config *c, struct cli_option options[N_OPTION])
{
    struct api_settings *s = &c->api;
    const struct cli_option list[N_OPTION] = {
        {"print-config", CLI_FLAG, &c->print, 0, 0},
        {"config", CLI_TEXT, &c->path, 0, 0},
        {"listen", CLI_TEXT, &s->listen, 0, 0},
        {"db", CLI_TEXT, &c->database.db, 0, 0},
        {"data", CLI_TEXT, &c->database.data, 0, 0},
        {"tls-cert", CLI_TEXT, &s->tls_cert, 0, 0},
        {"tls-key", CLI_TEXT, &s->tls_key, 0, 0},
        {"threads", CLI_WHOLE, &s->n_thread, 1, 256},
        {"max-connections", CLI_WHOLE, &s->max_connections, 1, 1e6},
        {"connections-per-client", CLI_WHOLE, &s->connections_per_client, 1, 1e6},
        {"requests-per-second", CLI_NUMBER, &s->requests_per_s, 1e-3, 1e9},
        {"request-burst", CLI_NUMBER, &s->request_burst, 1, 1e9},
        {"header-timeout", CLI_WHOLE, &s->header_timeout_s, 1, 3600},
        {"body-timeout", CLI_WHOLE, &s->body_timeout_s, 1, 3600},
        {"idle-timeout", CLI_WHOLE, &s->idle_timeout_s, 1, 86400},
        {"token-life", CLI_WHOLE, &s->token_life_s, 1, 31536000},
        {"event-streams", CLI_WHOLE, &s->event_streams, 1, 1e6},
        {"event-streams-per-client", CLI_WHOLE, &s->event_streams_per_client, 1, 1e6},
        {"event-heartbeat", CLI_WHOLE, &s->event_heartbeat_s, 1, 3600},
        {"event-stall", CLI_WHOLE, &s->event_stall_s, 1, 3600},
        {"log-requests", CLI_FLAG, &s->log_requests, 0, 0},
        {"clearing-threads", CLI_WHOLE, &s->n_clearing, 1, 64}};

    memcpy(options, list, sizeof(list));
}

static void key_of(const char *name, char key[NAME])
{
    snprintf(key, NAME, "%s", name);
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
}

static void variable_of(const char *name, char variable[NAME])
{
    snprintf(variable, NAME, "WALRAS_%s", name);
    for (char *c = variable; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

static enum walras_status take_value(const struct walras_json *node,
                                     const struct cli_option *option, struct walras_err *err)
{
    const struct walras_range range = {.low = option->low, .high = option->high};
    int64_t whole = 0;
    enum walras_status status = WALRAS_OK;

    switch (option->kind) {
    case CLI_TEXT:
        return walras_json_text(node, 4096, option->value, err);
    case CLI_FLAG:
        return walras_json_bool(node, option->value, err);
    case CLI_NUMBER:
        return walras_json_number(node, range, option->value, err);
    case CLI_WHOLE:
        status =
            walras_json_integer(node, (int64_t)option->low, (int64_t)option->high, &whole, err);
        if (status == WALRAS_OK)
            *(unsigned *)option->value = (unsigned)whole;
        break;
    }
    return status;
}

static enum walras_status take_file(struct serve_config *config, const struct cli_option *options,
                                    struct walras_err *err)
{
    char keys[N_OPTION][NAME];
    const char *names[N_OPTION];
    struct walras_json root, node;
    enum walras_status status = walras_json_read(config->path, &config->file, err);

    if (status != WALRAS_OK)
        return status;
    root = walras_json_root(config->file);
    for (size_t i = 0; i < N_OPTION; i++) {
        key_of(options[i].name, keys[i]);
        names[i] = keys[i];
    }
    status = walras_json_keys(&root, names + N_FIXED, N_OPTION - N_FIXED, err);
    for (size_t i = N_FIXED; status == WALRAS_OK && i < N_OPTION; i++)
        if (walras_json_find(&root, keys[i], &node))
            status = take_value(&node, &options[i], err);
    return status;
}

static int take_environment(const struct cli_command *command, const struct cli_option *options)
{
    char variable[NAME];

    for (size_t i = N_FIXED; i < N_OPTION; i++) {
        const char *text = NULL;
        int ends = -1;

        variable_of(options[i].name, variable);
        text = getenv(variable);
        if (!text || text[0] == '\0')
            continue;
        if (options[i].kind != CLI_FLAG)
            ends = cli_set_option(command, &options[i], variable, text);
        else if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
            *(bool *)options[i].value = true;
        else if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
            *(bool *)options[i].value = false;
        else
            ends = cli_usage(command, "%s must be true or false, got \"%s\"", variable, text);
        if (ends >= 0)
            return ends;
    }
    return -1;
}

/* The command line is read twice: for the file's name, and last of all for what it says. */
int serve_config_read(const struct cli_command *command, int argc, char **argv,
                      struct serve_config *config)
{
    struct serve_config first = {.api = api_settings_defaults()};
    struct cli_option options[N_OPTION];
    struct walras_err err = {0};
    int ends = -1;

    list_options(&first, options);
    ends = cli_parse(command, argc, argv, options, N_OPTION, NULL, 0);
    *config = (struct serve_config){.api = api_settings_defaults(), .path = first.path};
    if (ends >= 0)
        return ends;
    list_options(config, options);
    if (!config->path)
        config->path = getenv("WALRAS_CONFIG");
    if (config->path && take_file(config, options, &err) != WALRAS_OK)
        return cli_fail(&err);
    ends = take_environment(command, options);
    if (ends >= 0)
        return ends;
    /* a database named on the command line stands against a folder named elsewhere, and back */
    if (first.database.db && !first.database.data)
        config->database.data = NULL;
    if (first.database.data && !first.database.db)
        config->database.db = NULL;
    return cli_parse(command, argc, argv, options, N_OPTION, NULL, 0);
}

void serve_config_release(struct serve_config *config)
{
    walras_json_free(config->file);
    config->file = NULL;
}

static void put_option(struct walras_json_out *out, const struct cli_option *option)
{
    char key[NAME];

    key_of(option->name, key);
    walras_json_out_key(out, key);
    switch (option->kind) {
    case CLI_TEXT:
        walras_json_out_text(out, *(const char *const *)option->value);
        break;
    case CLI_FLAG:
        walras_json_out_bool(out, *(const bool *)option->value);
        break;
    case CLI_NUMBER:
        walras_json_out_number(out, *(const double *)option->value);
        break;
    case CLI_WHOLE:
        walras_json_out_integer(out, *(const unsigned *)option->value);
        break;
    }
}

enum walras_status serve_config_print(FILE *file, struct serve_config *config,
                                      struct walras_err *err)
{
    struct walras_json_out out = walras_json_out_start(file, 1);
    struct cli_option options[N_OPTION];
    struct walras_text shown = {0};
    char *password = NULL;
    enum walras_status status = WALRAS_OK;

    if (config->database.db)
        status = db_conninfo_part(config->database.db, &shown, &password, err);
    if (status == WALRAS_OK && shown.data)
        config->database.db = shown.data;
    list_options(config, options);
    if (status == WALRAS_OK)
        walras_json_out_open(&out, '{');
    for (size_t i = N_FIXED; status == WALRAS_OK && i < N_OPTION; i++)
        if (options[i].kind != CLI_TEXT || *(const char *const *)options[i].value)
            put_option(&out, &options[i]);
    if (status == WALRAS_OK) {
        walras_json_out_close(&out, '}');
        walras_json_out_end(&out);
    }
    config->database.db = NULL;
    walras_text_release(&shown);
    free(password);
    return status;
}
