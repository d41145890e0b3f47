#include "api/answers.h"

#include "db/values.h"

#include <math.h>

#define MAX_KW   1e9
#define MAX_COST 1e12

void api_answer_release(struct api_answer *answer)
{
    walras_text_release(&answer->draw_kw);
    walras_text_release(&answer->cost);
}

static enum walras_status read_point(const struct walras_json *node, size_t n_step,
                                     struct api_answer *answer, struct walras_err *err)
{
    static const char *const keys[] = {"draw_kw", "cost"};
    const struct walras_range power = {.low = -MAX_KW, .high = MAX_KW};
    const struct walras_range money = {.low = -MAX_COST, .high = MAX_COST};
    struct walras_json draw, cost;
    double value = 0.0;
    enum walras_status status = walras_json_keys(node, keys, 2, err);

    if (status == WALRAS_OK)
        status = walras_json_need(node, "draw_kw", &draw, err);
    if (status == WALRAS_OK)
        status = walras_json_array(&draw, n_step, n_step, err);
    for (size_t t = 0; status == WALRAS_OK && t < n_step; t++) {
        struct walras_json at = walras_json_at(&draw, t);

        status = walras_json_number(&at, power, &value, err);
        db_array_number(&answer->draw_kw, value);
    }
    value = (double)NAN; /* hidden, unless it is told */
    if (status == WALRAS_OK && walras_json_find(node, "cost", &cost))
        status = walras_json_number(&cost, money, &value, err);
    db_array_number(&answer->cost, value);
    return status;
}

enum walras_status api_answer_read(const struct walras_json *node, size_t n_point, size_t n_step,
                                   struct api_answer *answer, struct walras_err *err)
{
    enum walras_status status = walras_json_array(node, n_point, n_point, err);

    db_array_open(&answer->draw_kw);
    db_array_open(&answer->cost);
    for (size_t i = 0; status == WALRAS_OK && i < n_point; i++) {
        struct walras_json at = walras_json_at(node, i);

        status = read_point(&at, n_step, answer, err);
    }
    db_array_close(&answer->draw_kw);
    db_array_close(&answer->cost);
    if (status == WALRAS_OK && answer->draw_kw.failure != WALRAS_OK)
        status = walras_fail(err, WALRAS_NOMEM, "no memory for an answer");
    return status;
}
