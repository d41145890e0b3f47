#include "scenario/result_internal.h"

#include "core/text.h"

#include <math.h>
#include <string.h>

/* An empty field when there is no number. */
void result_put_number(FILE *file, double value, const char *end)
{
    char text[WALRAS_NUMBER_TEXT];

    if (isfinite(value)) {
        size_t size = walras_number_text(value, text);

        fwrite(text, 1, size, file);
    }
    fputs(end, file);
}

/* A field as CSV wants it: in quotes when it holds a comma, a quote or a line break. */
static void write_field(FILE *file, const char *field, const char *end)
{
    bool quoted = strpbrk(field, ",;\"\r\n") != NULL;

    if (quoted)
        fputc('"', file);
    for (const char *at = field; *at; at++) {
        if (*at == '"')
            fputc('"', file);
        fputc(*at, file);
    }
    if (quoted)
        fputc('"', file);
    fputs(end, file);
}

void result_write_awards(FILE *file, const struct scenario_result *result)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;

    fputs("agent,device,step,draw_kw\n", file);
    for (size_t d = 0; d < scenario->n_device && result->award_kw; d++)
        for (size_t t = 0; t < n_step; t++) {
            write_field(file, scenario->agents[scenario->device_agent[d]].id, ",");
            write_field(file, scenario->devices[d].id, ",");
            fprintf(file, "%zu,", t);
            result_put_number(file, round(1e9 * result->award_kw[d * n_step + t]) / 1e9, "\n");
        }
}

void result_write_prices(FILE *file, const struct scenario_result *result)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;
    char start[SCENARIO_TIME_TEXT];

    fputs("bus,step,start,price_per_mwh\n", file);
    for (size_t b = 0; b < scenario->network.n_bus && result->market->price_per_mwh; b++)
        for (size_t t = 0; t < n_step; t++) {
            write_field(file, scenario->network.buses[b].id, ",");
            scenario_step_text(scenario, t, start);
            fprintf(file, "%zu,%s,", t, start);
            result_put_number(file, result->market->price_per_mwh[b * n_step + t], "\n");
        }
}

void result_write_rounds(FILE *file, const struct scenario_result *result)
{
    fputs("round,dual_value,bound,objective,gap,imbalance_kw,price_move_per_mwh,binding,oracle_s,"
          "method_s,elapsed_s\n",
          file);
    for (unsigned r = 0; r < result->market->n_rounds; r++) {
        const struct market_round *round = &result->market->history[r];

        fprintf(file, "%u,", round->round);
        result_put_number(file, round->dual_value, ",");
        result_put_number(file, round->bound, ",");
        result_put_number(file, round->objective, ",");
        result_put_number(file, round->gap, ",");
        result_put_number(file, round->imbalance_kw, ",");
        result_put_number(file, round->price_move_per_mwh, ",");
        fprintf(file, "%zu,%.6f,%.6f,%.6f\n", round->n_binding, round->oracle_s, round->method_s,
                round->elapsed_s);
    }
}
