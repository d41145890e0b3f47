#include "core/ranks.h"

#include <string.h>

void walras_ranks_broadcast(struct walras_ranks *ranks, void *bytes, size_t n)
{
    if (!ranks)
        return;
    ranks->broadcast(bytes, n);
    ranks->n_byte += n;
}

void walras_ranks_sum(struct walras_ranks *ranks, double *values, size_t n)
{
    if (!ranks)
        return;
    ranks->sum(values, n, ranks->rank);
    ranks->n_byte += n * sizeof(*values);
}

void walras_ranks_sum_all(struct walras_ranks *ranks, double *values, size_t n)
{
    walras_ranks_sum(ranks, values, n);
    walras_ranks_broadcast(ranks, values, n * sizeof(*values));
}

void walras_ranks_total(struct walras_ranks *ranks, uint32_t *counts, uint32_t *before, size_t n)
{
    memset(before, 0, n * sizeof(*before));
    if (!ranks)
        return;
    ranks->count(counts, before, n);
    ranks->n_byte += 2 * n * sizeof(*counts);
}

void walras_ranks_collect(struct walras_ranks *ranks, const void *mine, void *all, size_t n)
{
    if (!ranks) {
        memcpy(all, mine, n);
        return;
    }
    ranks->collect(mine, all, n);
    ranks->n_byte += n;
}

void walras_ranks_send(struct walras_ranks *ranks, const void *bytes, size_t n)
{
    ranks->send(bytes, n);
    ranks->n_byte += n;
}

void walras_ranks_receive(struct walras_ranks *ranks, unsigned from, void *bytes, size_t n)
{
    ranks->receive(from, bytes, n);
    ranks->n_byte += n;
}

/* The name is in parentheses because the analyzer sees a macro of that name. */
enum walras_status(walras_ranks_agree)(struct walras_ranks *ranks, enum walras_status status,
                                       struct walras_err *err)
{
    struct walras_err agreed = {.code = status};
    uint32_t failed = status != WALRAS_OK, before = 0, own = failed;

    if (!ranks)
        return status;
    walras_ranks_total(ranks, &failed, &before, 1);
    if (failed == 0)
        return WALRAS_OK;
    double first = own && before == 0 ? ranks->rank : 0.0;

    if (status != WALRAS_OK && err)
        memcpy(agreed.msg, err->msg, sizeof(agreed.msg));
    walras_ranks_sum_all(ranks, &first, 1);
    if (first > 0.0 && ranks->rank == 0)
        walras_ranks_receive(ranks, (unsigned)first, &agreed, sizeof(agreed));
    else if (first > 0.0 && ranks->rank == (unsigned)first)
        walras_ranks_send(ranks, &agreed, sizeof(agreed));
    walras_ranks_broadcast(ranks, &agreed, sizeof(agreed));
    if (err)
        *err = agreed;
    return agreed.code;
}
