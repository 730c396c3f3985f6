/* manifest.json, and the part-NNNN.done files it is gathered from, as text and back. For staging_*.c only: everybody
 * else sees struct staging_in. All numbers are integers; keys stand in a fixed order, so that equal output gives equal
 * bytes. */
#ifndef COMMON_MANIFEST_H
#define COMMON_MANIFEST_H

#include "common/staging.h"

enum { PARTS_MAX = 1000000 };

/* <entity>-NNNN.ndjson, or <entity>.ndjson for part -1. */
char *staged_name(struct arena *a, const struct record *r, int part);
/* "<folder>/part-NNNN.done" */
char *done_path(struct arena *a, const char *folder, int part);

/* The manifest of a stage's output: staging_path and its name; the caller frees it. */
char *staging_manifest(const char *dir, const struct run_info *info);

/* Index in record_all: the order of a part's files. */
int record_rank(const struct record *r);

/* Appends the text with a last newline. ERR_BUG when it cannot be made. */
bool manifest_write(const struct staging_in *m, struct buf *ret, struct err *err);
/* Reads and checks what a manifest says by itself: keys, types, limits, order and sums. Fills *m but for path and
 * index; ERR_NO_INPUT when there is no such file, else ERR_DATA with every fault found. On failure the caller still
 * frees m->arena. */
bool manifest_read(struct staging_in *m, const char *path, struct err *err);
/* Stage, began_at, shard and shards alone, whatever the schema version of the rest. */
bool manifest_peek(const char *path, struct run_info *ret, struct err *err);

/* What a worker says of the part it has written. Lines point into the map when read. */
struct part_done {
    int64_t companies_ok, companies_failed, n_rejects;
    const char *index, *rejects;
    size_t index_bytes, rejects_bytes;
    struct staging_file file[ENTITIES_MAX];
    int n_files;
    struct map map;
};
/* The file of an entity of a part, or NULL. */
const struct staging_file *staged_file(const struct staging_in *in, const struct record *r, int part);
/* What is found of a file, at path, against what the manifest says of it: ERR_DATA naming both. */
bool staged_size_is(const struct staging_file *f, const char *path, size_t found, struct err *err);
bool staged_digest_is(const struct staging_file *f, const char *path, const char *found_xxh128, struct err *err);
/* The part's lines of companies.ndjson; the caller closes them. */
bool index_map(const struct staging_in *in, int part, struct map *ret, struct err *err);
/* Opens and verifies companies.ndjson and adds it up. */
bool index_open(struct staging_in *in, struct err *err);

/* A file of a part read on and on (staging_stream.c). stream_hold: these bytes are read next, those in front of them no
 * more; the newlines in them. stream_verify reads what is left and compares the XXH128. */
bool stream_open(struct part_in_file *f, const char *folder, const struct staging_file *file, struct err *err);
int64_t stream_hold(struct part_in_file *f, int64_t offset, int64_t bytes);
bool stream_verify(struct part_in_file *f, struct err *err);
void stream_close(struct part_in_file *f);

/* The first line of its file; the index lines and the reject lines stand behind it. */
bool part_done_head(const struct part_done *d, struct buf *ret, struct err *err);
/* ERR_BUG when the part is missing or torn: nobody but this run's workers writes it. */
bool part_done_read(struct part_done *d, struct arena *a, const char *folder, int part, struct err *err);
void part_done_close(struct part_done *d);

#endif
