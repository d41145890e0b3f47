#include "api/answers_scan.h"

#include "api/answers.h"
#include "db/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* well within what api_answer_read allows */
#define MOST_KW   0.99e9
#define MOST_COST 0.99e12
enum { MOST_DIGITS = 19, MOST_WHOLE_DIGITS = 15, MOST_EXPONENT = 30, MOST_PART = 40 };

struct scan {
    const char *at, *end;
};

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

/* That character next, spaces before it left out. */
static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* The key and the colon behind it. */
static bool take_key(struct scan *s, const char *key)
{
    size_t n = strlen(key);

    skip_space(s);
    if ((size_t)(s->end - s->at) < n + 2 || s->at[0] != '"' || memcmp(s->at + 1, key, n) != 0 ||
        s->at[n + 1] != '"')
        return false;
    s->at += n + 2;
    return take(s, ':');
}

/*
 * Digits, taken into *mantissa, which has room for MOST_DIGITS behind its zeros; how many. One more
 * may wrap it around, to 0 even: *significant counts it all the same.
 */
static int take_digits(struct scan *s, uint64_t *mantissa, int *significant)
{
    int n = 0;

    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9' && *significant <= MOST_DIGITS; n++) {
        *mantissa = *mantissa * 10 + (uint64_t)(*s->at++ - '0');
        *significant += *significant > 0 || *mantissa > 0;
    }
    return n;
}

static bool take_exponent(struct scan *s, int *exponent)
{
    uint64_t size = 0;
    bool minus = false;
    int n = 0, significant = 0;

    if (s->at == s->end || (*s->at != 'e' && *s->at != 'E'))
        return true;
    s->at++;
    if (s->at < s->end && (*s->at == '-' || *s->at == '+'))
        minus = *s->at++ == '-';
    n = take_digits(s, &size, &significant);
    if (n < 1 || n > 3 || size > MOST_EXPONENT)
        return false;
    *exponent += minus ? -(int)size : (int)size;
    return true;
}

/* A number of JSON whose size is surely at most `most`; appended as it is written. */
static bool copy_number(struct scan *s, double most, struct walras_text *out)
{
    const char *from = NULL;
    uint64_t mantissa = 0;
    int whole = 0, part = 0, exponent = 0, significant = 0;

    skip_space(s);
    from = s->at;
    if (s->at < s->end && *s->at == '-')
        s->at++;
    whole = take_digits(s, &mantissa, &significant);
    if (whole < 1 || whole > MOST_WHOLE_DIGITS || (whole > 1 && s->at[-whole] == '0'))
        return false;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        part = take_digits(s, &mantissa, &significant);
        if (part < 1 || part > MOST_PART || significant > MOST_DIGITS)
            return false;
    }
    exponent = -part;
    if (!take_exponent(s, &exponent) || !((double)mantissa * pow(10.0, exponent) <= most))
        return false;
    if (out->size > 1)
        walras_text_add(out, ",", 1);
    walras_text_add(out, from, (size_t)(s->at - from));
    return true;
}

static bool copy_draws(struct scan *s, size_t n_step, struct walras_text *out)
{
    if (!take(s, '['))
        return false;
    for (size_t t = 0; t < n_step; t++)
        if ((t > 0 && !take(s, ',')) || !copy_number(s, MOST_KW, out))
            return false;
    return take(s, ']');
}

/* {"draw_kw": […], "cost": c} or the other way round */
static bool copy_point(struct scan *s, size_t n_step, struct api_answer *answer)
{
    if (!take(s, '{'))
        return false;
    if (take_key(s, "draw_kw"))
        return copy_draws(s, n_step, &answer->draw_kw) && take(s, ',') && take_key(s, "cost") &&
               copy_number(s, MOST_COST, &answer->cost) && take(s, '}');
    return take_key(s, "cost") && copy_number(s, MOST_COST, &answer->cost) && take(s, ',') &&
           take_key(s, "draw_kw") && copy_draws(s, n_step, &answer->draw_kw) && take(s, '}');
}

static bool copy_answers(struct scan *s, const struct api_scan_shape *shape,
                         struct api_answer *answer)
{
    bool good = take(s, '[');

    db_array_open(&answer->draw_kw);
    db_array_open(&answer->cost);
    for (size_t i = 0; i < shape->n_point && good; i++)
        good = (i == 0 || take(s, ',')) && copy_point(s, shape->n_step, answer);
    db_array_close(&answer->draw_kw);
    db_array_close(&answer->cost);
    return good && take(s, ']') && answer->draw_kw.failure == WALRAS_OK &&
           answer->cost.failure == WALRAS_OK;
}

static bool at_end(struct scan *s)
{
    skip_space(s);
    return s->at == s->end;
}

bool api_scan_single(const char *text, size_t size, const struct api_scan_shape *shape,
                     struct api_answer *answer)
{
    struct scan s = {text, text + size};

    if (take(&s, '{') && take_key(&s, "answers") && copy_answers(&s, shape, answer) &&
        take(&s, '}') && at_end(&s))
        return true;
    api_answer_release(answer);
    return false;
}

/* An id without anything that would have to be read twice. */
static bool copy_id(struct scan *s, char id[DB_ID])
{
    const char *from = NULL;
    size_t n = 0;

    if (!take(s, '"'))
        return false;
    from = s->at;
    while (s->at<s->end && * s->at> ' ' && *s->at < 0x7f && *s->at != '"' && *s->at != '\\')
        s->at++;
    n = (size_t)(s->at - from);
    if (n < 1 || n >= DB_ID || !take(s, '"'))
        return false;
    memcpy(id, from, n);
    id[n] = '\0';
    return true;
}

static bool copy_response(struct scan *s, const struct api_scan_shape *shape,
                          struct api_answer *answer)
{
    return take(s, '{') && take_key(s, "agent") && copy_id(s, answer->agent) && take(s, ',') &&
           take_key(s, "answers") && copy_answers(s, shape, answer) && take(s, '}');
}

/* Room for one more, all of it zero. */
static bool grow(struct api_answer **list, size_t n, size_t *room)
{
    struct api_answer *larger = NULL;

    if (n < *room)
        return true;
    larger = realloc(*list, 2 * (n + 8) * sizeof(*larger));
    if (!larger)
        return false;
    memset(larger + n, 0, (2 * (n + 8) - n) * sizeof(*larger));
    *list = larger;
    *room = 2 * (n + 8);
    return true;
}

bool api_scan_batch(const char *text, size_t size, const struct api_scan_shape *shape, size_t most,
                    struct api_answer **list, size_t *n)
{
    struct scan s = {text, text + size};
    size_t room = 0;
    bool good = take(&s, '{') && take_key(&s, "responses") && take(&s, '['), more = good;

    *list = NULL;
    *n = 0;
    while (good && more) {
        good = *n < most && grow(list, *n, &room);
        if (good)
            good = copy_response(&s, shape, &(*list)[(*n)++]);
        more = good && take(&s, ',');
    }
    if (good && take(&s, ']') && take(&s, '}') && at_end(&s))
        return true;
    for (size_t i = 0; i < *n; i++)
        api_answer_release(&(*list)[i]);
    free(*list);
    *list = NULL;
    *n = 0;
    return false;
}
