/*
 * Rounds, seconds and who spends them: fleets behind eight feeders, every one of them full for
 * hours, and an import limit, cleared to a certified gap of 1e-4.
 *
 *     bench_clear            the table of docs/mathematics.md
 *     bench_clear N T        one fleet of N devices over T steps of a day
 *     bench_clear N T J G    with J price points a round and about G groups
 */
#include "writer.h"

#include "scenario/clear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEEDERS = 8 };

static void write_market(struct writer *w, unsigned n, unsigned n_step)
{
    double per_feeder_kw = 0.9 * n / FEEDERS;

    put(w,
        "{\"walras\":1,\"name\":\"%u devices, %u "
        "steps\",\"currency\":\"EUR\",\"horizon\":{\"start\":"
        "\"2026-07-01T00:00:00+02:00\",\"step_minutes\":%u,\"steps\":%u},\"grid\":{\"base_mva\":1,"
        "\"slack\":\"s\",\"model\":\"dc\",\"buses\":[{\"id\":\"s\",\"base_kv\":20}",
        n, n_step, 1440 / n_step, n_step);
    for (int f = 0; f < FEEDERS; f++)
        put(w, ",{\"id\":\"f%d\",\"base_kv\":20}", f);
    put(w, "],\"lines\":[");
    for (int f = 0; f < FEEDERS; f++)
        put(w,
            "%s{\"id\":\"l%d\",\"from\":\"s\",\"to\":\"f%d\",\"r_pu\":0.01,\"x_pu\":0.02,"
            "\"limit_kw\":%.3f}",
            f ? "," : "", f, f, per_feeder_kw * (0.85 + 0.05 * f));
    put(w,
        "]},\"supply\":[{\"id\":\"w\",\"bus\":\"s\",\"import_limit_kw\":%.3f,\"export_limit_kw\":%."
        "3f,"
        "\"price_per_mwh\":[",
        0.855 * n, 0.855 * n);
    for (unsigned t = 0; t < n_step; t++)
        put(w, "%s%.2f", t ? "," : "", price_at((t + 0.5) / n_step));
    put(w, "],\"export_price_per_mwh\":[");
    for (unsigned t = 0; t < n_step; t++)
        put(w, "%s%.2f", t ? "," : "", 0.6 * price_at((t + 0.5) / n_step));
    put(w, "]}],\"fleets\":[{\"id\":\"fleet\",\"count\":%u,\"seed\":7,\"buses\":[", n);
    for (int f = 0; f < FEEDERS; f++)
        put(w, "%s\"f%d\"", f ? "," : "", f);
    put(w, "],\"mix\":{\"ev\":0.4,\"battery\":0.3,\"thermal\":0.3}}]}");
}

static int fail(const struct walras_err *err)
{
    fprintf(stderr, "bench_clear: %s\n", err->msg);
    return EXIT_FAILURE;
}

static int run(unsigned n, unsigned n_step, unsigned n_point, unsigned n_group)
{
    static struct writer writer;
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario scenario;
    struct scenario_clearing *clearing = NULL;
    struct walras_err err = {0};

    writer.n = 0;
    write_market(&writer, n, n_step);
    if (scenario_parse("bench", writer.text, writer.n, &reading, &scenario, &err) != WALRAS_OK)
        return fail(&err);
    settings.market.n_point = n_point;
    settings.n_group = n_group;
    if (scenario_clear(&scenario, &settings, &clearing, &err) != WALRAS_OK) {
        scenario_release(&scenario);
        return fail(&err);
    }
    const struct scenario_result *result = scenario_clearing_result(clearing);
    const struct market_result *m = result->market;

    printf("%8u %4u %6u %7zu  %6u  %8.2f  %7.2f  %7.2f  %5.0f %%  %9.1e  %s\n", n, n_step, n_point,
           m->n_group, m->n_rounds, m->seconds, m->oracle_s, m->method_s,
           100.0 * m->method_s / (m->oracle_s + m->method_s),
           result->certificate ? result->certificate->gap : (double)NAN,
           market_outcome_name(m->outcome));
    fflush(stdout);
    scenario_clearing_free(clearing);
    scenario_release(&scenario);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const unsigned table[][3] = {{200, 24, 1},   {2000, 24, 1}, {2000, 24, 5},
                                        {20000, 24, 1}, {2000, 96, 1}, {20000, 96, 1},
                                        {100000, 96, 1}};
    unsigned given[4] = {0, 0, 1, 0};

    for (int i = 1; i < argc && i < 5; i++)
        given[i - 1] = (unsigned)strtoul(argv[i], NULL, 10);
    if (argc > 1 && (given[0] < FEEDERS || given[1] < 1 || given[1] > 1440 || given[2] < 1)) {
        fputs("usage: bench_clear [DEVICES STEPS [POINTS [GROUPS]]]\n", stderr);
        return 2;
    }
    puts(" devices    T points  groups  rounds   seconds  devices   prices  share   certified");
    if (argc > 1)
        return run(given[0], given[1], given[2], given[3]);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (run(table[i][0], table[i][1], table[i][2], 0) != EXIT_SUCCESS)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
