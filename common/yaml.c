/* Working with nodes: looking up, laying over, telling faults. */
#include "common/yaml.h"

#include <stdio.h>

static bool add_fault(struct err *err, enum err_kind kind, const struct yaml *node, const char *what)
{
    return err_add(err, kind, "%s:%d: %s%s%s", node->file, node->line, node->key ? node->key : "",
                   node->key ? ": " : "", what);
}

bool yaml_fault(struct err *err, const struct yaml *node, const char *format, ...)
{
    char what[ERR_TEXT_MAX / 8];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    return add_fault(err, ERR_CONFIG, node, what);
}

bool yaml_fault_behind(struct err *err, const struct yaml *node, const struct err *behind)
{
    return add_fault(err, behind->kind, node, behind->text);
}

bool yaml_faults(const struct yaml *node, struct err *err)
{
    bool ok = true;
    if (node && node->fault)
        ok = yaml_fault(err, node, "%s", node->fault);
    for (const struct yaml *c = node ? node->child : NULL; c; c = c->next)
        ok = yaml_faults(c, err) && ok;
    return ok;
}

struct yaml *yaml_get(struct yaml *map, const char *key)
{
    struct yaml *m = yaml_members(map);
    while (m && strcmp(m->key, key) != 0)
        m = m->next;
    if (m)
        m->used = true;
    return m;
}

struct yaml *yaml_members(const struct yaml *node)
{
    return node && node->kind == YAML_MAP ? node->child : NULL;
}

bool yaml_is_null(const struct yaml *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != YAML_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(node->text, nulls[i]) == 0)
            return true;
    return false;
}

struct yaml *yaml_copy(struct arena *a, const struct yaml *node)
{
    struct yaml *copy = arena_alloc(a, sizeof *copy);
    *copy = *node;
    copy->next = copy->child = NULL;
    copy->key = NULL;
    copy->used = false;
    struct yaml **end = &copy->child;
    for (const struct yaml *c = node->child; c; c = c->next, end = &(*end)->next) {
        *end = yaml_copy(a, c);
        (*end)->key = c->key;
    }
    return copy;
}

static struct yaml **member_named(struct yaml *map, const char *key)
{
    struct yaml **m = &map->child;
    while (*m && strcmp((*m)->key, key) != 0)
        m = &(*m)->next;
    return m;
}

struct yaml *yaml_overlay(struct arena *a, struct yaml *base, struct yaml *over)
{
    if (!base || !over)
        return base || over ? yaml_copy(a, base ? base : over) : NULL;
    if (base->kind != YAML_MAP || over->kind != YAML_MAP)
        return yaml_copy(a, over);
    struct yaml *result = yaml_copy(a, base);
    for (struct yaml *m = over->child; m; m = m->next) {
        struct yaml **place = member_named(result, m->key);
        struct yaml *next = *place ? (*place)->next : NULL;
        *place = yaml_overlay(a, *place, m);
        (*place)->key = m->key;
        (*place)->next = next;
    }
    return result;
}

void yaml_unused(const struct yaml *node, struct err *err)
{
    for (const struct yaml *c = node ? node->child : NULL; c; c = c->next) {
        if (node->kind == YAML_MAP && !c->used)
            err_add(err, ERR_CONFIG, "%s:%d: unknown key %s", c->file, c->line, c->key);
        else
            yaml_unused(c, err);
    }
}
