/* What a source is asked for: paths, queries, paging. */
#include "common/config_keys.h"
#include "extract/source_read.h"

enum { PATH_MAX_BYTES = 2048, SIZE_MAX_RECORDS = 100000, CAP_MAX = 10000000 };

/* ---- small shapes of YAML ---- */

void yaml_as_list(struct arena *a, struct yaml *node)
{
    if (!node || node->kind != YAML_SCALAR || yaml_is_null(node))
        return;
    struct yaml *only = yaml_copy(a, node);
    node->kind = YAML_LIST;
    node->child = only;
}

void yaml_as_map(struct arena *a, struct yaml *node, const char *key)
{
    if (!node || node->kind == YAML_MAP || yaml_is_null(node))
        return;
    struct yaml *only = yaml_copy(a, node);
    only->key = key;
    node->kind = YAML_MAP;
    node->child = only;
}

int source_choice(struct source_reader *r, struct yaml *map, const char *key, const char *text,
                  const char *const *names)
{
    const struct yaml *at = yaml_get(map, key);
    struct buf known = {0};
    for (int i = 0; names[i]; i++) {
        if (text && strcmp(text, names[i]) == 0) {
            buf_free(&known);
            return i;
        }
        buf_addf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    if (text)
        err_add(r->err, ERR_CONFIG, "%s:%d: %s: one of %s expected", at ? at->file : map->file,
                at ? at->line : map->line, key, buf_str(&known));
    buf_free(&known);
    return -1;
}

int source_texts(struct source_reader *r, const struct yaml *node, const char **ret, int max)
{
    int n = 0;
    for (const struct yaml *c = node ? node->child : NULL; c; c = c->next) {
        if (c->kind != YAML_SCALAR) {
            yaml_fault(r->err, node, "text expected");
        } else if (n == max) {
            yaml_fault(r->err, node, "at most %d values expected", max);
            break;
        } else {
            ret[n++] = c->text;
        }
    }
    return n;
}

/* ---- paging ---- */

struct paging_keys {
    const char *kind, *param, *size_param, *total, *as_of;
    int64_t size, first_page, cap;
};

#define KEY(path, type, field, min, max) {path, type, offsetof(struct paging_keys, field), false, NULL, min, max}
static const struct key paging_keys[] = {
    KEY("kind", KEY_TEXT, kind, 0, 64),
    KEY("param", KEY_TEXT, param, 0, 64),
    {"next", KEY_LIST, 0, false, NULL, 0, 0},
    KEY("size_param", KEY_TEXT, size_param, 0, 64),
    KEY("size", KEY_COUNT, size, 1, SIZE_MAX_RECORDS),
    KEY("first_page", KEY_COUNT, first_page, 0, 1),
    KEY("cap", KEY_COUNT, cap, 1, CAP_MAX),
    KEY("total", KEY_TEXT, total, 0, PATH_MAX_BYTES),
    KEY("as_of", KEY_TEXT, as_of, 0, PATH_MAX_BYTES),
};
#undef KEY

/* Reads `paging:` over what *p holds already; a kind alone may be written as text. */
static void paging_read(struct source_reader *r, struct yaml *owner, struct paging *p)
{
    static const char *const kinds[] = {"none", "cursor", "page", "link", NULL};
    struct yaml *node = yaml_get(owner, "paging");
    struct paging_keys k = {0};
    if (!node)
        return;
    yaml_as_map(r->arena, node, "kind");
    struct yaml *next = yaml_get(node, "next");
    yaml_as_list(r->arena, next);
    keys_bind(r->arena, node, paging_keys, sizeof paging_keys / sizeof *paging_keys, &k, r->err);
    int kind = source_choice(r, node, "kind", k.kind, kinds);
    if (kind >= 0)
        p->kind = (enum paging_kind)kind;
    if (next) {
        memset(p->next, 0, sizeof p->next);
        source_texts(r, next, p->next, PATHS_MAX);
    }
    p->param = k.param ? k.param : p->param;
    p->size_param = k.size_param ? k.size_param : p->size_param;
    p->total = k.total ? k.total : p->total;
    p->as_of = k.as_of ? k.as_of : p->as_of;
    p->size = k.size != INT_NONE ? (int)k.size : p->size;
    p->first_page = k.first_page != INT_NONE ? (int)k.first_page : p->first_page;
    p->cap = k.cap != INT_NONE ? (int)k.cap : p->cap;
    if (p->kind == PAGING_NONE)
        *p = (struct paging){.kind = PAGING_NONE, .first_page = p->first_page, .cap = p->cap};
    if ((p->kind == PAGING_CURSOR || p->kind == PAGING_PAGE) && !p->param)
        yaml_fault(r->err, node, "param expected: the query parameter that asks for the next page");
    if (p->kind == PAGING_CURSOR && !p->next[0])
        yaml_fault(r->err, node, "next expected: where a page holds the cursor of the next one");
}

/* ---- entities ---- */

struct entity_keys {
    const char *entity, *path, *records, *skip_if_empty, *from;
    bool fill;
};

#define KEY(path, type, field, max) {path, type, offsetof(struct entity_keys, field), false, NULL, 0, max}
static const struct key entity_keys[] = {
    KEY("entity", KEY_TEXT, entity, 64),
    KEY("path", KEY_TEXT, path, PATH_MAX_BYTES),
    KEY("from", KEY_TEXT, from, 64),
    KEY("records", KEY_TEXT, records, PATH_MAX_BYTES),
    KEY("skip_if_empty", KEY_TEXT, skip_if_empty, PATH_MAX_BYTES),
    {"fill", KEY_BOOL, offsetof(struct entity_keys, fill), false, "false", 0, 0},
    {"query", KEY_MAP, 0, false, NULL, 0, 0},
    {"paging", KEY_MAP, 0, false, NULL, 0, 0},
    {"fields", KEY_MAP, 0, false, NULL, 0, 0},
    {"merge", KEY_LIST, 0, false, NULL, 0, 0},
    {"ignore", KEY_LIST, 0, false, NULL, 0, 0},
};
#undef KEY

/* What extract makes of sources; the other records come from PostgreSQL or are made by transform. */
static const struct record *const readable[] = {
    &company_record, &contract_record, &invoice_record, &invoice_line_record, &affiliation_record, &employee_record,
    &employment_record, &payroll_contract_record, &pay_base_record, &payroll_period_record, NULL
};

static const struct record *record_named(struct source_reader *r, const struct yaml *node, const char *name)
{
    struct buf known = {0};
    for (int i = 0; readable[i]; i++) {
        if (strcmp(name, readable[i]->entity) == 0) {
            buf_free(&known);
            return readable[i];
        }
        buf_addf(&known, "%s%s", i ? ", " : "", readable[i]->entity);
    }
    yaml_fault(r->err, node, "%s is no entity that can be read; known: %s (another name needs entity:)", name,
               buf_str(&known));
    buf_free(&known);
    return NULL;
}

static int query_read(struct source_reader *r, struct yaml *node, struct entity_source *e)
{
    int needs = 0;
    struct yaml *query = yaml_get(node, "query");
    for (struct yaml *q = yaml_members(query); q; q = q->next) {
        q->used = true;
        if (q->kind != YAML_SCALAR) {
            yaml_fault(r->err, q, "text expected");
        } else if (e->n_query == REQUEST_VARIABLES_MAX) {
            yaml_fault(r->err, query, "at most %d parameters expected", REQUEST_VARIABLES_MAX);
            break;
        } else if (!yaml_is_null(q)) {
            e->query[e->n_query].name = q->key;
            e->query[e->n_query++].value = q->text;
            needs |= template_check(r, q, q->text);
        }
    }
    return needs;
}

/* How often the list is asked for follows from what its path and query mention. A token per establishment opens one
 * establishment, so it cannot read what belongs to the whole company. */
static void request_read(struct source_reader *r, struct yaml *node, struct entity_source *e)
{
    if (!e->path) {
        yaml_fault(r->err, node, "path expected, or from: another entity");
        return;
    }
    if (r->source->kind == SOURCE_REST && e->path[0] != '/')
        yaml_fault(r->err, node, "a path that begins with / expected");
    int needs = template_check(r, yaml_get(node, "path"), e->path) | query_read(r, node, e);
    e->per = (needs & NEEDS_ESTABLISHMENT ? PER_ESTABLISHMENT : 0) | (needs & NEEDS_MONTH ? PER_MONTH : 0);
    if (needs & NEEDS_TOKEN)
        yaml_fault(r->err, node, "a token belongs in auth, never in a path or a query");
    bool named = needs & (NEEDS_COMPANY | NEEDS_ESTABLISHMENT);
    e->shared = r->source->kind == SOURCE_CSV && !named;
    if (r->source->kind == SOURCE_REST && !named)
        yaml_fault(r->err, node, "path or query must name the company or the establishment");
    if (template_needs(r->source->auth.token, NULL) & NEEDS_ESTABLISHMENT && !(needs & NEEDS_ESTABLISHMENT))
        yaml_fault(r->err, node, "path or query must name the establishment, as the source's token does");
}

static void entity_read(struct source_reader *r, struct yaml *node, const struct paging *paging,
                        struct entity_source *e, const char **ret_from)
{
    struct entity_keys k = {0};
    *e = (struct entity_source){.name = node->key, .paging = *paging, .records = ""};
    yaml_as_list(r->arena, yaml_get(node, "merge"));
    yaml_as_list(r->arena, yaml_get(node, "ignore"));
    paging_read(r, node, &e->paging);
    keys_bind(r->arena, node, entity_keys, sizeof entity_keys / sizeof *entity_keys, &k, r->err);
    *ret_from = k.from;
    e->path = k.path;
    e->records = k.records ? k.records : "";
    e->skip_if_empty = k.skip_if_empty;
    e->fill = k.fill;
    e->record = record_named(r, node, k.entity ? k.entity : node->key);
    if (!k.from)
        request_read(r, node, e);
    else if (k.path)
        yaml_fault(r->err, node, "path or from expected, not both");
    if (e->record)
        source_fields_read(r, node, e);
}

/* `from` names an entity of the same source that is asked for itself; where its records stand is said there. */
static void link_from(struct source_reader *r, const struct yaml *map, struct entity_source *e, const char *from)
{
    for (int i = 0; i < r->source->n_entities; i++) {
        struct entity_source *other = &r->source->entities[i];
        if (strcmp(other->name, from) != 0 || !other->path)
            continue;
        e->from = other;
        e->per = other->per;
        e->records = e->records[0] ? e->records : other->records;
        return;
    }
    err_add(r->err, ERR_CONFIG, "%s:%d: %s: from: no entity with a path is called %s", map->file, map->line, e->name,
            from);
}

void source_entities_read(struct source_reader *r, struct yaml *map)
{
    struct paging paging = {.kind = PAGING_NONE, .size = 0, .first_page = 1, .cap = 10000};
    struct yaml *list = yaml_get(map, "entities");
    int n = 0;
    paging_read(r, map, &paging);
    for (struct yaml *m = yaml_members(list); m; m = m->next)
        n++;
    const char **from = arena_alloc(r->arena, sizeof *from * (size_t)(n + 1));
    r->source->entities = arena_alloc(r->arena, sizeof *r->source->entities * (size_t)(n + 1));
    for (struct yaml *m = yaml_members(list); m; m = m->next) {
        if (yaml_is_null(m))
            continue;      /* taken out of the description by an override */
        int i = r->source->n_entities;
        if (m->kind != YAML_MAP) {
            yaml_fault(r->err, m, "a map expected");
            continue;
        }
        entity_read(r, m, &paging, &r->source->entities[i], &from[i]);
        r->source->n_entities++;
    }
    for (int i = 0; list && i < r->source->n_entities; i++)
        if (from[i])
            link_from(r, list, &r->source->entities[i], from[i]);
    if (r->source->n_entities == 0 && list)
        yaml_fault(r->err, list, "at least one entity expected");
}
