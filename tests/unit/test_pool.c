#include "core/pool.h"
#include "testkit.h"

enum { PARTS = 1000 };

static void count_part(void *context, size_t part, unsigned worker)
{
    (void)worker;
    ((int *)context)[part]++;
}

static void test_every_part_runs_once_in_every_job(void)
{
    static const unsigned workers[] = {1, 2, 5};

    for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        struct walras_pool *pool = NULL;
        int ran[PARTS] = {0};

        CU_ASSERT_EQUAL_FATAL(walras_pool_new(workers[i], &pool, NULL), WALRAS_OK);
        CU_ASSERT_EQUAL(walras_pool_workers(pool), workers[i]);
        for (int job = 0; job < 50; job++)
            walras_pool_run(pool, PARTS, count_part, ran);
        walras_pool_run(pool, 0, count_part, ran);
        walras_pool_free(pool);
        for (size_t part = 0; part < PARTS; part++)
            CU_ASSERT_EQUAL(ran[part], 50);
    }
}

static const struct testkit_test tests[] = {
    {"every part runs once in every job", test_every_part_runs_once_in_every_job},
};
TESTKIT_MAIN("pool", tests)
