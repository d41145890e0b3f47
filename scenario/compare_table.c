#include "scenario/compare.h"

#include <math.h>
#include <string.h>

enum { CELL = 10, COST_CELL = 16 }; /* widths */

/* What a table tells of the round in which a level was reached. */
typedef const struct market_round *reach_function(const struct scenario_comparison *c,
                                                  const struct scenario_run *run, double level);

static const char *end_words(const struct scenario_run *run)
{
    static const char *const words[] = {
#define X(name, key, words) words,
        SCENARIO_RUN_LIST(X)
#undef X
    };

    return run->doubtful ? "NOT CERTIFIED" : words[run->end];
}

static const struct market_round *gap_reach(const struct scenario_comparison *c,
                                            const struct scenario_run *run, double level)
{
    (void)c;
    return scenario_run_reaches(run, level);
}

static void round_cell(const struct market_round *round, char *text, size_t size)
{
    snprintf(text, size, "%u", round->round);
}

static void message_cell(const struct market_round *round, char *text, size_t size)
{
    snprintf(text, size, "%llu", (unsigned long long)round->n_responses);
}

static void second_cell(const struct market_round *round, char *text, size_t size)
{
    double s = round->elapsed_s;

    snprintf(text, size, "%.*f", s < 0.1 ? 4 : s < 100.0 ? 2 : 0, s);
}

struct table {
    const char *heading;
    reach_function *reach;
    void (*cell)(const struct market_round *round, char *text, size_t size);
};

static int name_width(const struct scenario_comparison *c)
{
    size_t width = strlen("messages to a gap of");

    for (size_t i = 0; i < c->n_run; i++)
        if (strlen(c->runs[i].method) + 2 > width)
            width = strlen(c->runs[i].method) + 2;
    return (int)width;
}

static void print_cell(FILE *file, const struct table *table, const struct market_round *round)
{
    char text[32] = "-";

    if (round)
        table->cell(round, text, sizeof(text));
    fprintf(file, " %*s", CELL, text);
}

static void print_table(FILE *file, const struct scenario_comparison *c, const struct table *table)
{
    int width = name_width(c);

    fprintf(file, "\n%-*s", width, table->heading);
    for (size_t k = 0; k < c->n_level; k++) {
        char level[SCENARIO_LEVEL_TEXT];

        scenario_level_text(c->levels[k], level);
        fprintf(file, " %*s", CELL, level);
    }
    fprintf(file, " %*s\n", CELL, "in all");
    for (size_t i = 0; i < c->n_run; i++) {
        fprintf(file, "  %-*s", width - 2, c->runs[i].method);
        for (size_t k = 0; k < c->n_level; k++)
            print_cell(file, table, table->reach(c, &c->runs[i], c->levels[k]));
        print_cell(file, table, scenario_run_last(&c->runs[i]));
        fputc('\n', file);
    }
}

static void print_cost(FILE *file, double cost)
{
    if (isfinite(cost))
        fprintf(file, " %*.4f", COST_CELL, cost);
    else
        fprintf(file, " %*s", COST_CELL, "-");
}

static void print_gap(FILE *file, double gap)
{
    if (isfinite(gap))
        fprintf(file, " %*.1e", CELL, fmax(gap, 0.0));
    else
        fprintf(file, " %*s", CELL, "-");
}

/* Whole-number decisions are mixed in the rounds' plans; deciding them may have cost something. */
static bool decisions_cost(const struct scenario_comparison *c)
{
    for (size_t i = 0; i < c->n_run; i++) {
        const struct market_round *last = scenario_run_last(&c->runs[i]);

        if (last && c->runs[i].awarded > last->objective + 1e-9 * fmax(1.0, fabs(last->objective)))
            return true;
    }
    return false;
}

static void print_end(FILE *file, const struct scenario_comparison *c,
                      const struct scenario_run *run, bool decided)
{
    const struct market_round *last = scenario_run_last(run);

    fprintf(file, "  %-*s", name_width(c) - 2, run->method);
    print_gap(file, last ? last->gap : (double)NAN);
    print_cost(file, last ? last->objective : (double)NAN);
    print_cost(file, last ? last->bound : (double)NAN);
    if (decided)
        print_cost(file, run->awarded);
    fprintf(file, "  %s\n", end_words(run));
}

static void print_ends(FILE *file, const struct scenario_comparison *c)
{
    bool decided = decisions_cost(c);
    char cost[COST_CELL + 1];

    snprintf(cost, sizeof(cost), "cost, %.8s", c->scenario->currency);
    fprintf(file, "\n%-*s %*s %*s %*s", name_width(c), "at the end", CELL, "gap", COST_CELL, cost,
            COST_CELL, "bound");
    if (decided)
        fprintf(file, " %*s", COST_CELL, "cost, decided");
    fputc('\n', file);
    for (size_t i = 0; i < c->n_run; i++)
        print_end(file, c, &c->runs[i], decided);
    fprintf(file, "  %-*s", name_width(c) - 2, "best of all");
    print_gap(file, (c->best_objective - c->best_bound) / fmax(1.0, fabs(c->best_objective)));
    print_cost(file, c->best_objective);
    print_cost(file, c->best_bound);
    fputc('\n', file);
}

void scenario_comparison_print(FILE *file, const struct scenario_comparison *c)
{
    static const struct table tables[] = {
        {"rounds to a gap of", gap_reach, round_cell},
        {"messages to a gap of", gap_reach, message_cell},
        {"seconds to a gap of", gap_reach, second_cell},
        {"rounds, bound alone", scenario_bound_reaches, round_cell},
    };
    char asked[SCENARIO_LEVEL_TEXT];

    scenario_level_text(c->gap_asked, asked);
    fprintf(file, "%s: %zu price method%s, gap asked for %s\n", c->scenario->name, c->n_run,
            c->n_run == 1 ? "" : "s", asked);
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        print_table(file, c, &tables[t]);
    print_ends(file, c);
    for (size_t i = 0; i < c->n_run; i++)
        if (c->runs[i].why[0])
            fprintf(file, "\n%s: %s\n", c->runs[i].method, c->runs[i].why);
}
