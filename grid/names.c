#include "grid/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *left, const void *right)
{
    const struct grid_name *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

void grid_names_sort(struct grid_name *name, size_t n)
{
    if (n > 1)
        qsort(name, n, sizeof(*name), by_name);
}

size_t grid_names_find(const struct grid_name *name, size_t n, const char *wanted)
{
    size_t low = 0, high = n; /* the first name >= wanted is in [low, high] */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(name[middle].name, wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && strcmp(name[low].name, wanted) == 0 ? name[low].at : SIZE_MAX;
}

const struct grid_name *grid_names_repeated(const struct grid_name *name, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(name[i - 1].name, name[i].name) == 0)
            return &name[i - 1];
    return NULL;
}
