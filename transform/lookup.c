#include "transform/lookup.h"

/* FNV-1a with a final mix: keys are short and often alike but for their end. */
static uint32_t hash_of(struct str s)
{
    uint64_t h = 14695981039346656037u;
    uint32_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, sizeof word);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    for (; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    h ^= h >> 32;
    return (uint32_t)(h * 0x9E3779B1u >> 1);
}

static struct str key_at(const struct lookup *l, uint32_t position)
{
    struct str key;
    memcpy(&key, l->base + l->stride * position + l->key, sizeof key);
    return key;
}

void lookup_reserve(struct lookup *l, struct arena *a, const void *v, uint32_t most, size_t stride, size_t key)
{
    uint32_t slots = 8;
    while (slots < most * 2u)
        slots *= 2;
    *l = (struct lookup){v, stride, key, arena_alloc(a, slots * sizeof(uint32_t)), slots - 1, 0};
}

/* The slot of this key, or the free one where it would be. */
static uint32_t *slot_of(const struct lookup *l, struct str key, uint32_t hash)
{
    uint32_t at = hash & l->mask;
    for (; l->slot[at]; at = (at + 1) & l->mask)
        if (!((l->slot[at] ^ hash) & ~l->mask) && str_eq(key_at(l, (l->slot[at] & l->mask) - 1), key))
            break;
    return &l->slot[at];
}

void lookup_add(struct lookup *l, uint32_t position)
{
    struct str key = key_at(l, position);
    uint32_t hash = hash_of(key), *slot = slot_of(l, key, hash);
    if (!key.p || *slot)
        return;
    l->n++;
    *slot = (hash & ~l->mask) | (position + 1);
}

void lookup_build(struct lookup *l, struct arena *a, const void *v, uint32_t n, size_t stride, size_t key)
{
    lookup_reserve(l, a, v, n, stride, key);
    for (uint32_t i = 0; i < n; i++)
        lookup_add(l, i);
}

int64_t lookup_find(const struct lookup *l, struct str key)
{
    if (!key.p || !l->n)
        return LOOKUP_NONE;
    return (int64_t)(*slot_of(l, key, hash_of(key)) & l->mask) - 1;
}

int64_t lookup_find_near(const struct lookup *l, struct str key, uint32_t n, uint32_t *near)
{
    enum { STEPS = 3 };
    if (!key.p)
        return LOOKUP_NONE;
    for (uint32_t at = *near; at < n && at < *near + STEPS; at++)
        if (str_eq(key_at(l, at), key) && (at == *near || !str_eq(key_at(l, at - 1), key)))
            return *near = at;
    int64_t found = lookup_find(l, key);
    if (found != LOOKUP_NONE)
        *near = (uint32_t)found;
    return found;
}
