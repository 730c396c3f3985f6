#include "load/copy.h"

#include "common/ndjson.h"

static bool needs_escape(char c)
{
    return c == '\\' || c == '\n' || c == '\r' || c == '\t';
}

static void add_escaped(const char *p, size_t len, struct buf *b)
{
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        if (!needs_escape(p[i]))
            continue;
        buf_add(b, p + from, i - from);
        buf_addc(b, '\\');
        buf_addc(b, p[i] == '\n' ? 'n' : p[i] == '\r' ? 'r' : p[i] == '\t' ? 't' : '\\');
        from = i + 1;
    }
    buf_add(b, p + from, len - from);
}

static void add_null(struct buf *b)
{
    buf_add(b, "\\N", 2);
}

void copy_text(struct str s, struct buf *b)
{
    if (!s.p)
        add_null(b);
    else if (s.plain)
        buf_add(b, s.p, s.len);
    else
        add_escaped(s.p, s.len, b);
}

/* {"a","b"}: inside the quotes the array wants \ in front of " and \, and COPY wants each \ twice. */
static void add_texts(struct list l, struct buf *b)
{
    buf_addc(b, '{');
    for (uint32_t i = 0; i < l.n; i++) {
        struct str s = *(struct str *)list_at(l, sizeof s, i);
        buf_adds(b, i ? ",\"" : "\"");
        for (uint32_t k = 0; k < s.len; k++) {
            if (s.p[k] == '"')
                buf_adds(b, "\\\\\"");
            else if (s.p[k] == '\\')
                buf_adds(b, "\\\\\\\\");
            else
                add_escaped(s.p + k, 1, b);
        }
        buf_addc(b, '"');
    }
    buf_addc(b, '}');
}

static void add_list(const struct record *sub, struct list l, struct buf *b)
{
    struct buf json = {0};
    buf_addc(&json, '[');
    for (uint32_t i = 0; i < l.n; i++) {
        if (i)
            buf_addc(&json, ',');
        ndjson_encode(sub, list_at(l, sub->size, i), &json);
        json.len--;   /* its newline */
    }
    buf_addc(&json, ']');
    add_escaped(json.p, json.len, b);
    buf_free(&json);
}

static void add_integer(int64_t n, struct buf *b)
{
    if (n == INT_NONE)
        add_null(b);
    else
        buf_addi(b, n);
}

static void add_field(const struct field *f, const void *at, struct buf *b)
{
    char text[INSTANT_TEXT_MAX];
    switch (f->type) {
    case F_TEXT:
        copy_text(*(const struct str *)at, b);
        return;
    case F_ENUM: {
        uint8_t value = *(const uint8_t *)at;
        buf_adds(b, value ? f->values->names[value] : "\\N");
        return;
    }
    case F_CENTS:
    case F_PPM:
    case F_COUNT:
        add_integer(*(const int64_t *)at, b);
        return;
    case F_DATE:
        buf_adds(b, *(const date_t *)at == DATE_NONE ? "\\N" : date_text(*(const date_t *)at, text));
        return;
    case F_MONTH:
        buf_adds(b, *(const month_t *)at == MONTH_NONE ? "\\N" : date_text(month_first(*(const month_t *)at), text));
        return;
    case F_INSTANT:
        buf_adds(b, *(const instant_t *)at == INSTANT_NONE ? "\\N" : instant_text(*(const instant_t *)at, text));
        return;
    case F_BOOL: {
        int8_t value = *(const int8_t *)at;
        buf_adds(b, value < 0 ? "\\N" : value ? "t" : "f");
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

void copy_row(const struct record *r, const void *rec, uint32_t skip, struct buf *b)
{
    bool first = true;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (skip >> i & 1)
            continue;
        if (!first)
            buf_addc(b, '\t');
        first = false;
        add_field(&r->fields[i], (const char *)rec + r->fields[i].offset, b);
    }
    buf_addc(b, '\n');
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
