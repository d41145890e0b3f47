#include "agents/program.h"

#include "agents/model_internal.h"

enum walras_status agent_program_make(const struct agent_device *device,
                                      const struct agent_horizon *horizon,
                                      struct agent_program *program, struct walras_err *err)
{
    struct agent_model *model = NULL;
    enum walras_status status = agent_device_check(device, horizon, err);

    *program = (struct agent_program){0};
    if (status == WALRAS_OK)
        status = model_make_whole(device, horizon, &model, err);
    if (status != WALRAS_OK)
        return status;
    *program = (struct agent_program){.model = model,
                                      .lp = model->lp,
                                      .cost = model->own_cost,
                                      .square = model->square,
                                      .firm_cost = model->firm_cost + lp_constant(model->lp),
                                      .firm_kw = model->firm_kw,
                                      .draws = model->terms,
                                      .n_draw = model->n_term,
                                      .column_label = model->column_label,
                                      .row_label = model->row_label};
    return WALRAS_OK;
}

void agent_program_free(struct agent_program *program)
{
    agent_model_free(program->model);
    *program = (struct agent_program){0};
}
