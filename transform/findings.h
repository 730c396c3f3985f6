/* The discrepancies of one company, each identity once: what is raised again for the same code, subject, contract and
 * cover month adds its lines and amounts to what is there. */
#ifndef TRANSFORM_FINDINGS_H
#define TRANSFORM_FINDINGS_H

#include "transform/dataset.h"

struct findings {
    struct dataset *d;
    struct discrepancy *v;
    uint32_t n, cap;
    uint32_t *slot;        /* hash of identities: position + 1 */
    uint32_t mask;
};

void findings_init(struct findings *f, struct dataset *d);

/* The discrepancy of this identity, new or raised before. Money fields start null (held_cents 0): use the calls below. */
struct discrepancy *findings_raise(struct findings *f, enum discrepancy_code code, const struct about *about);
/* The same for a subject that is none of the above: a source, a company. */
struct discrepancy *findings_raise_on(struct findings *f, enum discrepancy_code code, enum subject_type type,
                                      struct str subject_id);

/* Adds a line to it: expected and actual amounts (INT_NONE: leave alone) and what is held. False on overflow. */
bool finding_add_line(struct discrepancy *x, struct str line_id, int64_t expected_cents, int64_t actual_cents,
                      int64_t held_cents);
/* Which side is at fault; SIDE_BOTH once both were. */
void finding_side(struct discrepancy *x, enum side side);

/* Writes them in order of code, subject, contract and month. One that is about held lines alone, which a credit has
 * brought back to zero, is settled and left out. found[severity] counts what was written. */
bool findings_write(struct findings *f, int64_t found[severity_count], struct err *err);

#endif
