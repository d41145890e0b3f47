/*
 * A crew: ranks that answer together for groups whose members are shared out among them.
 *
 * Rank 0 leads: whatever it asks, a round's prices or one group's choice, is broadcast; every rank
 * answers for its own members; the answers are added up. A failure on any rank becomes rank 0's.
 * Integer members settle rank by rank, each rank against its own share of the mixture.
 *
 * Ownership  problem, asking and ranks are borrowed.
 * Threads    from the main thread only.
 */
#ifndef WALRAS_MARKET_CREW_H
#define WALRAS_MARKET_CREW_H

#include "market/asking.h"
#include "market/clearing.h"

struct market_crew;

/* n_point: most price points of a query. */
WALRAS_NODISCARD enum walras_status market_crew_new(const struct market_problem *problem,
                                                    struct market_asking *asking,
                                                    struct walras_ranks *ranks, size_t n_point,
                                                    struct market_crew **made,
                                                    struct walras_err *err);
void market_crew_free(struct market_crew *crew);
/* The problem with groups that stand for all ranks: what rank 0 clears. Lives as the crew. */
const struct market_problem *market_crew_problem(const struct market_crew *crew);
uint64_t market_crew_bytes(const struct market_crew *crew); /* since it was made */

/* Rank 0's: market_asking_ask of all ranks. */
WALRAS_NODISCARD enum walras_status market_crew_ask(struct market_crew *crew,
                                                    const struct market_query *query,
                                                    struct market_reply *reply,
                                                    struct walras_err *err);
/* The others': answers until rank 0 ends. */
void market_crew_serve(struct market_crew *crew);
/*
 * Everybody's last call: the status of rank 0 and, when it is WALRAS_OK, its outcome, weights and
 * points, for all.
 */
WALRAS_NODISCARD enum walras_status market_crew_end(struct market_crew *crew,
                                                    enum walras_status status,
                                                    struct market_result *result,
                                                    struct walras_err *err);

#endif
