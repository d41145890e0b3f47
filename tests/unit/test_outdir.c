#include "core/file.h"
#include "core/outdir.h"
#include "testkit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64]; /* a directory of the test's own */

static const char *in_base(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    return path;
}

static void begin_base(void)
{
    snprintf(base, sizeof(base), "/tmp/walras-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(base));
}

/* How many names are in the directory; -1: there is none. */
static int count(const char *path)
{
    DIR *directory = opendir(path);
    int n = -2; /* "." and ".." */

    if (!directory)
        return -1;
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

static void put(const char *directory, const char *name, const char *text)
{
    char path[512];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    CU_ASSERT_EQUAL_FATAL(walras_file_create(path, &file, NULL), WALRAS_OK);
    fputs(text, file);
    CU_ASSERT_EQUAL(walras_file_finish(file, path, NULL), WALRAS_OK);
}

static bool holds(const char *directory, const char *name, const char *text)
{
    char path[512], *content = NULL;
    size_t size = 0;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (walras_file_read(path, 1000, &content, &size, NULL) != WALRAS_OK)
        return false;

    bool same = strcmp(content, text) == 0;

    free(content);
    return same;
}

static void end_base(void)
{
    char command[] = "rm", flag[] = "-rf";
    char *const arguments[] = {command, flag, base, NULL};
    pid_t child = fork();

    if (child == 0) {
        execvp(command, arguments);
        _exit(127);
    }
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
}

static void test_a_new_directory_appears_with_all_its_files(void)
{
    struct walras_outdir *out = NULL;

    begin_base();
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(in_base("r/"), &out, NULL), WALRAS_OK);
    put(walras_outdir_path(out), "a.json", "{}");
    CU_ASSERT_EQUAL(count(in_base("r")), -1);
    put(walras_outdir_path(out), "b.csv", "x");
    CU_ASSERT_EQUAL(walras_outdir_commit(out, NULL), WALRAS_OK);
    walras_outdir_free(out);
    CU_ASSERT_EQUAL(count(in_base("r")), 2);
    CU_ASSERT_EQUAL(count(base), 1); /* nothing is left beside it */
    CU_ASSERT_TRUE(holds(in_base("r"), "a.json", "{}"));
    end_base();
}

static void test_an_existing_directory_keeps_what_is_not_ours(void)
{
    struct walras_outdir *out = NULL;

    begin_base();
    put(base, "a.json", "old");
    put(base, "chart.png", "old");
    put(base, "notes.txt", "mine");
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(base, &out, NULL), WALRAS_OK);
    put(walras_outdir_path(out), "a.json", "new");
    CU_ASSERT_EQUAL(walras_outdir_forget(out, "chart.png", NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_outdir_forget(out, "a.json", NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_outdir_forget(out, "never.png", NULL), WALRAS_OK);
    CU_ASSERT_TRUE(holds(base, "a.json", "old"));
    CU_ASSERT_EQUAL(walras_outdir_commit(out, NULL), WALRAS_OK);
    walras_outdir_free(out);
    CU_ASSERT_EQUAL(count(base), 2);
    CU_ASSERT_TRUE(holds(base, "a.json", "new"));
    CU_ASSERT_TRUE(holds(base, "notes.txt", "mine"));
    end_base();
}

static void test_without_commit_nothing_is_left(void)
{
    struct walras_outdir *out = NULL;

    begin_base();
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(in_base("r"), &out, NULL), WALRAS_OK);
    put(walras_outdir_path(out), "a.json", "{}");
    walras_outdir_free(out);
    CU_ASSERT_EQUAL(count(base), 0);
    end_base();
}

static void test_missing_directories_above_are_made(void)
{
    struct walras_outdir *out = NULL;

    begin_base();
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(in_base("a//b/c"), &out, NULL), WALRAS_OK);
    put(walras_outdir_path(out), "a.json", "{}");
    walras_outdir_free(out);
    CU_ASSERT_EQUAL(count(base), 0); /* nothing committed: they are gone again */
    CU_ASSERT_EQUAL(mkdir(in_base("a"), 0777), 0);
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(in_base("a/b/c"), &out, NULL), WALRAS_OK);
    walras_outdir_free(out);
    CU_ASSERT_EQUAL(count(in_base("a")), 0); /* but not what was there before */
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(in_base("a/b/c"), &out, NULL), WALRAS_OK);
    put(walras_outdir_path(out), "a.json", "{}");
    CU_ASSERT_EQUAL(walras_outdir_commit(out, NULL), WALRAS_OK);
    walras_outdir_free(out);
    CU_ASSERT_TRUE(holds(in_base("a/b/c"), "a.json", "{}"));
    end_base();
}

static void test_a_file_in_the_place_is_told(void)
{
    struct walras_outdir *out = NULL;
    struct walras_err err = {0};
    char told[300];

    begin_base();
    put(base, "r", "a file");
    CU_ASSERT_EQUAL(walras_outdir_begin(in_base("r"), &out, &err), WALRAS_IO);
    snprintf(told, sizeof(told), "%s/r: there is a file of that name; a directory is needed", base);
    CU_ASSERT_STRING_EQUAL(err.msg, told);
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_outdir_begin(in_base("r/deeper"), &out, &err), WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "Not a directory"));
    CU_ASSERT_TRUE(holds(base, "r", "a file"));
    end_base();
}

static void test_a_directory_in_a_files_place_changes_nothing(void)
{
    struct walras_outdir *out = NULL;
    struct walras_err err = {0};

    begin_base();
    put(base, "a.json", "old");
    CU_ASSERT_EQUAL(mkdir(in_base("b.csv"), 0777), 0);
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(base, &out, NULL), WALRAS_OK);
    put(walras_outdir_path(out), "a.json", "new");
    put(walras_outdir_path(out), "b.csv", "new");
    CU_ASSERT_EQUAL(walras_outdir_commit(out, &err), WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "b.csv: a directory is in the place of a file"));
    walras_outdir_free(out);
    CU_ASSERT_TRUE(holds(base, "a.json", "old"));
    CU_ASSERT_EQUAL(count(base), 2);
    end_base();
}

static void test_a_place_that_cannot_be_written_is_named(void)
{
    struct walras_outdir *out = NULL;
    struct walras_err err = {0};

    /* nobody makes directories in /proc, not even root */
    CU_ASSERT_EQUAL(walras_outdir_begin("/proc/walras", &out, &err), WALRAS_IO);
    CU_ASSERT_EQUAL(strncmp(err.msg, "/proc/walras: cannot write there: ", 34), 0);
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_outdir_begin("/proc/walras/at/all", &out, &err), WALRAS_IO);
    CU_ASSERT_EQUAL(strncmp(err.msg, "/proc/walras: cannot make the directory: ", 41), 0);
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_outdir_begin("", &out, &err), WALRAS_INVALID);
}

static void test_a_full_disk_is_told_by_the_file(void)
{
    struct rlimit unlimited, small = {.rlim_cur = 20000, .rlim_max = RLIM_INFINITY};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct walras_outdir *out = NULL;
    struct walras_err err = {0};
    char path[512];
    FILE *file = NULL;

    begin_base();
    CU_ASSERT_EQUAL_FATAL(walras_outdir_begin(in_base("r"), &out, NULL), WALRAS_OK);
    snprintf(path, sizeof(path), "%s/a.json", walras_outdir_path(out));
    getrlimit(RLIMIT_FSIZE, &unlimited);
    small.rlim_max = unlimited.rlim_max;
    sigaction(SIGXFSZ, &ignore, &before);
    setrlimit(RLIMIT_FSIZE, &small); /* stands for a disk with 20 kB left */
    CU_ASSERT_EQUAL(walras_file_create(path, &file, NULL), WALRAS_OK);
    for (size_t i = 0; i < 100000; i++)
        fputs("0123456789", file);

    enum walras_status status = walras_file_finish(file, path, &err);

    setrlimit(RLIMIT_FSIZE, &unlimited);
    sigaction(SIGXFSZ, &before, NULL);
    CU_ASSERT_EQUAL(status, WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "a.json: cannot write: File too large"));
    walras_outdir_free(out);
    CU_ASSERT_EQUAL(count(base), 0);
    end_base();
}

static void test_a_failed_write_is_told_when_nothing_is_left_to_write(void)
{
    struct walras_err err = {0};
    FILE *file = NULL;

    CU_ASSERT_EQUAL_FATAL(walras_file_create("/dev/full", &file, NULL), WALRAS_OK);
    setvbuf(file, NULL, _IONBF, 0);
    fputs("lost", file); /* fails at once; the stream holds nothing after it */
    CU_ASSERT_EQUAL(walras_file_finish(file, "/dev/full", &err), WALRAS_IO);
    CU_ASSERT_STRING_EQUAL(err.msg, "/dev/full: cannot write: No space left on device");
}

static const struct testkit_test tests[] = {
    {"a new directory appears with all its files", test_a_new_directory_appears_with_all_its_files},
    {"an existing directory keeps what is not ours",
     test_an_existing_directory_keeps_what_is_not_ours},
    {"without commit nothing is left", test_without_commit_nothing_is_left},
    {"missing directories above are made", test_missing_directories_above_are_made},
    {"a file in the place is told", test_a_file_in_the_place_is_told},
    {"a directory in a file's place changes nothing",
     test_a_directory_in_a_files_place_changes_nothing},
    {"a place that cannot be written is named", test_a_place_that_cannot_be_written_is_named},
    {"a full disk is told by the file", test_a_full_disk_is_told_by_the_file},
    {"a failed write is told when nothing is left to write",
     test_a_failed_write_is_told_when_nothing_is_left_to_write},
};
TESTKIT_MAIN("outdir", tests)
