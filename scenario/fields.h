/*
 * The keys of every device type: one table that reading, writing out and checking work from.
 *
 * Units and meaning are those of agents/device.h, which each field is a member of.
 */
#ifndef WALRAS_SCENARIO_FIELDS_H
#define WALRAS_SCENARIO_FIELDS_H

#include "agents/device.h"
#include "core/json.h"

enum scenario_field_kind {
    SCENARIO_NUMBER, /* double */
    SCENARIO_SERIES, /* struct walras_series */
    SCENARIO_STEP,   /* uint32_t, 0 … n_step */
    SCENARIO_BOOL,   /* bool */
    SCENARIO_OWN     /* read and written by the type's own functions */
};

struct scenario_field {
    const char *key;
    enum scenario_field_kind kind;
    size_t offset; /* in struct agent_device */
    bool required;
    double fallback; /* when absent; NAN, INFINITY: what device.h says they mean; a series of NAN
                        is one without values */
    const struct walras_range *range; /* of numbers and series; NULL: none */
};

struct scenario_fields {
    const struct scenario_field *list; /* [n], without `id`, `type` and `power_factor` */
    size_t n;
};

enum { SCENARIO_MAX_FIELDS = 24 };

struct scenario_fields scenario_fields_of(enum agent_device_type type);

/* Judges numbers and series that were not read from JSON by the same ranges. */
WALRAS_NODISCARD enum walras_status scenario_fields_check(const struct agent_device *device,
                                                          size_t n_step, struct walras_err *err);

static inline void *scenario_field_of(struct agent_device *device,
                                      const struct scenario_field *field)
{
    return (char *)device + field->offset;
}

static inline const void *scenario_field_in(const struct agent_device *device,
                                            const struct scenario_field *field)
{
    return (const char *)device + field->offset;
}

#endif
