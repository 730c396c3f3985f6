#include "transform/names.h"

#include <errno.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

static bool fold_ascii(struct str name, char *out, uint32_t *ret_len)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c >= 0x80)
            return false;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + 'a' - 'A');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[n++] = (char)c;
    }
    *ret_len = n;
    return true;
}

/* Letters that Unicode does not take apart, as French and its neighbours write them without accents. */
static const char *ligature(ucs4_t c)
{
    switch (c) {
    case 0x0153: return "oe";
    case 0x00e6: return "ae";
    case 0x00f8: return "o";
    case 0x0142: return "l";
    case 0x0111: return "d";
    case 0x0131: return "i";
    default: return NULL;
    }
}

static struct str keep_letters(struct arena *a, const uint8_t *p, size_t len)
{
    struct buf out = {0};
    for (size_t at = 0; at < len;) {
        ucs4_t c;
        int n = u8_mbtouc(&c, p + at, len - at);
        const char *plain = ligature(c);
        if (plain)
            buf_adds(&out, plain);
        else if (uc_is_property_alphabetic(c) && !uc_is_general_category(c, UC_CATEGORY_M))
            buf_add(&out, p + at, (size_t)n);
        else if (c >= '0' && c <= '9')
            buf_addc(&out, (char)c);
        at += (size_t)n;
    }
    struct str folded = {arena_copy(a, out.p, out.len), (uint32_t)out.len, false};
    buf_free(&out);
    return folded;
}

struct str name_fold(struct arena *a, struct str name)
{
    if (!name.p)
        return STR_NULL;
    uint32_t len;
    char *plain = arena_alloc(a, name.len + 1u);
    if (fold_ascii(name, plain, &len))
        return (struct str){plain, len, true};
    size_t n;
    uint8_t *folded = u8_casefold((const uint8_t *)name.p, name.len, NULL, UNINORM_NFKD, NULL, &n);
    if (!folded && errno == ENOMEM)
        mem_exhausted(); /* a name that goes uncompared would change what is found */
    if (!folded)
        return (struct str){plain, 0, true};
    struct str result = keep_letters(a, folded, n);
    free(folded);
    return result;
}
