/* Canonical records to and from NDJSON lines, straight between bytes and structs. */
#ifndef COMMON_NDJSON_H
#define COMMON_NDJSON_H

#include "common/jscan.h"
#include "common/records.h"

enum { RECORD_LIST_MAX = 100000 }; /* elements of a list field */

/* Every fault of one record, for rejects.ndjson. The first fault's reason is the record's. Zero n to start. */
enum { FAULTS_MAX = 32 };
struct faults {
    enum reject_reason reason;
    uint32_t n;
    struct str text[FAULTS_MAX];  /* in the arena given to faults_add; cut at 1000 bytes, as in reject */
};
void faults_add(struct faults *f, struct arena *a, enum reject_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Decodes one line (without its newline) into *rec, a struct of r. Text points into the line where it has no escape,
 * else into the arena; so do lists. Keys are expected in the record's order and found in any other too; a key that the
 * record does not have, a JSON real, a null where none may be are faults. *faults is emptied first. False when there is
 * any; *rec is then unspecified. */
bool ndjson_decode(const struct record *r, struct str line, struct arena *a, void *rec, struct faults *faults);

/* Appends rec as one line with its newline: all keys, in order, no spaces. */
void ndjson_encode(const struct record *r, const void *rec, struct buf *b);

/* Checks a struct against its record's limits before it is written: required fields, lengths, UTF-8, no negative
 * counts, years 1000..9999. What passes is decoded again without a fault. Faults are added to *faults; false when there
 * are any. */
bool record_check(const struct record *r, const void *rec, struct arena *a, struct faults *faults);

/* Both at once: false, with nothing appended, for a record that record_check finds a fault with. */
bool ndjson_encode_fit(const struct record *r, const void *rec, struct buf *b);

#endif
