#include "servekit.h"

#include "core/file.h"
#include "dbkit.h"
#include "openkit.h"
#include "testkit.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static void become(const struct servekit_server *server, const char *conninfo,
                   const char *const *options)
{
    const char *argv[32] = {WALRAS_BINARY, "serve", "--listen", "127.0.0.1:0", "--db", conninfo};
    int log = open(server->log, O_CREAT | O_TRUNC | O_WRONLY, 0600), n = 6;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (; options && *options; options++)
        argv[n++] = *options;
    dup2(log, STDERR_FILENO);
    dup2(log, STDOUT_FILENO);
    execv(argv[0], (char *const *)argv);
    _exit(126);
}

static bool find_url(struct servekit_server *server)
{
    static const char before[] = "listening url=";
    char *text = NULL, *at = NULL;
    size_t size = 0;

    if (walras_file_read(server->log, 1 << 20, &text, &size, NULL) == WALRAS_OK)
        at = strstr(text, before);
    if (at)
        snprintf(server->url, sizeof(server->url), "%.*s",
                 (int)strcspn(at + sizeof(before) - 1, " \n"), at + sizeof(before) - 1);
    free(text);
    return at != NULL;
}

void servekit_start(struct servekit_server *server, const char *conninfo,
                    const char *const *options)
{
    static unsigned n;

    *server = (struct servekit_server){0};
    snprintf(server->log, sizeof(server->log), "%s/server-%u.log", dbkit_folder(), n++);
    fflush(stdout);
    server->pid = fork();
    if (server->pid == 0)
        become(server, conninfo, options);
    for (int i = 0; i < 600 && !find_url(server); i++) {
        int state = 0;

        if (waitpid(server->pid, &state, WNOHANG) == server->pid)
            break;
        pause_ms(50);
    }
    if (server->url[0] == '\0') {
        char *text = NULL;
        size_t size = 0;

        if (walras_file_read(server->log, 1 << 20, &text, &size, NULL) == WALRAS_OK)
            printf("the server said: %s\n", text);
        free(text);
    }
    CU_ASSERT_TRUE_FATAL(server->url[0] != '\0');
}

static int end(struct servekit_server *server, int number)
{
    int state = 0;

    kill(server->pid, number);
    waitpid(server->pid, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

int servekit_stop(struct servekit_server *server)
{
    return end(server, SIGTERM);
}

void servekit_kill(struct servekit_server *server)
{
    (void)end(server, SIGKILL);
}

bool servekit_log_has(const struct servekit_server *server, const char *text)
{
    char *log = NULL;
    size_t size = 0;
    bool has =
        walras_file_read(server->log, 1 << 26, &log, &size, NULL) == WALRAS_OK && strstr(log, text);

    free(log);
    return has;
}

static size_t keep(char *data, size_t size, size_t n, void *context)
{
    walras_text_add(context, data, size * n);
    return size * n;
}

void servekit_client_init(struct servekit_client *client, const struct servekit_server *server,
                          const char *token)
{
    *client = (struct servekit_client){.curl = curl_easy_init(), .timeout_ms = 120000};
    CU_ASSERT_PTR_NOT_NULL_FATAL(client->curl);
    snprintf(client->base, sizeof(client->base), "%s", server->url);
    snprintf(client->token, sizeof(client->token), "%s", token);
    walras_text_init(&client->body, 1 << 28);
    walras_text_init(&client->headers, 1 << 20);
}

void servekit_client_release(struct servekit_client *client)
{
    curl_easy_cleanup(client->curl);
    walras_text_release(&client->body);
    walras_text_release(&client->headers);
}

static struct curl_slist *headers_of(const struct servekit_client *client, const char *body,
                                     const char *type)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    char text[200];

    if (client->token[0]) {
        snprintf(text, sizeof(text), "Authorization: Bearer %s", client->token);
        list = curl_slist_append(list, text);
    }
    snprintf(text, sizeof(text), "Content-Type: %s", type);
    return body ? curl_slist_append(list, text) : list;
}

static void empty(struct walras_text *text)
{
    walras_text_release(text);
    walras_text_init(text, 1 << 28);
    walras_text_add(text, "", 0);
}

long servekit_call_as(struct servekit_client *client, const char *method, const char *path,
                      const char *body, const char *type)
{
    struct curl_slist *list = headers_of(client, body, type);
    char url[1024];
    CURLcode code = CURLE_OK;

    snprintf(url, sizeof(url), "%s%s", client->base, path);
    empty(&client->body);
    empty(&client->headers);
    client->status = 0;
    curl_easy_reset(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, client->timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &client->body);
    curl_easy_setopt(client->curl, CURLOPT_HEADERFUNCTION, keep);
    curl_easy_setopt(client->curl, CURLOPT_HEADERDATA, &client->headers);
    if (body) {
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body);
    }
    code = curl_easy_perform(client->curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &client->status);
    curl_slist_free_all(list);
    openkit_check(method, path, client->status);
    return client->status;
}

long servekit_call(struct servekit_client *client, const char *method, const char *path,
                   const char *body)
{
    return servekit_call_as(client, method, path, body, "application/json");
}

bool servekit_has(const struct servekit_client *client, const char *text)
{
    if (client->body.data && strstr(client->body.data, text))
        return true;
    printf("no %s in the answer %ld: %.600s\n", text, client->status,
           client->body.data ? client->body.data : "");
    return false;
}

void servekit_token(const char *conninfo, const char *id, enum db_role role,
                    char token[DB_SECRET_TEXT])
{
    struct db_session *session = dbkit_session(conninfo);
    struct db_client client = {.role = role};
    char secret[DB_SECRET_TEXT];
    bool known = false;

    snprintf(client.id, sizeof(client.id), "%s", id);
    CU_ASSERT_EQUAL(db_client_create(session, "test", &client, secret, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_token_issue(session, id, secret, 3600, &known, &client, token, NULL),
                    WALRAS_OK);
    CU_ASSERT_TRUE(known);
    db_session_free(session);
}

pid_t servekit_spawn(const char *const *argv, const char *output)
{
    pid_t child = 0;

    fflush(stdout);
    child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(output, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    dup2(out, STDOUT_FILENO);
    execv(argv[0], (char *const *)argv);
    _exit(126);
}

int servekit_end_of(pid_t child)
{
    int state = 0;

    CU_ASSERT_EQUAL(waitpid(child, &state, 0), child);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

bool servekit_make_certificate(char cert[160], char key[160])
{
    char command[800], answer[8] = "";
    FILE *said = NULL;

    if (access("/usr/bin/openssl", X_OK) != 0) {
        testkit_skip("/usr/bin/openssl is not here");
        return false;
    }
    snprintf(cert, 160, "%s/cert.pem", dbkit_folder());
    snprintf(key, 160, "%s/key.pem", dbkit_folder());
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext "
             "subjectAltName=IP:127.0.0.1 -days 2 -keyout %s -out %s >%s/openssl.log 2>&1; echo $?",
             key, cert, dbkit_folder());
    said = popen(command, "r");
    CU_ASSERT_TRUE_FATAL(said && fgets(answer, sizeof(answer), said) && answer[0] == '0');
    pclose(said);
    return true;
}
