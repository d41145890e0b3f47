#include "core/json.h"
#include "marketkit.h"
#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Seven DC optimal power flows solved by MATPOWER and polished (reference data, not shipped): the
 * case file cleared as a market must cost the same and give every bus the same price, or one within
 * the range of all optimal ones where prices are not unique.
 */

static double number_at(const struct walras_json *array, size_t i)
{
    struct walras_json node = walras_json_at(array, i);
    double value = NAN;

    CU_ASSERT_EQUAL(
        walras_json_number(&node, (struct walras_range){-HUGE_VAL, HUGE_VAL, 0, 0}, &value, NULL),
        WALRAS_OK);
    return value;
}

/* Buses of a case are in the order of its bus table; lmp_min and lmp_max are there at times. */
static void compare_prices(const struct walras_json *root, const struct marketkit *kit)
{
    struct walras_json bus, lmp, lmp_min, lmp_max;
    double worst = 0.0;

    CU_ASSERT_EQUAL_FATAL(walras_json_need(root, "bus", &bus, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL_FATAL(walras_json_need(&bus, "lmp", &lmp, NULL), WALRAS_OK);
    bool range =
        walras_json_find(&bus, "lmp_min", &lmp_min) && walras_json_find(&bus, "lmp_max", &lmp_max);

    CU_ASSERT_EQUAL_FATAL(walras_json_count(&lmp), kit->market->n_bus);
    for (size_t b = 0; b < kit->market->n_bus; b++) {
        double low = range ? number_at(&lmp_min, b) : number_at(&lmp, b);
        double high = range ? number_at(&lmp_max, b) : number_at(&lmp, b);
        double price = kit->market->price_per_mwh[b];

        worst = fmax(worst, fmax(low - price, price - high));
    }
    printf("prices within %.1e ", fmax(worst, 0.0));
    CU_ASSERT_TRUE(worst <= 1e-3);
}

static void compare(const char *name)
{
    struct scenario_clear_settings settings = marketkit_settings(1e-8);
    struct walras_json_doc *doc = NULL;
    struct marketkit kit = {0};
    char path[256];
    const char *found = NULL;

    snprintf(path, sizeof(path), "dcopf/%s.json", name);
    found = testkit_reference(path);
    if (!found)
        return;
    CU_ASSERT_EQUAL_FATAL(walras_json_read(found, &doc, NULL), WALRAS_OK);
    snprintf(path, sizeof(path), "dcopf/%s.m", name);
    found = testkit_reference(path);
    if (found) {
        struct walras_json root = walras_json_root(doc), node;
        double objective = NAN;

        CU_ASSERT_EQUAL(walras_json_need(&root, "objective", &node, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(walras_json_number(&node, (struct walras_range){-HUGE_VAL, HUGE_VAL, 0, 0},
                                           &objective, NULL),
                        WALRAS_OK);
        marketkit_clear_file(found, &settings, &kit);
        CU_ASSERT_TRUE(marketkit_is_good(&kit));
        if (kit.market && kit.market->has_plan) {
            TESTKIT_CLOSE(kit.market->objective, objective, 1e-6);
            CU_ASSERT_TRUE(kit.market->bound <= objective * (1.0 + 1e-9));
            CU_ASSERT_TRUE(kit.market->seconds < 2.0);
            compare_prices(&root, &kit);
        }
        marketkit_release(&kit);
    }
    walras_json_free(doc);
}

static void test_case5_shipped(void)
{
    compare("case5.shipped");
}

static void test_case5_stressed(void)
{
    compare("case5.stressB");
}

static void test_case9_stressed(void)
{
    compare("case9.stressA");
}

static void test_case30_stressed(void)
{
    compare("case30.stressB");
}

static void test_case39_stressed(void)
{
    compare("case39.stressA");
}

static void test_case118_stressed(void)
{
    compare("case118.stressB");
}

static void test_activsg200_shipped(void)
{
    compare("case_ACTIVSg200.shipped");
}

static const struct testkit_test tests[] = {
    {"case5 as shipped clears at MATPOWER's prices", test_case5_shipped},
    {"case5 stressed clears at MATPOWER's prices", test_case5_stressed},
    {"case9 stressed clears at MATPOWER's prices", test_case9_stressed},
    {"case30 stressed clears at MATPOWER's prices", test_case30_stressed},
    {"case39 stressed clears at MATPOWER's prices", test_case39_stressed},
    {"case118 stressed clears at MATPOWER's prices", test_case118_stressed},
    {"ACTIVSg200 as shipped clears at MATPOWER's prices", test_activsg200_shipped},
};
TESTKIT_MAIN("reference DC optimal power flows", tests)
