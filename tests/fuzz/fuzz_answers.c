/* libFuzzer target: any bytes as an agent's answers; what is taken has a number for each step. */
#include "api/answers.h"
#include "api/answers_scan.h"
#include "api/shape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *array)
{
    size_t n = 1;

    for (const char *c = array; *c; c++)
        n += *c == ',';
    return n;
}

static void check(const struct walras_json_doc *doc, size_t n_point, size_t n_step)
{
    struct walras_json root = walras_json_root(doc);
    struct api_answer answer = {0};
    struct walras_err err = {0};
    enum walras_status status = api_answer_read(&root, n_point, n_step, &answer, &err);

    if (status != err.code)
        abort(); /* a failure without a message */
    if (status == WALRAS_OK &&
        (count(answer.draw_kw.data) != n_point * n_step || count(answer.cost.data) != n_point ||
         strpbrk(answer.draw_kw.data, "NnIi\"'\\")))
        abort(); /* not as many numbers, or something else in the array's text */
    api_answer_release(&answer);
}

/* The same numbers, bit for bit, in two arrays' texts. */
static bool same_numbers(const char *a, const char *b)
{
    for (a++, b++; *a && *b; a++, b++) {
        char *end_a = NULL, *end_b = NULL;

        if (strtod(a, &end_a) != strtod(b, &end_b) || *end_a != *end_b)
            return false;
        a = end_a;
        b = end_b;
    }
    return true;
}

/* What is read in one pass is what a tree of it would be read as. */
static void compare(const struct walras_json_doc *doc, const char *text, size_t size,
                    size_t n_point, size_t n_step)
{
    const struct api_scan_shape shape = {n_point, n_step};
    struct api_answer scanned = {0}, read = {0};
    struct walras_text body;
    struct walras_json root = walras_json_root(doc);

    walras_text_init(&body, size + 100);
    walras_text_addf(&body, "{\"answers\": ");
    walras_text_add(&body, text, size);
    walras_text_addf(&body, "}");
    if (api_scan_single(body.data, body.size, &shape, &scanned)) {
        if (api_answer_read(&root, n_point, n_step, &read, NULL) != WALRAS_OK ||
            !same_numbers(scanned.draw_kw.data, read.draw_kw.data) ||
            !same_numbers(scanned.cost.data, read.cost.data))
            abort();
        api_answer_release(&read);
    }
    api_answer_release(&scanned);
    walras_text_release(&body);
}

/* What no tree can be made of is not taken either. */
static void refuse(const char *text, size_t size, size_t n_point, size_t n_step)
{
    const struct api_scan_shape shape = {n_point, n_step};
    struct api_answer scanned = {0};
    struct walras_json_doc *doc = NULL;
    struct walras_text body;

    walras_text_init(&body, size + 100);
    walras_text_addf(&body, "{\"answers\": ");
    walras_text_add(&body, text, size);
    walras_text_addf(&body, "}");
    if (api_scan_single(body.data, body.size, &shape, &scanned) &&
        walras_json_parse("body", body.data, body.size, &doc, NULL) != WALRAS_OK)
        abort();
    walras_json_free(doc);
    api_answer_release(&scanned);
    walras_text_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n_point = size > 0 ? 1 + (data[0] & 3) : 1,
           n_step = size > 0 ? 1 + (data[0] >> 2 & 7) : 1;
    const char *text = (const char *)data + 1;
    struct walras_json_doc *doc = NULL;

    if (size >= 2)
        refuse(text, size - 1, n_point, n_step);
    if (size < 2 || api_check_shape(text, size - 1, NULL) != WALRAS_OK ||
        walras_json_parse("body", text, size - 1, &doc, NULL) != WALRAS_OK)
        return 0;
    check(doc, n_point, n_step);
    compare(doc, text, size - 1, n_point, n_step);
    walras_json_free(doc);
    return 0;
}
