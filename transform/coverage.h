/* Who is assigned, affiliated, exempt or none of it in the payroll month: step 3 of the resolution guide. */
#ifndef TRANSFORM_COVERAGE_H
#define TRANSFORM_COVERAGE_H

#include "transform/findings.h"

/* For every employee active in the month: raises no_contract_assigned, assigned_not_affiliated, affiliated_not_assigned,
 * employee_not_at_insurer, pending_synchronisation, exempt_but_affiliated, dispense_expired, dispense_unproven, and writes
 * a coverage record (where write says so: not in a closed month) for who is without health cover. Where payroll tells no assignments at all, only Alan's side counts. */
bool coverage_write(struct dataset *d, struct findings *f, bool write, struct err *err);

#endif
