/*
 * Any bytes as the state of a run, taken up and gone on with: what the fuzz target tries and the
 * tests replay.
 */
#ifndef WALRAS_TESTS_RUN_STATE_H
#define WALRAS_TESTS_RUN_STATE_H

#include "core/status.h"

#include <stddef.h>

/* What reading `text` said. Aborts when a promise is broken; text need not end in NUL. */
enum walras_status run_state_try(const char *text, size_t size);

#endif
