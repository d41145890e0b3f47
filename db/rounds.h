/*
 * Rounds of a clearing: prices announced, answers received, what stands in for those that did not
 * come, and what came of it.
 *
 * A round is closed under a lock that answers take a share of: what was acknowledged is in it. What
 * writes is for a transaction of the caller's.
 */
#ifndef WALRAS_DB_ROUNDS_H
#define WALRAS_DB_ROUNDS_H

#include "db/session.h"

struct db_round {
    const char *market;
    int64_t number;
};

struct db_round_state {
    bool there, closed;
    bool follows;       /* the one before it is there and closed; it is the first */
    double remaining_s; /* until the deadline; may be past */
};

/* WALRAS_CONFLICT: the market is not clearing (any more). */
WALRAS_NODISCARD enum walras_status db_round_find(struct db_session *session,
                                                  const struct db_round *round,
                                                  struct db_round_state *state,
                                                  struct walras_err *err);
/* A new round with its points [n_point x n_price]. */
WALRAS_NODISCARD enum walras_status db_round_open(struct db_session *session,
                                                  const struct db_round *round, double timeout_s,
                                                  const double *price_per_mwh, size_t n_point,
                                                  size_t n_price, struct walras_err *err);
/* The deadline anew, after the server was away. */
WALRAS_NODISCARD enum walras_status db_round_extend(struct db_session *session,
                                                    const struct db_round *round, double timeout_s,
                                                    struct walras_err *err);
/* *same: its points are these, bit for bit. */
WALRAS_NODISCARD enum walras_status
db_round_same(struct db_session *session, const struct db_round *round, const double *price_per_mwh,
              size_t n_point, size_t n_price, bool *same, struct walras_err *err);
/*
 * Closes it: who is missing gets its last answer's last point once more, or else its fallback, and
 * a miss; after max_misses it is suspended. Closed already: nothing.
 */
WALRAS_NODISCARD enum walras_status db_round_close(struct db_session *session,
                                                   const struct db_round *round, size_t n_point,
                                                   int64_t max_misses, struct walras_err *err);
/* Rows by agent: agent, draw_kw [points x steps], cost [points] (NULL: hidden), origin. */
WALRAS_NODISCARD enum walras_status db_round_answers(struct db_session *session,
                                                     const struct db_round *round,
                                                     struct db_rows *rows, struct walras_err *err);
/* What an agent answers for: where it is in the list of buses, and how long a horizon is. */
struct db_round_agent {
    const char *id;
    int64_t bus, n_step;
};
/*
 * Its answers in all rounds before, by point: its prices [n_step], draw_kw [n_step], cost (NULL:
 * hidden), origin.
 */
WALRAS_NODISCARD enum walras_status db_round_before(struct db_session *session,
                                                    const struct db_round *round,
                                                    const struct db_round_agent *agent,
                                                    struct db_rows *rows, struct walras_err *err);
/* Who has answered it: agent. */
WALRAS_NODISCARD enum walras_status db_round_answered(struct db_session *session,
                                                      const struct db_round *round,
                                                      struct db_rows *rows, struct walras_err *err);
/* What the market knew after round `number`; NAN: not known. */
WALRAS_NODISCARD enum walras_status db_round_report(struct db_session *session,
                                                    const struct db_round *round, double bound,
                                                    double objective, double gap,
                                                    struct walras_err *err);

/* Column 0: how many points that round has; no row: there is none. */
WALRAS_NODISCARD enum walras_status db_round_points(struct db_session *session,
                                                    const struct db_round *round, int64_t *n_point,
                                                    struct walras_err *err);

/*
 * Participants by agent: agent, kind, bus, owner, devices (JSON), fallback_kw, suspended, misses.
 */
WALRAS_NODISCARD enum walras_status db_round_participants(struct db_session *session,
                                                          const char *market, struct db_rows *rows,
                                                          struct walras_err *err);
/* Those that are suspended: agent. */
WALRAS_NODISCARD enum walras_status db_round_suspended(struct db_session *session,
                                                       const char *market, struct db_rows *rows,
                                                       struct walras_err *err);
/* How many answers of the market are not an agent's own. */
WALRAS_NODISCARD enum walras_status db_round_stand_ins(struct db_session *session,
                                                       const char *market, size_t *n_repeated,
                                                       size_t *n_fallback, struct walras_err *err);

#endif
