#include "core/json.h"
#include "core/json_write.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct walras_json_doc *parse(const char *text, struct walras_err *err)
{
    struct walras_json_doc *doc = NULL;

    *err = (struct walras_err){0};
    (void)!walras_json_parse("m.json", text, strlen(text), &doc, err);
    return doc;
}

static void test_what_is_no_json_is_told_with_line_and_column(void)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"", "m.json:1:0: "},
        {"{\n  \"a\": 1,\n  \"b\" 2\n}", "m.json:3:7: "},
        {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
        {"[1e999]", "m.json:1:6: real number overflow"},
        {"[NaN]", "m.json:1:4: "},
        {"[Infinity]", "m.json:1:9: "},
        {"[99999999999999999999999]", "too big integer"},
        {"[\"\\u0000\"]", "m.json:1:"},
        {"[\"\xff\"]", "m.json:1:"},
        {"{} {}", "end of file expected"},
        {"[1, 2", "m.json:1:"},
        {"[01]", "m.json:1:"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct walras_err err;

        CU_ASSERT_PTR_NULL(parse(cases[i].text, &err));
        CU_ASSERT_EQUAL(err.code, WALRAS_INVALID);
        if (!strstr(err.msg, cases[i].told))
            fprintf(stderr, "%s: %s\n", cases[i].text, err.msg);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, cases[i].told));
    }
}

static void test_nesting_has_a_limit(void)
{
    enum { DEEP = 200000 };
    char *text = malloc(DEEP + 1);
    struct walras_err err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '[', DEEP);
    text[DEEP] = '\0';
    CU_ASSERT_PTR_NULL(parse(text, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "depth"));
    free(text);
}

static void test_faults_are_told_with_their_path(void)
{
    static const char *const keys[] = {"list", "a/b~c"};
    struct walras_err err;
    struct walras_json_doc *doc = parse("{\"list\": [1, {\"x\": \"y\"}], \"lisst\": 2}", &err);

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);

    struct walras_json root = walras_json_root(doc), list, element, x;
    double number = 7.0;

    CU_ASSERT_EQUAL(walras_json_keys(&root, keys, 2, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "m.json: /lisst: unknown key; did you mean \"list\"?");
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_json_need(&root, "a/b~c", &x, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "m.json: /a~1b~0c: required key is missing");
    CU_ASSERT_TRUE_FATAL(walras_json_find(&root, "list", &list));
    element = walras_json_at(&list, 1);
    CU_ASSERT_TRUE_FATAL(walras_json_find(&element, "x", &x));
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_json_number(&x, (struct walras_range){0}, &number, &err),
                    WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "m.json: /list/1/x: expected a number, got the string \"y\"");
    CU_ASSERT_EQUAL(number, 7.0);
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_json_keys(&list, keys, 2, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "m.json: /list: expected an object, got an array");
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_json_array(&list, 3, 5, &err), WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "m.json: /list: expected at least 3 elements, got 2");
    walras_json_free(doc);
}

static void test_ends_of_ranges_are_kept_or_excluded(void)
{
    struct walras_range closed = {.low = 0.0, .high = 1.0};
    struct walras_range open = {.low = 0.0, .high = 1.0, .above = true, .below = true};
    struct walras_err err;
    struct walras_json_doc *doc = parse("[0, 1, 0.5, -1e-9]", &err);

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);

    struct walras_json root = walras_json_root(doc);
    static const bool in_closed[] = {true, true, true, false};
    static const bool in_open[] = {false, false, true, false};

    for (size_t i = 0; i < 4; i++) {
        struct walras_json node = walras_json_at(&root, i);
        double value;

        CU_ASSERT_EQUAL(walras_json_number(&node, closed, &value, NULL) == WALRAS_OK, in_closed[i]);
        CU_ASSERT_EQUAL(walras_json_number(&node, open, &value, NULL) == WALRAS_OK, in_open[i]);
    }
    walras_json_free(doc);
}

static void test_whole_numbers_are_whole(void)
{
    struct walras_err err;
    struct walras_json_doc *doc = parse("[3, 3.0, 3.5, 1e30, 9223372036854775807, true]", &err);

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);

    struct walras_json root = walras_json_root(doc);
    static const enum walras_status expected[] = {WALRAS_OK,      WALRAS_OK, WALRAS_INVALID,
                                                  WALRAS_INVALID, WALRAS_OK, WALRAS_INVALID};
    int64_t value = 0;

    for (size_t i = 0; i < 6; i++) {
        struct walras_json node = walras_json_at(&root, i);

        CU_ASSERT_EQUAL(walras_json_integer(&node, 0, INT64_MAX, &value, NULL), expected[i]);
    }
    CU_ASSERT_EQUAL(value, INT64_MAX);
    walras_json_free(doc);
}

static void test_text_may_not_be_empty_long_or_hold_control_characters(void)
{
    struct walras_err err;
    struct walras_json_doc *doc =
        parse("[\"\", \"abcd\", \"a\\u001bb\", \"a\\nb\", \"abc\"]", &err);

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);

    struct walras_json root = walras_json_root(doc);
    const char *text = NULL;

    for (size_t i = 0; i < 5; i++) {
        struct walras_json node = walras_json_at(&root, i);

        err = (struct walras_err){0};
        CU_ASSERT_EQUAL(walras_json_text(&node, 3, &text, &err),
                        i == 4 ? WALRAS_OK : WALRAS_INVALID);
        for (const char *c = err.msg; *c; c++)
            CU_ASSERT_TRUE((unsigned char)*c >= ' '); /* messages are safe for a terminal */
    }
    CU_ASSERT_STRING_EQUAL(text, "abc");
    walras_json_free(doc);
}

/* Writes through a temporary file; the caller frees. */
static char *written(void (*write)(struct walras_json_out *), unsigned breaks)
{
    FILE *file = tmpfile();
    char *text = calloc(1, 4096);

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);

    struct walras_json_out out = walras_json_out_start(file, breaks);

    write(&out);
    walras_json_out_end(&out);
    rewind(file);
    text[fread(text, 1, 4095, file)] = '\0';
    fclose(file);
    return text;
}

static void write_sample(struct walras_json_out *out)
{
    static const double values[] = {1.0, 0.1, NAN, -INFINITY};

    walras_json_out_open(out, '{');
    walras_json_out_key(out, "q\"\\\n\x01\xc3\xa9\xff");
    walras_json_out_numbers(out, values, 4);
    walras_json_out_key(out, "list");
    walras_json_out_open(out, '[');
    walras_json_out_bool(out, true);
    walras_json_out_integer(out, -5);
    walras_json_out_text(out, NULL);
    walras_json_out_close(out, ']');
    walras_json_out_key(out, "empty");
    walras_json_out_open(out, '{');
    walras_json_out_close(out, '}');
    walras_json_out_close(out, '}');
}

static void test_writing_escapes_and_lays_out(void)
{
    char *flat = written(write_sample, 0), *tall = written(write_sample, 1);
    struct walras_err err;
    struct walras_json_doc *doc = parse(flat, &err);

    CU_ASSERT_STRING_EQUAL(flat, "{\"q\\\"\\\\\\n\\u0001\xc3\xa9\\ufffd\": [1, 0.1, null, null], "
                                 "\"list\": [true, -5, null], \"empty\": {}}\n");
    CU_ASSERT_STRING_EQUAL(tall,
                           "{\n  \"q\\\"\\\\\\n\\u0001\xc3\xa9\\ufffd\": [1, 0.1, null, null],\n"
                           "  \"list\": [true, -5, null],\n  \"empty\": {}\n}\n");
    CU_ASSERT_PTR_NOT_NULL(doc);
    walras_json_free(doc);
    free(flat);
    free(tall);
}

static void test_a_file_that_cannot_be_read_is_named(void)
{
    struct walras_json_doc *doc = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(walras_json_read("/nowhere/m.json", &doc, &err), WALRAS_IO);
    CU_ASSERT_STRING_EQUAL(err.msg, "/nowhere/m.json: cannot open: No such file or directory");
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(walras_json_read("/", &doc, &err), WALRAS_IO);
    CU_ASSERT_STRING_EQUAL(err.msg, "/: cannot read: Is a directory");
}

static void test_a_node_is_copied_with_every_bit(void)
{
    static const char text[] = "{\"a\": [0.1, 1e-7, -0.0, 5, 1.7976931348623157e308], \"b\": "
                               "{\"c\": \"\\u00e9\\n/\", \"d\": [true, null]}}";
    struct walras_json_doc *doc = NULL, *again = NULL;
    struct walras_json root, list, at, copied;
    double value = 0.0, expected = 0.0;
    const struct walras_range any = {.low = -1.7976931348623157e308,
                                     .high = 1.7976931348623157e308};
    char *copy = NULL;

    CU_ASSERT_EQUAL_FATAL(walras_json_parse("t", text, strlen(text), &doc, NULL), WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_TRUE(walras_json_find(&root, "a", &list));
    copy = walras_json_copy_text(&list);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_EQUAL_FATAL(walras_json_parse("t", copy, strlen(copy), &again, NULL), WALRAS_OK);
    copied = walras_json_root(again);
    CU_ASSERT_EQUAL_FATAL(walras_json_count(&copied), 5);
    for (size_t i = 0; i < 5; i++) {
        at = walras_json_at(&list, i);
        CU_ASSERT_EQUAL(walras_json_number(&at, any, &expected, NULL), WALRAS_OK);
        at = walras_json_at(&copied, i);
        CU_ASSERT_EQUAL(walras_json_number(&at, any, &value, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(value, expected);
    }
    free(copy);
    walras_json_free(again);
    CU_ASSERT_TRUE(walras_json_find(&root, "b", &at));
    copy = walras_json_copy_text(&at);
    CU_ASSERT_STRING_EQUAL(copy, "{\"c\":\"\xc3\xa9\\n/\",\"d\":[true,null]}");
    free(copy);
    walras_json_free(doc);
}

static const struct testkit_test tests[] = {
    {"what is no JSON is told with line and column",
     test_what_is_no_json_is_told_with_line_and_column},
    {"a node is copied with every bit", test_a_node_is_copied_with_every_bit},
    {"nesting has a limit", test_nesting_has_a_limit},
    {"faults are told with their path", test_faults_are_told_with_their_path},
    {"ends of ranges are kept or excluded", test_ends_of_ranges_are_kept_or_excluded},
    {"whole numbers are whole", test_whole_numbers_are_whole},
    {"text may not be empty, long or hold control characters",
     test_text_may_not_be_empty_long_or_hold_control_characters},
    {"writing escapes and lays out", test_writing_escapes_and_lays_out},
    {"a file that cannot be read is named", test_a_file_that_cannot_be_read_is_named},
};
TESTKIT_MAIN("json", tests)
