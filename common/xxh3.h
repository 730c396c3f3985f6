/* XXH3 by the widest registers that the processor has: the plain header settles for those that every one has (SSE2), and
 * takes more than twice as long for what comes from memory. The digests are the same. */
#ifndef COMMON_XXH3_H
#define COMMON_XXH3_H

#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include "common/digest.h"

/* As it is written in manifests and in the database. */
void xxh128_text(XXH128_hash_t hash, char ret[XXH128_HEX + 1]);

#endif
