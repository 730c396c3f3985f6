/* CSV files that hold all companies. Each is mapped and gone over once, before anything is fetched: its rows are noted
 * by company (24 bytes a row), so that assembling a company reads its own rows only. */
#ifndef EXTRACT_SHARED_H
#define EXTRACT_SHARED_H

#include "extract/map.h"

struct shared_file;

struct shared {
    struct arena arena;
    struct shared_file *file;
    int n;
};

/* Reads every shared file of the sources for the window. What concerns no company is rejected here, through m (which
 * has no company yet): rows of companies that the configuration does not know, unless strangers is false, and a file
 * that cannot be read as its description says. False only for I/O errors. */
bool shared_read(struct shared *s, const struct source *sources, int n_sources, const struct config *config,
                 month_t first, month_t last, bool strangers, struct mapping *m, struct err *err);
/* Maps the rows of one company (m->company, at this place of the configuration). */
void shared_map(const struct shared *s, int company, struct mapping *m);
/* How the shared files of a source were read: sync_outcome_null when it has none, SYNC_ABSENT when it is optional and
 * not one is there, SYNC_FAILED with the fault of the first that cannot be used. */
enum sync_outcome shared_outcome(const struct shared *s, const struct source *source, const struct err **ret_fault);
void shared_free(struct shared *s);

#endif
