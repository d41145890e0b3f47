/*
 * libFuzzer target: any bytes as a scenario (or a case). No file is read: the directory is NULL.
 * What is read is described, written out in full, and must read back as the same market.
 */
#include "../unit/same_scenario.h"
#include "scenario/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct scenario_settings settings = {.max_device = 500, .max_step = 200};

static void check_expansion(const struct scenario *scenario)
{
    char *text = expanded(scenario);
    struct scenario again;

    if (!text || scenario_parse("fuzz", text, strlen(text), &settings, &again, NULL) != WALRAS_OK ||
        !same_scenario(scenario, &again))
        abort();
    scenario_release(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario scenario;
    struct scenario_summary summary;
    struct walras_err err = {0};
    enum walras_status status =
        scenario_parse("fuzz", (const char *)data, size, &settings, &scenario, &err);

    if (status != err.code || (status != WALRAS_OK && err.msg[0] == '\0'))
        abort(); /* a failure without a message */
    if (status != WALRAS_OK)
        return 0;
    if (scenario_summarise(&scenario, &summary, NULL) != WALRAS_OK)
        abort();
    check_expansion(&scenario);
    scenario_release(&scenario);
    return 0;
}
