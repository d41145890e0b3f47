#include "agents/sdk/wire.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 1000000 };

static json_t *numbers(const double *values, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, json_real(values[i])) != 0) { /* not finite, or no memory */
            json_decref(list);
            return NULL;
        }
    return list;
}

/* The object's text; the object is given up. NULL stays NULL. */
static char *text_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;

    json_decref(object);
    return text;
}

char *walras_wire_fallback(const double *fallback_kw, size_t n_step)
{
    return text_of(json_pack("{s:o}", "fallback_kw", numbers(fallback_kw, n_step)));
}

char *walras_wire_answers(const double *draw_kw, const double *cost, size_t n_point, size_t n_step)
{
    json_t *answers = json_array();

    for (size_t i = 0; i < n_point; i++) {
        json_t *answer = json_pack("{s:o}", "draw_kw", numbers(draw_kw + i * n_step, n_step));
        bool good = isnan(cost[i]) || json_object_set_new(answer, "cost", json_real(cost[i])) == 0;

        if (json_array_append_new(answers, answer) != 0 || !good) {
            json_decref(answers);
            return NULL;
        }
    }
    return text_of(json_pack("{s:o}", "answers", answers));
}

static json_t *object_of(const char *text, size_t length)
{
    json_t *root = text ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

/* A string member into out [size]; false: it is none, or does not fit. */
static bool take_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *value = json_string_value(json_object_get(object, key));

    if (!value || strlen(value) >= size)
        return false;
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static bool take_number(const json_t *object, const char *key, double *out)
{
    const json_t *value = json_object_get(object, key);

    *out = json_number_value(value);
    return json_is_number(value) && isfinite(*out);
}

/* A list of exactly n numbers. */
static bool take_numbers(const json_t *object, const char *key, size_t n, double *out)
{
    const json_t *list = json_object_get(object, key);

    if (!json_is_array(list) || json_array_size(list) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);

        if (!json_is_number(value))
            return false;
        out[i] = json_number_value(value);
    }
    return true;
}

bool walras_wire_token(const char *text, size_t length, char *token, size_t size, double *expires_s)
{
    json_t *root = object_of(text, length);
    bool good =
        take_text(root, "access_token", token, size) && take_number(root, "expires_in", expires_s);

    json_decref(root);
    return good;
}

bool walras_wire_market(const char *text, size_t length, struct walras_agent_market *out)
{
    json_t *root = object_of(text, length), *horizon = json_object_get(root, "horizon");
    double n_step = 0.0, step_min = 0.0;
    bool good = take_text(root, "id", out->id, sizeof(out->id)) &&
                take_text(root, "currency", out->currency, sizeof(out->currency)) &&
                take_text(horizon, "start", out->start, sizeof(out->start)) &&
                take_number(horizon, "steps", &n_step) &&
                take_number(horizon, "step_minutes", &step_min) && n_step >= 1.0 &&
                n_step <= MOST_STEPS && step_min > 0.0;

    if (good) {
        out->n_step = (size_t)n_step;
        out->step_h = step_min / 60.0;
    }
    json_decref(root);
    return good;
}

static bool take_points(const json_t *root, size_t n_step, struct walras_wire_round *out)
{
    const json_t *points = json_object_get(root, "points");
    size_t n = json_array_size(points);

    if (n < 1 || n > WIRE_MOST_POINTS || n_step < 1 || n_step > MOST_STEPS)
        return false;
    out->price_per_mwh = malloc(n * n_step * sizeof(*out->price_per_mwh));
    if (!out->price_per_mwh)
        return false;
    for (out->n_point = 0; out->n_point < n; out->n_point++)
        if (!take_numbers(json_array_get(points, out->n_point), "prices_per_mwh", n_step,
                          out->price_per_mwh + out->n_point * n_step))
            return false;
    return true;
}

bool walras_wire_round(const char *text, size_t length, size_t n_step,
                       struct walras_wire_round *out)
{
    json_t *root = object_of(text, length);
    const json_t *number = json_object_get(root, "round");
    bool good = false;

    *out = (struct walras_wire_round){0};
    good = take_text(root, "state", out->state, sizeof(out->state));
    if (good && !json_is_null(number)) {
        out->number = json_integer_value(number);
        good = out->number > 0 && take_points(root, n_step, out);
    }
    good = good && number;
    if (!good)
        walras_wire_round_release(out);
    json_decref(root);
    return good;
}

void walras_wire_round_release(struct walras_wire_round *round)
{
    free(round->price_per_mwh);
    *round = (struct walras_wire_round){0};
}

bool walras_wire_state_goes_on(const char *state)
{
    return strcmp(state, "draft") == 0 || strcmp(state, "open") == 0 ||
           strcmp(state, "clearing") == 0;
}

bool walras_wire_award(const char *text, size_t length, size_t n_step, double *draw_kw,
                       double *cost)
{
    json_t *root = object_of(text, length);
    bool hidden = root && !json_object_get(root, "cost");
    bool good = take_numbers(root, "draw_kw", n_step, draw_kw) &&
                (hidden || take_number(root, "cost", cost));

    if (hidden)
        *cost = (double)NAN;
    json_decref(root);
    return good;
}

bool walras_wire_ids(const char *text, size_t length, const char *key, size_t most,
                     char (*ids)[WALRAS_AGENT_ID], size_t *n)
{
    json_t *root = object_of(text, length);
    const json_t *items = json_object_get(root, "items");
    bool good = json_is_array(items);

    *n = 0;
    for (size_t i = 0; good && i < json_array_size(items) && i < most; i++) {
        good = take_text(json_array_get(items, i), key, ids[i], sizeof(ids[i])) && ids[i][0];
        *n += good;
    }
    json_decref(root);
    return good;
}

void walras_wire_problem(const char *text, size_t length, char *out, size_t size)
{
    json_t *root = object_of(text, length);
    const char *detail = json_string_value(json_object_get(root, "detail"));
    size_t n = 0;

    if (size == 0)
        return;
    if (detail) {
        text = detail;
        length = strlen(detail);
    }
    for (; text && n < length && n + 1 < size; n++)
        out[n] = iscntrl((unsigned char)text[n]) ? ' ' : text[n];
    out[n] = '\0';
    json_decref(root);
}
