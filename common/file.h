/* Files that appear whole or not at all, and files read by mapping. */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/digest.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/str.h"

/* A file being written as <path>.tmp, mode 0600, with its digests taken on the way. file_commit flushes, fsyncs and
 * renames it; on failure it does what file_abandon does: remove it. Either leaves *f ready to be opened again, and
 * file_abandon may be called on a file that is not open. A committed name lasts through a power cut once dir_sync has
 * returned for its folder. Zero it to start ({0}). */
struct out_file {
    int fd;
    bool passing;          /* set after file_create: it will be gone before anybody relies on it, and is not synced */
    char *path, *tmp;      /* NULL: not open */
    struct buf pending;
    struct sha256 sha256;
    struct xxh128 xxh128;
    int64_t bytes;         /* written so far, pending ones included */
    size_t unsent;         /* written, and not yet on their way to the disk */
};
bool file_create(struct out_file *f, const char *path, struct err *err);
bool file_write(struct out_file *f, const void *p, size_t len, struct err *err);
bool file_flush(struct out_file *f, struct err *err); /* what is pending goes to the kernel, and on its way to the disk */
bool file_commit(struct out_file *f, struct digests *ret, struct err *err); /* ret may be NULL */
void file_abandon(struct out_file *f);
/* Gives a file that is not to be changed a second name instead of a copy. False where that cannot be: another file system,
 * rights other than 0600, another owner. Nothing is said then; a copy will do. */
bool file_link(const char *from, const char *to);
bool dir_sync(const char *path, struct err *err);

/* mkdir -p with mode 0700, whatever the umask, each new name made to last; then dir_check. */
bool dir_create(const char *path, struct err *err);
/* Refuses (ERR_REFUSED) a folder that others than its owner can write to, or that belongs to somebody else than this
 * user or root. ERR_NO_INPUT when there is none. */
bool dir_check(const char *path, struct err *err);

/* Calls each(arg, name) for every folder in path, in no order, never for a symbolic link; false ends it. A path that
 * does not exist has none. */
bool dir_each(const char *path, bool (*each)(void *arg, const char *name, struct err *err), void *arg,
              struct err *err);
/* True for a regular file, symbolic links are none; true as well where a fault keeps one from knowing: opening it tells. */
bool file_exists(const char *path);

/* Opens a regular file for reading; *ret_len: its bytes. ERR_NO_INPUT when there is none. */
bool file_open(const char *path, int *ret_fd, size_t *ret_len, struct err *err);
/* Until len bytes are there or the file ends; the bytes read, -1 with errno. */
ssize_t fd_read(int fd, char *p, size_t len);

/* A whole file, mapped read-only; an empty one maps to p == "" . ERR_NO_INPUT when there is none. */
struct map {
    const char *p;
    size_t len;
    void *mapping;         /* what p points to or, by less than a page, behind; for map_close */
};
bool map_open(struct map *m, const char *path, struct err *err);
/* The same for what the configuration names: ERR_CONFIG where its name, its rights or what it is are at fault, and not the
 * disk. */
bool map_open_configured(struct map *m, const char *path, struct err *err);
/* A piece of an open file, which path names in errors. */
bool map_piece(struct map *m, int fd, size_t from, size_t len, const char *path, struct err *err);
void map_close(struct map *m);
/* These bytes are not needed for now: their memory is given back, and filled again when they are looked at. */
void map_forget(const struct map *m, size_t from, size_t len);

/* Takes an exclusive lock on path (created 0600) without waiting; ERR_TRY_AGAIN when another process has it. The lock
 * goes with *ret_fd or the process. */
bool lock_take(const char *path, int *ret_fd, struct err *err);

#endif
