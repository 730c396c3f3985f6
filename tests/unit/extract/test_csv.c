#include "tests/unit/common/support.h"

#include "extract/csv.h"

static struct arena arena;

/* Rows as "line: cell|cell", one after the other. */
static bool note(void *arg, const struct csv_row *row)
{
    struct buf *b = arg;
    buf_addf(b, "%lld:", (long long)row->line);
    for (int i = 0; i < row->n; i++)
        buf_addf(b, "%s%.*s", i ? "|" : "", (int)row->cell[i].len, row->cell[i].p);
    buf_addc(b, '\n');
    return true;
}

static void rows_and_lines(void **state)
{
    static const struct { const char *text; char separator; const char *rows; } cases[] = {
        {"", ';', ""},
        {"a;b\n1;2\n", ';', "1:a|b\n2:1|2\n"},
        {"a;b\n1;2", ';', "1:a|b\n2:1|2\n"},
        {"a;b\r\n1;2\r\n", ';', "1:a|b\n2:1|2\n"},
        {"a,b\n\"x,y\",\"z\"\"\"\n", ',', "1:a|b\n2:x,y|z\"\n"},
        {"a\tb\n1\t\n", '\t', "1:a|b\n2:1|\n"},
        {"\n\na;b\n\n  \n1; 2 \n;;\n3;4\n", ';', "3:a|b\n6:1|2\n8:3|4\n"},
        {"a;b\n\"two\nlines\";2\n3;4\n", ';', "1:a|b\n2:two\nlines|2\n4:3|4\n"},
        {"a;b\n\"\n\nx\";2\n3;4\n", ';', "1:a|b\n2:\n\nx|2\n5:3|4\n"},
        {"a;\"  b \"\n", ';', "1:a|  b \n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = {0};
        char fault[CSV_FAULT_MAX];
        if (!csv_rows(str_of(cases[i].text), cases[i].separator, 1, note, &b, fault))
            fail_msg("case %zu: %s", i, fault);
        assert_string_equal(buf_str(&b), cases[i].rows);
        buf_free(&b);
    }
}

static void not_csv(void **state)
{
    static const struct { const char *text, *fault; } cases[] = {
        {"a;b\n1;2\nx\"y;2\n", "line 3: not CSV"},
        {"a;b\n\"open;2\n3;4\n", "line 2: not CSV"},
        {"a;b\n\"x\"y;2\n", "line 2: not CSV"},
        {"a;b\n1;2\r3;4\n", "line 2: a carriage return"},
        {"a;b\r1;\"2\nx\"\n", "line 1: a carriage return"},
        {"a;b\r\"1\nx\";2\n", "line 1: a carriage return"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = {0};
        char fault[CSV_FAULT_MAX];
        assert_false(csv_rows(str_of(cases[i].text), ';', 1, note, &b, fault));
        if (strncmp(fault, cases[i].fault, strlen(cases[i].fault)) != 0)
            fail_msg("case %zu: %s", i, fault);
        buf_free(&b);
    }
}

static void too_many_cells(void **state)
{
    struct buf text = {0}, rows = {0};
    char fault[CSV_FAULT_MAX];
    (void)state;
    for (int i = 0; i < CSV_COLUMNS_MAX; i++)
        buf_addc(&text, ';');
    buf_adds(&text, "x\n");
    assert_false(csv_rows((struct str){text.p, (uint32_t)text.len, false}, ';', 7, note, &rows, fault));
    assert_string_equal(fault, "line 7: too many cells");
    buf_free(&text);
    buf_free(&rows);
}

static bool stop(void *arg, const struct csv_row *row)
{
    (void)row;
    return --*(int *)arg > 0;
}

static void a_row_may_stop_it(void **state)
{
    int left = 2;
    char fault[CSV_FAULT_MAX] = "x";
    (void)state;
    assert_false(csv_rows(str_of("a\nb\nc\n"), ';', 1, stop, &left, fault));
    assert_int_equal(left, 0);
    assert_string_equal(fault, "");
}

static bool keep_raw(void *arg, const struct csv_row *row)
{
    *(struct str *)arg = row->raw;
    return true;
}

/* A row's raw bytes read alone give the same row: rows of shared files are read that way. */
static void raw_bytes_are_a_row(void **state)
{
    struct str raw;
    struct buf b = {0};
    char fault[CSV_FAULT_MAX];
    (void)state;
    assert_true(csv_rows(str_of("h;h\r\n\r\n\"a\r\nb\";c\r\n"), ';', 1, keep_raw, &raw, fault));
    assert_true(str_is(raw, "\"a\r\nb\";c"));
    assert_true(csv_rows(raw, ';', 3, note, &b, fault));
    assert_string_equal(buf_str(&b), "3:a\r\nb|c\n");
    buf_free(&b);
}

static void encodings(void **state)
{
    static const struct source automatic = {.encoding_auto = true}, utf8 = {0}, windows = {.windows_1252 = true};
    static const struct {
        struct str bytes;
        const struct source *source;
        const char *text;      /* NULL: refused … */
        const char *fault;     /* … with this in it */
    } cases[] = {
        {TEXT("n\xc3\xa9\n"), &automatic, "né\n", NULL},
        {TEXT("\xef\xbb\xbfn\xc3\xa9\n"), &automatic, "né\n", NULL},
        {TEXT("\xef\xbb\xbfn\xc3\xa9\n"), &windows, "né\n", NULL},
        {TEXT("n\xe9; 12,50 \x80\n"), &automatic, "né; 12,50 €\n", NULL},
        {TEXT("n\xe9\n"), &windows, "né\n", NULL},
        {TEXT("\xa0\x8c\xff\n"), &windows, "\xc2\xa0\xc5\x92\xc3\xbf\n", NULL},
        {TEXT("a\nn\xe9\n"), &utf8, NULL, "line 2: not UTF-8"},
        {TEXT("\xef\xbb\xbfn\xe9\n"), &automatic, NULL, "line 1: not UTF-8"},
        {TEXT("a\n\x81\n"), &automatic, NULL, "line 2: a byte that is no Windows-1252"},
        {TEXT("\xff\xfe" "a\0"), &automatic, NULL, "line 1: not text"},
        {TEXT("a\nb\0\n"), &automatic, NULL, "line 2: not text"},
        {TEXT(""), &automatic, "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str text;
        char fault[CSV_FAULT_MAX] = "";
        bool ok = csv_decode(cases[i].bytes, cases[i].source, &arena, &text, fault);
        if (ok != (cases[i].text != NULL) || (ok && !str_is(text, cases[i].text)) ||
            (!ok && !strstr(fault, cases[i].fault)))
            fail_msg("case %zu: %s", i, ok ? "accepted as something else" : fault);
    }
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_lines),
        cmocka_unit_test(not_csv),
        cmocka_unit_test(too_many_cells),
        cmocka_unit_test(a_row_may_stop_it),
        cmocka_unit_test(raw_bytes_are_a_row),
        cmocka_unit_test(encodings),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
