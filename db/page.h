/*
 * Lists in pages: what comes behind an id, in order of ids.
 *
 * Every function that gives JSON gives it as text in column 0; of lists, the id is in column 1.
 */
#ifndef WALRAS_DB_PAGE_H
#define WALRAS_DB_PAGE_H

#include "db/session.h"

enum { DB_MAX_PAGE = 1000 };

struct db_page {
    const char *after; /* "": from the first */
    int64_t limit;     /* 1 … DB_MAX_PAGE; one more is read, to see whether there is more */
};

static inline void db_add_page(struct db_args *args, const struct db_page *page)
{
    db_add_text(args, page->after);
    db_add_integer(args, page->limit + 1);
}

#endif
