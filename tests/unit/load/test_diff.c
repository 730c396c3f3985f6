#include "tests/unit/common/support.h"

#include "load/diff.h"

static struct arena arena;

static struct line_diff diff(const char *old_lines, const char *new_lines)
{
    struct line_diff ret;
    lines_diff(str_of(old_lines), str_of(new_lines), &arena, &ret);
    return ret;
}

static void assert_lines(const struct str *lines, size_t n, const char *expected)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%.*s|", (int)lines[i].len, lines[i].p);
    assert_string_equal(buf_str(&b), expected);
    buf_free(&b);
}

static void known_cases(void **state)
{
    (void)state;
    static const struct {
        const char *old_lines, *new_lines, *gone, *come;
    } cases[] = {
        {"", "", "", ""},
        {"a\n", "a\n", "", ""},
        {"", "a\nb\n", "", "a|b|"},
        {"a\nb\n", "", "a|b|", ""},
        {"a\nb\nc\n", "a\nx\nc\n", "b|", "x|"},
        {"a\nb\n", "b\na\n", "", ""},                 /* order is no difference */
        {"a\na\nb\n", "a\nb\n", "a|", ""},            /* the same line twice is one */
        {"a\nb\n", "a\nb\nb\nb\n", "", "b|b|"},
        {"ab\n", "abc\n", "ab|", "abc|"},             /* lines, not bytes, begin alike */
        {"ab\ncd\n", "ab\nce\n", "cd|", "ce|"},
        {"\n\n", "\n", "|", ""},
        {"a\nb\nc\nd\n", "a\nc\nd\n", "b|", ""},
        {"a\nc\nd\n", "a\nb\nc\nd\n", "", "b|"},
        {"a\nb\nc\nd\n", "a\nx\ny\nd\n", "b|c|", "x|y|"},
        {"a\nb\nc\n", "b\nc\na\n", "", ""},       /* gone here, come there */
        {"a\nb\n", "x\ny\nb\n", "a|", "x|y|"},
        {"ab\na\n", "a\nabc\n", "ab|", "abc|"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct line_diff d = diff(cases[i].old_lines, cases[i].new_lines);
        assert_lines(d.gone, d.n_gone, cases[i].gone);
        assert_lines(d.come, d.n_come, cases[i].come);
    }
}

enum { LINES = 40, KINDS = 12, ROUNDS = 2000 };

/* Up to LINES lines of KINDS kinds, long and short; counts each kind. */
static const char *random_lines(uint64_t *random, int count[KINDS])
{
    struct buf b = {0};
    memset(count, 0, KINDS * sizeof *count);
    for (uint32_t n = random_below(random, LINES); n; n--) {
        uint32_t kind = random_below(random, KINDS);
        count[kind]++;
        for (uint32_t i = 0; i < kind * 7; i++)
            buf_addc(&b, 'x');
        buf_addf(&b, "%u\n", kind);
    }
    const char *text = arena_copy(&arena, buf_str(&b), b.len);
    buf_free(&b);
    return text;
}

static long kind_of(struct str line)
{
    return strtol(line.p + strspn(line.p, "x"), NULL, 10);
}

static void what_is_told_turns_one_into_the_other(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (int round = 0; round < ROUNDS; round++) {
        int before[KINDS], after[KINDS];
        const char *old_lines = random_lines(&random, before), *new_lines = random_lines(&random, after);
        struct line_diff d = diff(old_lines, new_lines);
        for (size_t i = 0; i < d.n_gone; i++)
            before[kind_of(d.gone[i])]--;
        for (size_t i = 0; i < d.n_come; i++)
            before[kind_of(d.come[i])]++;
        assert_memory_equal(before, after, sizeof before);
        for (size_t i = 0; i < d.n_gone; i++)     /* and nothing is told that is no difference */
            for (size_t k = 0; k < d.n_come; k++)
                assert_false(str_eq(d.gone[i], d.come[k]));
        arena_reset(&arena);
    }
}

static int end(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cases),
        cmocka_unit_test(what_is_told_turns_one_into_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
