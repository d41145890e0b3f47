#include "gridkit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void *array(size_t n, size_t size)
{
    void *made = calloc(n + 1, size);

    if (!made) {
        fprintf(stderr, "no memory for a test network\n");
        exit(EXIT_FAILURE);
    }
    return made;
}

static char *name(const char *letter, size_t number)
{
    char *text = array(24, 1);

    snprintf(text, 24, "%s%zu", letter, number);
    return text;
}

struct grid_network gridkit_network(size_t n_bus, const struct gridkit_line *lines, size_t n_line)
{
    struct grid_network network = {.base_mva = 1.0, .slack_v_pu = 1.0};

    network.buses = array(n_bus, sizeof(*network.buses));
    network.lines = array(n_line, sizeof(*network.lines));
    network.n_bus = n_bus;
    network.n_line = n_line;
    for (size_t b = 0; b < n_bus; b++)
        network.buses[b] = (struct grid_bus){.id = name("", b + 1), .v_max_pu = INFINITY};
    for (size_t l = 0; l < n_line; l++)
        network.lines[l] = (struct grid_line){.id = name("l", l + 1),
                                              .from = lines[l].from - 1,
                                              .to = lines[l].to - 1,
                                              .x_pu = lines[l].x_pu,
                                              .limit_kw = INFINITY,
                                              .tap = 1.0,
                                              .in_service = true};
    return network;
}

struct grid_network gridkit_mesh(struct walras_rng *rng, size_t n_bus, size_t n_extra)
{
    size_t near = (size_t)ceil(sqrt((double)n_bus)) + 1, n_line = n_bus - 1 + n_extra;
    struct gridkit_line *lines = array(n_line, sizeof(*lines));

    for (size_t l = 0; l < n_line; l++) {
        size_t to = l < n_bus - 1 ? l + 2 : 2 + (size_t)walras_rng_below(rng, n_bus - 1);
        size_t back = 1 + (size_t)walras_rng_below(rng, to - 1 < near ? to - 1 : near);

        lines[l] = (struct gridkit_line){to - back, to, walras_rng_range(rng, 0.05, 0.5)};
    }
    struct grid_network network = gridkit_network(n_bus, lines, n_line);

    free(lines);
    return network;
}

static bool happens(struct walras_rng *rng, unsigned in)
{
    return walras_rng_below(rng, in) == 0;
}

static void dress_line(struct walras_rng *rng, struct grid_line *line)
{
    line->r_pu = walras_rng_range(rng, 0.0, 0.4);
    line->x_pu = happens(rng, 6) ? 0.0 : walras_rng_range(rng, 0.01, 0.3);
    line->b_pu = happens(rng, 4) ? walras_rng_range(rng, 0.0, 0.01) : 0.0;
    line->tap = happens(rng, 5) ? walras_rng_range(rng, 0.97, 1.03) : 1.0;
    line->limit_kw = happens(rng, 3) ? walras_rng_range(rng, 5.0, 60.0) : HUGE_VAL;
    line->limit_kva = happens(rng, 3) ? walras_rng_range(rng, 5.0, 60.0) : 0.0;
}

struct grid_network gridkit_forest(struct walras_rng *rng, size_t n_bus, size_t n_slack)
{
    size_t n_tree = n_bus - n_slack, n_tie = n_tree / 3;
    struct gridkit_line *lines = array(n_tree + n_tie, sizeof(*lines));

    for (size_t l = 0; l < n_tree + n_tie; l++) {
        size_t bus = l < n_tree ? n_slack + l + 1 : 2 + (size_t)walras_rng_below(rng, n_bus - 1);
        size_t other = 1 + (size_t)walras_rng_below(rng, bus - 1);
        bool down = happens(rng, 2);

        lines[l] = (struct gridkit_line){down ? other : bus, down ? bus : other, 0.1};
    }
    struct grid_network network = gridkit_network(n_bus, lines, n_tree + n_tie);

    free(lines);
    network.may_lack_reactance = true;
    for (size_t l = 0; l < network.n_line; l++) {
        dress_line(rng, &network.lines[l]);
        network.lines[l].in_service = l < n_tree;
    }
    network.slack_v_pu = walras_rng_range(rng, 0.99, 1.02);
    for (size_t b = 1; b < n_slack; b++)
        network.buses[b].slack_v_pu = walras_rng_range(rng, 0.99, 1.02);
    for (size_t b = n_slack; b < n_bus; b++)
        if (!happens(rng, 3)) {
            network.buses[b].v_min_pu = walras_rng_range(rng, 0.85, 0.9);
            network.buses[b].v_max_pu = walras_rng_range(rng, 1.12, 1.2);
        }
    return network;
}
