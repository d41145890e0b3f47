/* Devices that choose in each step by itself, and the one that chooses when to start. */
#include "agents/model_internal.h"
#include "agents/solve_internal.h"

#include <math.h>

void model_build_load(struct model_builder *build, const struct agent_load *load)
{
    struct agent_model *model = build->model;
    double cost_per_kw = walras_mwh(1.0, model->horizon.step_h) * load->shed_price_per_mwh;

    for (size_t t = 0; t < model->horizon.n_step; t++) {
        model_label(build, "shed", t);
        model->firm_kw[t] = walras_series_at(load->draw_kw, t);
        if (!isnan(load->shed_price_per_mwh) && model->firm_kw[t] > 0.0)
            model_draw(build, model_column(build, 0.0, model->firm_kw[t], cost_per_kw), t, -1.0);
    }
}

void model_build_pv(struct model_builder *build, const struct agent_pv *pv)
{
    struct agent_model *model = build->model;
    double cost_per_kw = walras_mwh(1.0, model->horizon.step_h) * pv->cost_per_mwh;

    for (size_t t = 0; t < model->horizon.n_step; t++) {
        double available_kw = walras_series_at(pv->available_kw, t);
        double least_kw = pv->curtailable ? 0.0 : available_kw;

        model_label(build, "produce", t);
        model_draw(build, model_column(build, least_kw, available_kw, cost_per_kw), t, -1.0);
    }
}

/* Blocks that draw (sign +1) or give (-1); what is drawn has a value, what is given a cost. */
static void build_blocks(struct model_builder *build, struct bid_blocks blocks, size_t step,
                         double sign)
{
    double mwh_per_kw = walras_mwh(1.0, build->model->horizon.step_h);

    model_label(build, sign > 0.0 ? "demand" : "offer", step);
    for (size_t i = 0; i < blocks.n; i++)
        model_draw(build,
                   model_column(build, 0.0, blocks.block[i].width_kw,
                                -sign * mwh_per_kw * blocks.block[i].price_per_mwh),
                   step, sign);
}

void model_build_bid(struct model_builder *build, const struct agent_bid *bid)
{
    for (size_t t = 0; t < build->model->horizon.n_step; t++) {
        build_blocks(build, bid_blocks_at(bid->demand, bid->demand_first, bid->one_list, t), t,
                     1.0);
        build_blocks(build, bid_blocks_at(bid->offer, bid->offer_first, bid->one_list, t), t, -1.0);
    }
}

/* One binary a start; exactly one is chosen. */
void model_build_shiftable(struct model_builder *build, const struct agent_shiftable *shiftable)
{
    size_t n = (size_t)shiftable->latest - shiftable->earliest + 1;
    size_t *starts = build->model->row_column;
    double *ones = build->model->row_coef;

    for (size_t i = 0; i < n; i++) {
        model_label(build, "start", shiftable->earliest + i);
        starts[i] = model_binary(build, 0.0);
        ones[i] = 1.0;
        for (uint32_t k = 0; k < shiftable->n_profile; k++)
            model_draw(build, starts[i], shiftable->earliest + i + k, shiftable->profile_kw[k]);
    }
    model_label(build, "once", AGENT_PROGRAM_NO_STEP);
    model_row(build, n, starts, ones, 1.0, 1.0);
}
