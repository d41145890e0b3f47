/* The OpenAPI document and the table of routes say the same. */
#include "api/api_internal.h"
#include "api/docs.h"
#include "core/file.h"
#include "openkit.h"
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

enum { EVERYBODY = (1 << DB_N_ROLE) - 1 };

static bool told(const struct api_route *route, bool good, const char *what)
{
    if (!good)
        printf("%s %s: %s\n", route->method, route->path, what);
    return good;
}

/* The roles among the scopes; each stands alone, since any of them will do. */
static unsigned scopes_of(const struct walras_json *operation)
{
    struct walras_json security;
    unsigned roles = 0;

    CU_ASSERT_TRUE_FATAL(walras_json_find(operation, "security", &security));
    for (size_t i = 0; i < walras_json_count(&security); i++) {
        struct walras_json one = walras_json_at(&security, i), scopes, scope;
        const char *text = NULL;

        CU_ASSERT_TRUE_FATAL(walras_json_find(&one, "token", &scopes));
        CU_ASSERT_EQUAL_FATAL(walras_json_array(&scopes, 1, 1, NULL), WALRAS_OK);
        scope = walras_json_at(&scopes, 0);
        CU_ASSERT_EQUAL_FATAL(walras_json_text(&scope, 64, &text, NULL), WALRAS_OK);
        CU_ASSERT_NOT_EQUAL_FATAL(db_role_find(text), DB_N_ROLE);
        roles |= 1u << db_role_find(text);
    }
    return roles;
}

static void test_every_route_is_there_and_no_other(void)
{
    struct openkit_operation found;

    for (size_t i = 0; i < api_n_route; i++)
        CU_ASSERT_TRUE(told(&api_routes[i],
                            openkit_find(api_routes[i].method, api_routes[i].path, &found),
                            "is not in the document"));
    CU_ASSERT_EQUAL(openkit_count(), api_n_route);
}

static void test_scopes_are_the_roles(void)
{
    struct openkit_operation found;

    for (size_t i = 0; i < api_n_route; i++)
        if (openkit_find(api_routes[i].method, api_routes[i].path, &found))
            CU_ASSERT_TRUE(told(&api_routes[i], scopes_of(&found.operation) == api_routes[i].roles,
                                "its scopes are not its roles"));
}

/* What is told before a handler is asked depends on the table alone. */
static void check_statuses(const struct api_route *route, const struct openkit_operation *found)
{
    bool body = route->body != API_NO_BODY, form = route->body == API_FORM;
    const struct {
        long status;
        bool expected;
    } rules[] = {
        {401, route->roles != 0 || form},
        {403, route->roles != 0 && route->roles != EVERYBODY},
        {405, false},
        {413, body},
        {415, body},
        {429, true},
        {500, false},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (!told(route, openkit_answers(found, rules[i].status) == rules[i].expected,
                  rules[i].expected ? "lacks a status" : "has a status too many")) {
            printf("it is %ld\n", rules[i].status);
            CU_FAIL("statuses");
        }
    CU_ASSERT_TRUE(told(route, !body || openkit_answers(found, 400), "lacks 400"));
    CU_ASSERT_TRUE(told(route, !body || form || openkit_answers(found, 422), "lacks 422"));
    CU_ASSERT_TRUE(told(route, route->no_database || openkit_answers(found, 503), "lacks 503"));
    CU_ASSERT_TRUE(told(route,
                        openkit_answers(found, 200) || openkit_answers(found, 201) ||
                            openkit_answers(found, 204),
                        "never succeeds"));
}

static void test_statuses_are_those_that_the_table_makes(void)
{
    struct openkit_operation found;

    for (size_t i = 0; i < api_n_route; i++)
        if (openkit_find(api_routes[i].method, api_routes[i].path, &found))
            check_statuses(&api_routes[i], &found);
}

static void test_bodies_are_of_the_types_that_are_taken(void)
{
    static const char *const types[] = {"application/json", "application/x-www-form-urlencoded",
                                        "text/x-matpower"};
    struct openkit_operation found;

    for (size_t i = 0; i < api_n_route; i++) {
        enum api_body body = api_routes[i].body;
        const bool takes[] = {body == API_JSON || body == API_GRID, body == API_FORM,
                              body == API_GRID};
        struct walras_json request, content, type;

        if (!openkit_find(api_routes[i].method, api_routes[i].path, &found))
            continue;

        bool there = walras_json_find(&found.operation, "requestBody", &request) &&
                     walras_json_find(&request, "content", &content);

        for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
            CU_ASSERT_TRUE(told(&api_routes[i],
                                (there && walras_json_find(&content, types[t], &type)) == takes[t],
                                types[t]));
    }
}

static void test_the_program_has_the_document_of_the_source(void)
{
    for (size_t i = 0; i < api_docs_n_file; i++) {
        char path[512], *text = NULL;
        size_t size = 0;

        snprintf(path, sizeof(path), "%s/api/docs/%s", WALRAS_SOURCE_DIR, api_docs_files[i].name);
        CU_ASSERT_EQUAL_FATAL(walras_file_read(path, 1 << 24, &text, &size, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(strlen(api_docs_files[i].text), size);
        CU_ASSERT_EQUAL(strcmp(api_docs_files[i].text, text), 0);
        free(text);
    }
    CU_ASSERT_EQUAL(api_docs_n_file, 4);
}

static const struct testkit_test tests[] = {
    {"every route is there, and no other", test_every_route_is_there_and_no_other},
    {"scopes are the roles", test_scopes_are_the_roles},
    {"statuses are those that the table makes", test_statuses_are_those_that_the_table_makes},
    {"bodies are of the types that are taken", test_bodies_are_of_the_types_that_are_taken},
    {"the program has the document of the source", test_the_program_has_the_document_of_the_source},
};

TESTKIT_MAIN("openapi", tests)
