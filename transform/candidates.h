/* Who in payroll may be a member that no number matches: by folded names and birth date, best first. */
#ifndef TRANSFORM_CANDIDATES_H
#define TRANSFORM_CANDIDATES_H

#include "transform/dataset.h"

enum { CANDIDATES_MAX = 5, SCORE_TWIN = 100 };

struct candidates;

/* Looks only at employees whom no member is matched to. NULL-free; memory is the company's arena. */
struct candidates *candidates_prepare(struct dataset *d);
/* The best few for a member, as a list of struct candidate. *ret_twin is the one employee with the same names and birth
 * date, NONE when there is none or more than one. */
struct list candidates_for(struct candidates *c, const struct insured *member, int32_t *ret_twin);

/* 0..100: 50 for the birth date, 30 for the last (or birth) name, 20 for the first name, less when one only contains the
 * other; first and last name exchanged count as 40. All names folded. */
struct folded { struct str first, last, birth; date_t birth_date; };
int candidate_score(const struct folded *a, const struct folded *b);

#endif
