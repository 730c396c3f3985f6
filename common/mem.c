#include "common/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARENA_BLOCK_BYTES = 256 << 10,
    LARGE_BLOCK_BYTES = 4 << 20,  /* not kept for the next company */
    OUT_OF_MEMORY_STATUS = 75
};

/* _exit: nothing may run that could allocate again or make a half-written output look complete. */
void mem_exhausted(void)
{
    static const char text[] = "out of memory\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(OUT_OF_MEMORY_STATUS);
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        mem_exhausted();
    return p;
}

void *mem_take(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        mem_exhausted();
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);
    if (!q)
        mem_exhausted();
    return q;
}

char *mem_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    return memcpy(mem_alloc(size), s, size);
}

__attribute__((format(printf, 1, 0)))
static int printed_length(const char *format, va_list ap)
{
    va_list copy;
    va_copy(copy, ap);
    int n = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    return n < 0 ? 0 : n;
}

char *mem_printf(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    size_t size = (size_t)printed_length(format, ap) + 1;
    char *s = mem_alloc(size);
    vsnprintf(s, size, format, ap);
    va_end(ap);
    return s;
}

struct arena_block {
    struct arena_block *older;
    size_t size;
    _Alignas(16) char bytes[];
};

static void arena_grow(struct arena *a, size_t size)
{
    size_t want = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
    if (!a->block && a->wanted > want)
        want = a->wanted;
    if (a->block && a->block->size * 2 > want && a->block->size < (64u << 20))
        want = a->block->size * 2;
    struct arena_block *b = mem_take(sizeof *b + want);
    b->older = a->block;
    b->size = want;
    a->block = b;
    a->used = 0;
}

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

void *arena_raw(struct arena *a, size_t size)
{
    size = rounded(size);
    if (!a->block || a->used + size > a->block->size)
        arena_grow(a, size);
    void *p = a->block->bytes + a->used;
    a->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_raw(a, size), 0, size);
}

void *arena_extend(struct arena *a, void *p, size_t size, size_t more)
{
    size_t more_used = rounded(size + more) - rounded(size);
    bool last = p && a->block && (char *)p + rounded(size) == a->block->bytes + a->used;
    if (last && a->used + more_used <= a->block->size) {
        a->used += more_used;
    } else {
        char *moved = arena_raw(a, size + more);
        if (p)
            memcpy(moved, p, size);
        p = moved;
    }
    memset((char *)p + size, 0, more);
    return p;
}

char *arena_copy(struct arena *a, const char *p, size_t len)
{
    char *copy = arena_raw(a, len + 1);
    if (len)
        memcpy(copy, p, len);
    copy[len] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    size_t size = (size_t)printed_length(format, ap) + 1;
    char *s = arena_raw(a, size);
    vsnprintf(s, size, format, ap);
    va_end(ap);
    return s;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->block, a->used};
}

void arena_back(struct arena *a, struct arena_mark mark)
{
    if (a->block == mark.block)
        a->used = mark.used;
}

static void blocks_free(struct arena_block *b)
{
    while (b) {
        struct arena_block *older = b->older;
        free(b);
        b = older;
    }
}

void arena_reset(struct arena *a)
{
    struct arena_block *block = a->block;
    size_t size = a->used;
    for (const struct arena_block *b = block ? block->older : NULL; b; b = b->older)
        size += b->size;
    if (block && (block->older || block->size >= LARGE_BLOCK_BYTES)) {
        blocks_free(block);
        a->block = NULL;
        a->wanted = size < LARGE_BLOCK_BYTES ? size : 0;
    }
    a->used = 0;
}

void arena_free(struct arena *a)
{
    blocks_free(a->block);
    *a = (struct arena){0};
}

void buf_reserve(struct buf *b, size_t more)
{
    if (b->cap - b->len >= more)
        return;
    size_t cap = b->cap ? b->cap * 2 : 256;
    while (cap - b->len < more)
        cap *= 2;
    b->p = mem_realloc(b->p, cap);
    b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    if (!len)
        return;
    buf_reserve(b, len);
    memcpy(b->p + b->len, p, len);
    b->len += len;
}

void buf_addc(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->p[b->len++] = c;
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addv(struct buf *b, const char *format, va_list ap)
{
    size_t len = (size_t)printed_length(format, ap);
    buf_reserve(b, len + 1);
    vsnprintf(b->p + b->len, len + 1, format, ap);
    b->len += len;
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    buf_addv(b, format, ap);
    va_end(ap);
}

void buf_addi(struct buf *b, int64_t n)
{
    char digits[20];
    int at = sizeof digits;
    uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (n < 0)
        buf_addc(b, '-');
    buf_add(b, digits + at, sizeof digits - (size_t)at);
}

const char *buf_str(struct buf *b)
{
    buf_reserve(b, 1);
    b->p[b->len] = '\0';
    return b->p;
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}
