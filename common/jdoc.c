/* Documents: the values of a whole JSON text in one array. */
#include <stdlib.h>

#include "common/jscan.h"

const char jdoc_duplicate_key[] = "every key once in an object";

enum { FEW_MEMBERS = 32, VALUE_BYTES = 8, GUESS_MAX = 1 << 16 };

struct builder {
    const char *text;
    struct jvalue *value;
    uint32_t n, room;
    uint32_t open[J_DEPTH_MAX];    /* indexes of the arrays and objects not closed yet */
    uint32_t checked;              /* the last object found to have every key once; 0: none */
};

static void push(struct builder *b, const struct jwalk *w, bool opened)
{
    uint32_t inside = w->depth - opened;
    if (inside > 0)
        b->value[b->open[inside - 1]].count++;
    struct jvalue *v = &b->value[b->n++];
    *v = (struct jvalue){w->type, b->n, 0, (uint32_t)(w->at - b->text), w->key, w->text};
    if (opened) {
        b->open[inside] = b->n - 1;
        v->text.p = w->scan->p - 1;
    }
}

/* By key; equal keys in the order of the text. */
static int by_key(const void *a, const void *b)
{
    const struct jvalue *x = *(const struct jvalue *const *)a, *y = *(const struct jvalue *const *)b;
    int order = str_cmp(x->key, y->key);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* The first member whose key an earlier one of the object has, or NULL: by comparing all where there are few, else by
 * sorting, so that no choice of keys makes it slow. */
static const struct jvalue *duplicate_among_few(const struct builder *b, uint32_t object)
{
    for (uint32_t i = object + 1; i < b->value[object].next; i = b->value[i].next)
        for (uint32_t j = object + 1; j < i; j = b->value[j].next)
            if (str_eq(b->value[i].key, b->value[j].key))
                return &b->value[i];
    return NULL;
}

static const struct jvalue *duplicate_among_many(const struct builder *b, uint32_t object)
{
    uint32_t n = 0;
    const struct jvalue *found = NULL;
    const struct jvalue **member = mem_alloc(b->value[object].count * sizeof *member);
    for (uint32_t i = object + 1; i < b->value[object].next; i = b->value[i].next)
        member[n++] = &b->value[i];
    qsort(member, n, sizeof(struct jvalue *), by_key);
    for (uint32_t i = 1; i < n; i++)
        if (str_cmp(member[i - 1]->key, member[i]->key) == 0 && (!found || member[i]->at < found->at))
            found = member[i];
    free(member);
    return found;
}

/* Records of a list have the same keys in the same order, so that most objects are known by the one before. */
static bool keys_checked(const struct builder *b, uint32_t object)
{
    uint32_t i = object + 1, k = b->checked + 1;
    if (!b->checked || b->value[object].count != b->value[b->checked].count)
        return false;
    for (; i < b->value[object].next; i = b->value[i].next, k = b->value[k].next)
        if (!str_eq(b->value[i].key, b->value[k].key))
            return false;
    return true;
}

static const struct jvalue *duplicate_key(struct builder *b, uint32_t object)
{
    if (keys_checked(b, object))
        return NULL;
    b->checked = object;
    return b->value[object].count <= FEW_MEMBERS ? duplicate_among_few(b, object) : duplicate_among_many(b, object);
}

static bool close_value(struct builder *b, const struct jwalk *w)
{
    uint32_t i = b->open[w->depth];
    struct jvalue *v = &b->value[i];
    v->next = b->n;
    v->text.len = (uint32_t)(w->scan->p - v->text.p);
    if (v->type != J_OBJECT)
        return true;
    const struct jvalue *twice = duplicate_key(b, i);
    if (twice) {
        w->scan->fault = jdoc_duplicate_key;
        w->scan->fault_at = b->text + twice->at;
    }
    return !twice;
}

/* False with the scan's fault unset where there is no room for all values. */
static bool build(struct builder *b, struct jwalk *w)
{
    enum jstep step;
    while (jwalk_next(w, &step)) {
        switch (step) {
        case J_SCALAR:
        case J_OPEN:
            if (b->n == b->room)
                return false;
            push(b, w, step == J_OPEN);
            break;
        case J_CLOSE:
            if (!close_value(b, w))
                return false;
            break;
        case J_DONE: return jscan_end(w->scan);
        }
    }
    return false;
}

static bool doc_build(struct str text, uint32_t room, struct arena *a, struct jdoc *ret, struct jscan *ret_scan)
{
    *ret_scan = (struct jscan){.p = text.p, .end = text.p + text.len};
    struct jwalk w = {.scan = ret_scan, .arena = a};
    struct builder b = {.text = text.p, .value = arena_raw(a, room * sizeof(struct jvalue)), .room = room};
    bool ok = build(&b, &w);
    if (ok)
        *ret = (struct jdoc){b.value, b.n};
    return ok;
}

/* Walks through the whole text before anything is kept: what a value takes is many times its two bytes. */
static bool count_values(struct str text, uint32_t *ret, struct jscan *ret_scan)
{
    *ret_scan = (struct jscan){.p = text.p, .end = text.p + text.len};
    struct jwalk w = {.scan = ret_scan};
    enum jstep step;
    uint32_t n = 0;
    while (n <= J_VALUES_MAX && jwalk_next(&w, &step)) {
        *ret = n;
        if (step == J_DONE)
            return jscan_end(ret_scan);
        n += step != J_CLOSE;
    }
    if (n > J_VALUES_MAX) {
        ret_scan->fault = "no more than 4194304 values";
        ret_scan->fault_at = w.at;
    }
    return false;
}

/* Room is guessed; a text that is full of values, or so long that a guess would take much memory, is counted first. */
bool jdoc_parse(struct str text, struct arena *a, struct jdoc *ret, struct jscan *ret_fault)
{
    struct jscan scan = {0};
    uint32_t room = text.len / VALUE_BYTES + 1;
    bool ok = room <= GUESS_MAX && doc_build(text, room, a, ret, &scan);
    if (!ok && !scan.fault)
        ok = count_values(text, &room, &scan) && doc_build(text, room, a, ret, &scan);
    if (!ok)
        *ret_fault = scan;
    return ok;
}

/* Keys are met once, so that it does not matter where the search begins. */
static const struct jvalue *member_near(const struct jdoc *d, const struct jvalue *v, struct str key, uint32_t *near)
{
    uint32_t first = (uint32_t)(v - d->value) + 1, i = *near > first && *near < v->next ? *near : first;
    for (uint32_t left = v->type == J_OBJECT ? v->count : 0; left > 0; left--) {
        const struct jvalue *m = &d->value[i];
        if (str_eq(m->key, key)) {
            *near = i;
            return m;
        }
        i = m->next < v->next ? m->next : first;
    }
    return NULL;
}

const struct jvalue *jdoc_member(const struct jdoc *d, const struct jvalue *v, struct str key)
{
    uint32_t near = 0;
    return v ? member_near(d, v, key, &near) : NULL;
}

const struct jvalue *jdoc_path_near(const struct jdoc *d, const struct jvalue *v, const char *path, uint32_t *near)
{
    const char *end = strchrnul(path, '.');
    if (!v || !*path)
        return v;
    v = member_near(d, v, (struct str){path, (uint32_t)(end - path), false}, near);
    return *end ? jdoc_path(d, v, end + 1) : v;
}

const struct jvalue *jdoc_path(const struct jdoc *d, const struct jvalue *v, const char *path)
{
    while (v && *path) {
        size_t len = (size_t)(strchrnul(path, '.') - path);
        v = jdoc_member(d, v, (struct str){path, (uint32_t)len, false});
        path += len + (path[len] == '.');
    }
    return v;
}
