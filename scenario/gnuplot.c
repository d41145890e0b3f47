#include "scenario/gnuplot.h"

#include "core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct child {
    pid_t pid;
    int said; /* read end of its stdout and stderr */
    size_t n;
    char text[300]; /* the first of what it said */
};

static enum walras_status redirect(posix_spawn_file_actions_t *actions, const int pipe_ends[2])
{
    bool good = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
                posix_spawn_file_actions_adddup2(actions, pipe_ends[1], 1) == 0 &&
                posix_spawn_file_actions_adddup2(actions, pipe_ends[1], 2) == 0 &&
                posix_spawn_file_actions_addclose(actions, pipe_ends[0]) == 0 &&
                posix_spawn_file_actions_addclose(actions, pipe_ends[1]) == 0;

    return good ? WALRAS_OK : WALRAS_NOMEM;
}

static enum walras_status start(const char *const *args, struct child *child,
                                struct walras_err *err)
{
    posix_spawn_file_actions_t actions;
    int pipe_ends[2], failed = ENOMEM;

    if (pipe(pipe_ends) != 0)
        return walras_fail(err, WALRAS_IO, "gnuplot: no pipe: %s", strerror(errno));
    if (posix_spawn_file_actions_init(&actions) == 0) {
        if (redirect(&actions, pipe_ends) == WALRAS_OK)
            failed =
                posix_spawnp(&child->pid, args[0], &actions, NULL, (char *const *)args, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(pipe_ends[1]);
    child->said = pipe_ends[0];
    if (failed == 0)
        return WALRAS_OK;
    close(pipe_ends[0]);
    if (failed == ENOENT || failed == EACCES)
        return walras_fail(err, WALRAS_NOT_FOUND,
                           "charts are drawn by gnuplot, which is not here: install the package "
                           "gnuplot-nox, or leave out --plots");
    return walras_fail(err, WALRAS_IO, "gnuplot cannot be started: %s", strerror(failed));
}

/* Keeps the beginning, drops the rest. False at the end of what there is to hear. */
static bool listen_to(struct child *child)
{
    char heard[512];
    ssize_t n = read(child->said, heard, sizeof(heard));

    if (n < 0)
        return errno == EINTR;
    size_t room = sizeof(child->text) - 1 - child->n;
    size_t kept = (size_t)n < room ? (size_t)n : room;

    memcpy(child->text + child->n, heard, kept);
    child->n += kept;
    child->text[child->n] = '\0';
    return n > 0;
}

/* Waits until the child has ended or the limit has passed; true when it ended by itself. */
static bool wait_for(struct child *child, double limit_s, int *ended)
{
    double deadline_s = walras_monotonic_s() + limit_s;
    struct pollfd heard = {.fd = child->said, .events = POLLIN};

    for (;;) {
        int pause_ms = 50;

        if (heard.fd >= 0 && poll(&heard, 1, pause_ms) > 0 && !listen_to(child))
            heard.fd = -1;
        if (heard.fd < 0) { /* it has nothing more to say: it ends in a moment */
            poll(NULL, 0, 1);
        }
        pid_t done = waitpid(child->pid, ended, WNOHANG);

        if (done == child->pid)
            return true;
        if (walras_monotonic_s() > deadline_s) {
            kill(child->pid, SIGKILL);
            while (waitpid(child->pid, ended, 0) < 0 && errno == EINTR)
                continue;
            return false;
        }
    }
}

static void one_line(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++)
        if (*from != '\n' || (to > text && to[-1] != ' '))
            *to++ = *from == '\n' || *from == '\t' ? ' ' : *from;
    *to = '\0';
}

static enum walras_status run(const char *const *args, const char *about, double limit_s,
                              struct walras_err *err)
{
    struct child child = {.n = 0};
    enum walras_status status = start(args, &child, err);
    int ended = 0;

    if (status != WALRAS_OK)
        return status;
    bool in_time = wait_for(&child, limit_s, &ended);

    while (in_time && listen_to(&child))
        continue;
    close(child.said);
    one_line(child.text);
    if (!in_time)
        return walras_fail(err, WALRAS_IO, "%s: gnuplot was still drawing after %g s", about,
                           limit_s);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        return walras_fail(err, WALRAS_IO, "%s: gnuplot failed: %s", about, child.text);
    return WALRAS_OK;
}

enum walras_status scenario_gnuplot_run(const char *script, const char *directory, double limit_s,
                                        struct walras_err *err)
{
    const char *const args[] = {"gnuplot", "-c", script, directory, NULL};

    return run(args, script, limit_s, err);
}

enum walras_status scenario_gnuplot_find(struct walras_err *err)
{
    const char *const args[] = {"gnuplot", "--version", NULL};

    return run(args, "gnuplot --version", 10.0, err);
}
