#include "api/shape.h"

enum walras_status api_check_shape(const char *text, size_t size, struct walras_err *err)
{
    size_t counts[API_MAX_NESTING + 1] = {0};
    unsigned depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (depth == API_MAX_NESTING)
                return walras_fail(err, WALRAS_INVALID,
                                   "body: byte %zu: nested deeper than %d levels", i,
                                   API_MAX_NESTING);
            counts[++depth] = 0;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == ',' && ++counts[depth] >= API_MAX_LIST) {
            return walras_fail(err, WALRAS_INVALID,
                               "body: byte %zu: a list of more than %d elements", i, API_MAX_LIST);
        }
    }
    return WALRAS_OK;
}
