/*
 * SIGINT and SIGTERM as a wish to stop: a flag that long work asks for between its steps.
 *
 * The second signal ends the program at once. Only main installs this; libraries take no signal.
 */
#ifndef WALRAS_CORE_SIGNALS_H
#define WALRAS_CORE_SIGNALS_H

#include <stdbool.h>

void walras_signals_install(void);
/* A peer that closes its connection is an error of writing to it, not the end of the program. */
void walras_signals_ignore_pipe(void);
/* True once a signal has asked to stop. */
bool walras_signals_stop(void);

#endif
