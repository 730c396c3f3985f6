/* Who is covered, exempt or assigned when: questions about one person that allocation and coverage both ask. */
#ifndef TRANSFORM_COVER_H
#define TRANSFORM_COVER_H

#include "transform/dataset.h"

/* Why somebody need not be insured, and by whose word. */
struct exemption {
    struct str ground;     /* null: payroll's mark alone, or Alan gives none */
    struct str proof;
    date_t from, until;    /* DATE_NONE: not said */
};

/* Whether the person is exempt from health cover on all of from..to: by dispenses recorded here and exempt affiliations at
 * Alan, of any member who is that person, one following the other at once; else by payroll's own mark on the employment. */
bool cover_exempt(const struct dataset *d, int32_t employment, date_t from, date_t to, struct exemption *ret);
/* The exemption of that person which ended last before `on`, if any: recorded here or at Alan. */
bool cover_exemption_ended(const struct dataset *d, int32_t employment, date_t on, struct exemption *ret);

/* The affiliation of a member that counts most for a product in from..to: active or suspended before pending, then
 * portability, exempt, ended; of one contract only when contract is not NONE. NULL when there is none. */
const struct affiliated *cover_affiliation(const struct dataset *d, int32_t member, enum product product, int32_t contract,
                                           date_t from, date_t to);

/* Whether Alan has had this contract, or its last change, for no longer than the grace of a contract. */
bool cover_contract_new(const struct dataset *d, const struct contract *c);

#endif
