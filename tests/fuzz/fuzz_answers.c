/* libFuzzer target: any bytes as an agent's answers; what is taken has a number for each step. */
#include "api/answers.h"
#include "api/shape.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    struct walras_json_doc *doc = NULL;

    if (size < 2 || api_check_shape(text, size - 1, NULL) != WALRAS_OK ||
        walras_json_parse("body", text, size - 1, &doc, NULL) != WALRAS_OK)
        return 0;
    check(doc, 1 + (data[0] & 3), 1 + (data[0] >> 2 & 7));
    walras_json_free(doc);
    return 0;
}
