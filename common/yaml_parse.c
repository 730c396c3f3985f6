/* From bytes to nodes: libyaml's events, anchors, variables. */
#include <stdlib.h>
#include <yaml.h>

#include "common/file.h"
#include "common/yaml.h"

enum { ANCHORS_MAX = 1000, FAULT_BYTES_MAX = 1000 };

struct anchor {
    const char *name;
    const struct yaml *node;
};

struct builder {
    yaml_parser_t parser;
    yaml_event_t event;          /* the one being looked at */
    const char *file;
    struct arena *arena;
    struct err *err;
    struct anchor anchors[ANCHORS_MAX];
    int n_anchors;
    long nodes, aliased;
    size_t expanded;             /* bytes that variables have put into values */
    struct yaml **members;       /* scratch for finding duplicate keys */
    size_t cap_members;
};

static bool refuse(const struct builder *b, const char *what)
{
    err_add(b->err, ERR_CONFIG, "%s:%zu: %s", b->file, b->event.start_mark.line + 1, what);
    return false; /* seen here: who builds a node then has none */
}

static bool refuse_syntax(const struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return err_set(b->err, ERR_TRY_AGAIN, "%s: out of memory", b->file);
    if (p->error == YAML_READER_ERROR)
        return err_add(b->err, ERR_CONFIG, "%s: %s at byte %zu; expected UTF-8 text", b->file, p->problem,
                       p->problem_offset);
    return err_add(b->err, ERR_CONFIG, "%s:%zu: not valid YAML: %s%s%s", b->file, p->problem_mark.line + 1,
                   p->context ? p->context : "", p->context ? ", " : "", p->problem ? p->problem : "");
}

static bool next_event(struct builder *b)
{
    yaml_event_delete(&b->event);
    return yaml_parser_parse(&b->parser, &b->event) || refuse_syntax(b);
}

static bool skip_two_events(struct builder *b)
{
    for (int i = 0; i < 2; i++)
        if (!next_event(b))
            return false;
    return true;
}

static struct yaml *node_new(struct builder *b, enum yaml_kind kind)
{
    if (++b->nodes > YAML_NODES_MAX) {
        refuse(b, "too many values");
        return NULL;
    }
    struct yaml *node = arena_alloc(b->arena, sizeof *node);
    node->kind = kind;
    node->file = b->file;
    node->line = (int)b->event.start_mark.line + 1;
    node->text = "";
    return node;
}

/* ---- variables ---- */

static bool name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (name_char(s[n], n == 0))
        n++;
    return n;
}

/* Not without end: a text may hold a million of unset variables. */
static void add_fault(struct arena *a, struct yaml *node, const char *what, const char *name)
{
    const char *so_far = node->fault;
    if (so_far && strlen(so_far) > FAULT_BYTES_MAX)
        return;
    node->fault = arena_printf(a, "%s%s%s%s", so_far ? so_far : "", so_far ? "; " : "", what, name);
}

/* Adds what stands for the reference at s, just behind its "${", and returns what follows the reference. */
static const char *add_reference(struct arena *a, struct yaml *node, const char *s, struct buf *out)
{
    size_t n = name_length(s);
    const char *end = strchr(s, '}');
    bool defaulted = s[n] == ':' && s[n + 1] == '-';
    if (!n || !end || (!defaulted && s + n != end)) {
        add_fault(a, node, "expected ${NAME} or ${NAME:-default}; a plain \"${\" is written \"$${\"", "");
        return s + strlen(s);
    }
    const char *name = arena_copy(a, s, n);
    const char *value = getenv(name);
    if (value && str_has_control(str_of(value)))
        add_fault(a, node, "a control character is in variable ", name);
    else if (value && (*value || !defaulted))
        buf_adds(out, value);
    else if (defaulted)
        buf_add(out, s + n + 2, (size_t)(end - s) - n - 2);
    else
        add_fault(a, node, "unset variable ", name);
    return end + 1;
}

/* Replaces variables in node->text; what goes wrong is left in node->fault. Returns the bytes of the new text. */
static size_t expand(struct arena *a, struct yaml *node)
{
    const char *s = node->text, *mark = strstr(s, "${");
    if (!mark)
        return 0;
    struct buf out = {0};
    for (; mark; mark = strstr(s, "${")) {
        if (mark > s && mark[-1] == '$') {
            buf_add(&out, s, (size_t)(mark - 1 - s));
            buf_adds(&out, "${");
            s = mark + 2;
        } else {
            buf_add(&out, s, (size_t)(mark - s));
            node->variable = true;
            node->quoted = false;
            s = add_reference(a, node, mark + 2, &out);
        }
        if (out.len > YAML_BYTES_MAX) {
            add_fault(a, node, "too much text by way of variables", "");
            break;
        }
    }
    buf_adds(&out, s);
    size_t len = out.len;
    node->text = arena_copy(a, out.p, out.len);
    buf_free(&out);
    return len;
}

struct yaml *yaml_scalar(struct arena *a, const char *file, int line, struct str text, bool variables)
{
    struct yaml *node = arena_alloc(a, sizeof *node);
    node->kind = YAML_SCALAR;
    node->file = file;
    node->line = line;
    node->quoted = true;
    node->text = arena_copy(a, text.p, text.len);
    if (variables)
        expand(a, node);
    return node;
}

/* ---- nodes ---- */

static bool build(struct builder *b, int depth, struct yaml **ret);

static void measure(const struct yaml *node, long *count, int depth, int *deepest)
{
    ++*count;
    if (depth > *deepest)
        *deepest = depth;
    for (const struct yaml *c = node->child; c; c = c->next)
        measure(c, count, depth + 1, deepest);
}

static bool build_alias(struct builder *b, int depth, struct yaml **ret)
{
    const char *name = (const char *)b->event.data.alias.anchor;
    int i = b->n_anchors;
    while (i > 0 && strcmp(b->anchors[i - 1].name, name) != 0)
        i--;
    if (!i)
        return refuse(b, "alias of an anchor that is not complete before it");
    const struct yaml *target = b->anchors[i - 1].node;
    long count = 0;
    int deepest = 0;
    measure(target, &count, depth, &deepest);
    b->aliased += count;
    if (b->aliased > YAML_ALIASED_MAX)
        return refuse(b, "too many values by way of aliases");
    if (deepest > YAML_DEPTH_MAX)
        return refuse(b, "nested too deeply");
    *ret = yaml_copy(b->arena, target);
    return true;
}

static bool build_scalar(struct builder *b, struct yaml **ret)
{
    const char *value = (const char *)b->event.data.scalar.value;
    size_t len = b->event.data.scalar.length;
    if (memchr(value, '\0', len))
        return refuse(b, "a NUL character in a value");
    struct yaml *node = node_new(b, YAML_SCALAR);
    if (!node)
        return false;
    node->quoted = b->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_copy(b->arena, value, len);
    b->expanded += expand(b->arena, node);
    if (b->expanded > YAML_BYTES_MAX)
        return refuse(b, "too much text by way of variables");
    *ret = node;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct yaml *x = *(struct yaml *const *)a, *y = *(struct yaml *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void mark_duplicates(struct builder *b, struct yaml *map)
{
    size_t n = 0;
    for (struct yaml *m = map->child; m; m = m->next) {
        if (n == b->cap_members) {
            b->cap_members = n ? n * 2 : 64;
            b->members = mem_realloc(b->members, b->cap_members * sizeof(struct yaml *));
        }
        b->members[n++] = m;
    }
    if (n > 0) /* there may be no array yet */
        qsort(b->members, n, sizeof(struct yaml *), by_key);
    for (size_t i = 1; i < n; i++) {
        struct yaml *first = b->members[i - 1], *again = b->members[i];
        if (strcmp(first->key, again->key) != 0)
            continue;
        again->fault = arena_printf(b->arena, "given twice, first on line %d", first->line);
        again->used = true;
    }
}

/* Reads a member's key, leaving the event of its value to be looked at. */
static bool build_key(struct builder *b, const char **ret_key, int *ret_line)
{
    if (b->event.type != YAML_SCALAR_EVENT || b->event.data.scalar.tag || b->event.data.scalar.anchor)
        return refuse(b, "expected plain text as a key");
    if (memchr(b->event.data.scalar.value, '\0', b->event.data.scalar.length))
        return refuse(b, "a NUL character in a key");
    *ret_key = arena_copy(b->arena, (const char *)b->event.data.scalar.value, b->event.data.scalar.length);
    *ret_line = (int)b->event.start_mark.line + 1;
    return next_event(b);
}

static bool build_collection(struct builder *b, int depth, enum yaml_kind kind, struct yaml **ret)
{
    struct yaml *node = node_new(b, kind);
    if (!node)
        return false;
    for (struct yaml **end = &node->child;; end = &(*end)->next) {
        if (!next_event(b))
            return false;
        if (b->event.type == YAML_SEQUENCE_END_EVENT || b->event.type == YAML_MAPPING_END_EVENT)
            break;
        const char *key = NULL;
        int line = 0;
        struct yaml *child = NULL;
        if (kind == YAML_MAP && !build_key(b, &key, &line))
            return false;
        if (!build(b, depth + 1, &child))
            return false;
        if (key) {
            child->key = key;
            child->line = line;
        }
        *end = child;
    }
    if (kind == YAML_MAP)
        mark_duplicates(b, node);
    *ret = node;
    return true;
}

static bool event_properties(const struct builder *b, const char **ret_anchor, const char **ret_tag)
{
    const yaml_char_t *anchor, *tag;
    switch (b->event.type) {
    case YAML_SCALAR_EVENT:
        anchor = b->event.data.scalar.anchor;
        tag = b->event.data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = b->event.data.sequence_start.anchor;
        tag = b->event.data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = b->event.data.mapping_start.anchor;
        tag = b->event.data.mapping_start.tag;
        break;
    default:
        return false;
    }
    *ret_anchor = (const char *)anchor;
    *ret_tag = (const char *)tag;
    return true;
}

/* Makes a node of the event being looked at, and of all that belongs to it. */
static bool build(struct builder *b, int depth, struct yaml **ret)
{
    const char *anchor, *tag;
    if (depth > YAML_DEPTH_MAX)
        return refuse(b, "nested too deeply");
    if (!event_properties(b, &anchor, &tag))
        return build_alias(b, depth, ret);
    if (tag)
        return refuse(b, "tags are not accepted");
    if (anchor && b->n_anchors == ANCHORS_MAX)
        return refuse(b, "too many anchors");
    if (anchor)
        anchor = arena_copy(b->arena, anchor, strlen(anchor));
    enum yaml_kind kind = b->event.type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST;
    if (!(b->event.type == YAML_SCALAR_EVENT ? build_scalar(b, ret) : build_collection(b, depth, kind, ret)))
        return false;
    if (anchor)
        b->anchors[b->n_anchors++] = (struct anchor){anchor, *ret};
    return true;
}

/* The stream: one document, or none, which is null. */
static bool build_stream(struct builder *b, struct yaml **ret)
{
    struct yaml *root = NULL;
    if (!skip_two_events(b)) /* to the document's start */
        return false;
    if (b->event.type == YAML_STREAM_END_EVENT) {
        *ret = node_new(b, YAML_SCALAR);
        return true;
    }
    if (!next_event(b) || !build(b, 1, &root) || !skip_two_events(b)) /* to what follows its end */
        return false;
    if (b->event.type != YAML_STREAM_END_EVENT)
        return refuse(b, "a second document; expected one");
    *ret = root;
    return true;
}

bool yaml_parse(struct str text, const char *file, struct arena *a, struct yaml **ret, struct err *err)
{
    if (text.len > YAML_BYTES_MAX)
        return err_add(err, ERR_CONFIG, "%s: larger than %d MiB", file, YAML_BYTES_MAX >> 20);
    struct builder *b = mem_alloc(sizeof *b);
    b->file = arena_copy(a, file, strlen(file));
    b->arena = a;
    b->err = err;
    bool ok = false;
    if (!yaml_parser_initialize(&b->parser)) {
        err_set(err, ERR_TRY_AGAIN, "%s: out of memory", file);
    } else {
        /* To libyaml, told of the encoding, a byte order mark is a column of the first line. */
        bool marked = text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
        text = marked ? (struct str){text.p + 3, text.len - 3, false} : text;
        yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&b->parser, (const unsigned char *)(text.p ? text.p : ""), text.len);
        ok = build_stream(b, ret);
        yaml_event_delete(&b->event);
        yaml_parser_delete(&b->parser);
    }
    free(b->members);
    free(b);
    return ok;
}
