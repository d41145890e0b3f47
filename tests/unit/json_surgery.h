/*
 * Cutting JSON text: finds a member by its JSON pointer and writes the text anew without it, with
 * another value, another name or twice. For texts that are known to be good.
 */
#ifndef WALRAS_TESTS_JSON_SURGERY_H
#define WALRAS_TESTS_JSON_SURGERY_H

#include <stdbool.h>
#include <stddef.h>

struct json_member {     /* offsets into the text */
    size_t key, key_end; /* with its quotes */
    size_t value, value_end;
};

/* False when the pointer leads nowhere. */
bool json_find_member(const char *text, const char *pointer, struct json_member *out);

/* New texts, which the caller frees; NULL when the pointer leads nowhere. */
char *json_with_value(const char *text, const char *pointer, const char *value);
char *json_with_name(const char *text, const char *pointer, const char *name);
char *json_without(const char *text, const char *pointer);
char *json_with_twin(const char *text, const char *pointer);

/* Calls `each` with every key of every object in the text, in order. */
void json_each_key(const char *text, void (*each)(const char *key, void *context), void *context);

#endif
