#include "scenario/compare.h"

#include "core/file.h"
#include "scenario/put.h"

#include <math.h>
#include <stdlib.h>

/* One entry per level: when it was reached, null when it was not. */
static void put_reached(struct walras_json_out *out, const char *key,
                        const struct scenario_comparison *c, const struct scenario_run *run,
                        bool bound_alone)
{
    walras_json_out_key(out, key);
    walras_json_out_open(out, '[');
    for (size_t k = 0; k < c->n_level; k++) {
        const struct market_round *round = bound_alone
                                               ? scenario_bound_reaches(c, run, c->levels[k])
                                               : scenario_run_reaches(run, c->levels[k]);

        if (!round) {
            walras_json_out_null(out);
            continue;
        }
        walras_json_out_open(out, '{');
        put_integer(out, "round", round->round);
        put_integer(out, "responses", (int64_t)round->n_responses);
        put_number(out, "seconds", round->elapsed_s);
        walras_json_out_close(out, '}');
    }
    walras_json_out_close(out, ']');
}

static void put_run(struct walras_json_out *out, const struct scenario_comparison *c,
                    const struct scenario_run *run)
{
    static const struct market_round none = {.bound = NAN, .objective = NAN, .gap = NAN};
    const struct market_round *last = scenario_run_last(run);

    if (!last)
        last = &none;
    walras_json_out_open(out, '{');
    put_text(out, "method", run->method);
    put_text(out, "status", scenario_run_end_name(run->end));
    if (run->why[0])
        put_text(out, "why", run->why);
    walras_json_out_key(out, "certified");
    walras_json_out_bool(out, isfinite(run->awarded) && !run->doubtful);
    put_integer(out, "rounds", last->round);
    put_integer(out, "responses", (int64_t)last->n_responses);
    put_number(out, "seconds", last->elapsed_s);
    put_number(out, "objective", last->objective);
    put_number(out, "dual_bound", last->bound);
    put_number(out, "gap", last->gap);
    put_number(out, "bound_gap", scenario_bound_gap(c, last));
    put_number(out, "awarded_objective", run->awarded);
    put_reached(out, "reached", c, run, false);
    put_reached(out, "bound_reached", c, run, true);
    walras_json_out_close(out, '}');
}

void scenario_comparison_print_json(FILE *file, const struct scenario_comparison *c)
{
    struct walras_json_out out = walras_json_out_start(file, 3);

    walras_json_out_open(&out, '{');
    put_integer(&out, "walras", 1);
    put_text(&out, "name", c->scenario->name);
    put_text(&out, "currency", c->scenario->currency);
    put_number(&out, "gap_asked", c->gap_asked);
    put_number(&out, "best_objective", c->best_objective);
    put_number(&out, "best_dual_bound", c->best_bound);
    walras_json_out_key(&out, "levels");
    walras_json_out_numbers(&out, c->levels, c->n_level);
    walras_json_out_key(&out, "methods");
    walras_json_out_open(&out, '[');
    for (size_t i = 0; i < c->n_run; i++)
        put_run(&out, c, &c->runs[i]);
    walras_json_out_close(&out, ']');
    walras_json_out_close(&out, '}');
    walras_json_out_end(&out);
}

static void print_csv(FILE *file, const struct scenario_comparison *c)
{
    fputs("method,round,responses,seconds,bound,objective,gap,bound_gap\n", file);
    for (size_t i = 0; i < c->n_run; i++)
        for (unsigned r = 0; r < c->runs[i].n_round; r++) {
            const struct market_round *round = &c->runs[i].history[r];

            fprintf(file, "%s,%u,%llu,%.6f,", c->runs[i].method, round->round,
                    (unsigned long long)round->n_responses, round->elapsed_s);
            write_number(file, round->bound, ",");
            write_number(file, round->objective, ",");
            write_number(file, round->gap, ",");
            write_number(file, scenario_bound_gap(c, round), "\n");
        }
}

enum walras_status scenario_comparison_write(const char *directory,
                                             const struct scenario_comparison *comparison,
                                             struct walras_err *err)
{
    static const struct {
        const char *name;
        void (*print)(FILE *file, const struct scenario_comparison *c);
    } files[] = {{"compare.json", scenario_comparison_print_json}, {"compare.csv", print_csv}};
    enum walras_status status = WALRAS_OK;

    for (size_t f = 0; f < sizeof(files) / sizeof(files[0]) && status == WALRAS_OK; f++) {
        char *path = walras_path_join(directory, files[f].name);
        FILE *file = NULL;

        if (!path)
            return walras_fail(err, WALRAS_NOMEM, "cannot hold the name of %s", files[f].name);
        status = walras_file_create(path, &file, err);
        if (status == WALRAS_OK) {
            files[f].print(file, comparison);
            status = walras_file_finish(file, path, err);
        }
        free(path);
    }
    return status;
}
