#include "tests/unit/common/support.h"

#include "extract/answer.h"

static const struct source SOURCE = {.name = "alan", .retries = 2, .deadline_ms = 10000, .timeout_ms = 3000,
                                     .max_body_bytes = 1000};

static struct err failure_of(long status, const char *body, const char *bearer)
{
    struct answer answer = {.status = status, .body = str_of(body), .retry_after_ms = -1};
    struct ask ask = {.source = &SOURCE, .url = "https://a.example/l", .bearer = bearer};
    struct tries tries = {.failures = 1};
    struct err err;
    assert_false(answer_fail(&answer, &ask, &tries, &err));
    return err;
}

static void test_kinds(void **state)
{
    static const struct { long status; enum err_kind kind; } cases[] = {
        {401, ERR_REFUSED},     {403, ERR_REFUSED},     {407, ERR_REFUSED},     {404, ERR_CONFIG},    {400, ERR_CONFIG},
        {422, ERR_CONFIG},      {301, ERR_CONFIG},      {307, ERR_CONFIG},      {429, ERR_TRY_AGAIN}, {204, ERR_DATA},
        {408, ERR_UNAVAILABLE}, {500, ERR_UNAVAILABLE}, {501, ERR_UNAVAILABLE}, {206, ERR_DATA},
        {503, ERR_UNAVAILABLE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = failure_of(cases[i].status, "", NULL);
        if (err.kind != cases[i].kind)
            fail_msg("HTTP %ld: kind %d, expected %d", cases[i].status, (int)err.kind, (int)cases[i].kind);
    }
}

static void test_kinds_of_libcurl(void **state)
{
    static const struct { int code; bool too_large; enum err_kind kind; const char *says; } cases[] = {
        {CURLE_COULDNT_CONNECT, false, ERR_UNAVAILABLE, "in words"},
        {CURLE_PEER_FAILED_VERIFICATION, false, ERR_REFUSED, "in words"},
        {CURLE_SSL_CACERT_BADFILE, false, ERR_CONFIG, "in words"},
        {CURLE_UNSUPPORTED_PROTOCOL, false, ERR_UNAVAILABLE, "in words"},
        {CURLE_FILE_COULDNT_READ_FILE, false, ERR_NO_INPUT, "in words"},
        {CURLE_OUT_OF_MEMORY, false, ERR_TRY_AGAIN, "a header line of more than 100 kB"},
        {CURLE_WRITE_ERROR, true, ERR_DATA, "body of more than 1000 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer answer = {.code = cases[i].code, .fault = "in words", .too_large = cases[i].too_large};
        struct ask ask = {.source = &SOURCE, .url = "https://a.example/l"};
        struct tries tries = {.failures = 3, .slowdowns = 1};
        struct err err;
        answer_fail(&answer, &ask, &tries, &err);
        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_non_null(strstr(err.text, "GET https://a.example/l: "));
        assert_non_null(strstr(err.text, "after 4 attempts"));
    }
}

static void test_redirects(void **state)
{
    static const struct { const char *location, *says; } cases[] = {
        {"https://b.example/l", "HTTP 302, a redirect to https://b.example/l, which is not followed"},
        {"/login?ticket=abc", "HTTP 302, a redirect to /login, which is not followed"},
        {"/login#t1", "HTTP 302, a redirect to /login, which is not followed"},
        {"/t1/login", "HTTP 302, a redirect, which is not followed"},
        {"https://me:pw@b.example/", "HTTP 302, a redirect, which is not followed"},
        {"/1850175123456", "HTTP 302, a redirect to /*************, which is not followed"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer answer = {.status = 302, .location = str_of(cases[i].location), .retry_after_ms = -1};
        struct ask ask = {.source = &SOURCE, .url = "https://a.example/l", .bearer = "t1"};
        struct tries tries = {.failures = 1};
        struct err err;
        assert_false(answer_fail(&answer, &ask, &tries, &err));
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static void test_quotes(void **state)
{
    static const struct { const char *body, *quote; } cases[] = {
        {"{\"title\":\"Forbidden\",\"detail\":\"scope missing\"}", ": Forbidden: scope missing"},
        {"{\"message\":\"slow down\"}", ": slow down"},
        {"{\"error\":\"invalid\",\"details\":[\"date\"]}", ": invalid: date"},
        {"{\"error\":{\"message\":\"no such company\"}}", ": no such company"},
        {"{\"error\":\"invalid_client\",\"error_description\":\"unknown\"}", ": invalid_client: unknown"},
        {"<html>gateway</html>", "HTTP 403"},
        {"{\"title\":7}", "HTTP 403"},
        {"[]", "HTTP 403"},
        {"{\"detail\":\"line\\nbreak\"}", ": line break"},
        {"{\"detail\":\"nobody has 1 85 01 75 123 456 09\"}", ": nobody has * ** ** ** *** *** **"},
        {"{\"detail\":\"id 1850175123456\"}", ": id *************"},
        {"{\"detail\":\"18501\\u0000\\n75123456\"}", ": *****  ********"},
        {"{\"detail\":\"of 1\u00a085\u00a001\u202f75 123 456\"}", ": of *\u00a0**\u00a0**\u202f** *** ***"},
        {"{\"detail\":\"month 2026-04 of 362521879\"}", ": month 2026-04 of 362521879"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = failure_of(403, cases[i].body, NULL);
        size_t len = strlen(err.text), tail = strlen(cases[i].quote);
        if (len < tail || strcmp(err.text + len - tail, cases[i].quote) != 0)
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void test_quote_is_cut_between_characters(void **state)
{
    (void)state;
    struct buf body = {0};
    buf_adds(&body, "{\"title\":\"x");
    for (int i = 0; i < 200; i++)
        buf_adds(&body, "é");
    buf_adds(&body, "\"}");
    struct err err = failure_of(403, buf_str(&body), NULL);
    buf_free(&body);
    const char *quote = strstr(err.text, "HTTP 403: ") + strlen("HTTP 403: ");
    assert_int_equal(strlen(quote), ANSWER_QUOTE_MAX - 1);
}

static void test_credential_is_not_quoted(void **state)
{
    (void)state;
    struct err err = failure_of(401, "{\"message\":\"bad token s3cr3t-token\"}", "s3cr3t-token");
    assert_null(strstr(err.text, "s3cr3t"));
    err = failure_of(401, "{\"message\":\"bad token \\u0000s3cr3t-token\"}", "s3cr3t-token");
    assert_null(strstr(err.text, "s3cr3t"));
}

static struct answer status_answer(long status, int64_t retry_after_ms)
{
    return (struct answer){.status = status, .retry_after_ms = retry_after_ms};
}

static void test_attempts_and_deadline(void **state)
{
    struct tries tries = {0};
    struct answer down = status_answer(503, -1), slow = status_answer(429, 1000);
    (void)state;
    tries_begin(&tries, &SOURCE, 1000);
    tries_begin(&tries, &SOURCE, 5000); /* the first one counts */
    assert_int_equal(tries.deadline_ms, 11000);
    assert_int_equal(tries_timeout_ms(&tries, &SOURCE, 1000), 3000);
    assert_int_equal(tries_timeout_ms(&tries, &SOURCE, 10000), 1000);
    assert_int_equal(tries_timeout_ms(&tries, &SOURCE, 11000), 0);
    assert_int_equal(tries_failed(&tries, &SOURCE, &down, 2000, 300), RETRY_WAIT);
    assert_int_equal(tries.ready_at_ms, 2300);
    assert_int_equal(tries_failed(&tries, &SOURCE, &slow, 2400, 0), RETRY_WAIT);
    assert_int_equal(tries.ready_at_ms, 3400);
    assert_int_equal(tries_failed(&tries, &SOURCE, &down, 3400, 0), RETRY_WAIT);
    assert_int_equal(tries_failed(&tries, &SOURCE, &down, 3500, 0), RETRY_EXHAUSTED);
    tries_succeeded(&tries);
    assert_int_equal(tries_failed(&tries, &SOURCE, &down, 3600, 0), RETRY_WAIT);
    assert_int_equal(tries_failed(&tries, &SOURCE, &slow, 10500, 0), RETRY_EXHAUSTED);
}

static void test_leavings_cost_no_attempt_once(void **state)
{
    struct tries tries = {0};
    struct answer leavings = {.code = CURLE_UNSUPPORTED_PROTOCOL, .leavings = true, .retry_after_ms = -1};
    (void)state;
    tries_begin(&tries, &SOURCE, 1000);
    assert_false(tries_want_fresh(&tries));
    assert_int_equal(tries_failed(&tries, &SOURCE, &leavings, 2000, 300), RETRY_WAIT);
    assert_int_equal(tries.failures, 0);
    assert_int_equal(tries.ready_at_ms, 0);
    assert_true(tries_want_fresh(&tries));
    assert_int_equal(tries_failed(&tries, &SOURCE, &leavings, 2000, 300), RETRY_WAIT);
    assert_int_equal(tries.failures, 1);
    tries_succeeded(&tries);
    assert_false(tries_want_fresh(&tries));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_kinds_of_libcurl),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_quote_is_cut_between_characters),
        cmocka_unit_test(test_credential_is_not_quoted),
        cmocka_unit_test(test_attempts_and_deadline),
        cmocka_unit_test(test_leavings_cost_no_attempt_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
