#include "transform/reading.h"

#include <stdlib.h>

#include "common/sort.h"

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
    sort_if_needed(v, n, size, compare_by, &order);
}

/* ---- what is kept of a record ---- */

enum { SORT_FIELDS = 3 };

/* The fields of an order, taken out of a record. */
struct sort_key {
    struct str field[SORT_FIELDS];   /* or a day, at its beginning */
    uint32_t from;
};

static size_t type_size(const struct order_key *key)
{
    return key->type == ORDER_TEXT ? sizeof(struct str) : sizeof(date_t);
}

static int compare_keys(const void *a, const void *b, void *order)
{
    const struct sort_key *x = a, *y = b;
    int way = compare_records(a, b, order);
    return way ? way : (x->from > y->from) - (x->from < y->from);
}

static uint32_t kept_at(const void *element)
{
    uint32_t at;
    memcpy(&at, element, sizeof at);
    return at;
}

/* The keys of all elements, in order; the caller frees them. */
static struct sort_key *sorted_keys(const struct lines *lines, const void *v, uint32_t n, size_t size,
                                    const struct order_key *order, struct arena *a)
{
    struct order_key of_keys[SORT_FIELDS + 1] = {{0, ORDER_END}};
    struct sort_key *key = mem_take(n * sizeof *key);
    char *record = mem_take(lines->record->size);
    for (int k = 0; k < SORT_FIELDS && order[k].type != ORDER_END; k++) {
        of_keys[k] = (struct order_key){k * sizeof(struct str), order[k].type};
        of_keys[k + 1].type = ORDER_END;
    }
    for (uint32_t i = 0; i < n; i++) {
        lines_read(lines, kept_at((const char *)v + size * i), a, record);
        key[i].from = i;
        for (int k = 0; of_keys[k].type != ORDER_END; k++)
            memcpy(&key[i].field[k], record + order[k].offset, type_size(&order[k]));
    }
    qsort_r(key, n, sizeof *key, compare_keys, of_keys);
    free(record);
    return key;
}

void sort_kept(const struct lines *lines, void *v, uint32_t n, size_t size, const struct order_key *order, struct arena *a)
{
    struct sort_key *key = sorted_keys(lines, v, n, size, order, a);
    char *sorted = mem_take(n * size);
    for (uint32_t i = 0; i < n; i++)
        memcpy(sorted + size * i, (char *)v + size * key[i].from, size);
    memcpy(v, sorted, n * size);
    free(key);
    free(sorted);
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
