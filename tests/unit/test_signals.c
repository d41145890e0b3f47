#include "core/signals.h"
#include "testkit.h"

#include <signal.h>

static void test_a_signal_asks_to_stop_and_does_not_end_the_program(void)
{
    walras_signals_install();
    CU_ASSERT_FALSE(walras_signals_stop());
    raise(SIGTERM);
    CU_ASSERT_TRUE(walras_signals_stop());
}

static void test_the_second_signal_has_its_usual_effect(void)
{
    struct sigaction now;

    /* after the test above: SIGTERM was caught once */
    CU_ASSERT_EQUAL(sigaction(SIGTERM, NULL, &now), 0);
    CU_ASSERT_TRUE(now.sa_handler == SIG_DFL);
    CU_ASSERT_EQUAL(sigaction(SIGINT, NULL, &now), 0);
    CU_ASSERT_TRUE(now.sa_handler != SIG_DFL);
}

static const struct testkit_test tests[] = {
    {"a signal asks to stop and does not end the program",
     test_a_signal_asks_to_stop_and_does_not_end_the_program},
    {"the second signal has its usual effect", test_the_second_signal_has_its_usual_effect},
};
TESTKIT_MAIN("signals", tests)
