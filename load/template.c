#include "load/template.h"

#include <string.h>

static const char NAME[] = "abcdefghijklmnopqrstuvwxyz_";

static const char *find(const struct variable *variables, int n, const char *name, size_t len)
{
    for (int i = 0; i < n; i++)
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0)
            return variables[i].value;
    return NULL;
}

static void add_literal(const char *value, struct buf *ret)
{
    buf_addc(ret, '\'');
    for (; *value; value++) {
        if (*value == '\'')
            buf_addc(ret, '\'');
        buf_addc(ret, *value);
    }
    buf_addc(ret, '\'');
}

bool template_fill(const char *text, const struct variable *variables, int n, struct buf *ret, struct err *err)
{
    for (;;) {
        const char *colon = strchr(text, ':');
        if (!colon)
            break;
        if (colon[1] == ':') {
            buf_add(ret, text, (size_t)(colon + 2 - text));
            text = colon + 2;
            continue;
        }
        buf_add(ret, text, (size_t)(colon - text));
        bool quoted = colon[1] == '\'';
        const char *name = colon + 1 + quoted;
        size_t len = strspn(name, NAME);
        if (!len || (quoted && name[len] != '\'')) {
            buf_addc(ret, ':');
            text = colon + 1;
            continue;
        }
        const char *value = find(variables, n, name, len);
        if (!value)
            return err_set(err, ERR_BUG, "unknown variable :%.*s", (int)len, name);
        if (quoted)
            add_literal(value, ret);
        else
            buf_adds(ret, value);
        text = name + len + quoted;
    }
    buf_adds(ret, text);
    return true;
}
