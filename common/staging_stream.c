/* Files of a part read from end to end: mapped, hashed as far as they are needed, while the bytes are on their way into the
 * cache, and forgotten behind that, or at once where they are more than a cache holds. Mapping beats read() into a buffer,
 * where the processor has page tables for guests: its page faults take a sixth of the copying. Where it has none, a page
 * fault takes 25 us and forgetting 100, however much it is: it is done half a megabyte at a time. */
#include <stdlib.h>

#include "common/manifest.h"

enum { BLOCK_BYTES = 64 << 10, FORGET_BYTES = 512 << 10, HOLD_BYTES = 4 << 20 };

struct stream {
    const struct staging_file *file;
    char *path;
    int64_t hashed, forgotten;   /* so far, from the beginning */
    struct xxh128 hash;
};

bool stream_open(struct part_in_file *f, const char *folder, const struct staging_file *file, struct err *err)
{
    char *path = mem_printf("%s/%s", folder, file->name);
    struct map map;
    if (!map_open(&map, path, err)) {
        free(path);
        return false;
    }
    *f = (struct part_in_file){.record = file->record, .map = map, .stream = mem_alloc(sizeof *f->stream)};
    *f->stream = (struct stream){.file = file, .path = path};
    xxh128_start(&f->stream->hash);
    return staged_size_is(file, path, map.len, err);
}

void stream_close(struct part_in_file *f)
{
    struct stream *s = f->stream;
    if (!s)
        return;
    xxh128_drop(&s->hash);
    free(s->path);
    free(s);
    f->stream = NULL;
}

static void hash_to(struct part_in_file *f, int64_t end)
{
    struct stream *s = f->stream;
    while (s->hashed < end) {
        int64_t len = end - s->hashed < BLOCK_BYTES ? end - s->hashed : BLOCK_BYTES;
        xxh128_add(&s->hash, f->map.p + s->hashed, (size_t)len);
        s->hashed += len;
    }
}

int64_t stream_hold(struct part_in_file *f, int64_t offset, int64_t bytes)
{
    struct stream *s = f->stream;
    int64_t lines = 0, len, behind = offset;
    if (offset - s->forgotten >= FORGET_BYTES) {
        map_forget(&f->map, (size_t)s->forgotten, (size_t)(offset - s->forgotten));
        s->forgotten = offset;
    }
    for (int64_t at = offset, end = offset + bytes; at < end; at += len) {
        len = end - at < BLOCK_BYTES ? end - at : BLOCK_BYTES;
        hash_to(f, at + len);
        lines += str_newlines(f->map.p + at, (size_t)len);
        if (bytes > HOLD_BYTES && at + len - behind >= FORGET_BYTES) {
            map_forget(&f->map, (size_t)behind, (size_t)(at + len - behind));
            behind = at + len;
        }
    }
    return lines;
}

bool stream_verify(struct part_in_file *f, struct err *err)
{
    struct stream *s = f->stream;
    char xxh128[XXH128_HEX + 1];
    hash_to(f, s->file->bytes);
    xxh128_end(&s->hash, xxh128);
    return staged_digest_is(s->file, s->path, xxh128, err);
}
