#include "cli/own_devices.h"

#include "agents/model.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "scenario/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_BYTES = 64 * 1024 * 1024 };

struct own_devices {
    struct scenario scenario; /* of these devices alone */
    struct own_settings settings;
    struct agent_workspace *workspace;
    struct agent_model **models; /* [n_device] NULL: none is needed, or a child makes it */
    double *one;                 /* [n_step] of one device */
};

/* The devices as JSON text: the file's list, or its one device in a list. */
static enum walras_status word_devices(const char *path, char **text, bool *listed,
                                       struct walras_err *err)
{
    static const char *const keys[] = {"devices"};
    struct walras_json_doc *doc = NULL;
    struct walras_json root, list;
    enum walras_status status = walras_json_read(path, &doc, err);

    *text = NULL;
    if (status != WALRAS_OK)
        return status;
    root = walras_json_root(doc);
    if (!walras_json_is(&root, WALRAS_JSON_OBJECT))
        status = walras_json_mistyped(&root, "a device, or {\"devices\": [...]}", err);
    *listed = status == WALRAS_OK && walras_json_find(&root, "devices", &list);
    if (*listed)
        status = walras_json_keys(&root, keys, 1, err);
    if (status == WALRAS_OK) {
        *text = walras_json_copy_text(*listed ? &list : &root);
        if (!*text)
            status = walras_fail(err, WALRAS_NOMEM, "%s does not fit in memory", path);
    }
    walras_json_free(doc);
    return status;
}

/* Messages are about the file, not about the scenario that is made around it. */
static void put_place_right(bool listed, struct walras_err *err)
{
    const char *prefix = listed ? "/agents/0" : "/agents/0/devices/0";
    char *at = strstr(err->msg, prefix);

    if (at)
        memmove(at, at + strlen(prefix), strlen(at + strlen(prefix)) + 1);
}

static enum walras_status read_scenario(struct own_devices *own, const char *path,
                                        const struct own_horizon *horizon, struct walras_err *err)
{
    struct scenario_settings reading = scenario_settings_defaults();
    char *devices = NULL, *directory = walras_path_directory(path);
    struct walras_text text;
    bool listed = false;
    enum walras_status status = word_devices(path, &devices, &listed, err);

    walras_text_init(&text, MOST_BYTES);
    walras_text_addf(&text,
                     "{\"walras\": 1, \"horizon\": {\"start\": \"%s\", \"step_minutes\": %u, "
                     "\"steps\": %zu}, \"grid\": {\"copperplate\": true}, \"agents\": [{\"id\": "
                     "\"own\", \"bus\": \"1\", \"devices\": %s%s%s}]}",
                     horizon->start, horizon->step_min, horizon->n_step, listed ? "" : "[",
                     devices ? devices : "", listed ? "" : "]");
    if (status == WALRAS_OK && (text.failure != WALRAS_OK || !directory))
        status = walras_fail(err, WALRAS_NOMEM, "%s does not fit in memory", path);
    reading.directory = directory;
    if (status == WALRAS_OK) {
        status = scenario_parse(path, text.data, text.size, &reading, &own->scenario, err);
        if (status != WALRAS_OK && err)
            put_place_right(listed, err);
    }
    walras_text_release(&text);
    free(devices);
    free(directory);
    return status;
}

static bool in_child(const struct agent_device *device)
{
    return device->type == AGENT_LP;
}

static enum walras_status make_models(struct own_devices *own, struct walras_err *err)
{
    const struct scenario *s = &own->scenario;
    enum walras_status status = agent_workspace_new(&s->horizon, &own->workspace, err);

    own->one = calloc(s->horizon.n_step, sizeof(*own->one));
    own->models = calloc(s->n_device + 1, sizeof(struct agent_model *));
    if (status == WALRAS_OK && (!own->one || !own->models))
        status = walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory", s->n_device);
    for (size_t i = 0; i < s->n_device && status == WALRAS_OK; i++) {
        const struct agent_device *device = &s->devices[i];

        if (!in_child(device) && (own->settings.glpk || !agent_has_fast_solver(device)))
            status = agent_model_new(device, &s->horizon, &own->models[i], err);
    }
    return status;
}

enum walras_status own_devices_read(const char *path, const struct own_horizon *horizon,
                                    const struct own_settings *settings, struct own_devices **made,
                                    struct walras_err *err)
{
    struct own_devices *own = calloc(1, sizeof(*own));
    enum walras_status status = WALRAS_OK;

    if (!own)
        return walras_fail(err, WALRAS_NOMEM, "no memory for the devices of %s", path);
    own->settings = *settings;
    status = read_scenario(own, path, horizon, err);
    if (status == WALRAS_OK)
        status = make_models(own, err);
    if (status == WALRAS_OK)
        *made = own;
    else
        own_devices_free(own);
    return status;
}

void own_devices_free(struct own_devices *own)
{
    if (!own)
        return;
    for (size_t i = 0; own->models && i < own->scenario.n_device; i++)
        agent_model_free(own->models[i]);
    free(own->models);
    free(own->one);
    agent_workspace_free(own->workspace);
    scenario_release(&own->scenario);
    free(own);
}

const char *own_devices_integer(const struct own_devices *own)
{
    for (size_t i = 0; i < own->scenario.n_device; i++)
        if (agent_device_is_integer(&own->scenario.devices[i]) &&
            !in_child(&own->scenario.devices[i]))
            return own->scenario.devices[i].id;
    return NULL;
}

/* A child's answer, or why there is none: memory it shares, read when it is gone. */
struct told {
    enum walras_status status;
    struct market_answer answer;
    struct walras_err err;
    double draw_kw[]; /* [n_step] */
};

/* Zeroed; NULL: errno says why not. */
static struct told *share(size_t size)
{
    int zeros = open("/dev/zero", O_RDWR | O_CLOEXEC);
    void *room = MAP_FAILED;

    if (zeros < 0)
        return NULL;
    room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, zeros, 0);
    close(zeros);
    return room == MAP_FAILED ? NULL : room;
}

/* Does not return. */
static void answer_as_child(const struct own_devices *own, const struct agent_device *device,
                            const double *price_per_mwh, struct told *told)
{
    alarm(own->settings.time_limit_s);
    told->status = agent_ask_once(device, &own->scenario.horizon, price_per_mwh, own->workspace,
                                  told->draw_kw, &told->answer, &told->err);
    _exit(0);
}

static enum walras_status judge_end(const struct own_devices *own,
                                    const struct agent_device *device, int state,
                                    struct walras_err *err)
{
    if (WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM)
        return walras_fail(err, WALRAS_UNAVAILABLE, "device %s: %s was not solved within %u s",
                           device->id, device->lp.path, own->settings.time_limit_s);
    return walras_fail(err, WALRAS_UNAVAILABLE,
                       "device %s: the process that solves %s ended by %s %d", device->id,
                       device->lp.path, WIFSIGNALED(state) ? "signal" : "exit status",
                       WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
}

static enum walras_status hear_child(struct own_devices *own, const struct agent_device *device,
                                     pid_t child, const struct told *told,
                                     struct market_answer *answer, struct walras_err *err)
{
    int state = 0;

    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return judge_end(own, device, state, err);
    *answer = told->answer;
    memcpy(own->one, told->draw_kw, own->scenario.horizon.n_step * sizeof(*own->one));
    return told->status == WALRAS_OK ? WALRAS_OK
                                     : walras_fail(err, told->status, "%s", told->err.msg);
}

static enum walras_status ask_child(struct own_devices *own, const struct agent_device *device,
                                    const double *price_per_mwh, struct market_answer *answer,
                                    struct walras_err *err)
{
    size_t size = sizeof(struct told) + own->scenario.horizon.n_step * sizeof(double);
    struct told *told = share(size);
    pid_t child = 0;
    enum walras_status status = WALRAS_OK;

    if (!told)
        return walras_fail(err, WALRAS_UNAVAILABLE, "shared memory: %s", strerror(errno));
    fflush(NULL);
    child = fork();
    if (child == 0)
        answer_as_child(own, device, price_per_mwh, told);
    status = child < 0
                 ? walras_fail(err, WALRAS_UNAVAILABLE, "a child process: %s", strerror(errno))
                 : hear_child(own, device, child, told, answer, err);
    munmap(told, size);
    return status;
}

static enum walras_status ask_one(struct own_devices *own, size_t i, const double *price_per_mwh,
                                  struct market_answer *answer, struct walras_err *err)
{
    const struct agent_device *device = &own->scenario.devices[i];

    if (in_child(device))
        return ask_child(own, device, price_per_mwh, answer, err);
    if (own->models[i])
        return agent_model_solve(own->models[i], price_per_mwh, own->one, answer, err);
    return agent_solve(device, &own->scenario.horizon, price_per_mwh, own->workspace, own->one,
                       answer, err);
}

enum walras_status own_devices_ask(struct own_devices *own, const double *price_per_mwh,
                                   double *draw_kw, double *cost, struct walras_err *err)
{
    size_t n_step = own->scenario.horizon.n_step;
    enum walras_status status = WALRAS_OK;

    memset(draw_kw, 0, n_step * sizeof(*draw_kw));
    *cost = 0.0;
    for (size_t i = 0; i < own->scenario.n_device && status == WALRAS_OK; i++) {
        struct market_answer answer = {0};

        status = ask_one(own, i, price_per_mwh, &answer, err);
        for (size_t t = 0; t < n_step && status == WALRAS_OK; t++)
            draw_kw[t] += own->one[t];
        *cost += answer.cost;
    }
    return status;
}
