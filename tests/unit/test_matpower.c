#include "grid/limits.h"
#include "grid/matpower.h"
#include "testkit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Three buses, a transformer with a ratio and a shift, one line out of service, three generators.
 */
static const char sound[] = "function mpc = three\n"
                            "mpc.version = '2';\n"
                            "mpc.baseMVA = 100;\n"
                            "mpc.bus = [\n"
                            "  1 3 50 10 2 -3 1 1.02 0 110 1 1.1 0.9;\n"
                            "  2 1 -7 0  0  0 1 1.00 0 110 1 1.1 0.9;\n"
                            "  7 2 30 0  0  0 1 1.00 0 20  1 1.1 0.9;\n"
                            "];\n"
                            "mpc.gen = [\n"
                            "  1 0 0 9 -9 1.03 100 1 80 10;\n"
                            "  7 0 0 9 -9 1.00 100 0 60 0;\n"
                            "  7 0 0 9 -9 1.00 100 1 40 -5;\n"
                            "];\n"
                            "mpc.branch = [\n"
                            "  1 2 0.01 0.1  0.02 90 0 0 0    0  1;\n"
                            "  2 7 0    0.2  0    0  0 0 0.98 30 1;\n"
                            "  1 7 0.01 0.25 0    40 0 0 0    0  0;\n"
                            "];\n"
                            "mpc.gencost = [\n"
                            "  2 0 0 3 0.5 20 100 0;\n"
                            "  2 0 0 2 9   0  0   0;\n"
                            "  1 0 0 2 0   0  40  800;\n"
                            "];\n";

/* `text` with its first `old` replaced: caller frees. */
static char *changed(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    size_t size = strlen(text) + strlen(new) + 1;
    char *result = malloc(size);

    CU_ASSERT_FATAL(at && result);
    snprintf(result, size, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    return result;
}

/* Reads text that must be sound. Parsed from a block of its exact size, so that overruns show. */
static struct grid_case parsed(const char *text)
{
    struct grid_case c = {0};
    struct walras_err err = {0};
    size_t size = strlen(text);
    char *exact = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
    memcpy(exact, text, size);
    if (grid_case_parse("t.m", exact, size, &c, &err) != WALRAS_OK)
        fprintf(stderr, "%s\n", err.msg);
    free(exact);
    CU_ASSERT_EQUAL_FATAL(err.code, WALRAS_OK);
    return c;
}

static void expect_failure(const char *text, size_t size, const char *message)
{
    struct grid_case c = {0};
    struct walras_err err = {0};
    char *exact = malloc(size + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
    memcpy(exact, text, size);
    CU_ASSERT_NOT_EQUAL(grid_case_parse("t.m", exact, size, &c, &err), WALRAS_OK);
    CU_ASSERT_PTR_NULL(c.name); /* not touched */
    if (!strstr(err.msg, message))
        fprintf(stderr, "expected \"%s\"\n     got \"%s\"\n", message, err.msg);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, message));
    free(exact);
}

static void test_tables_become_a_network_in_kw(void)
{
    struct grid_case c = parsed(sound);
    const struct grid_network *n = &c.network;

    CU_ASSERT_STRING_EQUAL(c.name, "three");
    CU_ASSERT_EQUAL_FATAL(n->n_bus, 3);
    CU_ASSERT_EQUAL_FATAL(n->n_line, 3);
    CU_ASSERT_EQUAL(n->base_mva, 100.0);
    CU_ASSERT_EQUAL(n->slack, 0);
    CU_ASSERT_EQUAL(n->slack_v_pu, 1.03);
    CU_ASSERT_STRING_EQUAL(n->buses[2].id, "7");
    CU_ASSERT_EQUAL(n->buses[0].load_kw, 50000.0);
    CU_ASSERT_EQUAL(n->buses[0].load_kvar, 10000.0);
    CU_ASSERT_EQUAL(n->buses[0].shunt_draw_kw, 2000.0);
    CU_ASSERT_EQUAL(n->buses[0].shunt_inject_kvar, -3000.0);
    CU_ASSERT_EQUAL(n->buses[1].load_kw, -7000.0);
    CU_ASSERT_EQUAL(n->buses[2].base_kv, 20.0);
    CU_ASSERT_EQUAL(n->buses[2].v_min_pu, 0.9);
    CU_ASSERT_EQUAL(n->buses[2].v_max_pu, 1.1);
    CU_ASSERT_STRING_EQUAL(n->lines[1].id, "l2");
    CU_ASSERT_EQUAL(n->lines[1].from, 1);
    CU_ASSERT_EQUAL(n->lines[1].to, 2);
    CU_ASSERT_EQUAL(n->lines[0].r_pu, 0.01);
    CU_ASSERT_EQUAL(n->lines[0].x_pu, 0.1);
    CU_ASSERT_EQUAL(n->lines[0].b_pu, 0.02);
    CU_ASSERT_EQUAL(n->lines[0].limit_kw, 90000.0);
    CU_ASSERT_EQUAL(n->lines[0].tap, 1.0); /* 0 in the file */
    CU_ASSERT_EQUAL(n->lines[1].limit_kw, (double)INFINITY);
    CU_ASSERT_EQUAL(n->lines[1].tap, 0.98);
    TESTKIT_CLOSE(n->lines[1].shift_rad, 0.52359877559829887, 1e-15);
    CU_ASSERT_TRUE(n->lines[1].in_service);
    CU_ASSERT_FALSE(n->lines[2].in_service);
    grid_case_release(&c);
}

static void test_generators_in_service_keep_their_costs(void)
{
    struct grid_case c = parsed(sound);

    CU_ASSERT_EQUAL(grid_case_check_market(&c, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(c.n_generator, 2); /* row 2 is off-line */
    CU_ASSERT_EQUAL(c.generators[0].row, 1);
    CU_ASSERT_EQUAL(c.generators[0].bus, 0);
    CU_ASSERT_EQUAL(c.generators[0].min_kw, 10000.0);
    CU_ASSERT_EQUAL(c.generators[0].max_kw, 80000.0);
    CU_ASSERT_EQUAL(c.generators[0].model, GRID_COST_POLYNOMIAL);
    CU_ASSERT_EQUAL(c.generators[0].per_mw2h, 0.5);
    CU_ASSERT_EQUAL(c.generators[0].per_mwh, 20.0);
    CU_ASSERT_EQUAL(c.generators[0].per_h, 100.0);
    CU_ASSERT_EQUAL(c.generators[1].row, 3);
    CU_ASSERT_EQUAL(c.generators[1].bus, 2);
    CU_ASSERT_EQUAL(c.generators[1].min_kw, -5000.0);
    CU_ASSERT_EQUAL(c.generators[1].model, GRID_COST_PIECEWISE);
    CU_ASSERT_EQUAL_FATAL(c.generators[1].n_point, 2);
    CU_ASSERT_EQUAL(c.generators[1].point_kw[1], 40000.0);
    CU_ASSERT_EQUAL(c.generators[1].point_per_h[1], 800.0);
    grid_case_release(&c);
}

/* Every way of writing the same case gives the same network. */
static void test_layout_does_not_matter(void)
{
    static const struct {
        const char *old, *new;
    } ways[] = {
        {"function mpc = three\n", "\xef\xbb\xbf% no function\n\n"},
        {"function mpc = three\n", "function [a, bus] = three()\n"},
        {"function mpc = three\n",
         "%{\nmpc.bus = [1];\n%{\nnested\n%}\n%}\nfunction mpc = three\n"},
        {"mpc.version = '2';\n", "mpc.version = 2, "},
        {"mpc.version = '2';\n", ""},
        {"mpc.baseMVA = 100;\n", "mpc.baseMVA = 1e2\n"},
        {"mpc.baseMVA = 100;\n", "baseMVA = 1.0D+02; areas = [1 1];\n"},
        {"mpc.bus = [\n", "mpc.bus=[%% comment, with ] and '\n\n"},
        {"mpc.bus = [\n", "mpc.bus = ... the rest is a comment\n  [ ...\n"},
        {"1 3 50 10 2 -3 1 1.02", "1, 3, +50, 10 ,2 , -3,1 ... wrapped\n 1.02"},
        {"1 3 50 10 2 -3 1 1.02", "1\t3\t5.0e1\t1E1\t2.\t-.3e1\t1\t1.02"},
        {"  2 1 -7 0  0  0 1 1.00 0 110 1 1.1 0.9;\n", "  2 1 -7 0 0 0 1 1 0 110 1 1.1 0.9\n\n"},
        {"0 110 1 1.1 0.9;\n", "0 110 1 1.1 0.9, ;;\r\n"},
        {"90 0 0 0    0  1;", "90 Inf inf 0 0 1;"},
        {"];\nmpc.gen ",
         "]\n# comment\nmpc.bus_name = {'a; ]', \"it's\", 'it''s';\n 'x'};\nmpc.gen "},
        {"];\nmpc.gen ", "], mpc.other.deep = [1 2\n3]'; mpc.gentype{3} = 'CC'; mpc.gen "},
        {"  2 0 0 3 0.5 20 100 0;\n  2 0 0 2 9   0  0   0;\n  1 0 0 2 0   0  40  800;\n",
         "2 0 0 3 0.5 20 100 0;2 0 0 2 9 0 0 0;1 0 0 2 0 0 40 800;"
         "2 0 0 3 1 1 1 0;2 0 0 3 1 1 1 0;2 0 0 3 1 1 1 0"}, /* reactive costs: passed over */
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *text = changed(sound, ways[i].old, ways[i].new);
        struct grid_case plain = parsed(sound), c = parsed(text);

        CU_ASSERT_EQUAL(grid_case_check_market(&c, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(c.network.base_mva, 100.0);
        CU_ASSERT_EQUAL_FATAL(c.network.n_bus, 3);
        CU_ASSERT_EQUAL_FATAL(c.network.n_line, 3);
        CU_ASSERT_EQUAL(c.network.buses[0].load_kw, plain.network.buses[0].load_kw);
        CU_ASSERT_EQUAL(c.network.buses[0].shunt_inject_kvar, -3000.0);
        CU_ASSERT_EQUAL(c.network.buses[1].load_kw, -7000.0);
        CU_ASSERT_EQUAL(c.network.lines[0].limit_kw, 90000.0);
        CU_ASSERT_EQUAL(c.n_generator, 2);
        grid_case_release(&plain);
        grid_case_release(&c);
        free(text);
    }
}

static void test_the_struct_may_have_any_name(void)
{
    char text[sizeof(sound) + 100] = "";

    for (const char *at = sound; *at; at++) { /* mpc. -> grid_1. */
        bool here = strncmp(at, "mpc.", 4) == 0;

        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", here ? "grid_1." : "");
        text[strlen(text)] = here ? '\0' : *at;
        at += here ? 3 : 0;
    }
    char *script = changed(text, "function mpc = three\n", "");
    struct grid_case c = parsed(script);

    CU_ASSERT_STRING_EQUAL(c.name, "t"); /* no function: the file's name */
    CU_ASSERT_EQUAL(c.network.n_bus, 3);
    grid_case_release(&c);
    expect_failure(text, strlen(text), "t.m:2: the statement 'grid_1.version = '2';'");
    free(script);
}

/* Bus 7 is isolated: it, its branches and its generators are left out; lines keep their names. */
static void test_isolated_buses_are_left_out(void)
{
    char *text = changed(sound, "  7 2 30", "  7 4 30");
    struct grid_case c = parsed(text);

    CU_ASSERT_EQUAL(c.network.n_bus, 2);
    CU_ASSERT_EQUAL(c.network.n_line, 1);
    CU_ASSERT_EQUAL(c.n_generator, 1);
    CU_ASSERT_EQUAL(grid_case_check_market(&c, NULL), WALRAS_OK);
    grid_case_release(&c);
    free(text);
}

static void test_faults_are_named_with_file_and_line(void)
{
    static const struct {
        const char *old, *new, *message;
    } faults[] = {
        {"three\n", "three, x = 2\n", "t.m:1: the statement 'x = 2'"},
        {"mpc.version = '2'", "mpc.version = '1'", "t.m:2: the version of the case format"},
        {"mpc.version = '2'", "mpc.version = '2", "t.m:2: the string that begins with ' is not"},
        {"mpc.baseMVA = 100;", "", "t.m: baseMVA is missing"},
        {"mpc.baseMVA = 100;", "mpc.baseMVA = 0;", "t.m:3: baseMVA: expected a plain number"},
        {"mpc.baseMVA = 100;", "mpc.baseMVA = 50/3;", "t.m:3: baseMVA: expected a plain number"},
        {"mpc.baseMVA = 100;", "mpc.baseMVA = 100; mpc.baseMVA = 100;", "t.m:3: a second baseMVA"},
        {"100;\n", "1e999;\n", "t.m:3: the number 1e999 is too large"},
        {"100;\n", "1.2.3;\n", "t.m:3: '1.2.' is not a number"},
        {"100;\n", "100x;\n", "t.m:3: '100x' is not a number"},
        {"1 3 50", "1 3 NaN", "t.m:5: bus row 1: bus 1: the load must be finite"},
        {"1 3 50", "1 3 -Inf", "t.m:5: bus row 1: bus 1: the load must be finite"},
        {"1 3 50", "1 3 5-0", "t.m:5: bus row 1, column 4: expected a plain number, found '-'"},
        {"1 3 50", "1 3 100/2", "t.m:5: bus row 1, column 4: expected a plain number, found '/'"},
        {"1 3 50", "1 3 - 50", "t.m:5: bus row 1, column 3: expected a plain number, found '-'"},
        {"1 3 50", "1 3 P", "t.m:5: bus row 1, column 3: expected a plain number, found 'P'"},
        {"1 3 50", "1 3 'x'", "t.m:5: bus row 1, column 3: expected a plain number, found 'x'"},
        {"1 3 50", "1,, 3 50", "t.m:5: bus row 1, column 2: expected a plain number, found ','"},
        {"1 3 50", "1 3 \x01", "t.m:5: byte 0x01 is not text"},
        {"1 3 50", "1 3 \xc3\xa9", "t.m:5: byte 0xc3 is not text"},
        {"1 3 50", "1 3 50 1", "t.m:6: bus row 2 has 13 columns where the rows before it have 14"},
        {"1 3 50", "1.5 3 50", "t.m:5: bus row 1: the bus number must be a whole number above 0"},
        {"1 3 50", "Inf 3 50", "t.m:5: bus row 1: the bus number must be a whole number above 0"},
        {"1 3 50", "1 5 50", "t.m:5: bus row 1: the bus type must be 1, 2, 3 or 4"},
        {"1 3 50", "1 2 50", "t.m:4: no bus is the reference (type 3)"},
        {"2 1 -7", "2 3 -7", "t.m:6: bus row 2: a second reference bus"},
        {"2 1 -7", "1 1 -7", "t.m:6: bus row 2: the bus number stands in an earlier row"},
        {"1 1.1 0.9;", "1 0.8 0.9;", "t.m:5: bus row 1: bus 1: the highest voltage"},
        {"mpc.bus = [", "mpc.bis = [", "t.m: the bus table is missing; expected a MATPOWER case"},
        {"mpc.bus = [", "mpc.bus = zeros(3, 13); x = [",
         "t.m:4: the bus table must be written out"},
        {"];\nmpc.gen ", "]';\nmpc.gen ",
         "t.m:8: expected the end of the statement behind the bus"},
        {"];\nmpc.gen ", "\nmpc.gen ",
         "t.m:9: bus row 4, column 1: expected a plain number, found 'mpc'"},
        {"];\nmpc.gen ", "];mpc.bus = [];\nmpc.gen ",
         "t.m:8: a second bus table; the first is in line 4"},
        {"mpc.gen ", "mpc.bus(1, 3) = 0;\nmpc.gen ",
         "t.m:9: the statement 'mpc.bus(1, 3) = 0;' may change the case and is not understood"},
        {"mpc.gen ", "mpc = scale_load(2, mpc);\nmpc.gen ", "t.m:9: the statement 'mpc = scale"},
        {"mpc.gen ", "if true, mpc.bus(1,3) = 2; end\nmpc.gen ", "t.m:9: the statement 'if true"},
        {"mpc.gen ", "mpc.A = [1 2 3];\nmpc.gen ", "t.m:9: the field A adds constraints"},
        {"mpc.gen ", "mpc.names = {1, 2;\nmpc.gen ", "t.m:9: the bracket that opens here"},
        {"mpc.gen ", "mpc.names = 2);\nmpc.gen ", "t.m:9: ')' closes nothing"},
        {"mpc.gen ", "%{\nmpc.gen ", "t.m:9: the block comment that begins here is not closed"},
        {"mpc.gen ", "function b = other\nmpc.gen ", "t.m:9: a second function"},
        {"  1 0 0 9", "  9 0 0 9", "t.m:10: gen row 1: bus 9 is not in the bus table"},
        {"100 1 80", "100 NaN 80", "t.m:10: gen row 1: the status must be 0 or 1"},
        {"  1 2 0.01", "  1 9 0.01", "t.m:15: branch row 1: bus 9 is not in the bus table"},
        {"  1 2 0.01", "  2 2 0.01", "t.m:15: branch row 1: line l1: both ends are the same bus"},
        {"0.01 0.1 ", "0.01 0.0 ", "t.m:15: branch row 1: line l1: the reactance of a line in"},
        {"0.01 0.1 ", "0.01 NaN ", "t.m:15: branch row 1: line l1: resistance, reactance and"},
        {"0.02 90", "0.02 -90", "t.m:15: branch row 1: line l1: the limit must not be negative"},
        {"0.98 30", "-0.98 30", "t.m:16: branch row 2: line l2: the tap ratio must be finite and"},
        {"0.98 30 1", "0.98 30 0", "t.m: bus 7: no line in service connects it to the slack bus 1"},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char *text = changed(sound, faults[i].old, faults[i].new);

        expect_failure(text, strlen(text), faults[i].message);
        free(text);
    }
}

static void test_files_that_are_no_case_are_refused(void)
{
    static const char binary[] = "\x7f"
                                 "ELF\0\0\0";

    expect_failure("", 0, "t.m: the bus table is missing");
    expect_failure(binary, sizeof(binary), "t.m:1: byte 0x7f is not text");
    expect_failure("\0\0\0", 3, "t.m:1: byte 0x00 is not text");
    expect_failure("bus,draw\n1,2\n", 13, "t.m:1: the statement 'bus,draw'");
    expect_failure("{\"walras\": 1}", 13, "t.m:1: the statement '{\"walras\": 1}'");
}

static void test_costs_that_cannot_be_traded_leave_the_network(void)
{
    static const struct {
        const char *old, *new, *message;
    } faults[] = {
        {"mpc.gencost = [", "mpc.costs = [", "t.m: the gencost table is missing"},
        {"  2 0 0 2 9   0  0   0;\n", "", "t.m:19: the gencost table has 2 rows; expected 3 or 6"},
        {"2 0 0 3 0.5", "3 0 0 3 0.5", "t.m:20: gencost row 1: the model must be 1 or 2"},
        {"2 0 0 3 0.5", "2 0 0 9 0.5", "t.m:20: gencost row 1: the number of points or coeff"},
        {"2 0 0 3 0.5", "2 0 0 -1 0.5", "t.m:20: gencost row 1: the number of points or coeff"},
        {"2 0 0 3 0.5", "2 0 0 NaN 0.5", "t.m:20: gencost row 1: the number of points or coeff"},
        {"2 0 0 3 0.5", "2 0 0 3 -0.5", "t.m:20: gencost row 1: the cost is not convex"},
        {"2 0 0 3 0.5", "2 0 0 3 NaN", "t.m:20: gencost row 1: the coefficients must be finite"},
        {"2 0 0 3 0.5 20", "2 0 0 4 0.5 20", "t.m:20: gencost row 1: a polynomial above degree 2"},
        {"1 0 0 2 0", "1 0 0 3 0", "t.m:22: gencost row 3: the number of points or coefficients"},
        {"1 0 0 2 0", "1 0 0 1 0", "t.m:22: gencost row 3: expected two points at least"},
        {"1 0 0 2 0 ", "1 0 0 2 40 ", "t.m:22: gencost row 3: the points must have rising power"},
        {"1 0 0 2 0 ", "1 0 0 2 -Inf ", "t.m:22: gencost row 3: the points must be finite"},
        {"1 80 10;", "1 80 90;", "t.m:10: gen row 1: Pmin is 90 and Pmax is 80; expected finite"},
        {"1 80 10;", "1 Inf 10;", "t.m:10: gen row 1: Pmin is 10 and Pmax is inf"},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char *text = changed(sound, faults[i].old, faults[i].new);
        struct grid_case c = parsed(text);
        struct walras_err err = {0};

        CU_ASSERT_EQUAL(c.network.n_bus, 3);
        CU_ASSERT_EQUAL(c.n_generator, 2);
        CU_ASSERT_EQUAL(c.generators[0].max_kw, 0.0);
        CU_ASSERT_PTR_NULL(c.generators[1].point_kw);
        CU_ASSERT_NOT_EQUAL(grid_case_check_market(&c, &err), WALRAS_OK);
        if (strstr(err.msg, faults[i].message) != err.msg)
            fprintf(stderr, "expected \"%s\"\n     got \"%s\"\n", faults[i].message, err.msg);
        CU_ASSERT_PTR_EQUAL(strstr(err.msg, faults[i].message), err.msg);
        grid_case_release(&c);
        free(text);
    }
}

static void test_pieces_must_not_become_flatter(void)
{
    static const char three_pieces[] = "  1 0 0 3 0 0 10 %s 20 250;\n";
    static const struct {
        const char *middle;
        bool convex;
    } ways[] = {{"100", true}, {"125", true}, {"150", false}, {"125.00000001", true}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char row[80];

        snprintf(row, sizeof(row), three_pieces, ways[i].middle);
        char *wide = changed(sound, "  1 0 0 2 0   0  40  800;\n", row);
        char *wider = changed(wide, "0.5 20 100 0;", "0.5 20 100 0 0 0;");
        char *text = changed(wider, "9   0  0   0;", "9 0 0 0 0 0;");
        struct grid_case c = parsed(text);

        CU_ASSERT_EQUAL(grid_case_check_market(&c, NULL) == WALRAS_OK, ways[i].convex);
        grid_case_release(&c);
        free(wide);
        free(wider);
        free(text);
    }
}

/* A cubic term of zero is a parabola; a polynomial of one coefficient is a constant. */
static void test_zero_terms_do_not_count(void)
{
    char *cubic = changed(sound, "2 0 0 3 0.5 20 100 0;", "2 0 0 4 0 0.5 20 100;");
    char *text = changed(cubic, "2 0 0 2 9 ", "2 0 0 1 9 ");
    struct grid_case c = parsed(text);

    CU_ASSERT_EQUAL(grid_case_check_market(&c, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(c.generators[0].per_mw2h, 0.5);
    CU_ASSERT_EQUAL(c.generators[0].per_h, 100.0);
    grid_case_release(&c);
    free(cubic);
    free(text);
}

/* The columns' names are spelled as MATPOWER's distribution cases spell them. */
#define CONVERSION                                                                                 \
    "[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...\n"                     \
    "    VA, BASE_KV, ZONE, VMAX, VMIN, LAM_P, LAM_Q, MU_VMAX, MU_VMIN] = idx_bus;\n"              \
    "[F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, RATE_B, RATE_C, ...\n"                               \
    "    TAP, SHIFT, BR_STATUS, PF, QF, PT, QT, MU_SF, MU_ST, ...\n"                               \
    "    ANGMIN, ANGMAX, MU_ANGMIN, MU_ANGMAX] = idx_brch;\n"                                      \
    "Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts\n"                                        \
    "Sbase = mpc.baseMVA * 1e6;              %% in VA\n"                                           \
    "mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);\n"               \
    "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;\n"

/* 110 kV and 100 MVA: 121 ohm are 1 per unit. */
static void test_the_published_conversion_is_applied(void)
{
    char text[4000];

    snprintf(text, sizeof(text), "%s%s%s", sound, CONVERSION,
             "pf = 0.85;\nmpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\n"
             "mpc.bus(:, PD) = mpc.bus(:, PD) * pf;\nend\n");
    struct grid_case c = parsed(text);

    TESTKIT_CLOSE(c.network.lines[0].r_pu, 0.01 / 121.0, 1e-14);
    TESTKIT_CLOSE(c.network.lines[1].x_pu, 0.2 / 121.0, 1e-14);
    TESTKIT_CLOSE(c.network.buses[0].load_kw, 50.0 * 0.85, 1e-14);
    TESTKIT_CLOSE(c.network.buses[0].load_kvar, 50.0 * 0.52678268764263692, 1e-14);
    grid_case_release(&c);
}

static void test_other_conversions_are_refused_by_line(void)
{
    static const struct {
        const char *old, *new, *message;
    } ways[] = {
        {"/ 1e3;\n", "/ 1e6;\n", "t.m:32: the statement 'mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD"},
        {"PD, QD, GS,", "QD, PD, GS,", "t.m:24: the statement '[PQ, PV, REF, NONE,"},
        {"Vbase = mpc", "Vbase = other", "t.m:29: the statement 'Vbase = other.bus(1, BASE_KV)"},
        {"Vbase = mpc.bus(1, BASE_KV) * 1e3; ", "", "t.m:31: 'mpc.branch(:, [BR_R BR_X])"},
        {"Vbase^2", "Vbase", "t.m:31: the statement 'mpc.branch(:, [BR_R BR_X])"},
        {"/ 1e3;\n", "/ 1e3 * 2;\n", "t.m:32: the statement 'mpc.bus(:, [PD, QD])"},
        {"/ 1e3;\n", "/ 1e3;\nmpc.bus(:, PD) = mpc.bus(:, PD) * pf;\n", "t.m:33: 'mpc.bus(:, PD)"},
    };
    char whole[4000];

    snprintf(whole, sizeof(whole), "%s%s", sound, CONVERSION);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *text = changed(whole, ways[i].old, ways[i].new);

        expect_failure(text, strlen(text), ways[i].message);
        free(text);
    }
}

/* Cut anywhere, the case is read or refused, and nothing beyond the cut is touched. */
static void test_truncated_cases_are_read_or_refused(void)
{
    char whole[4000];

    snprintf(whole, sizeof(whole), "%s%s", sound, CONVERSION);
    for (size_t size = 0; size < strlen(whole); size++) {
        struct grid_case c = {0};
        struct walras_err err = {0};
        char *cut = malloc(size + 1);

        CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
        memcpy(cut + 1, whole, size); /* ends where the block ends */
        if (grid_case_parse("t.m", cut + 1, size, &c, &err) != WALRAS_OK)
            CU_ASSERT_EQUAL(strncmp(err.msg, "t.m:", 4), 0);
        grid_case_release(&c);
        free(cut);
    }
}

static void test_absurd_sizes_are_refused_in_bounded_time(void)
{
    size_t size = 4 << 20;
    char *text = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '1', size);
    expect_failure(text, size, "t.m:1: a number of 4194304 characters");
    memset(text, '[', size);
    expect_failure(text, size, "t.m:1: the statement '[[[");
    memset(text, ' ', size);
    memcpy(text, "x.bus = [", 9);
    for (size_t i = 10; i < size; i += 2)
        text[i] = '1';
    expect_failure(text, size, "t.m:1: bus row 1 has more than 4096 columns");
    for (size_t i = 10; i < size; i += 2)
        text[i] = '\n';
    expect_failure(text, size, "t.m:1: the bus table that begins here is not closed");
    for (size_t i = 0; i + 3 <= size; i += 3)
        memcpy(text + i, "%{\n", 3);
    expect_failure(text, size, "t.m:1: the block comment that begins here is not closed");
    free(text);
}

static void test_files_that_cannot_be_read_say_so(void)
{
    struct grid_case c = {0};
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(grid_case_read("/nowhere/case.m", &c, &err), WALRAS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/nowhere/case.m"));
    err = (struct walras_err){0};
    CU_ASSERT_NOT_EQUAL(grid_case_read("/", &c, &err), WALRAS_OK);
}

/* The dispatch and the flows that are published for the system (MW); only line 4-5 is full. */
static void test_the_pjm5_example_has_the_published_flows(void)
{
    static const double generated_mw[] = {40.0, 170.0, 323.4948, 0.0, 466.5052};
    static const double flow_mw[] = {249.717, 186.788, -226.505, -50.283, -26.788, -240.0};
    struct grid_case c = {0};
    struct grid_limits *limits = NULL;
    double injection_kw[5] = {0}, flow_kw[6];

    CU_ASSERT_EQUAL_FATAL(grid_case_read(WALRAS_SOURCE_DIR "/examples/pjm5/pjm5.m", &c, NULL),
                          WALRAS_OK);
    CU_ASSERT_EQUAL(grid_case_check_market(&c, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(c.n_generator, 5);
    for (size_t g = 0; g < c.n_generator; g++)
        injection_kw[c.generators[g].bus] += 1000.0 * generated_mw[g];
    for (size_t b = 0; b < c.network.n_bus; b++)
        injection_kw[b] -= c.network.buses[b].load_kw;
    CU_ASSERT_EQUAL_FATAL(grid_limits_dc(&c.network, 1.0, &limits, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(grid_limits_values(limits, 0, injection_kw, flow_kw, NULL), WALRAS_OK);
    for (size_t r = 0; r < 6; r++)
        CU_ASSERT_DOUBLE_EQUAL(flow_kw[r] / 1000.0, flow_mw[r], 0.6e-3);
    CU_ASSERT_EQUAL(grid_limits_at(limits, 5)->high, 240000.0);
    grid_limits_free(limits);
    grid_case_release(&c);
}

/* What fuzzing has found and what it grew from: read or refused, never a crash. */
static void test_the_fuzz_corpus_is_read_or_refused(void)
{
    static const char folder[] = WALRAS_SOURCE_DIR "/tests/fuzz/corpus/matpower";
    DIR *directory = opendir(folder);
    size_t n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char path[4096];
        struct grid_case c = {0};
        struct walras_err err = {0};

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        n++;
        if (grid_case_read(path, &c, &err) != WALRAS_OK)
            CU_ASSERT_EQUAL(strncmp(err.msg, path, strlen(path)), 0);
        grid_case_release(&c);
    }
    closedir(directory);
    CU_ASSERT_TRUE(n > 0);
}

static const struct testkit_test tests[] = {
    {"tables become a network in kW", test_tables_become_a_network_in_kw},
    {"generators in service keep their costs", test_generators_in_service_keep_their_costs},
    {"layout does not matter", test_layout_does_not_matter},
    {"the struct may have any name", test_the_struct_may_have_any_name},
    {"isolated buses are left out", test_isolated_buses_are_left_out},
    {"faults are named with file and line", test_faults_are_named_with_file_and_line},
    {"files that are no case are refused", test_files_that_are_no_case_are_refused},
    {"costs that cannot be traded leave the network",
     test_costs_that_cannot_be_traded_leave_the_network},
    {"pieces must not become flatter", test_pieces_must_not_become_flatter},
    {"zero terms do not count", test_zero_terms_do_not_count},
    {"the published conversion is applied", test_the_published_conversion_is_applied},
    {"other conversions are refused by line", test_other_conversions_are_refused_by_line},
    {"truncated cases are read or refused", test_truncated_cases_are_read_or_refused},
    {"absurd sizes are refused in bounded time", test_absurd_sizes_are_refused_in_bounded_time},
    {"files that cannot be read say so", test_files_that_cannot_be_read_say_so},
    {"the pjm5 example has the published flows", test_the_pjm5_example_has_the_published_flows},
    {"the fuzz corpus is read or refused", test_the_fuzz_corpus_is_read_or_refused},
};
TESTKIT_MAIN("matpower", tests)
