/*
 * A hash of bytes that is the same on every machine of one byte order: for tables and for telling
 * whether something is still what it was. It keeps no secret and resists no forger.
 *
 * Source   FNV-1a over words of 8 bytes, finished as SplitMix64 does.
 * Threads  no shared state.
 */
#ifndef WALRAS_CORE_HASH_H
#define WALRAS_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Continues `hash` (0 to begin) with `size` bytes. */
uint64_t walras_hash(uint64_t hash, const void *bytes, size_t size);

#endif
