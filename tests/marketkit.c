#include "marketkit.h"

#include "core/json.h"

#include "testkit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct scenario_clear_settings marketkit_settings(double gap)
{
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();

    settings.market.gap = gap;
    settings.market.max_rounds = 500;
    return settings;
}

static void clear_scenario(const struct scenario_clear_settings *settings, struct marketkit *kit)
{
    if (kit->status != WALRAS_OK)
        return;
    kit->status = scenario_clear(&kit->scenario, settings, &kit->clearing, &kit->err);
    if (kit->status != WALRAS_OK)
        return;
    kit->result = scenario_clearing_result(kit->clearing);
    kit->market = kit->result->market;
    kit->certificate = kit->result->certificate;
}

void marketkit_clear(const char *text, const char *directory,
                     const struct scenario_clear_settings *settings, struct marketkit *out)
{
    struct scenario_settings reading = scenario_settings_defaults();

    *out = (struct marketkit){0};
    reading.directory = directory;
    out->status = scenario_parse("test", text, strlen(text), &reading, &out->scenario, &out->err);
    clear_scenario(settings, out);
    if (out->status != WALRAS_OK)
        fprintf(stderr, "%s: %s\n", walras_status_name(out->status), out->err.msg);
}

void marketkit_clear_file(const char *path, const struct scenario_clear_settings *settings,
                          struct marketkit *out)
{
    *out = (struct marketkit){0};
    out->status = scenario_read(path, &out->scenario, &out->err);
    clear_scenario(settings, out);
    if (out->status != WALRAS_OK)
        fprintf(stderr, "%s: %s\n", walras_status_name(out->status), out->err.msg);
}

void marketkit_release(struct marketkit *kit)
{
    scenario_clearing_free(kit->clearing);
    scenario_release(&kit->scenario);
    *kit = (struct marketkit){0};
}

bool marketkit_is_good(const struct marketkit *kit)
{
    if (kit->status != WALRAS_OK || kit->market->outcome != MARKET_CONVERGED || !kit->certificate)
        return false;
    const struct scenario_certificate *certificate = kit->certificate;
    double size = fmax(1.0, fabs(certificate->objective));

    return certificate->clean && kit->market->bound <= kit->market->objective + 1e-9 * size &&
           certificate->gap <= kit->result->gap_asked + 1e-9;
}

size_t marketkit_bus(const struct marketkit *kit, const char *id)
{
    size_t bus = grid_network_find_bus(&kit->scenario.network, id);

    CU_ASSERT_NOT_EQUAL_FATAL(bus, SIZE_MAX);
    return bus;
}

size_t marketkit_device(const struct marketkit *kit, const char *agent, const char *device)
{
    const struct scenario *s = &kit->scenario;

    for (size_t i = 0; i < s->n_device; i++)
        if (strcmp(s->agents[s->device_agent[i]].id, agent) == 0 &&
            strcmp(s->devices[i].id, device) == 0)
            return i;
    fprintf(stderr, "there is no device %s of agent %s\n", device, agent);
    CU_FAIL_FATAL("no such device");
    return SIZE_MAX;
}

double marketkit_price(const struct marketkit *kit, const char *bus, size_t step)
{
    return kit->market->price_per_mwh[marketkit_bus(kit, bus) * kit->market->n_step + step];
}

double marketkit_award(const struct marketkit *kit, const char *agent, const char *device,
                       size_t step)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit->result->awards);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit->result->awards->draw_kw);
    return kit->result->awards
        ->draw_kw[marketkit_device(kit, agent, device) * kit->scenario.horizon.n_step + step];
}

double marketkit_oracle_optimum(const char *name)
{
    char path[256];
    const char *found = NULL;
    struct walras_json_doc *doc = NULL;
    struct walras_json root, node;
    double objective = NAN;

    snprintf(path, sizeof(path), "oracle/%s.optimum.json", name);
    found = testkit_reference(path);
    if (!found)
        return objective;
    CU_ASSERT_EQUAL_FATAL(walras_json_read(found, &doc, NULL), WALRAS_OK);
    root = walras_json_root(doc);
    CU_ASSERT_EQUAL(walras_json_need(&root, "objective", &node, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(walras_json_number(&node, (struct walras_range){-HUGE_VAL, HUGE_VAL, 0, 0},
                                       &objective, NULL),
                    WALRAS_OK);
    walras_json_free(doc);
    return objective;
}
