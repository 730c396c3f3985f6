/* Files of a part read from end to end through a window, hashed while they are hot in the cache. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/manifest.h"

enum { WINDOW_BYTES = 128 << 10 };

struct stream {
    const struct staging_file *file;
    char *path;
    int fd;
    int64_t read;          /* bytes of the file so far */
    struct sha256 hash;
    struct buf window;     /* its last bytes */
};

bool stream_open(struct part_in_file *f, const char *folder, const struct staging_file *file, struct err *err)
{
    struct stream new = {.file = file, .path = mem_printf("%s/%s", folder, file->name)};
    size_t len;
    if (!file_open(new.path, &new.fd, &len, err)) {
        free(new.path);
        return false;
    }
    *f = (struct part_in_file){.record = file->record, .stream = mem_alloc(sizeof new)};
    sha256_start(&new.hash);
    *f->stream = new;
    return len == (size_t)file->bytes || err_set(err, ERR_DATA, "%s: expected %" PRId64 " bytes, found %zu", new.path,
                                                 file->bytes, len);
}

void stream_close(struct part_in_file *f)
{
    struct stream *s = f->stream;
    if (!s)
        return;
    close(s->fd);
    sha256_drop(&s->hash);
    buf_free(&s->window);
    free(s->path);
    free(s);
    f->stream = NULL;
}

/* Reads until `wanted` bytes are in the window, and as many as there is room for, block by block: each is hashed while it
 * is in the cache. */
static bool fill(struct stream *s, size_t wanted, struct err *err)
{
    buf_reserve(&s->window, wanted - s->window.len < WINDOW_BYTES ? WINDOW_BYTES : wanted - s->window.len);
    while (s->window.len < wanted) {
        size_t room = s->window.cap - s->window.len;
        char *to = s->window.p + s->window.len;
        ssize_t n = fd_read(s->fd, to, room < WINDOW_BYTES ? room : WINDOW_BYTES);
        if (n < 0)
            return err_errno(err, ERR_IO, "cannot read %s", s->path);
        if (n == 0)
            return err_set(err, ERR_DATA, "%s: expected %" PRId64 " bytes, found %" PRId64, s->path, s->file->bytes, s->read);
        sha256_add(&s->hash, to, (size_t)n);
        s->window.len += (size_t)n;
        s->read += n;
    }
    return true;
}

bool stream_hold(struct part_in_file *f, int64_t offset, int64_t bytes, struct err *err)
{
    struct stream *s = f->stream;
    if (offset + bytes > s->read) {
        size_t passed = (size_t)(offset - f->from);
        s->window.len -= passed;
        if (s->window.len)
            memmove(s->window.p, s->window.p + passed, s->window.len);
        f->from = offset;
        if (!fill(s, (size_t)bytes, err))
            return false;
    }
    f->map = (struct map){.p = s->window.p, .len = s->window.len};
    return true;
}

bool stream_verify(struct part_in_file *f, struct err *err)
{
    struct stream *s = f->stream;
    char sha256[SHA256_HEX + 1];
    while (s->read < s->file->bytes) {
        s->window.len = 0;
        if (!fill(s, 1, err))
            return false;
    }
    sha256_end(&s->hash, sha256);
    return (s->read == s->file->bytes && !strcmp(sha256, s->file->sha256)) ||
           err_set(err, ERR_DATA, "%s: expected SHA-256 %s, found %s", s->path, s->file->sha256, sha256);
}
