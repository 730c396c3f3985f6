/* XXH3 by the widest registers that the processor has: the plain header settles for those that every one has (SSE2), and
 * takes more than twice as long for what comes from memory. The digests are the same. */
#ifndef COMMON_XXH3_H
#define COMMON_XXH3_H

#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#endif
