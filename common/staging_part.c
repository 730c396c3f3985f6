/* Writing one part: the unit of parallel work. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <unistr.h>

#include "common/manifest.h"

void part_begin(struct part *p, const struct staging_out *out, int number)
{
    *p = (struct part){.out = out, .number = number};
}

static struct part_file *file_find(struct part *p, const struct record *r)
{
    for (int i = 0; i < p->n_files; i++)
        if (p->file[i].record == r)
            return &p->file[i];
    return NULL;
}

static char *file_path(const struct part *p, const struct part_file *f)
{
    struct arena a = {0};
    char *path = mem_printf("%s/%s", p->out->path, staged_name(&a, f->record, p->number));
    arena_free(&a);
    return path;
}

/* The entity's file, known from its first row on, created when it is first written to. */
static struct part_file *file_for(struct part *p, const struct record *r, struct err *err)
{
    struct part_file *f = file_find(p, r);
    if (f)
        return f;
    if (!*r->entity || r == &company_record || r == &reject_record || p->n_files == ENTITIES_MAX) {
        err_set(err, ERR_BUG, "a part cannot hold records of %s", r->name);
        return NULL;
    }
    f = &p->file[p->n_files++];
    *f = (struct part_file){.record = r};
    return f;
}

/* Writes what was passed on so far: the beginning of the file that it came from. */
static bool copy_passed(struct part_file *f, struct err *err)
{
    enum { BLOCK_BYTES = 128 << 10 };
    char *path, *block = mem_alloc(BLOCK_BYTES);
    int fd = -1;
    size_t size;
    bool ok = part_source(f->same, f->record, &path) && file_open(path, &fd, &size, err);
    for (int64_t left = f->total.bytes; ok && left > 0;) {
        ssize_t n = fd_read(fd, block, left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES);
        ok = n > 0 ? file_write(&f->out, block, (size_t)n, err) : err_set(err, ERR_IO, "cannot read %s again", path);
        left -= n;
    }
    if (fd >= 0)
        close(fd);
    free(block);
    free(path);
    f->same = NULL;
    return ok;
}

/* Ready to be written to. */
static bool file_begin(struct part *p, struct part_file *f, struct err *err)
{
    if (f->out.path)
        return true;
    char *path = file_path(p, f);
    bool ok = file_create(&f->out, path, err) && (!f->same || copy_passed(f, err));
    free(path);
    return ok;
}

static bool count(struct part *p, struct part_file *f, size_t len, int64_t rows, int64_t cents, struct err *err)
{
    const struct record *r = f->record;
    if (!money_add(&f->company.cents, cents) || !money_add(&f->total.cents, cents))
        return err_set(err, ERR_DATA, "part %d: the sum of %s.%s is beyond %" PRId64 " cents", p->number, r->name,
                       r->fields[r->sum_field].name, INT64_MAX);
    if ((uint64_t)f->company.bytes + len > ENTITY_BYTES_MAX)
        return err_set(err, ERR_DATA, "part %d: one company has more than %u bytes of %s", p->number, ENTITY_BYTES_MAX,
                       r->entity);
    f->company.rows += rows;
    f->company.bytes += (int64_t)len;
    f->total.rows += rows;
    f->total.bytes += (int64_t)len;
    p->bytes += (int64_t)len;
    return true;
}

static bool put(struct part *p, const struct record *r, const char *lines, size_t len, int64_t rows, int64_t cents,
                struct err *err)
{
    struct part_file *f = file_for(p, r, err);
    return f && file_begin(p, f, err) && file_write(&f->out, lines, len, err) && count(p, f, len, rows, cents, err);
}

/* What is staged must be readable: a record that is not is a fault of the caller. */
static bool unfit(const struct record *r, const void *rec, struct err *err)
{
    struct arena a = {0};
    struct faults faults = {0};
    if (record_check(r, rec, &a, &faults))
        return err_set(err, ERR_BUG, "a record of %s makes a line that is no UTF-8", r->name);
    err->kind = ERR_NONE;
    for (uint32_t i = 0; i < faults.n && i < FAULTS_MAX; i++)
        err_add(err, ERR_BUG, "a record of %s is not fit to be staged: %.*s", r->name, (int)faults.text[i].len,
                faults.text[i].p);
    arena_free(&a);
    return false;
}

bool part_put(struct part *p, const struct record *r, const void *rec, struct err *err)
{
    int64_t cents = 0;
    p->line.len = 0;
    if (!ndjson_encode_fit(r, rec, &p->line))
        return unfit(r, rec, err);
    if (r->sum_field >= 0)
        memcpy(&cents, (const char *)rec + r->fields[r->sum_field].offset, sizeof cents);
    return put(p, r, p->line.p, p->line.len, 1, cents, err);
}

bool part_put_lines(struct part *p, const struct record *r, struct str lines, int64_t rows, int64_t cents,
                    struct err *err)
{
    if (!lines.len && !rows)
        return true;
    if (!lines.len || lines.p[lines.len - 1] != '\n' || (r->sum_field < 0 && cents))
        return err_set(err, ERR_BUG, "lines of %s passed on do not agree with their rows and cents", r->entity);
    return put(p, r, lines.p, lines.len, rows, cents, err);
}

bool part_pass(struct part *p, const struct record *r, const struct part_in *in, const struct company *c,
               struct err *err)
{
    const struct range *range = part_range(c, r);
    struct part_file *f = range ? file_for(p, r, err) : NULL;
    if (!f)
        return !range;
    if (!f->total.bytes)
        f->same = in;
    if (f->same == in && f->total.bytes == range->offset)
        return count(p, f, (size_t)range->bytes, range->rows, range->cents, err);
    return part_put_lines(p, r, part_lines(in, c, r, NULL, NULL), range->rows, range->cents, err);
}

/* ---- rejects ---- */

/* At most max bytes of whole, valid characters. */
static struct str text_clean(struct str s, uint32_t max, struct arena *a)
{
    static const char REPLACEMENT[] = "\xEF\xBF\xBD";
    struct buf b = {0};
    for (uint32_t at = 0; at < s.len;) {
        ucs4_t c = 0;
        int n = u8_mbtoucr(&c, (const uint8_t *)s.p + at, s.len - at);
        bool valid = n > 0 && c;
        size_t add = valid ? (size_t)n : sizeof REPLACEMENT - 1;
        if (b.len + add > max)
            break;
        buf_add(&b, valid ? s.p + at : REPLACEMENT, add);
        at += n > 0 ? (uint32_t)n : 1;
    }
    struct str clean = {arena_copy(a, buf_str(&b), b.len), (uint32_t)b.len, false};
    buf_free(&b);
    return s.p ? clean : STR_NULL;
}

static struct list texts_clean(struct list l, uint32_t max, struct arena *a)
{
    struct str *clean = arena_alloc(a, sizeof *clean * l.n);
    for (uint32_t i = 0; i < l.n; i++)
        clean[i] = text_clean(*(struct str *)list_at(l, sizeof *clean, i), max, a);
    return (struct list){clean, l.n};
}

void part_reject(struct part *p, const struct reject *reject)
{
    struct arena a = {0};
    struct reject clean = *reject;
    for (uint32_t i = 0; i < reject_record.n_fields; i++) {
        const struct field *f = &reject_record.fields[i];
        void *at = (char *)&clean + f->offset;
        if (f->type == F_TEXT)
            *(struct str *)at = text_clean(*(struct str *)at, f->max, &a);
        else if (f->type == F_TEXTS)
            *(struct list *)at = texts_clean(*(struct list *)at, f->max, &a);
    }
    struct faults faults = {0};
    p->faulty_reject = !record_check(&reject_record, &clean, &a, &faults) || p->faulty_reject;
    size_t before = p->rejects.len;
    ndjson_encode(&reject_record, &clean, &p->rejects);
    p->bytes += (int64_t)(p->rejects.len - before);
    p->n_rejects++;
    arena_free(&a);
}

/* ---- companies ---- */

/* Where the company's records lie, in the order of the records; the next company begins behind them. */
static uint32_t ranges_take(struct part *p, struct range *ret)
{
    uint32_t n = 0;
    for (int i = 0; record_all[i]; i++) {
        struct part_file *f = file_find(p, record_all[i]);
        if (!f || !f->company.rows)
            continue;
        ret[n] = f->company;
        ret[n++].entity = str_of(record_all[i]->entity);
        f->company = (struct range){.offset = f->total.bytes};
    }
    return n;
}

bool part_end_company(struct part *p, const struct company *c, struct err *err)
{
    struct range ranges[ENTITIES_MAX];
    struct company line = *c;
    line.part = p->number;
    line.ranges = (struct list){ranges, ranges_take(p, ranges)};
    if (p->faulty_reject)
        return err_set(err, ERR_BUG, "a reject of company %.*s lacks its stage, entity, reason or source",
                       (int)c->company_id.len, c->company_id.p);
    size_t before = p->index.len;
    if (!ndjson_encode_fit(&company_record, &line, &p->index))
        return unfit(&company_record, &line, err);
    p->bytes += (int64_t)(p->index.len - before);
    if (c->status == COMPANY_OK)
        p->companies_ok++;
    else
        p->companies_failed++;
    return true;
}

/* ---- end ---- */

static void part_release(struct part *p)
{
    for (int i = 0; i < p->n_files; i++)
        file_abandon(&p->file[i].out);
    buf_free(&p->index);
    buf_free(&p->rejects);
    buf_free(&p->line);
    *p = (struct part){0};
}

/* A file that is the same from end to end gets its name and has its digests already. */
static bool link_same(const struct part *p, struct part_file *f)
{
    char *from, *to = file_path(p, f);
    const struct staging_file *source = part_source(f->same, f->record, &from);
    if (source && source->bytes == f->total.bytes && file_link(from, to))
        f->linked = source;
    free(from);
    free(to);
    return f->linked;
}

bool part_settle(struct part *p, struct err *err)
{
    for (int i = 0; i < p->n_files; i++) {
        struct part_file *f = &p->file[i];
        if (f->linked || (f->same && link_same(p, f)))
            continue;
        if (!file_begin(p, f, err) || !file_flush(&f->out, err))
            return false;
        buf_free(&f->out.pending);
    }
    return true;
}

static bool file_finish(struct part_file *f, struct digests *ret, struct err *err)
{
    if (!f->linked)
        return file_commit(&f->out, ret, err);
    *ret = f->linked->digests;
    return true;
}

static bool files_commit(struct part *p, struct part_done *done, struct arena *a, struct err *err)
{
    for (int i = 0; record_all[i]; i++) {
        struct part_file *f = file_find(p, record_all[i]);
        if (!f)
            continue;
        struct staging_file *to = &done->file[done->n_files++];
        *to = (struct staging_file){.name = staged_name(a, f->record, p->number), .record = f->record,
                                    .part = p->number, .rows = f->total.rows, .bytes = f->total.bytes,
                                    .cents = f->total.cents};
        if (f->company.rows)
            return err_set(err, ERR_BUG, "%s: records of a company that was not ended", to->name);
        if (!file_finish(f, &to->digests, err))
            return false;
    }
    return true;
}

static bool done_commit(const struct part *p, const struct part_done *done, struct arena *a, struct err *err)
{
    struct buf text = {0};
    struct out_file out = {0};
    bool ok = part_done_head(done, &text, err) && file_create(&out, done_path(a, p->out->path, p->number), err) &&
              (out.passing = true) && file_write(&out, text.p, text.len, err) &&
              file_write(&out, done->index, done->index_bytes, err) &&
              file_write(&out, done->rejects, done->rejects_bytes, err) && file_commit(&out, NULL, err);
    file_abandon(&out);
    buf_free(&text);
    return ok;
}

bool part_commit(struct part *p, struct err *err)
{
    struct arena a = {0};
    struct part_done done = {
        .companies_ok = p->companies_ok,       .companies_failed = p->companies_failed,
        .n_rejects = p->n_rejects,             .index = p->index.p,
        .index_bytes = p->index.len,           .rejects = p->rejects.p,
        .rejects_bytes = p->rejects.len,
    };
    bool ok = part_settle(p, err) && files_commit(p, &done, &a, err) && done_commit(p, &done, &a, err);
    arena_free(&a);
    part_release(p);
    return ok;
}

void part_abandon(struct part *p)
{
    part_release(p);
}
