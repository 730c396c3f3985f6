#include "tests/unit/common/support.h"

#include "extract/url.h"

static struct arena arena;

static const struct config_company ACME = {.id = "acme", .siren = "362521879", .alan_company_id = "cmp 1/é"};
static const struct config_establishment SITE = {.siret = "36252187900034", .payroll_company_id = "5b59",
                                                 .payroll_token = "secret"};

#define BY_CURSOR {.kind = PAGING_CURSOR, .param = "cursor", .size_param = "limit", .size = 50}

static void test_build(void **state)
{
    static const struct {
        const char *base, *path;
        struct paging paging;
        const char *next;
        bool one_record;
        const char *url;
    } cases[] = {
        {"https://a.example", "/companies/{payroll_company_id}", {0}, NULL, false,
         "https://a.example/companies/5b59?m=2026-04"},
        {"https://a.example/v1/", "lists?x=1", {0}, NULL, false, "https://a.example/v1/lists?x=1&m=2026-04"},
        {"https://a.example", "/c/{alan_company_id}", {0}, NULL, false,
         "https://a.example/c/cmp%201%2F%C3%A9?m=2026-04"},
        {"https://a.example", "/l", BY_CURSOR, NULL, false,
         "https://a.example/l?m=2026-04&limit=50"},
        {"https://a.example", "/l", BY_CURSOR, "a b&c=d/é",
         false, "https://a.example/l?m=2026-04&limit=50&cursor=a%20b%26c%3Dd%2F%C3%A9"},
        {"https://a.example", "/l", BY_CURSOR, NULL, true,
         "https://a.example/l?m=2026-04&limit=1"},
        {"https://a.example", "/l", {.kind = PAGING_PAGE, .param = "page", .first_page = 1}, NULL, false,
         "https://a.example/l?m=2026-04&page=1"},
        {"https://a.example", "/l", {.kind = PAGING_PAGE, .param = "page"}, "3", false,
         "https://a.example/l?m=2026-04&page=3"},
        {"https://a.example", "/l", {.kind = PAGING_LINK}, "https://a.example/l?after=9", false,
         "https://a.example/l?after=9"},
        {"file:///srv/feed", "/l", {0}, NULL, false, "file:///srv/feed/l?m=2026-04"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct source source = {.name = "alan", .base_url = cases[i].base};
        struct entity_source entity = {.name = "lines", .path = cases[i].path, .paging = cases[i].paging, .n_query = 1};
        entity.query[0].name = "m";
        entity.query[0].value = "{month}";
        struct request request = {&source, &entity, &ACME, &SITE, 2026 * 12 + 3};
        struct walk walk = {.next = str_of(cases[i].next)};
        char *url;
        struct err err;
        if (!url_build(&request, &walk, cases[i].one_record, &arena, &url, &err))
            fail_msg("case %zu: %s", i, err.text);
        assert_string_equal(url, cases[i].url);
    }
}

static void test_no_credential_in_a_url(void **state)
{
    static const char *const BASES[] = {"https://{payroll_token}.example", "https://a.example", "https://a.example"};
    static const char *const PATHS[] = {"/l", "/l?key={payroll_token}", "/l"};
    static const char *const VALUES[] = {"1", "1", "{payroll_token}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BASES); i++) {
        struct source source = {.name = "alan", .base_url = BASES[i]};
        struct entity_source entity = {.name = "lines", .path = PATHS[i], .n_query = 1};
        entity.query[0].name = "key";
        entity.query[0].value = VALUES[i];
        struct request request = {&source, &entity, &ACME, &SITE, MONTH_NONE};
        struct walk walk = {0};
        char *url;
        struct err err;
        assert_false(url_build(&request, &walk, false, &arena, &url, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(strstr(err.text, "secret"));
    }
}

static void test_check(void **state)
{
    static const struct { const char *base, *url; bool insecure, ok; } cases[] = {
        {"https://a.example", "https://a.example/l", false, true},
        {"http://a.example", "http://a.example/l", false, false},
        {"http://a.example", "http://a.example/l", true, true},
        {"http://127.0.0.1", "http://127.0.0.1:8080/l", false, true},
        {"http://127.0.0.1", "http://127.9.8.7/l", false, true},
        {"http://127.0.0.1", "http://localhost/l", false, true},
        {"http://127.0.0.1", "http://LOCALHOST:1/l", false, true},
        {"http://127.0.0.1", "http://[::1]:8080/l", false, true},
        {"http://127.0.0.1", "http://127.0.0.1.evil.example/l", false, false},
        {"http://127.0.0.1", "http://localhost.evil.example/l", false, false},
        {"http://127.0.0.1", "http://128.0.0.1/l", false, false},
        {"http://127.0.0.1", "http://10.0.0.1/l", false, false},
        {"http://127.0.0.1", "http://[::2]/l", false, false},
        {"http://127.0.0.1", "http://127.0.0.1@evil.example/l", false, false},
        {"https://a.example", "https://me:pw@a.example/l", false, false},
        {"file:///srv", "file:///srv/l", false, true},
        {"https://a.example", "file:///etc/passwd", false, false},
        {"https://a.example", "ftp://a.example/l", true, false},
        {"https://a.example", "gopher://127.0.0.1/l", true, false},
        {"https://a.example", "/l", false, false},
        {"https://a.example", "", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct source source = {.name = "alan", .base_url = cases[i].base, .insecure_http = cases[i].insecure};
        struct err err;
        if (url_check(&source, cases[i].url, &err) != cases[i].ok)
            fail_msg("%s: %s", cases[i].url, cases[i].ok ? err.text : "accepted");
        if (!cases[i].ok)
            assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(strstr(cases[i].ok ? "" : err.text, "pw"));
    }
}

static void test_follow(void **state)
{
    static const struct { const char *link, *url; } cases[] = {
        {"https://a.example/l?page=2", "https://a.example/l?page=2"},
        {"https://A.example:443/l?page=2", "https://A.example:443/l?page=2"},
        {"/l?page=2", "https://a.example/l?page=2"},
        {"?page=2", "https://a.example/v1/l?page=2"},
        {"m?page=2#top", "https://a.example/v1/m?page=2"},
        {"https://b.example/l?page=2", NULL},
        {"//b.example/l", NULL},
        {"http://a.example/l?page=2", NULL},
        {"https://a.example:8443/l", NULL},
        {"https://a.example.evil/l", NULL},
        {"https://me@a.example/l", NULL},
        {"file:///etc/passwd", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str next;
        struct err err;
        bool ok = url_follow("https://a.example/v1/l?page=1", str_of(cases[i].link), &arena, &next, &err);
        if (ok != (cases[i].url != NULL) || (ok && !str_is(next, cases[i].url)))
            fail_msg("%s: %.*s", cases[i].link, ok ? (int)next.len : 3, ok ? next.p : "refused");
        if (!ok) {
            assert_int_equal(err.kind, ERR_DATA);
            assert_null(strstr(err.text, "page=2"));
        }
    }
}

static void test_follow_no_text_that_ends_early(void **state)
{
    struct str next, link = TEXT("/l\0?page=2");
    struct err err;
    (void)state;
    assert_false(url_follow("https://a.example/v1/l?page=1", link, &arena, &next, &err));
    assert_int_equal(err.kind, ERR_DATA);
    assert_false(url_follow("https://a.example/v1/l?page=1", str_of("/l\nerror: x"), &arena, &next, &err));
    assert_null(strchr(err.text, '\n'));
}

static void test_what_led_to_a_page_is_not_told(void **state)
{
    static const struct { enum paging_kind kind; int number; const char *told; } cases[] = {
        {PAGING_NONE, 1, "https://a.example/here?t=1"},
        {PAGING_CURSOR, 1, "https://a.example/here?t=1"},
        {PAGING_CURSOR, 2, "https://a.example/l?m=1, page 2"},
        {PAGING_LINK, 3, "https://a.example/l?m=1, page 3"},
        {PAGING_PAGE, 2, "https://a.example/here?t=1"}, /* made of numbers alone */
    };
    struct source source = {.name = "alan", .base_url = "https://a.example"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct entity_source e = {.path = "/l", .query = {{"m", "1"}}, .n_query = 1, .paging = {.kind = cases[i].kind}};
        struct request request = {.source = &source, .entity = &e};
        struct str told = url_told(&request, str_of("https://a.example/here?t=1"), cases[i].number, &arena);
        if (!str_is(told, cases[i].told))
            fail_msg("%.*s", (int)told.len, told.p);
    }
}

static void test_what_is_no_url_is_told_without_its_secrets(void **state)
{
    static const char *const no_url[] = {"https://a b/l?s3cr3t", "https://s3cr3t@a b/l", "https://a b/l#s3cr3t"};
    struct source source = {.name = "alan", .base_url = "https://a.example"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_url); i++) {
        struct err err;
        assert_false(url_check(&source, no_url[i], &err));
        assert_null(strstr(err.text, "s3cr3t"));
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
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_no_credential_in_a_url),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_follow),
        cmocka_unit_test(test_follow_no_text_that_ends_early),
        cmocka_unit_test(test_what_led_to_a_page_is_not_told),
        cmocka_unit_test(test_what_is_no_url_is_told_without_its_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
