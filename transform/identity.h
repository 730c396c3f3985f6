/* Who is who: members of Alan matched to employees of payroll. Only a NIR that is unique on both sides, an NTT, or a link
 * made by a person decides; names and birth dates merely suggest. */
#ifndef TRANSFORM_IDENTITY_H
#define TRANSFORM_IDENTITY_H

#include "transform/findings.h"

/* Matches every member (person, matched_by) or says why not (hold, blame), and raises what is wrong with identities:
 * member_not_in_payroll (only for who is billed), nir_mismatch, nir_duplicate. Marks persons as explained when such a
 * discrepancy already tells why they are missing at Alan. */
void identity_match(struct dataset *d, struct findings *f);

/* Raises what is wrong with the numbers of people active in the month or billed: nir_missing, nir_invalid,
 * nir_provisional, nir_birth_mismatch. To be called after identity_match. */
void identity_check_numbers(struct dataset *d, struct findings *f);

#endif
