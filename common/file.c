#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BLOCK_BYTES = 128 << 10, SEND_BYTES = 1 << 20, LOCK_TRIES = 10 };

/* ---- writing ---- */

static void out_release(struct out_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    sha256_drop(&f->sha256);
    xxh128_drop(&f->xxh128);
    buf_free(&f->pending);
    free(f->path);
    free(f->tmp);
    *f = (struct out_file){.fd = -1};
}

/* What a killed process left under the temporary name goes first: O_EXCL then proves that the file is ours alone. */
static int create_private(const char *path)
{
    if (unlink(path) && errno != ENOENT)
        return -1;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fchmod(fd, 0600)) { /* the umask may have taken our own rights away */
        int saved = errno;
        close(fd);
        unlink(path);
        errno = saved;
        return -1;
    }
    return fd;
}

bool file_create(struct out_file *f, const char *path, struct err *err)
{
    struct out_file new = {.path = mem_strdup(path), .tmp = mem_printf("%s.tmp", path)};
    new.fd = create_private(new.tmp);
    if (new.fd < 0) {
        err_errno(err, ERR_CANT_CREATE, "cannot create %s", new.tmp);
        out_release(&new);
        return false;
    }
    sha256_start(&new.sha256);
    xxh128_start(&new.xxh128);
    buf_reserve(&new.pending, WRITE_BLOCK_BYTES);
    *f = new;
    return true;
}

static bool write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool out_put(struct out_file *f, const char *p, size_t len, struct err *err)
{
    sha256_add(&f->sha256, p, len);
    xxh128_add(&f->xxh128, p, len);
    if (!write_all(f->fd, p, len))
        return err_errno(err, ERR_IO, "cannot write %s", f->tmp);
    /* On its way to the disk while the next ones are made: fsync has less to wait for, and tells of any fault. */
    if ((f->unsent += len) >= SEND_BYTES) {
        (void)sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        f->unsent = 0;
    }
    return true;
}

bool file_flush(struct out_file *f, struct err *err)
{
    bool ok = out_put(f, f->pending.p, f->pending.len, err);
    f->pending.len = 0;
    return ok;
}

bool file_write(struct out_file *f, const void *p, size_t len, struct err *err)
{
    if (f->pending.len + len > WRITE_BLOCK_BYTES && !file_flush(f, err))
        return false;
    f->bytes += (int64_t)len;
    if (len >= WRITE_BLOCK_BYTES)
        return out_put(f, p, len, err);
    buf_add(&f->pending, p, len);
    return true;
}

static int sync_fd(int fd)
{
    int result;
    do
        result = fsync(fd);
    while (result && errno == EINTR);
    return result;
}

/* Flushed, on disk and closed, still under its temporary name. */
static bool out_finish(struct out_file *f, struct err *err)
{
    if (!file_flush(f, err))
        return false;
    if (!f->passing && sync_fd(f->fd))
        return err_errno(err, ERR_IO, "cannot sync %s", f->tmp);
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) && errno != EINTR)
        return err_errno(err, ERR_IO, "cannot close %s", f->tmp);
    return true;
}

bool file_commit(struct out_file *f, struct digests *ret, struct err *err)
{
    if (!out_finish(f, err)) {
        file_abandon(f);
        return false;
    }
    if (rename(f->tmp, f->path)) {
        err_errno(err, ERR_IO, "cannot rename %s to %s", f->tmp, f->path);
        file_abandon(f);
        return false;
    }
    if (ret) {
        sha256_end(&f->sha256, ret->sha256);
        xxh128_end(&f->xxh128, ret->xxh128);
    }
    out_release(f);
    return true;
}

void file_abandon(struct out_file *f)
{
    if (!f->path)
        return;
    unlink(f->tmp);
    out_release(f);
}

bool file_link(const char *from, const char *to)
{
    struct stat st;
    int fd = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool ok = !fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600 && st.st_uid == geteuid() &&
              !link(from, to);
    close(fd);
    return ok;
}

/* ---- folders ---- */

bool dir_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_IO, "cannot open folder %s", path);
    bool ok = !sync_fd(fd) || err_errno(err, ERR_IO, "cannot sync folder %s", path);
    close(fd);
    return ok;
}

static bool parent_sync(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return dir_sync(".", err);
    char *parent = mem_strdup(path);
    parent[slash == path ? 1 : slash - path] = '\0';
    bool ok = dir_sync(parent, err);
    free(parent);
    return ok;
}

static bool dir_make(const char *path, struct err *err)
{
    if (mkdir(path, 0700))
        return errno == EEXIST || err_errno(err, ERR_CANT_CREATE, "cannot create folder %s", path);
    if (chmod(path, 0700))
        return err_errno(err, ERR_CANT_CREATE, "cannot set the rights of folder %s", path);
    return parent_sync(path, err);
}

bool dir_create(const char *path, struct err *err)
{
    char *work = mem_strdup(path);
    size_t len = strlen(work);
    while (len > 1 && work[len - 1] == '/')
        work[--len] = '\0';
    bool ok = true;
    for (char *slash = len ? strchr(work + 1, '/') : NULL; ok && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = dir_make(work, err);
        *slash = '/';
    }
    ok = ok && dir_make(work, err) && dir_check(work, err);
    free(work);
    return ok;
}

bool dir_check(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st))
        return err_errno(err, errno == ENOENT || errno == ENOTDIR ? ERR_NO_INPUT : ERR_IO, "cannot look at %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_CANT_CREATE, "%s: expected a folder, found something else", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(err, ERR_REFUSED, "folder %s belongs to user %u; expected this user (%u) or root", path,
                       (unsigned)st.st_uid, (unsigned)geteuid());
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_REFUSED, "others can write to folder %s: mode %04o, expected 0700 (chmod go-w it)", path,
                       (unsigned)(st.st_mode & 07777));
    return true;
}

bool dir_each(const char *path, bool (*each)(void *arg, const char *name, struct err *err), void *arg,
              struct err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT || err_errno(err, ERR_IO, "cannot open folder %s", path);
    bool ok = true;
    const struct dirent *e;
    while (ok && (errno = 0, e = readdir(dir))) {
        struct stat st;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (!fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
            ok = each(arg, e->d_name, err);
    }
    if (ok && errno)
        ok = err_errno(err, ERR_IO, "cannot read folder %s", path);
    closedir(dir);
    return ok;
}

bool file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) ? errno != ENOENT && errno != ENOTDIR : S_ISREG(st.st_mode);
}

/* ---- reading ---- */

bool file_open(const char *path, int *ret_fd, size_t *ret_len, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* NONBLOCK: a named pipe must not hang us */
    if (fd < 0)
        return err_errno(err, errno == ENOENT || errno == ENOTDIR ? ERR_NO_INPUT : ERR_IO, "cannot open %s", path);
    bool ok = fstat(fd, &st) ? err_errno(err, ERR_IO, "cannot look at %s", path)
              : S_ISREG(st.st_mode) || err_set(err, ERR_IO, "%s: expected a regular file", path);
    if (!ok) {
        close(fd);
        return false;
    }
    *ret_fd = fd;
    *ret_len = (size_t)st.st_size;
    return true;
}

ssize_t fd_read(int fd, char *p, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = read(fd, p + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

bool map_piece(struct map *m, int fd, size_t from, size_t len, const char *path, struct err *err)
{
    size_t before = from % (size_t)sysconf(_SC_PAGESIZE);
    char *p = len ? mmap(NULL, before + len, PROT_READ, MAP_PRIVATE, fd, (off_t)(from - before)) : NULL;
    if (p == MAP_FAILED)
        return err_errno(err, ERR_IO, "cannot map %s", path);
    *m = (struct map){.p = len ? p + before : "", .len = len, .mapping = p};
    return true;
}

bool map_open(struct map *m, const char *path, struct err *err)
{
    int fd = -1;
    size_t len = 0;
    if (!file_open(path, &fd, &len, err))
        return false;
    bool ok = map_piece(m, fd, 0, len, path, err);
    close(fd);
    return ok;
}

void map_forget(const struct map *m, size_t from, size_t len)
{
    /* Whoever reads a page is given those around it as well, by newer kernels all that the cache holds in one piece: some
     * in front that were forgotten before. */
    enum { AROUND_BYTES = 2 << 20 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t begin = from > AROUND_BYTES ? (from - AROUND_BYTES) / page * page : 0;
    if (m->mapping && len)
        madvise((char *)m->mapping + begin, from + len - begin, MADV_DONTNEED);
}

bool map_open_configured(struct map *m, const char *path, struct err *err)
{
    static const int OF_THE_NAME[] = {0, ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG, ENXIO};
    errno = 0;
    if (map_open(m, path, err))
        return true;
    for (size_t i = 0; i < sizeof OF_THE_NAME / sizeof *OF_THE_NAME; i++)
        if (errno == OF_THE_NAME[i])   /* 0: no regular file */
            err->kind = ERR_CONFIG;
    return false;
}

void map_close(struct map *m)
{
    if (m->mapping)
        munmap(m->mapping, (size_t)(m->p - (char *)m->mapping) + m->len);
    *m = (struct map){0};
}

/* ---- locks ---- */

/* False as well when path was replaced or removed between open and lock: what we hold then locks nothing. */
static bool lock_is_current(int fd, const char *path)
{
    struct stat held, named;
    return !fstat(fd, &held) && !stat(path, &named) && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

bool lock_take(const char *path, int *ret_fd, struct err *err)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 || fchmod(fd, 0600)) {
            err_errno(err, ERR_CANT_CREATE, "cannot create lock %s", path);
            if (fd >= 0)
                close(fd);
            return false;
        }
        if (flock(fd, LOCK_EX | LOCK_NB)) {
            bool held = errno == EWOULDBLOCK;
            err_errno(err, held ? ERR_TRY_AGAIN : ERR_IO, held ? "%s: another process has the lock" : "cannot lock %s",
                      path);
            close(fd);
            return false;
        }
        if (lock_is_current(fd, path)) {
            *ret_fd = fd;
            return true;
        }
        close(fd);
    }
    return err_set(err, ERR_TRY_AGAIN, "%s: the lock keeps being replaced", path);
}
