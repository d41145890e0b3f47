#include "agents/fleet_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Who answers together. All that decides it are counts: how many devices of each kind there are at
 * each bus, and how many of each likeness among those that must be split. Counts of parts of a
 * fleet add up, so whoever holds a part only can place its devices once the sums are known.
 */

enum { FEW_INTEGERS = 64 };

/* Likeness is counted in bins; a car's are two numbers, come and go, of half the bits each. */
enum { HALF_BITS = 7, HALF_BINS = 1 << HALF_BITS, N_BIN = HALF_BINS * HALF_BINS };

/* What devices are told apart by at one bus: the type of a convex one; integer ones are one kind.
 */
enum { KIND_INTEGER = AGENT_N_TYPE, N_KIND, KIND_TOLD = N_KIND };

struct tally {                    /* of one likeness, or of a whole bucket: devices */
    uint32_t *own, *all, *before; /* here, on all ranks, on the ranks before this one */
};

struct bucket { /* one bus, one kind: members [first, first + own), to be split into n_group */
    uint32_t bus;
    unsigned kind;
    size_t first, own, n, n_group; /* n: on all ranks */
    size_t before;                 /* on the ranks before this one */
    struct tally bins;             /* [N_BIN] each; NULL: not split by likeness */
    size_t next;                   /* without bins */
};

struct sorting { /* one call of fleet_form_groups */
    struct agent_fleet *fleet;
    struct tally count; /* [n_bus x N_KIND] each; own: then the index of their bucket */
    struct bucket *buckets;
    size_t n_bucket;
    struct tally bins;  /* [buckets that are split x N_BIN] each */
    struct tally kinds; /* [n_group] each */
};

static bool tally_new(struct tally *tally, size_t n)
{
    tally->own = calloc(3 * n + 1, sizeof(*tally->own));
    tally->all = tally->own ? tally->own + n : NULL;
    tally->before = tally->own ? tally->own + 2 * n : NULL;
    return tally->own;
}

static void add_up(struct walras_ranks *ranks, struct tally *tally, size_t n)
{
    memcpy(tally->all, tally->own, n * sizeof(*tally->own));
    walras_ranks_total(ranks, tally->all, tally->before, n);
}

/* Equal shares of each octave from 1/128 on: bins of 0.2 % of the value and less. */
static size_t bin_of_size(double value)
{
    const size_t per_octave = N_BIN / 32;
    int exponent = 0;
    double mantissa = frexp(fmin(fmax(value, 1.0 / 128.0), 1e7), &exponent);

    return (size_t)(exponent + 6) * per_octave +
           (size_t)((2.0 * mantissa - 1.0) * (double)per_octave);
}

static size_t bin_of_step(uint32_t step, size_t n_step)
{
    return n_step < HALF_BINS ? step : step * (size_t)(HALF_BINS - 1) / n_step;
}

/* Devices that answer alike have bins alike. */
static size_t likeness(const struct agent_device *device, size_t n_step)
{
    switch (device->type) {
    case AGENT_BATTERY: /* hours of charge, then losses */
        return bin_of_size(device->battery.capacity_kwh / fmax(device->battery.charge_kw, 1e-9) +
                           device->battery.charge_efficiency *
                               device->battery.discharge_efficiency);
    case AGENT_EV: /* leaves about when, comes about when */
        return HALF_BINS * bin_of_step(device->ev.depart, n_step) +
               bin_of_step(device->ev.arrive, n_step);
    case AGENT_THERMAL: /* time constant */
        return bin_of_size(device->thermal.capacity_kwh_per_k /
                           fmax(device->thermal.conductance_kw_per_k, 1e-9));
    default:
        return 0;
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

/* A program of its own counts as integer only when it has integer columns. */
static bool is_integer(const struct agent_fleet *fleet, size_t device)
{
    if (fleet->devices[device].type == AGENT_LP)
        return agent_model_is_integer(fleet_model(fleet, device));
    return agent_device_is_integer(&fleet->devices[device]);
}

static unsigned kind_of(const struct agent_fleet *fleet, size_t device)
{
    if (agent_device_is_separable(&fleet->devices[device]))
        return KIND_TOLD;
    return is_integer(fleet, device) ? KIND_INTEGER : fleet->devices[device].type;
}

static void count_kinds(struct sorting *s)
{
    for (size_t i = 0; i < s->fleet->n_device; i++) {
        unsigned kind = kind_of(s->fleet, i);

        if (kind != KIND_TOLD)
            s->count.own[s->fleet->bus[i] * N_KIND + kind]++;
    }
}

/* By bus, then by kind. Counts become places in the list. */
static enum walras_status list_buckets(struct sorting *s, struct walras_err *err)
{
    size_t n_cell = s->fleet->n_bus * N_KIND, first = 0, n = 0;

    for (size_t cell = 0; cell < n_cell; cell++)
        n += s->count.all[cell] > 0;
    s->buckets = calloc(n + 1, sizeof(*s->buckets));
    if (!s->buckets)
        return walras_fail(err, WALRAS_NOMEM, "%zu kinds of devices do not fit in memory", n);
    for (size_t cell = 0; cell < n_cell; cell++) {
        if (s->count.all[cell] == 0)
            continue;
        s->buckets[s->n_bucket] = (struct bucket){.bus = (uint32_t)(cell / N_KIND),
                                                  .kind = (unsigned)(cell % N_KIND),
                                                  .first = first,
                                                  .own = s->count.own[cell],
                                                  .n = s->count.all[cell],
                                                  .before = s->count.before[cell],
                                                  .n_group = 1};
        first += s->count.own[cell];
        s->count.own[cell] = (uint32_t)s->n_bucket++;
    }
    s->fleet->n_member = first;
    return WALRAS_OK;
}

/*
 * Few integer devices get a group each: groups of one can reconsider what they play
 * (market/settle.h).
 */
static void part_integers(struct sorting *s)
{
    size_t n_integer = 0;

    for (size_t i = 0; i < s->n_bucket; i++)
        n_integer += s->buckets[i].kind == KIND_INTEGER ? s->buckets[i].n : 0;
    for (size_t i = 0; i < s->n_bucket && n_integer <= FEW_INTEGERS; i++)
        if (s->buckets[i].kind == KIND_INTEGER)
            s->buckets[i].n_group = s->buckets[i].n;
}

/* Splits the bucket with the most devices a group, again and again, until there are `wanted`. */
static size_t share_out(struct sorting *s, size_t wanted)
{
    size_t n_group = 0;

    part_integers(s);
    for (size_t i = 0; i < s->n_bucket; i++)
        n_group += s->buckets[i].n_group;

    for (; n_group < wanted; n_group++) {
        size_t best = SIZE_MAX;
        double most = 1.0;

        for (size_t i = 0; i < s->n_bucket; i++) {
            double size = (double)s->buckets[i].n / (double)s->buckets[i].n_group;

            if (s->buckets[i].kind != KIND_INTEGER && size > most) {
                most = size;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        s->buckets[best].n_group++;
    }
    return n_group;
}

static struct bucket *bucket_of(const struct sorting *s, size_t device, unsigned kind)
{
    return &s->buckets[s->count.own[s->fleet->bus[device] * N_KIND + kind]];
}

static bool is_split(const struct bucket *bucket)
{
    return bucket->n_group > 1 && bucket->kind != KIND_INTEGER;
}

static enum walras_status take_bins(struct sorting *s, size_t *n_split, struct walras_err *err)
{
    for (size_t i = 0; i < s->n_bucket; i++)
        *n_split += is_split(&s->buckets[i]);
    if (!tally_new(&s->bins, *n_split * N_BIN))
        return walras_fail(err, WALRAS_NOMEM, "cannot split %zu kinds of devices", *n_split);
    for (size_t i = 0, at = 0; i < s->n_bucket; i++)
        if (is_split(&s->buckets[i])) {
            s->buckets[i].bins =
                (struct tally){s->bins.own + at, s->bins.all + at, s->bins.before + at};
            at += N_BIN;
        }
    return WALRAS_OK;
}

/* Counts likeness where a bucket is split by it. */
static void count_likeness(struct sorting *s, size_t n_split)
{
    const struct agent_fleet *fleet = s->fleet;

    for (size_t i = 0; i < fleet->n_device; i++) {
        unsigned kind = kind_of(fleet, i);
        struct bucket *bucket = kind == KIND_TOLD ? NULL : bucket_of(s, i, kind);

        if (bucket && bucket->bins.own)
            bucket->bins.own[likeness(&fleet->devices[i], fleet->horizon.n_step)]++;
    }
    add_up(fleet->settings.ranks, &s->bins, n_split * N_BIN);
}

/* Of `own` that stand behind `before` others, how many are among the first `wanted`. */
static size_t among(size_t wanted, size_t before, size_t own)
{
    if (wanted <= before)
        return 0;
    return wanted - before < own ? wanted - before : own;
}

/* How many own members are among the first `wanted` of a bucket: by likeness, rank, device. */
static size_t own_among(const struct bucket *bucket, size_t wanted)
{
    size_t passed = 0, n = 0;

    if (!bucket->bins.own)
        return among(wanted, bucket->before, bucket->own);
    for (size_t i = 0; i < N_BIN && passed < wanted; i++) {
        n += among(wanted, passed + bucket->bins.before[i], bucket->bins.own[i]);
        passed += bucket->bins.all[i];
    }
    return n;
}

/* Which of the own members are in which group. */
static void cut_groups(struct sorting *s)
{
    struct agent_fleet *fleet = s->fleet;
    size_t g = 0;

    for (size_t i = 0; i < s->n_bucket; i++) {
        const struct bucket *bucket = &s->buckets[i];
        size_t first = 0;

        for (size_t k = 0; k < bucket->n_group; k++, g++) {
            size_t from = k * bucket->n / bucket->n_group;
            size_t to = (k + 1) * bucket->n / bucket->n_group, end = own_among(bucket, to);

            fleet->inner[g] =
                (struct fleet_group){.first = bucket->first + first, .n = end - first};
            fleet->groups[g] = (struct agent_group){
                .bus = bucket->bus, .integer = bucket->kind == KIND_INTEGER, .n_device = to - from};
            first = end;
        }
    }
}

/* Counts of likeness become places. */
static void open_bins(struct sorting *s)
{
    for (size_t i = 0; i < s->n_bucket; i++) {
        uint32_t *own = s->buckets[i].bins.own, before = 0;

        for (size_t bin = 0; own && bin < N_BIN; bin++) {
            uint32_t n = own[bin];

            own[bin] = before;
            before += n;
        }
    }
}

static void place_devices(struct sorting *s)
{
    struct agent_fleet *fleet = s->fleet;

    open_bins(s);
    for (size_t i = 0; i < fleet->n_device; i++) {
        unsigned kind = kind_of(fleet, i);

        fleet->place[i] = FLEET_TOLD;
        if (kind == KIND_TOLD)
            continue;
        struct bucket *bucket = bucket_of(s, i, kind);
        size_t at = bucket->bins.own
                        ? bucket->bins.own[likeness(&fleet->devices[i], fleet->horizon.n_step)]++
                        : bucket->next++;

        fleet->place[i] = (uint32_t)(bucket->first + at);
        fleet->member[fleet->place[i]] = (uint32_t)i;
    }
}

static void name_group(struct agent_group *group, size_t part, size_t n_part)
{
    const char *kind = group->integer ? "integer" : agent_device_type_name(group->kind);

    if (n_part > 1)
        snprintf(group->name, sizeof(group->name), "%s at bus %u, %zu of %zu", kind, group->bus,
                 part + 1, n_part);
    else
        snprintf(group->name, sizeof(group->name), "%s at bus %u", kind, group->bus);
}

/* A group is of the kind of its first member, on whatever rank that is. */
static void agree_on_kinds(struct sorting *s)
{
    struct agent_fleet *fleet = s->fleet;
    uint32_t *has = s->kinds.own, *before = s->kinds.before;

    for (size_t g = 0; g < fleet->n_group; g++)
        has[g] = fleet->inner[g].n > 0;
    add_up(fleet->settings.ranks, &s->kinds, fleet->n_group);
    for (size_t g = 0; g < fleet->n_group; g++)
        has[g] = has[g] && before[g] == 0
                     ? fleet->devices[fleet->member[fleet->inner[g].first]].type
                     : 0;
    add_up(fleet->settings.ranks, &s->kinds, fleet->n_group);
    for (size_t g = 0; g < fleet->n_group; g++)
        fleet->groups[g].kind = s->kinds.all[g];
}

static void fill_groups(struct sorting *s)
{
    struct agent_fleet *fleet = s->fleet;
    size_t g = 0;

    agree_on_kinds(s);
    for (size_t i = 0; i < s->n_bucket; i++)
        for (size_t k = 0; k < s->buckets[i].n_group; k++, g++)
            name_group(&fleet->groups[g], k, s->buckets[i].n_group);
    for (g = 0; g < fleet->n_group; g++)
        for (size_t i = 0; i < fleet->inner[g].n; i++)
            fleet->groups[g].swing_kw += swing(
                &fleet->devices[fleet->member[fleet->inner[g].first + i]], fleet->horizon.n_step);
}

static enum walras_status take_memory(struct agent_fleet *fleet, struct walras_err *err)
{
    fleet->place = calloc(fleet->n_device + 1, sizeof(*fleet->place));
    fleet->member = calloc(fleet->n_member + 1, sizeof(*fleet->member));
    fleet->groups = calloc(fleet->n_group + 1, sizeof(*fleet->groups));
    fleet->inner = calloc(fleet->n_group + 1, sizeof(*fleet->inner));
    fleet->is_settled = calloc(fleet->n_member + 1, sizeof(*fleet->is_settled));
    if (fleet->models)
        fleet->memory = calloc(fleet->n_member + 1, sizeof(*fleet->memory));
    if (!fleet->place || !fleet->member || !fleet->groups || !fleet->inner || !fleet->is_settled ||
        (fleet->models && !fleet->memory))
        return walras_fail(err, WALRAS_NOMEM, "%zu devices do not fit in memory", fleet->n_device);
    return WALRAS_OK;
}

enum walras_status fleet_form_groups(struct agent_fleet *fleet, struct walras_err *err)
{
    struct sorting s = {.fleet = fleet};
    struct walras_ranks *ranks = fleet->settings.ranks;
    enum walras_status status = WALRAS_OK;
    size_t n_cell = fleet->n_bus * N_KIND, n_split = 0;

    if (!tally_new(&s.count, n_cell))
        status = walras_fail(err, WALRAS_NOMEM, "cannot group devices of %zu buses", fleet->n_bus);
    status = walras_ranks_agree(ranks, status, err);
    if (status == WALRAS_OK) {
        count_kinds(&s);
        add_up(ranks, &s.count, n_cell);
        status = list_buckets(&s, err);
    }
    if (status == WALRAS_OK) {
        fleet->n_group = share_out(&s, fleet->settings.n_group);
        status = take_memory(fleet, err);
    }
    if (status == WALRAS_OK)
        status = take_bins(&s, &n_split, err);
    if (status == WALRAS_OK && !tally_new(&s.kinds, fleet->n_group))
        status = walras_fail(err, WALRAS_NOMEM, "cannot form %zu groups", fleet->n_group);
    status = walras_ranks_agree(ranks, status, err);
    if (status == WALRAS_OK) {
        count_likeness(&s, n_split);
        cut_groups(&s);
        place_devices(&s);
        fill_groups(&s);
    }
    free(s.count.own);
    free(s.buckets);
    free(s.bins.own);
    free(s.kinds.own);
    return status;
}
