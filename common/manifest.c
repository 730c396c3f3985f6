#include "common/manifest.h"

#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include "common/json_keys.h"
#include "common/stage.h"

/* ---- names ---- */

char *staged_name(struct arena *a, const struct record *r, int part)
{
    return part < 0 ? arena_printf(a, "%s.ndjson", r->entity) : arena_printf(a, "%s-%04d.ndjson", r->entity, part);
}

char *done_path(struct arena *a, const char *folder, int part)
{
    return arena_printf(a, "%s/part-%04d.done", folder, part);
}

int record_rank(const struct record *r)
{
    int rank = 0;
    while (record_all[rank] && record_all[rank] != r)
        rank++;
    return rank;
}

/* The record and part that a file name stands for; false when it is not the name this writer would have given. */
static bool name_parse(struct arena *a, const char *name, const struct record **ret_record, int *ret_part)
{
    int part = -1;
    const char *end = strrchr(name, '-');
    if (end) {
        char *rest;
        long number = strtol(end + 1, &rest, 10);
        if (number < 0 || number >= PARTS_MAX)
            return false;
        part = (int)number;
    } else {
        end = strchr(name, '.');
    }
    if (!end)
        return false;
    const struct record *r = record_by_entity((struct str){name, (uint32_t)(end - name), false});
    if (!r || strcmp(staged_name(a, r, part), name) != 0)
        return false;
    if ((part < 0) != (r == &company_record || r == &reject_record))
        return false;
    *ret_record = r;
    *ret_part = part;
    return true;
}

static bool digest_check(const char *hex, size_t digits, const char *where, const char *key, struct err *err)
{
    return (strlen(hex) == digits && strspn(hex, "0123456789abcdef") == digits) ||
           err_add(err, ERR_DATA, "%s.%s: expected a digest of %zu hexadecimal digits", where, key, digits);
}

/* ---- files ---- */

bool staged_size_is(const struct staging_file *f, const char *path, size_t found, struct err *err)
{
    return found == (size_t)f->bytes ||
           err_set(err, ERR_DATA, "%s: expected %" PRId64 " bytes, found %zu", path, f->bytes, found);
}

bool staged_digest_is(const struct staging_file *f, const char *path, const char *found_xxh128, struct err *err)
{
    return !strcmp(found_xxh128, f->digests.xxh128) ||
           err_set(err, ERR_DATA, "%s: expected XXH128 %s, found %s", path, f->digests.xxh128, found_xxh128);
}

static json_t *file_json(const struct staging_file *f)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s}", "name", f->name, "rows", (json_int_t)f->rows, "bytes",
                     (json_int_t)f->bytes, "cents", (json_int_t)f->cents, "sha256", f->digests.sha256, "xxh128",
                     f->digests.xxh128);
}

static json_t *files_json(const struct staging_file *file, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        if (json_array_append_new(list, file_json(&file[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static bool file_take(json_t *v, struct arena *a, struct arena *scratch, struct staging_file *f, const char *where,
                      struct err *err)
{
    const char *name, *sha256, *xxh128;
    const struct json_key keys[] = {
        {"name", WANT_TEXT, &name},       {"rows", WANT_COUNT, &f->rows},    {"bytes", WANT_COUNT, &f->bytes},
        {"cents", WANT_CENTS, &f->cents}, {"sha256", WANT_TEXT, &sha256},
        {"xxh128", WANT_TEXT, &xxh128},
    };
    if (!JSON_TAKE(v, keys, where, err))
        return false;
    bool ok = digest_check(sha256, SHA256_HEX, where, "sha256", err);
    ok = digest_check(xxh128, XXH128_HEX, where, "xxh128", err) && ok;
    if (!name_parse(scratch, name, &f->record, &f->part))
        return err_add(err, ERR_DATA, "%s.name: \"%.80s\" names no file of a stage's output", where, name);
    f->name = arena_copy(a, name, strlen(name));
    if (ok) {
        memcpy(f->digests.sha256, sha256, sizeof f->digests.sha256);
        memcpy(f->digests.xxh128, xxh128, sizeof f->digests.xxh128);
    }
    if (f->record->sum_field < 0 && f->cents)
        ok = err_add(err, ERR_DATA, "%s.cents: expected 0 for %s, found %" PRId64, where, name, f->cents);
    return ok;
}

/* Order: companies, rejects, then part by part in the order of the records. */
static int file_order(const struct staging_file *x, const struct staging_file *y)
{
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return record_rank(x->record) - record_rank(y->record);
}

static bool files_take(const json_t *list, struct arena *a, struct staging_file *file, const char *where,
                       struct err *err)
{
    bool ok = true;
    struct arena scratch = {0};
    for (size_t i = 0; i < json_array_size(list); i++, arena_reset(&scratch)) {
        char *here = arena_printf(&scratch, "%s.files[%zu]", where, i);
        if (!file_take(json_array_get(list, i), a, &scratch, &file[i], here, err))
            ok = false;
        else if (ok && i && file_order(&file[i - 1], &file[i]) >= 0)
            ok = err_add(err, ERR_DATA, "%s.name: %s is listed twice or out of order", here, file[i].name);
    }
    arena_free(&scratch);
    return ok;
}

/* ---- manifest.json ---- */

static json_t *parts_json(const struct staging_in *m)
{
    json_t *list = json_array();
    for (int i = 0; i < m->n_parts; i++) {
        const struct staging_part_index *p = &m->part[i];
        json_t *part = json_pack("{s:I, s:I, s:I}", "offset", (json_int_t)p->offset, "bytes", (json_int_t)p->bytes,
                                 "companies", (json_int_t)p->companies);
        if (json_array_append_new(list, part)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

bool manifest_write(const struct staging_in *m, struct buf *ret, struct err *err)
{
    char period[MONTH_TEXT_MAX], as_of[INSTANT_TEXT_MAX], began_at[INSTANT_TEXT_MAX];
    json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s?, s:{s:I, s:I}, s:I, s:o, s:o}", "schema_version",
        STAGING_FORMAT, "tool_version", TOOL_VERSION, "stage", stage_enumeration.names[m->info.stage], "run_id",
        m->info.run_id, "period", month_text(m->info.period, period), "as_of", instant_text(m->info.as_of, as_of),
        "began_at", instant_text(m->info.began_at, began_at), "shard", m->info.shard, "shards", m->info.shards,
        "made_from", m->info.made_from, "companies", "ok", (json_int_t)m->companies_ok, "failed",
        (json_int_t)m->companies_failed, "rejects", (json_int_t)m->rejects, "parts", parts_json(m), "files",
        files_json(m->file, m->n_files));
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    if (!text)
        return err_set(err, ERR_BUG, "the manifest of run %s cannot be written as JSON", m->info.run_id);
    buf_adds(ret, text);
    buf_addc(ret, '\n');
    free(text);
    return true;
}

static bool info_take(struct staging_in *m, json_t *root, const char *where, json_t **ret_companies,
                      json_t **ret_parts, json_t **ret_files, struct err *err)
{
    struct run_info *info = &m->info;
    const char *stage, *tool, *run_id, *period, *as_of, *began_at, *made_from;
    int64_t schema, shard, shards;
    const struct json_key keys[] = {
        {"schema_version", WANT_COUNT, &schema}, {"tool_version", WANT_TEXT, &tool},
        {"stage", WANT_TEXT, &stage},            {"run_id", WANT_TEXT, &run_id},
        {"period", WANT_TEXT, &period},          {"as_of", WANT_TEXT, &as_of},
        {"began_at", WANT_TEXT, &began_at},      {"shard", WANT_COUNT, &shard},
        {"shards", WANT_COUNT, &shards},         {"made_from", WANT_TEXT_OR_NULL, &made_from},
        {"companies", WANT_MAP, ret_companies},  {"rejects", WANT_COUNT, &m->rejects},
        {"parts", WANT_LIST, ret_parts},         {"files", WANT_LIST, ret_files},
    };
    if (!JSON_TAKE(root, keys, where, err))
        return false;
    bool ok = true;
    info->stage = (enum stage)enum_find(&stage_enumeration, str_of(stage));
    if (!info->stage)
        ok = err_add(err, ERR_DATA, "%s.stage: \"%.32s\" is no stage", where, stage);
    if (!run_id_valid(run_id))
        ok = err_add(err, ERR_DATA, "%s.run_id: \"%.80s\" is no run id", where, run_id);
    if (!month_parse(str_of(period), &info->period))
        ok = err_add(err, ERR_DATA, "%s.period: expected YYYY-MM, found \"%.32s\"", where, period);
    if (!instant_parse(str_of(as_of), &info->as_of))
        ok = err_add(err, ERR_DATA, "%s.as_of: expected an RFC 3339 instant, found \"%.32s\"", where, as_of);
    if (!instant_parse(str_of(began_at), &info->began_at))
        ok = err_add(err, ERR_DATA, "%s.began_at: expected an RFC 3339 instant, found \"%.32s\"", where, began_at);
    if (shards < 1 || shards > INT_MAX || shard >= shards)
        ok = err_add(err, ERR_DATA, "%s.shard: expected 0 <= shard < shards, found %" PRId64 " of %" PRId64, where,
                     shard, shards);
    if (made_from)
        ok = digest_check(made_from, SHA256_HEX, where, "made_from", err) && ok;
    info->run_id = arena_copy(&m->arena, run_id, strlen(run_id));
    info->made_from = made_from ? arena_copy(&m->arena, made_from, strlen(made_from)) : NULL;
    info->shard = (int)shard;
    info->shards = (int)shards;
    return ok;
}

/* Each part's lines follow those of the part before, and their companies add up. */
static bool parts_take(struct staging_in *m, const json_t *list, const char *where, struct err *err)
{
    bool ok = true;
    int64_t offset = 0, companies = 0;
    for (int i = 0; i < m->n_parts; i++) {
        struct staging_part_index *p = &m->part[i];
        const struct json_key keys[] = {
            {"offset", WANT_COUNT, &p->offset},
            {"bytes", WANT_COUNT, &p->bytes},
            {"companies", WANT_COUNT, &p->companies},
        };
        char *here = arena_printf(&m->arena, "%s.parts[%d]", where, i);
        if (!JSON_TAKE(json_array_get(list, (size_t)i), keys, here, err)) {
            ok = false;
            continue;
        }
        if (p->offset != offset)
            ok = err_add(err, ERR_DATA, "%s.offset: expected %" PRId64 ", found %" PRId64, here, offset, p->offset);
        if (!money_add(&offset, p->bytes) || !money_add(&companies, p->companies))
            return err_add(err, ERR_DATA, "%s: too large", here);
    }
    if (ok && (companies != m->companies_ok + m->companies_failed))
        ok = err_add(err, ERR_DATA, "%s.parts: %" PRId64 " companies, expected %" PRId64 " ok + %" PRId64 " failed",
                     where, companies, m->companies_ok, m->companies_failed);
    return ok;
}

static bool total_check(const struct staging_file *f, int64_t rows, int64_t bytes, const char *where, struct err *err)
{
    bool ok = true;
    if (f->rows != rows)
        ok = err_add(err, ERR_DATA, "%s: %s has %" PRId64 " rows, expected %" PRId64, where, f->name, f->rows, rows);
    if (bytes >= 0 && f->bytes != bytes)
        ok = err_add(err, ERR_DATA, "%s: %s has %" PRId64 " bytes, expected %" PRId64, where, f->name, f->bytes, bytes);
    return ok;
}

/* The files that are not parts must be those that the totals ask for, the parts' numbers must exist. */
static bool files_check(const struct staging_in *m, const char *where, struct err *err)
{
    bool ok = true;
    int index = 0, rejects = 0;
    const struct staging_part_index *last = m->n_parts ? &m->part[m->n_parts - 1] : NULL;
    for (int i = 0; i < m->n_files; i++) {
        const struct staging_file *f = &m->file[i];
        if (f->record == &company_record) {
            index++;
            ok = total_check(f, m->companies_ok + m->companies_failed, last ? last->offset + last->bytes : 0, where,
                             err) && ok;
        } else if (f->record == &reject_record) {
            rejects++;
            ok = total_check(f, m->rejects, -1, where, err) && ok;
        } else if (f->part >= m->n_parts) {
            ok = err_add(err, ERR_DATA, "%s: %s, but there are %d parts", where, f->name, m->n_parts);
        }
    }
    if (!index)
        ok = err_add(err, ERR_DATA, "%s.files: companies.ndjson is missing", where);
    if (rejects != (m->rejects > 0))
        ok = err_add(err, ERR_DATA, "%s.files: rejects.ndjson %s, but there are %" PRId64 " rejects", where,
                     rejects ? "is listed" : "is missing", m->rejects);
    return ok;
}

static bool manifest_take(struct staging_in *m, json_t *root, const char *where, struct err *err)
{
    const json_t *version = json_object_get(root, "schema_version");
    if (json_is_integer(version) && json_integer_value(version) != STAGING_FORMAT)
        return err_add(err, ERR_DATA,
                       "%s.schema_version: expected %d, found %" JSON_INTEGER_FORMAT
                       ": written by another version of this tool; run extract again",
                       where, STAGING_FORMAT, json_integer_value(version));
    json_t *companies, *parts, *files;
    if (!info_take(m, root, where, &companies, &parts, &files, err))
        return false;
    const struct json_key counts[] = {
        {"ok", WANT_COUNT, &m->companies_ok},
        {"failed", WANT_COUNT, &m->companies_failed},
    };
    bool ok = JSON_TAKE(companies, counts, arena_printf(&m->arena, "%s.companies", where), err);
    if (json_array_size(parts) > PARTS_MAX || json_array_size(files) > (size_t)PARTS_MAX * ENTITIES_MAX)
        return err_add(err, ERR_DATA, "%s: more than %d parts", where, PARTS_MAX);
    m->n_parts = (int)json_array_size(parts);
    m->part = arena_alloc(&m->arena, sizeof *m->part * (size_t)m->n_parts);
    m->n_files = (int)json_array_size(files);
    m->file = arena_alloc(&m->arena, sizeof *m->file * (size_t)m->n_files);
    ok = ok && parts_take(m, parts, where, err);
    ok = files_take(files, &m->arena, m->file, where, err) && ok;
    return ok && files_check(m, where, err);
}

bool manifest_read(struct staging_in *m, const char *path, struct err *err)
{
    struct map map;
    if (!map_open(&map, path, err))
        return false;
    err->kind = ERR_NONE; /* faults are added from here on */
    sha256_of(map.p, map.len, m->sha256);
    json_t *root = json_document(map.p, map.len, path, err);
    bool ok = root && manifest_take(m, root, arena_printf(&m->arena, "%s: manifest", path), err);
    json_decref(root);
    map_close(&map);
    malloc_trim(0);  /* of its tree */
    return ok;
}

static bool info_peek(json_t *root, struct run_info *ret)
{
    const char *stage = json_string_value(json_object_get(root, "stage"));
    const char *began_at = json_string_value(json_object_get(root, "began_at"));
    json_int_t shard = json_integer_value(json_object_get(root, "shard"));
    json_int_t shards = json_integer_value(json_object_get(root, "shards"));
    *ret = (struct run_info){.stage = (enum stage)enum_find(&stage_enumeration, str_of(stage)),
                             .shard = (int)shard,
                             .shards = (int)shards};
    return ret->stage && shards > 0 && shards <= INT_MAX && shard >= 0 && shard < shards && began_at &&
           instant_parse(str_of(began_at), &ret->began_at);
}

bool manifest_peek(const char *path, struct run_info *ret, struct err *err)
{
    struct map map;
    struct run_info info;
    if (!map_open(&map, path, err))
        return false;
    err->kind = ERR_NONE;
    json_t *root = json_document(map.p, map.len, path, err);
    bool ok = root && (info_peek(root, &info) ||
                       err_add(err, ERR_DATA, "%s: expected stage, shard, shards and began_at of a manifest", path));
    json_decref(root);
    map_close(&map);
    if (ok)
        *ret = info;
    return ok;
}

/* ---- part-NNNN.done: a line of JSON, the index lines, the reject lines ---- */

bool part_done_head(const struct part_done *d, struct buf *ret, struct err *err)
{
    json_t *head = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "ok", (json_int_t)d->companies_ok, "failed",
                             (json_int_t)d->companies_failed, "index_bytes", (json_int_t)d->index_bytes, "rejects",
                             (json_int_t)d->n_rejects, "rejects_bytes", (json_int_t)d->rejects_bytes, "files",
                             files_json(d->file, d->n_files));
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    json_decref(head);
    if (!text)
        return err_set(err, ERR_BUG, "what a part holds cannot be written as JSON");
    buf_adds(ret, text);
    buf_addc(ret, '\n');
    free(text);
    return true;
}

static bool done_take(struct part_done *d, struct arena *a, const char *path, struct err *err)
{
    const char *newline = memchr(d->map.p, '\n', d->map.len);
    if (!newline)
        return err_add(err, ERR_DATA, "%s: no first line", path);
    json_t *head = json_document(d->map.p, (size_t)(newline - d->map.p), path, err);
    if (!head)
        return false;
    json_t *files;
    int64_t index_bytes, rejects_bytes;
    const struct json_key keys[] = {
        {"ok", WANT_COUNT, &d->companies_ok},     {"failed", WANT_COUNT, &d->companies_failed},
        {"index_bytes", WANT_COUNT, &index_bytes}, {"rejects", WANT_COUNT, &d->n_rejects},
        {"rejects_bytes", WANT_COUNT, &rejects_bytes}, {"files", WANT_LIST, &files},
    };
    bool ok = JSON_TAKE(head, keys, path, err);
    if (ok && json_array_size(files) > ENTITIES_MAX)
        ok = err_add(err, ERR_DATA, "%s.files: more than %d", path, ENTITIES_MAX);
    if (ok) {
        d->n_files = (int)json_array_size(files);
        ok = files_take(files, a, d->file, path, err);
    }
    json_decref(head);
    size_t left = d->map.len - (size_t)(newline + 1 - d->map.p);
    if (ok && (uint64_t)index_bytes + (uint64_t)rejects_bytes != left)
        ok = err_add(err, ERR_DATA, "%s: %zu bytes of lines, expected %" PRId64 " + %" PRId64, path, left, index_bytes,
                     rejects_bytes);
    if (!ok)
        return false;
    d->index = newline + 1;
    d->index_bytes = (size_t)index_bytes;
    d->rejects = d->index + d->index_bytes;
    d->rejects_bytes = (size_t)rejects_bytes;
    return true;
}

bool part_done_read(struct part_done *d, struct arena *a, const char *folder, int part, struct err *err)
{
    const char *path = done_path(a, folder, part);
    *d = (struct part_done){0};
    if (!map_open(&d->map, path, err)) {
        if (err->kind == ERR_NO_INPUT)
            err_set(err, ERR_BUG, "part %d was never completed: %s is missing", part, path);
        return false;
    }
    err->kind = ERR_NONE;
    if (done_take(d, a, path, err))
        return true;
    err->kind = ERR_BUG;
    part_done_close(d);
    return false;
}

void part_done_close(struct part_done *d)
{
    map_close(&d->map);
}
