/*
 * Text: growing buffers with a ceiling, numbers as text, "did you mean".
 *
 * Ownership  a buffer owns its bytes: walras_text_release.
 * Threads    no shared state.
 */
#ifndef WALRAS_CORE_TEXT_H
#define WALRAS_CORE_TEXT_H

#include "core/status.h"

struct walras_text {
    char *data; /* NUL-terminated once something was added; NULL before */
    size_t size, capacity;
    size_t ceiling;             /* bytes without the NUL; more fails */
    enum walras_status failure; /* of the first addition that did not fit: INVALID or NOMEM */
};

void walras_text_init(struct walras_text *text, size_t ceiling);
void walras_text_release(struct walras_text *text);
/* After a failure additions do nothing: check `failure` once, at the end. */
void walras_text_add(struct walras_text *text, const char *data, size_t size);
__attribute__((format(printf, 2, 3))) void walras_text_addf(struct walras_text *text,
                                                            const char *format, ...);

/*
 * The shortest decimal text that reads back as exactly `value`; "null" when it is not finite.
 * Returns its length.
 */
enum { WALRAS_NUMBER_TEXT = 32 };
size_t walras_number_text(double value, char text[WALRAS_NUMBER_TEXT]);

/* strtod, in a fraction of the time where 15 digits without an exponent are all there is. */
double walras_number_read(const char *text, char **end);

/*
 * The candidate closest to `word`, or NULL when none is near enough to be a likely misspelling
 * (edit distance, a swap of neighbours counting one, at most a third of the word's length).
 */
const char *walras_text_closest(const char *word, const char *const *candidates, size_t n);
/* The edit distance, or `limit` + 1 when it is above `limit`. Words over 64 bytes: limit + 1. */
unsigned walras_text_distance(const char *a, const char *b, unsigned limit);

#endif
