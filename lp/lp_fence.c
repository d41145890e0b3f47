#include "lp/lp_internal.h"

#include <glpk.h>
#include <setjmp.h>
#include <string.h>

struct fence {
    jmp_buf out;
    struct lp_words *words;
};

static int hear(void *info, const char *text)
{
    struct lp_words *words = ((struct fence *)info)->words;

    for (; *text; text++) {
        if (*text != '\n') {
            if (words->length < sizeof(words->line) - 1)
                words->line[words->length++] = *text;
            continue;
        }
        words->line[words->length] = '\0';
        if (words->length > 0)
            memcpy(words->last, words->line, words->length + 1);
        words->length = 0;
    }
    return 1; /* nothing reaches the terminal */
}

static void leave(void *info)
{
    longjmp(((struct fence *)info)->out, 1);
}

enum walras_status lp_fenced(enum walras_status (*run)(void *context, struct walras_err *err),
                             void *context, struct lp_words *words, struct walras_err *err)
{
    struct fence fence = {.words = words};
    enum walras_status status = WALRAS_OK;

    memset(words, 0, sizeof(*words));
    if (glp_init_env() != 0)
        return walras_fail(err, WALRAS_NOMEM, "cannot start glpk");
    glp_term_hook(hear, &fence);
    glp_error_hook(leave, &fence);
    if (setjmp(fence.out) == 0)
        status = run(context, err);
    else /* the line before "Error detected in file …" says what */
        status = walras_fail(err, WALRAS_INTERNAL, "glpk gave up: %s", words->last);
    glp_free_env();
    return status;
}
