/* Which lines differ between two nights. */
#ifndef LOAD_DIFF_H
#define LOAD_DIFF_H

#include "common/mem.h"
#include "common/str.h"

/* Lines, without their newlines, that only one of the two has: in their order, pointing into it. */
struct line_diff {
    struct str *gone, *come;
    size_t n_gone, n_come;
};

/* Compares whole lines, each ended by a newline, in any order; the same line twice counts twice. The arrays live in the
 * arena. */
void lines_diff(struct str old_lines, struct str new_lines, struct arena *a, struct line_diff *ret);

#endif
