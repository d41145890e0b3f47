/*
 * What came of a market: prices, awards, certificate, the whole result as a document.
 */
#ifndef WALRAS_DB_RESULTS_H
#define WALRAS_DB_RESULTS_H

#include "db/page.h"

/* All in the caller's transaction. */
WALRAS_NODISCARD enum walras_status db_result_price(struct db_session *session, const char *market,
                                                    size_t position, const char *bus,
                                                    const double *price_per_mwh, size_t n_step,
                                                    struct walras_err *err);
struct db_award {
    const char *agent;
    const double *draw_kw; /* [n_step] */
    double cost;           /* NAN: it was not told */
    int64_t mix;           /* whose weights it is made with; below 0: none, delegated */
};
WALRAS_NODISCARD enum walras_status db_result_awards(struct db_session *session, const char *market,
                                                     const struct db_award *list, size_t n,
                                                     size_t n_step, struct walras_err *err);
/* The weight of a point in a mix. */
WALRAS_NODISCARD enum walras_status db_result_weight(struct db_session *session, const char *market,
                                                     int64_t mix, int64_t round, int64_t position,
                                                     double weight, struct walras_err *err);
/* JSON texts */
WALRAS_NODISCARD enum walras_status db_result_documents(struct db_session *session,
                                                        const char *market, const char *result,
                                                        const char *certificate,
                                                        struct walras_err *err);

/* JSON in column 0, as everywhere; no row: not there (yet). */
WALRAS_NODISCARD enum walras_status db_result_get(struct db_session *session, const char *market,
                                                  struct db_rows *rows, struct walras_err *err);
/* owner: of the agents that are suspended it names this client's only; NULL: all. */
WALRAS_NODISCARD enum walras_status db_certificate_get(struct db_session *session,
                                                       const char *market, const char *owner,
                                                       struct db_rows *rows,
                                                       struct walras_err *err);
WALRAS_NODISCARD enum walras_status db_binding_get(struct db_session *session, const char *market,
                                                   struct db_rows *rows, struct walras_err *err);
WALRAS_NODISCARD enum walras_status db_price_list(struct db_session *session, const char *market,
                                                  const struct db_page *page, struct db_rows *rows,
                                                  struct walras_err *err);
WALRAS_NODISCARD enum walras_status db_round_list(struct db_session *session, const char *market,
                                                  struct db_rows *rows, struct walras_err *err);
/* owner: only when it is that client's; NULL: anybody's */
WALRAS_NODISCARD enum walras_status db_award_get(struct db_session *session, const char *market,
                                                 const char *agent, const char *owner,
                                                 struct db_rows *rows, struct walras_err *err);

#endif
