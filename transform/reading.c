#include "transform/reading.h"

#include <stdlib.h>

int compare_records(const void *a, const void *b, const struct order_key *order)
{
    for (const struct order_key *key = order; key->type != ORDER_END; key++) {
        const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
        int way = 0;
        if (key->type == ORDER_TEXT) {
            way = str_cmp(*(const struct str *)(const void *)x, *(const struct str *)(const void *)y);
        } else {
            int32_t left = *(const int32_t *)(const void *)x, right = *(const int32_t *)(const void *)y;
            way = (left > right) - (left < right);
        }
        if (way)
            return way;
    }
    return 0;
}

static int compare_by(const void *a, const void *b, void *order)
{
    return compare_records(a, b, *(const struct order_key *const *)order);
}

bool in_order(const void *v, uint32_t n, size_t size, const struct order_key *order)
{
    for (uint32_t i = 1; i < n; i++)
        if (compare_records((const char *)v + size * (i - 1), (const char *)v + size * i, order) > 0)
            return false;
    return true;
}

void sort_records(void *v, uint32_t n, size_t size, const struct order_key *order)
{
    if (!in_order(v, n, size, order))
        qsort_r(v, n, size, compare_by, &order);
}

/* ---- what is kept of a record ---- */

struct sort_key {
    struct str first, then;
    uint32_t from;
};

static int compare_keys(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    int way = str_cmp(x->first, y->first);
    if (!way)
        way = str_cmp(x->then, y->then);
    return way ? way : (x->from > y->from) - (x->from < y->from);
}

static const void *kept_at(const void *element)
{
    const void *at;
    memcpy(&at, element, sizeof at);
    return at;
}

void sort_kept(const struct lines *lines, void *v, uint32_t n, size_t size, size_t first, size_t then, struct arena *a)
{
    struct sort_key *key = mem_take(n * sizeof *key);
    char *sorted = mem_take(n * size), *record = mem_take(lines->record->size);
    for (uint32_t i = 0; i < n; i++) {
        lines_read(lines, kept_at((char *)v + size * i), a, record);
        key[i].from = i;
        memcpy(&key[i].first, record + first, sizeof key[i].first);
        memcpy(&key[i].then, record + then, sizeof key[i].then);
    }
    qsort(key, n, sizeof *key, compare_keys);
    for (uint32_t i = 0; i < n; i++)
        memcpy(sorted + size * i, (char *)v + size * key[i].from, size);
    memcpy(v, sorted, n * size);
    free(key);
    free(sorted);
    free(record);
}

bool pass_kept(struct reading *rd, const struct lines *lines, const void *v, uint32_t n, size_t size, bool as_it_came)
{
    struct dataset *d = rd->d;
    if (as_it_came)
        return part_pass(d->part, lines->record, rd->in, &d->company, rd->err);
    char *record = mem_take(lines->record->size);
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++) {
        lines_read(lines, kept_at((const char *)v + size * i), d->arena, record);
        ok = part_put(d->part, lines->record, record, rd->err);
    }
    free(record);
    return ok;
}
