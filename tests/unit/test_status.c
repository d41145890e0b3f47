#include "core/status.h"
#include "testkit.h"

#include <string.h>

static void test_first_failure_wins(void)
{
    struct walras_err err = {0};

    CU_ASSERT_EQUAL(walras_fail(&err, WALRAS_INVALID, "order %d", 17), WALRAS_INVALID);
    CU_ASSERT_EQUAL(walras_fail(&err, WALRAS_NOMEM, "later"), WALRAS_NOMEM);
    CU_ASSERT_EQUAL(err.code, WALRAS_INVALID);
    CU_ASSERT_STRING_EQUAL(err.msg, "order 17");
}

static void test_prefix_puts_the_place_before_the_message(void)
{
    struct walras_err err = {0};

    walras_err_prefix(&err, "nothing failed");
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    (void)walras_fail(&err, WALRAS_INVALID, "too small");
    walras_err_prefix(&err, "device %s", "bat");
    CU_ASSERT_STRING_EQUAL(err.msg, "device bat: too small");
}

static void test_prefix_of_a_full_message_is_cut_not_overrun(void)
{
    struct walras_err err = {0};
    char text[1000];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    (void)walras_fail(&err, WALRAS_INVALID, "%s", text);
    walras_err_prefix(&err, "%s", text);
    CU_ASSERT_EQUAL(strlen(err.msg), sizeof(err.msg) - 1);
}

static void test_exit_statuses_are_the_contract(void)
{
    CU_ASSERT_EQUAL(walras_status_exit(WALRAS_OK), 0);
    CU_ASSERT_EQUAL(walras_status_exit(WALRAS_INVALID), 2);
    CU_ASSERT_EQUAL(walras_status_exit(WALRAS_IO), 1);
    CU_ASSERT_STRING_EQUAL(walras_status_name(WALRAS_NOMEM), "NOMEM");
    CU_ASSERT_STRING_EQUAL(walras_status_text(WALRAS_NOMEM), "out of memory");
}

static void test_http_statuses_are_the_contract(void)
{
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_OK), 200);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_INVALID), 422);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_UNSUPPORTED), 422);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_NOT_FOUND), 404);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_CONFLICT), 409);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_FORBIDDEN), 403);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_UNAVAILABLE), 503);
    CU_ASSERT_EQUAL(walras_status_http(WALRAS_INTERNAL), 500);
}

static const struct testkit_test tests[] = {
    {"HTTP statuses are the contract", test_http_statuses_are_the_contract},
    {"the first failure wins", test_first_failure_wins},
    {"a prefix puts the place before the message", test_prefix_puts_the_place_before_the_message},
    {"the prefix of a full message is cut, not overrun",
     test_prefix_of_a_full_message_is_cut_not_overrun},
    {"exit statuses are the contract", test_exit_statuses_are_the_contract},
};
TESTKIT_MAIN("status", tests)
