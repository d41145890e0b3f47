#include "db/program.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum walras_status db_user_find(struct db_user *user, struct walras_err *err)
{
    const struct passwd *found = NULL;

    *user = (struct db_user){0};
    if (geteuid() != 0)
        return WALRAS_OK;
    found = getpwnam("postgres");
    if (!found)
        found = getpwnam("nobody");
    if (!found || found->pw_uid == 0)
        return walras_fail(err, WALRAS_UNSUPPORTED,
                           "PostgreSQL does not run as root, and there is neither a user postgres "
                           "nor nobody: run walras as another user, or name a database with --db");
    *user = (struct db_user){.change = true, .uid = found->pw_uid, .gid = found->pw_gid};
    snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
    return WALRAS_OK;
}

static long version_in(const char *path)
{
    static const char before[] = "/usr/lib/postgresql/";

    return strtol(path + sizeof(before) - 1, NULL, 10);
}

static bool find_in_debian(const char *name, char path[DB_PROGRAM_PATH])
{
    char pattern[DB_PROGRAM_PATH];
    glob_t found;
    long best = 0;

    snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/*/bin/%s", name);
    if (glob(pattern, 0, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (version_in(found.gl_pathv[i]) > best && strlen(found.gl_pathv[i]) < DB_PROGRAM_PATH &&
            access(found.gl_pathv[i], X_OK) == 0) {
            best = version_in(found.gl_pathv[i]);
            snprintf(path, DB_PROGRAM_PATH, "%s", found.gl_pathv[i]);
        }
    globfree(&found);
    return best > 0;
}

static bool find_in_path(const char *name, char path[DB_PROGRAM_PATH])
{
    const char *at = getenv("PATH");

    while (at && *at) {
        size_t n = strcspn(at, ":");
        int size = snprintf(path, DB_PROGRAM_PATH, "%.*s/%s", (int)n, at, name);

        if (n > 0 && size < DB_PROGRAM_PATH && access(path, X_OK) == 0)
            return true;
        at += n + (at[n] == ':');
    }
    return false;
}

enum walras_status db_program_find(const char *name, char path[DB_PROGRAM_PATH],
                                   struct walras_err *err)
{
    if (find_in_debian(name, path) || find_in_path(name, path))
        return WALRAS_OK;
    return walras_fail(
        err, WALRAS_NOT_FOUND,
        "PostgreSQL's program %s is not here: install postgresql, or name a database "
        "with --db",
        name);
}

/* In the child: becomes the user and the program, or ends with 126. */
static void become(const struct db_program *program, int output)
{
    const struct db_user *user = program->user;
    int null = open("/dev/null", O_RDWR);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    dup2(output, STDERR_FILENO);
    if (user && user->change &&
        (initgroups(user->name, user->gid) != 0 || setgid(user->gid) != 0 ||
         setuid(user->uid) != 0 || chdir("/") != 0)) {
        dprintf(STDERR_FILENO, "cannot become %s: %s", user->name, strerror(errno));
        _exit(126);
    }
    if (program->variable)
        setenv(program->variable, program->text, 1);
    execv(program->argv[0], (char *const *)program->argv);
    dprintf(STDERR_FILENO, "%s: %s", program->argv[0], strerror(errno));
    _exit(126);
}

/* Reads all there is and keeps the end of it, as one line. */
static void keep_end(int input, char *said, size_t size)
{
    char part[512];
    size_t used = 0;
    ssize_t n = 0;

    while ((n = read(input, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR))
        for (ssize_t i = 0; i < n; i++) {
            if (used + 1 == size) {
                memmove(said, said + size / 2, used - size / 2);
                used -= size / 2;
            }
            said[used++] = (unsigned char)part[i] < ' ' ? ' ' : part[i];
        }
    while (used > 0 && said[used - 1] == ' ')
        used--;
    said[used] = '\0';
}

enum walras_status db_program_run(const struct db_program *program, int *exit_status, char *said,
                                  size_t size, struct walras_err *err)
{
    int ends[2], state = 0;
    pid_t child = -1;

    if (pipe(ends) != 0)
        return walras_fail(err, WALRAS_IO, "%s: %s", program->argv[0], strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    child = fork();
    if (child == 0)
        become(program, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return walras_fail(err, WALRAS_IO, "%s: %s", program->argv[0], strerror(errno));
    }
    keep_end(ends[0], said, size);
    close(ends[0]);
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return walras_fail(err, WALRAS_IO, "%s: %s", program->argv[0], strerror(errno));
    *exit_status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return WALRAS_OK;
}
