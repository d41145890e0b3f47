#include "agents/fleet_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_INTEGERS = 64 };

struct candidate { /* a device that must be asked, and what it is sorted by */
    size_t device;
    uint32_t bus;
    bool integer;
    enum agent_device_type type;
    double key; /* devices that answer alike have keys alike */
};

struct bucket { /* one bus, one kind: candidates [first, first + n), to be split into n_group */
    size_t first, n, n_group;
};

static double likeness(const struct agent_device *device)
{
    switch (device->type) {
    case AGENT_BATTERY: /* hours of charge, then losses */
        return device->battery.capacity_kwh / fmax(device->battery.charge_kw, 1e-9) +
               device->battery.charge_efficiency * device->battery.discharge_efficiency;
    case AGENT_EV: /* leaves about when, comes about when */
        return 1e6 * device->ev.depart + device->ev.arrive;
    case AGENT_THERMAL: /* time constant */
        return device->thermal.capacity_kwh_per_k /
               fmax(device->thermal.conductance_kw_per_k, 1e-9);
    default:
        return 0.0;
    }
}

static double swing(const struct agent_device *device, size_t n_step)
{
    double most = 0.0;

    switch (device->type) {
    case AGENT_BATTERY:
        return device->battery.charge_kw + device->battery.discharge_kw;
    case AGENT_EV:
        return device->ev.charge_kw + device->ev.discharge_kw;
    case AGENT_THERMAL:
        return device->thermal.max_kw;
    case AGENT_SHIFTABLE:
        for (uint32_t i = 0; i < device->shiftable.n_profile; i++)
            most = fmax(most, fabs(device->shiftable.profile_kw[i]));
        return most;
    case AGENT_GENERATOR:
        return fmax(fabs(device->generator.max_kw), fabs(device->generator.min_kw));
    case AGENT_LOAD:
        for (size_t t = 0; t < n_step; t++)
            most = fmax(most, fabs(walras_series_at(device->load.draw_kw, t)));
        return most;
    default:
        return 0.0; /* a program of its own: measured by asking it */
    }
}

static int compare(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->bus != b->bus)
        return a->bus < b->bus ? -1 : 1;
    if (a->integer != b->integer)
        return a->integer ? 1 : -1;
    if (!a->integer && a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (!a->integer && (a->key < b->key || a->key > b->key))
        return a->key < b->key ? -1 : 1;
    return a->device < b->device ? -1 : a->device > b->device;
}

static bool same_kind(const struct candidate *a, const struct candidate *b)
{
    return a->bus == b->bus && a->integer == b->integer && (a->integer || a->type == b->type);
}

/* A program of its own counts as integer only when it has integer columns. */
static bool is_integer(const struct agent_fleet *fleet, size_t device)
{
    if (fleet->devices[device].type == AGENT_LP)
        return agent_model_is_integer(fleet->models[device]);
    return agent_device_is_integer(&fleet->devices[device]);
}

static size_t list_candidates(const struct agent_fleet *fleet, struct candidate *candidates)
{
    size_t n = 0;

    for (size_t i = 0; i < fleet->n_device; i++) {
        const struct agent_device *device = &fleet->devices[i];

        if (!agent_device_is_separable(device))
            candidates[n++] = (struct candidate){i, fleet->bus[i], is_integer(fleet, i),
                                                 device->type, likeness(device)};
    }
    qsort(candidates, n, sizeof(*candidates), compare);
    return n;
}

static size_t list_buckets(const struct candidate *candidates, size_t n, struct bucket *buckets)
{
    size_t n_bucket = 0;

    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !same_kind(&candidates[i], &candidates[i - 1]))
            buckets[n_bucket++] = (struct bucket){.first = i, .n_group = 1};
        buckets[n_bucket - 1].n++;
    }
    return n_bucket;
}

/*
 * Few integer devices get a group each: groups of one can reconsider what they play
 * (market/settle.h).
 */
static void part_integers(const struct candidate *candidates, struct bucket *buckets,
                          size_t n_bucket)
{
    size_t n_integer = 0;

    for (size_t i = 0; i < n_bucket; i++)
        n_integer += candidates[buckets[i].first].integer ? buckets[i].n : 0;
    for (size_t i = 0; i < n_bucket && n_integer <= FEW_INTEGERS; i++)
        if (candidates[buckets[i].first].integer)
            buckets[i].n_group = buckets[i].n;
}

/* Splits the bucket with the most devices a group, again and again, until there are `wanted`. */
static size_t share_out(const struct candidate *candidates, struct bucket *buckets, size_t n_bucket,
                        size_t wanted)
{
    size_t n_group = 0;

    part_integers(candidates, buckets, n_bucket);
    for (size_t i = 0; i < n_bucket; i++)
        n_group += buckets[i].n_group;

    for (; n_group < wanted; n_group++) {
        size_t best = SIZE_MAX;
        double most = 1.0;

        for (size_t i = 0; i < n_bucket; i++) {
            double size = (double)buckets[i].n / (double)buckets[i].n_group;

            if (!candidates[buckets[i].first].integer && size > most) {
                most = size;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        buckets[best].n_group++;
    }
    return n_group;
}

static void name_group(struct agent_group *group, const struct agent_device *device, size_t part,
                       size_t n_part)
{
    const char *kind = group->integer ? "integer" : agent_device_type_name(device->type);

    if (n_part > 1)
        snprintf(group->name, sizeof(group->name), "%s at bus %u, %zu of %zu", kind, group->bus,
                 part + 1, n_part);
    else
        snprintf(group->name, sizeof(group->name), "%s at bus %u", kind, group->bus);
}

static void fill_groups(struct agent_fleet *fleet, const struct candidate *candidates,
                        const struct bucket *buckets, size_t n_bucket)
{
    size_t g = 0;

    for (size_t i = 0; i < n_bucket; i++) {
        const struct bucket *bucket = &buckets[i];

        for (size_t k = 0; k < bucket->n_group; k++, g++) {
            size_t first = bucket->first + k * bucket->n / bucket->n_group;
            size_t end = bucket->first + (k + 1) * bucket->n / bucket->n_group;
            struct agent_group *group = &fleet->groups[g];

            fleet->inner[g] = (struct fleet_group){.first = first, .n = end - first};
            *group = (struct agent_group){.bus = candidates[first].bus,
                                          .integer = candidates[first].integer,
                                          .kind = (unsigned)candidates[first].type,
                                          .n_device = end - first};
            for (size_t m = first; m < end; m++)
                group->swing_kw +=
                    swing(&fleet->devices[candidates[m].device], fleet->horizon.n_step);
            name_group(group, &fleet->devices[candidates[first].device], k, bucket->n_group);
        }
    }
}

enum walras_status fleet_form_groups(struct agent_fleet *fleet, struct walras_err *err)
{
    struct candidate *candidates = calloc(fleet->n_device + 1, sizeof(*candidates));
    struct bucket *buckets = calloc(fleet->n_device + 1, sizeof(*buckets));
    enum walras_status status = WALRAS_OK;

    if (candidates && buckets) {
        size_t n = list_candidates(fleet, candidates);
        size_t n_bucket = list_buckets(candidates, n, buckets);

        fleet->n_member = n;
        fleet->n_group = share_out(candidates, buckets, n_bucket, fleet->settings.n_group);
        fleet->member = calloc(n + 1, sizeof(*fleet->member));
        fleet->groups = calloc(fleet->n_group + 1, sizeof(*fleet->groups));
        fleet->inner = calloc(fleet->n_group + 1, sizeof(*fleet->inner));
        if (fleet->member && fleet->groups && fleet->inner) {
            for (size_t i = 0; i < n; i++)
                fleet->member[i] = candidates[i].device;
            fill_groups(fleet, candidates, buckets, n_bucket);
        }
    }
    fleet->is_settled = calloc(fleet->n_member + 1, sizeof(*fleet->is_settled));
    fleet->memory = calloc(fleet->n_member + 1, sizeof(*fleet->memory));
    if (!fleet->member || !fleet->groups || !fleet->inner || !fleet->is_settled || !fleet->memory)
        status =
            walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory", fleet->n_device);
    free(candidates);
    free(buckets);
    return status;
}
