/*
 * The OpenAPI document for tests: what it says of a route, and whether an answer is in it.
 *
 * Threads  any, after the first call.
 */
#ifndef WALRAS_TESTS_OPENKIT_H
#define WALRAS_TESTS_OPENKIT_H

#include "core/json.h"

struct openkit_operation { /* nodes borrow those before them: do not copy */
    struct walras_json root, paths, item, operation;
};

/*
 * Finds the operation of a path, "{}" or names in it, a query or none. False: the document has none
 * there. Fails the test when there is no document.
 */
bool openkit_find(const char *method, const char *path, struct openkit_operation *found);
/* Whether it has an answer of that status. */
bool openkit_answers(const struct openkit_operation *of, long status);
/* How many operations there are. */
size_t openkit_count(void);
/* An assertion: what a server answered there is in the document, where the route is. */
void openkit_check(const char *method, const char *path, long status);

#endif
