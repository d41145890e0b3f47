#include "ranks/launch.h"
#include "ranks/ranks.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

/* MPI counts in int. MPI_COMM_WORLD's errors are fatal to all ranks: return values say nothing. */
enum { MOST = 1 << 27 };

static int cut(size_t n)
{
    return n < MOST ? (int)n : MOST;
}

static void broadcast(void *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += MOST)
        MPI_Bcast((char *)bytes + at, cut(n - at), MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void sum(double *values, size_t n, unsigned rank)
{
    for (size_t at = 0; at < n; at += MOST)
        if (rank == 0)
            MPI_Reduce(MPI_IN_PLACE, values + at, cut(n - at), MPI_DOUBLE, MPI_SUM, 0,
                       MPI_COMM_WORLD);
        else
            MPI_Reduce(values + at, NULL, cut(n - at), MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
}

static void count(uint32_t *counts, uint32_t *before, size_t n)
{
    for (size_t at = 0; at < n; at += MOST) {
        MPI_Exscan(counts + at, before + at, cut(n - at), MPI_UINT32_T, MPI_SUM, MPI_COMM_WORLD);
        MPI_Allreduce(MPI_IN_PLACE, counts + at, cut(n - at), MPI_UINT32_T, MPI_SUM,
                      MPI_COMM_WORLD);
    }
}

static void collect(const void *mine, void *all, size_t n)
{
    MPI_Allgather(mine, cut(n), MPI_BYTE, all, cut(n), MPI_BYTE, MPI_COMM_WORLD);
}

static void send(const void *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += MOST)
        MPI_Send((const char *)bytes + at, cut(n - at), MPI_BYTE, 0, 0, MPI_COMM_WORLD);
}

static void receive(unsigned from, void *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += MOST)
        MPI_Recv((char *)bytes + at, cut(n - at), MPI_BYTE, (int)from, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
}

enum walras_status ranks_begin(struct walras_ranks **made, struct walras_err *err)
{
    struct walras_ranks *ranks = NULL;
    int rank = 0, n = 1, level = 0;

    *made = NULL;
    if (!ranks_launched())
        return WALRAS_OK;
    ranks = calloc(1, sizeof(*ranks));
    if (!ranks)
        return walras_fail(err, WALRAS_NOMEM, "cannot join the ranks");
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    *ranks = (struct walras_ranks){.rank = (unsigned)rank,
                                   .n = (unsigned)n,
                                   .broadcast = broadcast,
                                   .sum = sum,
                                   .count = count,
                                   .collect = collect,
                                   .send = send,
                                   .receive = receive};
    *made = ranks;
    return WALRAS_OK;
}

void ranks_end(struct walras_ranks *ranks, bool agreed, int exit_status)
{
    if (!ranks)
        return;
    if (!agreed && ranks->n > 1)
        MPI_Abort(MPI_COMM_WORLD, exit_status);
    MPI_Finalize();
    free(ranks);
}
