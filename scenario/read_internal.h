/*
 * What the readers of a scenario's parts share: the scenario being built and its indices.
 *
 * Every function returns with the first failure recorded as "FILE: /json/path: what was expected".
 */
#ifndef WALRAS_SCENARIO_READ_INTERNAL_H
#define WALRAS_SCENARIO_READ_INTERNAL_H

#include "core/csv.h"
#include "core/json.h"
#include "core/names.h"
#include "scenario/scenario.h"

enum { SCENARIO_MAX_ID = 128, SCENARIO_MAX_NAME = 200 }; /* bytes */

#define SCENARIO_MAX_KW    1e9
#define SCENARIO_MAX_PRICE 1e9
#define SCENARIO_MAX_COST  1e12

struct series_pool; /* equal series are stored once */

struct scenario_reader {
    const struct scenario_settings *settings;
    const char *name; /* of the file, in messages */
    struct scenario made;
    struct walras_names *bus_names, *agent_names;
    struct walras_names *device_names; /* of the agent being read; emptied between agents */
    struct walras_csv_cache *csv;
    struct series_pool *series;
    double *scratch; /* [n_known] */
    size_t agent_room, device_room;
    size_t n_shared, n_passed; /* agents and members of fleets: in all, gone by */
};

/* Whether the next agent or member of a fleet is in the share that is asked for. */
static inline bool scenario_is_mine(struct scenario_reader *reader)
{
    const struct scenario_settings *settings = reader->settings;
    size_t at = reader->n_passed++, n = reader->n_shared, n_rank = settings->n_rank;

    if (n_rank == 0)
        return true;
    return at >= settings->rank * n / n_rank && at < (settings->rank + 1) * n / n_rank;
}

/* A range of numbers, ends included. */
static inline struct walras_range scenario_range(double low, double high)
{
    return (struct walras_range){.low = low, .high = high};
}

/* read_series.c */
WALRAS_NODISCARD enum walras_status scenario_series_pool_new(struct series_pool **made,
                                                             struct walras_err *err);
void scenario_series_pool_free(struct series_pool *pool);
/* The series of these values [n_step]: a constant one when they are all equal. */
WALRAS_NODISCARD enum walras_status scenario_keep_series(struct scenario_reader *reader,
                                                         const double *values,
                                                         struct walras_series *out,
                                                         struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_keep_constant(struct scenario_reader *reader,
                                                           double value, struct walras_series *out,
                                                           struct walras_err *err);
/*
 * A number, an array of n_step numbers (which repeat up to n_known), or {"csv", "column", "scale",
 * "offset_steps"}, which reads on.
 */
WALRAS_NODISCARD enum walras_status
scenario_read_series(struct scenario_reader *reader, const struct walras_json *node,
                     struct walras_range range, struct walras_series *out, struct walras_err *err);

/* read_parts.c */
/* The member "id"; the text is the document's. */
WALRAS_NODISCARD enum walras_status
scenario_read_id_text(const struct walras_json *object, const char **text, struct walras_err *err);
/* The same, kept in the scenario's arena. */
WALRAS_NODISCARD enum walras_status scenario_read_id(struct scenario_reader *reader,
                                                     const struct walras_json *object,
                                                     const char **id, struct walras_err *err);
/* The index of the bus that the member `key` names. */
WALRAS_NODISCARD enum walras_status scenario_read_bus(struct scenario_reader *reader,
                                                      const struct walras_json *object,
                                                      const char *key, uint32_t *bus,
                                                      struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_find_bus(struct scenario_reader *reader,
                                                      const struct walras_json *node, uint32_t *bus,
                                                      struct walras_err *err);
/* The resolved path of a file that `node` names; malloc'd. */
WALRAS_NODISCARD enum walras_status scenario_read_path(struct scenario_reader *reader,
                                                       const struct walras_json *node, char **path,
                                                       struct walras_err *err);
/* Fails with the text of `cause` put behind the place of `node`. */
enum walras_status scenario_fail_here(const struct walras_json *node,
                                      const struct walras_err *cause, struct walras_err *err);
static inline enum walras_status scenario_no_memory(const struct scenario_reader *reader,
                                                    struct walras_err *err)
{
    return walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the scenario", reader->name);
}
/* Optional numbers and truth values: *out keeps its value when the key is absent. */
WALRAS_NODISCARD enum walras_status scenario_read_number(const struct walras_json *object,
                                                         const char *key, struct walras_range range,
                                                         double *out, struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_read_bool(const struct walras_json *object,
                                                       const char *key, bool *out,
                                                       struct walras_err *err);

/*
 * Adds an agent or a device behind the last agent. Ids and whatever a device points to belong to
 * the scenario's arena. WALRAS_INVALID without a place when there are too many, or the id is taken.
 */
WALRAS_NODISCARD enum walras_status scenario_add_agent(struct scenario_reader *reader,
                                                       const char *id, uint32_t bus,
                                                       struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_add_device(struct scenario_reader *reader,
                                                        const struct agent_device *device,
                                                        struct walras_err *err);

/* read_grid.c */
WALRAS_NODISCARD enum walras_status scenario_read_grid(struct scenario_reader *reader,
                                                       const struct walras_json *grid,
                                                       struct walras_err *err);
/* read_network.c: buses and lines written inline */
WALRAS_NODISCARD enum walras_status scenario_read_network(struct scenario_reader *reader,
                                                          const struct walras_json *grid,
                                                          struct walras_err *err);
/* Judges the numbers of a case's network by the ranges of inline grids. */
WALRAS_NODISCARD enum walras_status scenario_check_case_network(const struct grid_network *network,
                                                                struct walras_err *err);
/* Makes reader->bus_names from the network; WALRAS_INVALID for a duplicate. */
WALRAS_NODISCARD enum walras_status scenario_index_buses(struct scenario_reader *reader,
                                                         struct walras_err *err);
/* Turns loads (when asked) and shunts of the network's buses into agents. */
WALRAS_NODISCARD enum walras_status scenario_add_bus_loads(struct scenario_reader *reader,
                                                           bool loads, struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_read_supplies(struct scenario_reader *reader,
                                                           const struct walras_json *list,
                                                           struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_read_agents(struct scenario_reader *reader,
                                                         const struct walras_json *list,
                                                         struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_read_fleets(struct scenario_reader *reader,
                                                         const struct walras_json *list,
                                                         struct walras_err *err);
/* read_curves.c: what has costs and curves of its own making; `node` is the device */
WALRAS_NODISCARD enum walras_status scenario_read_generator(struct scenario_reader *reader,
                                                            const struct walras_json *node,
                                                            struct agent_device *device,
                                                            struct walras_err *err);
WALRAS_NODISCARD enum walras_status scenario_read_bid(struct scenario_reader *reader,
                                                      const struct walras_json *node,
                                                      struct agent_device *device,
                                                      struct walras_err *err);
/* read_case.c: a MATPOWER case as a market of its own */
bool scenario_looks_like_case(const char *name, const char *text, size_t size);
WALRAS_NODISCARD enum walras_status scenario_parse_case(struct scenario_reader *reader,
                                                        const char *text, size_t size,
                                                        struct walras_err *err);

#endif
