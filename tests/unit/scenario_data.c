#include "scenario_data.h"

#include <stdio.h>
#include <string.h>

enum walras_status parse_text(const char *text, struct scenario *out, struct walras_err *err)
{
    struct scenario_settings settings = scenario_settings_defaults();

    settings.directory = WALRAS_SOURCE_DIR "/tests/data/scenario";
    return scenario_parse("t.json", text, strlen(text), &settings, out, err);
}

enum walras_status read_data(const char *name, struct scenario *out, struct walras_err *err)
{
    char path[1000];

    snprintf(path, sizeof(path), "%s/tests/data/scenario/%s", WALRAS_SOURCE_DIR, name);
    return scenario_read(path, out, err);
}
