#include "common/jscan.h"

static bool fault(struct jscan *s, const char *at, const char *expected)
{
    s->fault = expected;
    s->fault_at = at;
    return false;
}

/* Behind it, most texts have none: one comparison tells. */
static inline void skip_space(struct jscan *s)
{
    while (s->p < s->end && (unsigned char)*s->p <= ' ' &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* ---- strings ---- */

/* The bytes of the non-ASCII character at p, 0 when it is not well-formed (RFC 3629). */
static uint32_t utf8_length(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;
    uint32_t n = u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
    if (n == 0 || (size_t)(end - p) < n)
        return 0;
    for (uint32_t i = 1; i < n; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    bool surrogate = u[0] == 0xed && u[1] >= 0xa0;
    bool beyond = u[0] == 0xf4 && u[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

/* All bytes below 0x80: eight at a time, the last eight once more for what is left. */
static inline bool is_ascii(struct str s)
{
    uint64_t all = 0, eight;
    uint32_t at = 0;
    for (; at + 8 <= s.len; at += 8) {
        memcpy(&eight, s.p + at, 8);
        all |= eight;
    }
    if (s.len >= 8) {
        memcpy(&eight, s.p + s.len - 8, 8);
        all |= eight;
    } else {
        for (; at < s.len; at++)
            all |= (unsigned char)s.p[at];
    }
    return (all & 0x8080808080808080) == 0;
}

bool jscan_utf8(struct str s)
{
    if (is_ascii(s))
        return true;
    for (const char *p = s.p, *end = p + s.len; p < end;) {
        bool far = end - p >= 16 && is_ascii((struct str){p, 16, false});
        uint32_t n = far ? 16 : (unsigned char)*p < 0x80 ? 1 : utf8_length(p, end);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

/* The four hexadecimal digits behind "\u" at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t code = 0;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

/* Reads the escape at p, a pair of surrogates as one. The bytes it takes, 0 when it is none of JSON's. */
static uint32_t escape_read(const char *p, const char *end, uint32_t *ret_code)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (end - p < 2)
        return 0;
    const char *letter = p[1] ? strchr(letters, p[1]) : NULL;
    if (letter) {
        *ret_code = (unsigned char)meanings[letter - letters];
        return 2;
    }
    int32_t code = hex4(p, end);
    if (code < 0 || (code >= 0xdc00 && code <= 0xdfff))
        return 0;
    if (code < 0xd800 || code > 0xdbff) {
        *ret_code = (uint32_t)code;
        return 6;
    }
    int32_t low = hex4(p + 6, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *ret_code = (uint32_t)(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
    return 12;
}

const char *jscan_text_end(const char *p, const char *end)
{
    for (;;) {
        p = jscan_plain_end(p, end);
        uint32_t n = p < end && (unsigned char)*p >= 0x80 ? utf8_length(p, end) : 0;
        if (n == 0)
            return p;
        p += n;
    }
}

/* The closing quote of the string whose text begins at p, or NULL with the fault set. */
static const char *string_end(struct jscan *s, const char *p, bool *ret_escaped)
{
    uint32_t n, code;
    for (;; p += n) {
        p = jscan_text_end(p, s->end);
        if (p == s->end)
            return fault(s, p, "a closing '\"'"), NULL;
        if (*p == '"')
            return p;
        if ((unsigned char)*p >= 0x80)
            return fault(s, p, "valid UTF-8"), NULL;
        if (*p != '\\')
            return fault(s, p, "control characters to be escaped"), NULL;
        *ret_escaped = true;
        n = escape_read(p, s->end, &code);
        if (n == 0)
            return fault(s, p, "an escape of JSON's, surrogates in pairs"), NULL;
    }
}

static char *put_utf8(char *w, uint32_t code)
{
    if (code < 0x80) {
        *w++ = (char)code;
        return w;
    }
    if (code < 0x800) {
        *w++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *w++ = (char)(0xe0 | code >> 12);
        } else {
            *w++ = (char)(0xf0 | code >> 18);
            *w++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *w++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *w++ = (char)(0x80 | (code & 0x3f));
    return w;
}

/* raw has been checked; what comes out is never longer. */
static struct str unescape(struct str raw, struct arena *a)
{
    const char *p = raw.p, *end = p + raw.len;
    char *text = arena_copy(a, raw.p, raw.len), *w = text;
    while (p < end) {
        uint32_t code = 0;
        if (*p != '\\') {
            *w++ = *p++;
            continue;
        }
        p += escape_read(p, end, &code);
        w = put_utf8(w, code);
    }
    return (struct str){text, (uint32_t)(w - text), false};
}

/* The string whose text begins at from: any, with what is not plain ASCII in it. */
static bool text_read(struct jscan *s, struct arena *a, const char *from, struct str *ret)
{
    bool escaped = false;
    const char *to = string_end(s, from, &escaped);
    if (!to)
        return false;
    *ret = (struct str){from, (uint32_t)(to - from), !escaped};
    if (escaped && a)
        *ret = unescape(*ret, a);
    s->p = to + 1;
    return true;
}

/* Without an arena an escaped string is left as it is. */
static inline bool string_read(struct jscan *s, struct arena *a, const char *expected, struct str *ret)
{
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return fault(s, s->p, expected);
    const char *from = s->p + 1, *to = jscan_plain_end(from, s->end);
    if (to == s->end || *to != '"')
        return text_read(s, a, from, ret);
    *ret = (struct str){from, (uint32_t)(to - from), true};
    s->p = to + 1;
    return true;
}

bool jscan_string(struct jscan *s, struct arena *a, struct str *ret)
{
    return string_read(s, a, "a string", ret);
}

/* ---- numbers and literals ---- */

/* The end of the digits at p, of which there must be one: NULL. */
static const char *digits_end(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > from ? p : NULL;
}

/* RFC 8259, section 6: the end of the number at p, or NULL. */
static const char *number_end(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    p = p < end && *p == '0' ? p + 1 : digits_end(p, end);
    if (p && p < end && *p == '.')
        p = digits_end(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = digits_end(p, end);
    }
    return p;
}

bool jscan_number(struct jscan *s, struct str *ret)
{
    skip_space(s);
    const char *to = number_end(s->p, s->end);
    if (!to)
        return fault(s, s->p, "a number");
    *ret = (struct str){s->p, (uint32_t)(to - s->p), true};
    s->p = to;
    return true;
}

static bool literal_read(struct jscan *s, const char *word, struct str *ret)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return fault(s, s->p, "a value");
    *ret = (struct str){s->p, (uint32_t)len, true};
    s->p += len;
    return true;
}

static inline bool value_type(struct jscan *s, enum jtype *ret)
{
    skip_space(s);
    switch (s->p < s->end ? *s->p : '\0') {
    case '"': *ret = J_STRING; return true;
    case '{': *ret = J_OBJECT; return true;
    case '[': *ret = J_ARRAY; return true;
    case 'n': *ret = J_NULL; return true;
    case 't': *ret = J_TRUE; return true;
    case 'f': *ret = J_FALSE; return true;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        *ret = J_NUMBER;
        return true;
    default: return fault(s, s->p, "a value");
    }
}

bool jscan_peek(struct jscan *s, enum jtype *ret)
{
    return value_type(s, ret);
}

static inline bool punct_read(struct jscan *s, char c, const char *expected)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c)
        return fault(s, s->p, expected);
    s->p++;
    return true;
}

bool jscan_punct(struct jscan *s, char c, const char *expected)
{
    return punct_read(s, c, expected);
}

bool jscan_end(struct jscan *s)
{
    skip_space(s);
    return s->p == s->end || fault(s, s->p, "nothing behind the value");
}

/* ---- whole values ---- */

/* Whether what is open around the level of depth is an object. */
static inline bool is_object_at(const struct jwalk *w, uint32_t depth)
{
    uint32_t level = depth - 1;
    return depth > 0 && (w->is_object[level / 64] >> level % 64 & 1) != 0;
}

static bool walk_open(struct jwalk *w)
{
    uint32_t level = w->depth;
    uint64_t bit = (uint64_t)1 << level % 64;
    if (level == J_DEPTH_MAX)
        return fault(w->scan, w->scan->p, "no more than 512 levels");
    if (w->type == J_OBJECT)
        w->is_object[level / 64] |= bit;
    else
        w->is_object[level / 64] &= ~bit;
    w->depth++;
    w->in_object = w->type == J_OBJECT;
    w->scan->p++;
    w->state = J_OPENED;
    return true;
}

/* Between two values of an array or object: its end (*ret_closed) or a comma, which an opening needs not. */
static inline bool walk_between(struct jwalk *w, bool *ret_closed)
{
    struct jscan *s = w->scan;
    bool object = w->in_object;
    skip_space(s);
    char c = s->p < s->end ? *s->p : '\0';
    *ret_closed = c == (object ? '}' : ']');
    if (*ret_closed) {
        w->at = s->p++;
        w->depth--;
        w->in_object = is_object_at(w, w->depth);
        w->type = object ? J_OBJECT : J_ARRAY;
        w->state = J_BEHIND_VALUE;
        return true;
    }
    if (w->state == J_OPENED)
        return true;
    return punct_read(s, ',', object ? "',' or '}'" : "',' or ']'");
}

static inline bool walk_scalar(struct jwalk *w)
{
    w->state = J_BEHIND_VALUE;
    switch (w->type) {
    case J_STRING: return string_read(w->scan, w->arena, "a string", &w->text);
    case J_NUMBER: return jscan_number(w->scan, &w->text);
    case J_TRUE: return literal_read(w->scan, "true", &w->text);
    case J_FALSE: return literal_read(w->scan, "false", &w->text);
    default: return literal_read(w->scan, "null", &w->text);
    }
}

bool jwalk_next(struct jwalk *w, enum jstep *ret)
{
    struct jscan *s = w->scan;
    bool closed = false;
    w->key = w->text = STR_NULL;
    if (w->state != J_AT_START) {
        if (w->depth == 0) {
            *ret = J_DONE;
            return true;
        }
        if (!walk_between(w, &closed))
            return false;
        if (closed) {
            *ret = J_CLOSE;
            return true;
        }
    }
    skip_space(s);
    w->at = s->p;
    if (w->in_object && (!string_read(s, w->arena, "a key", &w->key) || !punct_read(s, ':', "':'")))
        return false;
    if (!value_type(s, &w->type))
        return false;
    if (w->type == J_ARRAY || w->type == J_OBJECT) {
        *ret = J_OPEN;
        return walk_open(w);
    }
    *ret = J_SCALAR;
    return walk_scalar(w);
}

bool jscan_skip(struct jscan *s, struct str *ret_raw)
{
    struct jwalk w = {.scan = s};
    enum jstep step;
    skip_space(s);
    const char *from = s->p;
    do {
        if (!jwalk_next(&w, &step))
            return false;
    } while (step != J_DONE);
    if (ret_raw)
        *ret_raw = (struct str){from, (uint32_t)(s->p - from), false};
    return true;
}

/* ---- writing ---- */

/* The first byte that cannot stand in a JSON string as it is. */
static const char *quote_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v),
                                   _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    while (p < end && (unsigned char)*p >= ' ' && *p != '"' && *p != '\\')
        p++;
    return p;
}

static char *put_escape(char *w, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF", letters[] = "btn-fr";
    *w++ = '\\';
    if (c == '"' || c == '\\') {
        *w++ = (char)c;
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        *w++ = letters[c - '\b'];
    } else {
        *w++ = 'u';
        *w++ = '0';
        *w++ = '0';
        *w++ = hex[c >> 4];
        *w++ = hex[c & 15];
    }
    return w;
}

char *jscan_put_quoted(char *w, struct str s)
{
    const char *p = s.p, *end = p + s.len;
    *w++ = '"';
    while (p < end) {
        const char *to = s.plain ? end : quote_end(p, end);
        w = str_put(w, p, (size_t)(to - p));
        if (to < end)
            w = put_escape(w, (unsigned char)*to++);
        p = to;
    }
    *w++ = '"';
    return w;
}

void jscan_quote(struct buf *b, struct str s)
{
    buf_reserve(b, (s.plain ? 1u : 6u) * (size_t)s.len + 2);
    b->len = (size_t)(jscan_put_quoted(b->p + b->len, s) - b->p);
}
