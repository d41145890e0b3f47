#include "core/csv.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct walras_csv *parse(const char *text, struct walras_err *err)
{
    struct walras_csv *csv = NULL;

    *err = (struct walras_err){0};
    (void)!walras_csv_parse("h.csv", text, strlen(text), &csv, err);
    return csv;
}

static void test_files_are_read_as_people_write_them(void)
{
    static const char *const texts[] = {
        "a,b\n1,2.5\n3,-4e1\n",
        "a,b\r\n1,2.5\r\n3,-4e1\r\n",
        "\xef\xbb\xbf\"a\",\"b\"\n1,2.5\n3,-4e1",
        "\n\na;b\n 1 ; 2.5 \n\n3;\"-4e1\"\n\n",
        "a,\"b\"\n1,\"2.5\"\n  \r\n3,-4e1\n \t\n",
        "\"x\ny\",a,b\n\"q\"\"uote, \",1,2.5\n,3,-4e1\n",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct walras_err err;
        struct walras_csv *csv = parse(texts[i], &err);
        double values[2] = {0};

        CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
        CU_ASSERT_EQUAL(walras_csv_rows(csv), 2);
        CU_ASSERT_EQUAL(walras_csv_numbers(csv, "a", 0, 2, values, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(values[0], 1.0);
        CU_ASSERT_EQUAL(values[1], 3.0);
        CU_ASSERT_EQUAL(walras_csv_numbers(csv, "b", 1, 1, values, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(values[0], -40.0);
        walras_csv_free(csv);
    }
}

static void test_faults_name_file_and_line(void)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"", "h.csv: the file is empty"},
        {" \n\n", "h.csv: the file is empty"},
        {"a,b\n1\n", "h.csv:2: expected 2 fields as in the header, got 1"},
        {"a,b\n\n1,2,3\n",
         "h.csv:3: expected 2 fields as in the header, got 3; use a decimal point if "
         "these are decimal commas"},
        {"a,b\n1,\"2\n", "h.csv:2: a quoted field has no closing quote"},
        {"a,b\n1,\"2\"x\n", "h.csv:2: text after a closing quote"},
        {"a,\"b\nc\"\n1\n", "h.csv:3: expected 2 fields as in the header, got 1"},
        {"a,a\n1,2\n", "h.csv:1: two columns are named \"a\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct walras_err err;

        CU_ASSERT_PTR_NULL(parse(cases[i].text, &err));
        CU_ASSERT_EQUAL(err.code, WALRAS_INVALID);
        if (strncmp(err.msg, cases[i].told, strlen(cases[i].told)) != 0)
            fprintf(stderr, "got: %s\n", err.msg);
        CU_ASSERT_EQUAL(strncmp(err.msg, cases[i].told, strlen(cases[i].told)), 0);
    }
}

static void test_what_is_no_number_names_line_and_column(void)
{
    static const char *const cells[] = {"",     "x",   "nan",   "inf", "1e999",
                                        "0x10", "1,5", "1.2.3", "-"};

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        char text[100], told[100];
        struct walras_err err;
        double value = 0.0;

        snprintf(text, sizeof(text), "t,price\n0,1\n\n1,\"%s\"\n", cells[i]);

        struct walras_csv *csv = parse(text, &err);

        CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
        CU_ASSERT_EQUAL(walras_csv_numbers(csv, "price", 1, 1, &value, &err), WALRAS_INVALID);
        snprintf(told, sizeof(told), "h.csv:4: column \"price\": expected a number, got \"%s\"%s",
                 cells[i], strchr(cells[i], ',') ? "; use a decimal point" : "");
        CU_ASSERT_STRING_EQUAL(err.msg, told);
        walras_csv_free(csv);
    }
}

static void test_missing_columns_and_rows_are_told(void)
{
    struct walras_err err;
    struct walras_csv *csv = parse("time,price\n0,1\n1,2\n", &err);
    double values[3];

    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    CU_ASSERT_EQUAL(walras_csv_numbers(csv, "prise", 0, 2, values, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "h.csv:1: no column \"prise\"; did you mean \"price\"?");
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_csv_numbers(csv, "price", 1, 2, values, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "h.csv: column \"price\": 2 rows from row 1 are needed, the "
                                    "file has 2 rows");
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_csv_numbers(csv, "price", SIZE_MAX, 2, values, &err), WALRAS_INVALID);
    walras_csv_free(csv);
}

static void test_lines_have_a_longest_length(void)
{
    size_t size = WALRAS_CSV_MAX_LINE + 10;
    char *text = malloc(size + 1);
    struct walras_err err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, 'a', size);
    text[size] = '\0';
    CU_ASSERT_PTR_NULL(parse(text, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "h.csv:1: line is too long");
    memset(text, ',', WALRAS_CSV_MAX_COLUMNS + 10);
    text[WALRAS_CSV_MAX_COLUMNS + 10] = '\0';
    CU_ASSERT_PTR_NULL(parse(text, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "h.csv:1: too many columns");
    free(text);
}

static void test_every_prefix_is_read_or_refused(void)
{
    static const char text[] = "\xef\xbb\xbf\"x\"\"y\",a\r\n\"1\", 2\r\n\r\n3,4\n";

    for (size_t n = 0; n < sizeof(text); n++) {
        struct walras_csv *csv = NULL;
        struct walras_err err = {0};

        if (walras_csv_parse("h.csv", text, n, &csv, &err) != WALRAS_OK)
            CU_ASSERT_TRUE(err.msg[0] != '\0');
        walras_csv_free(csv);
    }
}

static void test_a_file_is_read_once(void)
{
    char path[] = "/tmp/walras-test-XXXXXX";
    int fd = mkstemp(path);
    struct walras_csv_cache *cache = NULL;
    const struct walras_csv *first = NULL, *second = NULL;
    struct walras_err err = {0};

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, "a\n1\n", 4), 4);
    close(fd);
    CU_ASSERT_EQUAL_FATAL(walras_csv_cache_new(&cache, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_csv_cache_get(cache, path, &first, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(walras_csv_cache_get(cache, path, &second, NULL), WALRAS_OK);
    CU_ASSERT_PTR_EQUAL(first, second);
    CU_ASSERT_EQUAL(walras_csv_cache_get(cache, "/nowhere.csv", &second, &err), WALRAS_IO);
    CU_ASSERT_STRING_EQUAL(err.msg, "/nowhere.csv: cannot open: No such file or directory");
    walras_csv_cache_free(cache);
}

static const struct testkit_test tests[] = {
    {"files are read as people write them", test_files_are_read_as_people_write_them},
    {"faults name file and line", test_faults_name_file_and_line},
    {"what is no number names line and column", test_what_is_no_number_names_line_and_column},
    {"missing columns and rows are told", test_missing_columns_and_rows_are_told},
    {"lines have a longest length", test_lines_have_a_longest_length},
    {"every prefix is read or refused", test_every_prefix_is_read_or_refused},
    {"a file is read once", test_a_file_is_read_once},
};
TESTKIT_MAIN("csv", tests)
