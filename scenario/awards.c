#include "scenario/awards.h"

#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

/* Draws in a part: small enough to share out evenly, large enough to pay. */
enum { PART_DRAWS = 8192, PART_DEVICES = 256 };

struct run { /* one call of scenario_awards_run */
    const struct scenario_awards *awards;
    const struct scenario_awards_pass *pass;
    struct walras_pool *pool;
    size_t part_size, n_part;
    size_t first_part;                 /* of the wave that is under way */
    double *draw_kw;                   /* [SLOTS x part_size x n_step]; NULL: the array is read */
    struct scenario_awards_part *part; /* [SLOTS] */
    enum walras_status *status;        /* [SLOTS] */
    struct walras_err *err;            /* [SLOTS] */
};

struct scenario_awards scenario_awards_of(const double *draw_kw, size_t n_device, size_t n_step)
{
    return (struct scenario_awards){
        .n_device = n_device, .n_step = n_step, .n_worker = 1, .draw_kw = draw_kw};
}

enum walras_status scenario_awards_read(const struct scenario_awards *awards, size_t first,
                                        size_t n, double *draw_kw, struct walras_err *err)
{
    if (!awards->draw_kw)
        return awards->read(awards->self, 0, first, n, draw_kw, err);
    memcpy(draw_kw, awards->draw_kw + first * awards->n_step,
           n * awards->n_step * sizeof(*draw_kw));
    return WALRAS_OK;
}

static void work(void *context, size_t slot, unsigned worker)
{
    struct run *run = context;
    const struct scenario_awards *awards = run->awards;
    size_t first = (run->first_part + slot) * run->part_size, rest = awards->n_device - first;
    struct scenario_awards_part *part = &run->part[slot];
    enum walras_status status = WALRAS_OK;

    *part = (struct scenario_awards_part){.first = first,
                                          .n = rest < run->part_size ? rest : run->part_size,
                                          .slot = slot,
                                          .worker = worker};
    run->err[slot] = (struct walras_err){0};
    if (run->draw_kw) {
        double *draw_kw = run->draw_kw + slot * run->part_size * awards->n_step;

        part->draw_kw = draw_kw;
        status = awards->read(awards->self, worker, first, part->n, draw_kw, &run->err[slot]);
    } else {
        part->draw_kw = awards->draw_kw + first * awards->n_step;
    }
    if (status == WALRAS_OK && run->pass->work)
        status = run->pass->work(run->pass->context, part, &run->err[slot]);
    part->worker = 0;
    run->status[slot] = status;
}

static void end(struct run *run)
{
    walras_pool_free(run->pool);
    free(run->draw_kw);
    free(run->part);
    free(run->status);
    free(run->err);
}

static enum walras_status begin(struct run *run, struct walras_err *err)
{
    const struct scenario_awards *awards = run->awards;
    size_t n_step = awards->n_step, size = PART_DRAWS / n_step;

    run->part_size = size > PART_DEVICES ? PART_DEVICES : size > 0 ? size : 1;
    run->n_part = (awards->n_device + run->part_size - 1) / run->part_size;
    if (!awards->draw_kw)
        run->draw_kw = calloc(SCENARIO_AWARDS_SLOTS * run->part_size * n_step, sizeof(double));
    run->part = calloc(SCENARIO_AWARDS_SLOTS, sizeof(*run->part));
    run->status = calloc(SCENARIO_AWARDS_SLOTS, sizeof(*run->status));
    run->err = calloc(SCENARIO_AWARDS_SLOTS, sizeof(*run->err));
    if ((!awards->draw_kw && !run->draw_kw) || !run->part || !run->status || !run->err)
        return walras_fail(err, WALRAS_NOMEM, "cannot go through awards of %zu steps", n_step);
    return walras_pool_new(awards->n_worker, &run->pool, err);
}

enum walras_status scenario_awards_run(const struct scenario_awards *awards,
                                       const struct scenario_awards_pass *pass,
                                       struct walras_err *err)
{
    struct run run = {.awards = awards, .pass = pass};
    enum walras_status status = begin(&run, err);

    for (; run.first_part < run.n_part && status == WALRAS_OK;
         run.first_part += SCENARIO_AWARDS_SLOTS) {
        size_t rest = run.n_part - run.first_part;
        size_t n = rest < SCENARIO_AWARDS_SLOTS ? rest : SCENARIO_AWARDS_SLOTS;

        walras_pool_run(run.pool, n, work, &run);
        for (size_t slot = 0; slot < n && status == WALRAS_OK; slot++) {
            if (run.status[slot] != WALRAS_OK)
                status = walras_fail(err, run.status[slot], "%s", run.err[slot].msg);
            else if (pass->take)
                status = pass->take(pass->context, &run.part[slot], err);
        }
    }
    end(&run);
    return status;
}
