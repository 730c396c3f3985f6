/* Pages of JSON: the records of a document, and the fields of a record by path. */
#include "extract/map.h"

struct json_page {
    struct mapping *m;
    const struct request *request;
    const struct page *page;
    struct jdoc doc;
};

static const struct jvalue *after(const struct json_page *j, const struct jvalue *v)
{
    return j->doc.value + v->next;
}

/* Text that was unescaped lies in the page's arena, which does not last; all else lies in the page, which does. */
static struct str lasting(const struct json_page *j, struct str s)
{
    const struct str *body = &j->page->body;
    bool inside = s.p >= body->p && s.p < body->p + body->len;
    if (!s.p || inside)
        return s;
    return (struct str){arena_copy(j->m->arena, s.p, s.len), s.len, false};
}

static struct wire_value wire_of(const struct json_page *j, const struct jvalue *v)
{
    if (!v)
        return (struct wire_value){.is_null = true};
    switch (v->type) {
    case J_NULL: return (struct wire_value){.is_null = true};
    case J_TRUE: return (struct wire_value){.text = STR("true"), .is_bool = true};
    case J_FALSE: return (struct wire_value){.text = STR("false"), .is_bool = true};
    case J_NUMBER: return (struct wire_value){.text = v->text, .is_number = true};
    case J_STRING: return (struct wire_value){.text = lasting(j, v->text), .is_string = true};
    case J_ARRAY:
    case J_OBJECT: break;
    }
    return (struct wire_value){0};
}

static const struct jvalue *not_null(const struct jvalue *v)
{
    return v && v->type != J_NULL ? v : NULL;
}

static const struct jvalue *value_at(const struct json_page *j, const struct jvalue *record, const char *path)
{
    return not_null(jdoc_path(&j->doc, record, path));
}

/* The first of a list field's places that holds something. */
static const struct jvalue *list_value(const struct json_page *j, const struct jvalue *record,
                                       const struct field_map *f, uint32_t *near)
{
    const struct jvalue *v = NULL;
    for (int i = 0; i < PATHS_MAX && f->at[i] && !v; i++)
        v = not_null(jdoc_path_near(&j->doc, record, f->at[i], near));
    return v;
}

static void fields_of(const struct json_page *j, const struct map_record *r, const struct jvalue *record,
                      const struct field_map *fields, int n, const struct map_target *t);

static void texts_of(const struct json_page *j, const struct jvalue *v, const struct field_map *f,
                     const struct map_target *t)
{
    struct wire_value one = wire_of(j, v);
    if (!v || v->type != J_ARRAY) {
        if (v)
            map_texts(t, f, &one, 1);
        return;
    }
    uint32_t n = 0;
    struct wire_value *values = arena_alloc(&j->m->page, sizeof *values * ((size_t)v->count + 1));
    for (const struct jvalue *e = v + 1; e < after(j, v); e = after(j, e))
        values[n++] = wire_of(j, e);
    map_texts(t, f, values, n);
}

/* One nested record; its faults are told with its place in front. */
static void nested_of(const struct json_page *j, const struct map_record *r, const struct jvalue *v,
                      const struct field_map *f, uint32_t index, void *rec, const struct map_target *t)
{
    struct faults faults = {0};
    struct map_target sub = *t;
    if (v->type != J_OBJECT) {
        faults_add(t->faults, t->arena, REJECT_WRONG_TYPE, "%s[%u]: an object expected", f->field->name, index);
        return;
    }
    sub.rec = rec;
    sub.faults = &faults;
    sub.partial = false;
    record_init(f->field->sub, rec);
    fields_of(j, r, v, f->sub, f->n_sub, &sub);
    for (uint32_t i = 0; i < faults.n; i++)
        faults_add(t->faults, t->arena, faults.reason, "%s[%u].%.*s", f->field->name, index, (int)faults.text[i].len,
                   faults.text[i].p);
}

/* A list of records; an object alone is a list of one. */
static void list_of(const struct json_page *j, const struct map_record *r, const struct jvalue *v,
                    const struct field_map *f, const struct map_target *t)
{
    if (!v)
        return;
    if (v->type != J_ARRAY && v->type != J_OBJECT) {
        faults_add(t->faults, t->arena, REJECT_WRONG_TYPE, "%s: a list expected", f->field->name);
        return;
    }
    struct list *list = (void *)((char *)t->rec + f->field->offset);
    size_t size = f->field->sub->size;
    list->n = v->type == J_ARRAY ? v->count : 1;
    list->v = arena_alloc(t->arena, size * ((size_t)list->n + 1));
    if (v->type == J_OBJECT) {
        nested_of(j, r, v, f, 0, list->v, t);
        return;
    }
    uint32_t i = 0;
    for (const struct jvalue *e = v + 1; e < after(j, v); e = after(j, e), i++)
        nested_of(j, r, e, f, i, list_at(*list, size, i), t);
}

static void fields_of(const struct json_page *j, const struct map_record *r, const struct jvalue *record,
                      const struct field_map *fields, int n, const struct map_target *t)
{
    uint32_t near = 0;
    for (int i = 0; i < n; i++) {
        const struct field_map *f = &fields[i];
        struct wire_value candidates[PATHS_MAX];
        int found = 0;
        if (f->field->type == F_LIST) {
            list_of(j, r, list_value(j, record, f, &near), f, t);
            continue;
        }
        if (f->field->type == F_TEXTS) {
            texts_of(j, list_value(j, record, f, &near), f, t);
            continue;
        }
        for (int k = 0; k < PATHS_MAX && f->at[k]; k++)
            candidates[found++] = is_template(f->at[k])
                                      ? map_template(r, f->at[k])
                                      : wire_of(j, not_null(jdoc_path_near(&j->doc, record, f->at[k], &near)));
        map_field(t, f, candidates, found);
    }
}

static bool is_spare(const struct json_page *j, const struct entity_source *e, const struct jvalue *record)
{
    if (!e->skip_if_empty)
        return false;
    const struct jvalue *v = value_at(j, record, e->skip_if_empty);
    return !v || ((v->type == J_ARRAY || v->type == J_OBJECT) && v->count == 0) ||
           (v->type == J_STRING && v->text.len == 0);
}

static void record_of(const struct json_page *j, const struct entity_source *e, const struct jvalue *v, int64_t number)
{
    struct map_record r;
    struct origin origin = {.entity = e, .source = j->page->url, .raw = v->text, .line = number};
    if (v->type == J_OBJECT)
        origin.spare = is_spare(j, e, v);
    else if (e->fill)
        return;
    map_begin(&r, j->m, j->request, e, &origin);
    if (v->type == J_OBJECT)
        fields_of(j, &r, v, e->fields, e->n_fields, &r.target);
    else
        faults_add(&r.faults, j->m->arena, REJECT_NOT_AN_OBJECT, "record %lld: an object expected", (long long)number);
    map_end(&r);
}

static bool page_reject(const struct json_page *j, const struct entity_source *e, const struct faults *faults)
{
    struct origin origin = {.entity = e, .source = j->page->url, .raw = j->page->body, .line = INT_NONE};
    map_reject(j->m, &origin, faults);
    return false;
}

static bool page_fault(const struct json_page *j, const struct entity_source *e, enum reject_reason reason,
                       const char *what, const char *detail)
{
    struct faults faults = {0};
    faults_add(&faults, j->m->arena, reason, "%s%s", what, detail);
    return page_reject(j, e, &faults);
}

static bool records_of(const struct json_page *j, const struct entity_source *e, int64_t *ret_records)
{
    const struct jvalue *v = value_at(j, j->doc.value, e->records);
    struct faults faults = {0};
    int64_t number = 0;
    if (!v)
        return page_fault(j, e, REJECT_MISSING_FIELD, "no records at ", e->records[0] ? e->records : "the root");
    if (v->type != J_ARRAY && v->type != J_OBJECT)
        return page_fault(j, e, REJECT_WRONG_TYPE, "a list of records expected at ",
                          e->records[0] ? e->records : "the root");
    if (v->type == J_OBJECT)
        record_of(j, e, v, ++number);
    else
        for (const struct jvalue *c = v + 1; c < after(j, v) && map_goes_on(j->m, &faults); c = after(j, c))
            record_of(j, e, c, ++number);
    *ret_records = number;
    return faults.n == 0 || page_reject(j, e, &faults);
}

bool map_json(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records)
{
    struct json_page j = {m, request, page, {0}};
    struct jscan fault = {0};
    if (!jdoc_parse(page->body, &m->page, &j.doc, &fault)) {
        char *where = arena_printf(m->arena, "%s (byte %zu)", fault.fault ? fault.fault : "JSON",
                                   fault.fault_at ? (size_t)(fault.fault_at - page->body.p) + 1 : 0);
        return page_fault(&j, request->entity,
                          fault.fault == jdoc_duplicate_key ? REJECT_DUPLICATE_KEY : REJECT_MALFORMED_JSON,
                          "the page is not JSON as it should be: expected ", where);
    }
    int64_t derived;
    bool ok = records_of(&j, request->entity, ret_records);
    for (int i = 0; ok && i < request->source->n_entities; i++)
        if (request->source->entities[i].from == request->entity)
            ok = records_of(&j, &request->source->entities[i], &derived);
    return ok;
}
