#include "core/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

double walras_monotonic_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct timespec walras_monotonic_until(double monotonic_s)
{
    int64_t whole = (int64_t)monotonic_s;

    return (struct timespec){.tv_sec = (time_t)whole,
                             .tv_nsec = (long)(1e9 * (monotonic_s - (double)whole))};
}

/* Days from 1970-01-01 to a civil date (proleptic Gregorian; Hinnant's days_from_civil). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Reads exactly `digits` decimal digits; -1 when they are not there. */
static int read_digits(const char **at, int digits)
{
    int value = 0;

    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = 10 * value + (**at - '0');
    }
    return value;
}

static bool read_char(const char **at, const char *any_of)
{
    if (**at == '\0' || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

static bool read_offset(const char **at, int *offset_min)
{
    char sign = **at;

    *offset_min = 0;
    if (read_char(at, "Zz"))
        return true;
    if (!read_char(at, "+-"))
        return false;
    int hour = read_digits(at, 2);
    int minute = read_char(at, ":") ? read_digits(at, 2) : -1;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *offset_min = (sign == '-' ? -1 : 1) * (60 * hour + minute);
    return true;
}

enum walras_status walras_time_parse(const char *text, int64_t *utc_s, int *offset_min,
                                     struct walras_err *err)
{
    const char *at = text;
    int year = read_digits(&at, 4);
    int month = year >= 0 && read_char(&at, "-") ? read_digits(&at, 2) : -1;
    int day = month >= 0 && read_char(&at, "-") ? read_digits(&at, 2) : -1;
    int hour = day >= 0 && read_char(&at, "Tt ") ? read_digits(&at, 2) : -1;
    int minute = hour >= 0 && read_char(&at, ":") ? read_digits(&at, 2) : -1;
    int second = minute >= 0 && read_char(&at, ":") ? read_digits(&at, 2) : -1;
    int offset = 0;
    bool good = second >= 0 && month >= 1 && month <= 12 && day >= 1 &&
                day <= days_in_month(year, month) && hour <= 23 && minute <= 59 && second <= 59;

    if (good && read_char(&at, "."))
        while (*at >= '0' && *at <= '9')
            at++;
    if (!good || !read_offset(&at, &offset) || *at != '\0')
        return walras_fail(err, WALRAS_INVALID,
                           "expected a time like 2026-07-01T00:00:00+02:00, got \"%.40s\"", text);
    *utc_s = days_from_civil(year, month, day) * 86400 + (int64_t)hour * 3600 +
             (int64_t)minute * 60 + second - 60 * (int64_t)offset;
    *offset_min = offset;
    return WALRAS_OK;
}

void walras_time_format(int64_t utc_s, int offset_min, char text[WALRAS_TIME_TEXT])
{
    int64_t local = utc_s + 60 * (int64_t)offset_min, year;
    int64_t days = (local >= 0 ? local : local - 86399) / 86400;
    int second = (int)(local - days * 86400), month, day;
    int size = 0;

    civil_from_days(days, &year, &month, &day);
    size = snprintf(text, WALRAS_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", (int)(year % 10000),
                    month, day, second / 3600, second / 60 % 60, second % 60);
    if (offset_min == 0)
        snprintf(text + size, (size_t)(WALRAS_TIME_TEXT - size), "Z");
    else
        snprintf(text + size, (size_t)(WALRAS_TIME_TEXT - size), "%c%02d:%02d",
                 offset_min < 0 ? '-' : '+', (offset_min < 0 ? -offset_min : offset_min) / 60 % 100,
                 (offset_min < 0 ? -offset_min : offset_min) % 60);
}
