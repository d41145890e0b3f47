/*
 * The log: one line an event on standard error, as `event key=value key=value`.
 *
 * Only whoever handles an error logs it, once; libraries return their errors.
 * Threads  a line is written at once; lines of several threads do not mix.
 */
#ifndef WALRAS_CORE_LOG_H
#define WALRAS_CORE_LOG_H

/* `format` writes the "key=value" pairs; NULL: there are none. Line breaks become blanks. */
__attribute__((format(printf, 2, 3))) void walras_log(const char *event, const char *format, ...);

#endif
