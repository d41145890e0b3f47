/*
 * Growth: one market at all sizes, from a hundred devices to a million. Batteries, cars, cars that
 * give back, heat pumps and roofs behind 32 limited feeders in two levels, and an import limit;
 * cleared to a certified gap of 1e-4.
 *
 *     bench_scale                    the tables of docs/mathematics.md
 *     bench_scale N T [THREADS]      one line: N devices over T steps of a day
 *     bench_scale market N T         the market itself, as `walras clear` reads it
 */
#include "writer.h"

#include "core/clock.h"
#include "scenario/clear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISTRICTS = 4, STREETS = 7 };

/* Every district hangs on the intake, every street on its district. */
static void put_grid(struct writer *w, double per_device_kw, unsigned n)
{
    double street_kw = per_device_kw * n / (DISTRICTS * STREETS);

    put(w, "\"grid\": {\"base_mva\": 100, \"slack\": \"intake\", \"model\": \"dc\",\n\"buses\": [");
    put(w, "{\"id\": \"intake\", \"base_kv\": 110}");
    for (int d = 0; d < DISTRICTS; d++) {
        put(w, ",\n{\"id\": \"d%d\", \"base_kv\": 20}", d + 1);
        for (int s = 0; s < STREETS; s++)
            put(w, ", {\"id\": \"d%ds%d\", \"base_kv\": 20}", d + 1, s + 1);
    }
    put(w, "],\n\"lines\": [");
    for (int d = 0; d < DISTRICTS; d++) {
        put(w,
            "%s\n{\"id\": \"to-d%d\", \"from\": \"intake\", \"to\": \"d%d\", \"r_pu\": 0.01, "
            "\"x_pu\": 0.02, \"limit_kw\": %.3f}",
            d ? "," : "", d + 1, d + 1, STREETS * street_kw * (0.76 + 0.06 * d));
        for (int s = 0; s < STREETS; s++)
            put(w,
                ",\n{\"id\": \"to-d%ds%d\", \"from\": \"d%d\", \"to\": \"d%ds%d\", \"r_pu\": 0.01, "
                "\"x_pu\": 0.02, \"limit_kw\": %.3f}",
                d + 1, s + 1, d + 1, d + 1, s + 1, street_kw * (0.7 + 0.06 * s));
    }
    put(w, "]},\n");
}

static void put_supply(struct writer *w, double limit_kw, unsigned n_step)
{
    put(w, "\"supply\": [{\"id\": \"outside\", \"bus\": \"intake\", \"import_limit_kw\": %.3f, ",
        limit_kw);
    put(w, "\"export_limit_kw\": %.3f,\n\"price_per_mwh\": [", limit_kw);
    for (unsigned t = 0; t < n_step; t++)
        put(w, "%s%.2f", t ? ", " : "", price_at((t + 0.5) / n_step));
    put(w, "],\n\"export_price_per_mwh\": [");
    for (unsigned t = 0; t < n_step; t++)
        put(w, "%s%.2f", t ? ", " : "", 0.6 * price_at((t + 0.5) / n_step));
    put(w, "]}],\n");
}

static void write_market(struct writer *w, unsigned n, unsigned n_step)
{
    const double per_device_kw = 0.6;

    put(w, "{\"walras\": 1, \"name\": \"Metropolis, %u devices\", \"currency\": \"EUR\",\n", n);
    put(w,
        "\"horizon\": {\"start\": \"2026-10-01T00:00:00+02:00\", \"step_minutes\": %u, "
        "\"steps\": %u},\n",
        1440 / n_step, n_step);
    put_grid(w, per_device_kw, n);
    put_supply(w, 0.8 * per_device_kw * n, n_step);
    put(w, "\"fleets\": [{\"id\": \"home\", \"count\": %u, \"seed\": 7, \"buses\": [", n);
    for (int d = 0; d < DISTRICTS; d++)
        for (int s = 0; s < STREETS; s++)
            put(w, "%s\"d%ds%d\"", d + s > 0 ? ", " : "", d + 1, s + 1);
    put(w, "],\n\"mix\": {\"ev\": 0.4, \"v2g\": 0.05, \"battery\": 0.15, \"thermal\": 0.3, "
           "\"pv\": 0.1}}]}\n");
}

static int fail(const struct walras_err *err)
{
    fprintf(stderr, "bench_scale: %s\n", err->msg);
    return EXIT_FAILURE;
}

static double peak_mb(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

static void print_line(const struct scenario_result *result, unsigned n_thread, double read_s,
                       double total_s)
{
    const struct market_result *m = result->market;
    size_t n = result->scenario->n_device;
    double mb = peak_mb(), solving_s = m->oracle_s + result->judging_s;

    printf("%8zu %4zu %3u %7zu %6u  %6.2f %6.2f %8.2f %8.2f %7.2f %8.2f  %4.0f %% %7.0f %7.0f  "
           "%9.1e  %s\n",
           n, result->scenario->horizon.n_step, n_thread, m->n_group, m->n_rounds, read_s,
           result->setup_s, m->oracle_s, m->method_s, result->judging_s, total_s,
           100.0 * solving_s / total_s, mb, mb * 1024.0 * 1024.0 / (double)n,
           result->certificate ? result->certificate->gap : (double)NAN,
           market_outcome_name(m->outcome));
    fflush(stdout);
}

static int run(unsigned n, unsigned n_step, unsigned n_thread)
{
    static struct writer writer;
    struct scenario_clear_settings settings = scenario_clear_settings_defaults();
    struct scenario_settings reading = scenario_settings_defaults();
    struct scenario scenario;
    struct scenario_clearing *clearing = NULL;
    struct walras_err err = {0};
    double start_s = walras_monotonic_s(), read_s = 0.0;

    write_market(&writer, n, n_step);
    if (scenario_parse("bench", writer.text, writer.n, &reading, &scenario, &err) != WALRAS_OK)
        return fail(&err);
    read_s = walras_monotonic_s() - start_s;
    settings.market.n_thread = n_thread;
    if (scenario_clear(&scenario, &settings, &clearing, &err) != WALRAS_OK) {
        scenario_release(&scenario);
        return fail(&err);
    }
    print_line(scenario_clearing_result(clearing), n_thread, read_s,
               walras_monotonic_s() - start_s);
    scenario_clearing_free(clearing);
    scenario_release(&scenario);
    return EXIT_SUCCESS;
}

/* In a process of its own, so that its memory is its own. */
static int run_apart(unsigned n, unsigned n_step, unsigned n_thread)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(run(n, n_step, n_thread));
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : EXIT_FAILURE;
}

static unsigned number(int argc, char **argv, int at, unsigned otherwise)
{
    return at < argc ? (unsigned)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static const unsigned steps[] = {24, 96};
    bool market = argc > 1 && strcmp(argv[1], "market") == 0;
    unsigned n = number(argc, argv, market ? 2 : 1, 0);
    unsigned n_step = number(argc, argv, market ? 3 : 2, 96);
    long n_core = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n_thread = number(argc, argv, 3, n_core > 1 ? (unsigned)n_core : 1);

    if (argc > 1 && (n < 1 || n_step < 1 || n_step > 1440 || n_thread < 1)) {
        fputs("usage: bench_scale [[market] DEVICES STEPS | DEVICES STEPS THREADS]\n", stderr);
        return 2;
    }
    if (market) {
        static struct writer writer;

        write_market(&writer, n, n_step);
        fwrite(writer.text, 1, writer.n, stdout);
        return EXIT_SUCCESS;
    }
    puts(
        " devices    T thr  groups rounds    read  setup  devices   prices  awards    total  solves"
        "      MB  B/dev.  certified");
    if (argc > 1)
        return run(n, n_step, n_thread);
    fflush(stdout);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        for (n = 100; n <= 1000000; n *= 10)
            if (run_apart(n, steps[i], n_thread) != EXIT_SUCCESS)
                return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
