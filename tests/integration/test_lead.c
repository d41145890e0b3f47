/* Who leads, on a real PostgreSQL. */
#include "core/clock.h"
#include "db/lead.h"
#include "dbkit.h"
#include "testkit.h"

static struct db_lead *lead_of(const char *conninfo)
{
    const struct db_settings settings = db_settings_defaults(conninfo);
    struct db_lead *lead = NULL;

    CU_ASSERT_EQUAL_FATAL(db_lead_new(&settings, &lead, NULL), WALRAS_OK);
    return lead;
}

/* The lead is one's until it is given up; then the epoch moves on, and what held it does not. */
static void test_one_leads(void)
{
    const char *conninfo = dbkit_migrated();
    struct db_lead *first = NULL, *second = NULL;
    struct db_session *session = NULL;
    int64_t epoch = -1, other = -1;
    bool held = false;
    enum walras_status status = WALRAS_OK;

    if (!conninfo)
        return;
    first = lead_of(conninfo);
    second = lead_of(conninfo);
    session = dbkit_session(conninfo);
    CU_ASSERT_EQUAL(db_lead_turn(first, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(epoch, 1);
    CU_ASSERT_EQUAL(db_lead_turn(second, &other, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(other, 0);
    CU_ASSERT_EQUAL(db_lead_turn(first, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(epoch, 1); /* kept, not taken again */
    CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_lead_hold(session, 1, &held, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(held);
    db_lead_free(first);
    /* the lock can be had, once that session has ended; the epoch not: who holds it goes on */
    do
        status = db_lead_turn(second, &other, NULL);
    while (status == WALRAS_OK && other == 0);
    CU_ASSERT_EQUAL(status, WALRAS_UNAVAILABLE);
    CU_ASSERT_EQUAL(db_end(session, WALRAS_OK, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_lead_turn(second, &other, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(other, 2);
    CU_ASSERT_EQUAL(db_begin(session, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_lead_hold(session, 1, &held, NULL), WALRAS_OK);
    CU_ASSERT_FALSE(held);
    CU_ASSERT_EQUAL(db_end(session, WALRAS_OK, NULL), WALRAS_OK);
    db_session_free(session);
    db_lead_free(second);
}

/* A connection that was cut and made anew: the epoch goes on when nobody led in between. */
static void test_a_lead_that_nobody_took_goes_on(void)
{
    const char *conninfo = dbkit_migrated();
    struct db_lead *lead = NULL;
    struct db_session *session = NULL;
    int64_t epoch = 0;

    if (!conninfo)
        return;
    lead = lead_of(conninfo);
    session = dbkit_session(conninfo);
    CU_ASSERT_EQUAL(db_lead_turn(lead, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(dbkit_sql(session, "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                                      "WHERE locktype = 'advisory' AND objid = 7741003"));
    CU_ASSERT_EQUAL(db_lead_turn(lead, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(epoch, 1);
    CU_ASSERT_TRUE(dbkit_sql(session, "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                                      "WHERE locktype = 'advisory' AND objid = 7741003; "
                                      "UPDATE lead SET epoch = epoch + 1"));
    CU_ASSERT_EQUAL(db_lead_turn(lead, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(epoch, 3);
    db_session_free(session);
    db_lead_free(lead);
}

/* A leader that freezes amid a write holds its epoch, but not for long. */
static void test_a_write_that_froze_does_not_hold_the_lead(void)
{
    const char *conninfo = dbkit_migrated();
    struct db_lead *frozen = NULL, *heir = NULL;
    struct db_session *writing = NULL;
    int64_t epoch = 0, taken = 0;
    double from_s = 0.0;
    bool held = false;

    if (!conninfo)
        return;
    frozen = lead_of(conninfo);
    heir = lead_of(conninfo);
    writing = dbkit_session(conninfo);
    CU_ASSERT_EQUAL(db_lead_turn(frozen, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_begin(writing, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(db_lead_hold(writing, epoch, &held, NULL), WALRAS_OK);
    CU_ASSERT_TRUE(held);
    from_s = walras_monotonic_s(); /* from now on nothing is heard of either session */
    while (taken == 0 && walras_monotonic_s() - from_s < 10.0)
        (void)!db_lead_turn(heir, &taken, NULL);
    CU_ASSERT_EQUAL(taken, epoch + 1);
    CU_ASSERT_TRUE(walras_monotonic_s() - from_s < 5.0);
    CU_ASSERT_EQUAL(db_end(writing, WALRAS_OK, NULL), WALRAS_UNAVAILABLE);
    CU_ASSERT_EQUAL(db_lead_turn(frozen, &epoch, NULL), WALRAS_OK);
    CU_ASSERT_EQUAL(epoch, 0);
    db_session_free(writing);
    db_lead_free(frozen);
    db_lead_free(heir);
}

static const struct testkit_test tests[] = {
    {"one leads", test_one_leads},
    {"a lead that nobody took goes on", test_a_lead_that_nobody_took_goes_on},
    {"a write that froze does not hold the lead", test_a_write_that_froze_does_not_hold_the_lead},
};

TESTKIT_MAIN("lead", tests)
