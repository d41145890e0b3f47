#include "db/conninfo.h"

#include <libpq-fe.h>
#include <string.h>

enum { MAX_CONNINFO = 8192 };

static void add_quoted(struct walras_text *out, const char *key, const char *value)
{
    walras_text_addf(out, "%s='", key);
    for (const char *c = value; *c; c++) {
        if (*c == '\'' || *c == '\\')
            walras_text_add(out, "\\", 1);
        walras_text_add(out, c, 1);
    }
    walras_text_addf(out, "' ");
}

enum walras_status db_conninfo_part(const char *conninfo, struct walras_text *rest, char **password,
                                    struct walras_err *err)
{
    char *said = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &said);

    if (!options) {
        enum walras_status status = walras_fail(err, WALRAS_INVALID, "the database's address: %s",
                                                said ? said : "no memory to read it");

        PQfreemem(said);
        return status;
    }
    walras_text_init(rest, MAX_CONNINFO);
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        if (!option->val)
            continue;
        if (strcmp(option->keyword, "password") == 0)
            *password = strdup(option->val);
        else
            add_quoted(rest, option->keyword, option->val);
    }
    PQconninfoFree(options);
    return rest->failure == WALRAS_OK
               ? WALRAS_OK
               : walras_fail(err, rest->failure, "the database's address is too long");
}
