/*
 * An agent's answers to a round, read from JSON and judged: one a point, a draw a step, a cost
 * unless it is hidden.
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_API_ANSWERS_H
#define WALRAS_API_ANSWERS_H

#include "api/commit.h"
#include "core/json.h"

/*
 * `node` is the list of answers. Writes answer->draw_kw and ->cost, to be released by
 * api_answer_release in any case. WALRAS_INVALID with the place, WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status api_answer_read(const struct walras_json *node, size_t n_point,
                                                    size_t n_step, struct api_answer *answer,
                                                    struct walras_err *err);
void api_answer_release(struct api_answer *answer);

#endif
