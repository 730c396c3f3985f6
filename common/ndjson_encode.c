/* Encoding: one struct as one line, by functions made from records.def; and the check that it may become one. */
#include "common/ndjson.h"

#include <stdio.h>

/* ---- writing ---- */

/* Bytes of any scalar but a text, quotes included. */
enum { SCALAR_MAX = 48 };
#define ENUM_ROOM(c, text) _Static_assert(sizeof text + 2 <= SCALAR_MAX, "a longer scalar");
#define ENUM_ROOMS(e) ENUM_##e(ENUM_ROOM)
ENUMERATIONS(ENUM_ROOMS)
#define CODE(code, step, severity, title_fr, title_en, remedy_fr, remedy_en) ENUM_ROOM(DISC_##code, #code)
#include "common/catalogue.def"
#undef CODE

#define PUT(w, literal) ((char *)memcpy(w, literal, sizeof(literal) - 1) + sizeof(literal) - 1)

static inline char *put_null(char *w)
{
    return PUT(w, "null");
}

static inline char *put_quoted(char *w, const char *text, size_t len)
{
    *w++ = '"';
    w = str_put(w, text, len);
    *w++ = '"';
    return w;
}

static inline char *put_text(char *w, const struct str *s)
{
    if (!s->p)
        return put_null(w);
    return s->plain ? put_quoted(w, s->p, s->len) : jscan_put_quoted(w, *s);
}

/* Each enumeration's values, quotes included; what is none of them is null. */
#define PUT_VALUE(c, text) case c: return PUT(w, "\"" text "\"");
#define ENUM_WRITER(e)                                      \
    static inline char *put_##e(char *w, uint8_t value)     \
    {                                                       \
        switch (value) {                                    \
        ENUM_##e(PUT_VALUE)                                 \
        default: return put_null(w);                        \
        }                                                   \
    }
ENUMERATIONS(ENUM_WRITER)

static char *put_discrepancy_code(char *w, uint8_t value)
{
#define CODE(code, step, severity, title_fr, title_en, remedy_fr, remedy_en) PUT_VALUE(DISC_##code, #code)
    switch (value) {
#include "common/catalogue.def"
    default: return put_null(w);
    }
#undef CODE
}

static inline char *put_integer(char *w, int64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (n == INT_NONE)
        return put_null(w);
    for (; u >= 100; u /= 100)
        str_put_pair(digits + (at -= 2), (unsigned)(u % 100));
    if (u >= 10)
        str_put_pair(digits + (at -= 2), (unsigned)u);
    else
        digits[--at] = (char)('0' + u);
    if (n < 0)
        *w++ = '-';
    return str_put(w, digits + at, sizeof digits - at);
}

#define TIME_WRITER(name, type, none, len, text_of)     \
    static inline char *name(char *w, type t)           \
    {                                                   \
        if (t == none)                                  \
            return put_null(w);                         \
        *w = '"';                                       \
        text_of(t, w + 1);                              \
        w[(len) + 1] = '"';                             \
        return w + (len) + 2;                           \
    }
TIME_WRITER(put_date, date_t, DATE_NONE, 10, date_text)
TIME_WRITER(put_month, month_t, MONTH_NONE, 7, month_text)
TIME_WRITER(put_instant, instant_t, INSTANT_NONE, 20, instant_text)

static inline char *put_bool(char *w, int8_t set)
{
    return set < 0 ? put_null(w) : set ? PUT(w, "true") : PUT(w, "false");
}

static inline size_t text_room(const struct str *s)
{
    return (s->plain ? 1u : 6u) * (size_t)s->len + sizeof "null";
}

static size_t texts_room(struct list l)
{
    size_t room = 2;
    for (uint32_t i = 0; i < l.n; i++)
        room += text_room(list_at(l, sizeof(struct str), i)) + 1;
    return room;
}

static char *put_texts(char *w, struct list l)
{
    *w++ = '[';
    for (uint32_t i = 0; i < l.n; i++) {
        if (i > 0)
            *w++ = ',';
        w = put_text(w, list_at(l, sizeof(struct str), i));
    }
    *w++ = ']';
    return w;
}

static size_t list_room(const struct record *sub, struct list l)
{
    size_t room = 2;
    for (uint32_t i = 0; i < l.n; i++)
        room += sub->room(list_at(l, sub->size, i)) + 1;
    return room;
}

static char *put_list(char *w, const struct record *sub, struct list l)
{
    *w++ = '[';
    for (uint32_t i = 0; i < l.n; i++) {
        if (i > 0)
            *w++ = ',';
        w = sub->encode(w, list_at(l, sub->size, i));
    }
    *w++ = ']';
    return w;
}

#define ROOM_TEXT(arg, at) text_room(at)
#define ROOM_ENUM(arg, at) SCALAR_MAX
#define ROOM_CENTS(arg, at) SCALAR_MAX
#define ROOM_PPM(arg, at) SCALAR_MAX
#define ROOM_COUNT(arg, at) SCALAR_MAX
#define ROOM_DATE(arg, at) SCALAR_MAX
#define ROOM_MONTH(arg, at) SCALAR_MAX
#define ROOM_INSTANT(arg, at) SCALAR_MAX
#define ROOM_BOOL(arg, at) SCALAR_MAX
#define ROOM_TEXTS(arg, at) texts_room(*(at))
#define ROOM_LIST(arg, at) list_room(&arg##_record, *(at))

#define WRITE_TEXT(arg, at) put_text(w, at)
#define WRITE_ENUM(arg, at) put_##arg(w, *(at))
#define WRITE_CENTS(arg, at) put_integer(w, *(at))
#define WRITE_PPM(arg, at) put_integer(w, *(at))
#define WRITE_COUNT(arg, at) put_integer(w, *(at))
#define WRITE_DATE(arg, at) put_date(w, *(at))
#define WRITE_MONTH(arg, at) put_month(w, *(at))
#define WRITE_INSTANT(arg, at) put_instant(w, *(at))
#define WRITE_BOOL(arg, at) put_bool(w, *(at))
#define WRITE_TEXTS(arg, at) put_texts(w, *(at))
#define WRITE_LIST(arg, at) put_list(w, &arg##_record, *(at))

#define RECORD(rec, entity)               \
    size_t rec##_room(const void *from)   \
    {                                     \
        const struct rec *r = from;       \
        size_t room = 2;
#define FIELD(rec, type, name, need, arg) room += sizeof(",\"" #name "\":") - 1 + ROOM_##type(arg, &r->name);
#define END(rec)                          \
        return room;                      \
    }
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

#define RECORD(rec, entity)                        \
    char *rec##_encode(char *w, const void *from)   \
    {                                              \
        const struct rec *r = from;                \
        char *start = w;
#define FIELD(rec, type, name, need, arg)          \
        w = PUT(w, ",\"" #name "\":");             \
        w = WRITE_##type(arg, &r->name);
#define END(rec)                                   \
        *start = '{'; /* where the first comma stands */ \
        *w++ = '}';                                \
        return w;                                  \
    }
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

void ndjson_encode(const struct record *r, const void *rec, struct buf *b)
{
    buf_reserve(b, r->room(rec) + 1);
    char *w = r->encode(b->p + b->len, rec);
    *w++ = '\n';
    b->len = (size_t)(w - b->p);
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

/* The same without a word about what is wrong: made from records.def, it is what each record is put through. */

static inline bool text_fits(const struct str *s, bool optional, uint32_t max, bool utf8)
{
    if (!s->p || s->len == 0)
        return optional;
    return s->len <= max && (!utf8 || jscan_utf8(*s)) && (s->plain || !memchr(s->p, '\0', s->len));
}

static bool texts_fit(struct list l, uint32_t max, bool utf8)
{
    bool fit = l.n <= RECORD_LIST_MAX;
    for (uint32_t i = 0; fit && i < l.n; i++)
        fit = text_fits(list_at(l, sizeof(struct str), i), false, max, utf8);
    return fit;
}

static bool list_fits(struct list l, const struct record *sub, bool utf8)
{
    bool fit = l.n <= RECORD_LIST_MAX;
    for (uint32_t i = 0; fit && i < l.n; i++)
        fit = sub->fits(list_at(l, sub->size, i), utf8);
    return fit;
}

/* Days of the years 1000 to 9999. */
enum { FIRST_DAY = -354285, LAST_DAY = 2932896, FIRST_MONTH = 12000, LAST_MONTH = 119999 };

#define WITHIN(n, none, optional, first, last) ((n) == (none) ? (optional) : (n) >= (first) && (n) <= (last))
#define OPTIONAL(need) ((need) == NEED_OPT)
#define FITS_TEXT(need, arg, at) text_fits(at, OPTIONAL(need), arg, utf8)
#define FITS_ENUM(need, arg, at) (*(at) == 0 ? OPTIONAL(need) : *(at) < arg##_enumeration.count)
#define FITS_CENTS(need, arg, at) (*(at) != INT_NONE || OPTIONAL(need))
#define FITS_PPM(need, arg, at) (*(at) >= 0 || (*(at) == INT_NONE && OPTIONAL(need)))
#define FITS_COUNT(need, arg, at) FITS_PPM(need, arg, at)
#define FITS_DATE(need, arg, at) WITHIN(*(at), DATE_NONE, OPTIONAL(need), FIRST_DAY, LAST_DAY)
#define FITS_MONTH(need, arg, at) WITHIN(*(at), MONTH_NONE, OPTIONAL(need), FIRST_MONTH, LAST_MONTH)
#define FITS_INSTANT(need, arg, at) \
    WITHIN(*(at), INSTANT_NONE, OPTIONAL(need), (int64_t)FIRST_DAY * 86400, (int64_t)LAST_DAY * 86400 + 86399)
#define FITS_BOOL(need, arg, at) (*(at) >= 0 || OPTIONAL(need))
#define FITS_TEXTS(need, arg, at) texts_fit(*(at), arg, utf8)
#define FITS_LIST(need, arg, at) list_fits(*(at), &arg##_record, utf8)

#define RECORD(rec, entity)                       \
    bool rec##_fits(const void *from, bool utf8)  \
    {                                             \
        const struct rec *r = from;               \
        (void)utf8;
#define FIELD(rec, type, name, need, arg)          \
        if (!(FITS_##type(NEED_##need, arg, &r->name))) \
            return false;
#define END(rec)                         \
        return true;                     \
    }
#include "common/records.def"

bool record_check(const struct record *r, const void *rec, struct arena *a, struct faults *faults)
{
    if (!r->fits(rec, true))
        check_record(&(struct check){a, faults, ""}, r, rec);
    return faults->n == 0;
}

/* The texts are looked at all at once, as the line that they make: what stands between them is ASCII, so that one which is
 * no UTF-8 leaves none to the line. */
bool ndjson_encode_fit(const struct record *r, const void *rec, struct buf *b)
{
    size_t before = b->len;
    if (!r->fits(rec, false))
        return false;
    ndjson_encode(r, rec, b);
    if (jscan_utf8((struct str){b->p + before, (uint32_t)(b->len - before), false}))
        return true;
    b->len = before;
    return false;
}
