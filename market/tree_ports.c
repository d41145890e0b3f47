/*
 * The ports that all nodes of a tree have, and what zones' prices are of them: that of kW alone, or
 * with that of kvar, and with the shadow prices of rows that fit no tree.
 */
#include "market/tree_draft.h"

#include <stdlib.h>

/* What 1 kW of a zone is at its bus. */
static struct grid_unit unit_of(const struct market_problem *problem, size_t zone, size_t step)
{
    size_t node = problem->node_of_bus ? problem->node_of_bus[zone] : zone;

    return problem->limits ? grid_limits_unit(problem->limits, node, step)
                           : (struct grid_unit){1.0, 0.0};
}

static bool draws_kvar(const struct market_problem *problem, size_t step)
{
    for (size_t z = 0; z < problem->n_bus; z++)
        if (unit_of(problem, z, step).kvar != 0.0)
            return true;
    return false;
}

bool tree_ports(struct master_tree *tree, const struct market_rows *rows,
                const struct tree_draft *draft)
{
    size_t n_step = tree->n_step;

    tree->port_kvar = malloc((n_step + 1) * sizeof(*tree->port_kvar));
    tree->loose = malloc((rows->n + 1) * sizeof(*tree->loose));
    if (!tree->port_kvar || !tree->loose)
        return false;
    tree->n_port = n_step;
    for (uint32_t t = 0; t < n_step; t++) {
        bool priced = false;

        for (size_t a = rows->step_first[t]; a < rows->step_first[t + 1]; a++)
            priced = priced || (draft->row[a].vertex != SIZE_MAX && draft->row[a].kvar != 0.0);
        tree->port_kvar[t] = priced && draws_kvar(rows->problem, t) ? tree->n_port++ : SIZE_MAX;
    }
    for (size_t a = 0; a < rows->n; a++)
        if (draft->row[a].vertex == SIZE_MAX) {
            tree->loose[tree->n_loose++] = a;
            tree->n_port++;
        }
    return true;
}

/* How many entries loose rows bring to each zone. */
static void count_loose(const struct master_tree *tree, const struct market_rows *rows,
                        size_t *count)
{
    for (size_t i = 0; i < tree->n_loose; i++)
        for (size_t k = 0; k < rows->rows[tree->loose[i]].coef.n; k++)
            count[rows->rows[tree->loose[i]].coef.bus[k]]++;
}

/* Whether the price of a zone is that of kW in every step, but for loose rows. */
static bool is_plain(const struct master_tree *tree, const struct market_rows *rows, size_t zone)
{
    for (size_t t = 0; t < tree->n_step; t++) {
        struct grid_unit unit = unit_of(rows->problem, zone, t);

        if (unit.kw < 1.0 || (unit.kvar != 0.0 && tree->port_kvar[t] != SIZE_MAX))
            return false;
    }
    return true;
}

static void put(struct master_tree *tree, struct tree_zone *zone, size_t port, uint32_t step,
                double weight)
{
    if (port != SIZE_MAX && weight != 0.0)
        tree->entry[zone->entry.first + zone->entry.n++] = (struct tree_entry){port, step, weight};
}

static void fill_zone(struct master_tree *tree, const struct market_rows *rows,
                      struct tree_zone *zone)
{
    for (uint32_t t = 0; t < tree->n_step; t++) {
        struct grid_unit unit = unit_of(rows->problem, zone->bus, t);

        put(tree, zone, t, t, unit.kw);
        put(tree, zone, tree->port_kvar[t], t, unit.kvar);
    }
}

static void fill_loose(struct master_tree *tree, const struct market_rows *rows,
                       const size_t *zone_at)
{
    size_t first = tree->n_port - tree->n_loose;

    for (size_t i = 0; i < tree->n_loose; i++) {
        const struct market_row *row = &rows->rows[tree->loose[i]];

        for (size_t k = 0; k < row->coef.n; k++)
            put(tree, &tree->zone[zone_at[row->coef.bus[k]]], first + i, row->step,
                -row->direction * row->coef.coef[k]);
    }
}

bool tree_entries(struct master_tree *tree, const struct market_rows *rows)
{
    size_t n_zone = rows->problem->n_bus, total = 0;
    size_t *count = calloc(2 * n_zone + 1, sizeof(*count)), *zone_at = count + n_zone;

    if (!count)
        return false;
    count_loose(tree, rows, count);
    for (size_t i = 0; i < n_zone; i++) {
        struct tree_zone *zone = &tree->zone[i];

        zone_at[zone->bus] = i;
        zone->plain = count[zone->bus] == 0 && is_plain(tree, rows, zone->bus);
        zone->entry.first = total;
        total += zone->plain ? 0 : count[zone->bus] + 2 * tree->n_step;
    }
    tree->entry = calloc(total + 1, sizeof(*tree->entry));
    for (size_t i = 0; i < n_zone && tree->entry; i++)
        if (!tree->zone[i].plain)
            fill_zone(tree, rows, &tree->zone[i]);
    if (tree->entry)
        fill_loose(tree, rows, zone_at);
    free(count);
    return tree->entry;
}
