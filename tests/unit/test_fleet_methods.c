#include "market/method.h"
#include "marketkit.h"
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HORIZON                                                                                    \
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "    \
    "\"steps\": 6}, "
#define COPPERPLATE "\"grid\": {\"copperplate\": true}, "

/*
 * Batteries, cars and heat pumps with quadratic costs, on/off loads among them: every method on
 * devices of all kinds, in several parts a group, judged by the certificate.
 */
static char *write_smooth_homes(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fputs(HORIZON COPPERPLATE "\"supply\": [", out);
    for (unsigned k = 0; k < 8; k++)
        fprintf(out,
                "%s{\"id\": \"s%u\", \"bus\": \"1\", \"price_per_mwh\": %u, "
                "\"import_limit_kw\": 400, \"export_limit_kw\": 0}",
                k > 0 ? ", " : "", k, 20 + 15 * k);
    fputs("], \"agents\": [{\"id\": \"a\", \"bus\": \"1\", \"devices\": [{\"id\": \"load\", "
          "\"type\": \"load\", \"draw_kw\": [900, 600, 400, 700, 1300, 1100]}, {\"id\": \"wash\", "
          "\"type\": \"shiftable\", \"profile_kw\": [3, 2], \"earliest\": 0, \"latest\": 4}",
          out);
    for (unsigned i = 0; i < 600; i++)
        fprintf(out, ", {\"id\": \"%u\", \"type\": \"%s\": %.17g, \"wear_per_mw2h\": 4000}", i,
                i % 2 == 0 ? "battery\", \"charge_kw\": 2, \"discharge_kw\": 1.5, "
                             "\"charge_efficiency\": 0.95, \"start_kwh\": 1, \"end_min_kwh\": 1, "
                             "\"wear_per_mwh\": 3, \"capacity_kwh"
                           : "ev\", \"charge_kw\": 3, \"arrive\": 1, \"depart\": 5, \"energy_kwh",
                4.0 + 0.005 * i);
    fputs("]}]}", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool same_bits(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

static bool same_result(const struct marketkit *a, const struct marketkit *b)
{
    size_t n = a->scenario.n_device * a->scenario.horizon.n_step;
    const struct market_result *left = a->market, *right = b->market;

    return left && right && left->n_rounds == right->n_rounds &&
           same_bits(&left->bound, &right->bound, 1) &&
           same_bits(a->result->awards->draw_kw, b->result->awards->draw_kw, n);
}

static void test_every_method_clears_a_fleet(void)
{
    char *text = write_smooth_homes();

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; market_methods()[i]; i++) {
        struct scenario_clear_settings settings = marketkit_settings(2e-3);
        struct marketkit one, four;

        if (market_methods()[i]->takes) /* has tests of its own */
            continue;
        settings.n_group = 1;
        settings.market.method = market_methods()[i]->name;
        marketkit_clear(text, NULL, &settings, &one);
        settings.market.n_thread = 4;
        marketkit_clear(text, NULL, &settings, &four);
        printf("%s %u ", settings.market.method, one.market ? one.market->n_rounds : 0);
        CU_ASSERT_TRUE(marketkit_is_good(&one));
        CU_ASSERT_TRUE(marketkit_is_good(&four) && same_result(&one, &four));
        marketkit_release(&one);
        marketkit_release(&four);
    }
    free(text);
}

static const struct testkit_test tests[] = {
    {"every method clears a fleet, the same with any number of threads",
     test_every_method_clears_a_fleet},
};
TESTKIT_MAIN("fleet methods", tests)
