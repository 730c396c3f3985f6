#include "tests/unit/common/support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/money.h"
#include "extract/spool.h"

static char folder[] = "/tmp/test_spool_XXXXXX";
static char path[64];

static struct page page_of(int request, int number, const char *body)
{
    return (struct page){.request = request, .number = number, .url = str_of("https://a/b?cursor=x\"y"),
                         .total = INT_NONE, .records = 2, .asked_at = 1775001590, .received_at = 1775001600, .body = str_of(body)};
}

static void append(const struct page *pages, size_t n)
{
    struct spool s;
    struct err err;
    if (!spool_open(&s, path, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++)
        assert_true(spool_append(&s, &pages[i], &err));
    spool_close(&s);
}

/* "request.number=body " of every page that counts. */
static const char *contents(void)
{
    static char text[ERR_TEXT_MAX];
    struct spool_in in;
    struct err err;
    struct arena a = {0};
    struct page page;
    size_t len = 0;
    text[0] = '\0';
    if (!spool_read(&in, path, &err)) {
        snprintf(text, sizeof text, "%s", err.text);
        return text;
    }
    while (spool_next(&in, &a, &page))
        len += (size_t)snprintf(text + len, sizeof text - len, "%d.%d=%.*s ", page.request, page.number,
                                (int)page.body.len, page.body.p);
    spool_end(&in);
    arena_free(&a);
    return text;
}

static int64_t size_of_file(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void test_round_trip(void **state)
{
    struct page page = page_of(3, 1, "{\"data\":\n[1]}\n"), back;
    struct spool_in in;
    struct err err;
    struct arena a = {0};
    (void)state;
    page.etag = str_of("W/\"é\\1\"");
    page.next = str_of("c\n2");
    page.total = 120;
    append(&page, 1);
    assert_true(spool_read(&in, path, &err));
    assert_true(spool_next(&in, &a, &back));
    assert_int_equal(back.request, 3);
    assert_int_equal(back.number, 1);
    assert_true(str_eq(back.url, page.url));
    assert_true(str_eq(back.etag, page.etag));
    assert_true(str_eq(back.next, page.next));
    assert_true(str_eq(back.body, page.body));
    assert_int_equal(back.total, 120);
    assert_int_equal(back.records, 2);
    assert_int_equal(back.asked_at, 1775001590);
    assert_int_equal(back.received_at, 1775001600);
    assert_false(back.absent);
    assert_false(spool_next(&in, &a, &back));
    spool_end(&in);
    arena_free(&a);
}

static void test_nothing_said_stays_null(void **state)
{
    struct page page = page_of(0, 1, ""), back;
    struct spool_in in;
    struct err err;
    struct arena a = {0};
    (void)state;
    page.absent = true;
    page.records = INT_NONE;
    append(&page, 1);
    assert_true(spool_read(&in, path, &err));
    assert_true(spool_next(&in, &a, &back));
    assert_null(back.etag.p);
    assert_null(back.next.p);
    assert_int_equal(back.total, INT_NONE);
    assert_int_equal(back.records, INT_NONE);
    assert_true(back.absent);
    assert_int_equal(back.body.len, 0);
    spool_end(&in);
    arena_free(&a);
}

static void test_mode(void **state)
{
    struct page page = page_of(0, 1, "x");
    struct stat st;
    (void)state;
    mode_t before = umask(0);
    append(&page, 1);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* Wherever a kill or a power cut ends the file, the whole pages in front are kept and the rest is asked for again. */
static void test_torn_anywhere(void **state)
{
    struct page pages[] = {page_of(0, 1, "first"), page_of(1, 1, "second\n")};
    (void)state;
    append(pages, 1);
    int64_t one = size_of_file();
    append(pages + 1, 1);
    for (int64_t at = size_of_file() - 1; at >= 0; at--) {
        assert_int_equal(truncate(path, at), 0);
        if (at != one && at != 0)
            assert_non_null(strstr(contents(), "damaged at byte"));
        append(NULL, 0);
        assert_int_equal(size_of_file(), at >= one ? one : 0);
        append(at >= one ? pages + 1 : pages, at >= one ? 1 : 2);
        assert_string_equal(contents(), "0.1=first 1.1=second\n ");
    }
}

/* A power cut may leave the length right and the blocks blank. */
static void test_blank_tail(void **state)
{
    struct page pages[] = {page_of(0, 1, "first"), page_of(1, 1, "second")};
    (void)state;
    append(pages, 1);
    int64_t one = size_of_file();
    append(pages + 1, 1);
    int64_t two = size_of_file();
    for (int64_t from = one; from < two - 1; from += 7) {
        assert_int_equal(truncate(path, from), 0);
        assert_int_equal(truncate(path, two), 0); /* grows with zeros */
        append(NULL, 0);
        assert_int_equal(size_of_file(), one);
        append(pages + 1, 1);
    }
    assert_string_equal(contents(), "0.1=first 1.1=second ");
}

static void test_changed_byte(void **state)
{
    struct page pages[] = {page_of(0, 1, "first"), page_of(1, 1, "second"), page_of(2, 1, "third")};
    (void)state;
    append(pages, 3);
    FILE *f = fopen(path, "r+");
    char text[2048];
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fseek(f, strstr(text, "second") - text, SEEK_SET);
    fputc('S', f);
    fclose(f);
    assert_non_null(strstr(contents(), "damaged at byte"));
    append(NULL, 0);
    assert_string_equal(contents(), "0.1=first ");
}

/* A list that was read anew voids its earlier pages, and those of no other list. */
static void test_list_read_anew(void **state)
{
    struct page pages[] = {page_of(0, 1, "a1"), page_of(1, 1, "b1"), page_of(0, 2, "a2"),
                           page_of(0, 1, "A1"), page_of(1, 2, "b2"), page_of(0, 2, "A2")};
    (void)state;
    append(pages, COUNT_OF(pages));
    assert_string_equal(contents(), "1.1=b1 0.1=A1 1.2=b2 0.2=A2 ");
}

static void test_no_file(void **state)
{
    struct spool_in in;
    struct err err;
    (void)state;
    assert_false(spool_read(&in, path, &err));
    assert_int_equal(err.kind, ERR_NO_INPUT);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/acme.spool", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_round_trip, remove_file),
        cmocka_unit_test_teardown(test_nothing_said_stays_null, remove_file),
        cmocka_unit_test_teardown(test_mode, remove_file),
        cmocka_unit_test_teardown(test_torn_anywhere, remove_file),
        cmocka_unit_test_teardown(test_blank_tail, remove_file),
        cmocka_unit_test_teardown(test_changed_byte, remove_file),
        cmocka_unit_test_teardown(test_list_read_anew, remove_file),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
