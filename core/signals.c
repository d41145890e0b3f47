#include "core/signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

void walras_signals_install(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = ask_to_stop};

    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND; /* the second one ends the program */
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

void walras_signals_ignore_pipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL);
}

bool walras_signals_stop(void)
{
    return stop != 0;
}
