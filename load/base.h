/* The staged output of an earlier run, to tell what differs tonight. It is believed where it is word for word what the
 * database remembers of a company's last load; where there is none, or it was altered, a company is compared whole. */
#ifndef LOAD_BASE_H
#define LOAD_BASE_H

#include "load/load.h"

struct base_company {
    struct company company;
    const struct part_in *part;    /* its lines */
    char digest[XXH128_HEX + 1];   /* of what it brought then, as the database remembers it */
};

/* Opens, unless that was done, what the last run published here of this month has left in the staging folder, if that is
 * of use; false only when the database cannot be asked. */
bool base_open(struct load *l, struct err *err);
/* The last load of a company that is remembered, as it was staged; NULL when it is not to be had. Ids must be asked for in
 * the order of the index; what is returned lives in the arena, and its lines until base_release. It is to be believed when
 * they have its digest. */
const struct base_company *base_find(struct base *b, struct str company_id, const struct known *known, struct arena *a);
/* The part in which the company asked for last lies, or would; 0 when b is NULL, which it may be here and below. */
int base_at(const struct base *b);
/* Unmaps the parts before `end`. */
void base_release(struct base *b, int end);
void base_close(struct base *b);

#endif
