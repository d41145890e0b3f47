#include "scenario/result_internal.h"

#include "core/text.h"
#include "scenario/put.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 4096, MAX_PART = 1 << 30 }; /* bytes */

/* A field as CSV wants it: in quotes when it holds a comma, a quote or a line break. */
static void add_field(struct walras_text *text, const char *field)
{
    bool quoted = strpbrk(field, ",;\"\r\n") != NULL;

    if (quoted)
        walras_text_add(text, "\"", 1);
    for (const char *at = field; *at; at++) {
        if (*at == '"')
            walras_text_add(text, "\"", 1);
        walras_text_add(text, at, 1);
    }
    walras_text_add(text, "\",", quoted ? 2 : 0);
    walras_text_add(text, ",", quoted ? 0 : 1);
}

/*
 * A draw to 1e-9 kW. Written from whole 1e-9 kW, which is many times faster than searching for the
 * shortest text, and reads back as the same number: up to 2^53 of them, their quotient by 1e9 is
 * correctly rounded.
 */
static void add_draw(struct walras_text *text, double draw_kw)
{
    const int places = 9;
    char digits[WALRAS_NUMBER_TEXT];
    double nano = round(1e9 * draw_kw);
    char *end = digits + sizeof(digits), *at = end;

    if (!isfinite(nano))
        return; /* an empty field */
    if (fabs(nano) >= 9007199254740992.0) {
        size_t size = walras_number_text(nano / 1e9, digits);

        walras_text_add(text, digits, size);
        return;
    }
    uint64_t rest = (uint64_t)fabs(nano);

    for (int place = 0; place < places; place++, rest /= 10)
        if (at < end || rest % 10 != 0) /* no zeros at the end */
            *--at = (char)('0' + rest % 10);
    if (at < end)
        *--at = '.';
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (nano < 0.0)
        *--at = '-';
    walras_text_add(text, at, (size_t)(end - at));
}

struct awards_table { /* awards.csv on its way */
    FILE *file;
    const struct scenario *scenario;
    struct walras_ranks *ranks;
    struct walras_text part[SCENARIO_AWARDS_SLOTS];
};

static enum walras_status spell_part(void *context, const struct scenario_awards_part *part,
                                     struct walras_err *err)
{
    struct awards_table *table = context;
    const struct scenario *scenario = table->scenario;
    size_t n_step = scenario->horizon.n_step;
    struct walras_text *text = &table->part[part->slot], fields;

    walras_text_init(&fields, MAX_FIELDS);
    text->size = 0;
    for (size_t i = 0; i < part->n; i++) {
        size_t device = part->first + i;

        fields.size = 0;
        add_field(&fields, scenario->agents[scenario->device_agent[device]].id);
        add_field(&fields, scenario->devices[device].id);
        for (size_t t = 0; t < n_step && fields.failure == WALRAS_OK; t++) {
            walras_text_add(text, fields.data, fields.size);
            walras_text_addf(text, "%zu,", t);
            add_draw(text, part->draw_kw[i * n_step + t]);
            walras_text_add(text, "\n", 1);
        }
    }
    enum walras_status failure = fields.failure != WALRAS_OK ? fields.failure : text->failure;

    walras_text_release(&fields);
    return failure == WALRAS_OK ? WALRAS_OK
                                : walras_fail(err, failure, "awards.csv: cannot hold its lines");
}

static enum walras_status write_part(void *context, const struct scenario_awards_part *part,
                                     struct walras_err *err)
{
    struct awards_table *table = context;

    const struct walras_text *text = &table->part[part->slot];
    uint64_t size = text->size;

    (void)err; /* whoever closes the file learns of failures */
    if (walras_ranks_lead(table->ranks)) {
        fwrite(text->data, 1, text->size, table->file);
    } else if (size > 0) {
        walras_ranks_send(table->ranks, &size, sizeof(size));
        walras_ranks_send(table->ranks, text->data, text->size);
    }
    return WALRAS_OK;
}

/* In place of a size: no more parts; and none, because they could not be written. */
enum { RANK_DONE = 0 };
#define RANK_FAILED UINT64_MAX

/* Rank 0: the lines of another rank, part by part. */
static enum walras_status write_others(struct awards_table *table, unsigned rank,
                                       struct walras_err *err)
{
    uint64_t size = RANK_DONE, room = 0;
    char *lines = NULL;
    enum walras_status status = WALRAS_OK;

    for (;;) {
        walras_ranks_receive(table->ranks, rank, &size, sizeof(size));
        if (size == RANK_DONE || size == RANK_FAILED)
            break;
        if (size > room) {
            char *grown = realloc(lines, size);

            if (!grown) {
                status = walras_fail(err, WALRAS_NOMEM, "awards.csv: cannot hold its lines");
                break;
            }
            lines = grown;
            room = size;
        }
        walras_ranks_receive(table->ranks, rank, lines, size);
        fwrite(lines, 1, size, table->file);
    }
    free(lines);
    if (size == RANK_FAILED)
        status = walras_fail(err, WALRAS_NOMEM, "awards.csv: rank %u cannot tell its awards", rank);
    return status;
}

static enum walras_status write_all(struct awards_table *table,
                                    const struct scenario_result *result, struct walras_err *err)
{
    const struct scenario_awards_pass pass = {table, spell_part, write_part};
    enum walras_status status = scenario_awards_run(result->awards, &pass, err);
    uint64_t end = status == WALRAS_OK ? RANK_DONE : RANK_FAILED;

    if (!walras_ranks_lead(table->ranks))
        walras_ranks_send(table->ranks, &end, sizeof(end));
    else
        for (unsigned r = 1; r < walras_ranks_count(table->ranks) && status == WALRAS_OK; r++)
            status = write_others(table, r, err);
    return status;
}

enum walras_status result_write_awards(FILE *file, const struct scenario_result *result,
                                       struct walras_err *err)
{
    struct awards_table *table = calloc(1, sizeof(*table));
    enum walras_status status = WALRAS_OK;

    if (!table)
        return walras_fail(err, WALRAS_NOMEM, "cannot write awards.csv");
    table->file = file;
    table->scenario = result->scenario;
    table->ranks = result->ranks;
    for (size_t i = 0; i < SCENARIO_AWARDS_SLOTS; i++)
        walras_text_init(&table->part[i], MAX_PART);
    if (file)
        fputs("agent,device,step,draw_kw\n", file);
    if (result->awards)
        status = write_all(table, result, err);
    for (size_t i = 0; i < SCENARIO_AWARDS_SLOTS; i++)
        walras_text_release(&table->part[i]);
    free(table);
    return status;
}

enum walras_status result_write_prices(FILE *file, const struct scenario_result *result,
                                       struct walras_err *err)
{
    const struct scenario *scenario = result->scenario;
    size_t n_step = scenario->horizon.n_step;
    char start[SCENARIO_TIME_TEXT];
    struct walras_text bus;

    walras_text_init(&bus, MAX_FIELDS);
    fputs("bus,step,start,price_per_mwh\n", file);
    for (size_t b = 0; b < scenario->network.n_bus && result->market->price_per_mwh; b++) {
        bus.size = 0;
        add_field(&bus, scenario->network.buses[b].id);
        for (size_t t = 0; t < n_step && bus.failure == WALRAS_OK; t++) {
            scenario_step_text(scenario, t, start);
            fprintf(file, "%s%zu,%s,", bus.data, t, start);
            write_number(file, result->market->price_per_mwh[b * n_step + t], "\n");
        }
    }
    enum walras_status failure = bus.failure;

    walras_text_release(&bus);
    return failure == WALRAS_OK ? WALRAS_OK
                                : walras_fail(err, failure, "prices.csv: cannot hold a line");
}

enum walras_status result_write_rounds(FILE *file, const struct scenario_result *result,
                                       struct walras_err *err)
{
    (void)err; /* whoever closes the file learns of failures */
    fputs("round,dual_value,bound,objective,gap,imbalance_kw,price_move_per_mwh,binding,oracle_s,"
          "method_s,elapsed_s,responses\n",
          file);
    for (unsigned r = 0; r < result->market->n_rounds; r++) {
        const struct market_round *round = &result->market->history[r];

        fprintf(file, "%u,", round->round);
        write_number(file, round->dual_value, ",");
        write_number(file, round->bound, ",");
        write_number(file, round->objective, ",");
        write_number(file, round->gap, ",");
        write_number(file, round->imbalance_kw, ",");
        write_number(file, round->price_move_per_mwh, ",");
        fprintf(file, "%zu,%.6f,%.6f,%.6f,%" PRIu64 "\n", round->n_binding, round->oracle_s,
                round->method_s, round->elapsed_s, round->n_responses);
    }
    return WALRAS_OK;
}
