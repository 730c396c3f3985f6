/* The pages that a company had in the last complete run, by URL: what an entity tag stands for. A spool that is not
 * there or is damaged is an empty cache. */
#ifndef EXTRACT_CACHE_H
#define EXTRACT_CACHE_H

#include "extract/spool.h"

struct cache {
    struct spool_in in;
    struct page *page;
    int n;
};

void cache_open(struct cache *c, const char *path, struct arena *a);
/* A page with a tag, or NULL. */
const struct page *cache_find(const struct cache *c, struct str url);
void cache_close(struct cache *c);

#endif
