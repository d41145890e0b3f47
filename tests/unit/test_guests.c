/* Participants that are none of the scenario's own, announced to before they are asked. */
#include "scenario/clear.h"
#include "testkit.h"

#include <stdio.h>
#include <string.h>

static const char text[] =
    "{\"walras\": 1, \"horizon\": {\"start\": \"2026-07-01T00:00:00Z\", \"step_minutes\": 60, "
    "\"steps\": 2}, \"grid\": {\"copperplate\": true}, \"supply\": [{\"id\": \"s\", \"bus\": "
    "\"1\", "
    "\"price_per_mwh\": [50, 80]}], \"agents\": [{\"id\": \"a\", \"bus\": \"1\", \"devices\": "
    "[{\"id\": \"d\", \"type\": \"load\", \"draw_kw\": 3}]}]}";

/* Draws 10 kW in the cheaper step; it may fail as an agent on the network may. */
struct guest {
    const double *announced; /* prices; NULL: nothing was announced */
    size_t n_announced, n_asked;
    bool fails, surprised;
};

static enum walras_status announce(void *context, const struct market_query *query,
                                   struct walras_err *err)
{
    struct guest *guest = context;

    guest->announced = query->price_per_mwh;
    guest->n_announced += query->n_point;
    return guest->fails ? walras_fail(err, WALRAS_UNAVAILABLE, "nobody answers") : WALRAS_OK;
}

static enum walras_status respond(void *self, size_t part, unsigned worker,
                                  const double *price_per_mwh, double *draw_kw,
                                  struct market_answer *answer, struct walras_err *err)
{
    struct guest *guest = self;
    size_t cheap = price_per_mwh[1] < price_per_mwh[0];

    (void)part;
    (void)worker;
    (void)err;
    guest->n_asked++;
    guest->surprised |= !guest->announced;
    draw_kw[cheap] = 10.0;
    draw_kw[!cheap] = 0.0;
    *answer = (struct market_answer){.cost = 0.0, .bound = 0.01 * price_per_mwh[cheap]};
    return WALRAS_OK;
}

static enum walras_status clear_with(struct guest *guest, struct scenario *scenario,
                                     struct scenario_clearing **made, struct walras_err *err)
{
    static const struct market_oracle_ops ops = {.respond = respond};
    const struct market_group group = {.oracle = {.ops = &ops, .self = guest, .n_part = 1},
                                       .swing_kw = 10.0,
                                       .kind = 99,
                                       .n_device = 1,
                                       .name = "guest"};
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();

    CU_ASSERT_EQUAL_FATAL(scenario_parse("t", text, strlen(text), &reading, scenario, err),
                          WALRAS_OK);
    settings.market.announce = announce;
    settings.market.context = guest;
    settings.market.n_point = 3;
    settings.guests = &group;
    settings.n_guest = 1;
    return scenario_clear(scenario, &settings, made, err);
}

/* The guest takes its 10 kW at 50, beside the load's 3 kW: 0.653 + 0.24 of energy. */
static void test_guests_take_part(void)
{
    struct guest guest = {0};
    struct scenario scenario = {0};
    struct scenario_clearing *clearing = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL_FATAL(clear_with(&guest, &scenario, &clearing, &err), WALRAS_OK);

    const struct scenario_result *result = scenario_clearing_result(clearing);

    CU_ASSERT_EQUAL(result->market->outcome, MARKET_CONVERGED);
    TESTKIT_CLOSE(result->bus_draw_kw[0], 13.0, 1e-9);
    TESTKIT_CLOSE(result->bus_draw_kw[1], 3.0, 1e-9);
    TESTKIT_CLOSE(result->import_kw[0], 13.0, 1e-9);
    TESTKIT_CLOSE(result->market->objective, 0.65 + 0.24, 1e-9);
    CU_ASSERT_PTR_NULL(result->certificate); /* whoever knows the guest makes it */
    CU_ASSERT_EQUAL(guest.n_asked, guest.n_announced);
    CU_ASSERT_TRUE(guest.n_asked > 0);
    CU_ASSERT_FALSE(guest.surprised);
    scenario_clearing_free(clearing);
    scenario_release(&scenario);
}

static void test_a_failed_announcement_ends_the_clearing(void)
{
    struct guest guest = {.fails = true};
    struct scenario scenario = {0};
    struct scenario_clearing *clearing = NULL;
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(clear_with(&guest, &scenario, &clearing, &err), WALRAS_UNAVAILABLE);
    CU_ASSERT_STRING_EQUAL(err.msg, "nobody answers");
    CU_ASSERT_EQUAL(guest.n_asked, 0);
    scenario_release(&scenario);
}

static const struct testkit_test tests[] = {
    {"guests take part", test_guests_take_part},
    {"a failed announcement ends the clearing", test_a_failed_announcement_ends_the_clearing},
};

TESTKIT_MAIN("guests", tests)
