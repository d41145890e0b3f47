/*
 * The shape of a JSON text, judged before it is parsed: how deep it is nested and how long its
 * lists are, so that a small text cannot ask for much work.
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_API_SHAPE_H
#define WALRAS_API_SHAPE_H

#include "core/status.h"

enum { API_MAX_NESTING = 32, API_MAX_LIST = 1000000 };

/* WALRAS_INVALID "body: byte N: what". What is no JSON at all is left to the parser. */
WALRAS_NODISCARD enum walras_status api_check_shape(const char *text, size_t size,
                                                    struct walras_err *err);

#endif
