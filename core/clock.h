/*
 * The only reader of the clock, and calendar time in and out. Time is UTC inside.
 */
#ifndef WALRAS_CORE_CLOCK_H
#define WALRAS_CORE_CLOCK_H

#include "core/status.h"

#include <stdint.h>
#include <time.h>

enum { WALRAS_TIME_TEXT = 32 };

/* Seconds from an arbitrary fixed point; never goes back. */
double walras_monotonic_s(void);
/* That time in the form in which a thread is told how long to wait. */
struct timespec walras_monotonic_until(double monotonic_s);

/*
 * Reads RFC 3339 text ("2026-07-01T00:00:00+02:00", "...Z") into seconds since 1970-01-01 UTC and
 * the written offset from UTC in minutes. Returns WALRAS_INVALID with what was expected.
 */
WALRAS_NODISCARD enum walras_status walras_time_parse(const char *text, int64_t *utc_s,
                                                      int *offset_min, struct walras_err *err);

/* Writes RFC 3339 text at the given offset ("Z" when 0). */
void walras_time_format(int64_t utc_s, int offset_min, char text[WALRAS_TIME_TEXT]);

#endif
