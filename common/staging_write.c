/* A stage's folder: begun under a lock, published by its manifest. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/manifest.h"

enum { SWEEPS_MAX = 100 };

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);
    return len >= n && !strcmp(name + len - n, end);
}

/* Everything in a stage's folder but its lock; a hand-written note stays. */
static bool is_output(const char *name)
{
    static const char *const ends[] = {".ndjson", ".ndjson.tmp", ".done", ".done.tmp"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(name, ends[i]))
            return true;
    return !strcmp(name, "manifest.json") || !strcmp(name, "manifest.json.tmp");
}

/* One pass over the folder; *ret_removed: names taken away. */
static bool sweep_once(const char *path, bool keep_rejects, int *ret_removed, struct err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return err_errno(err, ERR_IO, "cannot open folder %s", path);
    bool ok = true;
    const struct dirent *e;
    *ret_removed = 0;
    while (ok && (errno = 0, e = readdir(dir))) {
        if (!is_output(e->d_name) || (keep_rejects && !strcmp(e->d_name, "rejects.ndjson")))
            continue;
        ok = !unlinkat(dirfd(dir), e->d_name, 0) || errno == ENOENT ||
             err_errno(err, ERR_IO, "cannot remove %s/%s", path, e->d_name);
        ++*ret_removed;
    }
    if (ok && errno)
        ok = err_errno(err, ERR_IO, "cannot read folder %s", path);
    closedir(dir);
    return ok;
}

/* Takes all output away, repeated since a folder may not be read reliably while names vanish from it. */
static bool sweep(const char *path, bool keep_rejects, struct err *err)
{
    int removed = 1;
    for (int i = 0; i < SWEEPS_MAX && removed; i++)
        if (!sweep_once(path, keep_rejects, &removed, err))
            return false;
    return dir_sync(path, err);
}

/* The manifest goes first, for good: what is left behind it is then no output, wherever the power fails. */
static bool withdraw(struct staging_out *out, struct err *err)
{
    const char *manifest = arena_printf(&out->arena, "%s/manifest.json", out->path);
    if (unlink(manifest) == 0)
        return dir_sync(out->path, err) && sweep(out->path, false, err);
    if (errno != ENOENT)
        return err_errno(err, ERR_IO, "cannot remove %s", manifest);
    return sweep(out->path, false, err);
}

static void out_close(struct staging_out *out)
{
    if (out->lock_fd >= 0)
        close(out->lock_fd);
    arena_free(&out->arena);
    *out = (struct staging_out){.lock_fd = -1};
}

/* Level by level, so that none of them may be written to by others. */
static bool levels_create(const char *dir, struct staging_out *out, struct err *err)
{
    size_t dir_len = strlen(dir);
    if (!dir_create(dir, err))
        return false;
    for (char *slash = strchr(out->path + dir_len + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool ok = dir_create(out->path, err);
        *slash = '/';
        if (!ok)
            return false;
    }
    return dir_create(out->path, err);
}

static bool info_check(const struct run_info *info, struct err *err)
{
    if (!run_id_valid(info->run_id))
        return err_set(err, ERR_USAGE,
                       "run id \"%.80s\": expected 1 to %d of A-Z a-z 0-9 . _ -, not starting with a dot or a dash",
                       info->run_id ? info->run_id : "", RUN_ID_MAX);
    if ((info->stage != STAGE_EXTRACT && info->stage != STAGE_TRANSFORM) || info->period == MONTH_NONE ||
        info->as_of == INSTANT_NONE || info->began_at == INSTANT_NONE || info->shard < 0 ||
        info->shard >= info->shards)
        return err_set(err, ERR_BUG, "run %s: stage, period, as-of, begin or shard is not set", info->run_id);
    return true;
}

bool staging_begin(struct staging_out *out, const char *dir, const struct run_info *info, struct err *err)
{
    *out = (struct staging_out){.lock_fd = -1, .info = *info};
    if (!info_check(info, err))
        return false;
    char *path = staging_path(dir, info);
    out->path = arena_copy(&out->arena, path, strlen(path));
    out->info.run_id = arena_copy(&out->arena, info->run_id, strlen(info->run_id));
    if (info->made_from)
        out->info.made_from = arena_copy(&out->arena, info->made_from, strlen(info->made_from));
    free(path);
    if (levels_create(dir, out, err) &&
        lock_take(arena_printf(&out->arena, "%s/.lock", out->path), &out->lock_fd, err) && withdraw(out, err))
        return true;
    out_close(out);
    return false;
}

void staging_abandon(struct staging_out *out)
{
    struct err ignored = {0}; /* what cannot be removed is no output either, and the next staging_begin tells */
    if (!out->path)
        return;
    withdraw(out, &ignored);
    out_close(out);
}

/* ---- gathering ---- */

/* All that the parts say. The two files of lines are NULL when only counting. */
struct gathering {
    struct staging_in m;
    int file_cap;
    struct out_file *index, *rejects;
};

static void file_append(struct gathering *g, const struct staging_file *f)
{
    struct staging_in *m = &g->m;
    if (m->n_files == g->file_cap) {
        g->file_cap = g->file_cap ? g->file_cap * 2 : 64;
        struct staging_file *larger = arena_alloc(&m->arena, sizeof *larger * (size_t)g->file_cap);
        if (m->n_files)
            memcpy(larger, m->file, sizeof *larger * (size_t)m->n_files);
        m->file = larger;
    }
    m->file[m->n_files++] = *f;
}

static bool lines_create(struct out_file *f, struct staging_in *m, const struct staging_out *out,
                         const struct record *r, struct err *err)
{
    return file_create(f, arena_printf(&m->arena, "%s/%s", out->path, staged_name(&m->arena, r, -1)), err);
}

/* The file of rejects exists only where there are any. */
static bool rejects_add(struct gathering *g, const struct staging_out *out, const char *lines, size_t len,
                        struct err *err)
{
    return !len || ((g->rejects->path || lines_create(g->rejects, &g->m, out, &reject_record, err)) &&
                    file_write(g->rejects, lines, len, err));
}

static bool done_gather(struct gathering *g, const struct staging_out *out, int number, const struct part_done *d,
                        struct err *err)
{
    struct staging_in *m = &g->m;
    int64_t offset = number ? m->part[number - 1].offset + m->part[number - 1].bytes : 0;
    m->part[number] =
        (struct staging_part_index){offset, (int64_t)d->index_bytes, d->companies_ok + d->companies_failed};
    m->companies_ok += d->companies_ok;
    m->companies_failed += d->companies_failed;
    m->rejects += d->n_rejects;
    for (int i = 0; i < d->n_files; i++)
        file_append(g, &d->file[i]);
    if (g->index && !file_write(g->index, d->index, d->index_bytes, err))
        return false;
    return !g->rejects || rejects_add(g, out, d->rejects, d->rejects_bytes, err);
}

static bool gather(struct gathering *g, const struct staging_out *out, int n_parts, struct err *err)
{
    struct staging_in *m = &g->m;
    m->info = out->info;
    m->n_parts = n_parts;
    m->part = arena_alloc(&m->arena, sizeof *m->part * (size_t)n_parts);
    for (int i = 0; i < n_parts; i++) {
        struct part_done done;
        if (!part_done_read(&done, &m->arena, out->path, i, err))
            return false;
        bool ok = done_gather(g, out, i, &done, err);
        part_done_close(&done);
        if (!ok)
            return false;
    }
    return true;
}

static bool totals_take(const struct staging_in *m, struct staging_totals *ret, struct err *err)
{
    struct staging_totals t = {
        .companies_ok = m->companies_ok, .companies_failed = m->companies_failed, .rejects = m->rejects};
    for (int rank = 0; record_all[rank]; rank++) {
        int64_t rows = 0, cents = 0;
        for (int i = 0; i < m->n_files; i++) {
            if (m->file[i].record != record_all[rank] || m->file[i].part < 0)
                continue;
            rows += m->file[i].rows;
            if (!money_add(&cents, m->file[i].cents))
                return err_set(err, ERR_DATA, "the sum of %s is beyond what 64 bits hold", record_all[rank]->entity);
        }
        if (rows) {
            t.entity[t.n_entities].record = record_all[rank];
            t.entity[t.n_entities].rows = rows;
            t.entity[t.n_entities++].cents = cents;
        }
    }
    *ret = t;
    return true;
}

bool staging_count(const struct staging_out *out, int n_parts, struct staging_totals *ret, struct err *err)
{
    struct gathering g = {0};
    bool ok = gather(&g, out, n_parts, err) && totals_take(&g.m, ret, err);
    arena_free(&g.m.arena);
    return ok;
}

/* ---- publishing ---- */

static bool lines_commit(struct out_file *f, struct staging_in *m, const struct record *r, int64_t rows,
                         struct staging_file *ret, struct err *err)
{
    *ret = (struct staging_file){
        .name = staged_name(&m->arena, r, -1), .record = r, .part = -1, .rows = rows, .bytes = f->bytes};
    return file_commit(f, &ret->digests, err);
}

/* companies.ndjson and rejects.ndjson, in front of the parts' files. Without publishing only the rejects are kept. */
static bool own_files_commit(struct gathering *g, bool publish, struct err *err)
{
    struct staging_in *m = &g->m;
    struct staging_file own[2];
    int n_own = 0;
    if (publish && !lines_commit(g->index, m, &company_record, m->companies_ok + m->companies_failed, &own[n_own++],
                                 err))
        return false;
    if (m->rejects && !lines_commit(g->rejects, m, &reject_record, m->rejects, &own[n_own++], err))
        return false;
    struct staging_file *all = arena_alloc(&m->arena, sizeof *all * (size_t)(m->n_files + n_own));
    memcpy(all, own, sizeof *own * (size_t)n_own);
    if (m->n_files)
        memcpy(all + n_own, m->file, sizeof *all * (size_t)m->n_files);
    m->file = all;
    m->n_files += n_own;
    return true;
}

static bool done_remove(const struct staging_out *out, struct staging_in *m, struct err *err)
{
    for (int i = 0; i < m->n_parts; i++) {
        const char *path = done_path(&m->arena, out->path, i);
        if (unlink(path))
            return err_errno(err, ERR_IO, "cannot remove %s", path);
    }
    return true;
}

static bool manifest_commit(const struct staging_out *out, struct staging_in *m, struct err *err)
{
    struct buf text = {0};
    struct out_file file = {0};
    bool ok = manifest_write(m, &text, err) &&
              file_create(&file, arena_printf(&m->arena, "%s/manifest.json", out->path), err) &&
              file_write(&file, text.p, text.len, err) && file_commit(&file, NULL, err);
    file_abandon(&file);
    buf_free(&text);
    return ok;
}

/* Every name but the manifest's is on disk before the manifest has one. */
static bool publish_files(const struct staging_out *out, struct gathering *g, bool publish, struct err *err)
{
    if (!own_files_commit(g, publish, err))
        return false;
    if (!publish)
        return sweep(out->path, true, err);
    return done_remove(out, &g->m, err) && dir_sync(out->path, err) && manifest_commit(out, &g->m, err) &&
           dir_sync(out->path, err);
}

bool staging_publish(struct staging_out *out, int n_parts, bool publish, struct staging_totals *ret, struct err *err)
{
    struct out_file index = {0}, rejects = {0};
    struct gathering g = {.index = &index, .rejects = &rejects};
    struct staging_totals totals;
    g.m.rejects = out->n_earlier_rejects;
    bool ok = lines_create(&index, &g.m, out, &company_record, err) &&
              rejects_add(&g, out, out->earlier_rejects.p, out->earlier_rejects.len, err) &&
              gather(&g, out, n_parts, err) && totals_take(&g.m, &totals, err) && publish_files(out, &g, publish, err);
    file_abandon(&index);
    file_abandon(&rejects);
    arena_free(&g.m.arena);
    if (!ok) {
        staging_abandon(out);
        return false;
    }
    *ret = totals;
    out_close(out);
    return true;
}
