#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The disk of these tests: takes at most so many bytes a write, is interrupted before every other one, becomes full. */
static struct {
    size_t at_most;        /* 0: any */
    bool interrupts;
    size_t room;           /* SIZE_MAX: endless */
    long calls;
} disk = {.room = SIZE_MAX};

ssize_t write(int fd, const void *buf, size_t n)
{
    if (disk.interrupts && disk.calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    if (disk.room == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (disk.at_most && n > disk.at_most)
        n = disk.at_most;
    if (n > disk.room)
        n = disk.room;
    if (disk.room != SIZE_MAX)
        disk.room -= n;
    return syscall(SYS_write, fd, buf, n);
}

static char scratch[64];
static struct arena names; /* of one test */

static int scratch_make(void **state)
{
    (void)state;
    disk.at_most = 0;
    disk.interrupts = false;
    disk.room = SIZE_MAX;
    strcpy(scratch, "/tmp/test_file-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int scratch_remove(void **state)
{
    (void)state;
    umask(022);
    int status = system(arena_printf(&names, "rm -rf %s", scratch)); /* NOLINT(cert-env33-c): a name of our own */
    arena_free(&names);
    return status;
}

static char *in_scratch(const char *name)
{
    return arena_printf(&names, "%s/%s", scratch, name);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void assert_holds(const char *path, const char *expected, size_t len)
{
    struct err err = {0};
    struct map m;
    assert_true(map_open(&m, path, &err));
    assert_int_equal(m.len, len);
    assert_memory_equal(m.p, expected, len);
    map_close(&m);
}

static void a_file_appears_when_committed(void **state)
{
    (void)state;
    struct err err = {0};
    struct out_file f = {0};
    struct digests digests;
    char *path = in_scratch("f");
    assert_true(file_create(&f, path, &err));
    assert_true(file_write(&f, "ab", 2, &err) && file_write(&f, "c", 1, &err));
    assert_int_equal(f.bytes, 3);
    assert_false(exists(path));
    assert_true(file_commit(&f, &digests, &err));
    assert_string_equal(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(digests.xxh128, "06b05ab6733a618578af5f94892f3950");
    assert_holds(path, "abc", 3);
    assert_false(exists(in_scratch("f.tmp")));
    file_abandon(&f); /* not open: nothing happens */
    assert_true(exists(path));
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    (void)state;
    struct err err = {0};
    struct out_file f = {0};
    assert_true(file_create(&f, in_scratch("f"), &err));
    assert_true(file_write(&f, "abc", 3, &err));
    file_abandon(&f);
    assert_false(exists(in_scratch("f")));
    assert_false(exists(in_scratch("f.tmp")));
}

static void files_and_folders_are_private_whatever_the_umask(void **state)
{
    (void)state;
    static const mode_t umasks[] = {0, 022, 0777};
    for (size_t i = 0; i < sizeof umasks / sizeof *umasks; i++) {
        struct err err = {0};
        struct out_file f = {0};
        char *dir = arena_printf(&names, "%s/%zu/a/b", scratch, i), *path = arena_printf(&names, "%s/f", dir);
        umask(umasks[i]);
        assert_true(dir_create(dir, &err));
        assert_true(file_create(&f, path, &err) && file_commit(&f, NULL, &err));
        assert_int_equal(mode_of(path), 0600);
        assert_int_equal(mode_of(dir), 0700);
        *strrchr(dir, '/') = '\0';
        assert_int_equal(mode_of(dir), 0700);
    }
}

static void short_and_interrupted_writes_lose_nothing(void **state)
{
    (void)state;
    enum { SIZE = 5000000, AT_MOST = 65521 };
    struct err err = {0};
    struct out_file f = {0};
    struct digests digests, expected;
    char *bytes = mem_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    disk.at_most = AT_MOST;
    disk.interrupts = true;
    assert_true(file_create(&f, in_scratch("f"), &err));
    size_t at = 0;
    for (size_t step = 1; at < SIZE; step = step * 3 + 1) { /* from single bytes to more than a block at once */
        size_t len = step < SIZE - at ? step : SIZE - at;
        assert_true(file_write(&f, bytes + at, len, &err));
        at += len;
    }
    assert_int_equal(f.bytes, SIZE);
    assert_true(file_commit(&f, &digests, &err));
    assert_true(disk.calls > SIZE / AT_MOST);
    sha256_of(bytes, SIZE, expected.sha256);
    xxh128_of(bytes, SIZE, expected.xxh128);
    assert_string_equal(digests.sha256, expected.sha256);
    assert_string_equal(digests.xxh128, expected.xxh128);
    assert_holds(in_scratch("f"), bytes, SIZE);
    free(bytes);
}

static void a_full_disk_names_the_file(void **state)
{
    (void)state;
    static const size_t rooms[] = {0, 100};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        struct err err = {0};
        struct out_file f = {0};
        char bytes[1000] = {0};
        disk.room = rooms[i];
        assert_true(file_create(&f, in_scratch("full"), &err));
        assert_true(file_write(&f, bytes, sizeof bytes, &err)); /* buffered still */
        assert_false(file_commit(&f, NULL, &err));
        assert_int_equal(err.kind, ERR_CANT_CREATE);
        assert_non_null(strstr(err.text, "/full.tmp"));
        assert_non_null(strstr(err.text, "No space left"));
        assert_false(exists(in_scratch("full")));
        assert_false(exists(in_scratch("full.tmp")));
    }
}

static void a_file_that_cannot_be_named_is_removed(void **state)
{
    (void)state;
    struct err err = {0};
    struct out_file f = {0};
    assert_int_equal(mkdir(in_scratch("f"), 0700), 0);
    assert_true(file_create(&f, in_scratch("f"), &err));
    assert_false(file_commit(&f, NULL, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.text, "cannot rename"));
    assert_false(exists(in_scratch("f.tmp")));
    assert_false(file_create(&f, in_scratch("absent/f"), &err));
    assert_int_equal(err.kind, ERR_CANT_CREATE);
    assert_non_null(strstr(err.text, "/absent/f.tmp"));
}

static void a_left_over_temporary_is_replaced_never_followed(void **state)
{
    (void)state;
    struct err err = {0};
    struct out_file f = {0};
    assert_true(file_create(&f, in_scratch("precious"), &err) && file_write(&f, "keep", 4, &err) &&
                file_commit(&f, NULL, &err));
    assert_int_equal(symlink(in_scratch("precious"), in_scratch("f.tmp")), 0);
    assert_true(file_create(&f, in_scratch("f"), &err) && file_write(&f, "new", 3, &err) &&
                file_commit(&f, NULL, &err));
    assert_holds(in_scratch("precious"), "keep", 4);
    assert_holds(in_scratch("f"), "new", 3);
}

static void folders_that_others_can_write_to_are_refused(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool ok;
    } cases[] = {{0700, true}, {0755, true}, {0770, false}, {0702, false}, {01777, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        char *dir = arena_printf(&names, "%s/%zu", scratch, i);
        assert_int_equal(mkdir(dir, 0700), 0);
        assert_int_equal(chmod(dir, cases[i].mode), 0);
        assert_int_equal(dir_create(dir, &err), cases[i].ok);
        assert_int_equal(dir_check(dir, &err), cases[i].ok);
        if (!cases[i].ok) {
            assert_int_equal(err.kind, ERR_REFUSED);
            assert_non_null(strstr(err.text, dir));
        }
    }
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    char *dir = in_scratch("theirs");
    assert_int_equal(mkdir(dir, 0700), 0);
    if (chown(dir, 12345, 12345))
        return; /* only root can give a folder away; cmocka's "not ok # SKIP" would count as a failure */
    assert_false(dir_check(dir, &err));
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "12345"));
}

static void a_file_is_no_folder(void **state)
{
    (void)state;
    struct err err = {0};
    struct out_file f = {0};
    assert_true(file_create(&f, in_scratch("f"), &err) && file_commit(&f, NULL, &err));
    assert_false(dir_create(in_scratch("f"), &err));
    assert_int_equal(err.kind, ERR_CANT_CREATE);
    assert_false(dir_create(in_scratch("f/below"), &err));
    assert_int_equal(err.kind, ERR_CANT_CREATE);
    assert_false(dir_check(in_scratch("absent"), &err));
    assert_int_equal(err.kind, ERR_NO_INPUT);
}

static void only_regular_files_are_mapped(void **state)
{
    (void)state;
    struct err err = {0};
    struct map m;
    assert_false(map_open(&m, in_scratch("absent"), &err));
    assert_int_equal(err.kind, ERR_NO_INPUT);
    assert_non_null(strstr(err.text, "/absent"));
    assert_false(map_open(&m, scratch, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(mkfifo(in_scratch("fifo"), 0600), 0);
    assert_false(map_open(&m, in_scratch("fifo"), &err)); /* and does not hang */
    assert_int_equal(err.kind, ERR_IO);

    struct out_file f = {0};
    assert_true(file_create(&f, in_scratch("empty"), &err) && file_commit(&f, NULL, &err));
    assert_true(map_open(&m, in_scratch("empty"), &err));
    assert_int_equal(m.len, 0);
    assert_non_null(m.p);
    map_close(&m);
}

static void a_piece_may_begin_anywhere(void **state)
{
    (void)state;
    enum { BYTES = 20000 };
    static const size_t pieces[][2] = {{0, 1}, {1, 4096}, {4095, 2}, {4096, 4096}, {8191, 9000}, {19999, 1}, {7, 0}};
    static char all[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        all[i] = (char)(i % 251);
    struct err err = {0};
    struct out_file f = {0};
    assert_true(file_create(&f, in_scratch("pieces"), &err));
    assert_true(file_write(&f, all, BYTES, &err));
    assert_true(file_commit(&f, NULL, &err));
    int fd = open(in_scratch("pieces"), O_RDONLY);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct map m;
        assert_true(map_piece(&m, fd, pieces[i][0], pieces[i][1], "pieces", &err));
        assert_int_equal(m.len, pieces[i][1]);
        assert_memory_equal(m.p, all + pieces[i][0], m.len);
        map_close(&m);
    }
    close(fd);
    struct map m;
    assert_false(map_piece(&m, fd, 0, 1, "pieces", &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.text, "pieces"));
}

/* Exit status of a child that tries the lock: 0 taken, else the kind of error. */
static int lock_in_child(const char *path, struct err *err)
{
    pid_t pid = fork();
    int fd, status;
    if (pid == 0)
        _exit(lock_take(path, &fd, err) ? 0 : (int)err->kind);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void a_lock_is_held_by_one_process(void **state)
{
    (void)state;
    struct err err = {0};
    int fd;
    char *path = in_scratch("lock");
    assert_true(lock_take(path, &fd, &err));
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(lock_in_child(path, &err), ERR_TRY_AGAIN);
    close(fd);
    assert_int_equal(lock_in_child(path, &err), 0);
    assert_true(lock_take(path, &fd, &err)); /* the child took it with it */
    close(fd);
}

struct seen {
    int n;
    char names[4][16];
};

static bool see(void *arg, const char *name, struct err *err)
{
    (void)err;
    struct seen *s = arg;
    assert_true(s->n < 4);
    strncat(s->names[s->n++], name, sizeof s->names[0] - 1);
    return true;
}

static void links_and_files_are_no_folders(void **state)
{
    (void)state;
    struct err err = {0};
    struct seen seen = {0};
    struct out_file f = {0};
    assert_int_equal(mkdir(in_scratch("real"), 0700), 0);
    assert_int_equal(symlink("real", in_scratch("link")), 0);
    assert_true(file_create(&f, in_scratch("file"), &err) && file_commit(&f, NULL, &err));
    assert_true(dir_each(scratch, see, &seen, &err));
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.names[0], "real");
    assert_true(file_exists(in_scratch("file")));
    assert_int_equal(symlink("file", in_scratch("link-to-file")), 0);
    assert_false(file_exists(in_scratch("link-to-file")));
    assert_true(dir_each(in_scratch("absent"), see, &seen, &err));
    assert_int_equal(seen.n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_when_committed),
        TEST(an_abandoned_file_leaves_nothing),
        TEST(files_and_folders_are_private_whatever_the_umask),
        TEST(short_and_interrupted_writes_lose_nothing),
        TEST(a_full_disk_names_the_file),
        TEST(a_file_that_cannot_be_named_is_removed),
        TEST(a_left_over_temporary_is_replaced_never_followed),
        TEST(folders_that_others_can_write_to_are_refused),
        TEST(a_folder_of_somebody_else_is_refused),
        TEST(a_file_is_no_folder),
        TEST(only_regular_files_are_mapped),
        TEST(a_piece_may_begin_anywhere),
        TEST(a_lock_is_held_by_one_process),
        TEST(links_and_files_are_no_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
