#include "load/ahead.h"

#include <stdlib.h>

#include "common/thread.h"

enum { PIECE_BYTES = 1 << 20 };   /* of the lines that a company has of an entity: more is not held in memory at once */

struct ahead {
    const struct stage_run *run;
    const struct staging_in *in;
    XXH128_hash_t **part;          /* the thread leaves one alone once it is done */
    pthread_t thread;
    pthread_mutex_t lock;          /* over what follows */
    pthread_cond_t step;
    int done;                      /* parts, from the first */
    bool ended, unwanted;
    struct err err;
};

/* The same digest, piece by piece. */
static XXH128_hash_t large_digest(const struct part_in *part, const struct record *r, struct str lines)
{
    struct xxh128 hash;
    xxh128_start(&hash);
    for (uint32_t at = 0, len; at < lines.len; at += len) {
        len = lines.len - at < PIECE_BYTES ? lines.len - at : PIECE_BYTES;
        xxh128_add(&hash, lines.p + at, len);
        part_forget(part, r);
    }
    XXH128_hash_t ret = XXH3_128bits_digest(hash.state);
    xxh128_drop(&hash);
    return ret;
}

void company_digest_add(struct company_digest *d, int entity, const struct part_in *part, struct str lines)
{
    d->each[entity] = lines.len > PIECE_BYTES ? large_digest(part, entities[entity].record, lines)
                                              : XXH3_128bits(lines.p, lines.len);
}

XXH128_hash_t company_digest_end(const struct company_digest *d)
{
    return XXH3_128bits(d->each, (size_t)n_entities * sizeof *d->each);
}

static XXH128_hash_t digest(const struct part_in *part, const struct company *c)
{
    struct company_digest d;
    for (int i = 0; i < n_entities; i++)
        company_digest_add(&d, i, part, part_lines(part, c, entities[i].record, NULL, NULL));
    return company_digest_end(&d);
}

static bool read_companies(struct ahead *a, struct part_in *part, XXH128_hash_t *ret, struct err *err)
{
    struct company company;
    struct arena line = {0};
    err->kind = ERR_NONE;
    while (part_next_company(part, &line, &company, err)) {
        if (company.status == COMPANY_OK && stage_selects(a->run, company.company_id))
            *ret++ = digest(part, &company);
        arena_reset(&line);
    }
    arena_free(&line);
    return err->kind == ERR_NONE;
}

static bool read_part(struct ahead *a, int number, struct err *err)
{
    struct part_in part;
    struct err altered = {0};
    if (!part_stream(&part, a->in, number, err))
        return false;
    a->part[number] = mem_take((size_t)a->in->part[number].companies * sizeof *a->part[number]);
    bool ok = read_companies(a, &part, a->part[number], err);
    if (!part_verify(&part, &altered)) {   /* which explains any other fault */
        *err = altered;
        ok = false;
    }
    part_close(&part);
    return ok;
}

/* One step further; true when there is reason to go on. */
static bool tell(struct ahead *a, bool ok, const struct err *err)
{
    pthread_mutex_lock(&a->lock);
    if (ok)
        a->done++;
    else
        a->err = *err;
    a->ended = !ok || a->done == a->in->n_parts;
    bool go_on = !a->ended && !a->unwanted;
    pthread_cond_broadcast(&a->step);
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

static void *read_all(void *arg)
{
    struct ahead *a = arg;
    struct err err = {0};
    for (int number = 0; number < a->in->n_parts && tell(a, read_part(a, number, &err), &err); number++)
        ;
    return NULL;
}

struct ahead *ahead_start(const struct stage_run *run, const struct staging_in *in)
{
    struct ahead *a = mem_alloc(sizeof *a);
    *a = (struct ahead){.run = run, .in = in};
    a->part = mem_alloc((size_t)in->n_parts * sizeof *a->part);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->step, NULL);
    if (thread_start(&a->thread, read_all, a))
        return a;
    read_all(a);   /* no thread to be had: everything at once, then */
    a->thread = pthread_self();
    return a;
}

bool ahead_wait(struct ahead *a, int part, struct err *err)
{
    pthread_mutex_lock(&a->lock);
    while (a->done <= part && !a->ended)
        pthread_cond_wait(&a->step, &a->lock);
    bool ok = a->done > part;
    if (!ok)
        *err = a->err;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

const XXH128_hash_t *ahead_digests(const struct ahead *a, int part)
{
    return a->part[part];
}

void ahead_end(struct ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->unwanted = true;
    pthread_mutex_unlock(&a->lock);
    if (!pthread_equal(a->thread, pthread_self()))
        pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->step);
    pthread_mutex_destroy(&a->lock);
    for (int i = 0; i < a->in->n_parts; i++)
        free(a->part[i]);
    free(a->part);
    free(a);
}
