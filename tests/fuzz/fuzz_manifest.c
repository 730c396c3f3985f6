/* manifest.json, by which a stage believes what another one left. */
#include "common/manifest.h"
#include "tests/fuzz/fuzz.h"

static void check_manifest(const struct staging_in *m)
{
    int64_t companies = 0;
    CHECK(run_id_valid(m->info.run_id) && m->info.shards >= 1 && m->info.shard >= 0 && m->info.shard < m->info.shards);
    CHECK(m->n_files > 0 && m->rejects >= 0);
    for (int i = 0; i < m->n_files; i++) {
        CHECK(m->file[i].record && m->file[i].part < m->n_parts && m->file[i].rows >= 0 && m->file[i].bytes >= 0);
        CHECK(!strchr(m->file[i].name, '/') && strlen(m->file[i].digests.sha256) == SHA256_HEX &&
              strlen(m->file[i].digests.xxh128) == XXH128_HEX);
    }
    for (int i = 0; i < m->n_parts; i++)
        companies += m->part[i].companies;
    CHECK(companies == m->companies_ok + m->companies_failed);
}

static void write_to(const struct staging_in *m, struct buf *ret)
{
    struct err err = {0};
    if (!manifest_write(m, ret, &err))
        fuzz_fail(__FILE__, __LINE__, err.text);
}

void fuzz_one(struct str text)
{
    static struct fuzz_file file;
    struct staging_in m = {0}, again = {0};
    struct run_info info;
    struct err err = {0}, ignored = {0};
    struct buf first = {0}, second = {0};
    if (!file.path[0])
        fuzz_file_open(&file);
    fuzz_file_write(&file, text.p, text.len);
    if (manifest_read(&m, file.path, &err)) {
        check_manifest(&m);
        CHECK(manifest_peek(file.path, &info, &ignored) && info.stage == m.info.stage);
        write_to(&m, &first);
        fuzz_file_write(&file, first.p, first.len);
        CHECK(manifest_read(&again, file.path, &ignored));
        write_to(&again, &second);
        CHECK(first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
    } else {
        fuzz_check_err(&err);
        CHECK(err.kind == ERR_DATA);
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(&m.arena);
    arena_free(&again.arena);
}
