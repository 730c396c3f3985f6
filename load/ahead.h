/* The files of a run read ahead, by a thread of its own: verified (size, XXH128, whole lines), and the facts of each
 * company digested. The server is at work meanwhile. The thread starts with the first part and keeps nothing mapped. */
#ifndef LOAD_AHEAD_H
#define LOAD_AHEAD_H

#include "common/stage.h"
#include "common/xxh3.h"
#include "load/entity.h"

struct ahead;

/* Starts reading; run and in stay as they are until ahead_end. */
struct ahead *ahead_start(const struct stage_run *run, const struct staging_in *in);
/* Waits until a part is done. False when it, or one before it, does not hold what it should: ERR_DATA. */
bool ahead_wait(struct ahead *a, int part, struct err *err);
/* The digests of those companies of a part that this run takes and that were read, in the order of the index. The part is
 * done; they live until ahead_end. */
const XXH128_hash_t *ahead_digests(const struct ahead *a, int part);
/* Ends the thread; a may be NULL. */
void ahead_end(struct ahead *a);

/* Over the staged facts of a company: XXH128 of the lines of each entity, and of these together. Every entity of
 * entities[] is added, by its place there, with the part that its lines are of. */
struct company_digest {
    XXH128_hash_t each[ENTITIES];
};
void company_digest_add(struct company_digest *d, int entity, const struct part_in *part, struct str lines);
XXH128_hash_t company_digest_end(const struct company_digest *d);

#endif
