/* What a rate is applied to in a month, from payroll's pay bases and the ceiling of social security. */
#ifndef TRANSFORM_PAY_BASE_H
#define TRANSFORM_PAY_BASE_H

#include "transform/dataset.h"
#include "transform/split.h"

/* The base of an employment for a basis in a month: gross pay; the PMSS, for an incomplete month its share by calendar
 * days; T1, T2, TB as payroll gives them, else from the gross pay of every month of the year so far (tranche.h). BASE_NONE
 * where payroll does not say enough. False with err (ERR_CONFIG) when the PMSS of the year is not known. */
bool pay_base_of(const struct dataset *d, int32_t employment, enum basis basis, month_t month, struct base *ret,
                 struct err *err);

#endif
