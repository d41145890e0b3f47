/* The power flow of a scenario's steps and plans: tests/data/acpf/steps has the numbers. */
#include "core/json.h"
#include "marketkit.h"
#include "resultkit.h"
#include "scenario/certificate.h"
#include "scenario/powerflow.h"
#include "testkit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char two_steps[] = WALRAS_SOURCE_DIR "/tests/data/acpf/steps/scenario.json";
static const char forest[] = WALRAS_SOURCE_DIR "/tests/data/acpf/forest/scenario.json";
static const char ring[] = WALRAS_SOURCE_DIR "/tests/data/acpf/grainger4/case.m";

/* The message of a run that fails. */
static const char *refused(const char *path, size_t step, const char *result,
                           enum walras_status expected)
{
    static struct walras_err err;
    struct scenario_powerflow_settings settings = {.step = step, .result = result};
    struct scenario_powerflow run;

    err = (struct walras_err){0};
    CU_ASSERT_EQUAL(scenario_powerflow_run(path, &settings, &run, &err), expected);
    CU_ASSERT_EQUAL(err.code, expected);
    return err.msg;
}

static struct scenario_powerflow solved(const char *path, size_t step, const char *result)
{
    struct scenario_powerflow_settings settings = {.step = step, .result = result};
    struct scenario_powerflow run = {0};
    struct walras_err err = {0};

    (void)!scenario_powerflow_run(path, &settings, &run, &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL_FATAL(err.code, WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(run.solution.outcome, GRID_POWERFLOW_SOLVED);
    return run;
}

static void expect_known_flow(const struct scenario_powerflow *run)
{
    CU_ASSERT_EQUAL(run->step, 1);
    CU_ASSERT_DOUBLE_EQUAL(run->solution.vm_pu[1], 0.96, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(run->solution.from_kw[0], 1240.0, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(run->solution.from_kvar[0], -680.0, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(run->solution.loss_kw, 280.0, 1e-5);
}

static void test_what_is_fixed_flows_in_the_step_of_largest_draw(void)
{
    struct scenario_powerflow run = solved(two_steps, SCENARIO_ANY_STEP, NULL);

    expect_known_flow(&run);
    CU_ASSERT_EQUAL(run.of, SCENARIO_POWERFLOW_FIXED);
    CU_ASSERT_STRING_EQUAL(scenario_powerflow_name(&run), "two steps");
    scenario_powerflow_release(&run);
}

/* Inverters' kvar are in it: voltages and losses are those that the certificate has found. */
static void test_a_plan_with_inverters_is_that_of_its_certificate(void)
{
    static const char path[] = WALRAS_SOURCE_DIR "/tests/data/acpf/inverter/scenario.json";
    struct scenario_clear_settings settings = marketkit_settings(1e-6);
    char directory[] = "/tmp/walras-powerflow-XXXXXX";
    struct marketkit kit;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    marketkit_clear_file(path, &settings, &kit);
    CU_ASSERT_TRUE_FATAL(marketkit_is_good(&kit));
    CU_ASSERT_EQUAL_FATAL(scenario_result_write(directory, kit.result, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(kit.result->n_inverter == 1 && kit.result->inverter_kvar[0] < -10.0);

    struct scenario_powerflow run = solved(path, 0, directory);

    CU_ASSERT_DOUBLE_EQUAL(run.solution.vm_pu[1], kit.certificate->physics.lowest_v_pu, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(run.solution.loss_kw / 1000.0, kit.certificate->physics.loss_mwh, 1e-9);
    scenario_powerflow_release(&run);
    marketkit_release(&kit);
    resultkit_remove(directory);
}

static void test_a_step_can_be_chosen(void)
{
    struct scenario_powerflow run = solved(two_steps, 0, NULL);

    CU_ASSERT_EQUAL(run.step, 0);
    CU_ASSERT_DOUBLE_EQUAL(run.solution.vm_pu[1], 1.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(run.solution.loss_kw, 0.0, 1e-9);
    scenario_powerflow_release(&run);
    CU_ASSERT_PTR_NOT_NULL(strstr(refused(two_steps, 2, NULL, WALRAS_INVALID),
                                  "there is no step 2: steps are numbered 0 to 1"));
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[400];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/*
 * In step 1 half of `shed` is shed, with half of its 50 kvar; the field gives 200 kW; the cell
 * draws 100/3 kW and three quarters of that in kvar; and the side supply takes 1040/3 kW away: 700
 * + 180 - 100 - 200 + 100/3 + 1040/3 = 960 kW, -935 + 25 - 75 + 25 = -960 kvar.
 */
static const char awards[] = "agent,device,step,draw_kw\n"
                             "home,base,0,0\nhome,base,1,700\n"
                             "home,shed,0,0\nhome,shed,1,180\n"
                             "home,roof,0,0\nhome,roof,1,-100\n"
                             "home,field,0,-5\nhome,field,1,-200\n"
                             "home,cell,0,0\nhome,cell,1,33.333333333\n";
static const char result[] =
    "{\"bus_draw_kw\": [[0, 0], [-5, 613.333333333333]], \"supply\": ["
    "{\"id\": \"main\", \"import_kw\": [0, 960], \"export_kw\": [0, 0]},"
    "{\"id\": \"side\", \"import_kw\": [5, 0], \"export_kw\": [0, 346.666666667]}]}";

static void test_a_plan_flows_with_what_is_exchanged_elsewhere(void)
{
    const char *directory = resultkit_directory();

    CU_ASSERT_FATAL(directory != NULL);
    write_file(directory, "awards.csv", awards);
    write_file(directory, "result.json", result);
    struct scenario_powerflow run = solved(two_steps, SCENARIO_ANY_STEP, directory);

    CU_ASSERT_EQUAL(run.of, SCENARIO_POWERFLOW_PLAN);
    expect_known_flow(&run);
    scenario_powerflow_release(&run);
    run = solved(two_steps, 0, directory); /* the side supply brings what the field gives too */
    CU_ASSERT_DOUBLE_EQUAL(run.injection_kw[1], 10.0, 1e-9);
    scenario_powerflow_release(&run);
    resultkit_remove(directory);
}

static void test_results_of_other_markets_are_refused(void)
{
    const char *directory = resultkit_directory();

    CU_ASSERT_FATAL(directory != NULL);
    (void)refused(two_steps, 1, directory, WALRAS_IO); /* nothing there */
    write_file(directory, "result.json", "{\"bus_draw_kw\": null}");
    CU_ASSERT_PTR_NOT_NULL(strstr(refused(two_steps, 1, directory, WALRAS_INVALID),
                                  "/bus_draw_kw: there is no plan: the market could not be"));
    write_file(directory, "result.json", result);
    write_file(directory, "awards.csv", "agent,device,step,draw_kw\nhome,base,0,0\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(refused(two_steps, 1, directory, WALRAS_INVALID),
                                  "awards.csv: not a result of this scenario"));
    write_file(directory, "awards.csv",
               "agent,device,step,draw_kw\n1,b,0,0\n1,b,1,0\n1,b,2,0\n1,b,3,0\n1,b,4,0\n"
               "2,b,0,0\n2,b,1,0\n2,b,2,0\n2,b,3,0\n2,b,4,0\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(refused(two_steps, 1, directory, WALRAS_INVALID),
                                  "awards.csv: not a result of this scenario"));
    write_file(directory, "awards.csv", awards);
    write_file(directory, "result.json", "{\"bus_draw_kw\": [[0, 0], [-5, 613]], \"supply\": []}");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refused(two_steps, 1, directory, WALRAS_INVALID), "bus b, step 1: not what the"));
    write_file(directory, "result.json",
               "{\"bus_draw_kw\": [[0, 0], [-5, 613.3333333333]], \"supply\": []}");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refused(two_steps, 1, directory, WALRAS_INVALID), "/supply: expected"));
    resultkit_remove(directory);
}

static void test_a_case_is_solved_as_it_stands(void)
{
    struct scenario_powerflow run = solved(ring, SCENARIO_ANY_STEP, NULL);

    CU_ASSERT_EQUAL(run.of, SCENARIO_POWERFLOW_CASE);
    CU_ASSERT_DOUBLE_EQUAL(run.solution.vm_pu[2], 0.969, 1e-5);
    scenario_powerflow_release(&run);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refused(ring, 0, NULL, WALRAS_INVALID), "a MATPOWER case is one state"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refused(ring, SCENARIO_ANY_STEP, "/tmp", WALRAS_INVALID),
                                  "a MATPOWER case is one state"));
}

static double first_number(const struct walras_json *root, const char *key, size_t i, size_t n)
{
    struct walras_range any = {.low = -HUGE_VAL, .high = HUGE_VAL};
    struct walras_json array = {0};
    double value = NAN;

    CU_ASSERT_FATAL(walras_json_find(root, key, &array));
    CU_ASSERT_EQUAL_FATAL(walras_json_count(&array), n);
    struct walras_json node = walras_json_at(&array, i);

    CU_ASSERT_EQUAL(walras_json_number(&node, any, &value, NULL), WALRAS_OK);
    return value;
}

static double whole_number(const struct walras_json *root, const char *key)
{
    struct walras_range any = {.low = -HUGE_VAL, .high = HUGE_VAL};
    struct walras_json node = {0};
    double value = NAN;

    CU_ASSERT_FATAL(walras_json_find(root, key, &node));
    CU_ASSERT_EQUAL(walras_json_number(&node, any, &value, NULL), WALRAS_OK);
    return value;
}

static void test_the_json_has_every_bus_and_line(void)
{
    struct scenario_powerflow run = solved(two_steps, 1, NULL);
    struct walras_json_doc *doc = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    CU_ASSERT_FATAL(file != NULL);
    scenario_powerflow_print_json(&run, file);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_EQUAL_FATAL(walras_json_parse("printed", text, size, &doc, NULL), WALRAS_OK);
    struct walras_json root = walras_json_root(doc);

    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "vm_pu", 1, 2), 0.96, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "va_deg", 1, 2),
                           -atan2(0.28, 0.96) * 180.0 / acos(-1.0), 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "from_mw", 0, 1), 1.24, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "from_mvar", 0, 1), -0.68, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "to_mw", 0, 1), -0.96, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "to_mvar", 0, 1), 0.96, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "injection_mw", 0, 2), 1.24, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(whole_number(&root, "loss_mw"), 0.28, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(whole_number(&root, "loss_mvar"), 0.28, 1e-8);
    CU_ASSERT_EQUAL(first_number(&root, "loss_mw_per_mw", 0, 2), 0.0);
    CU_ASSERT_TRUE(run.loss_factor_kw[1] < 0.0);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "loss_mw_per_mw", 1, 2), run.loss_factor_kw[1],
                           1e-9);
    CU_ASSERT_DOUBLE_EQUAL(first_number(&root, "loss_mw_per_mvar", 1, 2), run.loss_factor_kvar[1],
                           1e-9);
    CU_ASSERT_EQUAL(whole_number(&root, "iterations"), run.solution.iterations);
    CU_ASSERT_EQUAL(whole_number(&root, "step"), 1.0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"bus\": [\"a\", \"b\"]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"line\": [\"ab\"]"));
    walras_json_free(doc);
    free(text);
    scenario_powerflow_release(&run);
}

/* Two trees: each slack gives what its own tree takes. */
static void test_the_table_names_every_slack(void)
{
    struct scenario_powerflow run = solved(forest, 0, NULL);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT_EQUAL(scenario_powerflow_print(&run, 1, file, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  slack      100 kW, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ", given at bus s\n  slack      60 kW, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ", given at bus z\n"));
    free(text);
    scenario_powerflow_release(&run);
}

/* Bus b is below its 0.97; the line carries hypot(1240, 680) = 1414.21 kVA of 2000. */
static void test_the_table_names_what_is_worst(void)
{
    struct scenario_powerflow run = solved(two_steps, 1, NULL);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT_EQUAL(scenario_powerflow_print(&run, 1, file, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "fixed draws alone in step 1 (2026-07-01T01:00:00Z)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "losses     280 kW, 280 kvar; 22.58 % of what is fed in"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "0.96000 p.u. at bus b to 1.00000 at bus a; 1 bus outside"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0.97 .. 1.1  outside\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "\n  a "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "1414.21  70.7 % of 2000\n"));
    free(text);
    scenario_powerflow_release(&run);
}

static const struct testkit_test tests[] = {
    {"what is fixed flows in the step of largest draw",
     test_what_is_fixed_flows_in_the_step_of_largest_draw},
    {"a plan with inverters is that of its certificate",
     test_a_plan_with_inverters_is_that_of_its_certificate},
    {"a step can be chosen", test_a_step_can_be_chosen},
    {"a plan flows with what is exchanged elsewhere",
     test_a_plan_flows_with_what_is_exchanged_elsewhere},
    {"results of other markets are refused", test_results_of_other_markets_are_refused},
    {"a case is solved as it stands", test_a_case_is_solved_as_it_stands},
    {"the json has every bus and line", test_the_json_has_every_bus_and_line},
    {"the table names what is worst", test_the_table_names_what_is_worst},
    {"the table names every slack", test_the_table_names_every_slack},
};
TESTKIT_MAIN("power flow of scenarios", tests)
