#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 64 };

void walras_text_init(struct walras_text *text, size_t ceiling)
{
    *text = (struct walras_text){.ceiling = ceiling};
}

void walras_text_release(struct walras_text *text)
{
    free(text->data);
    *text = (struct walras_text){.ceiling = text->ceiling};
}

static bool make_room(struct walras_text *text, size_t more)
{
    size_t capacity = text->capacity;

    if (text->failure != WALRAS_OK)
        return false;
    if (more > text->ceiling || text->size > text->ceiling - more) {
        text->failure = WALRAS_INVALID;
        return false;
    }
    if (text->data && text->size + more < capacity)
        return true;
    while (capacity <= text->size + more)
        capacity = capacity < 64 ? 64 : capacity + capacity / 2;

    char *data = realloc(text->data, capacity);

    if (!data) {
        text->failure = WALRAS_NOMEM;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void walras_text_add(struct walras_text *text, const char *data, size_t size)
{
    if (!make_room(text, size))
        return;
    if (size > 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void walras_text_addf(struct walras_text *text, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);

    if (size >= 0 && make_room(text, (size_t)size)) {
        vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
}

/* m / 10^k with m < 2^53 is correctly rounded, so it is what reading the decimal gives. */
static bool short_decimal(double value, char text[WALRAS_NUMBER_TEXT], size_t *size)
{
    static const double powers[] = {1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

    if (!(fabs(value) < 1e9) || (value == 0.0 && signbit(value)))
        return false;
    for (int k = 0; k < 7; k++) {
        double whole = round(value * powers[k]);

        if (whole / powers[k] == value) {
            *size = (size_t)snprintf(text, WALRAS_NUMBER_TEXT, "%.*f", k, value);
            return true;
        }
    }
    return false;
}

size_t walras_number_text(double value, char text[WALRAS_NUMBER_TEXT])
{
    size_t size = 0;

    if (!isfinite(value))
        return (size_t)snprintf(text, WALRAS_NUMBER_TEXT, "null");
    if (short_decimal(value, text, &size))
        return size;
    for (int digits = 15; digits <= 17; digits++) {
        size = (size_t)snprintf(text, WALRAS_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return size;
}

/*
 * A whole number below 2^53 over a power of ten up to 10^22 is rounded once, so it is what strtod
 * gives (W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990).
 */
double walras_number_read(const char *text, char **end)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    const char *at = text + (*text == '-');
    uint64_t whole = 0;
    int n_digit = 0, n_part = 0;
    double value = 0.0;

    for (; *at >= '0' && *at <= '9' && n_digit <= 18; at++, n_digit++)
        whole = whole * 10 + (uint64_t)(*at - '0');
    if (n_digit > 0 && *at == '.')
        for (at++; *at >= '0' && *at <= '9' && n_digit <= 18; at++, n_digit++, n_part++)
            whole = whole * 10 + (uint64_t)(*at - '0');
    if (n_digit == 0 || n_digit > 18 || whole >= (uint64_t)1 << 53 ||
        strchr("eExX.", *at ? *at : ' '))
        return strtod(text, end);
    *end = (char *)at;
    value = (double)whole / power[n_part];
    return *text == '-' ? -value : value;
}

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
unsigned walras_text_distance(const char *a, const char *b, unsigned limit)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned char rows[3][LONGEST_WORD + 1];
    unsigned char *before = rows[0], *last = rows[1], *now = rows[2];

    if (n > LONGEST_WORD || m > LONGEST_WORD || (n > m ? n - m : m - n) > limit)
        return limit + 1;
    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= m; j++)
        last[j] = (unsigned char)j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u);

            best = best < last[j] + 1u ? best : last[j] + 1u;
            best = best < now[j - 1] + 1u ? best : now[j - 1] + 1u;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1u < best)
                best = before[j - 2] + 1u;
            now[j] = (unsigned char)best;
        }
        unsigned char *oldest = before;

        before = last;
        last = now;
        now = oldest;
    }
    return last[m] <= limit ? last[m] : limit + 1;
}

const char *walras_text_closest(const char *word, const char *const *candidates, size_t n)
{
    size_t length = strlen(word);
    unsigned limit = length < 3 ? 1 : (unsigned)(length / 3 < 4 ? length / 3 : 4);
    const char *closest = NULL;

    for (size_t i = 0; i < n; i++) {
        unsigned distance = walras_text_distance(word, candidates[i], limit);

        if (distance <= limit) {
            closest = candidates[i];
            if (distance == 0)
                break;
            limit = distance - 1; /* only a closer one is better from here on */
        }
    }
    return closest;
}
