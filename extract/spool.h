/* What was received for one company, before anything is made of it: raw/<company_id>.spool in the run's folder. It lets
 * an interrupted extract go on from its last complete page, keeps raw responses for those who want them (archive_raw),
 * and remembers entity tags for the next night. Append-only; a frame is a line of JSON
 *   {"request":3,"page":1,"url":"…","etag":"…","next":"…","total":120,"records":50,"asked_at":1775001599,
 *    "received_at":1775001600,"absent":false,"bytes":N,"xxh128":"…"}
 * (without its line breaks), the N bytes of the body, and a newline. A frame is written at once and never synced: what
 * a power cut tears or blanks does not match its digest and is cut off when the spool is opened again. A list that is
 * read anew starts over with its page 1, which voids the earlier pages of that request. URLs hold no credentials of ours;
 * those that a server gave hold what it put there, and are not told (url_told). Files have mode 0600. */
#ifndef EXTRACT_SPOOL_H
#define EXTRACT_SPOOL_H

#include "common/date.h"
#include "common/err.h"
#include "common/file.h"
#include "common/str.h"

struct page {
    int request;           /* index into the company's requests */
    int number;            /* from 1 */
    struct str url, etag;  /* url: the file's path for files; etag null when there was none */
    struct str next;       /* what leads to the next page; null on the last one */
    int64_t total;         /* announced number of records, or INT_NONE */
    int64_t records;       /* on this page; INT_NONE: not counted (a file) or not readable */
    instant_t asked_at;    /* when the source was first asked for anything of this company */
    instant_t received_at; /* or the earlier instant that the page says it is the state of */
    bool absent;           /* an optional list that is not there */
    struct str body;
};

struct spool {
    int fd;
    char *path;
    int64_t kept_bytes;    /* whole pages that an earlier process left */
};

/* Opens for appending, cutting off everything from the first frame that is torn or does not match its digest. */
bool spool_open(struct spool *s, const char *path, struct err *err);
bool spool_append(struct spool *s, const struct page *page, struct err *err);
void spool_close(struct spool *s);

/* Reads a spool from the start; pages point into the map, but for strings with escapes, which go to the arena. Voided
 * pages are passed over. spool_read checks every digest first: ERR_DATA names the place where the file is damaged,
 * ERR_NO_INPUT when there is no file. spool_next returns false at the end. */
struct spool_in {
    struct map map;
    size_t offset;
    size_t *first;         /* per request: where its page 1 that counts begins */
    int n_first;
};
bool spool_read(struct spool_in *in, const char *path, struct err *err);
bool spool_next(struct spool_in *in, struct arena *a, struct page *ret);
void spool_end(struct spool_in *in);

#endif
