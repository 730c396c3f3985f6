/* Runs: how they are named, where they lie, which one is the newest. */
#include <stdlib.h>

#include "common/manifest.h"

bool run_id_valid(const char *run_id)
{
    static const char LEGAL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (!run_id || !*run_id || *run_id == '.' || *run_id == '-')
        return false;
    size_t len = strlen(run_id);
    return len <= RUN_ID_MAX && strspn(run_id, LEGAL) == len;
}

char *staging_path(const char *dir, const struct run_info *info)
{
    char period[MONTH_TEXT_MAX];
    struct buf path = {0};
    buf_addf(&path, "%s/%s/%s/%s", dir, month_text(info->period, period), info->run_id,
             stage_enumeration.names[info->stage]);
    if (info->shards > 1)
        buf_addf(&path, "-%d-of-%d", info->shard, info->shards);
    if (info->dry_run)
        buf_adds(&path, ".dry-run");
    buf_str(&path);
    return path.p;
}

char *staging_manifest(const char *dir, const struct run_info *info)
{
    char *folder = staging_path(dir, info);
    char *path = mem_printf("%s/manifest.json", folder);
    free(folder);
    return path;
}

/* A run that is looked for, and the best one so far. */
struct newest {
    const char *dir;
    struct run_info wanted; /* its run_id changes from folder to folder */
    char *run_id;
    instant_t began_at;
};

/* The manifest of the shard's own output, else of the whole; NULL when there is neither. */
static char *manifest_find(const struct newest *n)
{
    const struct run_info whole = {.stage = n->wanted.stage, .run_id = n->wanted.run_id, .period = n->wanted.period};
    char *path = staging_manifest(n->dir, &n->wanted);
    if (!file_exists(path) && n->wanted.shards > 1) {
        free(path);
        path = staging_manifest(n->dir, &whole);
    }
    if (file_exists(path))
        return path;
    free(path);
    return NULL;
}

static bool newest_consider(void *arg, const char *run_id, struct err *err)
{
    struct newest *n = arg;
    if (!run_id_valid(run_id))
        return true;
    n->wanted.run_id = run_id;
    char *manifest = manifest_find(n);
    if (!manifest)
        return true;
    struct run_info found;
    bool ok = manifest_peek(manifest, &found, err);
    free(manifest);
    if (!ok)
        return false;
    if (!n->run_id || found.began_at > n->began_at ||
        (found.began_at == n->began_at && strcmp(run_id, n->run_id) > 0)) {
        free(n->run_id);
        n->run_id = mem_strdup(run_id);
        n->began_at = found.began_at;
    }
    return true;
}

bool staging_newest(const char *dir, month_t period, enum stage stage, int shard, int shards, char **ret_run_id,
                    struct err *err)
{
    char month[MONTH_TEXT_MAX];
    char *path = mem_printf("%s/%s", dir, month_text(period, month));
    struct newest n = {.dir = dir, .wanted = {.stage = stage, .period = period, .shard = shard, .shards = shards}};
    bool ok = dir_each(path, newest_consider, &n, err);
    if (ok && !n.run_id)
        ok = err_set(err, ERR_NO_INPUT, "no complete %s output for %s in %s: run %s --period %s first",
                     stage_enumeration.names[stage], month, path, stage_enumeration.names[stage], month);
    free(path);
    if (!ok) {
        free(n.run_id);
        return false;
    }
    *ret_run_id = n.run_id;
    return true;
}
