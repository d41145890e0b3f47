/*
 * Runs a command under limits and says what it took.
 *
 *     measure SECONDS MIB REPORT COMMAND [ARGUMENT...]
 *
 * REPORT gets one line: outcome, exit status, wall seconds, CPU seconds, peak resident MiB. The
 * outcome is "ended", "time" (killed after SECONDS) or "memory" (killed with more than MIB
 * resident). Resident memory is looked at 50 times a second; what a command cannot be given at all
 * (twice MIB of address space) fails inside it. Only the command's own process is counted and
 * killed: none of those measured starts others.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double resident_mib(pid_t pid)
{
    char path[64], text[256] = "";
    double pages = 0.0;
    FILE *file = NULL;

    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    file = fopen(path, "r");
    if (file) {
        char *second = fgets(text, sizeof(text), file) ? strchr(text, ' ') : NULL;

        pages = second ? strtod(second, NULL) : 0.0; /* total first, then resident */
        fclose(file);
    }
    return pages * (double)sysconf(_SC_PAGESIZE) / (1024.0 * 1024.0);
}

static void start(char **command, double limit_mib)
{
    rlim_t bytes = (rlim_t)(2.0 * limit_mib * 1024.0 * 1024.0);

    setrlimit(RLIMIT_AS, &(struct rlimit){bytes, bytes});
    execvp(command[0], command);
    fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

/* Waits for the process, kills it at a limit; returns what came of it, or NULL. */
static const char *watch(pid_t pid, double limit_s, double limit_mib, int *wait_status)
{
    static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    const char *outcome = "ended";
    double began_s = now_s();

    for (;;) {
        pid_t done = waitpid(pid, wait_status, WNOHANG);

        if (done != 0)
            return done == pid ? outcome : NULL;
        if (strcmp(outcome, "ended") == 0) {
            if (now_s() - began_s > limit_s)
                outcome = "time";
            else if (resident_mib(pid) > limit_mib)
                outcome = "memory";
            if (strcmp(outcome, "ended") != 0)
                kill(pid, SIGKILL);
        }
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    double limit_s = argc > 4 ? strtod(argv[1], NULL) : 0.0;
    double limit_mib = argc > 4 ? strtod(argv[2], NULL) : 0.0;
    double began_s = now_s();
    const char *outcome = NULL;
    struct rusage used;
    int wait_status = 0;
    FILE *report = NULL;
    pid_t pid;

    if (limit_s <= 0.0 || limit_mib <= 0.0) {
        fputs("usage: measure SECONDS MIB REPORT COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    pid = fork();
    if (pid == 0)
        start(argv + 4, limit_mib);
    if (pid > 0)
        outcome = watch(pid, limit_s, limit_mib, &wait_status);
    getrusage(RUSAGE_CHILDREN, &used); /* there was one child */
    report = outcome ? fopen(argv[3], "w") : NULL;
    if (!report) {
        fprintf(stderr, "measure: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    fprintf(report, "%s %d %.3f %.3f %.1f\n", outcome,
            WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status),
            now_s() - began_s,
            (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
            (double)used.ru_maxrss / 1024.0);
    return fclose(report) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
