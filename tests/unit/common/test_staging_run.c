#include "staging_fixture.h"

#include <fcntl.h>

#include "common/file.h"

/* An output of a stage, begun so many hours after the sample's. */
static struct run_info run_made(const char *period, const char *run_id, enum stage stage, int hours)
{
    struct err err = {0};
    struct run_info info = run_info_sample(run_id);
    assert_true(month_parse(str_of(period), &info.period));
    info.stage = stage;
    info.began_at += (instant_t)hours * 3600;
    assert_ok(output_write(&info, 1, &err));
    return info;
}

static void folder_make(const char *name)
{
    struct err err = {0};
    assert_ok(dir_create(arena_printf(&names, "%s/%s", scratch, name), &err));
}

static const char *newest(enum stage stage, int shard, int shards)
{
    struct err err = {0};
    char *run_id;
    month_t period;
    month_parse(STR("2026-04"), &period);
    if (!staging_newest(scratch, period, stage, shard, shards, &run_id, &err)) {
        assert_int_equal(err.kind, ERR_NO_INPUT);
        return "none";
    }
    const char *copy = arena_copy(&names, run_id, strlen(run_id));
    free(run_id);
    return copy;
}

static void the_newest_is_the_last_begun(void **state)
{
    (void)state;
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "none");
    run_made("2026-04", "zzz", STAGE_EXTRACT, 0);
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "zzz");
    run_made("2026-04", "bbb", STAGE_EXTRACT, 24);
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "bbb");
    run_made("2026-04", "ccc", STAGE_EXTRACT, 24); /* begun at once: by name */
    run_made("2026-04", "aaa", STAGE_EXTRACT, 24);
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "ccc");
    run_made("2026-05", "later", STAGE_EXTRACT, 48);
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "ccc");
    assert_string_equal(newest(STAGE_TRANSFORM, 0, 1), "none");
    run_made("2026-04", "bbb", STAGE_TRANSFORM, 24);
    assert_string_equal(newest(STAGE_TRANSFORM, 0, 1), "bbb");
}

static void a_shard_finds_its_own_or_the_whole(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_made("2026-04", "whole", STAGE_EXTRACT, 0);
    info.run_id = "sharded";
    info.began_at += 3600;
    info.shard = 2;
    info.shards = 3;
    assert_ok(output_write(&info, 1, &err));
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "whole");
    assert_string_equal(newest(STAGE_EXTRACT, 2, 3), "sharded");
    assert_string_equal(newest(STAGE_EXTRACT, 1, 3), "whole");
}

static void what_is_no_run_is_not_seen(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_made("2026-04", "run", STAGE_EXTRACT, 0);
    char *dir = arena_printf(&names, "%s/2026-04", scratch);
    folder_make("2026-04/unfinished/extract");
    folder_make("2026-04/.hidden/extract");
    folder_make("2026-04/with space/extract");
    text_put(arena_printf(&names, "%s/notes.txt", dir), "foreign");
    assert_int_equal(symlink("run", arena_printf(&names, "%s/zzz", dir)), 0);
    assert_string_equal(newest(STAGE_EXTRACT, 0, 1), "run");

    char *manifest = arena_printf(&names, "%s/unfinished/extract/manifest.json", dir), *found;
    text_put(manifest, "{}"); /* broken: nobody may guess that an older one will do */
    assert_refused(staging_newest(scratch, info.period, STAGE_EXTRACT, 0, 1, &found, &err), ERR_DATA,
                   "/unfinished/extract/manifest.json");
}

/* ---- the purge ---- */

static bool run_there(const char *name)
{
    return is_there(arena_printf(&names, "%s/%s", scratch, name));
}

static void the_newest_runs_of_all_periods_stay(void **state)
{
    (void)state;
    struct err err = {0};
    for (int i = 0; i < 6; i++) {
        const char *id = arena_printf(&names, "run-%d", i);
        run_made("2026-04", id, STAGE_EXTRACT, i);
        run_made("2026-04", id, STAGE_TRANSFORM, i);
    }
    run_made("2026-05", "may", STAGE_EXTRACT, 3);
    assert_ok(staging_purge(scratch, 3, 12, &err));
    assert_true(run_there("2026-04/run-5"));
    assert_true(run_there("2026-04/run-4"));
    assert_true(run_there("2026-04/run-3"));
    assert_true(run_there("2026-05/may")); /* the fourth, but May's only one */
    assert_false(run_there("2026-04/run-2"));
    assert_false(run_there("2026-04/run-0"));
    assert_ok(staging_purge(scratch, 3, 12, &err)); /* nothing more to do */
    assert_true(run_there("2026-04/run-4"));
}

static void a_period_long_past_is_open_no_more(void **state)
{
    (void)state;
    struct err err = {0};
    run_made("2025-03", "long-past", STAGE_EXTRACT, 0);
    run_made("2025-04", "year-ago", STAGE_EXTRACT, 1);
    run_made("2026-04", "now", STAGE_EXTRACT, 2);
    assert_ok(staging_purge(scratch, 3, 12, &err));
    assert_true(run_there("2025-03/long-past")); /* one of the three newest */
    assert_ok(staging_purge(scratch, 1, 12, &err));
    assert_false(run_there("2025-03/long-past"));
    assert_true(run_there("2025-04/year-ago"));
    assert_true(run_there("2026-04/now"));
}

static void the_newest_complete_run_of_a_period_stays(void **state)
{
    (void)state;
    struct err err = {0};
    run_made("2026-03", "march", STAGE_EXTRACT, 0);
    run_made("2026-04", "old", STAGE_EXTRACT, 1);
    run_made("2026-04", "old", STAGE_TRANSFORM, 1);
    run_made("2026-04", "done", STAGE_EXTRACT, 2);
    run_made("2026-04", "done", STAGE_TRANSFORM, 2);
    run_made("2026-04", "extracted", STAGE_EXTRACT, 3);
    folder_make("2026-04/unfinished/extract");
    const struct timespec changed_at[] = {{4000000000, 0}, {4000000000, 0}}; /* last of all */
    char *unfinished = arena_printf(&names, "%s/2026-04/unfinished", scratch);
    assert_int_equal(utimensat(AT_FDCWD, unfinished, changed_at, 0), 0);
    assert_ok(staging_purge(scratch, 1, 12, &err));
    assert_true(run_there("2026-03/march"));
    assert_true(run_there("2026-04/done"));
    assert_true(run_there("2026-04/extracted"));
    assert_true(run_there("2026-04/unfinished"));
    assert_false(run_there("2026-04/old"));
}

static void a_sharded_run_is_complete_with_all_shards(void **state)
{
    (void)state;
    struct err err = {0};
    run_made("2026-04", "whole", STAGE_EXTRACT, 0);
    struct run_info info = run_info_sample("sharded");
    info.shards = 2;
    info.began_at += 3600;
    assert_ok(output_write(&info, 1, &err));
    assert_ok(staging_purge(scratch, 1, 12, &err));
    assert_true(run_there("2026-04/whole"));
    info.shard = 1;
    assert_ok(output_write(&info, 1, &err));
    assert_ok(staging_purge(scratch, 1, 12, &err));
    assert_false(run_there("2026-04/whole"));
}

static void the_purge_follows_no_link_and_spares_what_is_foreign(void **state)
{
    (void)state;
    struct err err = {0};
    folder_make("precious");
    text_put(arena_printf(&names, "%s/precious/file", scratch), "keep");
    run_made("2026-04", "new", STAGE_EXTRACT, 5);
    run_made("2026-04", "old", STAGE_EXTRACT, 0);
    folder_make("2026-04/old/raw/deep");
    text_put(arena_printf(&names, "%s/2026-04/old/raw/deep/acme.spool", scratch), "page");
    assert_int_equal(symlink("../../../precious", arena_printf(&names, "%s/2026-04/old/raw/link", scratch)), 0);
    assert_int_equal(symlink("../../precious", arena_printf(&names, "%s/2026-04/linked", scratch)), 0);
    assert_int_equal(symlink("precious", arena_printf(&names, "%s/2026-05", scratch)), 0);
    folder_make("2026-04/with space");
    folder_make("elsewhere/old");
    folder_make("2026-04/.leaving-older/extract"); /* what a killed purge left */
    assert_ok(staging_purge(scratch, 0, 12, &err));
    assert_false(run_there("2026-04/old"));
    assert_false(run_there("2026-04/.leaving-old"));
    assert_false(run_there("2026-04/.leaving-older"));
    assert_true(run_there("2026-04/new"));
    assert_true(run_there("2026-04/linked"));
    assert_true(run_there("2026-04/with space"));
    assert_true(run_there("elsewhere/old"));
    assert_true(run_there("precious/file"));
}

static void a_run_being_written_stays(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    run_made("2026-04", "new", STAGE_EXTRACT, 5);
    run_made("2026-04", "old", STAGE_EXTRACT, 0);
    struct run_info info = run_info_sample("old");
    info.stage = STAGE_TRANSFORM;
    assert_ok(staging_begin(&out, scratch, &info, &err));
    assert_ok(staging_purge(scratch, 0, 12, &err));
    assert_true(run_there("2026-04/old/extract/manifest.json"));
    staging_abandon(&out);
    assert_ok(staging_purge(scratch, 0, 12, &err));
    assert_false(run_there("2026-04/old"));
}

static void a_purge_leaves_the_work_to_another(void **state)
{
    (void)state;
    struct err err = {0};
    int fd;
    run_made("2026-04", "old", STAGE_EXTRACT, 0);
    run_made("2026-04", "new", STAGE_EXTRACT, 1);
    assert_ok(lock_take(arena_printf(&names, "%s/.purge.lock", scratch), &fd, &err));
    assert_ok(staging_purge(scratch, 1, 12, &err));
    assert_true(run_there("2026-04/old"));
    close(fd);
    assert_ok(staging_purge(scratch, 1, 12, &err));
    assert_false(run_there("2026-04/old"));
}

static void an_absent_folder_has_nothing_to_purge(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(staging_purge(arena_printf(&names, "%s/absent", scratch), 3, 12, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_is_the_last_begun),
        TEST(a_shard_finds_its_own_or_the_whole),
        TEST(what_is_no_run_is_not_seen),
        TEST(the_newest_runs_of_all_periods_stay),
        TEST(a_period_long_past_is_open_no_more),
        TEST(the_newest_complete_run_of_a_period_stays),
        TEST(a_sharded_run_is_complete_with_all_shards),
        TEST(the_purge_follows_no_link_and_spares_what_is_foreign),
        TEST(a_run_being_written_stays),
        TEST(a_purge_leaves_the_work_to_another),
        TEST(an_absent_folder_has_nothing_to_purge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
