/* The staging directory: the contract between the stages.
 *
 *   <dir>/<period>/<run-id>/<stage>/            0700; <stage> is extract or transform, with -I-of-N behind it for a shard
 *       companies.ndjson                        the index: a `company` record a line, by the bytes of company_id
 *       <entity>-NNNN.ndjson                    part NNNN of an entity; only where it has rows
 *       rejects.ndjson                          what could not be used; only where there is any
 *       manifest.json                           written last: without it there is no output
 *
 * A part is a run of whole companies, closed at the first company that ends beyond STAGING_PART_BYTES: it is the unit of
 * parallel work, so that parts (and all bytes) are the same whatever the number of workers. All records of a company
 * are contiguous in their file; its index line says where. Every file appears by write to a temporary name, fsync and
 * rename, then one fsync of the folder before the manifest appears in the same way. The manifest holds rows, bytes,
 * cents and digests of every file and the SHA-256 of the manifest it was made from. The reader checks all of it, but for the
 * SHA-256 of files, of which XXH128 stands in: those are for whoever looks from outside. No file is changed once it has its
 * name: one that a stage passes on whole has a second name, in the folder of that stage.
 *
 * Workers are processes: each writes its parts with part_* and leaves a small part-NNNN.done beside them, which
 * staging_publish gathers, in order, into the index, the rejects and the manifest. */
#ifndef COMMON_STAGING_H
#define COMMON_STAGING_H

#include "common/err.h"
#include "common/file.h"
#include "common/ndjson.h"
#include "common/records.h"

enum { STAGING_PART_BYTES = 16 << 20, STAGING_FORMAT = 2, RUN_ID_MAX = 64, ENTITIES_MAX = 32 };
/* Of one company: so many that 32 bits hold a place among them and, on top, the number of a line (struct lines). */
#define ENTITY_BYTES_MAX 4000000000u

/* What a manifest says, but for its files. Strings belong to the struct's owner. */
struct run_info {
    enum stage stage;
    const char *run_id;    /* 1..RUN_ID_MAX of A-Z a-z 0-9 . _ -, not starting with a dot or a dash */
    month_t period;
    instant_t as_of;
    instant_t began_at;    /* of extract: orders the runs of a period */
    const char *made_from; /* SHA-256 of the manifest read, or NULL */
    int shard, shards;     /* 0 of 1: all */
    bool dry_run;          /* writing: into a folder of its own (.dry-run behind its name) that no reader looks into */
};

bool run_id_valid(const char *run_id);
/* <dir>/<period>/<run-id>/<stage>[-I-of-N][.dry-run]; the caller frees it. */
char *staging_path(const char *dir, const struct run_info *info);

/* ---- writing ---- */

struct staging_out {
    char *path;            /* NULL: nothing begun */
    int lock_fd;
    struct run_info info;  /* a copy of its own */
    struct arena arena;    /* owns what is above */
    /* Lines of the rejects.ndjson of the stage before that go on into this one's; borrowed until staging_publish. */
    struct str earlier_rejects;
    int64_t n_earlier_rejects;
};

/* Makes the folder, takes its lock (ERR_TRY_AGAIN when another process is writing it) and withdraws an older
 * manifest and older parts. Nothing is visible until staging_publish. */
bool staging_begin(struct staging_out *out, const char *dir, const struct run_info *info, struct err *err);

struct part_in;
/* One part. part_put keeps rows and cents of each entity; records of one entity may be interleaved with those of
 * others. A company is opened, written and ended; its status and sources go into the index with it. */
struct part_file {
    const struct record *record;
    struct out_file out;          /* not open while all of it is the beginning of `same` */
    const struct part_in *same;   /* the part whose file of this entity this one is, byte for byte so far; or NULL */
    const struct staging_file *linked;  /* the file that this one is another name of; or NULL */
    struct range company, total;  /* entity stays null here */
};
struct part {
    const struct staging_out *out;
    int number;
    struct part_file file[ENTITIES_MAX];
    int n_files;
    int64_t bytes;
    struct buf index, rejects, line;
    int64_t companies_ok, companies_failed, n_rejects;
    bool faulty_reject;           /* one without a field it must have: a bug, told by the next part_end_company */
};
void part_begin(struct part *p, const struct staging_out *out, int number);
bool part_put(struct part *p, const struct record *r, const void *rec, struct err *err);
/* The same for lines already encoded, passed on unchanged: rows of them, their summed field adding up to cents. */
bool part_put_lines(struct part *p, const struct record *r, struct str lines, int64_t rows, int64_t cents, struct err *err);
/* The same for all lines of a company that is being read. A file that is passed on whole is not written again: it gets a
 * second name. `in` must be open, and verified, when the part is settled. */
bool part_pass(struct part *p, const struct record *r, const struct part_in *in, const struct company *c,
               struct err *err);
/* Texts are cut to their limits, and bytes that are no UTF-8 (and NUL) become U+FFFD: a reject never fails to be told. */
void part_reject(struct part *p, const struct reject *reject);
/* Ends the company: it is written to the index; part and ranges are filled in here, whatever *c holds. */
bool part_end_company(struct part *p, const struct company *c, struct err *err);
static inline bool part_full(const struct part *p)
{
    return p->bytes >= STAGING_PART_BYTES;
}
/* Nothing more is put into the part: what it passes on whole is linked, the rest goes on its way to the disk. */
bool part_settle(struct part *p, struct err *err);
/* Settles the part, if that is still to be done, waits for the disk and commits the part's files and its part-NNNN.done. */
bool part_commit(struct part *p, struct err *err);
void part_abandon(struct part *p);

/* Totals of a stage's output, for the final JSON line. */
struct staging_totals {
    struct { const struct record *record; int64_t rows, cents; } entity[ENTITIES_MAX];
    int n_entities;
    int64_t companies_ok, companies_failed, rejects;
};

/* Gathers parts 0..n_parts-1 and writes companies.ndjson, rejects.ndjson and the manifest. With publish false (a
 * reject limit passed, a dry run) it writes rejects.ndjson only and takes everything else away. Releases the lock. */
bool staging_publish(struct staging_out *out, int n_parts, bool publish, struct staging_totals *ret, struct err *err);
/* Counts without publishing: what part-NNNN.done files say so far. */
bool staging_count(const struct staging_out *out, int n_parts, struct staging_totals *ret, struct err *err);
void staging_abandon(struct staging_out *out);

/* ---- reading ---- */

struct staging_file {
    char *name;
    const struct record *record;
    int part;              /* -1: companies.ndjson, rejects.ndjson */
    int64_t rows, bytes, cents;
    struct digests digests;
};
struct staging_part_index { int64_t offset, bytes, companies; };  /* its lines in companies.ndjson */
struct staging_in {
    struct arena arena;               /* owns everything below but the file */
    char *path;
    struct run_info info;
    char sha256[SHA256_HEX + 1];      /* of the manifest */
    struct staging_file *file;
    int n_files;
    struct staging_part_index *part;
    int n_parts;
    int64_t companies_ok, companies_failed, rejects;
    int index_fd;                     /* companies.ndjson, verified; -1: not open */
};

/* The newest complete run of the period (by began_at, then run id) that has output of this stage, for this shard or
 * whole; the caller frees *ret_run_id. ERR_NO_INPUT when there is none, naming what to run. */
bool staging_newest(const char *dir, month_t period, enum stage stage, int shard, int shards, char **ret_run_id,
                    struct err *err);

/* Opens the output of a stage: reads manifest.json, checks format and totals, verifies companies.ndjson.
 * info gives run_id, period, stage, shard; a shard's own folder is preferred, else the whole one is read.
 * ERR_NO_INPUT when there is no manifest, ERR_DATA naming file and expectation when something does not match. */
bool staging_open(struct staging_in *in, const char *dir, const struct run_info *info, struct err *err);
void staging_close(struct staging_in *in);

/* The files of one part, mapped: verified (size, XXH128) at once by part_open; by part_stream along with the companies, so
 * that no more than the company at hand is in memory. */
struct part_in_file {
    const struct record *record;
    struct map map;
    int64_t rows, rows_before; /* of the company at hand, and of those in front of it */
    struct stream *stream; /* NULL: verified */
};
struct part_in {
    const struct staging_in *in;
    int number;
    struct part_in_file file[ENTITIES_MAX];
    int n_files;
    struct map index;      /* the part's lines of companies.ndjson */
    struct str index_left; /* those not read yet */
    int64_t index_line;    /* number, within the part, of the line read last */
};
/* only: the file of this record alone, and only its lines can be asked for; NULL: all of them. */
bool part_open(struct part_in *p, const struct staging_in *in, int number, const struct record *only,
               struct err *err);
/* All files of a part that this process has verified before, or whose lines are verified in another way. */
bool part_open_again(struct part_in *p, const struct staging_in *in, int number, struct err *err);
/* None of its files: what the index lists of its companies, and no lines of theirs. */
bool part_index(struct part_in *p, const struct staging_in *in, int number, struct err *err);
/* What was made of a part's lines may be published only when part_verify, after the last company, has found the files to be
 * what the manifest says; it also tells whether a fault found before comes from that. */
bool part_stream(struct part_in *p, const struct staging_in *in, int number, struct err *err);
bool part_verify(struct part_in *p, struct err *err);

/* Maps rejects.ndjson, which must be there (in->rejects > 0) and as the manifest says. The caller closes it. */
bool rejects_open(struct map *ret, const struct staging_in *in, struct err *err);
/* The next company of the part into *ret (lists in the arena). False at the end, and on a bad index line: then err->kind
 * is set. The caller zeroes err->kind before. */
bool part_next_company(struct part_in *p, struct arena *a, struct company *ret, struct err *err);
/* The same, without a look at its lines: for whoever knows them by a digest. */
bool part_next_listed(struct part_in *p, struct arena *a, struct company *ret, struct err *err);
/* A company's id, status and where its lines lie, in the arena: all that part_range and part_lines ask for. */
struct company company_lines(const struct company *c, struct arena *a);
/* The file of an entity as the manifest tells it, and its path (the caller frees it); NULL when the part has none. */
const struct staging_file *part_source(const struct part_in *p, const struct record *r, char **ret_path);
/* Where a company's lines of an entity lie, NULL when it has none. */
const struct range *part_range(const struct company *c, const struct record *r);
/* A company's lines of an entity; empty when it has none. *ret_rows and *ret_cents (may be NULL) as the index says. */
struct str part_lines(const struct part_in *p, const struct company *c, const struct record *r, int64_t *ret_rows,
                      int64_t *ret_cents);
/* Decodes all of a company's records of one entity: an array of r's struct in the arena. A line that does not decode is
 * appended to *rejects (an array of struct reject, in the arena; it carries file name, line and raw text). */
void *part_decode(const struct part_in *p, const struct company *c, const struct record *r, struct arena *a,
                  uint32_t *ret_n, struct list *rejects);
/* The same one by one, for whoever does not keep them all: what scan_keep gives leads lines_read to the record again, as
 * long as the part is open and the arena lives. That is where its line begins, which takes no memory; where the line is not
 * just as it is encoded, the text's length and the number of the record, which is kept, on top of it. */
struct lines {
    const struct record *record;
    struct str text;       /* of one company */
    struct list kept;
    uint32_t kept_cap;
};
struct scan {
    const struct part_in *part;
    const struct company *company;
    struct arena *arena;
    struct list *rejects;
    struct lines lines;
    int64_t rows;          /* as the index says */
    struct str left;
    const char *behind;    /* where the part was last taken out of memory */
    const char *at;        /* the line of the record read last; NULL: decoded the long way */
    struct arena_mark mark;  /* before that record */
};
/* Takes the part out of memory now and then. */
void scan_begin(struct scan *s, const struct part_in *p, const struct company *c, const struct record *r, struct arena *a,
                struct list *rejects);
bool scan_next(struct scan *s, void *ret);
uint32_t scan_keep(struct scan *s, const void *rec);
/* Takes the lists of the record read last back, if nothing else was put into the arena since. */
void scan_drop_lists(struct scan *s);
/* Lists go into the arena each time. Ends the process (ERR_IO) where the line is no more what it was: somebody has changed
 * a file that nobody may change. */
void lines_read(const struct lines *l, uint32_t at, struct arena *a, void *ret);
/* Takes the lines of an entity (NULL: of all) out of memory; whoever reads them again gets them from the file. */
void part_forget(const struct part_in *p, const struct record *r);
void part_close(struct part_in *p);

/* Removes old runs of all periods but the keep newest, never the newest complete one of a period, unless the
 * period lies more than keep_months behind the newest there is: it is open no more, and its people's numbers are not
 * kept for ever. Does nothing while another process is at it. */
bool staging_purge(const char *dir, int keep, int keep_months, struct err *err);

#endif
