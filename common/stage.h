/* What the three executables share: options, configuration, signals, the final JSON line, the exit status. */
#ifndef COMMON_STAGE_H
#define COMMON_STAGE_H

#include <jansson.h>
#include <stdatomic.h>

#include "common/config.h"
#include "common/log.h"
#include "common/staging.h"

#define TOOL_VERSION "0.1.0"

enum log_format { FORMAT_TEXT, FORMAT_JSON };
enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

/* One option table (options.c) is parser, help text and error messages. */
struct options {
    const char *config, *staging, *run_id;  /* staging and run_id NULL when not given */
    month_t period;                         /* --period, else the current month */
    const char **companies;                 /* --company, repeatable */
    int n_companies;
    int shard, shards;                      /* 0, 1 when not given */
    instant_t as_of;                        /* INSTANT_NONE when not given */
    int jobs;                               /* 0 when not given: the stage's own default */
    bool dry_run, quiet, help, version;
    bool check;                             /* extract */
    bool migrate, close, reopen, allow_empty; /* load */
    const char *note;                       /* load --close/--reopen; NULL when not given */
    int log_level, log_format, progress;
};

/* Parses the command line of a stage and the array-job variables of Slurm and Kubernetes; ERR_USAGE names the fault. */
bool options_parse(struct options *o, enum stage stage, int argc, char **argv, instant_t now, struct err *err);
void options_help(enum stage stage);   /* to stdout */
void options_free(struct options *o);

struct stage_run {
    enum stage stage;
    struct options opt;
    struct config config;
    const char *staging_dir;           /* --staging or the configuration's */
    instant_t now;                     /* when this process began */
    char run_id[RUN_ID_MAX + 1];       /* "" until known; stage_set_run puts it into the log and the JSON line */
    json_t *report;                    /* members for the final JSON line, added by the stage */
};

void stage_set_run(struct stage_run *run, const char *run_id);

/* True when this company is selected by --company and --shard. The hash is FNV-1a 64 of the id: stable for ever. */
bool stage_selects(const struct stage_run *run, struct str company_id);

/* Starts the progress bar over this many companies, where --progress and --quiet want one. */
void stage_progress(const struct stage_run *run, long companies);

/* Fills rows, cents, companies and rejects of the final line. */
void stage_report_totals(struct stage_run *run, const struct staging_totals *totals);

/* Set by SIGTERM and SIGINT; long loops, in any thread, look at it and end with ERR_TRY_AGAIN. */
extern atomic_bool stop_requested;
bool stage_stopped(struct err *err);   /* true, with err filled, once it is set */

/* Runs a stage: parses options, reads the configuration, sets up logs and signals, calls body, prints the final JSON
 * line on stdout ({"stage","run_id","period","status","companies","rows","cents","discrepancies", what else the stage
 * reported, "elapsed_ms", and when not all went well "error" and "retry_after_s"}; status is ok, partial or failed) and
 * returns the exit status. body ends true with err->kind ERR_NONE, or true with ERR_PARTIAL and a text (status 3), or
 * false. */
int stage_main(enum stage stage, int argc, char **argv, bool (*body)(struct stage_run *run, struct err *err));

#endif
