#include "core/hash.h"

#include <string.h>

uint64_t walras_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    hash = (hash ^ size) * 0x9e3779b97f4a7c15u + 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;

        memcpy(&word, at + i, size - i < 8 ? size - i : 8);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    return hash ^ (hash >> 31);
}
