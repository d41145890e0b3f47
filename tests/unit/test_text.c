#include "core/arena.h"
#include "core/names.h"
#include "core/rng.h"
#include "core/text.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_distance_counts_edits_and_swaps(void)
{
    CU_ASSERT_EQUAL(walras_text_distance("battery", "battery", 3), 0);
    CU_ASSERT_EQUAL(walras_text_distance("batery", "battery", 3), 1);  /* a letter lacks */
    CU_ASSERT_EQUAL(walras_text_distance("abttery", "battery", 3), 1); /* neighbours swapped */
    CU_ASSERT_EQUAL(walras_text_distance("bettory", "battery", 3), 2); /* two replaced */
    CU_ASSERT_EQUAL(walras_text_distance("", "abc", 3), 3);
    CU_ASSERT_EQUAL(walras_text_distance("kitten", "sitting", 2), 3); /* 3 edits, above the limit */
}

static void test_words_too_long_are_far_from_everything(void)
{
    char word[200];

    memset(word, 'a', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    CU_ASSERT_EQUAL(walras_text_distance(word, word, 3), 4);
}

static void test_closest_is_a_likely_misspelling_or_nothing(void)
{
    static const char *const keys[] = {"capacity_kwh", "charge_kw", "discharge_kw", "id"};

    CU_ASSERT_STRING_EQUAL(walras_text_closest("capacty_kwh", keys, 4), "capacity_kwh");
    CU_ASSERT_STRING_EQUAL(walras_text_closest("charge_kwh", keys, 4), "charge_kw");
    CU_ASSERT_STRING_EQUAL(walras_text_closest("di", keys, 4), "id");
    CU_ASSERT_PTR_NULL(walras_text_closest("colour", keys, 4));
    CU_ASSERT_PTR_NULL(walras_text_closest("", keys, 0));
}

static void test_buffer_stops_at_its_ceiling(void)
{
    struct walras_text text;

    walras_text_init(&text, 10);
    walras_text_addf(&text, "%d", 12345);
    walras_text_add(&text, "67890", 5);
    CU_ASSERT_EQUAL(text.failure, WALRAS_OK);
    walras_text_add(&text, "1", 1);
    CU_ASSERT_EQUAL(text.failure, WALRAS_INVALID);
    walras_text_add(&text, "", 0);
    CU_ASSERT_STRING_EQUAL(text.data, "1234567890");
    walras_text_release(&text);
    CU_ASSERT_PTR_NULL(text.data);
}

static void check_number(double value)
{
    char text[WALRAS_NUMBER_TEXT];
    char *end = NULL;
    size_t size = walras_number_text(value, text);

    CU_ASSERT_EQUAL(size, strlen(text));
    CU_ASSERT_EQUAL(strtod(text, NULL), value);
    CU_ASSERT_EQUAL(walras_number_read(text, &end), value);
    CU_ASSERT_EQUAL(end, text + strlen(text));
    CU_ASSERT_EQUAL(signbit(walras_number_read(text, &end)), signbit(value));
    CU_ASSERT_EQUAL(signbit(strtod(text, NULL)), signbit(value));
}

static void test_numbers_read_back_as_they_were(void)
{
    static const double values[] = {
        0.0,    -0.0,         1.0, -1.5, 0.1,  1e-7,           1.0 / 3.0, 1e308,  5e-324,
        2.5e-8, 999999999.25, 1e9, 1e17, 1e22, 123456.7890123, 0x1p53,    -0x1p63};
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        check_number(values[i]);
    for (size_t i = 0; i < testkit_cases(100000); i++) {
        uint64_t bits = walras_rng_next(&rng);
        double value;

        memcpy(&value, &bits, sizeof(value));
        if (isfinite(value))
            check_number(value);
        check_number((double)((int64_t)walras_rng_below(&rng, 2000001) - 1000000) / 1000.0);
    }
}

static void test_number_text_is_short(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {5.0, "5"},
                 {-2.25, "-2.25"},
                 {1e-7, "1e-07"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {1e20, "1e+20"},
                 {0.001, "0.001"},
                 {0.0, "0"},
                 {-0.05, "-0.05"},
                 {10.0, "10"},
                 {1020.030405, "1020.030405"},
                 {-999999999.999999, "-999999999.999999"},
                 {1e9, "1000000000"},
                 {1.0 / 3.0, "0.3333333333333333"},
                 {0.1 + 0.2, "0.30000000000000004"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[WALRAS_NUMBER_TEXT];

        (void)walras_number_text(cases[i].value, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

static void test_names_are_found_by_their_place(void)
{
    static char names[3000][16];
    struct walras_names *table = NULL;

    CU_ASSERT_EQUAL_FATAL(walras_names_new(&table, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_names_find(table, "n0"), SIZE_MAX);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3000; i++) {
            snprintf(names[i], sizeof(names[i]), "n%zu", i * 7);
            CU_ASSERT_EQUAL(walras_names_add(table, names[i], NULL), WALRAS_OK);
        }
        CU_ASSERT_EQUAL(walras_names_count(table), 3000);
        CU_ASSERT_EQUAL(walras_names_find(table, "n700"), 100);
        CU_ASSERT_EQUAL(walras_names_find(table, "n701"), SIZE_MAX);
        CU_ASSERT_EQUAL(walras_names_add(table, "n7", NULL), WALRAS_INVALID);
        walras_names_clear(table);
        CU_ASSERT_EQUAL(walras_names_find(table, "n700"), SIZE_MAX);
    }
    walras_names_free(table);
}

static void test_arena_gives_zeroed_memory_that_stays(void)
{
    struct walras_arena *arena = NULL;
    char *texts[500];

    CU_ASSERT_EQUAL_FATAL(walras_arena_new(&arena, NULL), WALRAS_OK);
    for (size_t i = 0; i < 500; i++) {
        double *values = walras_arena_take(arena, 1 + i, sizeof(*values));

        CU_ASSERT_PTR_NOT_NULL_FATAL(values);
        CU_ASSERT_EQUAL((uintptr_t)values % sizeof(double), 0);
        for (size_t k = 0; k <= i; k++) {
            CU_ASSERT_EQUAL(values[k], 0.0);
            values[k] = 1.0;
        }
        texts[i] = walras_arena_text(arena, "walras", i % 7);
    }
    for (size_t i = 0; i < 500; i++)
        CU_ASSERT_EQUAL(strlen(texts[i]), i % 7);
    CU_ASSERT_PTR_NULL(walras_arena_take(arena, SIZE_MAX / 4, 8));
    walras_arena_free(arena);
}

static const struct testkit_test tests[] = {
    {"distance counts edits and swaps", test_distance_counts_edits_and_swaps},
    {"words too long are far from everything", test_words_too_long_are_far_from_everything},
    {"closest is a likely misspelling or nothing", test_closest_is_a_likely_misspelling_or_nothing},
    {"a buffer stops at its ceiling", test_buffer_stops_at_its_ceiling},
    {"numbers read back as they were", test_numbers_read_back_as_they_were},
    {"number text is short", test_number_text_is_short},
    {"names are found by their place", test_names_are_found_by_their_place},
    {"an arena gives zeroed memory that stays", test_arena_gives_zeroed_memory_that_stays},
};
TESTKIT_MAIN("text", tests)
