/* Taking old runs away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/manifest.h"

/* A run on its way out is renamed first, so that it is gone at once for everybody; no run id begins with a dot. */
static const char LEAVING[] = ".leaving-";

enum { TREE_DEPTH_MAX = 16 };

/* ---- removing a tree, link by link: nothing is ever followed ---- */

/* NOLINTBEGIN(misc-no-recursion): as deep as TREE_DEPTH_MAX */
static bool tree_empty(int fd, const char *name, int depth, struct err *err);

static bool entry_remove(int at, const char *name, int depth, struct err *err)
{
    if (!unlinkat(at, name, 0) || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return err_errno(err, ERR_IO, "cannot remove %s", name);
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_IO, "cannot open folder %s", name);
    if (!tree_empty(fd, name, depth + 1, err))
        return false;
    return !unlinkat(at, name, AT_REMOVEDIR) || err_errno(err, ERR_IO, "cannot remove folder %s", name);
}

/* Closes fd. */
static bool tree_empty(int fd, const char *name, int depth, struct err *err)
{
    DIR *dir = depth <= TREE_DEPTH_MAX ? fdopendir(fd) : NULL;
    if (!dir) {
        close(fd);
        return err_set(err, ERR_IO, "cannot empty folder %s", name);
    }
    bool ok = true;
    const struct dirent *e;
    while (ok && (e = readdir(dir)))
        ok = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || entry_remove(fd, e->d_name, depth, err);
    closedir(dir);
    return ok;
}
/* NOLINTEND(misc-no-recursion) */

static bool tree_remove(const char *path, struct err *err)
{
    return entry_remove(AT_FDCWD, path, 0, err) || err_prefix(err, "purging %s", path);
}

/* ---- which runs there are ---- */

struct run {
    month_t period;
    char *run_id;
    instant_t began_at;    /* as its manifests say, else when its folder last changed */
    bool complete[stage_count];
};

struct runs {
    const char *dir;
    month_t period;        /* being read */
    char *period_path;
    struct run *run;
    size_t n, cap;
};

struct run_look {
    const char *dir, *path;
    struct run *run;
};

/* All shards of a stage's output have their manifest. */
static bool shards_complete(const struct run_look *look, enum stage stage, int shards)
{
    struct run_info info = {
        .stage = stage, .run_id = look->run->run_id, .period = look->run->period, .shards = shards};
    bool all = true;
    for (; all && info.shard < shards; info.shard++) {
        char *path = staging_manifest(look->dir, &info);
        all = file_exists(path);
        free(path);
    }
    return all;
}

/* A manifest that cannot be read makes no complete run. */
static bool stage_look(void *arg, const char *name, struct err *err)
{
    (void)err;
    struct run_look *look = arg;
    struct run_info found;
    struct err ignored = {0};
    char *manifest = mem_printf("%s/%s/manifest.json", look->path, name);
    if (file_exists(manifest) && manifest_peek(manifest, &found, &ignored)) {
        look->run->began_at = found.began_at;
        if (shards_complete(look, found.stage, found.shards))
            look->run->complete[found.stage] = true;
    }
    free(manifest);
    return true;
}

static struct run *run_add(struct runs *runs, const char *run_id, instant_t changed_at)
{
    if (runs->n == runs->cap) {
        runs->cap = runs->cap ? runs->cap * 2 : 64;
        runs->run = mem_realloc(runs->run, runs->cap * sizeof *runs->run);
    }
    struct run *run = &runs->run[runs->n++];
    *run = (struct run){.period = runs->period, .run_id = mem_strdup(run_id), .began_at = changed_at};
    return run;
}

static bool run_collect(void *arg, const char *name, struct err *err)
{
    struct runs *runs = arg;
    char *path = mem_printf("%s/%s", runs->period_path, name);
    struct stat st;
    bool ok = true;
    if (!strncmp(name, LEAVING, sizeof LEAVING - 1)) {
        ok = tree_remove(path, err);
    } else if (run_id_valid(name) && !lstat(path, &st)) {
        struct run *run = run_add(runs, name, st.st_mtime);
        ok = dir_each(path, stage_look, &(struct run_look){runs->dir, path, run}, err);
    }
    free(path);
    return ok;
}

static bool period_collect(void *arg, const char *name, struct err *err)
{
    struct runs *runs = arg;
    if (!month_parse(str_of(name), &runs->period))
        return true;
    runs->period_path = mem_printf("%s/%s", runs->dir, name);
    bool ok = dir_each(runs->period_path, run_collect, runs, err);
    free(runs->period_path);
    return ok;
}

static int newest_first(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->began_at != y->began_at)
        return x->began_at > y->began_at ? -1 : 1;
    int order = strcmp(y->run_id, x->run_id);
    return order ? order : y->period - x->period;
}

/* Whether a stage's newest complete output of the period is in this run; newer ones stand before it. */
static bool run_needed(const struct runs *runs, size_t i, int keep_months)
{
    const struct run *run = &runs->run[i];
    for (size_t k = 0; k < runs->n; k++)
        if (runs->run[k].period - run->period > keep_months)
            return false;
    for (int stage = STAGE_EXTRACT; stage <= STAGE_TRANSFORM; stage++) {
        bool newer = false;
        for (size_t k = 0; k < i; k++)
            newer = newer || (runs->run[k].complete[stage] && runs->run[k].period == run->period);
        if (run->complete[stage] && !newer)
            return true;
    }
    return false;
}

/* ---- taking one away ---- */

struct locks {
    const char *run_path;
    int *fd;
    size_t n;
    bool busy;
};

/* A stage that is being written has its lock taken. */
static bool stage_lock(void *arg, const char *name, struct err *err)
{
    (void)err;
    struct locks *l = arg;
    struct err refused = {0};
    char *path = mem_printf("%s/%s/.lock", l->run_path, name);
    if (file_exists(path)) {
        l->fd = mem_realloc(l->fd, (l->n + 1) * sizeof *l->fd);
        if (lock_take(path, &l->fd[l->n], &refused))
            l->n++;
        else
            l->busy = true;
    }
    free(path);
    return true;
}

static bool run_remove(const char *dir, const struct run *run, struct err *err)
{
    char period[MONTH_TEXT_MAX];
    char *path = mem_printf("%s/%s/%s", dir, month_text(run->period, period), run->run_id);
    char *leaving = mem_printf("%s/%s/%s%s", dir, period, LEAVING, run->run_id);
    struct locks locks = {.run_path = path};
    bool ok = dir_each(path, stage_lock, &locks, err);
    if (ok && !locks.busy)
        ok = (!rename(path, leaving) || err_errno(err, ERR_IO, "cannot rename %s", path)) && tree_remove(leaving, err);
    while (locks.n > 0)
        close(locks.fd[--locks.n]);
    free(locks.fd);
    free(leaving);
    free(path);
    return ok;
}

static bool purge(const char *dir, int keep, int keep_months, struct err *err)
{
    struct runs runs = {.dir = dir};
    bool ok = dir_each(dir, period_collect, &runs, err);
    if (runs.n)
        qsort(runs.run, runs.n, sizeof *runs.run, newest_first);
    for (size_t i = keep < 0 ? 0 : (size_t)keep; ok && i < runs.n; i++)
        if (!run_needed(&runs, i, keep_months))
            ok = run_remove(dir, &runs.run[i], err);
    for (size_t i = 0; i < runs.n; i++)
        free(runs.run[i].run_id);
    free(runs.run);
    return ok;
}

/* Shards that end together would each take the same runs away: whoever comes first does it for all. */
bool staging_purge(const char *dir, int keep, int keep_months, struct err *err)
{
    struct err busy = {0};
    int fd;
    if (access(dir, F_OK) && errno == ENOENT)
        return true;
    char *path = mem_printf("%s/.purge.lock", dir);
    bool mine = lock_take(path, &fd, &busy);
    free(path);
    if (!mine)
        return busy.kind == ERR_TRY_AGAIN || err_set(err, busy.kind, "%s", busy.text);
    bool ok = purge(dir, keep, keep_months, err);
    close(fd);
    return ok;
}
