#include "core/log.h"
#include "testkit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What walras_log puts on standard error, in `text` [size]. */
static void catch_log(char *text, size_t size, void (*say)(void))
{
    int ends[2], kept = dup(STDERR_FILENO);

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    say();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);

    ssize_t got = read(ends[0], text, size - 1);

    text[got > 0 ? got : 0] = '\0';
    close(ends[0]);
}

static void say_three(void)
{
    walras_log("started", NULL);
    walras_log("market", "id=%d price=%.1f", 7, 40.5);
    walras_log("odd", "text=%s", "a\nb\rc");
}

static void say_too_much(void)
{
    char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    walras_log("long", "text=%s", text);
}

static void test_an_event_is_one_line(void)
{
    char text[500];

    catch_log(text, sizeof(text), say_three);
    CU_ASSERT_STRING_EQUAL(text, "started\nmarket id=7 price=40.5\nodd text=a b c\n");
}

static void test_a_long_event_is_cut_to_one_line(void)
{
    char text[6000];

    catch_log(text, sizeof(text), say_too_much);
    CU_ASSERT_TRUE(strlen(text) < 1100);
    CU_ASSERT_EQUAL(strncmp(text, "long text=xxx", 13), 0);
    CU_ASSERT_PTR_EQUAL(strchr(text, '\n'), text + strlen(text) - 1);
}

static const struct testkit_test tests[] = {
    {"an event is one line", test_an_event_is_one_line},
    {"a long event is cut to one line", test_a_long_event_is_cut_to_one_line},
};
TESTKIT_MAIN("log", tests)
