#include "load/parts.h"

#include <stdatomic.h>
#include <string.h>

#include "common/thread.h"

enum { FORGET_BYTES = 8 << 20 };   /* compared, until they are taken out of memory */

/* ---- what their index lines say ---- */

/* What a company's index line says of each entity goes into the totals of the run. */
static bool company_tally(struct load *l, const struct taken *t, struct err *err)
{
    for (uint32_t k = 0; k < t->company.ranges.n; k++) {
        const struct range *range = list_at(t->company.ranges, sizeof *range, k);
        for (int i = 0; i < n_entities; i++) {
            struct entity_load *e = &l->entity[i];
            if (!str_is(range->entity, entities[i].record->entity))
                continue;
            bool skip = t->closed && entities[i].scope == SCOPE_MONTH, brings = !skip && !t->same;
            *(skip ? &e->skipped : &e->rows) += range->rows;
            e->brought_rows += brings ? range->rows : 0;
            if ((!skip && !money_add(&e->cents, range->cents)) ||
                (brings && !money_add(&e->brought_cents, range->cents)))
                return err_set(err, ERR_DATA, "%s: the sum of cents is beyond 64 bits", entities[i].record->entity);
        }
    }
    return true;
}

static bool is_digest(const char *text, XXH128_hash_t digest)
{
    char own[XXH128_HEX + 1];
    xxh128_text(digest, own);
    return strcmp(text, own) == 0;
}

/* Whether it brings what its last load brought, and where not, what that was. */
static bool compare_with_last(struct load *l, struct taken_part *part, struct taken *t, const struct known *known,
                              struct arena *a, struct err *err)
{
    t->same = known->remembered && is_digest(known->digest, t->digest);
    l->companies_same += t->same;
    part->differ += !t->same;
    if (t->same || !known->remembered)
        return true;
    if (!base_open(l, err))
        return false;
    t->base = base_find(l->base, t->company.company_id, known, a);
    return true;
}

/* A company of the index, decoded; its lists live in the scratch arena. */
static bool company_take(struct load *l, struct taken_part *part, const struct company *c, XXH128_hash_t digest,
                         struct arena *a, struct err *err)
{
    struct taken *t = &part->v[part->n];
    struct known known;
    if (!known_find(l, c->company_id, &known, err))
        return false;
    *t = (struct taken){.company = company_lines(c, a), .digest = digest, .closed = known.closed};
    if (!compare_with_last(l, part, t, &known, a, err) || !company_tally(l, t, err))
        return false;
    part->n++;
    return true;
}

static bool part_take(struct load *l, int number, struct taken_part *ret, struct arena *a, struct err *err)
{
    struct part_in listed;
    struct arena scratch = {0};
    struct company c;
    if (!ahead_wait(l->ahead, number, err) || !part_index(&listed, &l->in, number, err))
        return false;
    const XXH128_hash_t *digest = ahead_digests(l->ahead, number);
    *ret = (struct taken_part){.v = arena_alloc(a, (size_t)l->in.part[number].companies * sizeof *ret->v)};
    bool ok = true;
    err->kind = ERR_NONE;
    for (; ok && part_next_listed(&listed, &scratch, &c, err); arena_reset(&scratch)) {
        if (!stage_selects(l->run, c.company_id))
            continue;
        ret->selected++;
        if (c.status == COMPANY_OK)
            ok = company_take(l, ret, &c, *digest++, a, err);
    }
    ok = ok && err->kind == ERR_NONE;
    part_close(&listed);
    arena_free(&scratch);
    /* else none of its companies is selected: nothing to open it for */
    return ok && (!ret->n || part_open_again(&ret->in, &l->in, number, err));
}

/* ---- what differs from their last loads, by two threads ---- */

struct pair {
    struct taken *company;
    const struct part_in *part;
};

struct comparer {
    struct comparison *of;
    struct arena *arena;
    size_t read;               /* bytes, since what was read was last forgotten */
};

/* Begun by a thread, while this one sends what was compared before; ended by both. */
struct comparison {
    struct pair *v;
    size_t n;
    atomic_size_t next;
    struct comparer each[2];
    pthread_t thread;
    bool threaded;
};

static void forget_some(struct comparer *c, const struct pair *pair, size_t read)
{
    if ((c->read += read) < FORGET_BYTES)
        return;
    part_forget(pair->company->base->part, NULL);
    part_forget(pair->part, NULL);
    c->read = 0;
}

/* An altered earlier folder is found out by the digest, which is taken from the lines while they are at hand. */
static void compare_pair(struct comparer *c, const struct pair *pair)
{
    struct taken *t = pair->company;
    const struct base_company *base = t->base;
    struct line_diff *diff = arena_alloc(c->arena, (size_t)n_entities * sizeof *diff);
    struct company_digest digest;
    for (int i = 0; i < n_entities; i++) {
        struct str old_lines = part_lines(base->part, &base->company, entities[i].record, NULL, NULL);
        struct str new_lines = part_lines(pair->part, &t->company, entities[i].record, NULL, NULL);
        company_digest_add(&digest, i, base->part, old_lines);
        diff[i] = (struct line_diff){0};
        if (!t->closed || entities[i].scope != SCOPE_MONTH)
            lines_diff(old_lines, new_lines, c->arena, &diff[i]);
        forget_some(c, pair, old_lines.len);
    }
    bool believed = is_digest(base->digest, company_digest_end(&digest));
    t->base = believed ? base : NULL;
    t->diff = believed ? diff : NULL;
}

static void *compare(void *arg)
{
    struct comparer *c = arg;
    for (size_t i; (i = atomic_fetch_add(&c->of->next, 1)) < c->of->n;)
        compare_pair(c, &c->of->v[i]);
    return NULL;
}

/* Reading what was and what is takes most of a night that changes little. */
static void compare_begin(struct parts *parts)
{
    struct comparison *c = parts->comparison = arena_alloc(&parts->arena, sizeof *c);
    c->v = arena_alloc(&parts->arena, parts_differing(parts) * sizeof *c->v);
    for (int i = 0; i < parts->n; i++)
        for (size_t k = 0; k < parts->v[i].n; k++)
            if (parts->v[i].v[k].base)
                c->v[c->n++] = (struct pair){&parts->v[i].v[k], &parts->v[i].in};
    for (int i = 0; i < 2; i++)
        c->each[i] = (struct comparer){c, &parts->differences[i], 0};
    c->threaded = c->n && thread_start(&c->thread, compare, &c->each[1]);
}

void parts_compare(struct parts *parts)
{
    struct comparison *c = parts->comparison;
    if (!c)
        return;
    compare(&c->each[0]);
    if (c->threaded)
        pthread_join(c->thread, NULL);
    parts->comparison = NULL;
}

/* ---- parts ---- */

bool parts_take(struct load *l, int first, struct parts *ret, struct err *err)
{
    bool ok = true;
    arena_reset(&ret->arena);
    arena_reset(&ret->differences[0]);
    arena_reset(&ret->differences[1]);
    for (ret->n = 0; ok && ret->n < PARTS_TOGETHER && first + ret->n < l->in.n_parts; ret->n++)
        ok = !stage_stopped(err) && part_take(l, first + ret->n, &ret->v[ret->n], &ret->arena, err);
    ret->base_end = base_at(l->base);
    if (ok && l->base)
        compare_begin(ret);
    return ok;
}

bool parts_have(const struct parts *parts, const struct record *r)
{
    for (int i = 0; i < parts->n; i++)
        for (int k = 0; k < parts->v[i].in.n_files; k++)
            if (parts->v[i].in.file[k].record == r)
                return true;
    return false;
}

size_t parts_differing(const struct parts *parts)
{
    size_t n = 0;
    for (int i = 0; i < parts->n; i++)
        n += parts->v[i].differ;
    return n;
}

void parts_close(struct load *l, struct parts *parts)
{
    parts_compare(parts);
    base_release(l->base, parts->base_end);
    for (int i = 0; i < parts->n; i++)
        part_close(&parts->v[i].in);
    parts->n = 0;
}

void parts_free(struct parts *parts)
{
    arena_free(&parts->arena);
    arena_free(&parts->differences[0]);
    arena_free(&parts->differences[1]);
}
