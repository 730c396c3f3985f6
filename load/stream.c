/* From the staged files to COPY, a buffer at a time: memory is bounded by one company's index line and one line. */
#include <stdio.h>
#include <stdlib.h>

#include "load/copy.h"
#include "load/load.h"

enum { FLUSH_BYTES = 256 << 10, LINES_PER_RESET = 1000 };

/* One COPY under way. */
struct copying {
    struct load *load;
    struct query query;        /* filled; text is buf's */
    struct buf sql, rows;
};

static bool copying_begin(struct copying *c, struct load *l, const char *destination, const char *columns,
                          struct err *err)
{
    const struct variable variables[] = {{"destination", destination}, {"columns", columns}};
    *c = (struct copying){.load = l};
    if (!template_fill(sql_load_copy.text, variables, 2, &c->sql, err))
        return false;
    c->query = (struct query){sql_load_copy.name, buf_str(&c->sql)};
    return pg_copy_begin(&l->pg, &c->query, err);
}

static bool copying_flush(struct copying *c, size_t threshold, struct err *err)
{
    if (c->rows.len <= threshold)
        return true;
    bool ok = pg_copy_put(&c->load->pg, &c->query, c->rows.p, c->rows.len, err);
    c->rows.len = 0;
    return ok;
}

/* ok false: the rows are not wanted any more, and the connection will be closed. */
static bool copying_end(struct copying *c, bool ok, int64_t *ret_rows, struct err *err)
{
    ok = ok && copying_flush(c, 0, err) && pg_copy_end(&c->load->pg, &c->query, ret_rows, err);
    buf_free(&c->sql);
    buf_free(&c->rows);
    return ok;
}

/* The next line of lines, without its newline; false at the end. */
static bool next_line(struct str *lines, struct str *ret)
{
    if (!lines->len)
        return false;
    const char *newline = memchr(lines->p, '\n', lines->len);
    *ret = (struct str){lines->p, newline ? (uint32_t)(newline - lines->p) : lines->len, false};
    uint32_t taken = ret->len + (newline != NULL);
    lines->p += taken;
    lines->len -= taken;
    return true;
}

/* ---- the index ---- */

/* The months that the payroll system reports closed, as an array of PostgreSQL. */
static bool add_closed_months(const struct part_in *part, const struct company *c, struct arena *a, struct buf *b,
                              struct err *err)
{
    struct str lines = part_lines(part, c, &payroll_period_record, NULL, NULL), line;
    const char *comma = "";
    buf_addc(b, '{');
    while (next_line(&lines, &line)) {
        struct payroll_period period;
        struct faults faults = {0};
        char day[DATE_TEXT_MAX];
        if (!ndjson_decode(&payroll_period_record, line, a, &period, &faults))
            return err_set(err, ERR_DATA, "%s/payroll_periods-%04d.ndjson: company %.*s: %.*s", part->in->path,
                           part->number, (int)c->company_id.len, c->company_id.p, (int)faults.text[0].len,
                           faults.text[0].p);
        if (period.status != PERIOD_CLOSED)
            continue;
        buf_addf(b, "%s%s", comma, date_text(month_first(period.month), day));
        comma = ",";
    }
    buf_addc(b, '}');
    return true;
}

/* Over the staged facts of a company: what is in entities[], in its order. */
static void company_digest(const struct part_in *part, const struct company *c, char ret[SHA256_HEX + 1])
{
    struct sha256 hash;
    sha256_start(&hash);
    for (int i = 0; i < n_entities; i++) {
        struct str lines = part_lines(part, c, entities[i].record, NULL, NULL);
        sha256_add(&hash, entities[i].record->entity, strlen(entities[i].record->entity));
        sha256_add(&hash, lines.p, lines.len);
    }
    sha256_end(&hash, ret);
}

static bool company_row(struct copying *c, const struct part_in *part, const struct company *company, uint32_t skip,
                        struct arena *a, struct err *err)
{
    struct load *l = c->load;
    char digest[SHA256_HEX + 1];
    if (!stage_selects(l->run, company->company_id))
        return true;
    company_digest(part, company, digest);
    copy_row(&company_record, company, skip, &c->rows);
    c->rows.len--;   /* its newline: two more columns go behind it */
    buf_addf(&c->rows, "\t%s\t", digest);
    if (!add_closed_months(part, company, a, &c->rows, err))
        return false;
    buf_addc(&c->rows, '\n');
    l->companies_ok += company->status == COMPANY_OK;
    l->companies_failed += company->status != COMPANY_OK;
    return copying_flush(c, FLUSH_BYTES, err);
}

static bool companies_of_part(struct copying *c, int number, uint32_t skip, struct err *err)
{
    struct part_in part;
    struct company company;
    struct arena a = {0};
    if (stage_stopped(err) || !part_open(&part, &c->load->in, number, err))
        return false;
    bool ok = true;
    err->kind = ERR_NONE;
    while (ok && part_next_company(&part, &a, &company, err)) {
        ok = company_row(c, &part, &company, skip, &a, err);
        arena_reset(&a);
    }
    ok = ok && err->kind == ERR_NONE;
    part_close(&part);
    arena_free(&a);
    return ok;
}

bool stream_companies(struct load *l, struct err *err)
{
    struct copying c;
    struct buf columns = {0};
    uint32_t skip = 0;
    int64_t rows;
    for (uint32_t i = 0; i < company_record.n_fields; i++)
        if (strcmp(company_record.fields[i].name, "part") == 0)
            skip = 1u << i;
    copy_columns(&company_record, skip, "", &columns);
    buf_adds(&columns, ", digest, payroll_closed");
    bool ok = copying_begin(&c, l, "this_company", buf_str(&columns), err);
    for (int part = 0; ok && part < l->in.n_parts; part++)
        ok = companies_of_part(&c, part, skip, err);
    ok = copying_end(&c, ok, &rows, err);
    buf_free(&columns);
    return ok;
}

/* ---- the parts ---- */

/* The companies of one part whose facts are to be copied, with their ranges. */
struct part_companies {
    struct company *v;
    size_t n, selected;
    struct arena arena;
};

/* What a company's index line says of each entity goes into the totals of the run. */
static bool company_tally(struct load *l, const struct company *c, struct err *err)
{
    bool closed = company_set_has(&l->closed, c->company_id);
    for (uint32_t k = 0; k < c->ranges.n; k++) {
        const struct range *range = list_at(c->ranges, sizeof *range, k);
        for (int i = 0; i < n_entities; i++) {
            if (!str_is(range->entity, entities[i].record->entity))
                continue;
            bool skip = closed && entities[i].scope == SCOPE_MONTH;
            *(skip ? &l->entity[i].skipped : &l->entity[i].rows) += range->rows;
            if (!skip && !money_add(&l->entity[i].cents, range->cents))
                return err_set(err, ERR_DATA, "%s: the sum of cents is beyond 64 bits", entities[i].record->entity);
        }
    }
    return true;
}

static bool part_companies_read(struct load *l, int number, struct part_companies *ret, struct err *err)
{
    const struct staging_part_index *index = &l->in.part[number];
    struct str lines = {l->in.index.p + index->offset, (uint32_t)index->bytes, false}, line;
    arena_reset(&ret->arena);
    ret->v = arena_alloc(&ret->arena, (size_t)index->companies * sizeof *ret->v);
    ret->n = ret->selected = 0;
    while (next_line(&lines, &line)) {
        struct company company;
        struct faults faults = {0};
        if (!ndjson_decode(&company_record, line, &ret->arena, &company, &faults))
            return err_set(err, ERR_DATA, "%s/companies.ndjson: part %d: %.*s", l->in.path, number,
                           (int)faults.text[0].len, faults.text[0].p);
        if (!stage_selects(l->run, company.company_id))
            continue;
        ret->selected++;
        if (company.status != COMPANY_OK)
            continue;
        if (!company_tally(l, &company, err))
            return false;
        ret->v[ret->n++] = company;
    }
    return true;
}

/* The lines of one entity of one company, one struct at a time. */
static bool copy_lines(struct copying *c, const struct record *r, const struct part_in *part,
                       const struct company *company, void *rec, struct arena *a, struct err *err)
{
    int64_t n = 0;
    struct str lines = part_lines(part, company, r, NULL, NULL), line;
    while (next_line(&lines, &line)) {
        struct faults faults;
        faults.n = 0;
        n++;
        if (n % LINES_PER_RESET == 0)
            arena_reset(a);
        if (!ndjson_decode(r, line, a, rec, &faults))
            return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s, its line %lld: %.*s", part->in->path,
                           r->entity, part->number, (int)company->company_id.len, company->company_id.p, (long long)n,
                           (int)faults.text[0].len, faults.text[0].p);
        if (!str_eq(*(const struct str *)rec, company->company_id))   /* the first field of every record */
            return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s, its line %lld is another company's",
                           part->in->path, r->entity, part->number, (int)company->company_id.len,
                           company->company_id.p, (long long)n);
        copy_row(r, rec, 0, &c->rows);
        if (!copying_flush(c, FLUSH_BYTES, err))
            return false;
    }
    return true;
}

/* One entity of one part, but for the companies of two sets (either may be NULL). */
static bool copy_entity(struct load *l, const struct record *r, const char *destination, const char *columns,
                        const struct part_in *part, const struct part_companies *companies,
                        const struct company_set *without, const struct company_set *nor, int64_t *ret_rows,
                        struct err *err)
{
    struct copying c;
    struct arena a = {0};
    void *rec = mem_alloc(r->size);
    bool ok = copying_begin(&c, l, destination, columns, err);
    for (size_t i = 0; ok && i < companies->n; i++) {
        const struct company *company = &companies->v[i];
        if ((without && company_set_has(without, company->company_id)) ||
            (nor && company_set_has(nor, company->company_id)))
            continue;
        ok = copy_lines(&c, r, part, company, rec, &a, err);
        arena_reset(&a);
    }
    ok = copying_end(&c, ok, ret_rows, err);
    arena_free(&a);
    free(rec);
    return ok;
}

static bool has(const struct part_in *part, const struct record *r)
{
    for (int i = 0; i < part->n_files; i++)
        if (part->file[i].record == r)
            return true;
    return false;
}

static bool copy_part(struct load *l, const struct part_in *part, const struct part_companies *companies,
                      int64_t *rows_done, struct err *err)
{
    int64_t rows = 0;
    for (int i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        struct entity_load *el = &l->entity[i];
        char destination[64];
        if (!has(part, e->record))
            continue;
        snprintf(destination, sizeof destination, "%s%s", el->direct ? "payroll." : "new_", e->record->name);
        if (!copy_entity(l, e->record, destination, entity_value(el->variables, "columns"), part, companies,
                         &l->same, e->scope == SCOPE_MONTH ? &l->closed : NULL, &rows, err))
            return false;
        *rows_done += rows;
    }
    if (!has(part, &discrepancy_record))
        return true;
    struct buf columns = {0};
    copy_columns(&discrepancy_record, 0, "", &columns);
    bool ok = copy_entity(l, &discrepancy_record, "new_discrepancy", buf_str(&columns), part, companies, NULL, NULL,
                          &rows, err);
    buf_free(&columns);
    l->discrepancy.seen += rows;
    *rows_done += rows;
    return ok;
}

/* ---- rejects ---- */

/* Those of the companies taken. One that names no company goes with the first shard, and not with --company. */
static bool reject_wanted(const struct load *l, const struct reject *reject)
{
    return reject->company_id.p ? stage_selects(l->run, reject->company_id) : l->whole && l->run->opt.shard == 0;
}

static bool rejects_map(const struct load *l, struct map *ret, struct err *err)
{
    char *path = mem_printf("%s/rejects.ndjson", l->in.path), sha256[SHA256_HEX + 1];
    bool ok = map_open(ret, path, err);
    for (int i = 0; ok && i < l->in.n_files; i++) {
        if (l->in.file[i].record != &reject_record)
            continue;
        sha256_of(ret->p, ret->len, sha256);
        if (strcmp(sha256, l->in.file[i].sha256) != 0) {
            map_close(ret);
            ok = err_set(err, ERR_DATA, "%s: expected SHA-256 %s, found %s", path, l->in.file[i].sha256, sha256);
        }
    }
    free(path);
    return ok;
}

static bool copy_rejects(struct load *l, struct err *err)
{
    struct map map;
    if (!l->in.rejects)
        return true;
    if (!rejects_map(l, &map, err))
        return false;
    struct buf columns = {0};
    struct arena a = {0};
    struct copying c;
    copy_columns(&reject_record, 0, "", &columns);
    bool ok = copying_begin(&c, l, "new_reject", buf_str(&columns), err);
    const char *p = map.p, *end = map.p + map.len;
    for (int64_t n = 1; ok && p < end; n++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        struct str line = {p, (uint32_t)((newline ? newline : end) - p), false};
        struct reject reject;
        struct faults faults;
        faults.n = 0;
        arena_reset(&a);
        if (!ndjson_decode(&reject_record, line, &a, &reject, &faults)) {
            ok = err_set(err, ERR_DATA, "%s/rejects.ndjson:%lld: %.*s", l->in.path, (long long)n,
                         (int)faults.text[0].len, faults.text[0].p);
        } else if (reject_wanted(l, &reject)) {
            copy_row(&reject_record, &reject, 0, &c.rows);
            l->rejects++;
            ok = copying_flush(&c, FLUSH_BYTES, err);
        }
        p += line.len + 1;
    }
    int64_t rows;
    ok = copying_end(&c, ok, &rows, err);
    arena_free(&a);
    buf_free(&columns);
    map_close(&map);
    return ok;
}

bool stream_entities(struct load *l, struct err *err)
{
    struct part_companies companies = {0};
    int64_t done = 0, rows = 0;
    bool ok = true;
    stage_progress(l->run, (long)(l->companies_ok + l->companies_failed));
    for (int number = 0; ok && number < l->in.n_parts; number++) {
        struct part_in part;
        ok = !stage_stopped(err) && part_companies_read(l, number, &companies, err);
        done += (int64_t)companies.selected;
        if (!ok || !companies.n)
            continue;
        ok = part_open(&part, &l->in, number, err);
        if (ok) {
            ok = copy_part(l, &part, &companies, &rows, err);
            part_close(&part);
        }
        progress_step((long)done, rows);
    }
    progress_end();
    arena_free(&companies.arena);
    return ok && copy_rejects(l, err);
}
