#include "core/json.h"

#include "core/file.h"
#include "core/text.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walras_json_doc {
    json_t *root;
    char *name;
};

enum walras_status walras_json_parse(const char *name, const char *text, size_t size,
                                     struct walras_json_doc **made, struct walras_err *err)
{
    struct walras_json_doc *doc = calloc(1, sizeof(*doc));
    json_error_t error;

    if (!doc || !(doc->name = strdup(name))) {
        walras_json_free(doc);
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory to read the file", name);
    }
    doc->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!doc->root) {
        bool memory = json_error_code(&error) == json_error_out_of_memory;

        walras_json_free(doc);
        for (char *c = error.text; *c; c++)
            *c = (unsigned char)*c < ' ' ? '?' : *c;
        return walras_fail(err, memory ? WALRAS_NOMEM : WALRAS_INVALID, "%s:%d:%d: %s", name,
                           error.line, error.column, error.text);
    }
    *made = doc;
    return WALRAS_OK;
}

enum walras_status walras_json_read(const char *path, struct walras_json_doc **made,
                                    struct walras_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum walras_status status = walras_file_read(path, WALRAS_JSON_MAX_FILE, &text, &size, err);

    if (status == WALRAS_OK)
        status = walras_json_parse(path, text, size, made, err);
    free(text);
    return status;
}

void walras_json_free(struct walras_json_doc *doc)
{
    if (!doc)
        return;
    json_decref(doc->root);
    free(doc->name);
    free(doc);
}

struct walras_json walras_json_root(const struct walras_json_doc *doc)
{
    return (struct walras_json){.value = doc->root, .doc = doc};
}

enum walras_json_type walras_json_type(const struct walras_json *node)
{
    switch (json_typeof((const json_t *)node->value)) {
    case JSON_OBJECT:
        return WALRAS_JSON_OBJECT;
    case JSON_ARRAY:
        return WALRAS_JSON_ARRAY;
    case JSON_STRING:
        return WALRAS_JSON_STRING;
    case JSON_INTEGER:
        return WALRAS_JSON_INTEGER;
    case JSON_REAL:
        return WALRAS_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return WALRAS_JSON_BOOL;
    default:
        return WALRAS_JSON_NULL;
    }
}

static void add_path(const struct walras_json *node, struct walras_text *text)
{
    if (!node->parent)
        return;
    add_path(node->parent, text);
    if (!node->key) {
        walras_text_addf(text, "/%zu", node->index);
        return;
    }
    walras_text_add(text, "/", 1);
    for (const char *c = node->key; *c; c++) { /* RFC 6901 */
        const char *escaped = *c == '~' ? "~0" : *c == '/' ? "~1" : NULL;

        walras_text_add(text, escaped ? escaped : c, escaped ? 2 : 1);
    }
}

enum walras_status walras_json_fail(const struct walras_json *node, enum walras_status status,
                                    struct walras_err *err, const char *format, ...)
{
    char message[sizeof(err->msg)];
    struct walras_text path;
    va_list args;

    walras_text_init(&path, sizeof(err->msg));
    add_path(node, &path);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    (void)walras_fail(err, status, "%s: %s: %s", node->doc->name, path.data ? path.data : "/",
                      message);
    walras_text_release(&path);
    for (char *c = err ? err->msg : message; *c; c++)
        *c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
    return status;
}

enum walras_status walras_json_mistyped(const struct walras_json *node, const char *what,
                                        struct walras_err *err)
{
    const json_t *value = node->value;

    switch (walras_json_type(node)) {
    case WALRAS_JSON_STRING:
        return walras_json_fail(node, WALRAS_INVALID, err, "expected %s, got the string \"%.40s\"",
                                what, json_string_value(value));
    case WALRAS_JSON_INTEGER:
    case WALRAS_JSON_REAL:
        return walras_json_fail(node, WALRAS_INVALID, err, "expected %s, got the number %.10g",
                                what, json_number_value(value));
    case WALRAS_JSON_BOOL:
        return walras_json_fail(node, WALRAS_INVALID, err, "expected %s, got %s", what,
                                json_is_true(value) ? "true" : "false");
    case WALRAS_JSON_ARRAY:
        return walras_json_fail(node, WALRAS_INVALID, err, "expected %s, got an array", what);
    case WALRAS_JSON_OBJECT:
        return walras_json_fail(node, WALRAS_INVALID, err, "expected %s, got an object", what);
    case WALRAS_JSON_NULL:
        break;
    }
    return walras_json_fail(node, WALRAS_INVALID, err, "expected %s, got null", what);
}

static bool is_known(const char *key, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

enum walras_status walras_json_keys(const struct walras_json *node, const char *const *keys,
                                    size_t n, struct walras_err *err)
{
    if (!walras_json_is(node, WALRAS_JSON_OBJECT))
        return walras_json_mistyped(node, "an object", err);

    /* jansson's iteration takes no const; nothing is changed */
    json_t *object = (json_t *)node->value;

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);

        if (is_known(key, keys, n))
            continue;

        struct walras_json member = {.parent = node, .key = key, .doc = node->doc};
        const char *close = walras_text_closest(key, keys, n);

        if (close)
            return walras_json_fail(&member, WALRAS_INVALID, err,
                                    "unknown key; did you mean \"%s\"?", close);
        return walras_json_fail(&member, WALRAS_INVALID, err, "unknown key");
    }
    return WALRAS_OK;
}

bool walras_json_find(const struct walras_json *object, const char *key, struct walras_json *out)
{
    const json_t *value = json_object_get(object->value, key);

    if (!value)
        return false;
    *out = (struct walras_json){.value = value, .parent = object, .key = key, .doc = object->doc};
    return true;
}

enum walras_status walras_json_need(const struct walras_json *object, const char *key,
                                    struct walras_json *out, struct walras_err *err)
{
    struct walras_json missing = {.parent = object, .key = key, .doc = object->doc};

    if (!walras_json_is(object, WALRAS_JSON_OBJECT))
        return walras_json_mistyped(object, "an object", err);
    if (!walras_json_find(object, key, out))
        return walras_json_fail(&missing, WALRAS_INVALID, err, "required key is missing");
    return WALRAS_OK;
}

enum walras_status walras_json_array(const struct walras_json *node, size_t least, size_t most,
                                     struct walras_err *err)
{
    if (!walras_json_is(node, WALRAS_JSON_ARRAY))
        return walras_json_mistyped(node, "an array", err);

    size_t n = walras_json_count(node);

    if (n >= least && n <= most)
        return WALRAS_OK;
    if (least == most)
        return walras_json_fail(node, WALRAS_INVALID, err, "expected %zu elements, got %zu", least,
                                n);
    return walras_json_fail(node, WALRAS_INVALID, err, "expected %s %zu elements, got %zu",
                            n < least ? "at least" : "at most", n < least ? least : most, n);
}

size_t walras_json_count(const struct walras_json *array)
{
    return json_array_size(array->value);
}

struct walras_json walras_json_at(const struct walras_json *array, size_t index)
{
    return (struct walras_json){.value = json_array_get(array->value, index),
                                .parent = array,
                                .index = index,
                                .doc = array->doc};
}

char *walras_json_copy_text(const struct walras_json *node)
{
    return json_dumps(node->value, JSON_COMPACT | JSON_ENCODE_ANY);
}

bool walras_range_holds(struct walras_range range, double value)
{
    return (range.above ? value > range.low : value >= range.low) &&
           (range.below ? value < range.high : value <= range.high);
}

void walras_range_text(struct walras_range range, double value, char text[WALRAS_RANGE_TEXT])
{
    snprintf(text, WALRAS_RANGE_TEXT, "must be %s %.10g and %s %.10g, got %.10g",
             range.above ? ">" : ">=", range.low, range.below ? "<" : "<=", range.high, value);
}

enum walras_status walras_json_number(const struct walras_json *node, struct walras_range range,
                                      double *out, struct walras_err *err)
{
    if (!json_is_number((const json_t *)node->value))
        return walras_json_mistyped(node, "a number", err);

    double value = json_number_value(node->value);

    if (!walras_range_holds(range, value)) {
        char text[WALRAS_RANGE_TEXT];

        walras_range_text(range, value, text);
        return walras_json_fail(node, WALRAS_INVALID, err, "%s", text);
    }
    *out = value;
    return WALRAS_OK;
}

enum walras_status walras_json_integer(const struct walras_json *node, int64_t low, int64_t high,
                                       int64_t *out, struct walras_err *err)
{
    const json_t *given = node->value;
    double real = json_number_value(given);
    bool whole = json_is_integer(given) || (json_is_real(given) && floor(real) == real);

    if (!whole)
        return walras_json_mistyped(node, "a whole number", err);

    bool fits = json_is_integer(given) || fabs(real) < 0x1p53;
    int64_t value = json_is_integer(given) ? json_integer_value(given) : fits ? (int64_t)real : 0;

    if (!fits || value < low || value > high)
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "must be a whole number from %lld to %lld, got %.17g",
                                (long long)low, (long long)high, real);
    *out = value;
    return WALRAS_OK;
}

enum walras_status walras_json_bool(const struct walras_json *node, bool *out,
                                    struct walras_err *err)
{
    if (!walras_json_is(node, WALRAS_JSON_BOOL))
        return walras_json_mistyped(node, "true or false", err);
    *out = json_is_true((const json_t *)node->value);
    return WALRAS_OK;
}

enum walras_status walras_json_text(const struct walras_json *node, size_t most, const char **out,
                                    struct walras_err *err)
{
    if (!walras_json_is(node, WALRAS_JSON_STRING))
        return walras_json_mistyped(node, "a string", err);

    const char *text = json_string_value(node->value);

    if (text[0] == '\0')
        return walras_json_fail(node, WALRAS_INVALID, err, "must not be empty");
    if (strlen(text) > most)
        return walras_json_fail(node, WALRAS_INVALID, err,
                                "must be at most %zu bytes long, got %zu", most, strlen(text));
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return walras_json_fail(node, WALRAS_INVALID, err,
                                    "must not contain control characters, got \"%.40s\"", text);
    *out = text;
    return WALRAS_OK;
}
