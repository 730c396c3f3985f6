/* Decoding, the straight way: a line exactly as the encoder writes it, with all keys in order, no space, no escape and no
 * fault. One function a record is made from records.def, so that keys, types and limits are constants to the compiler:
 * that takes a fifth of the instructions of walking the field table (common/ndjson.c), which all other lines are left to.
 * NULL always means: not straight, and nothing is said about why. */
#include "common/ndjson.h"

/* Whether the literal stands at p, with at least one byte behind it. */
#define AT(p, end, literal) ((size_t)((end) - (p)) >= sizeof(literal) && str_same(p, literal, sizeof(literal) - 1))

/* ---- scalars ---- */

static inline const char *read_text(const char *p, const char *end, bool optional, uint32_t max, struct str *ret)
{
    if (*p != '"') {
        if (!optional || !AT(p, end, "null"))
            return NULL;
        *ret = STR_NULL;
        return p + 4;
    }
    const char *from = p + 1, *to = jscan_plain_end(from, end);
    if (to == end || *to != '"')
        to = jscan_text_end(to, end);
    if (to == end || *to != '"' || (size_t)(to - from) > max || (to == from && !optional))
        return NULL;
    *ret = (struct str){from, (uint32_t)(to - from), true};
    return to + 1;
}

/* At most 18 digits: no overflow to fear. */
static inline const char *read_integer(const char *p, const char *end, bool optional, bool negative_too, int64_t *ret)
{
    if (*p == 'n') {
        *ret = INT_NONE;
        return optional && AT(p, end, "null") ? p + 4 : NULL;
    }
    bool negative = negative_too && *p == '-';
    const char *from = p += negative;
    int64_t value = 0;
    while (p < end && (unsigned)(*p - '0') < 10 && p - from < 18)
        value = value * 10 + (*p++ - '0');
    if (p == from || (*from == '0' && p - from > 1))
        return NULL;
    *ret = negative ? -value : value;
    return p;
}

/* len bytes between quotes, or null: their first one, NULL when it is neither. */
static inline const char *quoted(const char *p, const char *end, uint32_t len)
{
    return (size_t)(end - p) > len + 2 && *p == '"' && p[len + 1] == '"' ? p + 1 : NULL;
}

#define TIME_READER(name, type, none, len, parse)                                                   \
    static inline const char *name(const char *p, const char *end, bool optional, type *ret)        \
    {                                                                                               \
        const char *text = quoted(p, end, len);                                                     \
        if (text)                                                                                   \
            return parse((struct str){text, len, true}, ret) ? text + (len) + 1 : NULL;             \
        *ret = none;                                                                                \
        return optional && AT(p, end, "null") ? p + 4 : NULL;                                       \
    }
TIME_READER(read_date, date_t, DATE_NONE, 10, date_parse)
TIME_READER(read_month, month_t, MONTH_NONE, 7, month_parse)
TIME_READER(read_instant, instant_t, INSTANT_NONE, 20, instant_parse)

static inline const char *read_bool(const char *p, const char *end, bool optional, int8_t *ret)
{
    *ret = AT(p, end, "true") ? 1 : AT(p, end, "false") ? 0 : -1;
    if (*ret >= 0)
        return p + (*ret ? 4 : 5);
    return optional && AT(p, end, "null") ? p + 4 : NULL;
}

/* A value is compared with its literals one by one: few, and mostly alike from line to line. */
#define TRY(value, text)                \
    if (AT(p, end, "\"" text "\"")) {   \
        *ret = value;                   \
        return p + sizeof("\"" text "\"") - 1; \
    }
#define CODE(code, step, severity, title_fr, title_en, remedy_fr, remedy_en) TRY(DISC_##code, #code)
#define ENUM_READER(e, values)                                                                       \
    static inline const char *read_##e(const char *p, const char *end, bool optional, uint8_t *ret)  \
    {                                                                                                \
        if (*p == 'n') {                                                                             \
            *ret = 0;                                                                                \
            return optional && AT(p, end, "null") ? p + 4 : NULL;                                    \
        }                                                                                            \
        values                                                                                       \
        return NULL;                                                                                 \
    }
#define ENUM_OF_RECORDS(e) ENUM_READER(e, ENUM_##e(TRY))
ENUMERATIONS(ENUM_OF_RECORDS)

static const char *read_discrepancy_code(const char *p, const char *end, bool optional, uint8_t *ret)
{
    if (*p == 'n') {
        *ret = 0;
        return optional && AT(p, end, "null") ? p + 4 : NULL;
    }
#include "common/catalogue.def"
    return NULL;
}
#undef CODE
#undef TRY

/* ---- lists ---- */

static const char *read_texts(const char *p, const char *end, struct arena *a, uint32_t max, struct list *ret)
{
    uint32_t cap = 0;
    *ret = (struct list){0};
    if (AT(p, end, "[]"))
        return p + 2;
    if (*p != '[')
        return NULL;
    do {
        p++;
        if (p == end || ret->n == RECORD_LIST_MAX)
            return NULL;
        p = read_text(p, end, false, max, list_grow(ret, &cap, sizeof(struct str), a));
    } while (p && p < end && *p == ',');
    return p && p < end && *p == ']' ? p + 1 : NULL;
}

static const char *read_list(const char *p, const char *end, struct arena *a, const struct record *sub, struct list *ret)
{
    uint32_t cap = 0;
    *ret = (struct list){0};
    if (AT(p, end, "[]"))
        return p + 2;
    if (*p != '[')
        return NULL;
    do {
        p++;
        if (p == end || ret->n == RECORD_LIST_MAX)
            return NULL;
        p = sub->straight(p, end, a, list_grow(ret, &cap, sub->size, a));
    } while (p && p < end && *p == ',');
    return p && p < end && *p == ']' ? p + 1 : NULL;
}

/* ---- records ---- */

#define OPTIONAL(need) ((need) == NEED_OPT)
#define READ_TEXT(need, arg, at) read_text(p, end, OPTIONAL(need), arg, at)
#define READ_ENUM(need, arg, at) read_##arg(p, end, OPTIONAL(need), at)
#define READ_CENTS(need, arg, at) read_integer(p, end, OPTIONAL(need), true, at)
#define READ_PPM(need, arg, at) read_integer(p, end, OPTIONAL(need), false, at)
#define READ_COUNT(need, arg, at) read_integer(p, end, OPTIONAL(need), false, at)
#define READ_DATE(need, arg, at) read_date(p, end, OPTIONAL(need), at)
#define READ_MONTH(need, arg, at) read_month(p, end, OPTIONAL(need), at)
#define READ_INSTANT(need, arg, at) read_instant(p, end, OPTIONAL(need), at)
#define READ_BOOL(need, arg, at) read_bool(p, end, OPTIONAL(need), at)
#define READ_TEXTS(need, arg, at) read_texts(p, end, a, arg, at)
#define READ_LIST(need, arg, at) read_list(p, end, a, &arg##_record, at)

#define RECORD(rec, entity)                                                                \
    const char *rec##_straight(const char *p, const char *end, struct arena *a, void *to)  \
    {                                                                                      \
        struct rec *r = to;                                                                \
        char before = '{';                                                                 \
        (void)a;
#define FIELD(rec, type, name, need, arg)                                                  \
        if (p == end || *p++ != before || !AT(p, end, "\"" #name "\":"))                   \
            return NULL;                                                                   \
        before = ',';                                                                      \
        p += sizeof("\"" #name "\":") - 1;                                                 \
        if (!(p = READ_##type(NEED_##need, arg, &r->name)))                                \
            return NULL;
#define END(rec)                                    \
        return p < end && *p == '}' ? p + 1 : NULL; \
    }
#include "common/records.def"
