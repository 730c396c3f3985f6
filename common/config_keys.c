#include "common/config_keys.h"

#include <stdio.h>

#include "common/nir.h"

enum { SHOWN_BYTES = 60, DURATION_DIGITS = 6 };

static struct yaml *find(struct yaml *map, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, ".");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        struct yaml *node = yaml_get(map, name);
        if (!node || !path[n])
            return node;
        map = node;
        path += n + 1;
    }
}

void keys_forget(struct yaml *map, const char *path)
{
    struct yaml *node = find(map, path);
    if (!node)
        return;
    node->kind = YAML_SCALAR;
    node->text = "";
    node->quoted = false;
    node->fault = NULL;
    node->child = NULL;
}

/* ---- messages ---- */

static const char *expected(const struct key *k, char *text, size_t size)
{
    static const char *const plain[] = {
        [KEY_SECTION] = "a map", [KEY_MAP] = "a map", [KEY_LIST] = "a list",
        [KEY_SECRET] = "text or file:PATH",
        [KEY_ID] = "1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter, digit or underscore",
        [KEY_SIREN] = "a SIREN of 9 digits, the last checking the others",
        [KEY_SIRET] = "a SIRET of 14 digits, the last checking the others",
        [KEY_DATE] = "a date as YYYY-MM-DD", [KEY_BOOL] = "true or false",
    };
    long long min = k->min, max = k->max;
    char low[MONEY_TEXT_MAX], high[MONEY_TEXT_MAX];
    switch (k->type) {
    case KEY_TEXT:
        snprintf(text, size, "text of 1 to %lld bytes without control characters", max);
        break;
    case KEY_COUNT:
        if (min == max)
            snprintf(text, size, "%lld", min);
        else
            snprintf(text, size, "a whole number from %lld to %lld", min, max);
        break;
    case KEY_DAYS:
        snprintf(text, size, "days from %lldd to %lldd", min, max);
        break;
    case KEY_DURATION:
        snprintf(text, size, "a duration such as 36h, 30m or 2d, from %lldm to %lldd", min / 60, max / 86400);
        break;
    case KEY_PERCENT:
        snprintf(text, size, "a percentage such as 50%%, from %lld%% to %lld%%", min / 10000, max / 10000);
        break;
    case KEY_EUROS:
        snprintf(text, size, "an amount in euros with at most two decimals, from %s to %s", money_text(min, low),
                 money_text(max, high));
        break;
    case KEY_REJECT_LIMIT:
        snprintf(text, size, "a number of records such as 10, up to %lld, or a percentage such as 1%%", max);
        break;
    default:
        snprintf(text, size, "%s", plain[k->type]);
    }
    return text;
}

/* ", found …", as far as it may be told. */
static const char *found(const struct key *k, const struct yaml *node, char *text, size_t size)
{
    if (node->kind != YAML_SCALAR)
        snprintf(text, size, ", found a %s", node->kind == YAML_MAP ? "map" : "list");
    else if (node->variable)
        snprintf(text, size, ", found something else in its variable");
    else if (k->type == KEY_SECRET || str_has_control(str_of(node->text)))
        text[0] = '\0';
    else
        snprintf(text, size, ", found \"%.*s%s\"", SHOWN_BYTES, node->text,
                 strlen(node->text) > SHOWN_BYTES ? "…" : "");
    return text;
}

static void refuse(const struct key *k, const struct yaml *node, struct err *err)
{
    char want[256], got[128];
    yaml_fault(err, node, "expected %s%s", expected(k, want, sizeof want), found(k, node, got, sizeof got));
}

static void refuse_missing(const struct key *k, const struct yaml *map, struct err *err)
{
    char want[256];
    err_add(err, ERR_CONFIG, "%s:%d: %s: missing; expected %s", map->file, map->line, k->path,
            expected(k, want, sizeof want));
}

/* The part of path below prefix when it is one key deep there, else NULL. */
static const char *leaf_below(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(path, prefix, n) != 0 || (n && path[n] != '.'))
        return NULL;
    path += n + (n > 0);
    return strchr(path, '.') ? NULL : path;
}

static void refuse_unknown(const struct yaml *map, const char *prefix, const struct key *keys, size_t n,
                           struct err *err)
{
    for (const struct yaml *m = map->kind == YAML_MAP ? map->child : NULL; m; m = m->next) {
        if (m->used)
            continue;
        struct buf known = {0};
        for (size_t i = 0; i < n; i++) {
            const char *leaf = leaf_below(keys[i].path, prefix);
            if (leaf)
                buf_addf(&known, "%s%s", known.len ? ", " : "", leaf);
        }
        err_add(err, ERR_CONFIG, "%s:%d: unknown key %s%s%s; known here: %s", m->file, m->line, prefix,
                *prefix ? "." : "", m->key, buf_str(&known));
        buf_free(&known);
    }
}

/* ---- values ---- */

static bool parse_unit(const char *s, int64_t min_s, int64_t hour_s, int64_t day_s, int64_t *ret)
{
    size_t digits = strspn(s, "0123456789");
    int64_t n, unit = s[digits] == 'd' ? day_s : s[digits] == 'h' ? hour_s : s[digits] == 'm' ? min_s : 0;
    if (!unit || digits > DURATION_DIGITS || s[digits + 1] ||
        !money_parse_int((struct str){s, (uint32_t)digits, false}, &n))
        return false;
    *ret = n * unit;
    return true;
}

static bool parse_percent(const char *s, int64_t *ret_ppm)
{
    size_t len = strlen(s);
    return len && s[len - 1] == '%' && money_parse_ppm(str_of(s), '.', 100, ret_ppm);
}

static bool parse_number(const struct key *k, const char *s, bool quoted, int64_t *ret)
{
    int64_t n;
    bool ok;
    switch (k->type) {
    case KEY_COUNT:
        ok = !quoted && money_parse_int(str_of(s), &n);
        break;
    case KEY_DAYS:
        ok = parse_unit(s, 0, 0, 1, &n);
        break;
    case KEY_DURATION:
        ok = parse_unit(s, 60, 3600, 86400, &n);
        break;
    case KEY_PERCENT:
        ok = parse_percent(s, &n);
        break;
    default:
        ok = money_parse_euros(str_of(s), '.', &n);
    }
    if (!ok || n < k->min || n > k->max)
        return false;
    *ret = n;
    return true;
}

static bool parse_reject_limit(const struct key *k, const char *s, struct config *c)
{
    int64_t n;
    if (parse_percent(s, &n) && n <= PPM_ONE) {
        c->reject_limit_ppm = n;
        return true;
    }
    if (!money_parse_int(str_of(s), &n) || n < 0 || n > k->max)
        return false;
    c->reject_limit_count = n;
    return true;
}

static bool parse_bool(const char *s, bool quoted, bool *ret)
{
    if (quoted || (strcmp(s, "true") != 0 && strcmp(s, "false") != 0))
        return false;
    *ret = s[0] == 't';
    return true;
}

static bool parse_text(const struct key *k, const char *s, struct arena *a, const char **ret)
{
    char digits[15];
    switch (k->type) {
    case KEY_ID:
        if (!company_id_valid(s))
            return false;
        break;
    case KEY_SIREN:
    case KEY_SIRET:
        if (!(k->type == KEY_SIREN ? siren_parse : siret_parse)(str_of(s), digits))
            return false;
        s = digits;
        break;
    default:
        if (!*s || strlen(s) > (size_t)k->max || str_has_control(str_of(s)))
            return false;
    }
    *ret = arena_copy(a, s, strlen(s));
    return true;
}

/* Parses s into the key's field. */
static bool parse_value(const struct key *k, const char *s, bool quoted, struct arena *a, void *base)
{
    void *at = (char *)base + k->offset;
    switch (k->type) {
    case KEY_TEXT: case KEY_ID: case KEY_SIREN: case KEY_SIRET:
        return parse_text(k, s, a, at);
    case KEY_SECRET:
        *(const char **)at = s; /* only a fallback comes here */
        return true;
    case KEY_DATE:
        return date_parse(str_of(s), at);
    case KEY_BOOL:
        return parse_bool(s, quoted, at);
    case KEY_REJECT_LIMIT:
        return parse_reject_limit(k, s, base);
    default:
        return parse_number(k, s, quoted, at);
    }
}

static void set_null(const struct key *k, void *base)
{
    void *at = (char *)base + k->offset;
    switch (k->type) {
    case KEY_SECTION: case KEY_MAP: case KEY_LIST:
        break;
    case KEY_TEXT: case KEY_SECRET: case KEY_ID: case KEY_SIREN: case KEY_SIRET:
        *(const char **)at = NULL;
        break;
    case KEY_DATE:
        *(date_t *)at = DATE_NONE;
        break;
    case KEY_BOOL:
        *(bool *)at = false;
        break;
    case KEY_REJECT_LIMIT:
        ((struct config *)base)->reject_limit_count = ((struct config *)base)->reject_limit_ppm = INT_NONE;
        break;
    default:
        *(int64_t *)at = INT_NONE;
    }
}

static void bind_one(struct arena *a, struct yaml *map, const struct key *k, void *base, struct err *err)
{
    struct yaml *node = find(map, k->path);
    set_null(k, base);
    if (!node || yaml_is_null(node)) {
        if (node && node->fault)
            return;
        if (k->required)
            refuse_missing(k, map, err);
        else if (k->fallback)
            parse_value(k, k->fallback, false, a, base);
        return;
    }
    enum yaml_kind kind = k->type == KEY_LIST ? YAML_LIST : k->type <= KEY_MAP ? YAML_MAP : YAML_SCALAR;
    bool usable = node->kind == kind && !node->fault;
    if (usable && k->type == KEY_SECRET)
        config_secret(a, node, (const char **)((char *)base + k->offset), err);
    else if (node->kind != kind || (usable && kind == YAML_SCALAR && !parse_value(k, node->text, node->quoted, a, base)))
        refuse(k, node, err);
}

void keys_bind(struct arena *a, struct yaml *map, const struct key *keys, size_t n, void *base, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        bind_one(a, map, &keys[i], base, err);
    refuse_unknown(map, "", keys, n, err);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *section = keys[i].type == KEY_SECTION ? find(map, keys[i].path) : NULL;
        if (section)
            refuse_unknown(section, keys[i].path, keys, n, err);
    }
}
