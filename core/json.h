/*
 * Reading JSON strictly: every mistake is told with the file and the JSON path of the place.
 *
 * Refused when parsing, with FILE:LINE:COLUMN: syntax errors, duplicate keys, numbers that no
 * double or int64 can hold (1e999), NaN, nesting deeper than 2048, text that is not UTF-8, NUL in
 * strings. Refused by the getters, with FILE: /json/path: wrong types, numbers out of range,
 * unknown keys (with "did you mean"), missing keys, wrong lengths.
 *
 * Ownership  nodes are small values that borrow their parent node and the document; strings live as
 *            long as the document.
 * Threads    a document may be read by many.
 */
#ifndef WALRAS_CORE_JSON_H
#define WALRAS_CORE_JSON_H

#include "core/status.h"

#include <stdint.h>

enum { WALRAS_JSON_MAX_FILE = 1000000000 }; /* bytes */

struct walras_json_doc;

struct walras_json {
    const void *value;
    const struct walras_json *parent; /* NULL: the root */
    const char *key;                  /* in its parent; NULL: `index` counts */
    size_t index;
    const struct walras_json_doc *doc;
};

enum walras_json_type {
    WALRAS_JSON_NULL,
    WALRAS_JSON_BOOL,
    WALRAS_JSON_INTEGER,
    WALRAS_JSON_REAL,
    WALRAS_JSON_STRING,
    WALRAS_JSON_ARRAY,
    WALRAS_JSON_OBJECT
};

struct walras_range {
    double low, high;
    bool above, below; /* low or high itself is not allowed */
};

/* WALRAS_INVALID, WALRAS_IO or WALRAS_NOMEM. */
WALRAS_NODISCARD enum walras_status
walras_json_read(const char *path, struct walras_json_doc **made, struct walras_err *err);
/* The same from memory; `name` stands for the file in messages. */
WALRAS_NODISCARD enum walras_status walras_json_parse(const char *name, const char *text,
                                                      size_t size, struct walras_json_doc **made,
                                                      struct walras_err *err);
void walras_json_free(struct walras_json_doc *doc);

struct walras_json walras_json_root(const struct walras_json_doc *doc);
enum walras_json_type walras_json_type(const struct walras_json *node);
static inline bool walras_json_is(const struct walras_json *node, enum walras_json_type type)
{
    return walras_json_type(node) == type;
}

/* Records "FILE: /path: message" and returns `status`. Control characters are shown as '?'. */
__attribute__((format(printf, 4, 5))) enum walras_status
walras_json_fail(const struct walras_json *node, enum walras_status status, struct walras_err *err,
                 const char *format, ...);
/* The same for a wrong type: "expected <what>, got the string "abc"". */
enum walras_status walras_json_mistyped(const struct walras_json *node, const char *what,
                                        struct walras_err *err);

/* Judges that the node is an object with no other keys than these. */
WALRAS_NODISCARD enum walras_status walras_json_keys(const struct walras_json *node,
                                                     const char *const *keys, size_t n,
                                                     struct walras_err *err);
/* The member of that name; false when it is absent. The node is an object. */
bool walras_json_find(const struct walras_json *object, const char *key, struct walras_json *out);
WALRAS_NODISCARD enum walras_status walras_json_need(const struct walras_json *object,
                                                     const char *key, struct walras_json *out,
                                                     struct walras_err *err);

/* Judges that the node is an array of `least` … `most` elements. */
WALRAS_NODISCARD enum walras_status walras_json_array(const struct walras_json *node, size_t least,
                                                      size_t most, struct walras_err *err);
size_t walras_json_count(const struct walras_json *array);
struct walras_json walras_json_at(const struct walras_json *array, size_t index);

WALRAS_NODISCARD enum walras_status walras_json_number(const struct walras_json *node,
                                                       struct walras_range range, double *out,
                                                       struct walras_err *err);
/* A whole number; 3.0 is one, 3.5 is not. */
WALRAS_NODISCARD enum walras_status walras_json_integer(const struct walras_json *node, int64_t low,
                                                        int64_t high, int64_t *out,
                                                        struct walras_err *err);
WALRAS_NODISCARD enum walras_status walras_json_bool(const struct walras_json *node, bool *out,
                                                     struct walras_err *err);
/* A string of 1 … `most` bytes without control characters. */
WALRAS_NODISCARD enum walras_status walras_json_text(const struct walras_json *node, size_t most,
                                                     const char **out, struct walras_err *err);

/* The node as compact JSON text, numbers with every bit; malloc'd, NULL when there is no memory. */
char *walras_json_copy_text(const struct walras_json *node);

bool walras_range_holds(struct walras_range range, double value);
/* "must be > 0 and <= 1, got 1.2" */
enum { WALRAS_RANGE_TEXT = 120 };
void walras_range_text(struct walras_range range, double value, char text[WALRAS_RANGE_TEXT]);

#endif
