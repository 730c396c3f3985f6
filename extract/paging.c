#include "extract/paging.h"

#include <strings.h>

#include "common/jscan.h"

/* ---- one page ---- */

static int64_t count_records(const struct jdoc *d, const char *path)
{
    const struct jvalue *v = *path ? jdoc_path(d, d->value, path) : d->value;
    if (!v || v->type == J_NULL)
        return 0;
    return v->type == J_ARRAY ? (int64_t)v->count : 1;
}

static bool read_total(const struct jdoc *d, const char *path, int64_t *ret, struct err *err)
{
    const struct jvalue *v = path ? jdoc_path(d, d->value, path) : NULL;
    *ret = INT_NONE;
    if (!v || v->type == J_NULL)
        return true;
    if (v->type != J_NUMBER || !money_parse_int(v->text, ret) || *ret < 0)
        return err_set(err, ERR_DATA, "%s: expected the number of records", path);
    return true;
}

static bool read_as_of(const struct jdoc *d, const char *path, instant_t *ret, struct err *err)
{
    const struct jvalue *v = path ? jdoc_path(d, d->value, path) : NULL;
    *ret = INSTANT_NONE;
    if (!v || v->type == J_NULL)
        return true;
    if (v->type != J_STRING || !instant_parse(v->text, ret))
        return err_set(err, ERR_DATA, "%s: expected an instant such as 2026-04-27T06:00:00Z", path);
    return true;
}

/* The first of the places that holds something; null, false and "" mean that there is no next page. */
static bool read_next(const struct jdoc *d, const struct paging *paging, struct str *ret, struct err *err)
{
    for (int i = 0; i < PATHS_MAX && paging->next[i]; i++) {
        const struct jvalue *v = jdoc_path(d, d->value, paging->next[i]);
        if (!v || v->type == J_NULL || v->type == J_FALSE || (v->type == J_STRING && v->text.len == 0))
            continue;
        if (v->type != J_STRING && v->type != J_NUMBER)
            return err_set(err, ERR_DATA, "%s: expected text that leads to the next page", paging->next[i]);
        *ret = v->text;
        return true;
    }
    return true;
}

bool page_read_facts(const struct entity_source *entity, struct str body, struct str link_header, struct arena *a,
                     struct page_facts *ret, struct err *err)
{
    const struct paging *paging = &entity->paging;
    struct page_facts facts = {.records = INT_NONE, .total = INT_NONE, .as_of = INSTANT_NONE};
    struct jdoc d;
    struct jscan fault;
    if (jdoc_parse(body, a, &d, &fault)) {
        facts.records = count_records(&d, entity->records ? entity->records : "");
        if (!read_total(&d, paging->total, &facts.total, err) || !read_as_of(&d, paging->as_of, &facts.as_of, err))
            return false;
        if ((paging->kind == PAGING_CURSOR || paging->kind == PAGING_LINK) && !read_next(&d, paging, &facts.next, err))
            return false;
        if (paging->kind == PAGING_LINK && !facts.next.p)
            facts.next = link_header_next(link_header);
    }
    if (facts.next.len > CURSOR_MAX)
        return err_set(err, ERR_DATA, "cursor of %u bytes; at most %d are accepted", (unsigned)facts.next.len,
                       CURSOR_MAX);
    *ret = facts;
    return true;
}

/* ---- Link: <target>; rel="next", <target>; rel="last" ---- */

static bool has_word(struct str words, const char *word)
{
    size_t len = strlen(word), i = 0;
    while (i < words.len) {
        size_t start = i;
        while (i < words.len && words.p[i] != ' ')
            i++;
        if (i - start == len && !strncasecmp(words.p + start, word, len))
            return true;
        i++;
    }
    return false;
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* Reads `;name=value` or `;name="value"` at p; returns behind it, or p itself when there is none. */
static const char *link_param(const char *p, const char *end, struct str *name, struct str *value)
{
    const char *q = skip_blank(p, end);
    if (q == end || *q != ';')
        return p;
    q = skip_blank(q + 1, end);
    const char *start = q;
    while (q < end && !strchr(" \t=;,", *q))
        q++;
    *name = (struct str){start, (uint32_t)(q - start), false};
    *value = STR_NULL;
    q = skip_blank(q, end);
    if (q == end || *q != '=')
        return q;
    q = skip_blank(q + 1, end);
    bool quoted = q < end && *q == '"';
    start = q += quoted;
    while (q < end && (quoted ? *q != '"' : !strchr(" \t;,", *q)))
        q += quoted && *q == '\\' && q + 1 < end ? 2 : 1;
    *value = (struct str){start, (uint32_t)(q - start), false};
    return q + (quoted && q < end);
}

struct str link_header_next(struct str header)
{
    const char *p = header.p, *end = p + header.len;
    while (p < end) {
        const char *open = memchr(p, '<', (size_t)(end - p));
        const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
        if (!close)
            break;
        bool is_next = false, rel_seen = false;
        struct str name, value;
        p = close + 1;
        for (const char *q; (q = link_param(p, end, &name, &value)) != p; p = q) {
            if (rel_seen || name.len != 3 || strncasecmp(name.p, "rel", 3) != 0)
                continue;
            rel_seen = true; /* later ones are ignored: RFC 8288, 3.3 */
            is_next = has_word(value, "next");
        }
        if (is_next)
            return (struct str){open + 1, (uint32_t)(close - open - 1), false};
    }
    return STR_NULL;
}

/* ---- the list ---- */

void walk_start(struct walk *w, const struct entity_source *entity)
{
    *w = (struct walk){.entity = entity, .number = 1, .total = INT_NONE};
}

static bool page_is_last(const struct walk *w, const struct page_facts *facts)
{
    if (facts->records == INT_NONE || facts->records == 0)
        return true;
    if (facts->total != INT_NONE)
        return w->delivered + facts->records >= facts->total;
    return w->number > 1 && facts->records < w->first_records;
}

struct str walk_next(const struct walk *w, const struct page_facts *facts, struct arena *a)
{
    const struct paging *paging = &w->entity->paging;
    if (paging->kind == PAGING_CURSOR || paging->kind == PAGING_LINK)
        return facts->next;
    if (paging->kind == PAGING_NONE || page_is_last(w, facts))
        return STR_NULL;
    return str_of(arena_printf(a, "%d", paging->first_page + w->number));
}

/* The page that next has led to before; 0: none. */
static int page_seen(const struct walk *w, struct str next)
{
    for (int i = 0; i < w->n_seen; i++)
        if (str_eq(w->seen[i], next))
            return i + 2;
    return 0;
}

static struct str remember(struct walk *w, struct str next, struct arena *a)
{
    if (w->n_seen == w->cap_seen) {
        int cap = w->cap_seen ? w->cap_seen * 2 : 8;
        struct str *seen = arena_alloc(a, sizeof *seen * (size_t)cap);
        if (w->n_seen)
            memcpy(seen, w->seen, sizeof *seen * (size_t)w->n_seen);
        w->seen = seen;
        w->cap_seen = cap;
    }
    struct str copy = {arena_copy(a, next.p, next.len), next.len, false};
    return w->seen[w->n_seen++] = copy;
}

/* A server that does not know the parameter answers every page number with the same page. */
static bool repeats_page(struct walk *w, const struct page *page)
{
    char before[XXH128_HEX + 1];
    memcpy(before, w->xxh128, sizeof before);
    xxh128_of(page->body.p, page->body.len, w->xxh128);
    return page->number > 1 && page->records > 0 && !strcmp(before, w->xxh128);
}

static enum walk_step incomplete(const struct walk *w, const struct page *page, struct err *err)
{
    if (page->total != INT_NONE && page->total != w->total)
        err_set(err, ERR_DATA, "incomplete list: the announced total went from %lld to %lld while it was read",
                (long long)w->total, (long long)page->total);
    else
        err_set(err, ERR_DATA, "incomplete list: %lld records announced, %lld received on %d pages",
                (long long)w->total, (long long)w->delivered, page->number);
    return WALK_INCOMPLETE;
}

/* What makes any further page pointless; false with err. */
static bool walk_is_sound(struct walk *w, const struct page *page, struct err *err)
{
    const struct paging *paging = &w->entity->paging;
    struct str next = page->next;
    int seen = next.p ? page_seen(w, next) : 0;
    if (paging->kind == PAGING_PAGE && repeats_page(w, page))
        return err_set(err, ERR_DATA, "page %d repeats the page before it", page->number);
    if (seen)
        return err_set(err, ERR_DATA, "endless list: page %d leads back to page %d", page->number, seen);
    if (next.p && page->number >= paging->cap)
        return err_set(err, ERR_DATA, "more than %d pages, the most that its paging allows", paging->cap);
    return true;
}

enum walk_step walk_take(struct walk *w, const struct page *page, struct arena *a, struct err *err)
{
    if (page->absent || page->records == INT_NONE)
        return WALK_COMPLETE;
    if (page->number == 1)
        w->first_records = page->records;
    w->delivered += page->records;
    if (w->total == INT_NONE)
        w->total = page->total;
    else if (page->total != INT_NONE && page->total != w->total)
        return incomplete(w, page, err);
    if (!walk_is_sound(w, page, err))
        return WALK_BROKEN;
    if (!page->next.p)
        return w->total == INT_NONE || w->delivered == w->total ? WALK_COMPLETE : incomplete(w, page, err);
    w->next = remember(w, page->next, a);
    w->number++;
    return WALK_MORE;
}
