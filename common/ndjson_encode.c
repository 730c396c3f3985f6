/* Encoding: one struct as one line; and the check that it may become one. */
#include "common/ndjson.h"

enum { SCALAR_MAX = 32, LIST_MAX = 100000 }; /* bytes of any scalar but a text or a name */

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
    const struct str *text = f->type == F_TEXT ? at : NULL;
    size_t inside = text && text->plain ? text->len : name ? strlen(name) : 0;
    buf_reserve(b, f->name_len + 4 + SCALAR_MAX + inside);
    char *w = put(b->p + b->len, f->key, f->name_len + 4);
    switch (f->type) {
    case F_TEXT:
        if (!text->p) {
            w = put(w, "null", 4);
        } else if (text->plain) {
            *w++ = '"';
            w = put(w, text->p, text->len);
            *w++ = '"';
        }
        break;
    case F_ENUM: w = name ? put_quoted(w, name) : put(w, "null", 4); break;
    case F_CENTS: case F_PPM: case F_COUNT: w = put_integer(w, *(const int64_t *)at); break;
    case F_DATE: case F_MONTH: case F_INSTANT: w = put_time(w, f, at); break;
    case F_BOOL: {
        int8_t set = *(const int8_t *)at;
        w = set < 0 ? put(w, "null", 4) : set ? put(w, "true", 4) : put(w, "false", 5);
        break;
    }
    case F_TEXTS: case F_LIST: break;
    }
    b->len = (size_t)(w - b->p);
    if (text && text->p && !text->plain)
        jscan_quote(b, *text);
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
