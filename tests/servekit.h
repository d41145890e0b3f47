/*
 * A server of its own for a test, the real program as a process, and a client of it.
 *
 * Threads  one client a thread; servers from the main thread only, whose end ends them.
 */
#ifndef WALRAS_TESTS_SERVEKIT_H
#define WALRAS_TESTS_SERVEKIT_H

#include "core/text.h"
#include "db/clients.h"

#include <sys/types.h>

struct servekit_server {
    pid_t pid;
    char url[128], log[160];
};

/* options: NULL-terminated words more for the command line, or NULL. Fails the test. */
void servekit_start(struct servekit_server *server, const char *conninfo,
                    const char *const *options);
/* SIGTERM; its exit status, or 128 + signal. */
int servekit_stop(struct servekit_server *server);
void servekit_kill(struct servekit_server *server); /* SIGKILL */
bool servekit_log_has(const struct servekit_server *server, const char *text);

/*
 * A certificate for 127.0.0.1 that it signs itself, and its key, made by openssl in dbkit's folder.
 * False, and the test is skipped: openssl is not here.
 */
bool servekit_make_certificate(char cert[160], char key[160]);
/* A program on its way: standard output into the file `output`, the rest to where the test's goes.
 */
pid_t servekit_spawn(const char *const *argv, const char *output);
/* Waits for it; its exit status, or 128 + signal. */
int servekit_end_of(pid_t child);

struct servekit_client {
    void *curl;
    char base[128], token[DB_SECRET_TEXT];
    long timeout_ms; /* of a call */
    long status;     /* of the last call; 0: it did not come through */
    struct walras_text body, headers;
};
/* token "" : none */
void servekit_client_init(struct servekit_client *client, const struct servekit_server *server,
                          const char *token);
void servekit_client_release(struct servekit_client *client);
/* What is answered must be in the OpenAPI document. body NULL: none. Content type:
 * application/json, unless `type` says another. */
long servekit_call(struct servekit_client *client, const char *method, const char *path,
                   const char *body);
long servekit_call_as(struct servekit_client *client, const char *method, const char *path,
                      const char *body, const char *type);
/* Whether the last answer has that text; told when it has not. */
bool servekit_has(const struct servekit_client *client, const char *text);

/* A client of that role in the database, and a token for it straight from there. */
void servekit_token(const char *conninfo, const char *id, enum db_role role,
                    char token[DB_SECRET_TEXT]);

#endif
