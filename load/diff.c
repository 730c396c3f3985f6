#include "load/diff.h"

#include <string.h>

#include "common/records.h"

/* Leaves out the whole lines that both begin with. */
static void skip_beginning(struct str *old_lines, struct str *new_lines)
{
    uint32_t most = old_lines->len < new_lines->len ? old_lines->len : new_lines->len, same = 0;
    for (uint32_t step = 4096; step >= 64; step /= 64)
        while (most - same >= step && memcmp(old_lines->p + same, new_lines->p + same, step) == 0)
            same += step;
    while (same < most && old_lines->p[same] == new_lines->p[same])
        same++;
    while (same && new_lines->p[same - 1] != '\n')
        same--;
    *old_lines = (struct str){old_lines->p + same, old_lines->len - same, false};
    *new_lines = (struct str){new_lines->p + same, new_lines->len - same, false};
}

/* Lines set aside: in one of the two, as far as they were walked. */
struct aside {
    struct list lines;
    uint32_t cap;
};

static void set_aside(struct aside *to, struct str line, struct arena *a)
{
    *(struct str *)list_grow(&to->lines, &to->cap, sizeof line, a) = line;
}

static bool begins_with_line(struct str lines, struct str line)
{
    return lines.len > line.len && lines.p[line.len] == '\n' && memcmp(lines.p, line.p, line.len) == 0;
}

/* Both are walked together: what is the same at the same place is passed over by blocks, and a line that only one of them
 * has there is stepped over in that one. */
static void walk(struct str old_lines, struct str new_lines, struct aside *gone, struct aside *come, struct arena *a)
{
    for (;;) {
        struct str old_rest, new_rest, old_line = {0}, new_line = {0};
        skip_beginning(&old_lines, &new_lines);
        old_rest = old_lines;
        new_rest = new_lines;
        bool old_any = str_next_line(&old_rest, &old_line), new_any = str_next_line(&new_rest, &new_line);
        if (!old_any && !new_any)
            return;
        bool inserted = new_any && (!old_any || begins_with_line(new_rest, old_line));
        bool removed = old_any && !inserted && (!new_any || begins_with_line(old_rest, new_line));
        if (!removed)
            set_aside(come, new_line, a);
        if (!inserted)
            set_aside(gone, old_line, a);
        old_lines = inserted ? old_lines : old_rest;
        new_lines = removed ? new_lines : new_rest;
    }
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
    struct aside gone = {0}, come = {0};
    size_t slots_n = 8, left = 0;
    walk(old_lines, new_lines, &gone, &come, a);
    size_t n_old = gone.lines.n, n_new = come.lines.n;
    ret->gone = gone.lines.v;
    ret->come = come.lines.v;
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
            ret->come[left++] = ret->come[i];
    ret->n_come = left;
    ret->n_gone = remaining(ret->gone, n_old);
}
