#include "extract/cache.h"

#include "common/money.h"

void cache_open(struct cache *c, const char *path, struct arena *a)
{
    struct err ignored;
    struct page page;
    int cap = 0;
    *c = (struct cache){0};
    if (!spool_read(&c->in, path, &ignored))
        return;
    while (spool_next(&c->in, a, &page)) {
        if (!page.etag.p || page.records == INT_NONE)
            continue;
        if (c->n == cap) {
            struct page *more = arena_alloc(a, sizeof *more * (size_t)(cap = cap ? cap * 2 : 16));
            if (c->n)
                memcpy(more, c->page, sizeof *more * (size_t)c->n);
            c->page = more;
        }
        c->page[c->n++] = page;
    }
}

const struct page *cache_find(const struct cache *c, struct str url)
{
    for (int i = 0; i < c->n; i++)
        if (str_eq(c->page[i].url, url))
            return &c->page[i];
    return NULL;
}

void cache_close(struct cache *c)
{
    spool_end(&c->in);
    *c = (struct cache){0};
}
