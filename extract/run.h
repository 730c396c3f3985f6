/* The run that this process makes: which one it is, and what lies around it in the staging directory.
 *
 *   <staging>/<period>/<run-id>/raw/<company_id>.spool       pages received (spool.h)
 *   <staging>/<period>/<run-id>/extract[-I-of-N].unfinished  until the run's end: its configuration and beginning
 *   <staging>/cache/<company_id>.spool                       pages of the company's last complete run, for entity tags
 *
 * Without --run-id the newest unfinished run of the period goes on if it began under the same configuration and
 * selection of companies less than 12 hours ago; its pages are not asked for again. A run that begins anew drops the
 * spools that an earlier process left under its id. */
#ifndef EXTRACT_RUN_H
#define EXTRACT_RUN_H

#include "common/stage.h"
#include "extract/source.h"

enum { RUN_CONTINUES_S = 12 * 3600, CACHE_DAYS = 40 };

struct extract_run {
    char run_id[RUN_ID_MAX + 1];
    char digest[SHA256_HEX + 1];   /* of the configuration and the selection */
    instant_t began_at;
    bool continued;
    char *raw_dir, *cache_dir, *state_path;
};

/* Chooses the run; nothing is written. */
void extract_run_choose(struct extract_run *r, const struct stage_run *run, const struct source *sources,
                        int n_sources);
/* Makes the folders and notes that the run has begun. The stage's folder is locked by now. */
bool extract_run_begin(struct extract_run *r, const struct stage_run *run, const char *stage_folder, struct err *err);
/* The company's spool in a folder, in the arena. */
char *spool_path(const char *dir, const char *company_id, struct arena *a);
/* Before a company is fetched: a run that begins anew does not start from old pages. */
void extract_run_company(const struct extract_run *r, const char *company_id);
/* A company's pages cannot be used: they are not to be taken for good when the run goes on. Archived under another
 * name. */
void extract_run_refuse(const struct extract_run *r, const char *company_id, bool archive);
/* The run has come to its end: it will not go on. Its output is published by now, or refused. */
bool extract_run_end(const struct extract_run *r, struct err *err);
/* A company's pages at the end: kept under raw/ when they are archived, and made the cache when good. */
bool extract_run_keep(const struct extract_run *r, const char *company_id, bool archive, bool good, struct err *err);
/* Removes pages that have been in the cache for CACHE_DAYS: of companies that are no longer served. */
bool extract_run_tidy(const struct extract_run *r, instant_t now, struct err *err);
/* Gives everything back, and takes raw/ away when nothing is in it. */
void extract_run_close(struct extract_run *r);

#endif
