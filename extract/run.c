#include "extract/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/jscan.h"

static const char UNFINISHED[] = ".unfinished";

enum { STATE_MAX = 4096 };

/* ---- which run ---- */

/* Pages are known by their place among the requests: received under one configuration, selection or description they
 * stand for nothing under another one. */
static void take_digest(struct extract_run *r, const struct stage_run *run, const struct source *sources, int n_sources)
{
    struct buf b = {0};
    buf_addf(&b, "%s\n%s\n%d/%d\n", TOOL_VERSION, run->config.sha256, run->opt.shard, run->opt.shards);
    for (int i = 0; i < run->opt.n_companies; i++)
        buf_addf(&b, "%s\n", run->opt.companies[i]);
    for (int s = 0; s < n_sources; s++) {
        for (int e = 0; e < sources[s].n_entities; e++) {
            const struct entity_source *entity = &sources[s].entities[e];
            buf_addf(&b, "%s %s %s\n", sources[s].name, sources[s].base_url ? sources[s].base_url : "",
                     entity->path ? entity->path : "");
            for (int q = 0; q < entity->n_query; q++)
                buf_addf(&b, "%s=%s\n", entity->query[q].name, entity->query[q].value);
        }
    }
    sha256_of(b.p, b.len, r->digest);
    buf_free(&b);
}

/* What an unfinished run noted of itself; false when this process may not go on with it. */
static bool state_fits(const struct extract_run *r, struct str state, instant_t now, struct arena *a,
                       instant_t *ret_began_at)
{
    struct jdoc doc;
    struct jscan fault;
    if (state.len > STATE_MAX || !jdoc_parse(state, a, &doc, &fault))
        return false;
    const struct jvalue *digest = jdoc_path(&doc, doc.value, "configuration");
    const struct jvalue *began = jdoc_path(&doc, doc.value, "began_at");
    return digest && str_is(digest->text, r->digest) && began && instant_parse(began->text, ret_began_at) &&
           *ret_began_at <= now && now - *ret_began_at < RUN_CONTINUES_S;
}

/* Whether the run is unfinished and this process may go on with it. */
static bool run_fits(const struct extract_run *r, const struct stage_run *run, const char *run_id,
                     instant_t *ret_began_at)
{
    struct run_info info = {
        .stage = STAGE_EXTRACT, .run_id = run_id, .period = run->opt.period, .shard = run->opt.shard,
        .shards = run->opt.shards, .dry_run = run->opt.dry_run,
    };
    struct arena a = {0};
    struct map map;
    struct err err = {0};
    char *folder = staging_path(run->staging_dir, &info);
    bool published = access(arena_printf(&a, "%s/manifest.json", folder), F_OK) == 0;
    bool fits = run_id_valid(run_id) && !published &&
                map_open(&map, arena_printf(&a, "%s%s", folder, UNFINISHED), &err);
    if (fits) {
        fits = state_fits(r, (struct str){map.p, (uint32_t)map.len, false}, run->now, &a, ret_began_at);
        map_close(&map);
    }
    free(folder);
    arena_free(&a);
    return fits;
}

static bool newest_unfinished(struct extract_run *r, const struct stage_run *run)
{
    char month[MONTH_TEXT_MAX];
    char *path = mem_printf("%s/%s", run->staging_dir, month_text(run->opt.period, month));
    DIR *dir = opendir(path);
    free(path);
    if (!dir)
        return false;
    bool found = false;
    for (const struct dirent *e; (e = readdir(dir));) {
        instant_t began_at;
        size_t len = strlen(e->d_name);
        if (len > RUN_ID_MAX || !run_fits(r, run, e->d_name, &began_at))
            continue;
        if (found && (began_at < r->began_at || (began_at == r->began_at && strcmp(e->d_name, r->run_id) < 0)))
            continue;
        found = true;
        r->began_at = began_at;
        memcpy(r->run_id, e->d_name, len + 1);
    }
    closedir(dir);
    return found;
}

/* PERIOD-YYYYMMDDTHHMMSSZ; a second on where a run of this second is there already. */
static void new_run_id(struct extract_run *r, const struct stage_run *run)
{
    char month[MONTH_TEXT_MAX], at[INSTANT_TEXT_MAX];
    month_text(run->opt.period, month);
    for (instant_t t = run->now;; t++) {
        instant_text(t, at);
        snprintf(r->run_id, sizeof r->run_id, "%s-%.4s%.2s%.2sT%.2s%.2s%.2sZ", month, at, at + 5, at + 8, at + 11,
                 at + 14, at + 17);
        char *path = mem_printf("%s/%s/%s", run->staging_dir, month, r->run_id);
        bool taken = access(path, F_OK) == 0;
        free(path);
        if (!taken)
            return;
    }
}

void extract_run_choose(struct extract_run *r, const struct stage_run *run, const struct source *sources,
                        int n_sources)
{
    *r = (struct extract_run){.began_at = run->now};
    take_digest(r, run, sources, n_sources);
    if (run->opt.run_id) {
        snprintf(r->run_id, sizeof r->run_id, "%s", run->opt.run_id);
        r->continued = run_fits(r, run, r->run_id, &r->began_at);
    } else if (newest_unfinished(r, run)) {
        r->continued = true;
    } else {
        new_run_id(r, run);
    }
    if (!r->continued)
        r->began_at = run->now;
}

/* ---- its folders ---- */

static bool state_write(const struct extract_run *r, struct err *err)
{
    struct out_file f;
    char began[INSTANT_TEXT_MAX];
    char *text = mem_printf("{\"configuration\":\"%s\",\"began_at\":\"%s\"}\n", r->digest,
                            instant_text(r->began_at, began));
    bool ok = file_create(&f, r->state_path, err);
    if (ok && !(file_write(&f, text, strlen(text), err) && file_commit(&f, NULL, err))) {
        file_abandon(&f);
        ok = false;
    }
    free(text);
    return ok;
}

bool extract_run_begin(struct extract_run *r, const struct stage_run *run, const char *stage_folder, struct err *err)
{
    const char *slash = strrchr(stage_folder, '/');
    r->raw_dir = mem_printf("%.*s/raw%s", slash ? (int)(slash - stage_folder) : 1, slash ? stage_folder : ".",
                            run->opt.dry_run ? ".dry-run" : "");
    r->cache_dir = mem_printf("%s/cache", run->staging_dir);
    r->state_path = mem_printf("%s%s", stage_folder, UNFINISHED);
    return dir_create(r->raw_dir, err) && dir_create(r->cache_dir, err) && state_write(r, err);
}

char *spool_path(const char *dir, const char *company_id, struct arena *a)
{
    return arena_printf(a, "%s/%s.spool", dir, company_id);
}

void extract_run_company(const struct extract_run *r, const char *company_id)
{
    struct arena a = {0};
    if (!r->continued)
        unlink(spool_path(r->raw_dir, company_id, &a));
    arena_free(&a);
}

void extract_run_refuse(const struct extract_run *r, const char *company_id, bool archive)
{
    struct arena a = {0};
    char *raw = spool_path(r->raw_dir, company_id, &a);
    if (!archive || rename(raw, arena_printf(&a, "%s.refused", raw)) != 0)
        unlink(raw);
    arena_free(&a);
}

bool extract_run_end(const struct extract_run *r, struct err *err)
{
    if (unlink(r->state_path) != 0 && errno != ENOENT)
        return err_errno(err, ERR_IO, "cannot remove %s", r->state_path);
    return true;
}

/* The cache's file and an archived one are the same file: neither is written to again. */
bool extract_run_keep(const struct extract_run *r, const char *company_id, bool archive, bool good, struct err *err)
{
    struct arena a = {0};
    char *raw = spool_path(r->raw_dir, company_id, &a), *cached = spool_path(r->cache_dir, company_id, &a);
    bool ok = true;
    if (good && archive) {
        char *tmp = arena_printf(&a, "%s.tmp", cached);
        unlink(tmp);
        ok = link(raw, tmp) == 0 && rename(tmp, cached) == 0;
        unlink(tmp);       /* rename leaves it when both are the same file already */
    } else if (good) {
        ok = rename(raw, cached) == 0;
    } else if (!archive) {
        ok = unlink(raw) == 0;
    }
    ok = ok || errno == ENOENT || err_errno(err, ERR_IO, "cannot keep %s", raw);
    arena_free(&a);
    return ok;
}

bool extract_run_tidy(const struct extract_run *r, instant_t now, struct err *err)
{
    DIR *dir = opendir(r->cache_dir);
    if (!dir)
        return err_errno(err, ERR_IO, "cannot read %s", r->cache_dir);
    bool ok = true;
    for (const struct dirent *e; ok && (e = readdir(dir));) {
        struct stat st;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            now - st.st_mtime > (instant_t)CACHE_DAYS * 86400)
            ok = unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT ||
                 err_errno(err, ERR_IO, "cannot remove %s/%s", r->cache_dir, e->d_name);
    }
    closedir(dir);
    return ok;
}

void extract_run_close(struct extract_run *r)
{
    if (r->raw_dir)
        rmdir(r->raw_dir);
    free(r->raw_dir);
    free(r->cache_dir);
    free(r->state_path);
    *r = (struct extract_run){0};
}
