#include "testkit.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t skipped; /* tests that could not run here */

uint64_t testkit_seed(void)
{
    static bool told;
    const char *text = getenv("WALRAS_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 20260701u;

    if (!told)
        printf("seed %llu (set WALRAS_TEST_SEED to change it)\n", (unsigned long long)seed);
    told = true;
    return seed;
}

size_t testkit_cases(size_t usual)
{
    const char *text = getenv("WALRAS_TEST_EFFORT");
    double effort = text ? strtod(text, NULL) : 1.0;
    double cases = ceil((double)usual * (effort > 0.0 && effort <= 1.0 ? effort : 1.0));

    return (size_t)cases;
}

const char *testkit_reference(const char *name)
{
    static char path[4096];
    const char *root = getenv("WALRAS_REFERENCE");

    snprintf(path, sizeof(path), "%s/%s", root ? root : TESTKIT_REFERENCE_DIR, name);
    if (access(path, R_OK) == 0)
        return path;
    printf("skipped: reference file %s is not here\n", name);
    skipped++;
    return NULL;
}

void testkit_skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    skipped++;
}

bool testkit_close(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fmax(1.0, fmax(fabs(a), fabs(b)));
}

int testkit_run(const char *suite, const struct testkit_test *tests, size_t n, int argc,
                char **argv)
{
    CU_pSuite made = NULL;
    unsigned failed = 0;

    if (CU_initialize_registry() != CUE_SUCCESS || !(made = CU_add_suite(suite, NULL, NULL)))
        return EXIT_FAILURE;
    for (size_t i = 0; i < n; i++)
        if ((argc < 2 || strstr(tests[i].name, argv[1])) &&
            !CU_add_test(made, tests[i].name, tests[i].run))
            return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
    CU_cleanup_registry();
    if (failed > 0)
        return EXIT_FAILURE;
    return skipped > 0 ? 77 : EXIT_SUCCESS;
}
