#include "core/names.h"

#include "core/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_TABLE = 1024 }; /* slots */

struct walras_names {
    const char **names; /* [n], room for `room` */
    size_t n, room;
    size_t *slots; /* [n_slot] index + 1; 0: free; n_slot is a power of 2 */
    size_t n_slot;
};

enum walras_status walras_names_new(struct walras_names **made, struct walras_err *err)
{
    struct walras_names *names = calloc(1, sizeof(*names));

    if (!names)
        return walras_fail(err, WALRAS_NOMEM, "cannot make a table of names");
    *made = names;
    return WALRAS_OK;
}

void walras_names_free(struct walras_names *names)
{
    if (!names)
        return;
    free(names->names);
    free(names->slots);
    free(names);
}

void walras_names_clear(struct walras_names *names)
{
    if (names->n_slot > LARGE_TABLE) {
        free(names->names);
        free(names->slots);
        *names = (struct walras_names){0};
    } else if (names->n > 0) {
        memset(names->slots, 0, names->n_slot * sizeof(*names->slots));
        names->n = 0;
    }
}

size_t walras_names_count(const struct walras_names *names)
{
    return names->n;
}

static uint64_t hash(const char *name) /* FNV-1a */
{
    uint64_t value = 0xcbf29ce484222325u;

    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * 0x100000001b3u;
    return value ^ (value >> 32);
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t *slot_of(const struct walras_names *names, const char *name)
{
    size_t at = (size_t)hash(name) & (names->n_slot - 1);

    while (names->slots[at] && strcmp(names->names[names->slots[at] - 1], name) != 0)
        at = (at + 1) & (names->n_slot - 1);
    return &names->slots[at];
}

static bool grow(struct walras_names *names)
{
    size_t room = names->room ? 2 * names->room : 16;
    const char **more = realloc(names->names, room * sizeof(*more));
    size_t *slots = calloc(2 * room, sizeof(*slots));

    if (more)
        names->names = more;
    if (!more || !slots) {
        free(slots);
        return false;
    }
    free(names->slots);
    names->slots = slots;
    names->n_slot = 2 * room;
    names->room = room;
    for (size_t i = 0; i < names->n; i++)
        *slot_of(names, names->names[i]) = i + 1;
    return true;
}

size_t walras_names_find(const struct walras_names *names, const char *name)
{
    if (names->n == 0)
        return SIZE_MAX;

    size_t found = *slot_of(names, name);

    return found ? found - 1 : SIZE_MAX;
}

enum walras_status walras_names_add(struct walras_names *names, const char *name,
                                    struct walras_err *err)
{
    if (names->n == names->room && !grow(names))
        return walras_fail(err, WALRAS_NOMEM, "no memory for more than %zu names", names->n);

    size_t *slot = slot_of(names, name);

    if (*slot)
        return walras_fail(err, WALRAS_INVALID, "\"%.128s\" is already taken", name);
    names->names[names->n] = name;
    *slot = ++names->n;
    return WALRAS_OK;
}

const char *walras_names_closest(const struct walras_names *names, const char *name)
{
    return walras_text_closest(name, names->names, names->n);
}
