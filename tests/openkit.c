#include "openkit.h"

#include "core/file.h"
#include "testkit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT WALRAS_SOURCE_DIR "/api/docs/openapi.json"

enum { PATH = 512 };

static struct walras_json_doc *document;

static void forget(void)
{
    walras_json_free(document);
}

static const struct walras_json_doc *read_document(void)
{
    struct walras_err err = {0};

    if (!document) {
        if (walras_json_read(DOCUMENT, &document, &err) != WALRAS_OK)
            printf("%s\n", err.msg);
        atexit(forget);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    return document;
}

/* What stands behind a segment of the path is a name, and called so in the document. */
static const char *name_after(const char *segment, size_t size)
{
    static const struct {
        const char *segment, *name;
    } names[] = {{"grids", "{grid}"},         {"agents", "{agent}"},
                 {"markets", "{market}"},     {"rounds", "{round}"},
                 {"participants", "{agent}"}, {"awards", "{agent}"},
                 {"responses", "{agent}"},    {"", NULL}};
    size_t i = 0;

    while (names[i].name &&
           (strlen(names[i].segment) != size || strncmp(names[i].segment, segment, size) != 0))
        i++;
    return names[i].name;
}

static void template_of(const char *path, char out[PATH])
{
    const char *name = NULL;
    size_t end = strcspn(path, "?"), n = 0;

    for (size_t at = 0; at < end;) {
        size_t size = 1 + strcspn(path + at + 1, "/?");

        n += (size_t)snprintf(out + n, PATH - n, "/%.*s", name ? PATH : (int)size - 1,
                              name ? name : path + at + 1);
        CU_ASSERT_TRUE_FATAL(n < PATH);
        name = name ? NULL : name_after(path + at + 1, size - 1);
        at += size;
    }
}

bool openkit_find(const char *method, const char *path, struct openkit_operation *found)
{
    char template[PATH] = "", verb[16] = "";

    template_of(path, template);
    for (size_t i = 0; method[i] && i + 1 < sizeof(verb); i++)
        verb[i] = (char)tolower((unsigned char)method[i]);
    found->root = walras_json_root(read_document());
    return walras_json_find(&found->root, "paths", &found->paths) &&
           walras_json_find(&found->paths, template, &found->item) &&
           walras_json_find(&found->item, verb, &found->operation);
}

bool openkit_answers(const struct openkit_operation *of, long status)
{
    struct walras_json responses, one;
    char key[24];

    snprintf(key, sizeof(key), "%ld", status);
    return walras_json_find(&of->operation, "responses", &responses) &&
           walras_json_find(&responses, key, &one);
}

size_t openkit_count(void)
{
    char *text = NULL;
    size_t size = 0, n = 0;

    CU_ASSERT_EQUAL_FATAL(walras_file_read(DOCUMENT, 1 << 24, &text, &size, NULL), WALRAS_OK);
    for (const char *at = text; (at = strstr(at, "\"operationId\"")); at++)
        n++;
    free(text);
    return n;
}

void openkit_check(const char *method, const char *path, long status)
{
    struct openkit_operation found;

    if (status == 0 || !openkit_find(method, path, &found) || openkit_answers(&found, status))
        return;
    printf("%s %s answers %ld, which is not in the document\n", method, path, status);
    CU_FAIL("an answer is not in the document");
}
