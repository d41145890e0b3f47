/*
 * What devices with a GLPK model have answered, so that the same prices get the same answer.
 *
 * Where two answers are equally good, a warm basis decides which one comes: asked again at the same
 * prices, a model may give the other, and awards would not add up to what the group has answered.
 * Prices are told apart by a hash (FNV-1a) of 64 bits.
 */
#include "agents/fleet_internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_prices(const double *price_per_mwh, size_t n_step)
{
    const unsigned char *bytes = (const unsigned char *)price_per_mwh;
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < n_step * sizeof(*price_per_mwh); i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static bool make_room(struct fleet_memory *memory, size_t n_step)
{
    size_t capacity = memory->capacity ? 2 * memory->capacity : 16;
    struct fleet_answer *answers = NULL;
    double *draw_kw = NULL;

    if (memory->n < memory->capacity)
        return true;
    answers = realloc(memory->answers, capacity * sizeof(*answers));
    if (answers)
        memory->answers = answers;
    draw_kw = realloc(memory->draw_kw, capacity * n_step * sizeof(*draw_kw));
    if (draw_kw)
        memory->draw_kw = draw_kw;
    if (!answers || !draw_kw)
        return false;
    memory->capacity = capacity;
    return true;
}

static enum walras_status solve_and_keep(struct agent_fleet *fleet, size_t member, unsigned worker,
                                         const double *price_per_mwh, double *draw_kw,
                                         struct market_answer *answer, struct walras_err *err)
{
    struct fleet_memory *memory = &fleet->memory[member];
    size_t n_step = fleet->horizon.n_step;
    enum walras_status status =
        fleet_solve(fleet, fleet->member[member], worker, price_per_mwh, draw_kw, answer, err);

    if (status != WALRAS_OK)
        return status;
    if (!make_room(memory, n_step))
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu answers of device %s", memory->n,
                           fleet->devices[fleet->member[member]].id);
    memory->answers[memory->n] = (struct fleet_answer){hash_prices(price_per_mwh, n_step), *answer};
    memcpy(memory->draw_kw + memory->n * n_step, draw_kw, n_step * sizeof(*draw_kw));
    memory->n++;
    return WALRAS_OK;
}

enum walras_status fleet_ask(struct agent_fleet *fleet, size_t member, unsigned worker,
                             const double *price_per_mwh, double *draw_kw,
                             struct market_answer *answer, struct walras_err *err)
{
    const struct fleet_memory *memory = NULL;
    size_t n_step = fleet->horizon.n_step, device = fleet->member[member];
    uint64_t price = 0;

    if (!fleet_model(fleet, device))
        return fleet_solve(fleet, device, worker, price_per_mwh, draw_kw, answer, err);
    memory = &fleet->memory[member];
    price = hash_prices(price_per_mwh, n_step);
    for (size_t i = 0; i < memory->n; i++)
        if (memory->answers[i].price == price) {
            *answer = memory->answers[i].answer;
            memcpy(draw_kw, memory->draw_kw + i * n_step, n_step * sizeof(*draw_kw));
            return WALRAS_OK;
        }
    return solve_and_keep(fleet, member, worker, price_per_mwh, draw_kw, answer, err);
}

void fleet_forget(struct agent_fleet *fleet)
{
    for (size_t i = 0; fleet->memory && i < fleet->n_member; i++) {
        free(fleet->memory[i].answers);
        free(fleet->memory[i].draw_kw);
    }
    free(fleet->memory);
    fleet->memory = NULL;
}
