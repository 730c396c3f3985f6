/* Memory by lifespan. Allocation never fails towards the caller: a batch process that is out of memory says so and
 * exits with status 75 (nothing it has written is visible before it is complete, so a rerun is safe). */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size);                    /* zeroed */
void *mem_take(size_t size);                     /* not zeroed */
void *mem_realloc(void *p, size_t size);
char *mem_strdup(const char *s);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the process in that way: for whoever learns from a library that it found no memory. */
__attribute__((noreturn)) void mem_exhausted(void);

/* An arena gives memory that is taken back all at once: one per company, reset between companies. Zero it to start
 * ({0}); arena_reset keeps what the next company may need as well, in one block, unless it is a large company's, arena_free
 * gives everything back. */
struct arena {
    struct arena_block *block;
    size_t used;      /* of it */
    size_t wanted;    /* by the last company, when it took more than one block */
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type */
void *arena_raw(struct arena *a, size_t size);   /* the same with whatever it holds */
/* p, which has size bytes, with more zeroed ones behind them: where it is, if nothing was given since, else moved. p may
 * be NULL, of no size. */
void *arena_extend(struct arena *a, void *p, size_t size, size_t more);
char *arena_copy(struct arena *a, const char *p, size_t len); /* NUL-terminated */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes back what was given since arena_mark, as far as it lies in the same block; nobody may use it any more. */
struct arena_mark {
    const struct arena_block *block;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_back(struct arena *a, struct arena_mark mark);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* A growable run of bytes. Zero it to start ({0}); p is NULL while nothing was ever added. buf_str keeps a NUL after
 * the last byte. buf_free makes it empty again and ready for use. */
struct buf {
    char *p;
    size_t len, cap;
};

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t len);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_addi(struct buf *b, int64_t n);         /* decimal */
const char *buf_str(struct buf *b);
void buf_free(struct buf *b);

#endif
