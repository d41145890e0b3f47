#include "core/clock.h"
#include "testkit.h"

static void test_offset_is_taken_off_and_kept(void)
{
    int64_t utc_s = 0;
    int offset_min = 0;

    /* 2026-07-01 is day 20635; midnight at +02:00 is two hours earlier in UTC */
    CU_ASSERT_EQUAL(walras_time_parse("2026-07-01T00:00:00+02:00", &utc_s, &offset_min, NULL),
                    WALRAS_OK);
    CU_ASSERT_EQUAL(utc_s, 20635 * (int64_t)86400 - 7200);
    CU_ASSERT_EQUAL(offset_min, 120);
}

static void test_text_comes_back_as_it_was(void)
{
    static const char *const texts[] = {"2026-07-01T00:00:00+02:00", "2024-02-29T23:59:59Z",
                                        "1969-12-31T23:15:00-03:30", "2000-03-01T00:00:00Z",
                                        "1900-01-01T00:00:00Z"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[WALRAS_TIME_TEXT];
        int64_t utc_s = 0;
        int offset_min = 0;

        CU_ASSERT_EQUAL(walras_time_parse(texts[i], &utc_s, &offset_min, NULL), WALRAS_OK);
        walras_time_format(utc_s, offset_min, text);
        CU_ASSERT_STRING_EQUAL(text, texts[i]);
    }
}

static void test_what_is_no_time_is_refused(void)
{
    static const char *const texts[] = {"",
                                        "2026",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-01-01T24:00:00Z",
                                        "2026-01-01T00:00:00",
                                        "2026-01-01T00:00:00Zx",
                                        "2026-01-01T00:00:00+2:00"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct walras_err err = {0};
        int64_t utc_s = 7;
        int offset_min = 7;

        CU_ASSERT_EQUAL(walras_time_parse(texts[i], &utc_s, &offset_min, &err), WALRAS_INVALID);
        CU_ASSERT_EQUAL(utc_s, 7);
        CU_ASSERT_TRUE(err.msg[0] != '\0');
    }
}

static void test_a_moment_is_told_in_whole_parts(void)
{
    struct timespec until = walras_monotonic_until(12.25);

    CU_ASSERT_EQUAL(until.tv_sec, 12);
    CU_ASSERT_EQUAL(until.tv_nsec, 250000000);
    until = walras_monotonic_until(3.9999999999);
    CU_ASSERT_TRUE(until.tv_sec == 3 && until.tv_nsec < 1000000000);
}

static const struct testkit_test tests[] = {
    {"a moment is told in whole parts", test_a_moment_is_told_in_whole_parts},
    {"the offset is taken off and kept", test_offset_is_taken_off_and_kept},
    {"text comes back as it was", test_text_comes_back_as_it_was},
    {"what is no time is refused", test_what_is_no_time_is_refused},
};
TESTKIT_MAIN("clock", tests)
