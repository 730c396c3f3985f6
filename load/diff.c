#include "load/diff.h"

#include <string.h>

/* Leaves out the whole lines that both begin with. */
static void skip_beginning(struct str *old_lines, struct str *new_lines)
{
    uint32_t most = old_lines->len < new_lines->len ? old_lines->len : new_lines->len, same = 0;
    enum { STEP = 64 };
    while (most - same >= STEP && memcmp(old_lines->p + same, new_lines->p + same, STEP) == 0)
        same += STEP;
    while (same < most && old_lines->p[same] == new_lines->p[same])
        same++;
    while (same && new_lines->p[same - 1] != '\n')
        same--;
    *old_lines = (struct str){old_lines->p + same, old_lines->len - same, false};
    *new_lines = (struct str){new_lines->p + same, new_lines->len - same, false};
}

static struct str *split(struct str lines, struct arena *a, size_t *ret_n)
{
    struct str left = lines, line;
    size_t n = 0;
    while (str_next_line(&left, &line))
        n++;
    struct str *all = arena_alloc(a, (n + 1) * sizeof *all);
    for (*ret_n = 0; str_next_line(&lines, &line); )
        all[(*ret_n)++] = line;
    return all;
}

/* FNV-1a, eight bytes at a step. */
static uint64_t hash(struct str line)
{
    uint64_t h = 14695981039346656037u, word;
    for (; line.len >= sizeof word; line.p += sizeof word, line.len -= sizeof word) {
        memcpy(&word, line.p, sizeof word);
        h = (h ^ word) * 1099511628211u;
        h ^= h >> 29;
    }
    for (uint32_t i = 0; i < line.len; i++)
        h = (h ^ (unsigned char)line.p[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* A line of the old ones that was found among the new ones has no text any more. */
static bool take(struct str *lines, const uint32_t *slots, size_t mask, struct str line)
{
    for (size_t at = hash(line) & mask; slots[at]; at = (at + 1) & mask) {
        struct str *other = &lines[slots[at] - 1];
        if (other->p && other->len == line.len && memcmp(other->p, line.p, line.len) == 0) {
            other->p = NULL;
            return true;
        }
    }
    return false;
}

static size_t remaining(struct str *lines, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (lines[i].p)
            lines[left++] = lines[i];
    return left;
}

void lines_diff(struct str old_lines, struct str new_lines, struct arena *a, struct line_diff *ret)
{
    size_t n_old, n_new, slots_n = 8, come = 0;
    skip_beginning(&old_lines, &new_lines);
    ret->gone = split(old_lines, a, &n_old);
    ret->come = split(new_lines, a, &n_new);
    while (slots_n < 2 * n_old)
        slots_n *= 2;
    uint32_t *slots = arena_alloc(a, slots_n * sizeof *slots);
    for (size_t i = 0; i < n_old && n_new; i++) {
        size_t at = hash(ret->gone[i]) & (slots_n - 1);
        while (slots[at])
            at = (at + 1) & (slots_n - 1);
        slots[at] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < n_new; i++)
        if (!take(ret->gone, slots, slots_n - 1, ret->come[i]))
            ret->come[come++] = ret->come[i];
    ret->n_come = come;
    ret->n_gone = remaining(ret->gone, n_old);
}
