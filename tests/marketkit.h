/*
 * For tests of whole markets: a scenario from text, cleared, with everything to look at in one
 * place.
 */
#ifndef WALRAS_TESTS_MARKETKIT_H
#define WALRAS_TESTS_MARKETKIT_H

#include "scenario/clear.h"

struct marketkit {
    enum walras_status status; /* of reading or else of clearing; what is below needs WALRAS_OK */
    struct walras_err err;
    struct scenario scenario;
    struct scenario_clearing *clearing;
    const struct scenario_result *result;
    const struct market_result *market;
    const struct scenario_certificate *certificate; /* NULL: no plan */
};

/* gap as given, at most 500 rounds, else the defaults. */
struct scenario_clear_settings marketkit_settings(double gap);

/* Release it whatever came of it. `directory` (may be NULL): where files named inside are. */
void marketkit_clear(const char *text, const char *directory,
                     const struct scenario_clear_settings *settings, struct marketkit *out);
void marketkit_clear_file(const char *path, const struct scenario_clear_settings *settings,
                          struct marketkit *out);
void marketkit_release(struct marketkit *kit);

/* Cleared and converged, the certificate clean, the bound below the objective, the gap as asked. */
bool marketkit_is_good(const struct marketkit *kit);

/* Index of a bus, a device "agent/device"; fails the test when there is none. */
size_t marketkit_bus(const struct marketkit *kit, const char *id);
size_t marketkit_device(const struct marketkit *kit, const char *agent, const char *device);
double marketkit_price(const struct marketkit *kit, const char *bus, size_t step);
double marketkit_award(const struct marketkit *kit, const char *agent, const char *device,
                       size_t step);

/* What HiGHS found a reference fleet of that name to cost at best; NAN when the data is absent. */
double marketkit_oracle_optimum(const char *name);

#endif
