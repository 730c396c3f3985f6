/* How records are made: which field from where, of which type. */
#include "common/config_keys.h"
#include "extract/source_read.h"
#include "extract/value.h"

enum { AT_MAX_BYTES = 256, TEXT_MAX_BYTES = 1000, IGNORED_MAX = 256 };

struct field_keys {
    const char *type, *fallback, *constant;
};

#define KEY(path, type, field, max) {path, type, offsetof(struct field_keys, field), false, NULL, 0, max}
static const struct key field_keys[] = {
    {"at", KEY_LIST, 0, false, NULL, 0, 0},
    KEY("type", KEY_TEXT, type, 64),
    {"values", KEY_MAP, 0, false, NULL, 0, 0},
    KEY("default", KEY_TEXT, fallback, TEXT_MAX_BYTES),
    KEY("value", KEY_TEXT, constant, TEXT_MAX_BYTES),
    {"fields", KEY_MAP, 0, false, NULL, 0, 0},
};
#undef KEY

static const struct field *field_named(const struct record *record, const char *name)
{
    for (uint32_t i = 0; i < record->n_fields; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

/* A company's sources give what they know of it; status, sources and places in files are extract's own. */
static bool is_mappable(const struct record *record, const struct field *f)
{
    static const char *const of_company[] = {"siren", "name", "headcount", "previous_sirens", "establishments"};
    if (strcmp(f->name, "company_id") == 0)
        return false;
    for (size_t i = 0; record == &company_record && i < sizeof of_company / sizeof *of_company; i++)
        if (strcmp(f->name, of_company[i]) == 0)
            return true;
    return record != &company_record;
}

/* Checks that a text in canonical form is a value of the field, for defaults and the targets of value maps. */
static void check_canonical(struct source_reader *r, const struct yaml *node, const struct field *f, const char *text)
{
    struct field_map plain = {.field = f, .type = wire_type_default(f)};
    struct wire_value v = {.text = str_of(text), .is_string = true};
    struct faults faults = {0};
    void *rec = arena_alloc(r->arena, f->offset + sizeof(struct list));
    if (!map_value(&plain, &v, '.', r->arena, rec, &faults))
        yaml_fault(r->err, node, "%s: %.*s", text, (int)faults.text[0].len, faults.text[0].p);
}

static void values_read(struct source_reader *r, struct yaml *node, struct field_map *f)
{
    struct yaml *values = yaml_get(node, "values");
    int n = 0;
    for (struct yaml *v = yaml_members(values); v; v = v->next)
        n++;
    f->values = arena_alloc(r->arena, sizeof *f->values * (size_t)(n + 1));
    /* "*" is tried last, wherever it stands. */
    for (int anything = 0; anything < 2; anything++) {
        for (struct yaml *v = yaml_members(values); v; v = v->next) {
            if ((strcmp(v->key, "*") == 0) != anything)
                continue;
            if (v->kind != YAML_SCALAR) {
                yaml_fault(r->err, v, "text expected");
                continue;
            }
            f->values[f->n_values++] = (struct value_map){v->key, v->text};
            if (v->text[0])
                check_canonical(r, v, f->field, v->text);
        }
    }
}

static void type_read(struct source_reader *r, struct yaml *node, const char *text, struct field_map *f)
{
    int type = text ? source_choice(r, node, "type", text, wire_type_names) : (int)wire_type_default(f->field);
    f->type = type < 0 ? wire_type_default(f->field) : (enum wire_type)type;
    if (!wire_type_fits(f->field, f->type))
        yaml_fault(r->err, yaml_get(node, "type"), "%s cannot be read as %s", f->field->name, wire_type_names[f->type]);
}

static void at_read(struct source_reader *r, struct yaml *node, struct field_map *f)
{
    struct yaml *at = yaml_get(node, "at");
    if (!at || at->kind != YAML_LIST) {
        f->at[0] = f->field->name;
        return;
    }
    int n = source_texts(r, at, f->at, PATHS_MAX);
    for (int i = 0; i < n; i++) {
        if (strlen(f->at[i]) > AT_MAX_BYTES)
            yaml_fault(r->err, at, "at most %d bytes expected", AT_MAX_BYTES);
        if (template_check(r, at, f->at[i]) & NEEDS_TOKEN)
            yaml_fault(r->err, at, "a token is no value of a record");
    }
}

static int fields_of(struct source_reader *r, struct yaml *fields, const struct record *record, struct field_map *ret);

static void field_read(struct source_reader *r, struct yaml *node, struct field_map *f)
{
    struct field_keys k = {0};
    if (yaml_is_null(node)) { /* `field: null` leaves it out */
        f->field = NULL;
        return;
    }
    yaml_as_map(r->arena, node, "at");
    yaml_as_list(r->arena, yaml_get(node, "at"));
    keys_bind(r->arena, node, field_keys, sizeof field_keys / sizeof *field_keys, &k, r->err);
    type_read(r, node, k.type, f);
    values_read(r, node, f);
    f->fallback = k.constant ? k.constant : k.fallback;
    if (f->fallback && f->type == WIRE_LIST)
        yaml_fault(r->err, node, "a list has no default");
    else if (f->fallback)
        check_canonical(r, yaml_get(node, k.constant ? "value" : "default"), f->field, f->fallback);
    if (!k.constant)
        at_read(r, node, f);
    else if (yaml_get(node, "at") || k.fallback)
        yaml_fault(r->err, node, "value stands alone, without at or default");
    struct yaml *sub = yaml_get(node, "fields");
    if (f->field->type == F_LIST) {
        f->sub = arena_alloc(r->arena, sizeof *f->sub * f->field->sub->n_fields);
        f->n_sub = sub ? fields_of(r, sub, f->field->sub, f->sub) : 0;
        if (!sub)
            yaml_fault(r->err, node, "fields expected: those of each %s", f->field->sub->name);
    } else if (sub) {
        yaml_fault(r->err, node, "fields is for lists of records");
    }
}

/* Records that only fill others (fill) need their id alone: the field behind company_id. */
static void check_required(struct source_reader *r, const struct yaml *fields, const struct record *record,
                           const struct field_map *map, int n, bool fill)
{
    for (uint32_t i = 0; i < record->n_fields; i++) {
        const struct field *f = &record->fields[i];
        bool mapped = f->need == NEED_OPT || !is_mappable(record, f) || (fill && i != 1);
        for (int j = 0; j < n && !mapped; j++)
            mapped = map[j].field == f;
        if (!mapped)
            yaml_fault(r->err, fields, "%s is missing; every %s has one", f->name, record->name);
    }
}

/* ret has room for every field of the record. */
static int fields_of(struct source_reader *r, struct yaml *fields, const struct record *record, struct field_map *ret)
{
    int n = 0;
    for (struct yaml *m = yaml_members(fields); m; m = m->next) {
        m->used = true;
        const struct field *field = field_named(record, m->key);
        if (!field || !is_mappable(record, field)) {
            yaml_fault(r->err, m, "%s has no such field%s", record->name,
                       field ? " to be read: it is given by itself" : "");
            continue;
        }
        ret[n] = (struct field_map){.field = field};
        field_read(r, m, &ret[n]);
        n += ret[n].field != NULL;
    }
    if (record->entity[0] == '\0')
        check_required(r, fields, record, ret, n, false);
    return n;
}

/* ---- CSV: every field has a column of its name, money one of two ---- */

/* "gross" for gross_cents. */
static const char *euro_column(struct arena *a, const struct field *f)
{
    size_t len = strlen(f->name);
    return arena_copy(a, f->name, len > 6 && strcmp(f->name + len - 6, "_cents") == 0 ? len - 6 : len);
}

static int csv_defaults(struct source_reader *r, const struct entity_source *e, const struct field_map *mapped, int n,
                        struct field_map *ret)
{
    int added = 0;
    for (uint32_t i = 0; i < e->record->n_fields; i++) {
        const struct field *f = &e->record->fields[i];
        bool skip = !is_mappable(e->record, f) || f->type == F_LIST;
        for (int j = 0; j < n && !skip; j++)
            skip = mapped[j].field == f;
        if (skip)
            continue;
        ret[added++] = (struct field_map){.field = f, .type = wire_type_default(f), .at = {f->name}};
        if (f->type == F_CENTS)
            ret[added++] = (struct field_map){.field = f, .type = WIRE_EUROS, .at = {euro_column(r->arena, f)}};
        else if (f->type == F_MONTH && e->per & PER_MONTH)
            ret[added - 1].at[1] = "{month}";
    }
    return added;
}

/* A column that the customer named says nothing of its unit. */
static void check_csv_money(struct source_reader *r, struct yaml *fields)
{
    for (struct yaml *m = yaml_members(fields); m; m = m->next) {
        size_t len = strlen(m->key);
        if (len > 6 && strcmp(m->key + len - 6, "_cents") == 0 && m->kind == YAML_MAP && !yaml_get(m, "type"))
            yaml_fault(r->err, m, "type: euros or type: cents expected for a column of another name");
    }
}

static void merge_read(struct source_reader *r, struct yaml *node, struct entity_source *e)
{
    struct yaml *merge = yaml_get(node, "merge");
    e->merge = arena_alloc(r->arena, sizeof *e->merge * e->record->n_fields);
    for (struct yaml *m = merge ? merge->child : NULL; m; m = m->next) {
        const struct field *f = m->kind == YAML_SCALAR ? field_named(e->record, m->text) : NULL;
        if (f)
            e->merge[f - e->record->fields] = true;
        else
            yaml_fault(r->err, merge, "names of fields of %s expected", e->record->name);
    }
}

void source_fields_read(struct source_reader *r, struct yaml *node, struct entity_source *e)
{
    bool csv = r->source->kind == SOURCE_CSV;
    struct yaml *fields = yaml_get(node, "fields");
    e->fields = arena_alloc(r->arena, sizeof *e->fields * (size_t)e->record->n_fields * 2);
    e->n_fields = fields_of(r, fields, e->record, e->fields);
    if (csv) {
        check_csv_money(r, fields);
        e->n_fields += csv_defaults(r, e, e->fields, e->n_fields, e->fields + e->n_fields);
    } else if (!fields) {
        yaml_fault(r->err, node, "fields expected");
    } else if (e->record != &company_record) {
        check_required(r, fields, e->record, e->fields, e->n_fields, e->fill);
    }
    merge_read(r, node, e);
    struct yaml *ignore = yaml_get(node, "ignore");
    e->ignored = arena_alloc(r->arena, sizeof *e->ignored * IGNORED_MAX);
    e->n_ignored = source_texts(r, ignore, e->ignored, IGNORED_MAX);
}
