/* Devices that bring their own program: columns draw_0 … draw_{T-1} are the draw, in kW. */
#include "agents/model_internal.h"

#include <stdio.h>

void model_build_lp(struct model_builder *build, const struct agent_lp *file)
{
    struct agent_model *model = build->model;
    char name[32];

    lp_free(model->lp);
    model->lp = NULL;
    build->status = lp_read(file->path, &model->lp, build->err);
    if (build->status == WALRAS_OK)
        model_adopt_columns(build);
    for (size_t t = 0; t < model->horizon.n_step && build->status == WALRAS_OK; t++) {
        size_t column;

        snprintf(name, sizeof(name), "draw_%zu", t);
        column = lp_find_column(model->lp, name);
        if (column == SIZE_MAX)
            build->status =
                walras_fail(build->err, WALRAS_INVALID,
                            "%s: column %s is missing: the horizon has %zu steps, "
                            "draw_0 to draw_%zu",
                            file->path, name, model->horizon.n_step, model->horizon.n_step - 1);
        model_draw(build, column, t, 1.0);
    }
}
