/* Encoding: one struct as one line; and the check that it may become one. */
#include "common/ndjson.h"

#include <stdio.h>

enum { SCALAR_MAX = 32 }; /* bytes of any scalar but a text or a name */

/* ---- writing ---- */

static inline char *put(char *w, const void *p, size_t len)
{
    memcpy(w, p, len);
    return w + len;
}

static char *put_quoted(char *w, const char *text)
{
    *w++ = '"';
    w = put(w, text, strlen(text));
    *w++ = '"';
    return w;
}

static char *put_integer(char *w, int64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (n == INT_NONE)
        return put(w, "null", 4);
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (n < 0)
        *w++ = '-';
    return put(w, digits + at, sizeof digits - at);
}

static char *put_time(char *w, const struct field *f, const void *at)
{
    char text[INSTANT_TEXT_MAX];
    switch (f->type) {
    case F_DATE: {
        date_t d = *(const date_t *)at;
        return d == DATE_NONE ? put(w, "null", 4) : put_quoted(w, date_text(d, text));
    }
    case F_MONTH: {
        month_t m = *(const month_t *)at;
        return m == MONTH_NONE ? put(w, "null", 4) : put_quoted(w, month_text(m, text));
    }
    default: {
        instant_t t = *(const instant_t *)at;
        return t == INSTANT_NONE ? put(w, "null", 4) : put_quoted(w, instant_text(t, text));
    }
    }
}

static char *put_bool(char *w, int8_t set)
{
    return set < 0 ? put(w, "null", 4) : set ? put(w, "true", 4) : put(w, "false", 5);
}

static void encode_object(const struct record *r, const char *rec, struct buf *b);

static void encode_text(const struct str *s, struct buf *b)
{
    if (s->p)
        jscan_quote(b, *s);
    else
        buf_add(b, "null", 4);
}

static void encode_list(const struct field *f, const struct list *l, struct buf *b)
{
    buf_addc(b, '[');
    for (uint32_t i = 0; i < l->n; i++) {
        if (i > 0)
            buf_addc(b, ',');
        if (f->type == F_LIST)
            encode_object(f->sub, list_at(*l, f->sub->size, i), b);
        else
            encode_text(list_at(*l, sizeof(struct str), i), b);
    }
    buf_addc(b, ']');
}

/* One member, with the comma in front of it. */
static void encode_member(const struct field *f, const void *at, struct buf *b)
{
    const char *name = f->type == F_ENUM ? f->values->names[*(const uint8_t *)at] : NULL;
    buf_reserve(b, f->name_len + 4 + SCALAR_MAX + (name ? strlen(name) : 0));
    char *w = put(b->p + b->len, f->key, f->name_len + 4);
    switch (f->type) {
    case F_ENUM: w = name ? put_quoted(w, name) : put(w, "null", 4); break;
    case F_CENTS: case F_PPM: case F_COUNT: w = put_integer(w, *(const int64_t *)at); break;
    case F_DATE: case F_MONTH: case F_INSTANT: w = put_time(w, f, at); break;
    case F_BOOL: w = put_bool(w, *(const int8_t *)at); break;
    case F_TEXT: case F_TEXTS: case F_LIST: break;
    }
    b->len = (size_t)(w - b->p);
    if (f->type == F_TEXT)
        encode_text(at, b);
    else if (f->type == F_TEXTS || f->type == F_LIST)
        encode_list(f, at, b);
}

static void encode_object(const struct record *r, const char *rec, struct buf *b)
{
    size_t start = b->len;
    for (uint32_t i = 0; i < r->n_fields; i++)
        encode_member(&r->fields[i], rec + r->fields[i].offset, b);
    b->p[start] = '{'; /* where the first comma stands */
    buf_addc(b, '}');
}

void ndjson_encode(const struct record *r, const void *rec, struct buf *b)
{
    encode_object(r, rec, b);
    buf_addc(b, '\n');
}

/* ---- checking ---- */

struct check {
    struct arena *arena;
    struct faults *faults;
    const char *prefix;    /* "terms[2]." in front of a nested record's fields, else "" */
};

static void check_record(const struct check *c, const struct record *r, const char *rec);

__attribute__((format(printf, 4, 5)))
static void check_fault(const struct check *c, const struct field *f, enum reject_reason reason,
                        const char *format, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, format);
    buf_addv(&text, format, ap);
    va_end(ap);
    faults_add(c->faults, c->arena, reason, "%s%s: %s", c->prefix, f->name, buf_str(&text));
    buf_free(&text);
}

/* A null field: a fault where it is required. */
static void check_null(const struct check *c, const struct field *f)
{
    if (f->need != NEED_OPT)
        check_fault(c, f, REJECT_MISSING_FIELD, "missing");
}

static void check_text(const struct check *c, const struct field *f, const struct str *s)
{
    if (!s->p || (s->len == 0 && f->need != NEED_OPT))
        check_null(c, f);
    else if (s->len > f->max)
        check_fault(c, f, REJECT_TOO_LONG, "longer than %u bytes", f->max);
    else if (memchr(s->p, '\0', s->len))
        check_fault(c, f, REJECT_OUT_OF_RANGE, "holds U+0000, which no text may");
    else if (!jscan_utf8(*s))
        check_fault(c, f, REJECT_WRONG_TYPE, "expected valid UTF-8");
}

static void check_enum(const struct check *c, const struct field *f, int value)
{
    if (value == 0)
        check_null(c, f);
    else if (value >= f->values->count)
        check_fault(c, f, REJECT_UNKNOWN_VALUE, "no value of %s", f->values->name);
}

static void check_integer(const struct check *c, const struct field *f, int64_t n)
{
    if (n == INT_NONE)
        check_null(c, f);
    else if (n < 0 && f->type != F_CENTS)
        check_fault(c, f, REJECT_OUT_OF_RANGE, "expected no negative number");
}

/* first..last: the days of years 1000 to 9999, in the field's own unit. */
static void check_time(const struct check *c, const struct field *f, int64_t at, int64_t none, int64_t first,
                       int64_t last)
{
    if (at == none)
        check_null(c, f);
    else if (at < first || at > last)
        check_fault(c, f, REJECT_BAD_DATE, "expected a year from 1000 to 9999");
}

static void check_list(const struct check *c, const struct field *f, const struct list *l)
{
    if (l->n > RECORD_LIST_MAX) {
        check_fault(c, f, REJECT_TOO_LONG, "more than %d elements", RECORD_LIST_MAX);
        return;
    }
    for (uint32_t i = 0; i < l->n && c->faults->n < FAULTS_MAX; i++) {
        struct check inside = *c;
        char prefix[128];
        snprintf(prefix, sizeof prefix, "%s%s[%u]%s", c->prefix, f->name, i, f->type == F_LIST ? "." : "");
        inside.prefix = prefix;
        if (f->type == F_LIST) {
            check_record(&inside, f->sub, list_at(*l, f->sub->size, i));
        } else {
            struct field element = {.name = "", .type = F_TEXT, .need = NEED_REQ, .max = f->max};
            check_text(&inside, &element, list_at(*l, sizeof(struct str), i));
        }
    }
}

static void check_record(const struct check *c, const struct record *r, const char *rec)
{
    const date_t first = date_of(1000, 1, 1), last = date_of(9999, 12, 31);
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        const void *at = rec + f->offset;
        switch (f->type) {
        case F_TEXT: check_text(c, f, at); break;
        case F_ENUM: check_enum(c, f, *(const uint8_t *)at); break;
        case F_CENTS: case F_PPM: case F_COUNT: check_integer(c, f, *(const int64_t *)at); break;
        case F_DATE: check_time(c, f, *(const date_t *)at, DATE_NONE, first, last); break;
        case F_MONTH: check_time(c, f, *(const month_t *)at, MONTH_NONE, month_of(first), month_of(last)); break;
        case F_INSTANT:
            check_time(c, f, *(const instant_t *)at, INSTANT_NONE, (int64_t)first * 86400,
                       (int64_t)last * 86400 + 86399);
            break;
        case F_BOOL:
            if (*(const int8_t *)at < 0)
                check_null(c, f);
            break;
        case F_TEXTS: case F_LIST: check_list(c, f, at); break;
        }
    }
}

bool record_check(const struct record *r, const void *rec, struct arena *a, struct faults *faults)
{
    check_record(&(struct check){a, faults, ""}, r, rec);
    return faults->n == 0;
}
