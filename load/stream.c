/* From the staged files to COPY, a buffer at a time: memory is bounded by the index of a few parts, what differs in
 * them, and one line. */
#include <stdio.h>
#include <stdlib.h>

#include "load/copy.h"
#include "load/copying.h"
#include "load/parts.h"

enum { FORGET_BYTES = 512 << 10 };

/* ---- rows ---- */

/* An entity of a part under way. */
struct rows {
    struct copying copying;
    const struct entity *entity;   /* NULL: discrepancies */
    struct entity_load *into;
    const struct record *record;
    const struct part_in *part;
    void *rec;
    struct arena arena;
    int64_t sent;
    size_t read;                   /* bytes, since what was read was last forgotten */
};

static bool add_row(struct rows *r, const struct taken *t, struct str line, int64_t number, bool past, struct err *err)
{
    struct faults faults;
    faults.n = 0;
    r->sent++;
    if ((r->read += line.len) >= FORGET_BYTES) {
        r->read = 0;
        arena_reset(&r->arena);
        part_forget(r->part, r->record);
    }
    const struct str *id = &t->company.company_id;
    if (!ndjson_decode(r->record, line, &r->arena, r->rec, &faults))
        return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s, its line %lld: %.*s", r->part->in->path,
                       r->record->entity, r->part->number, (int)id->len, id->p, (long long)number,
                       (int)faults.text[0].len, faults.text[0].p);
    if (!str_eq(*(const struct str *)r->rec, *id))   /* the first field of every record */
        return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s, its line %lld is another company's",
                       r->part->in->path, r->record->entity, r->part->number, (int)id->len, id->p, (long long)number);
    bool compared = r->entity && !r->into->direct;
    copy_row(r->record, r->rec, 0, compared, &r->copying.rows);
    if (compared)
        copy_bool(past, &r->copying.rows);
    return copying_flush(&r->copying, err);
}

static bool in_scope(const struct load *l, const struct rows *r)
{
    month_t month = entity_month(r->entity, r->rec);
    if (r->entity->scope == SCOPE_COMPANY)
        return true;
    return r->entity->scope == SCOPE_MONTH ? month == l->run->opt.period
                                           : month >= l->window_first && month <= l->window_last;
}

/* A row of this run. */
static bool add_new(struct load *l, struct rows *r, struct taken *t, struct str line, int64_t number, struct err *err)
{
    if (!add_row(r, t, line, number, false, err))
        return false;
    if (r->entity)
        *(in_scope(l, r) ? &t->rows : &r->into->outside) += 1;
    return true;
}

static bool add_all(struct load *l, struct rows *r, struct taken *t, struct err *err)
{
    int64_t n = 0;
    struct str lines = part_lines(r->part, &t->company, r->record, NULL, NULL), line;
    while (str_next_line(&lines, &line))
        if (!add_new(l, r, t, line, ++n, err))
            return false;
    if (r->entity)
        r->into->arrived += n;
    return true;
}

/* What differs from the last load. */
static bool add_difference(struct load *l, struct rows *r, struct taken *t, struct err *err)
{
    const struct line_diff *diff = &t->diff[r->entity - entities];
    bool ok = true;
    int64_t before;
    part_lines(t->base->part, &t->base->company, r->record, &before, NULL);
    for (size_t i = 0; ok && i < diff->n_gone; i++)
        ok = add_row(r, t, diff->gone[i], (int64_t)i + 1, true, err);
    for (size_t i = 0; ok && i < diff->n_come; i++)
        ok = add_new(l, r, t, diff->come[i], (int64_t)i + 1, err);
    t->rows += before - (int64_t)diff->n_gone;
    r->into->arrived += before - (int64_t)diff->n_gone + (int64_t)diff->n_come;
    r->into->past += (int64_t)diff->n_gone;
    return ok;
}

static bool add_company(struct load *l, struct rows *r, struct taken *t, struct err *err)
{
    if (!r->entity)
        return add_all(l, r, t, err);
    if (t->same || (t->closed && r->entity->scope == SCOPE_MONTH))
        return true;
    return t->base && !r->into->direct ? add_difference(l, r, t, err) : add_all(l, r, t, err);
}

/* An entity of one part. */
static bool copy_part(struct load *l, struct rows *r, struct taken_part *part, struct err *err)
{
    bool ok = true;
    r->part = &part->in;
    for (size_t i = 0; ok && i < part->n; i++) {
        ok = add_company(l, r, &part->v[i], err);
        arena_reset(&r->arena);
    }
    part_forget(r->part, r->record);
    return ok;
}

/* Where the rows of an entity go: table and columns. */
static bool begin_rows(struct load *l, struct rows *r, struct err *err)
{
    struct buf columns = {0};
    char destination[64];
    bool direct = r->entity && r->into->direct;
    copy_columns(r->record, 0, "", &columns);
    if (r->entity && !direct)
        buf_adds(&columns, ", past");
    if (r->entity && r->into->partition)
        snprintf(destination, sizeof destination, "%s", r->into->partition);
    else
        snprintf(destination, sizeof destination, "%s%s", direct ? "payroll." : "new_", r->record->name);
    bool ok = copying_start(&r->copying, l, destination, buf_str(&columns), err);
    buf_free(&columns);
    return ok;
}

/* entity NULL: discrepancies. */
static bool copy_entity(struct load *l, const struct entity *entity, struct entity_load *into, struct parts *parts,
                        int64_t *rows_done, struct err *err)
{
    struct rows r = {.entity = entity, .into = into, .record = entity ? entity->record : &discrepancy_record};
    int64_t rows;
    r.rec = mem_alloc(r.record->size);
    bool ok = begin_rows(l, &r, err);
    for (int i = 0; ok && i < parts->n; i++)
        ok = copy_part(l, &r, &parts->v[i], err);
    ok = copying_end(&r.copying, ok, &rows, err);
    if (ok && rows != r.sent)
        ok = err_set(err, ERR_DATA, "%s: %lld rows were sent, %lld arrived", r.record->entity, (long long)r.sent,
                     (long long)rows);
    *rows_done += rows;
    *(entity ? &into->sent : &l->discrepancy.seen) += rows;
    arena_free(&r.arena);
    free(r.rec);
    return ok;
}

/* ---- parts ---- */

static bool add_brought(struct load *l, struct copying *c, const struct taken *t, struct err *err)
{
    char digest[XXH128_HEX + 1];
    xxh128_text(t->digest, digest);
    copy_values(5, &c->rows);
    copy_text(t->company.company_id, &c->rows);
    copy_text(str_of(digest), &c->rows);
    copy_integer(t->rows, &c->rows);
    copy_bool(t->closed, &c->rows);
    copy_bool(t->base, &c->rows);
    *(t->base ? &l->companies_based : &l->companies_whole) += 1;
    return copying_flush(c, err);
}

/* What brought holds of the companies of these parts. */
static bool copy_brought(struct load *l, const struct parts *parts, struct err *err)
{
    struct copying c;
    int64_t rows;
    bool ok = copying_start(&c, l, "brought", "company_id, digest, rows, closed, based", err);
    for (int i = 0; i < parts->n; i++)
        for (size_t k = 0; ok && k < parts->v[i].n; k++)
            if (!parts->v[i].v[k].same)
                ok = add_brought(l, &c, &parts->v[i].v[k], err);
    return copying_end(&c, ok, &rows, err);
}

static bool copy_parts(struct load *l, struct parts *parts, int64_t *rows_done, struct err *err)
{
    bool differ = parts_differing(parts) > 0, ok = l->staged || !differ || (l->staged = merge_stage(l, err));
    for (int i = 0; ok && differ && i < n_entities; i++)
        if (parts_have(parts, entities[i].record) || l->base)
            ok = copy_entity(l, &entities[i], &l->entity[i], parts, rows_done, err);
    if (ok && parts_have(parts, &discrepancy_record))
        ok = copy_entity(l, NULL, NULL, parts, rows_done, err);
    return ok && copy_brought(l, parts, err);
}

bool stream_entities(struct load *l, struct err *err)
{
    struct parts *each = mem_alloc(2 * sizeof *each), *now = &each[0], *next = &each[1];
    int64_t done = 0, rows = 0;
    stage_progress(l->run, (long)(l->companies_ok + l->companies_failed));
    bool ok = parts_take(l, 0, now, err);
    for (int taken = now->n; ok && now->n; taken += now->n) {
        parts_compare(now);
        ok = parts_take(l, taken, next, err) && copy_parts(l, now, &rows, err);
        for (int i = 0; i < now->n; i++)
            done += (int64_t)now->v[i].selected;
        parts_close(l, now);
        progress_step((long)done, rows);
        struct parts *first = now;
        now = next;
        next = first;
    }
    parts_close(l, now);
    progress_end();
    for (int i = 0; i < 2; i++)
        parts_free(&each[i]);
    free(each);
    return ok && stream_rejects(l, err);
}
