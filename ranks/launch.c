#include "ranks/launch.h"

#include <stdlib.h>
#include <string.h>

bool ranks_launched(void)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");

    if (!size)
        size = getenv("PMI_SIZE");
    if (!size && getenv("PMIX_RANK")) /* tells which, not how many */
        return true;
    return size && strcmp(size, "1") != 0;
}
