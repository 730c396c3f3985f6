/* Worker processes over the parts of a run. Each takes the next part nobody has taken, writes the output part of the same
 * number and leaves its part-NNNN.done; so the bytes do not depend on how many there are. A worker that fails makes the
 * others stop at their next company; its error is the run's. */
#ifndef TRANSFORM_WORKERS_H
#define TRANSFORM_WORKERS_H

#include "common/stage.h"
#include "transform/dataset.h"

/* Transforms all parts of `in` into `out` with at most `jobs` processes. A company that is not selected is left out.
 * found[severity] receives how many discrepancies were written. */
bool workers_run(const struct stage_run *run, const struct rules *rules, const struct staging_in *in,
                 const struct staging_out *out, int jobs, int64_t found[severity_count], struct err *err);

#endif
