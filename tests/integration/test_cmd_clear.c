#include "core/file.h"
#include "core/json.h"
#include "testkit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The binary itself, run as a user would: exit statuses, what is written where, what is left when
 * writing fails. Everything happens in a directory of its own under /tmp.
 */

static char home[64]; /* the test's directory */

struct run {
    int status;      /* exit status; -1: killed or not started */
    char *out, *err; /* what it wrote */
    size_t out_size, err_size;
};

static char *in_home(const char *name)
{
    static char paths[4][256]; /* of the last four calls */
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", home, name);
    return path;
}

static bool write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_home(name), "w");
    bool written = file && fputs(text, file) >= 0;

    return file && fclose(file) == 0 && written;
}

static void redirect(const char *path, int descriptor)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(126);
    close(file);
}

static int wait_for(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs a program with its output in files; stdout_path NULL: captured. */
static int execute(const char *program, char *const *arguments, const char *stdout_path)
{
    pid_t child = -1;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        redirect(stdout_path ? stdout_path : in_home("stdout"), STDOUT_FILENO);
        redirect(in_home("stderr"), STDERR_FILENO);
        execv(program, arguments);
        _exit(127);
    }
    return child < 0 ? -1 : wait_for(child);
}

static void run_release(struct run *run)
{
    free(run->out);
    free(run->err);
    *run = (struct run){0};
}

/* walras with up to 11 words, NULL-terminated. */
static struct run walras_to(const char *stdout_path, const char *const *words)
{
    char program[] = "walras", copies[12][256];
    char *arguments[14] = {program};
    struct run run = {0};
    size_t n = 0;

    for (; n < 12 && words[n]; n++) {
        snprintf(copies[n], sizeof(copies[n]), "%s", words[n]);
        arguments[n + 1] = copies[n];
    }
    run.status = execute(WALRAS_BINARY, arguments, stdout_path);
    if (!stdout_path)
        CU_ASSERT_EQUAL(
            walras_file_read(in_home("stdout"), 10000000, &run.out, &run.out_size, NULL),
            WALRAS_OK);
    CU_ASSERT_EQUAL(walras_file_read(in_home("stderr"), 10000000, &run.err, &run.err_size, NULL),
                    WALRAS_OK);
    return run;
}

#define WALRAS(...) walras_to(NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Ends with that status and says these words, on stderr (or stdout); NULL: says nothing there. */
static void check(struct run run, int status, const char *out, const char *err)
{
    bool good = run.status == status &&
                (out ? run.out && strstr(run.out, out) != NULL : run.out_size == 0) &&
                (err ? run.err && strstr(run.err, err) != NULL : run.err_size == 0);

    if (!good)
        fprintf(stderr, "exit %d (expected %d)\nstdout: %.300s\nstderr: %.300s\n", run.status,
                status, run.out ? run.out : "", run.err ? run.err : "");
    CU_ASSERT_TRUE(good);
    run_release(&run);
}

#define HEAD                                                                                       \
    "{\"walras\": 1, \"name\": \"shed\", \"currency\": \"EUR\", \"horizon\": {\"start\": "         \
    "\"2026-07-01T00:00:00Z\", \"step_minutes\": 60, \"steps\": 4}, \"grid\": {\"copperplate\": "  \
    "true}, \"supply\": [{\"id\": \"s\", \"bus\": \"1\", \"price_per_mwh\": [20, 70, 35, 60], "    \
    "\"import_limit_kw\": 12}], \"agents\": [{\"id\": \"home\", \"bus\": \"1\", \"devices\": ["
#define LOAD "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": [3, 8, 5, 9]}"
#define BATTERY                                                                                    \
    "{\"id\": \"bat\", \"type\": \"battery\", \"capacity_kwh\": 9, \"charge_kw\": 4, "             \
    "\"discharge_kw\": 4, \"start_kwh\": 2, \"charge_efficiency\": 0.9}, {\"id\": \"car\", "       \
    "\"type\": \"ev\", \"arrive\": 0, \"depart\": 3, \"energy_kwh\": 9, \"charge_kw\": 6}"

static bool write_markets(void)
{
    return write_file("good.json", HEAD LOAD ", " BATTERY "]}]}") &&
           write_file("short.json",
                      HEAD "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": [3, 30, 5, "
                           "9]}]}]}") &&
           write_file("stuck.json",
                      HEAD LOAD ", {\"id\": \"car\", \"type\": \"ev\", \"arrive\": 0, "
                                "\"depart\": 2, \"energy_kwh\": 90, \"charge_kw\": 6}]}]}") &&
           write_file("broken.json", HEAD LOAD "]}") &&
           write_file("typo.json", HEAD "{\"id\": \"load\", \"type\": \"load\", \"drawn_kw\": "
                                        "3}]}]}");
}

static void test_exit_statuses_tell_the_outcome(void)
{
    check(WALRAS("clear", in_home("good.json")), 0, "cleared", NULL);
    check(WALRAS("clear", in_home("good.json"), "--max-rounds", "1", "--gap", "1e-9"), 3,
          "round limit", NULL);
    check(WALRAS("clear", in_home("short.json")), 4, "step 1", NULL);
    check(WALRAS("clear", in_home("stuck.json")), 4, "agent home, device car", NULL);
    check(WALRAS("clear", in_home("broken.json")), 2, NULL, "broken.json:1:");
    check(WALRAS("clear", in_home("typo.json")), 2, NULL, "/agents/0/devices/0");
    check(WALRAS("clear", in_home("absent.json")), 1, NULL, "absent.json");
    check(WALRAS("clear", in_home("good.json"), "--losses"), 2, NULL, "copperplate");
    check(WALRAS("clear", WALRAS_SOURCE_DIR "/examples/village/village.json", "--losses"), 0,
          "are bought for them", NULL);
    check(WALRAS("check", in_home("good.json")), 0, "4 steps", NULL);
    check(WALRAS("check", in_home("typo.json")), 2, NULL, "did you mean");
}

static void test_usage_is_refused_with_a_hint(void)
{
    check(WALRAS("--help"), 0, "usage", NULL);
    check(WALRAS("--version"), 0, "walras ", NULL);
    check(WALRAS("clear", "--help"), 0, "--max-rounds", NULL);
    check(walras_to(NULL, (const char *const[]){NULL}), 2, NULL, "a command is missing");
    check(WALRAS("claer", in_home("good.json")), 2, NULL, "clear");
    check(WALRAS("clear"), 2, NULL, "a file to read is missing");
    check(WALRAS("clear", in_home("good.json"), "--thread", "2"), 2, NULL,
          "did you mean --threads");
    check(WALRAS("clear", in_home("good.json"), "--gap", "small"), 2, NULL, "--gap");
    check(WALRAS("clear", in_home("good.json"), "--gap", "0"), 2, NULL, "--gap");
    check(WALRAS("clear", in_home("good.json"), "--gap"), 2, NULL, "--gap needs a value");
    check(WALRAS("clear", in_home("good.json"), "--threads", "1.5"), 2, NULL, "whole number");
    check(WALRAS("clear", in_home("good.json"), "--method", "guess"), 2, NULL, "guess");
    check(WALRAS("clear", in_home("good.json"), "--devices", "slow"), 2, NULL, "fast or glpk");
    check(WALRAS("clear", in_home("good.json"), "--plots"), 2, NULL, "--out");
    check(WALRAS("clear", in_home("good.json"), in_home("short.json")), 2, NULL, "");
}

static void test_quiet_says_nothing_but_why(void)
{
    check(WALRAS("clear", in_home("good.json"), "--quiet"), 0, NULL, NULL);
    check(WALRAS("clear", in_home("good.json"), "--quiet", "--max-rounds", "1", "--gap", "1e-9"), 3,
          NULL, NULL);
    check(WALRAS("clear", in_home("short.json"), "--quiet"), 4, NULL, "step 1");
}

static void check_json(const char *market, int status, const char *outcome)
{
    struct run run = WALRAS("clear", in_home(market), "--json");
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    const char *text = "";

    CU_ASSERT_EQUAL(run.status, status);
    CU_ASSERT_EQUAL(run.err_size, 0);
    CU_ASSERT_EQUAL_FATAL(walras_json_parse("stdout", run.out, run.out_size, &doc, NULL),
                          WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_EQUAL_FATAL(walras_json_need(&root, "status", &node, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_json_text(&node, 100, &text, NULL), WALRAS_OK);
    CU_ASSERT_STRING_EQUAL(text, outcome);
    CU_ASSERT_EQUAL(walras_json_find(&root, "why", &node), status == 4);
    walras_json_free(doc);
    run_release(&run);
}

static void test_json_is_json_whatever_the_outcome(void)
{
    check_json("good.json", 0, "converged");
    check_json("short.json", 4, "infeasible");
    check_json("stuck.json", 4, "infeasible");
}

static size_t count_entries(const char *path)
{
    DIR *directory = opendir(path);
    size_t n = 0;

    if (!directory)
        return 0;
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return n;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void test_out_is_replaced_whole(void)
{
    static const char *const files[] = {"result.json", "grid.json", "awards.csv", "prices.csv",
                                        "rounds.csv"};
    char *first = NULL, *second = NULL;
    size_t size = 0;

    CU_ASSERT_EQUAL_FATAL(mkdir(in_home("results"), 0700), 0);
    check(WALRAS("clear", in_home("good.json"), "--out", in_home("results/day")), 0, "cleared",
          NULL);
    for (size_t i = 0; i < 5; i++) {
        char name[64];

        snprintf(name, sizeof(name), "results/day/%s", files[i]);
        CU_ASSERT_TRUE(exists(in_home(name)));
    }
    CU_ASSERT_EQUAL(
        walras_file_read(in_home("results/day/result.json"), 1000000, &first, &size, NULL),
        WALRAS_OK);
    /* an infeasible market replaces it */
    check(WALRAS("clear", in_home("short.json"), "--out", in_home("results/day")), 4, "step 1",
          NULL);
    CU_ASSERT_EQUAL(
        walras_file_read(in_home("results/day/result.json"), 1000000, &second, &size, NULL),
        WALRAS_OK);
    CU_ASSERT_PTR_NOT_NULL(first ? strstr(first, "\"converged\"") : NULL);
    CU_ASSERT_PTR_NOT_NULL(second ? strstr(second, "\"infeasible\"") : NULL);
    /* bad input leaves it alone, and nothing is left lying about */
    check(WALRAS("clear", in_home("typo.json"), "--out", in_home("results/day")), 2, NULL, "typo");
    free(first);
    CU_ASSERT_EQUAL(
        walras_file_read(in_home("results/day/result.json"), 1000000, &first, &size, NULL),
        WALRAS_OK);
    CU_ASSERT_TRUE(first && second && strcmp(first, second) == 0);
    CU_ASSERT_EQUAL(count_entries(in_home("results")), 1);
    free(first);
    free(second);
}

static void test_out_that_cannot_be_written_is_named(void)
{
    char *text = NULL;
    size_t size = 0;

    CU_ASSERT_TRUE(write_file("in-the-way", "mine"));
    check(WALRAS("clear", in_home("good.json"), "--out", "/proc/no/such/place"), 1, NULL,
          "/proc/no: cannot make the directory");
    check(WALRAS("clear", in_home("good.json"), "--out", in_home("in-the-way")), 1, NULL,
          "in-the-way");
    check(WALRAS("clear", in_home("good.json"), "--out", in_home("in-the-way/day")), 1, NULL,
          "in-the-way");
    CU_ASSERT_EQUAL(walras_file_read(in_home("in-the-way"), 100, &text, &size, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(text && strcmp(text, "mine") == 0);
    free(text);
}

static void test_a_full_standard_output_is_a_failure(void)
{
    const char *const words[] = {"clear", in_home("good.json"), "--json", NULL};
    const char *const summary[] = {"clear", in_home("good.json"), NULL};
    struct run run = {0};

    if (access("/dev/full", W_OK) != 0) {
        testkit_skip("there is no /dev/full");
        return;
    }
    run = walras_to("/dev/full", words);
    CU_ASSERT_EQUAL(run.status, 1);
    CU_ASSERT_TRUE(run.err_size > 0);
    run_release(&run);
    run = walras_to("/dev/full", summary);
    CU_ASSERT_EQUAL(run.status, 1);
    CU_ASSERT_TRUE(run.err_size > 0);
    run_release(&run);
}

/* A file system of 4 KiB, where mounting one is allowed. */
static void test_a_full_disk_leaves_nothing_half_written(void)
{
    char mount[] = "mount", type[] = "-t", tmpfs[] = "tmpfs", option[] = "-o";
    char size[] = "size=4k", unmount[] = "umount";
    char *const on[] = {mount, type, tmpfs, option, size, tmpfs, in_home("disk"), NULL};
    char *const off[] = {unmount, in_home("disk"), NULL};

    CU_ASSERT_EQUAL_FATAL(mkdir(in_home("disk"), 0700), 0);
    if (execute("/bin/mount", on, NULL) != 0) {
        printf("(no small file system may be mounted here) ");
        return;
    }
    check(WALRAS("clear", in_home("good.json"), "--out", in_home("disk/day")), 1, NULL, "disk/");
    CU_ASSERT_FALSE(exists(in_home("disk/day/result.json")));
    CU_ASSERT_EQUAL(count_entries(in_home("disk")), 0);
    CU_ASSERT_EQUAL(execute("/bin/umount", off, NULL), 0);
}

/* script(1) gives the program a terminal. */
static void test_progress_is_shown_on_a_terminal_only(void)
{
    static const char program[] = "/usr/bin/script";
    char name[] = "script", options[] = "-qec", nowhere[] = "/dev/null", command[512];
    char *const arguments[] = {name, options, command, nowhere, NULL};
    char *text = NULL;
    size_t size = 0;

    check(WALRAS("clear", in_home("good.json")), 0, "cleared", NULL);
    if (!exists(program)) {
        printf("(no script(1) here) ");
        return;
    }
    snprintf(command, sizeof(command), "%s clear %s", WALRAS_BINARY, in_home("good.json"));
    CU_ASSERT_EQUAL(execute(program, arguments, NULL), 0);
    CU_ASSERT_EQUAL(walras_file_read(in_home("stdout"), 1000000, &text, &size, NULL), WALRAS_OK);
    CU_ASSERT_PTR_NOT_NULL(text ? strstr(text, "\rround 1 ") : NULL);
    free(text);
    snprintf(command, sizeof(command), "%s clear %s --quiet", WALRAS_BINARY, in_home("good.json"));
    CU_ASSERT_EQUAL(execute(program, arguments, NULL), 0);
    CU_ASSERT_EQUAL(walras_file_read(in_home("stdout"), 1000000, &text, &size, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(size, 0);
    free(text);
}

/* What expand writes is the same market: same cost. */
static void test_expand_writes_the_same_market(void)
{
    struct run plain = WALRAS("clear", in_home("good.json"), "--json");
    struct run expanded = WALRAS("expand", in_home("good.json"));
    const char *cost = plain.out ? strstr(plain.out, "\"objective\"") : NULL;
    struct run again = {0};

    CU_ASSERT_EQUAL(expanded.status, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(expanded.out);
    CU_ASSERT_TRUE(write_file("expanded.json", expanded.out));
    again = WALRAS("clear", in_home("expanded.json"), "--json");
    CU_ASSERT_EQUAL(again.status, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cost);
    size_t length = strcspn(cost, "\n");
    const char *other = again.out ? strstr(again.out, "\"objective\"") : NULL;

    CU_ASSERT_TRUE(other && strncmp(cost, other, length) == 0);
    run_release(&plain);
    run_release(&expanded);
    run_release(&again);
}

static const struct testkit_test tests[] = {
    {"exit statuses tell the outcome", test_exit_statuses_tell_the_outcome},
    {"wrong usage is refused with a hint", test_usage_is_refused_with_a_hint},
    {"--quiet says nothing but why", test_quiet_says_nothing_but_why},
    {"--json is JSON whatever the outcome", test_json_is_json_whatever_the_outcome},
    {"--out is replaced whole", test_out_is_replaced_whole},
    {"an --out that cannot be written is named", test_out_that_cannot_be_written_is_named},
    {"a full standard output is a failure", test_a_full_standard_output_is_a_failure},
    {"a full disk leaves nothing half written", test_a_full_disk_leaves_nothing_half_written},
    {"progress is shown on a terminal only", test_progress_is_shown_on_a_terminal_only},
    {"expand writes the same market", test_expand_writes_the_same_market},
};

static void remove_home(void)
{
    char remove[] = "rm", how[] = "-rf";
    char *const arguments[] = {remove, how, home, NULL};

    if (home[0])
        (void)execute("/bin/rm", arguments, "/dev/null");
}

int main(int argc, char **argv)
{
    int status = EXIT_FAILURE;

    snprintf(home, sizeof(home), "/tmp/walras-cli-XXXXXX");
    if (!mkdtemp(home))
        return EXIT_FAILURE;
    if (write_markets())
        status = testkit_run("walras clear", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    remove_home();
    return status;
}
