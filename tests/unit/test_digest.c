#include "resultkit.h"
#include "scenario/digest.h"
#include "scenario/words.h"
#include "testkit.h"

#include <stdio.h>
#include <string.h>

/* What people are told of the kit's result; static. */
static const char *digest(const struct resultkit *kit)
{
    static char text[8192];
    struct walras_err err = {0};
    FILE *file = fmemopen(text, sizeof(text), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(scenario_digest_print(file, &kit->result, &err), WALRAS_OK);
    fclose(file);
    return text;
}

static void check_says(const char *text, const char *words, bool says)
{
    bool said = strstr(text, words) != NULL;

    if (said != says)
        fprintf(stderr, "\"%s\" is %sin: %s\n", words, says ? "not " : "", text);
    CU_ASSERT_EQUAL(said, says);
}

/*
 * Line B-C binds in step 2, 00:30 to 00:45; its 12.5 EUR/MWh lift the price there to 72.5.
 */
static void test_a_result_is_told_in_plain_numbers(void)
{
    struct resultkit kit;

    resultkit_init(&kit);
    const char *text = digest(&kit);

    check_says(text, "it's a `test`: cleared in 3 rounds, ", true);
    check_says(text, "lowest 40.00 at every bus, 00:00; highest 72.50 at bus C, 00:30", true);
    check_says(text, "full line  B-C (bus B to C, 100 kW) in 1 step between 00:30 and 00:45", true);
    check_says(text, "; one more MW would save up to 12.50 EUR/MWh", true);
    check_says(text, "; import ", true);
    check_says(text, "soft limits 1 time, by up to 3.125 kW", true);
    check_says(text, "certified  imbalance 0 kW", true);
    kit.scenario.n_supply = 0;
    kit.lines[1].limit_kw = 123456.0;
    text = digest(&kit);
    check_says(text, "import", false);
    check_says(text, "(bus B to C, 123.5 MW)", true);
    resultkit_release(&kit);
}

static void test_a_plan_that_is_not_certified_is_not_praised(void)
{
    struct resultkit kit;

    resultkit_init(&kit);
    kit.certificate.clean = false;
    kit.market.outcome = MARKET_ROUND_LIMIT;
    const char *text = digest(&kit);

    check_says(text, "it's a `test`: the plan below is NOT certified; stopped at the round limit",
               true);
    check_says(text, "feasible", false);
    check_says(text, "NOT CERTIFIED: ", true);
    kit.certificate.clean = true;
    text = digest(&kit);
    check_says(text, "the plan below is feasible", true);
    check_says(text, "NOT", false);
    resultkit_release(&kit);
}

/* A limit of 0 kW holds in both directions: 20 − 7.5 are worth 12.5, in all four steps once. */
static void test_a_line_full_in_both_directions_counts_once(void)
{
    struct market_binding binding[2 * RESULTKIT_STEP];
    struct resultkit kit;

    resultkit_init(&kit);
    for (uint32_t t = 0; t < RESULTKIT_STEP; t++) {
        binding[2 * t] = (struct market_binding){1, t, 1, 20.0};
        binding[2 * t + 1] = (struct market_binding){1, t, -1, 7.5};
    }
    kit.market.binding = binding;
    kit.market.n_binding = 2 * RESULTKIT_STEP;
    const char *text = digest(&kit);

    check_says(text, "in 4 steps between 00:00 and 01:00; one more MW would save up to 12.50",
               true);
    /* a whole day of six hours a step ends at 24:00 */
    kit.scenario.step_min = 360;
    kit.scenario.horizon.step_h = 6.0;
    text = digest(&kit);
    check_says(text, "in 4 steps between 00:00 and 24:00", true);
    resultkit_release(&kit);
}

static void test_what_on_off_choices_cost_is_told(void)
{
    struct resultkit kit;

    resultkit_init(&kit);
    kit.market.convex_objective = 9.9995; /* 0.0005 of 10: 5e-5 */
    check_says(digest(&kit),
               "of the gap, 5.0e-05 is what these on/off choices cost against mixing them", true);
    resultkit_release(&kit);
}

static void test_quantities_never_have_exponents(void)
{
    static const struct {
        double kw;
        const char *words;
    } powers[] = {{0.0, "0 kW"},         {0.00001, "under 0.0001 kW"}, {0.0123456, "0.01235 kW"},
                  {12.3456, "12.35 kW"}, {999.97, "1000 kW"},          {9999.0, "9999 kW"},
                  {9999.7, "10 MW"},     {-12345.0, "-12.35 MW"},      {1.2e9, "1200000 MW"}};
    static const struct {
        double mwh;
        const char *words;
    } energies[] = {
        {1e-9, "0 kWh"}, {0.0125, "12.5 kWh"}, {0.1, "0.100 MWh"}, {1234.5, "1234.500 MWh"}};
    char words[SCENARIO_WORDS];

    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
        scenario_power_words(powers[i].kw, words);
        CU_ASSERT_STRING_EQUAL(words, powers[i].words);
    }
    for (size_t i = 0; i < sizeof(energies) / sizeof(energies[0]); i++) {
        scenario_energy_words(energies[i].mwh, words);
        CU_ASSERT_STRING_EQUAL(words, energies[i].words);
    }
}

static const struct testkit_test tests[] = {
    {"a result is told in plain numbers", test_a_result_is_told_in_plain_numbers},
    {"a plan that is not certified is not praised",
     test_a_plan_that_is_not_certified_is_not_praised},
    {"a line full in both directions counts once", test_a_line_full_in_both_directions_counts_once},
    {"what on/off choices cost is told", test_what_on_off_choices_cost_is_told},
    {"quantities never have exponents", test_quantities_never_have_exponents},
};
TESTKIT_MAIN("digest", tests)
