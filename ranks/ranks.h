/*
 * Ranks over MPI: what `mpirun -n R walras ...` starts.
 *
 * The only folder that knows MPI. Built without it (cmake -DWALRAS_MPI=OFF), ranks_begin finds one
 * process wherever it runs, and refuses to when it was launched with others.
 */
#ifndef WALRAS_RANKS_RANKS_H
#define WALRAS_RANKS_RANKS_H

#include "core/ranks.h"

/*
 * *made is NULL when this process was launched alone: MPI is not even started then. Messages of
 * MPI itself end all ranks. WALRAS_UNSUPPORTED: launched with others, but built without MPI.
 */
WALRAS_NODISCARD enum walras_status ranks_begin(struct walras_ranks **made, struct walras_err *err);
/* `agreed`: all ranks end alike; else this one ends all others, with its exit status. */
void ranks_end(struct walras_ranks *ranks, bool agreed, int exit_status);

#endif
