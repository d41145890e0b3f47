#include "json_surgery.h"

#include "core/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t skip_blank(const char *text, size_t at)
{
    return at + strspn(text + at, " \t\r\n");
}

static size_t skip_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++)
        at += text[at] == '\\';
    return at + 1;
}

/* The end of the value that starts at `at`. */
static size_t skip_value(const char *text, size_t at)
{
    size_t depth = 0;

    do {
        if (text[at] == '"') {
            at = skip_string(text, at);
            continue;
        }
        depth += strchr("{[", text[at]) != NULL;
        depth -= strchr("}]", text[at]) != NULL;
        at++;
    } while (depth > 0 || (text[at] != '\0' && !strchr(",}] \t\r\n", text[at])));
    return at;
}

/* The member or element of that name in the value at `at`; for elements only the value is set. */
static bool step_into(const char *text, size_t at, const char *name, size_t size,
                      struct json_member *out)
{
    bool object = text[at] == '{';
    size_t index = object ? 0 : strtoul(name, NULL, 10);

    for (at = skip_blank(text, at + 1); !strchr("}]", text[at]); at = skip_blank(text, at)) {
        *out = (struct json_member){.key = at, .key_end = at, .value = at};
        if (object) {
            out->key_end = skip_string(text, at);
            out->value = skip_blank(text, skip_blank(text, out->key_end) + 1); /* over the ':' */
        }
        out->value_end = skip_value(text, out->value);
        if (object ? out->key_end - at - 2 == size && memcmp(text + at + 1, name, size) == 0
                   : index-- == 0)
            return true;
        at = skip_blank(text, out->value_end);
        at += text[at] == ',';
    }
    return false;
}

bool json_find_member(const char *text, const char *pointer, struct json_member *out)
{
    size_t at = skip_blank(text, 0);

    *out = (struct json_member){.value = at};
    while (*pointer == '/') {
        size_t size = strcspn(++pointer, "/");

        if (!strchr("{[", text[at]) || !step_into(text, at, pointer, size, out))
            return false;
        at = out->value;
        pointer += size;
    }
    return true;
}

/* The text with [from, to) replaced. */
static char *splice(const char *text, size_t from, size_t to, const char *instead)
{
    struct walras_text made;

    walras_text_init(&made, SIZE_MAX / 4);
    walras_text_add(&made, text, from);
    walras_text_add(&made, instead, strlen(instead));
    walras_text_add(&made, text + to, strlen(text + to));
    return made.data;
}

char *json_with_value(const char *text, const char *pointer, const char *value)
{
    struct json_member member;

    return json_find_member(text, pointer, &member)
               ? splice(text, member.value, member.value_end, value)
               : NULL;
}

char *json_with_name(const char *text, const char *pointer, const char *name)
{
    struct json_member member;

    return json_find_member(text, pointer, &member)
               ? splice(text, member.key + 1, member.key_end - 1, name)
               : NULL;
}

char *json_without(const char *text, const char *pointer)
{
    struct json_member member;

    if (!json_find_member(text, pointer, &member))
        return NULL;

    size_t from = member.key, to = skip_blank(text, member.value_end);

    if (text[to] == ',') {
        to++;
    } else { /* the last one: the comma before it goes, if there is one */
        size_t before = from;

        while (before > 0 && strchr(" \t\r\n", text[before - 1]))
            before--;
        if (before > 0 && text[before - 1] == ',')
            from = before - 1;
    }
    return splice(text, from, to, "");
}

char *json_with_twin(const char *text, const char *pointer)
{
    struct json_member member;
    struct walras_text twin;

    if (!json_find_member(text, pointer, &member))
        return NULL;
    walras_text_init(&twin, SIZE_MAX / 4);
    walras_text_add(&twin, text + member.key, member.value_end - member.key);
    walras_text_add(&twin, ", ", 2);

    char *made = splice(text, member.key, member.key, twin.data);

    walras_text_release(&twin);
    return made;
}

void json_each_key(const char *text, void (*each)(const char *key, void *context), void *context)
{
    for (size_t at = 0; text[at];) {
        if (text[at] != '"') {
            at++;
            continue;
        }

        size_t end = skip_string(text, at);

        if (text[skip_blank(text, end)] == ':') {
            char *key = strndup(text + at + 1, end - at - 2);

            if (key)
                each(key, context);
            free(key);
        }
        at = end;
    }
}
