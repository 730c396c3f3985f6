#include "common/str.h"

int str_cmp(struct str a, struct str b)
{
    if (!a.p || !b.p)
        return (a.p != NULL) - (b.p != NULL);
    uint32_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.p, b.p, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_next_line(struct str *left, struct str *ret)
{
    if (!left->len)
        return false;
    const char *newline = memchr(left->p, '\n', left->len);
    *ret = (struct str){left->p, newline ? (uint32_t)(newline - left->p) : left->len, false};
    uint32_t taken = ret->len + (newline != NULL);
    left->p += taken;
    left->len -= taken;
    return true;
}

int64_t str_newlines(const char *p, size_t len)
{
    int64_t n = 0;
    const char *end = p + len;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

bool str_has_control(struct str s)
{
    for (uint32_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}
