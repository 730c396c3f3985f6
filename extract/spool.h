/* What was received for one company, before anything is made of it: raw/<company_id>.spool in the run's folder. It lets
 * an interrupted extract go on from its last complete page, keeps raw responses for those who want them (archive_raw),
 * and remembers entity tags for the next night. Append-only; a frame is a line of JSON
 *   {"request":3,"page":1,"url":"…","etag":"…","next":"…","total":120,"received_at":"…","bytes":N,"sha256":"…"}
 * the N bytes of the body, and a newline. A torn last frame is cut off when the spool is opened again. URLs hold no
 * credentials. */
#ifndef EXTRACT_SPOOL_H
#define EXTRACT_SPOOL_H

#include "common/err.h"
#include "common/file.h"
#include "common/str.h"

struct page {
    int request;           /* index into the company's requests */
    int number;            /* from 1 */
    struct str url, etag;  /* etag null when there was none */
    struct str next;       /* what leads to the next page; null on the last one */
    int64_t total;         /* announced number of records, or INT_NONE */
    int64_t received_at;
    bool absent;           /* an optional list that is not there */
    struct str body;
};

struct spool {
    int fd;
    char *path;
};

/* Opens for appending, cutting off a torn tail. */
bool spool_open(struct spool *s, const char *path, struct err *err);
bool spool_append(struct spool *s, const struct page *page, struct err *err);
void spool_close(struct spool *s);

/* Reads a spool from the start; pages point into the map. spool_next returns false at the end or on a torn frame. */
struct spool_in {
    struct map map;
    size_t offset;
};
bool spool_read(struct spool_in *in, const char *path, struct err *err);
bool spool_next(struct spool_in *in, struct arena *a, struct page *ret);
void spool_end(struct spool_in *in);

#endif
