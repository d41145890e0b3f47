/*
 * Grids: the network a market is cleared on. A version is written once and never changed.
 */
#ifndef WALRAS_DB_GRIDS_H
#define WALRAS_DB_GRIDS_H

#include "db/page.h"

struct db_bus {
    const char *id;
    double base_kv, v_min_pu, v_max_pu; /* v_max_pu INFINITY: none */
};

struct db_line {
    const char *id, *from, *to;
    double r_pu, x_pu, b_pu, limit_kw, tap, shift_deg; /* limit_kw INFINITY: none */
    bool in_service;
};

struct db_grid {
    const char *id, *model, *slack;
    const char *digest; /* SHA-256 in hex of what was put */
    double base_mva, slack_v_pu, rating_scale;
    double overload_price_per_mwh; /* NAN: limits are hard */
    const struct db_bus *buses;    /* [n_bus] */
    size_t n_bus;
    const struct db_line *lines; /* [n_line] */
    size_t n_line;
};

/*
 * Makes the next version, unless the last one has the same digest: then *version is that one and
 * *made false. In the caller's transaction.
 */
WALRAS_NODISCARD enum walras_status db_grid_put(struct db_session *session, const char *actor,
                                                const struct db_grid *grid, int64_t *version,
                                                bool *made, struct walras_err *err);
/*
 * One row: the grid as JSON {id, version, created_at, grid: as scenarios write it inline}, its
 * version in column 1, `grid` alone in column 2. version 0: the last. No row: there is none.
 */
WALRAS_NODISCARD enum walras_status db_grid_get(struct db_session *session, const char *id,
                                                int64_t version, struct db_rows *rows,
                                                struct walras_err *err);
WALRAS_NODISCARD enum walras_status db_grid_list(struct db_session *session,
                                                 const struct db_page *page, struct db_rows *rows,
                                                 struct walras_err *err);
/* *there: the bus is one of that version. */
WALRAS_NODISCARD enum walras_status db_grid_has_bus(struct db_session *session, const char *grid,
                                                    int64_t version, const char *bus, bool *there,
                                                    struct walras_err *err);

#endif
