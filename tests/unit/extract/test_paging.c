#include "tests/unit/common/support.h"

#include "extract/paging.h"

static struct arena arena;

static struct entity_source list_of(enum paging_kind kind)
{
    return (struct entity_source){
        .name = "lines", .records = "data",
        .paging = {.kind = kind, .param = "p", .next = {"meta.next", "next"}, .first_page = 1, .cap = 5,
                   .total = "total", .as_of = "as_of"},
    };
}

static void test_facts(void **state)
{
    static const struct {
        enum paging_kind kind;
        const char *body, *link;
        int64_t records, total;
        const char *next;
    } cases[] = {
        {PAGING_CURSOR, "{\"data\":[{},{}],\"next\":\"c2\",\"total\":9}", NULL, 2, 9, "c2"},
        {PAGING_CURSOR, "{\"data\":[],\"meta\":{\"next\":\"m\"},\"next\":\"c2\"}", NULL, 0, INT_NONE, "m"},
        {PAGING_CURSOR, "{\"data\":[1],\"meta\":{\"next\":null},\"next\":\"c2\"}", NULL, 1, INT_NONE, "c2"},
        {PAGING_CURSOR, "{\"data\":[1],\"next\":\"\"}", NULL, 1, INT_NONE, NULL},
        {PAGING_CURSOR, "{\"data\":[1],\"next\":false}", NULL, 1, INT_NONE, NULL},
        {PAGING_CURSOR, "{\"data\":[1],\"next\":42}", NULL, 1, INT_NONE, "42"},
        {PAGING_CURSOR, "{\"data\":[1],\"next\":\"a\\u0026b\"}", NULL, 1, INT_NONE, "a&b"},
        {PAGING_CURSOR, "{\"data\":{\"id\":1}}", NULL, 1, INT_NONE, NULL},
        {PAGING_CURSOR, "{\"data\":null,\"total\":null}", NULL, 0, INT_NONE, NULL},
        {PAGING_CURSOR, "{\"other\":[1,2]}", NULL, 0, INT_NONE, NULL},
        {PAGING_CURSOR, "<html>", NULL, INT_NONE, INT_NONE, NULL},
        {PAGING_CURSOR, "{\"data\":[1],\"next\":\"c", NULL, INT_NONE, INT_NONE, NULL},
        {PAGING_CURSOR, "", NULL, INT_NONE, INT_NONE, NULL},
        {PAGING_NONE, "{\"data\":[1],\"next\":\"c\"}", NULL, 1, INT_NONE, NULL},
        {PAGING_LINK, "{\"data\":[1]}", "<https://a/b?page=2>; rel=\"next\"", 1, INT_NONE, "https://a/b?page=2"},
        {PAGING_LINK, "{\"data\":[1],\"next\":\"/b?2\"}", "<https://a/c>; rel=next", 1, INT_NONE, "/b?2"},
        {PAGING_LINK, "{\"data\":[1]}", NULL, 1, INT_NONE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct entity_source e = list_of(cases[i].kind);
        struct page_facts facts;
        struct err err;
        if (!page_read_facts(&e, str_of(cases[i].body), str_of(cases[i].link), &arena, &facts, &err))
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(facts.records, cases[i].records);
        assert_int_equal(facts.total, cases[i].total);
        if (!str_eq(facts.next, str_of(cases[i].next)))
            fail_msg("case %zu: next is %.*s", i, (int)facts.next.len, facts.next.p);
    }
}

static void test_facts_state_of(void **state)
{
    static const struct { const char *body, *as_of; } cases[] = {
        {"{\"data\":[],\"as_of\":\"2026-04-22T06:00:00+02:00\"}", "2026-04-22T04:00:00Z"},
        {"{\"data\":[],\"as_of\":null}", NULL},
        {"{\"data\":[]}", NULL},
        {"<html>", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct entity_source e = list_of(PAGING_CURSOR);
        struct page_facts facts;
        struct err err;
        instant_t expected = INSTANT_NONE;
        assert_true(page_read_facts(&e, str_of(cases[i].body), STR_NULL, &arena, &facts, &err));
        assert_true(!cases[i].as_of || instant_parse(str_of(cases[i].as_of), &expected));
        assert_int_equal(facts.as_of, expected);
    }
}

static void test_facts_refused(void **state)
{
    static const struct { const char *body, *says; } cases[] = {
        {"{\"data\":[1],\"next\":true}", "next: expected text"},
        {"{\"data\":[1],\"next\":{\"cursor\":\"x\"}}", "next: expected text"},
        {"{\"data\":[1],\"total\":\"many\"}", "total: expected the number"},
        {"{\"data\":[1],\"total\":-1}", "total: expected the number"},
        {"{\"data\":[1],\"total\":1.5}", "total: expected the number"},
        {"{\"data\":[1],\"as_of\":1776830400}", "as_of: expected an instant"},
        {"{\"data\":[1],\"as_of\":\"yesterday\"}", "as_of: expected an instant"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct entity_source e = list_of(PAGING_CURSOR);
        struct page_facts facts;
        struct err err;
        assert_false(page_read_facts(&e, str_of(cases[i].body), STR_NULL, &arena, &facts, &err));
        assert_int_equal(err.kind, ERR_DATA);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static void test_cursor_too_long(void **state)
{
    (void)state;
    struct buf body = {0};
    buf_adds(&body, "{\"data\":[],\"next\":\"");
    for (int i = 0; i <= CURSOR_MAX; i++)
        buf_addc(&body, 'x');
    buf_adds(&body, "\"}");
    struct entity_source e = list_of(PAGING_CURSOR);
    struct page_facts facts;
    struct err err;
    assert_false(page_read_facts(&e, (struct str){body.p, (uint32_t)body.len, false}, STR_NULL, &arena, &facts, &err));
    assert_int_equal(err.kind, ERR_DATA);
    buf_free(&body);
}

static void test_link_header(void **state)
{
    static const struct { const char *header, *next; } cases[] = {
        {"<https://a/2>; rel=\"next\"", "https://a/2"},
        {"<https://a/1>; rel=\"prev\", <https://a/3>; rel=\"next\"", "https://a/3"},
        {"<https://a/3>;rel=next;title=\"b\",<https://a/9>;rel=last", "https://a/3"},
        {"<https://a/3>; title=\"x, <y>; rel=\\\"next\\\"\"; rel=\"last\"", NULL},
        {"<https://a/3>; rel=\"last NEXT\"", "https://a/3"},
        {"<https://a/3>; REL=Next", "https://a/3"},
        {"<https://a/3>; rel=\"nextish\"", NULL},
        {"<https://a/3>; rel=\"last\"; rel=\"next\"", NULL},
        {"<https://a/1,2>; rel=\"next\"", "https://a/1,2"},
        {"<?page=2>; rel=\"next\"", "?page=2"},
        {"<https://a/3>", NULL},
        {"<https://a/3; rel=\"next\"", NULL},
        {"<https://a/3>; rel", NULL},
        {"<https://a/3>; rel=\"next", "https://a/3"},
        {";;;,,,", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str next = link_header_next(str_of(cases[i].header));
        if (!str_eq(next, str_of(cases[i].next)))
            fail_msg("case %zu: %.*s", i, (int)next.len, next.p ? next.p : "");
    }
}

/* One page of a list in short: records, total (-1: none), next. */
struct step { int64_t records, total; const char *next; enum walk_step step; };

static void walk_through(const struct entity_source *e, const struct step *steps, size_t n, const char *says)
{
    struct walk w;
    struct err err = {0};
    walk_start(&w, e);
    for (size_t i = 0; i < n; i++) {
        char body[32];
        snprintf(body, sizeof body, "page %zu", i);
        struct page page = {.number = w.number, .records = steps[i].records, .next = str_of(steps[i].next),
                            .total = steps[i].total < 0 ? INT_NONE : steps[i].total, .body = str_of(body)};
        enum walk_step step = walk_take(&w, &page, &arena, &err);
        if (step != steps[i].step)
            fail_msg("%s, page %zu: step %d, expected %d", says, i + 1, (int)step, (int)steps[i].step);
    }
    if (says)
        assert_non_null(strstr(err.text, says));
}

static void test_whole_lists(void **state)
{
    struct entity_source e = list_of(PAGING_CURSOR);
    (void)state;
    walk_through(&e, (const struct step[]){{3, 3, NULL, WALK_COMPLETE}}, 1, NULL);
    walk_through(&e, (const struct step[]){{0, 0, NULL, WALK_COMPLETE}}, 1, NULL);
    walk_through(&e, (const struct step[]){{3, -1, NULL, WALK_COMPLETE}}, 1, NULL);
    walk_through(&e, (const struct step[]){{3, 5, "a", WALK_MORE}, {2, 5, NULL, WALK_COMPLETE}}, 2, NULL);
    walk_through(&e, (const struct step[]){{3, 5, "a", WALK_MORE}, {2, -1, NULL, WALK_COMPLETE}}, 2, NULL);
    walk_through(&e, (const struct step[]){{0, -1, "a", WALK_MORE}, {2, -1, NULL, WALK_COMPLETE}}, 2, NULL);
    /* a page that is no JSON ends its list and is the mapper's */
    walk_through(&e, (const struct step[]){{3, 5, "a", WALK_MORE}, {INT_NONE, -1, NULL, WALK_COMPLETE}}, 2, NULL);
}

static void test_lists_that_are_not_whole(void **state)
{
    struct entity_source e = list_of(PAGING_CURSOR);
    (void)state;
    walk_through(&e, (const struct step[]){{2, 3, NULL, WALK_INCOMPLETE}}, 1, "3 records announced, 2 received on 1");
    walk_through(&e, (const struct step[]){{2, 1, NULL, WALK_INCOMPLETE}}, 1, "1 records announced, 2 received");
    walk_through(&e, (const struct step[]){{2, 5, "a", WALK_MORE}, {2, 5, NULL, WALK_INCOMPLETE}}, 2, "5 records ann");
    /* one was taken away on a page already read, so that another slipped by unseen: 4 announced, 4 received */
    walk_through(&e, (const struct step[]){{2, 5, "a", WALK_MORE}, {2, 4, NULL, WALK_INCOMPLETE}}, 2, "from 5 to 4");
}

static void test_endless_lists(void **state)
{
    struct entity_source e = list_of(PAGING_CURSOR);
    (void)state;
    walk_through(&e, (const struct step[]){{1, -1, "a", WALK_MORE}, {1, -1, "a", WALK_BROKEN}}, 2, "page 2 leads back to page 2");
    walk_through(&e, (const struct step[]){{1, -1, "a\nb", WALK_MORE}, {1, -1, "a\nb", WALK_BROKEN}}, 2, "back to page 2");
    walk_through(&e, (const struct step[]){{1, -1, "a", WALK_MORE}, {1, -1, "b", WALK_MORE}, {1, -1, "a", WALK_BROKEN}},
                 3, "endless list: page 3 leads back to page 2");
    walk_through(&e, (const struct step[]){{1, -1, "a", WALK_MORE}, {1, -1, "b", WALK_MORE}, {1, -1, "c", WALK_MORE},
                                           {1, -1, "d", WALK_MORE}, {1, -1, "e", WALK_BROKEN}}, 5, "more than 5 pages");
    walk_through(&e, (const struct step[]){{1, -1, "a", WALK_MORE}, {1, -1, "b", WALK_MORE}, {1, -1, "c", WALK_MORE},
                                           {1, -1, "d", WALK_MORE}, {1, -1, NULL, WALK_COMPLETE}}, 5, NULL);
}

/* Pages by number: what each one holds, and how many are asked for. */
static int pages_asked(const int64_t *records, int64_t total)
{
    struct entity_source e = list_of(PAGING_PAGE);
    struct walk w;
    struct err err;
    walk_start(&w, &e);
    for (int n = 1;; n++) {
        char body[16];
        snprintf(body, sizeof body, "page %d", n);
        struct page_facts facts = {.records = records[n - 1], .total = total};
        struct page page = {.number = n, .records = facts.records, .total = total, .body = str_of(body),
                            .next = walk_next(&w, &facts, &arena)};
        if (walk_take(&w, &page, &arena, &err) != WALK_MORE)
            return n;
        snprintf(body, sizeof body, "%d", n + 1);
        assert_true(str_is(w.next, body));
    }
}

static void test_page_numbers(void **state)
{
    (void)state;
    assert_int_equal(pages_asked((const int64_t[]){2, 2, 0}, INT_NONE), 3);
    assert_int_equal(pages_asked((const int64_t[]){2, 1}, INT_NONE), 2);
    assert_int_equal(pages_asked((const int64_t[]){2, 2, 1}, INT_NONE), 3);
    assert_int_equal(pages_asked((const int64_t[]){0}, INT_NONE), 1);
    assert_int_equal(pages_asked((const int64_t[]){1, 0}, INT_NONE), 2); /* all, or a cap of the server? */
    assert_int_equal(pages_asked((const int64_t[]){2, 2}, 4), 2);
    assert_int_equal(pages_asked((const int64_t[]){2, 1, 1}, 4), 3);
    assert_int_equal(pages_asked((const int64_t[]){INT_NONE}, INT_NONE), 1);
}

static void test_page_number_ignored(void **state)
{
    struct entity_source e = list_of(PAGING_PAGE);
    struct walk w;
    struct err err;
    (void)state;
    walk_start(&w, &e);
    struct page page = {.number = 1, .records = 2, .total = INT_NONE, .next = STR("2"), .body = STR("the same")};
    assert_int_equal(walk_take(&w, &page, &arena, &err), WALK_MORE);
    page.number = 2;
    page.next = STR("3");
    assert_int_equal(walk_take(&w, &page, &arena, &err), WALK_BROKEN);
    assert_non_null(strstr(err.text, "page 2 repeats"));
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
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_facts_state_of),
        cmocka_unit_test(test_facts_refused),
        cmocka_unit_test(test_cursor_too_long),
        cmocka_unit_test(test_link_header),
        cmocka_unit_test(test_whole_lists),
        cmocka_unit_test(test_lists_that_are_not_whole),
        cmocka_unit_test(test_endless_lists),
        cmocka_unit_test(test_page_numbers),
        cmocka_unit_test(test_page_number_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
