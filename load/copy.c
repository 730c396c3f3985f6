#include "load/copy.h"

#include <endian.h>

#include "common/ndjson.h"

/* A value is its length in four bytes, all numbers big-endian, and what the type's receive function reads; a length of
 * -1 is null (https://www.postgresql.org/docs/current/sql-copy.html, Binary Format). */
enum {
    OID_TEXT = 25,
    OID_DATE = 1082,
    EPOCH_DAYS = 10957,    /* PostgreSQL counts from 2000-01-01 */
    JSONB_VERSION = 1
};

/* Room for one more value of `bytes` bytes, behind its length. */
static char *value(int32_t bytes, struct buf *b)
{
    const uint32_t length = htobe32((uint32_t)bytes);
    buf_reserve(b, sizeof length + (size_t)bytes);
    memcpy(b->p + b->len, &length, sizeof length);
    char *p = b->p + b->len + sizeof length;
    b->len += sizeof length + (size_t)bytes;
    return p;
}

static void add16(int16_t n, struct buf *b)
{
    const uint16_t bytes = htobe16((uint16_t)n);
    buf_add(b, &bytes, sizeof bytes);
}

static void add32(int32_t n, struct buf *b)
{
    const uint32_t bytes = htobe32((uint32_t)n);
    buf_add(b, &bytes, sizeof bytes);
}

static void value64(int64_t n, struct buf *b)
{
    const uint64_t bytes = htobe64((uint64_t)n);
    memcpy(value(sizeof bytes, b), &bytes, sizeof bytes);
}

static void value32(int32_t n, struct buf *b)
{
    const uint32_t bytes = htobe32((uint32_t)n);
    memcpy(value(sizeof bytes, b), &bytes, sizeof bytes);
}

static void add_null(struct buf *b)
{
    add32(-1, b);
}

/* ---- arrays and lists ---- */

/* A value whose length is known when it has ended: array_begin says where. */
static size_t sized_begin(struct buf *b)
{
    size_t at = b->len;
    add32(0, b);
    return at;
}

static void sized_end(size_t at, struct buf *b)
{
    const uint32_t length = htobe32((uint32_t)(b->len - at - sizeof length));
    memcpy(b->p + at, &length, sizeof length);
}

/* Dimensions, whether there are nulls, the type of an element; of the one dimension, its size and first index. */
static void add_array(int32_t oid, uint32_t n, struct buf *b)
{
    add32(n > 0, b);
    add32(0, b);
    add32(oid, b);
    if (n) {
        add32((int32_t)n, b);
        add32(1, b);
    }
}

static void add_texts(struct list l, struct buf *b)
{
    size_t at = sized_begin(b);
    add_array(OID_TEXT, l.n, b);
    for (uint32_t i = 0; i < l.n; i++) {
        struct str s = *(struct str *)list_at(l, sizeof s, i);
        memcpy(value((int32_t)s.len, b), s.p ? s.p : "", s.len);
    }
    sized_end(at, b);
}

static void add_list(const struct record *sub, struct list l, struct buf *b)
{
    size_t at = sized_begin(b);
    buf_addc(b, JSONB_VERSION);
    buf_addc(b, '[');
    for (uint32_t i = 0; i < l.n; i++) {
        if (i)
            buf_addc(b, ',');
        ndjson_encode(sub, list_at(l, sub->size, i), b);
        b->len--;   /* its newline */
    }
    buf_addc(b, ']');
    sized_end(at, b);
}

/* ---- values ---- */

void copy_text(struct str s, struct buf *b)
{
    if (s.p)
        memcpy(value((int32_t)s.len, b), s.p, s.len);
    else
        add_null(b);
}

void copy_integer(int64_t n, struct buf *b)
{
    if (n == INT_NONE)
        add_null(b);
    else
        value64(n, b);
}

void copy_bool(bool truth, struct buf *b)
{
    *value(1, b) = truth;
}

void copy_dates(const date_t *v, uint32_t n, struct buf *b)
{
    size_t at = sized_begin(b);
    add_array(OID_DATE, n, b);
    for (uint32_t i = 0; i < n; i++)
        value32(v[i] - EPOCH_DAYS, b);
    sized_end(at, b);
}

static void add_date(date_t date, struct buf *b)
{
    if (date == DATE_NONE)
        add_null(b);
    else
        value32(date - EPOCH_DAYS, b);
}

/* Microseconds since 2000-01-01T00:00:00Z. */
static void add_instant(instant_t t, struct buf *b)
{
    if (t == INSTANT_NONE)
        add_null(b);
    else
        value64((t - (int64_t)EPOCH_DAYS * 86400) * 1000000, b);
}

static void add_field(const struct field *f, const void *at, struct buf *b)
{
    switch (f->type) {
    case F_TEXT:
        copy_text(*(const struct str *)at, b);
        return;
    case F_ENUM:
        copy_text(str_of(f->values->names[*(const uint8_t *)at]), b);
        return;
    case F_CENTS:
    case F_PPM:
    case F_COUNT:
        copy_integer(*(const int64_t *)at, b);
        return;
    case F_DATE:
        add_date(*(const date_t *)at, b);
        return;
    case F_MONTH: {
        month_t month = *(const month_t *)at;
        add_date(month == MONTH_NONE ? DATE_NONE : month_first(month), b);
        return;
    }
    case F_INSTANT:
        add_instant(*(const instant_t *)at, b);
        return;
    case F_BOOL: {
        int8_t truth = *(const int8_t *)at;
        if (truth < 0)
            add_null(b);
        else
            copy_bool(truth, b);
        return;
    }
    case F_TEXTS:
        add_texts(*(const struct list *)at, b);
        return;
    case F_LIST:
        add_list(f->sub, *(const struct list *)at, b);
        return;
    }
}

/* ---- rows ---- */

void copy_header(struct buf *b)
{
    static const char signature[] = "PGCOPY\n\377\r\n";
    buf_add(b, signature, sizeof signature);   /* with its NUL */
    add32(0, b);                               /* flags */
    add32(0, b);                               /* length of an extension */
}

void copy_trailer(struct buf *b)
{
    add16(-1, b);
}

void copy_values(int n, struct buf *b)
{
    add16((int16_t)n, b);
}

void copy_row(const struct record *r, const void *rec, uint32_t skip, int more, struct buf *b)
{
    copy_values((int)r->n_fields - __builtin_popcount(skip) + more, b);
    for (uint32_t i = 0; i < r->n_fields; i++)
        if (!(skip >> i & 1))
            add_field(&r->fields[i], (const char *)rec + r->fields[i].offset, b);
}

void copy_columns(const struct record *r, uint32_t skip, const char *prefix, struct buf *b)
{
    const char *comma = "";
    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (skip >> i & 1)
            continue;
        buf_adds(b, comma);
        buf_adds(b, prefix);
        buf_adds(b, r->fields[i].name);
        comma = ", ";
    }
}
