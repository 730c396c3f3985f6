/* One company from its staged records to its contributions and discrepancies. */
#ifndef TRANSFORM_COMPANY_H
#define TRANSFORM_COMPANY_H

#include "transform/dataset.h"

/* Reads *company's records from the part `in`, writes everything transform makes of them to the part `out` and ends the
 * company there. A company that extract could not read passes with its status alone. The arena is reset by the caller.
 * found[severity] is increased by the discrepancies written. False with err when the amounts do not add up or on trouble with files. */
bool company_transform(const struct rules *rules, const struct part_in *in, struct company *company, struct arena *arena,
                       struct part *out, int64_t found[severity_count], struct err *err);

#endif
