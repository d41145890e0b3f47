/*
 * What a server that does not lead copies of a market that is clearing, to show it as the leader
 * does.
 */
#ifndef WALRAS_DB_MIRROR_H
#define WALRAS_DB_MIRROR_H

#include "db/session.h"

struct db_mirror_state {
    bool clearing;
    int64_t steps;
    int64_t round;      /* that is open; 0: none */
    double remaining_s; /* of it */
};

/* A market that is not there is not clearing. */
WALRAS_NODISCARD enum walras_status db_mirror_state(struct db_session *session, const char *market,
                                                    struct db_mirror_state *state,
                                                    struct walras_err *err);
/* Rows by position: id of a bus of its grid. */
WALRAS_NODISCARD enum walras_status db_mirror_buses(struct db_session *session, const char *market,
                                                    struct db_rows *rows, struct walras_err *err);
/* Remote participants by agent: agent, owner, position of its bus, suspended. */
WALRAS_NODISCARD enum walras_status db_mirror_agents(struct db_session *session, const char *market,
                                                     struct db_rows *rows, struct walras_err *err);
/* Rounds between two: number, own answers, stand-ins, bound, objective, gap. */
WALRAS_NODISCARD enum walras_status db_mirror_reports(struct db_session *session,
                                                      const char *market, int64_t after,
                                                      int64_t before, struct db_rows *rows,
                                                      struct walras_err *err);
/* Points of a round by position: prices [buses x steps]. */
WALRAS_NODISCARD enum walras_status db_mirror_points(struct db_session *session, const char *market,
                                                     int64_t round, struct db_rows *rows,
                                                     struct walras_err *err);

#endif
