/* Decoding: one line into one struct, every fault noted. Lines as the encoder writes them are read by ndjson_straight.c;
 * this reads all others, and says what is wrong with them. */
#include "common/ndjson.h"

#include <stdio.h>

enum { FAULT_TEXT_MAX = 1000, KEY_SHOWN_MAX = 64 };

struct reading {
    struct jscan scan;
    const char *line;
    struct arena *arena;
    struct faults *faults;
};

/* Where an element of a list stands, for messages. */
struct place {
    const char *list;
    uint32_t index;
};

/* ---- faults ---- */

void faults_add(struct faults *f, struct arena *a, enum reject_reason reason, const char *format, ...)
{
    char text[FAULT_TEXT_MAX + 1];
    if (f->n == FAULTS_MAX) {
        f->text[f->n - 1] = STR("more faults than are listed");
        return;
    }
    if (f->n == 0)
        f->reason = reason;
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    uint32_t len = (uint32_t)strlen(text);
    while (len > 0 && !jscan_utf8((struct str){text, len, false}))
        len--; /* a character cut in two */
    f->text[f->n++] = (struct str){arena_copy(a, text, len), len, false};
}

__attribute__((format(printf, 5, 6)))
static void field_fault(struct reading *r, const struct place *where, const struct field *f, enum reject_reason reason,
                        const char *format, ...)
{
    char text[FAULT_TEXT_MAX + 1];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (where)
        faults_add(r->faults, r->arena, reason, "%s[%u]%s%s: %s", where->list, where->index, *f->name ? "." : "",
                   f->name, text);
    else
        faults_add(r->faults, r->arena, reason, "%s: %s", f->name, text);
}

/* The line is no JSON: nothing behind this can be read. */
static bool malformed(struct reading *r)
{
    faults_add(r->faults, r->arena, REJECT_MALFORMED_JSON, "malformed JSON at column %zu: expected %s",
               (size_t)(r->scan.fault_at - r->line) + 1, r->scan.fault);
    return false;
}

static bool skip_value(struct reading *r)
{
    return jscan_skip(&r->scan, NULL) || malformed(r);
}

static const char *type_name(enum jtype type)
{
    static const char *const names[] = {
        [J_NULL] = "null", [J_FALSE] = "false", [J_TRUE] = "true", [J_NUMBER] = "a number", [J_STRING] = "a string",
        [J_ARRAY] = "an array", [J_OBJECT] = "an object"
    };
    return names[type];
}

/* The value is not of the field's type: null where it may be, else a fault. Values are never repeated in a message. */
static bool other_type(struct reading *r, const struct place *where, const struct field *f, void *at,
                       const char *expected)
{
    enum jtype type;
    if (!jscan_peek(&r->scan, &type))
        return malformed(r);
    if (!skip_value(r))
        return false;
    if (type != J_NULL)
        field_fault(r, where, f, REJECT_WRONG_TYPE, "expected %s, found %s", expected, type_name(type));
    else if (f->need == NEED_OPT)
        field_init(f, at);
    else
        field_fault(r, where, f, REJECT_MISSING_FIELD, "expected %s, found null", expected);
    return true;
}

/* ---- scalars ---- */

static inline bool next_is(const struct reading *r, char c)
{
    return r->scan.p < r->scan.end && *r->scan.p == c;
}

static inline bool take_null(struct reading *r)
{
    if (r->scan.end - r->scan.p < 4 || memcmp(r->scan.p, "null", 4) != 0)
        return false;
    r->scan.p += 4;
    return true;
}

static void check_text(struct reading *r, const struct place *where, const struct field *f, const struct str *s)
{
    if (s->len > f->max)
        field_fault(r, where, f, REJECT_TOO_LONG, "longer than %u bytes", f->max);
    else if (s->len == 0 && f->need != NEED_OPT)
        field_fault(r, where, f, REJECT_MISSING_FIELD, "expected a text, found an empty one");
    else if (!s->plain && memchr(s->p, '\0', s->len))
        field_fault(r, where, f, REJECT_OUT_OF_RANGE, "holds U+0000, which no text may");
}

static bool decode_text(struct reading *r, const struct place *where, const struct field *f, struct str *at)
{
    if (!next_is(r, '"'))
        return other_type(r, where, f, at, "a string");
    if (!jscan_string(&r->scan, r->arena, at))
        return malformed(r);
    check_text(r, where, f, at);
    return true;
}

static const char *allowed_names(struct reading *r, const struct enumeration *e)
{
    char *list = arena_printf(r->arena, "%s", e->names[1]);
    for (int i = 2; i < e->count; i++)
        list = arena_printf(r->arena, "%s, %s", list, e->names[i]);
    return list;
}

static bool decode_enum(struct reading *r, const struct place *where, const struct field *f, uint8_t *at)
{
    struct str s;
    if (!next_is(r, '"'))
        return other_type(r, where, f, at, "a string");
    if (!jscan_string(&r->scan, r->arena, &s))
        return malformed(r);
    int value = enum_find(f->values, s);
    if (value == 0)
        field_fault(r, where, f, REJECT_UNKNOWN_VALUE, "expected one of %s", allowed_names(r, f->values));
    *at = (uint8_t)value;
    return true;
}

static bool is_integer(struct str number)
{
    return !memchr(number.p, '.', number.len) && !memchr(number.p, 'e', number.len) &&
           !memchr(number.p, 'E', number.len);
}

/* Up to 18 digits at the cursor that no other part of a number follows: no overflow to fear. */
static bool small_integer(struct reading *r, int64_t *ret)
{
    const char *p = r->scan.p, *end = r->scan.end;
    bool negative = p < end && *p == '-';
    p += negative;
    const char *from = p;
    int64_t value = 0;
    while (p < end && *p >= '0' && *p <= '9' && p - from < 18)
        value = value * 10 + (*p++ - '0');
    if (p == from || p == end || (*p != ',' && *p != '}') || (*from == '0' && p - from > 1))
        return false;
    *ret = negative ? -value : value;
    r->scan.p = p;
    return true;
}

static bool decode_integer(struct reading *r, const struct place *where, const struct field *f, int64_t *at)
{
    const char *expected = f->type == F_CENTS ? "an integer number of cents" : "an integer";
    struct str number;
    enum jtype type;
    if (!small_integer(r, at)) {
        if (!jscan_peek(&r->scan, &type))
            return malformed(r);
        if (type != J_NUMBER)
            return other_type(r, where, f, at, expected);
        if (!jscan_number(&r->scan, &number))
            return malformed(r);
        if (!is_integer(number)) {
            field_fault(r, where, f, f->type == F_CENTS ? REJECT_BAD_AMOUNT : REJECT_WRONG_TYPE,
                        "expected %s, found a decimal point or an exponent", expected);
            return true;
        }
        if (!money_parse_int(number, at)) {
            field_fault(r, where, f, REJECT_OUT_OF_RANGE, "does not fit 64 bits");
            return true;
        }
    }
    if (*at < 0 && f->type != F_CENTS)
        field_fault(r, where, f, REJECT_OUT_OF_RANGE, "expected no negative number");
    return true;
}

static bool parse_time(const struct field *f, struct str s, void *at)
{
    switch (f->type) {
    case F_DATE: return date_parse(s, at);
    case F_MONTH: return month_parse(s, at);
    default: return instant_parse(s, at);
    }
}

static bool decode_time(struct reading *r, const struct place *where, const struct field *f, void *at)
{
    uint32_t len = f->type == F_DATE ? 10 : f->type == F_MONTH ? 7 : 20;
    const char *expected = f->type == F_DATE ? "a date YYYY-MM-DD" : f->type == F_MONTH ? "a month YYYY-MM"
                         : "an instant like 2026-04-30T12:00:00Z";
    const char *p = r->scan.p;
    struct str s;
    if (!next_is(r, '"'))
        return other_type(r, where, f, at, expected);
    if ((size_t)(r->scan.end - p) > len + 1 && p[len + 1] == '"' && parse_time(f, (struct str){p + 1, len, true}, at)) {
        r->scan.p += len + 2;
        return true;
    }
    if (!jscan_string(&r->scan, r->arena, &s))
        return malformed(r);
    if (!parse_time(f, s, at))
        field_fault(r, where, f, REJECT_BAD_DATE, "expected %s", expected);
    return true;
}

static bool decode_bool(struct reading *r, const struct place *where, const struct field *f, int8_t *at)
{
    enum jtype type;
    if (!jscan_peek(&r->scan, &type))
        return malformed(r);
    if (type != J_TRUE && type != J_FALSE)
        return other_type(r, where, f, at, "true or false");
    *at = type == J_TRUE;
    return skip_value(r);
}

/* ---- lists and objects ---- */

static bool decode_object(struct reading *r, const struct record *rec, const struct place *where, char *out);

/* A comma or a closing bracket; the fault is only set for malformed(). */
static inline bool take(struct reading *r, char c)
{
    if (!next_is(r, c))
        return jscan_punct(&r->scan, c, c == '}' ? "',' or '}'" : "',' or ']'");
    r->scan.p++;
    return true;
}

static bool decode_element(struct reading *r, const struct field *f, uint32_t index, void *at)
{
    const struct place here = {f->name, index};
    const struct field element = {.name = "", .type = F_TEXT, .need = NEED_REQ, .max = f->max};
    enum jtype type;
    if (!jscan_peek(&r->scan, &type))
        return malformed(r);
    if (f->type == F_TEXTS)
        return decode_text(r, &here, &element, at);
    return type == J_OBJECT ? decode_object(r, f->sub, &here, at) : other_type(r, &here, &element, at, "an object");
}

static bool decode_list(struct reading *r, const struct place *where, const struct field *f, struct list *at)
{
    size_t size = f->type == F_LIST ? f->sub->size : sizeof(struct str);
    struct list list = {0};
    uint32_t cap = 0, n = 0;
    if (!next_is(r, '['))
        return other_type(r, where, f, at, "an array");
    r->scan.p++;
    *at = list;
    if (take(r, ']'))
        return true;
    do {
        if (n == RECORD_LIST_MAX)
            field_fault(r, where, f, REJECT_TOO_LONG, "more than %d elements", RECORD_LIST_MAX);
        if (n < RECORD_LIST_MAX ? !decode_element(r, f, n, list_grow(&list, &cap, size, r->arena)) : !skip_value(r))
            return false;
        n++;
    } while (take(r, ','));
    *at = list;
    return take(r, ']') || malformed(r);
}

static bool decode_value(struct reading *r, const struct place *where, const struct field *f, void *at)
{
    enum jtype type;
    if (r->scan.p < r->scan.end && (unsigned char)*r->scan.p <= ' ' && !jscan_peek(&r->scan, &type))
        return malformed(r);
    if (f->need == NEED_OPT && take_null(r)) {
        field_init(f, at);
        return true;
    }
    switch (f->type) {
    case F_TEXT: return decode_text(r, where, f, at);
    case F_ENUM: return decode_enum(r, where, f, at);
    case F_CENTS: case F_PPM: case F_COUNT: return decode_integer(r, where, f, at);
    case F_DATE: case F_MONTH: case F_INSTANT: return decode_time(r, where, f, at);
    case F_BOOL: return decode_bool(r, where, f, at);
    case F_TEXTS: case F_LIST: return decode_list(r, where, f, at);
    }
    return false;
}

/* The field whose key stands at the cursor, as the encoder would have written it next. */
static inline bool take_key(struct reading *r, const struct field *f)
{
    size_t len = f->name_len + 3; /* quotes and colon */
    if ((size_t)(r->scan.end - r->scan.p) < len || memcmp(r->scan.p, f->key + 1, len) != 0)
        return false;
    r->scan.p += len;
    return true;
}

/* Reads any key and its colon. *ret is NULL, with a fault, when the record has no such field. */
static bool find_key(struct reading *r, const struct record *rec, const struct place *where, const struct field **ret)
{
    struct str key;
    if (!jscan_string(&r->scan, r->arena, &key) || !jscan_punct(&r->scan, ':', "':'"))
        return malformed(r);
    *ret = NULL;
    for (uint32_t i = 0; i < rec->n_fields && !*ret; i++)
        if (key.len == rec->fields[i].name_len && memcmp(key.p, rec->fields[i].name, key.len) == 0)
            *ret = &rec->fields[i];
    if (!*ret) {
        struct buf shown = {0};
        key.len = key.len < KEY_SHOWN_MAX ? key.len : KEY_SHOWN_MAX;
        jscan_quote(&shown, key);
        const struct field unknown = {.name = "unknown key"};
        field_fault(r, where, &unknown, REJECT_UNKNOWN_VALUE, "%s", buf_str(&shown));
        buf_free(&shown);
    }
    return true;
}

/* Which fields of an object were read: in bits, how many, and which one the encoder would have written next. */
struct progress {
    uint64_t seen;
    uint32_t n_seen, next;
};

static bool decode_member(struct reading *r, const struct record *rec, const struct place *where, char *out,
                          struct progress *progress)
{
    const struct field *f = &rec->fields[progress->next];
    if ((progress->next == rec->n_fields || !take_key(r, f)) && !find_key(r, rec, where, &f))
        return false;
    if (!f)
        return skip_value(r);
    uint32_t index = (uint32_t)(f - rec->fields);
    progress->next = index + 1;
    if (progress->seen >> index & 1) {
        field_fault(r, where, f, REJECT_DUPLICATE_KEY, "given twice");
        return skip_value(r);
    }
    progress->seen |= (uint64_t)1 << index;
    progress->n_seen++;
    return decode_value(r, where, f, out + f->offset);
}

static void absent_fields(struct reading *r, const struct record *rec, const struct place *where, char *out,
                          uint64_t seen)
{
    for (uint32_t i = 0; i < rec->n_fields; i++) {
        const struct field *f = &rec->fields[i];
        if (seen >> i & 1)
            continue;
        if (f->need == NEED_OPT)
            field_init(f, out + f->offset);
        else
            field_fault(r, where, f, REJECT_MISSING_FIELD, "missing");
    }
}

/* The cursor is on the opening brace. */
static bool decode_object(struct reading *r, const struct record *rec, const struct place *where, char *out)
{
    struct progress progress = {0};
    r->scan.p++;
    if (!take(r, '}')) {
        do {
            if (!decode_member(r, rec, where, out, &progress))
                return false;
        } while (take(r, ','));
        if (!take(r, '}'))
            return malformed(r);
    }
    if (progress.n_seen < rec->n_fields)
        absent_fields(r, rec, where, out, progress.seen);
    return true;
}

bool ndjson_decode(const struct record *r, struct str line, struct arena *a, void *rec, struct faults *faults)
{
    struct reading reading = {{.p = line.p, .end = line.p + line.len}, line.p, a, faults};
    enum jtype type;
    faults->n = 0;
    if (r->straight(line.p, line.p + line.len, a, rec) == line.p + line.len)
        return true;
    if (!jscan_peek(&reading.scan, &type))
        return malformed(&reading);
    if (type != J_OBJECT) {
        if (skip_value(&reading) && (jscan_end(&reading.scan) || malformed(&reading)))
            faults_add(faults, a, REJECT_NOT_AN_OBJECT, "expected an object, found %s", type_name(type));
        return false;
    }
    if (decode_object(&reading, r, NULL, rec) && !jscan_end(&reading.scan))
        malformed(&reading);
    return faults->n == 0;
}
