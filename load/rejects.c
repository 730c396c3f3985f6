/* The rejects of a run into new_reject. */
#include <stdlib.h>

#include "load/copy.h"
#include "load/copying.h"

/* Those of the companies taken. One that names no company goes with the first shard, and not with --company. */
static bool reject_wanted(const struct load *l, const struct reject *reject)
{
    return reject->company_id.p ? stage_selects(l->run, reject->company_id) : l->whole && l->run->opt.shard == 0;
}

bool stream_rejects(struct load *l, struct err *err)
{
    struct map map;
    if (!l->in.rejects)
        return true;
    if (!rejects_open(&map, &l->in, err))
        return false;
    struct buf columns = {0};
    struct arena a = {0};
    struct copying c;
    copy_columns(&reject_record, 0, "", &columns);
    bool ok = copying_start(&c, l, "new_reject", buf_str(&columns), err);
    const char *p = map.p, *end = map.p + map.len;
    for (int64_t n = 1; ok && p < end; n++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        struct str line = {p, (uint32_t)((newline ? newline : end) - p), false};
        struct reject reject;
        struct faults faults;
        faults.n = 0;
        arena_reset(&a);
        if (!ndjson_decode(&reject_record, line, &a, &reject, &faults)) {
            ok = err_set(err, ERR_DATA, "%s/rejects.ndjson:%lld: %.*s", l->in.path, (long long)n,
                         (int)faults.text[0].len, faults.text[0].p);
        } else if (reject_wanted(l, &reject)) {
            copy_row(&reject_record, &reject, 0, 0, &c.rows);
            l->rejects++;
            ok = copying_flush(&c, err);
        }
        p += line.len + 1;
    }
    int64_t rows;
    ok = copying_end(&c, ok, &rows, err);
    arena_free(&a);
    buf_free(&columns);
    map_close(&map);
    return ok;
}

