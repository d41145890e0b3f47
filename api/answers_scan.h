/*
 * Answers read in one pass, without a tree: what nearly all bodies look like.
 *
 * Only bodies that api_answer_read would take are taken, with the same numbers; whatever is unusual
 * (escapes, other keys, a hidden cost, numbers near a limit) is left to it, and so is everything
 * that is wrong. Numbers are copied as they are written. Reading and writing them again, several
 * times over, was most of what an answer cost (docs/decisions.md).
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_API_ANSWERS_SCAN_H
#define WALRAS_API_ANSWERS_SCAN_H

#include "api/commit.h"

struct api_scan_shape {
    size_t n_point, n_step;
};

/* {"answers": […]} into the answer's arrays. False, with nothing kept: read it as a tree. */
bool api_scan_single(const char *text, size_t size, const struct api_scan_shape *shape,
                     struct api_answer *answer);
/* {"responses": [{"agent": …, "answers": […]}, …]}, at most `most`; *list is malloc'd. */
bool api_scan_batch(const char *text, size_t size, const struct api_scan_shape *shape, size_t most,
                    struct api_answer **list, size_t *n);

#endif
