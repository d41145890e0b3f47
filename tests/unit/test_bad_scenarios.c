/*
 * Each key of the format spoiled in turn. The base scenarios hold every key; a row says of each
 * what it is, what else it may not be, and whether it may be absent. A row without its key, or a
 * key without its row, fails the first test.
 */
#include "core/json.h"
#include "core/rng.h"
#include "json_surgery.h"
#include "scenario/fields.h"
#include "scenario_data.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { TEXT, WORD, NUMBER, WHOLE, TRUTH, SERIES, LIST, OBJECT };

enum { NEED = 1, NULL_OK = 2, ABOVE = 4, NO_HINT = 8, ANY_LENGTH = 16 };
/*
 * NEED: may not be absent.  NULL_OK: null means absent.  NO_HINT: misspelling it is told otherwise.
 * ABOVE: some faults are told with the path of the object it is in.
 * ANY_LENGTH: a list that may be empty.
 */

struct row {
    const char *path; /* JSON pointer into the base */
    enum kind kind;
    unsigned flags;
    const char *bad[6]; /* JSON texts out of range, or of wrong length */
};

static const struct row every_key_rows[] = {
    {"/walras", WHOLE, NEED, {"0", "-1", "2"}},
    {"/name", TEXT, 0, {0}},
    {"/currency", TEXT, 0, {"\"12345678901234567\""}},
    {"/horizon", OBJECT, NEED, {0}},
    {"/horizon/start", WORD, NEED, {"\"2026-02-30T00:00:00Z\"", "\"2026-01-01\""}},
    {"/horizon/step_minutes", WHOLE, NEED, {"0", "-15", "1441", "1e30"}},
    {"/horizon/steps", WHOLE, NEED, {"0", "-1", "120001", "99999999999"}},
    {"/grid", OBJECT, NEED, {0}},
    {"/grid/model", WORD, 0, {"\"ac\"", "\"DC\""}},
    {"/grid/rating_scale", NUMBER, 0, {"0", "-1", "1e300"}},
    {"/grid/line_overload_price_per_mwh", NUMBER, 0, {"-1", "1e300"}},
    {"/grid/voltage_violation_price_per_pu_h", NUMBER, 0, {"-1", "1e300"}},
    {"/grid/base_mva", NUMBER, 0, {"0", "-1", "1e300"}},
    {"/grid/slack", WORD, NEED, {"\"b9\""}},
    {"/grid/slack_v_pu", NUMBER, 0, {"0", "-1", "1e300"}},
    {"/grid/buses", LIST, NEED | NO_HINT, {"[]"}},
    {"/grid/buses/0/id", TEXT, NEED, {0}},
    {"/grid/buses/0/base_kv", NUMBER, 0, {"-1", "1e300"}},
    {"/grid/buses/0/v_min_pu", NUMBER, ABOVE, {"-1", "1e300", "1.5"}},
    {"/grid/buses/0/v_max_pu", NUMBER, ABOVE, {"-1", "1e300", "0.5"}},
    {"/grid/lines", LIST, NEED | ANY_LENGTH | ABOVE, {0}},
    {"/grid/lines/0/id", TEXT, NEED, {0}},
    {"/grid/lines/0/from", WORD, NEED | ABOVE, {"\"b3\"", "\"b2\""}},
    {"/grid/lines/0/to", WORD, NEED | ABOVE, {"\"b3\"", "\"b1\""}},
    {"/grid/lines/0/r_pu", NUMBER, 0, {"1e300", "-1e300"}},
    {"/grid/lines/0/x_pu", NUMBER, NEED | ABOVE, {"1e300", "-1e300"}},
    {"/grid/lines/0/b_pu", NUMBER, 0, {"1e300", "-1e300"}},
    {"/grid/lines/0/limit_kw", NUMBER, NULL_OK, {"-1", "1e300"}},
    {"/grid/lines/0/limit_kva", NUMBER, NULL_OK, {"0", "-1", "1e300"}},
    {"/grid/lines/0/tap", NUMBER, 0, {"0", "-1", "1e300"}},
    {"/grid/lines/0/shift_deg", NUMBER, 0, {"1e300", "-1e300"}},
    {"/grid/lines/0/in_service", TRUTH, 0, {0}},
    {"/supply", LIST, ANY_LENGTH, {0}},
    {"/supply/0/id", TEXT, NEED, {0}},
    {"/supply/0/bus", WORD, NEED, {"\"b3\""}},
    {"/supply/0/price_per_mwh", SERIES, NEED | ABOVE, {"[1]", "[1, 2, 3]", "[1, 1e300]", "3"}},
    {"/supply/0/price_per_mwh/csv", WORD, NEED | ABOVE, {"\"nowhere.csv\"", "\".\""}},
    {"/supply/0/price_per_mwh/column", WORD, NEED | ABOVE, {"\"prise\"", "\"gap\""}},
    {"/supply/0/price_per_mwh/scale", NUMBER, ABOVE, {"1e300", "1e10"}},
    {"/supply/0/price_per_mwh/offset_steps", WHOLE, ABOVE, {"-1", "3", "1e300"}},
    {"/supply/0/export_price_per_mwh", SERIES, ABOVE, {"[1]", "[42, 6]", "1e300"}},
    {"/supply/0/import_limit_kw", SERIES, 0, {"-1", "[1, -1]", "[]"}},
    {"/supply/0/export_limit_kw", SERIES, 0, {"-1", "[1, 2, 3]"}},
    {"/agents", LIST, ANY_LENGTH, {0}},
    {"/agents/0/id", TEXT, NEED, {0}},
    {"/agents/0/bus", WORD, NEED, {"\"b3\""}},
    {"/agents/0/devices", LIST, NEED, {"[]"}},
    {"/agents/0/devices/0/id", TEXT, NEED, {0}},
    {"/agents/0/devices/0/type", WORD, NEED | NO_HINT | ABOVE, {"\"laod\"", "\"flux\""}},
    {"/agents/0/devices/0/draw_kw", SERIES, NEED, {"[1]", "[1e300, 1]", "[]"}},
    {"/agents/0/devices/0/draw_kvar", SERIES, 0, {"[1]", "1e300"}},
    {"/agents/0/devices/0/shed_price_per_mwh", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/0/devices/0/power_factor", NUMBER, ABOVE, {"0", "1.1", "-1.1"}},
    {"/agents/0/devices/1/available_kw", SERIES, NEED, {"[1]", "-1", "[0, -1]"}},
    {"/agents/0/devices/1/curtailable", TRUTH, 0, {0}},
    {"/agents/0/devices/1/cost_per_mwh", NUMBER, 0, {"1e300"}},
    {"/agents/0/devices/1/apparent_kva", NUMBER, ABOVE, {"-1", "1e300", "2"}},
    {"/agents/0/devices/2/capacity_kwh", NUMBER, NEED | ABOVE, {"0", "-1", "1e300", "3"}},
    {"/agents/0/devices/2/charge_kw", NUMBER, NEED, {"-1", "1e300"}},
    {"/agents/0/devices/2/discharge_kw", NUMBER, NEED, {"-1", "1e300"}},
    {"/agents/0/devices/2/charge_efficiency", NUMBER, 0, {"0", "1.1", "-1"}},
    {"/agents/0/devices/2/discharge_efficiency", NUMBER, 0, {"0", "1.1", "-1"}},
    {"/agents/0/devices/2/start_kwh", NUMBER, NEED | ABOVE, {"-1", "11"}},
    {"/agents/0/devices/2/end_min_kwh", NUMBER, ABOVE, {"-1", "11"}},
    {"/agents/0/devices/2/min_kwh", NUMBER, ABOVE, {"-1", "11"}},
    {"/agents/0/devices/2/loss_per_hour", NUMBER, 0, {"1", "-1"}},
    {"/agents/0/devices/2/wear_per_mwh", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/0/devices/2/wear_per_mw2h", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/0/devices/2/apparent_kva", NUMBER, ABOVE, {"-1", "1e300", "3"}},
    {"/agents/0/devices/2/exclusive", TRUTH, 0, {0}},
    {"/agents/0/devices/3/arrive", WHOLE, NEED | ABOVE, {"-1", "2", "3", "1e300"}},
    {"/agents/0/devices/3/depart", WHOLE, NEED | ABOVE, {"-1", "0", "3"}},
    {"/agents/0/devices/3/energy_kwh", NUMBER, NEED, {"-1", "1e300"}},
    {"/agents/0/devices/3/charge_kw", NUMBER, NEED, {"-1", "1e300"}},
    {"/agents/0/devices/3/discharge_kw", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/0/devices/3/efficiency", NUMBER, 0, {"0", "1.1"}},
    {"/agents/0/devices/3/capacity_kwh", NUMBER, ABOVE, {"-1", "5"}},
    {"/agents/0/devices/3/start_kwh", NUMBER, ABOVE, {"-1", "41"}},
    {"/agents/0/devices/3/wear_per_mwh", NUMBER, 0, {"-1"}},
    {"/agents/0/devices/3/wear_per_mw2h", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/0/devices/3/apparent_kva", NUMBER, ABOVE, {"-1", "1e300", "3"}},
    {"/agents/0/devices/3/unserved_price_per_mwh", NUMBER, 0, {"-1"}},
    {"/agents/0/devices/4/mode", WORD, NEED, {"\"Heat\"", "\"warm\""}},
    {"/agents/0/devices/4/max_kw", NUMBER, NEED, {"-1", "1e300"}},
    {"/agents/0/devices/4/cop", SERIES, NEED, {"0", "-1", "[3]", "[3, 0]"}},
    {"/agents/0/devices/4/capacity_kwh_per_k", NUMBER, NEED, {"0", "-1"}},
    {"/agents/0/devices/4/conductance_kw_per_k", NUMBER, NEED, {"-1", "1e300"}},
    {"/agents/0/devices/4/start_c", NUMBER, NEED, {"-300", "1e300"}},
    {"/agents/0/devices/4/min_c", SERIES, NEED | ABOVE, {"-300", "[19, 23]", "[19]"}},
    {"/agents/0/devices/4/max_c", SERIES, NEED | ABOVE, {"-300", "[22, 19]", "[22]"}},
    {"/agents/0/devices/4/outdoor_c", SERIES, NEED, {"-300", "[1, 2, 3]"}},
    {"/agents/0/devices/4/gain_kw", SERIES, 0, {"1e300", "[1]"}},
    {"/agents/0/devices/4/comfort_price_per_kh", NUMBER, 0, {"-1"}},
    {"/agents/0/devices/4/discomfort_per_k2h", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/0/devices/4/target_c", SERIES, 0, {"-300", "[20]", "1e300"}},
    {"/agents/0/devices/5/profile_kw",
     LIST,
     NEED | ABOVE,
     {"[]", "[1, 2, 3]", "[1, 2]", "[1e300]"}},
    {"/agents/0/devices/5/earliest", WHOLE, NEED | ABOVE, {"-1", "2", "3"}},
    {"/agents/0/devices/5/latest", WHOLE, NEED | ABOVE, {"-1", "2", "3"}},
    {"/agents/0/devices/6/file", WORD, NEED, {"\"nowhere.lp\""}},
    {"/agents/1/devices/0/min_kw", NUMBER, ABOVE, {"51", "-1", "1e300"}},
    {"/agents/1/devices/0/max_kw", NUMBER, NEED | ABOVE, {"5", "61", "1e300"}},
    {"/agents/1/devices/0/segments",
     LIST,
     NO_HINT | ABOVE,
     {"[]", "[[20, 80]]", "[[60]]", "[[60, 1, 2]]", "[[30, 80], [30, 79]]", "[[-1, 1]]"}},
    {"/agents/1/devices/0/ramp_kw_per_h", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/1/devices/0/start_cost", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/1/devices/0/min_up_steps", WHOLE, 0, {"-1", "3"}},
    {"/agents/1/devices/0/min_down_steps", WHOLE, 0, {"-1", "3"}},
    {"/agents/1/devices/0/on_at_start", TRUTH, 0, {0}},
    {"/agents/1/devices/1/cost", OBJECT, NO_HINT | ABOVE, {0}},
    {"/agents/1/devices/1/cost/per_mw2h", NUMBER, 0, {"-1", "1e300"}},
    {"/agents/1/devices/1/cost/per_mwh", NUMBER, 0, {"1e300"}},
    {"/agents/1/devices/1/cost/per_h", NUMBER, 0, {"1e300"}},
    {"/agents/1/devices/2/demand",
     LIST,
     ANY_LENGTH | NO_HINT,
     {"[[1]]", "[1, 2]", "[[5, 40], [5, 60]]", "[[[5, 40]]]", "[[\"x\", 1]]", "[[-1, 1]]"}},
    {"/agents/1/devices/2/offer",
     LIST,
     ANY_LENGTH | NO_HINT,
     {"[[1]]", "[[2, 10], [2, 9]]", "[[[2, 10]], [[3, 4, 5]]]", "[[[2, 10]], 7]", "[[1e300, 1]]"}},
    {"/fleets", LIST, ANY_LENGTH, {0}},
    /* fits, its agents' do not */
    {"/fleets/0/id",
     TEXT,
     NEED,
     {"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""}},
    {"/fleets/0/count", WHOLE, NEED, {"0", "-1", "5000001"}},
    {"/fleets/0/seed", WHOLE, NEED, {"-1", "1e30"}},
    {"/fleets/0/buses", LIST, NEED, {"[]", "[\"b3\"]", "[1]"}},
    {"/fleets/0/mix", OBJECT, NEED, {"{}", "{\"ev\": 0.5}", "{\"car\": 1}"}},
    {"/fleets/0/mix/ev", NUMBER, ABOVE, {"-1", "2", "0.3"}},
    {"/fleets/0/mix/battery", NUMBER, ABOVE, {"-1", "2"}},
    {"/fleets/0/mix/thermal", NUMBER, ABOVE, {"-1", "2"}},
    {"/fleets/0/mix/pv", NUMBER, ABOVE | NO_HINT, {"-1", "2"}},
    {"/fleets/0/mix/load", NUMBER, ABOVE, {"-1", "2"}},
    {"/fleets/0/mix/v2g", NUMBER, ABOVE, {"-1", "2"}},
    {"/fleets/0/mix/shiftable", NUMBER, ABOVE, {"-1", "2"}},
};

static const char matpower_base[] =
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-01-15T06:00:00Z\", \"step_minutes\": 60, "
    "\"steps\": 4}, \"grid\": {\"matpower\": \"case3.m\", \"loads\": true}}";
static const struct row matpower_rows[] = {
    {"/grid/matpower",
     WORD,
     NEED | NO_HINT | ABOVE,
     {"\"nowhere.m\"", "\"series.csv\"", "\"every_key.json\""}},
    {"/grid/loads", TRUTH, 0, {0}},
};

static const char copperplate_base[] =
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-01-15T06:00:00Z\", \"step_minutes\": 60, "
    "\"steps\": 4}, \"grid\": {\"copperplate\": true}}";
static const struct row copperplate_rows[] = {
    {"/grid/copperplate", TRUTH, NEED | NO_HINT | ABOVE, {"false"}},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *file_text(const char *name, size_t *size)
{
    char path[1000], *text = calloc(1, 20000);

    snprintf(path, sizeof(path), "%s/tests/data/scenario/%s", WALRAS_SOURCE_DIR, name);

    FILE *file = fopen(path, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    *size = fread(text, 1, 19999, file);
    fclose(file);
    return text;
}

/* The text of a base: its own, or that of every_key.json. The caller frees. */
static char *base(const char *from)
{
    size_t size = 0;
    char *text = from ? strdup(from) : file_text("every_key.json", &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

/* The message names the file and the row's place; `above`: or the place that it is in. */
static bool names_place(const char *message, const char *path, bool above)
{
    char place[300];
    size_t length;

    snprintf(place, sizeof(place), "t.json: %s", path);
    length = strlen(place);
    if (strncmp(message, place, length) == 0 && strchr(":/", message[length]))
        return true;
    *strrchr(place, '/') = '\0';
    length = strlen(place);
    return above && strncmp(message, place, length) == 0 && strchr(":/", message[length]);
}

static void expect_refusal(const struct row *row, const char *text, const char *what, bool above)
{
    struct scenario scenario;
    struct walras_err err = {0};
    enum walras_status status = parse_text(text, &scenario, &err);
    bool good = (status == WALRAS_INVALID || status == WALRAS_IO || status == WALRAS_UNSUPPORTED) &&
                names_place(err.msg, row->path, above);

    if (!good)
        fprintf(stderr, "%s %s: %s: %s\n", row->path, what, walras_status_name(status), err.msg);
    CU_ASSERT_TRUE(good);
    if (status == WALRAS_OK)
        scenario_release(&scenario);
}

static void expect_refusal_of_value(const char *from, const struct row *row, const char *value,
                                    bool above)
{
    char *good = base(from), *text = json_with_value(good, row->path, value);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    expect_refusal(row, text, value, above);
    free(text);
    free(good);
}

static void check_types(const char *from, const struct row *row)
{
    static const struct {
        const char *value;
        unsigned allowed; /* bit per kind that the value may be right for */
    } values[] = {
        {"null", 0},          {"true", 1u << TRUTH},
        {"\"\"", 0},          {"\"no such thing\"", 1u << TEXT},
        {"\"a\\u001bb\"", 0}, {"7.25", 1u << NUMBER | 1u << SERIES},
        {"[]", 1u << LIST},   {"[null, null]", 0},
        {"{}", 1u << OBJECT}, {"{\"csw\": 1}", 0},
    };

    for (size_t i = 0; i < COUNT(values); i++)
        if (!(values[i].allowed & 1u << row->kind) && !(i == 0 && row->flags & NULL_OK))
            expect_refusal_of_value(from, row, values[i].value, row->flags & ABOVE);
    if (row->kind == LIST && !(row->flags & ANY_LENGTH))
        expect_refusal_of_value(from, row, "[]", row->flags & ABOVE);
    for (size_t i = 0; i < COUNT(row->bad) && row->bad[i]; i++)
        expect_refusal_of_value(from, row, row->bad[i], row->flags & ABOVE);
}

static void check_absence(const char *from, const struct row *row)
{
    char *good = base(from), *text = json_without(good, row->path);
    struct scenario scenario;
    struct walras_err err = {0};

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    if (row->flags & NEED) {
        expect_refusal(row, text, "absent", row->flags & (ABOVE | NO_HINT));
    } else if (parse_text(text, &scenario, &err) == WALRAS_OK) {
        scenario_release(&scenario);
    } else if (!(row->flags & (ABOVE | NO_HINT))) { /* others hang together with another key */
        fprintf(stderr, "%s absent: %s\n", row->path, err.msg);
        CU_FAIL("an optional key may be absent");
    }
    free(text);
    free(good);
}

static void check_misspelling(const char *from, const struct row *row)
{
    const char *key = strrchr(row->path, '/') + 1;
    char wrong[100], hint[200];
    struct walras_err err = {0};
    struct scenario scenario;

    snprintf(wrong, sizeof(wrong), "%sx", key);
    snprintf(hint, sizeof(hint), "/%s: unknown key; did you mean \"%s\"?", wrong, key);

    char *good = base(from), *text = json_with_name(good, row->path, wrong);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(parse_text(text, &scenario, &err), WALRAS_INVALID);
    CU_ASSERT_EQUAL(strncmp(err.msg, "t.json: /", 9), 0);
    if (!(row->flags & NO_HINT)) {
        if (!strstr(err.msg, hint))
            fprintf(stderr, "%s misspelt: %s\n", row->path, err.msg);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, hint));
    }
    free(text);
    free(good);
}

static void check_duplicate(const char *from, const struct row *row)
{
    char *good = base(from), *text = json_with_twin(good, row->path);
    struct walras_err err = {0};
    struct scenario scenario;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(parse_text(text, &scenario, &err), WALRAS_INVALID);
    CU_ASSERT_EQUAL(strncmp(err.msg, "t.json:", 7), 0); /* and line and column */
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "duplicate object key"));
    free(text);
    free(good);
}

static void for_each_row(void (*check)(const char *from, const struct row *row))
{
    for (size_t i = 0; i < COUNT(every_key_rows); i++)
        check(NULL, &every_key_rows[i]);
    for (size_t i = 0; i < COUNT(matpower_rows); i++)
        check(matpower_base, &matpower_rows[i]);
    for (size_t i = 0; i < COUNT(copperplate_rows); i++)
        check(copperplate_base, &copperplate_rows[i]);
}

static void look_for_row(const char *key, void *context)
{
    size_t i = 0;

    (void)context;
    while (i < COUNT(every_key_rows) && strcmp(strrchr(every_key_rows[i].path, '/') + 1, key) != 0)
        i++;
    if (i == COUNT(every_key_rows))
        fprintf(stderr, "no row for the key %s\n", key);
    CU_ASSERT_TRUE(i < COUNT(every_key_rows));
}

static void compare_key(const char *key, void *context)
{
    const char **wanted = context;

    if (*wanted && strcmp(key, *wanted) == 0)
        *wanted = NULL; /* found */
}

static void test_the_table_holds_every_key(void)
{
    char *text = base(NULL);
    struct json_member member;

    json_each_key(text, look_for_row, NULL);
    for (size_t i = 0; i < COUNT(every_key_rows); i++)
        CU_ASSERT_TRUE(json_find_member(text, every_key_rows[i].path, &member));
    for (int type = 0; type < AGENT_N_TYPE; type++) {
        struct scenario_fields fields = scenario_fields_of((enum agent_device_type)type);

        for (size_t i = 0; i < fields.n; i++) {
            const char *wanted = fields.list[i].key;

            json_each_key(text, compare_key, &wanted);
            CU_ASSERT_PTR_NULL(wanted);
        }
    }
    free(text);
}

static void test_the_documentation_names_every_key(void)
{
    char path[1000], quoted[100], *text = calloc(1, 100000);

    snprintf(path, sizeof(path), "%s/docs/scenario.md", WALRAS_SOURCE_DIR);

    FILE *file = fopen(path, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    text[fread(text, 1, 99999, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < COUNT(every_key_rows); i++) {
        snprintf(quoted, sizeof(quoted), "`%s`", strrchr(every_key_rows[i].path, '/') + 1);
        if (!strstr(text, quoted))
            fprintf(stderr, "docs/scenario.md does not name %s\n", quoted);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, quoted));
    }
    free(text);
}

static void test_wrong_types_ranges_and_lengths_are_refused(void)
{
    for_each_row(check_types);
}

static void test_required_keys_may_not_be_absent_and_others_may(void)
{
    for_each_row(check_absence);
}

static void test_misspelt_keys_are_refused_with_a_hint(void)
{
    for_each_row(check_misspelling);
}

static void test_duplicate_keys_are_refused(void)
{
    for_each_row(check_duplicate);
}

static void test_a_file_cut_anywhere_is_refused(void)
{
    static const char *const names[] = {"every_key.json", "case3.m"};

    for (size_t k = 0; k < COUNT(names); k++) {
        size_t size = 0;
        char *text = file_text(names[k], &size);
        struct scenario_settings settings = scenario_settings_defaults();
        bool json = k == 0;

        for (size_t n = 0; n < size; n++) {
            char *part = malloc(n + 1); /* of that size, so that a byte too far is seen */
            struct scenario scenario;
            struct walras_err err = {0};

            CU_ASSERT_PTR_NOT_NULL_FATAL(part);
            memcpy(part, text, n);

            enum walras_status status =
                scenario_parse(names[k], part, n, &settings, &scenario, &err);

            if (status == WALRAS_OK) {
                CU_ASSERT_TRUE(n + 2 >= size); /* only the last line break lacks */
                scenario_release(&scenario);
            } else {
                CU_ASSERT_EQUAL(strncmp(err.msg, names[k], strlen(names[k])), 0);
            }
            if (json && n > 0 && n + 2 < size) /* line and column */
                CU_ASSERT_EQUAL(strspn(err.msg + strlen(names[k]), ":0123456789") >= 4, true);
            free(part);
        }
        free(text);
    }
}

static void test_spoiled_bytes_are_survived(void)
{
    size_t size = 0;
    char *text = file_text("every_key.json", &size);
    struct walras_rng rng = walras_rng_from_seed(testkit_seed());

    for (size_t k = 0; k < testkit_cases(20000); k++) {
        size_t at = (size_t)walras_rng_below(&rng, size);
        char was = text[at];
        struct scenario scenario;
        struct walras_err err = {0};

        text[at] = (char)walras_rng_below(&rng, 256);
        if (parse_text(text, &scenario, &err) == WALRAS_OK)
            scenario_release(&scenario);
        else
            CU_ASSERT_EQUAL(strncmp(err.msg, "t.json:", 7), 0);
        text[at] = was;
    }
    free(text);
}

static void test_huge_files_and_lists_are_refused(void)
{
    char path[] = "/tmp/walras-test-XXXXXX";
    int fd = mkstemp(path);
    struct scenario scenario;
    struct walras_err err = {0};
    char told[200];

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(ftruncate(fd, (off_t)WALRAS_JSON_MAX_FILE + 1), 0); /* a hole: no disk used */
    CU_ASSERT_EQUAL(scenario_read(path, &scenario, &err), WALRAS_INVALID);
    snprintf(told, sizeof(told), "%s: file is too large (limit 1000 MB)", path);
    CU_ASSERT_STRING_EQUAL(err.msg, told);
    close(fd);
    unlink(path);

    /* more buses x steps than any machine holds */
    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(parse_text("{\"walras\": 1, \"horizon\": {\"start\": \"2026-01-15T06:00:00Z\", "
                               "\"step_minutes\": 60, \"steps\": 120000}, \"grid\": "
                               "{\"copperplate\": true}, \"agents\": [{\"id\": \"a\", \"bus\": "
                               "\"1\", \"devices\": [{\"id\": \"d\", \"type\": \"load\", "
                               "\"draw_kw\": [1, 2]}]}]}",
                               &scenario, &err),
                    WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "t.json: /agents/0/devices/0/draw_kw: expected 120000 "
                                    "elements, got 2");
}

static void test_what_is_no_market_at_all_is_told(void)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"", "there is nothing in it"},
        {" \n\t", "there is nothing in it"},
        {"\x89PNG\r\n", "it begins with the byte 0x89"},
        {"\xef\xbb\xbfhello,world\n1,2\n", "it begins with \"hello,world\""},
        {"mpc.bus = [ 1 2 3 4 5 6 7 8 9 ]", "it begins with \"mpc.bus = [ 1 2 3 4 \""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scenario scenario;
        struct walras_err err = {0};
        char told[200];

        CU_ASSERT_EQUAL(parse_text(cases[i].text, &scenario, &err), WALRAS_INVALID);
        snprintf(told, sizeof(told), "t.json: neither a scenario (JSON) nor a MATPOWER case: %s",
                 cases[i].told);
        CU_ASSERT_STRING_EQUAL(err.msg, told);
    }
}

static void test_faults_of_a_csv_file_name_both_files(void)
{
    static const struct {
        const char *series, *told;
    } cases[] = {
        {"{\"csv\": \"nowhere.csv\", \"column\": \"price\"}",
         "/tests/data/scenario/nowhere.csv: cannot open: No such file or directory"},
        {"{\"csv\": \"series.csv\", \"column\": \"prise\"}",
         "/tests/data/scenario/series.csv:1: no column \"prise\"; did you mean \"price\"?"},
        {"{\"csv\": \"series.csv\", \"column\": \"gap\"}",
         "/tests/data/scenario/series.csv:4: column \"gap\": expected a number, got \"\""},
        {"{\"csv\": \"series.csv\", \"column\": \"price\", \"offset_steps\": 1}",
         "/tests/data/scenario/series.csv: column \"price\": 4 rows from row 1 are needed, the "
         "file "
         "has 4 rows"},
        {"{\"csv\": \"series.csv\", \"column\": \"wide\"}",
         "/supply/0/import_limit_kw: step 0 of the column must be >= 0 and <= 1000000000, got -5"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1000];
        struct scenario scenario;
        struct walras_err err = {0};

        snprintf(text, sizeof(text),
                 "{\"walras\": 1, \"horizon\": {\"start\": \"2026-01-15T06:00:00Z\", "
                 "\"step_minutes\": 60, \"steps\": 4}, \"grid\": {\"copperplate\": true}, "
                 "\"supply\": [{\"id\": \"w\", \"bus\": \"1\", \"price_per_mwh\": 1, "
                 "\"import_limit_kw\": %s}]}",
                 cases[i].series);
        CU_ASSERT_NOT_EQUAL(parse_text(text, &scenario, &err), WALRAS_OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "t.json: /supply/0/import_limit_kw"));
        if (!strstr(err.msg, cases[i].told))
            fprintf(stderr, "%s\n", err.msg);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, cases[i].told));
    }
}

static void test_without_a_directory_no_file_is_read(void)
{
    struct scenario_settings settings = scenario_settings_defaults();
    struct scenario scenario;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(
        scenario_parse("t.json", matpower_base, strlen(matpower_base), &settings, &scenario, &err),
        WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "t.json: /grid/matpower: files cannot be named here; write the "
                                    "values into the scenario");
}

static const struct testkit_test tests[] = {
    {"the table holds every key", test_the_table_holds_every_key},
    {"the documentation names every key", test_the_documentation_names_every_key},
    {"wrong types, ranges and lengths are refused",
     test_wrong_types_ranges_and_lengths_are_refused},
    {"required keys may not be absent, and others may",
     test_required_keys_may_not_be_absent_and_others_may},
    {"misspelt keys are refused with a hint", test_misspelt_keys_are_refused_with_a_hint},
    {"duplicate keys are refused", test_duplicate_keys_are_refused},
    {"a file cut anywhere is refused", test_a_file_cut_anywhere_is_refused},
    {"spoiled bytes are survived", test_spoiled_bytes_are_survived},
    {"huge files and lists are refused", test_huge_files_and_lists_are_refused},
    {"what is no market at all is told", test_what_is_no_market_at_all_is_told},
    {"faults of a CSV file name both files", test_faults_of_a_csv_file_name_both_files},
    {"without a directory no file is read", test_without_a_directory_no_file_is_read},
};
TESTKIT_MAIN("bad scenarios", tests)
