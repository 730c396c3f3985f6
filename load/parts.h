/* The staged companies, a few parts at a time: what is to be copied of each. */
#ifndef LOAD_PARTS_H
#define LOAD_PARTS_H

#include "load/base.h"
#include "load/diff.h"

enum { PARTS_TOGETHER = 2 };   /* in one COPY an entity: beginning and ending one takes the server as long as some 500 rows */

/* A company of a part whose facts or discrepancies are to be copied. */
struct taken {
    struct company company;
    bool same, closed;
    const struct base_company *base;   /* its last load, as staged then; NULL: not to be had */
    const struct line_diff *diff;      /* from it, by entity; NULL as well */
    int64_t rows;                      /* that will be its own in the scope of this run */
    XXH128_hash_t digest;              /* of its facts */
};

struct taken_part {
    struct part_in in;         /* open while its rows are copied, unless n is 0 */
    struct taken *v;
    size_t n, selected, differ;   /* differ: do not bring what their last load brought */
};

/* Parts that follow each other. */
struct parts {
    struct taken_part v[PARTS_TOGETHER];
    int n;
    int base_end;                         /* they were compared with parts of the earlier run up to this one */
    struct comparison *comparison;        /* under way */
    struct arena arena, differences[2];   /* [1]: of a second thread */
};

/* As many of the parts from `first` on as go together, opened; what the index says of their companies goes into the totals
 * of the run. A thread begins to compare them: parts_compare ends that. Whatever it returns, parts_close comes in the end,
 * and parts_free after the last. */
bool parts_take(struct load *l, int first, struct parts *ret, struct err *err);
/* Until it is known what differs: base and diff of each company. */
void parts_compare(struct parts *parts);
/* Whether any of them has lines of an entity. */
bool parts_have(const struct parts *parts, const struct record *r);
/* How many of their companies do not bring what their last load brought. */
size_t parts_differing(const struct parts *parts);
/* In the order that they were taken in. */
void parts_close(struct load *l, struct parts *parts);
void parts_free(struct parts *parts);

#endif
