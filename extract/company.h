/* What is staged of a company itself: the configuration's word, completed by what its sources say. */
#ifndef EXTRACT_COMPANY_H
#define EXTRACT_COMPANY_H

#include "extract/map.h"

/* Fills siren, name, headcount (the establishments' added up), previous_sirens and establishments of *ret. said: the
 * company records of the sources, NULL for none. ERR_CONFIG when payroll answers for another establishment than the
 * configuration says: its people would be taken for somebody else's. */
bool company_compose(const struct config_company *config, const struct rows *said, struct arena *a, struct company *ret,
                     struct err *err);

#endif
