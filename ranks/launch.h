/*
 * Whether a launcher (mpirun, srun) started this process as one of several ranks.
 */
#ifndef WALRAS_RANKS_LAUNCH_H
#define WALRAS_RANKS_LAUNCH_H

#include <stdbool.h>

bool ranks_launched(void);

#endif
