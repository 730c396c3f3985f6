#include "extract/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/jscan.h"
#include "common/money.h"

enum { FRAME_LINE_MAX = 256 << 10, REQUESTS_MAX = 1 << 20 };

/* ---- a frame's line ---- */

static void put_key(struct buf *b, const char *key)
{
    buf_adds(b, ",\"");
    buf_adds(b, key);
    buf_adds(b, "\":");
}

static void put_text(struct buf *b, const char *key, struct str value)
{
    if (!value.p)
        return;
    put_key(b, key);
    jscan_quote(b, value);
}

static void put_int(struct buf *b, const char *key, int64_t value)
{
    if (value == INT_NONE)
        return;
    put_key(b, key);
    buf_addi(b, value);
}

static void frame_line(struct buf *b, const struct page *page)
{
    char xxh128[XXH128_HEX + 1];
    xxh128_of(page->body.p, page->body.len, xxh128);
    buf_adds(b, "{\"request\":");
    buf_addi(b, page->request);
    put_int(b, "page", page->number);
    put_text(b, "url", page->url);
    put_text(b, "etag", page->etag);
    put_text(b, "next", page->next);
    put_int(b, "total", page->total);
    put_int(b, "records", page->records);
    put_int(b, "asked_at", page->asked_at);
    put_int(b, "received_at", page->received_at);
    put_key(b, "absent");
    buf_adds(b, page->absent ? "true" : "false");
    put_int(b, "bytes", page->body.len);
    put_text(b, "xxh128", (struct str){xxh128, XXH128_HEX, true});
    buf_adds(b, "}\n");
}

static struct str get_text(const struct jdoc *d, const char *key)
{
    const struct jvalue *v = jdoc_member(d, d->value, str_of(key));
    return v && v->type == J_STRING ? v->text : STR_NULL;
}

static int64_t get_int(const struct jdoc *d, const char *key)
{
    const struct jvalue *v = jdoc_member(d, d->value, str_of(key));
    int64_t n;
    return v && v->type == J_NUMBER && money_parse_int(v->text, &n) ? n : INT_NONE;
}

static bool get_true(const struct jdoc *d, const char *key)
{
    const struct jvalue *v = jdoc_member(d, d->value, str_of(key));
    return v && v->type == J_TRUE;
}

/* Reads the frame at offset; *ret_xxh128 is what its line claims. False when it is torn or no frame. */
static bool frame_read(const struct map *map, size_t offset, struct arena *a, struct page *ret, struct str *ret_xxh128,
                       size_t *ret_end)
{
    const char *line = map->p + offset;
    size_t left = map->len - offset;
    const char *newline = memchr(line, '\n', left < FRAME_LINE_MAX ? left : FRAME_LINE_MAX);
    if (!newline)
        return false;
    struct jdoc d;
    struct jscan fault;
    if (!jdoc_parse((struct str){line, (uint32_t)(newline - line), false}, a, &d, &fault))
        return false;
    int64_t request = get_int(&d, "request"), number = get_int(&d, "page"), bytes = get_int(&d, "bytes");
    left -= (size_t)(newline + 1 - line);
    if (request < 0 || request >= REQUESTS_MAX || number < 1 || number > INT32_MAX || bytes < 0 || bytes > UINT32_MAX ||
        (uint64_t)bytes >= left || newline[1 + bytes] != '\n')
        return false;
    *ret = (struct page){
        .request = (int)request, .number = (int)number, .url = get_text(&d, "url"), .etag = get_text(&d, "etag"),
        .next = get_text(&d, "next"), .total = get_int(&d, "total"), .records = get_int(&d, "records"),
        .asked_at = get_int(&d, "asked_at"), .received_at = get_int(&d, "received_at"), .absent = get_true(&d, "absent"),
        .body = {newline + 1, (uint32_t)bytes, false},
    };
    *ret_xxh128 = get_text(&d, "xxh128");
    *ret_end = (size_t)(newline + 1 - map->p) + (size_t)bytes + 1;
    return ret->url.p != NULL;
}

/* Goes over all frames, keeping per request where its last page 1 stands, and returns where the good ones end. */
static size_t frames_check(struct spool_in *in)
{
    struct arena a = {0};
    struct page page;
    struct str claimed;
    size_t offset = 0, end;
    while (offset < in->map.len && frame_read(&in->map, offset, &a, &page, &claimed, &end)) {
        char xxh128[XXH128_HEX + 1];
        xxh128_of(page.body.p, page.body.len, xxh128);
        if (!str_is(claimed, xxh128))
            break;
        if (page.request >= in->n_first) {
            in->first = mem_realloc(in->first, sizeof *in->first * ((size_t)page.request + 1));
            for (; in->n_first <= page.request; in->n_first++)
                in->first[in->n_first] = SIZE_MAX;
        }
        if (page.number == 1)
            in->first[page.request] = offset;
        offset = end;
        arena_reset(&a);
    }
    arena_free(&a);
    return offset;
}

/* ---- writing ---- */

/* The length of the part of the file that can be believed. */
static bool good_length(const char *path, off_t *ret, struct err *err)
{
    struct spool_in in = {0};
    if (!map_open(&in.map, path, err))
        return false;
    *ret = (off_t)frames_check(&in);
    spool_end(&in);
    return true;
}

/* Cuts what an earlier process left to what can be believed of it; a new file has nothing to look at. */
static bool cut(int fd, const char *path, int64_t *ret_kept, struct err *err)
{
    struct stat st;
    off_t good = 0;
    if (fstat(fd, &st))
        return err_errno(err, ERR_IO, "cannot look at %s", path);
    if ((st.st_size || !S_ISREG(st.st_mode)) && !good_length(path, &good, err))
        return false;
    if (((st.st_mode & 07777) != 0600 && fchmod(fd, 0600)) || (good != st.st_size && ftruncate(fd, good)))
        return err_errno(err, ERR_IO, "cannot cut %s to %lld bytes", path, (long long)good);
    *ret_kept = good;
    return true;
}

bool spool_open(struct spool *s, const char *path, struct err *err)
{
    int64_t kept = 0;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, ERR_CANT_CREATE, "cannot create %s", path);
    if (!cut(fd, path, &kept, err)) {
        close(fd);
        return false;
    }
    *s = (struct spool){.fd = fd, .path = mem_strdup(path), .kept_bytes = kept};
    return true;
}

static bool write_parts(int fd, struct iovec *part, int n)
{
    while (n > 0) {
        ssize_t done = writev(fd, part, n);
        if (done < 0 && errno != EINTR)
            return false;
        for (size_t left = done > 0 ? (size_t)done : 0; n > 0; part++, n--) {
            if (left < part->iov_len) {
                part->iov_base = (char *)part->iov_base + left;
                part->iov_len -= left;
                break;
            }
            left -= part->iov_len;
        }
    }
    return true;
}

/* writev does not write to it, whatever its type says. */
static struct iovec part_of(const void *p, size_t len)
{
    union {
        const void *given;
        void *wanted;
    } base = {p};
    return (struct iovec){base.wanted, len};
}

bool spool_append(struct spool *s, const struct page *page, struct err *err)
{
    struct buf line = {0};
    frame_line(&line, page);
    struct iovec part[] = {part_of(line.p, line.len), part_of(page->body.p, page->body.len), part_of("\n", 1)};
    bool ok = write_parts(s->fd, part, 3) || err_errno(err, ERR_IO, "cannot write %s", s->path);
    buf_free(&line);
    return ok;
}

void spool_close(struct spool *s)
{
    if (!s->path)
        return;
    close(s->fd);
    free(s->path);
    *s = (struct spool){.fd = -1};
}

/* ---- reading ---- */

bool spool_read(struct spool_in *in, const char *path, struct err *err)
{
    struct spool_in new = {0};
    if (!map_open(&new.map, path, err))
        return false;
    size_t good = frames_check(&new);
    if (good != new.map.len) {
        size_t len = new.map.len;
        spool_end(&new);
        return err_set(err, ERR_DATA, "%s: damaged at byte %zu of %zu: expected a page that matches its digest", path,
                       good, len);
    }
    *in = new;
    return true;
}

bool spool_next(struct spool_in *in, struct arena *a, struct page *ret)
{
    struct page page;
    struct str claimed;
    while (in->offset < in->map.len) {
        size_t start = in->offset;
        if (!frame_read(&in->map, start, a, &page, &claimed, &in->offset))
            return false;
        if (start >= in->first[page.request]) {
            *ret = page;
            return true;
        }
    }
    return false;
}

void spool_end(struct spool_in *in)
{
    map_close(&in->map);
    free(in->first);
    *in = (struct spool_in){0};
}
