/* The index of a stage's output: verified, and added up against the manifest. It grows with the companies, memory does
 * not: its bytes are forgotten block by block. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/manifest.h"

const struct staging_file *staged_file(const struct staging_in *in, const struct record *r, int part)
{
    for (int i = 0; i < in->n_files; i++)
        if (in->file[i].part == part && in->file[i].record == r)
            return &in->file[i];
    return NULL;
}

bool index_map(const struct staging_in *in, int part, struct map *ret, struct err *err)
{
    const struct staging_part_index *lines = &in->part[part];
    char *path = mem_printf("%s/companies.ndjson", in->path);
    bool ok = map_piece(ret, in->index_fd, (size_t)lines->offset, (size_t)lines->bytes, path, err);
    free(path);
    return ok;
}

/* The parts follow each other from the first byte to the last: the manifest has been checked for it. */
static bool index_digest(const struct staging_in *in, char ret_xxh128[XXH128_HEX + 1], struct err *err)
{
    struct xxh128 hash;
    struct map lines;
    bool ok = true;
    xxh128_start(&hash);
    for (int part = 0; ok && part < in->n_parts; part++) {
        ok = index_map(in, part, &lines, err);
        if (ok) {
            xxh128_add(&hash, lines.p, lines.len);
            map_close(&lines);
        }
    }
    xxh128_end(&hash, ret_xxh128);
    return ok;
}

static bool index_verify(struct staging_in *in, struct err *err)
{
    const struct staging_file *f = staged_file(in, &company_record, -1);
    if (!f) /* the manifest has been checked for it */
        return err_set(err, ERR_BUG, "%s: no companies.ndjson", in->path);
    char *path = mem_printf("%s/%s", in->path, f->name), xxh128[XXH128_HEX + 1];
    size_t bytes = 0;
    bool ok = file_open(path, &in->index_fd, &bytes, err) && staged_size_is(f, path, bytes, err) &&
              index_digest(in, xxh128, err) && staged_digest_is(f, path, xxh128, err);
    free(path);
    return ok;
}

/* What the index lines of one part have said so far, entity by entity. */
struct tally {
    const struct staging_in *in;
    int part;
    int64_t line;          /* in companies.ndjson */
    struct { int64_t rows, bytes, cents; } entity[ENTITIES_MAX];
    int64_t ok, failed;
    char last[64 + 1];     /* company_id of the line before: the record allows no longer one */
};

static bool line_fault(const struct tally *t, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool line_fault(const struct tally *t, struct err *err, const char *format, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, format);
    buf_addv(&text, format, ap);
    va_end(ap);
    err_add(err, ERR_DATA, "%s/companies.ndjson:%" PRId64 ": %s", t->in->path, t->line, buf_str(&text));
    buf_free(&text);
    return false;
}

/* *last: rank of the range before; each entity appears once, or the second range would be read by nobody. */
static bool range_tally(struct tally *t, const struct range *r, int *last, struct err *err)
{
    const struct record *record = record_by_entity(r->entity);
    if (!record || record == &company_record || record == &reject_record)
        return line_fault(t, err, "ranges: \"%.*s\" is no entity of a part", (int)r->entity.len, r->entity.p);
    int rank = record_rank(record);
    if (rank <= *last)
        return line_fault(t, err, "range of %s: listed twice or out of order", record->entity);
    *last = rank;
    if (r->offset != t->entity[rank].bytes)
        return line_fault(t, err, "range of %s: expected offset %" PRId64 ", found %" PRId64, record->entity,
                          t->entity[rank].bytes, r->offset);
    if (r->rows < 1 || r->bytes < r->rows || r->bytes > ENTITY_BYTES_MAX)
        return line_fault(t, err, "range of %s: %" PRId64 " rows in %" PRId64 " bytes", record->entity, r->rows,
                          r->bytes);
    t->entity[rank].rows += r->rows;
    t->entity[rank].bytes += r->bytes;
    if (!money_add(&t->entity[rank].cents, r->cents))
        return line_fault(t, err, "range of %s: the sum of cents is beyond 64 bits", record->entity);
    return true;
}

static bool company_tally(struct tally *t, struct str line, struct arena *a, struct err *err)
{
    struct company c;
    struct faults faults = {0};
    if (!ndjson_decode(&company_record, line, a, &c, &faults)) {
        for (uint32_t i = 0; i < faults.n; i++)
            line_fault(t, err, "%.*s", (int)faults.text[i].len, faults.text[i].p);
        return false;
    }
    bool ok = c.part == t->part || line_fault(t, err, "part: expected %d, found %" PRId64, t->part, c.part);
    if (str_cmp(str_of(t->last), c.company_id) >= 0)
        ok = line_fault(t, err, "company_id: %.*s behind %s; expected every company once, by the bytes of their ids: run "
                        "extract again", (int)c.company_id.len, c.company_id.p, t->last);
    snprintf(t->last, sizeof t->last, "%.*s", (int)c.company_id.len, c.company_id.p);
    int last = -1;
    for (uint32_t i = 0; i < c.ranges.n; i++)
        ok = range_tally(t, list_at(c.ranges, sizeof(struct range), i), &last, err) && ok;
    if (c.status == COMPANY_OK)
        t->ok++;
    else
        t->failed++;
    return ok;
}

/* The ranges of a part fill its files from end to end and add up to what the manifest says of them. */
static bool part_totals_check(const struct tally *t, struct err *err)
{
    bool ok = true;
    for (int rank = 0; record_all[rank]; rank++) {
        const struct staging_file *f = staged_file(t->in, record_all[rank], t->part);
        int64_t rows = f ? f->rows : 0, bytes = f ? f->bytes : 0, cents = f ? f->cents : 0;
        if (t->entity[rank].rows == rows && t->entity[rank].bytes == bytes && t->entity[rank].cents == cents)
            continue;
        ok = err_add(err, ERR_DATA,
                     "%s/manifest.json: %s of part %d: %" PRId64 " rows, %" PRId64 " bytes, %" PRId64
                     " cents; expected %" PRId64 ", %" PRId64 ", %" PRId64 " as companies.ndjson adds up",
                     t->in->path, record_all[rank]->entity, t->part, rows, bytes, cents, t->entity[rank].rows,
                     t->entity[rank].bytes, t->entity[rank].cents);
    }
    return ok;
}

static bool index_check(const struct staging_in *in, struct err *err)
{
    struct arena a = {0};
    struct tally t = {.in = in};
    bool ok = true;
    for (t.part = 0; t.part < in->n_parts; t.part++) {
        if (in->part[t.part].bytes > UINT32_MAX) {
            ok = err_add(err, ERR_DATA, "%s/manifest.json: parts[%d].bytes: expected less than 4 GiB", in->path, t.part);
            break;
        }
        struct map lines = {0};
        if (!index_map(in, t.part, &lines, err)) {
            ok = false;
            break;
        }
        struct str left = {lines.p, (uint32_t)lines.len, false}, line;
        int64_t before = t.line;
        memset(t.entity, 0, sizeof t.entity);
        bool lines_ok = true;
        while (str_next_line(&left, &line)) {
            t.line++;
            lines_ok = company_tally(&t, line, &a, err) && lines_ok;
            arena_reset(&a);
        }
        if (t.line - before != in->part[t.part].companies)
            lines_ok = err_add(err, ERR_DATA, "%s/manifest.json: parts[%d].companies: expected %" PRId64
                               ", found %" PRId64, in->path, t.part, t.line - before, in->part[t.part].companies);
        ok = lines_ok && part_totals_check(&t, err) && ok;
        map_close(&lines);
    }
    arena_free(&a);
    if (ok && (t.ok != in->companies_ok || t.failed != in->companies_failed))
        ok = err_add(err, ERR_DATA, "%s/manifest.json: companies: expected %" PRId64 " ok and %" PRId64
                     " failed, found %" PRId64 " and %" PRId64, in->path, t.ok, t.failed, in->companies_ok,
                     in->companies_failed);
    return ok;
}

bool index_open(struct staging_in *in, struct err *err)
{
    return index_verify(in, err) && index_check(in, err);
}
