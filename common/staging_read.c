/* Reading a stage's output: nothing is believed before it is checked. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/manifest.h"

enum { SCAN_FORGET_BYTES = 2 << 20 };

/* ---- opening: the manifest ---- */

static bool levels_check(const char *dir, const char *path, struct err *err)
{
    char *work = mem_strdup(path);
    bool ok = dir_check(dir, err);
    for (char *slash = strchr(work + strlen(dir) + 1, '/'); ok && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = dir_check(work, err);
        *slash = '/';
    }
    free(work);
    return ok;
}

/* The shard's own manifest, else that of the whole. */
static char *manifest_choose(const char *dir, struct run_info *info)
{
    char *path = staging_manifest(dir, info);
    if (info->shards <= 1 || file_exists(path))
        return path;
    struct run_info whole = *info;
    whole.shard = 0;
    whole.shards = 1;
    char *whole_path = staging_manifest(dir, &whole);
    if (!file_exists(whole_path)) {
        free(whole_path);
        return path;
    }
    free(path);
    *info = whole;
    return whole_path;
}

static bool info_match(const struct run_info *wanted, const struct run_info *found, const char *path, struct err *err)
{
    char expected[MONTH_TEXT_MAX], month[MONTH_TEXT_MAX];
    bool ok = true;
    if (found->stage != wanted->stage)
        ok = err_add(err, ERR_DATA, "%s: manifest.stage: expected %s, found %s", path,
                     stage_enumeration.names[wanted->stage], stage_enumeration.names[found->stage]);
    if (strcmp(found->run_id, wanted->run_id) != 0)
        ok = err_add(err, ERR_DATA, "%s: manifest.run_id: expected %s, found %s", path, wanted->run_id, found->run_id);
    if (found->period != wanted->period)
        ok = err_add(err, ERR_DATA, "%s: manifest.period: expected %s, found %s", path,
                     month_text(wanted->period, expected), month_text(found->period, month));
    if (found->shard != wanted->shard || found->shards != wanted->shards)
        ok = err_add(err, ERR_DATA, "%s: manifest.shard: expected %d of %d, found %d of %d", path, wanted->shard,
                     wanted->shards, found->shard, found->shards);
    return ok;
}

/* Every file is there with its size; what it holds is checked when it is mapped. */
static bool sizes_check(const struct staging_in *in, struct err *err)
{
    bool ok = true;
    for (int i = 0; i < in->n_files; i++) {
        const struct staging_file *f = &in->file[i];
        char *path = mem_printf("%s/%s", in->path, f->name);
        struct stat st;
        struct err fault;
        if (!file_exists(path))
            ok = err_add(err, ERR_DATA, "%s: missing; expected a file of %" PRId64 " bytes", path, f->bytes);
        else if (stat(path, &st))
            ok = err_errno(&fault, ERR_IO, "cannot look at %s", path) || err_add(err, fault.kind, "%s", fault.text);
        else if (st.st_size != f->bytes)
            ok = err_add(err, ERR_DATA, "%s: expected %" PRId64 " bytes, found %lld", path, f->bytes,
                         (long long)st.st_size);
        free(path);
    }
    return ok;
}

static bool file_map(const struct staging_in *in, const struct staging_file *f, bool verify, struct map *ret,
                     struct err *err)
{
    char *path = mem_printf("%s/%s", in->path, f->name), xxh128[XXH128_HEX + 1];
    bool ok = map_open(ret, path, err) && staged_size_is(f, path, ret->len, err);
    if (ok && verify) {
        xxh128_of(ret->p, ret->len, xxh128);
        ok = staged_digest_is(f, path, xxh128, err);
    }
    if (!ok)
        map_close(ret);
    free(path);
    return ok;
}

bool rejects_open(struct map *ret, const struct staging_in *in, struct err *err)
{
    return file_map(in, staged_file(in, &reject_record, -1), true, ret, err);
}

bool staging_open(struct staging_in *in, const char *dir, const struct run_info *info, struct err *err)
{
    struct run_info wanted = *info;
    wanted.dry_run = false;
    *in = (struct staging_in){.index_fd = -1};
    char *manifest = manifest_choose(dir, &wanted);
    bool ok = file_exists(manifest) ? levels_check(dir, manifest, err) && manifest_read(in, manifest, err)
                                    : err_set(err, ERR_NO_INPUT, "%s: missing: %s of run %s is not complete", manifest,
                                              stage_enumeration.names[info->stage], info->run_id);
    if (ok) {
        in->path = arena_copy(&in->arena, manifest, strlen(manifest) - strlen("/manifest.json"));
        ok = info_match(&wanted, &in->info, manifest, err);
        ok = sizes_check(in, err) && ok;
        ok = ok && index_open(in, err);
    }
    free(manifest);
    if (!ok)
        staging_close(in);
    return ok;
}

void staging_close(struct staging_in *in)
{
    if (in->path && in->index_fd >= 0)
        close(in->index_fd);
    arena_free(&in->arena);
    *in = (struct staging_in){0};
}

/* ---- one part ---- */

bool part_index(struct part_in *p, const struct staging_in *in, int number, struct err *err)
{
    *p = (struct part_in){.in = in, .number = number};
    if (!index_map(in, number, &p->index, err))
        return false;
    p->index_left = (struct str){p->index.p, (uint32_t)p->index.len, false};
    return true;
}

static bool part_map(struct part_in *p, const struct staging_in *in, int number, const struct record *only, bool verify,
                     struct err *err)
{
    if (!part_index(p, in, number, err))
        return false;
    for (int i = 0; i < in->n_files; i++) {
        if (in->file[i].part != number || (only && in->file[i].record != only))
            continue;
        struct map map;
        if (!file_map(in, &in->file[i], verify, &map, err)) {
            part_close(p);
            return false;
        }
        p->file[p->n_files].record = in->file[i].record;
        p->file[p->n_files++].map = map;
    }
    return true;
}

bool part_open(struct part_in *p, const struct staging_in *in, int number, const struct record *only,
               struct err *err)
{
    return part_map(p, in, number, only, true, err);
}

bool part_open_again(struct part_in *p, const struct staging_in *in, int number, struct err *err)
{
    return part_map(p, in, number, NULL, false, err);
}

bool part_stream(struct part_in *p, const struct staging_in *in, int number, struct err *err)
{
    if (!part_index(p, in, number, err))
        return false;
    for (int i = 0; i < in->n_files; i++) {
        if (in->file[i].part == number && !stream_open(&p->file[p->n_files++], in->path, &in->file[i], err)) {
            part_close(p);
            return false;
        }
    }
    return true;
}

bool part_verify(struct part_in *p, struct err *err)
{
    for (int i = 0; i < p->n_files; i++)
        if (p->file[i].stream && !stream_verify(&p->file[i], err))
            return false;
    return true;
}

void part_close(struct part_in *p)
{
    map_close(&p->index);
    for (int i = 0; i < p->n_files; i++) {
        stream_close(&p->file[i]);
        map_close(&p->file[i].map);
    }
    *p = (struct part_in){0};
}

static const struct part_in_file *part_file_of(const struct part_in *p, const struct record *r)
{
    for (int i = 0; i < p->n_files; i++)
        if (p->file[i].record == r)
            return &p->file[i];
    return NULL;
}

void part_forget(const struct part_in *p, const struct record *r)
{
    for (int i = 0; i < p->n_files; i++)
        if (!r || p->file[i].record == r)
            map_forget(&p->file[i].map, 0, p->file[i].map.len);
}

struct company company_lines(const struct company *c, struct arena *a)
{
    struct company ret = {.company_id = {arena_copy(a, c->company_id.p, c->company_id.len), c->company_id.len, false},
                          .status = c->status};
    struct range *ranges = arena_raw(a, c->ranges.n * sizeof *ranges);
    for (uint32_t i = 0; i < c->ranges.n; i++) {
        ranges[i] = *(struct range *)list_at(c->ranges, sizeof *ranges, i);
        ranges[i].entity = str_of(record_by_entity(ranges[i].entity)->entity);
    }
    ret.ranges = (struct list){ranges, c->ranges.n};
    return ret;
}

const struct range *part_range(const struct company *c, const struct record *r)
{
    for (uint32_t i = 0; i < c->ranges.n; i++) {
        const struct range *range = list_at(c->ranges, sizeof *range, i);
        if (str_is(range->entity, r->entity))
            return range;
    }
    return NULL;
}

/* That the ranges fill the files was checked with the index; here, that they hold whole lines and as many as told. */
static bool ranges_take(struct part_in *p, const struct company *c, struct err *err)
{
    for (int i = 0; i < p->n_files; i++) {
        p->file[i].rows_before += p->file[i].rows;
        p->file[i].rows = 0;
    }
    for (uint32_t i = 0; i < c->ranges.n; i++) {
        const struct range *range = list_at(c->ranges, sizeof *range, i);
        const struct record *r = record_by_entity(range->entity);
        const struct part_in_file *found = part_file_of(p, r);
        if (!found)
            continue;   /* not opened */
        struct part_in_file *f = &p->file[found - p->file];
        const char *lines = f->map.p + range->offset;
        int64_t rows = f->stream ? stream_hold(f, range->offset, range->bytes) : str_newlines(lines, (size_t)range->bytes);
        f->rows = rows;
        if (rows != range->rows || lines[range->bytes - 1] != '\n')
            return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s: expected %" PRId64
                           " whole lines from byte %" PRId64 ", found %" PRId64, p->in->path, r->entity, p->number,
                           (int)c->company_id.len, c->company_id.p, range->rows, range->offset, rows);
    }
    return true;
}

bool part_next_listed(struct part_in *p, struct arena *a, struct company *ret, struct err *err)
{
    struct str line;
    struct faults faults = {0};
    if (!str_next_line(&p->index_left, &line))
        return false;
    p->index_line++;
    if (!ndjson_decode(&company_record, line, a, ret, &faults))
        return err_set(err, ERR_DATA, "%s/companies.ndjson: company %" PRId64 " of part %d: %.*s", p->in->path,
                       p->index_line, p->number, (int)faults.text[0].len, faults.text[0].p);
    return true;
}

bool part_next_company(struct part_in *p, struct arena *a, struct company *ret, struct err *err)
{
    return part_next_listed(p, a, ret, err) && ranges_take(p, ret, err);
}

const struct staging_file *part_source(const struct part_in *p, const struct record *r, char **ret_path)
{
    const struct staging_file *f = staged_file(p->in, r, p->number);
    *ret_path = f ? mem_printf("%s/%s", p->in->path, f->name) : NULL;
    return f;
}

struct str part_lines(const struct part_in *p, const struct company *c, const struct record *r, int64_t *ret_rows,
                      int64_t *ret_cents)
{
    const struct range *range = part_range(c, r);
    if (ret_rows)
        *ret_rows = range ? range->rows : 0;
    if (ret_cents)
        *ret_cents = range ? range->cents : 0;
    return range ? (struct str){part_file_of(p, r)->map.p + range->offset, (uint32_t)range->bytes, false} : STR("");
}

/* ---- records ---- */

/* A list of rejects in an arena doubles at each power of two. */
static struct reject *reject_append(struct list *rejects, struct arena *a)
{
    struct reject *all = rejects->v;
    if (!(rejects->n & (rejects->n - 1))) {
        all = arena_alloc(a, sizeof *all * (rejects->n ? rejects->n * 2 : 1));
        if (rejects->n)
            memcpy(all, rejects->v, sizeof *all * rejects->n);
        rejects->v = all;
    }
    record_init(&reject_record, &all[rejects->n]);
    return &all[rejects->n++];
}

/* The stage that reads is the one behind the stage that wrote. */
static void line_reject(const struct part_in *p, const struct company *c, const struct record *r, struct str line,
                        const struct faults *faults, struct arena *a, struct list *rejects)
{
    struct reject *reject = reject_append(rejects, a);
    const struct part_in_file *file = part_file_of(p, r);
    const char *begin = part_lines(p, c, r, NULL, NULL).p;
    struct str *texts = arena_alloc(a, sizeof *texts * faults->n);
    memcpy(texts, faults->text, sizeof *texts * faults->n);
    reject->stage = (uint8_t)(p->in->info.stage + 1);
    reject->entity = str_of(r->entity);
    reject->company_id = c->company_id;
    reject->reason = (uint8_t)faults->reason;
    reject->faults = (struct list){texts, faults->n};
    reject->source = str_of(staged_name(a, r, p->number));
    reject->line = (file ? file->rows_before : 0) + str_newlines(begin, (size_t)(line.p - begin)) + 1;
    reject->raw = line;
}

void scan_begin(struct scan *s, const struct part_in *p, const struct company *c, const struct record *r, struct arena *a,
                struct list *rejects)
{
    int64_t rows;
    struct str lines = part_lines(p, c, r, &rows, NULL);
    *s = (struct scan){.part = p, .company = c, .arena = a, .rejects = rejects, .lines = {.record = r, .text = lines},
                       .rows = rows, .left = lines, .behind = lines.p};
}

/* What lies behind is not needed for now, where it is much; nor what was looked at with it. */
static inline void scan_forget(struct scan *s)
{
    if (s->left.p - s->behind < SCAN_FORGET_BYTES)
        return;
    part_forget(s->part, NULL);
    s->behind = s->left.p;
}

/* The next line, which is not just as it is encoded. */
static bool scan_other(struct scan *s, void *ret)
{
    struct faults faults = {0};
    struct str line = STR_NULL;
    s->at = NULL;
    if (str_next_line(&s->left, &line) && ndjson_decode(s->lines.record, line, s->arena, ret, &faults))
        return true;
    line_reject(s->part, s->company, s->lines.record, line, &faults, s->arena, s->rejects);
    return false;
}

bool scan_next(struct scan *s, void *ret)
{
    scan_forget(s);
    while (s->left.len) {
        const char *begin = s->left.p, *end = begin + s->left.len;
        s->mark = arena_mark(s->arena);
        const char *to = s->lines.record->straight(begin, end, s->arena, ret);
        if (to && to < end && *to == '\n') {
            s->at = begin;
            s->left = (struct str){to + 1, (uint32_t)(end - to - 1), false};
            return true;
        }
        if (scan_other(s, ret))
            return true;
    }
    return false;
}

uint32_t scan_keep(struct scan *s, const void *rec)
{
    struct lines *l = &s->lines;
    if (s->at)
        return (uint32_t)(s->at - l->text.p);
    memcpy(list_grow(&l->kept, &l->kept_cap, l->record->size, s->arena), rec, l->record->size);
    return l->text.len + l->kept.n - 1;
}

void scan_drop_lists(struct scan *s)
{
    if (s->at)
        arena_back(s->arena, s->mark);
}

void lines_read(const struct lines *l, uint32_t at, struct arena *a, void *ret)
{
    if (at >= l->text.len) {
        memcpy(ret, list_at(l->kept, l->record->size, at - l->text.len), l->record->size);
    } else if (!l->record->straight(l->text.p + at, l->text.p + l->text.len, a, ret)) {
        log_error("cannot read %s again: the file was changed while it was read", l->record->entity);
        _exit(ERR_IO);
    }
}

void *part_decode(const struct part_in *p, const struct company *c, const struct record *r, struct arena *a,
                  uint32_t *ret_n, struct list *rejects)
{
    struct scan s;
    uint32_t n = 0;
    scan_begin(&s, p, c, r, a, rejects);
    char *all = arena_raw(a, r->size * (size_t)s.rows); /* the decoder sets every field */
    while (scan_next(&s, all + r->size * n))
        n++;
    *ret_n = n;
    return all;
}
