/*
 * What every test program shares: a table of tests, a main that runs it, ways to skip.
 *
 * A test program lists its tests and ends with TESTKIT_MAIN:
 *
 *     static const struct testkit_test tests[] = {{"clear unserved buyer lifts the price", f}, …};
 *     TESTKIT_MAIN("auction", tests)
 *
 * `PROGRAM SUBSTRING` runs only the tests whose name holds SUBSTRING.
 */
#ifndef WALRAS_TESTS_TESTKIT_H
#define WALRAS_TESTS_TESTKIT_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang's analyzer cannot see that a failed _FATAL assertion leaves the test */
#ifdef __clang_analyzer__
#include <stdlib.h>
#define CU_assertImplementation(value, line, text, file, function, fatal)                          \
    ((value) || !(fatal) ? (void)0 : abort())
#endif

struct testkit_test {
    const char *name;
    void (*run)(void);
};

int testkit_run(const char *suite, const struct testkit_test *tests, size_t n, int argc,
                char **argv);

#define TESTKIT_MAIN(suite, tests)                                                                 \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return testkit_run(suite, tests, sizeof(tests) / sizeof((tests)[0]), argc, argv);          \
    }

/* The seed of this run's random tests: WALRAS_TEST_SEED, or a fixed one. Printed once. */
uint64_t testkit_seed(void);

/* How many random cases to run: `usual`, divided under sanitizers (WALRAS_TEST_EFFORT, 0..1]. */
size_t testkit_cases(size_t usual);

/*
 * Path of a file of the reference data, or NULL (with the reason printed) when it is absent. A test
 * that gets NULL returns: the run is then reported as skipped unless something failed.
 */
const char *testkit_reference(const char *name);

/* A test that cannot run here says why and returns: the run is reported as skipped. */
void testkit_skip(const char *reason);

/* |a - b| <= relative · max(1, |a|, |b|) */
bool testkit_close(double a, double b, double relative);

#define TESTKIT_CLOSE(a, b, relative)                                                              \
    do {                                                                                           \
        double close_a_ = (a), close_b_ = (b);                                                     \
        bool close_ = testkit_close(close_a_, close_b_, (relative));                               \
        if (!close_)                                                                               \
            fprintf(stderr, "%s:%d: %s = %.12g, %s = %.12g\n", __FILE__, __LINE__, #a, close_a_,   \
                    #b, close_b_);                                                                 \
        CU_ASSERT_TRUE(close_);                                                                    \
    } while (0)

#endif
