#include "tests/unit/common/support.h"

#include "extract/auth.h"

static struct source source_with(struct auth auth)
{
    return (struct source){.name = "alan", .base_url = "https://a.example", .auth = auth, .retries = 2,
                           .deadline_ms = 60000, .timeout_ms = 5000, .max_body_bytes = 1000};
}

static const struct config_company ACME = {.id = "acme", .siren = "362521879", .alan_company_id = "acme"};
static const struct config_establishment SITE = {.siret = "36252187900034", .payroll_token = "key-1"};
static const struct config_establishment OTHER_SITE = {.siret = "36252187900042", .payroll_token = "key-2"};

static void test_credentials(void **state)
{
    static const struct {
        struct auth auth;
        const char *bearer, *header;
    } cases[] = {
        {{.kind = AUTH_NONE}, NULL, NULL},
        {{.kind = AUTH_BEARER, .token = "abc"}, "abc", NULL},
        {{.kind = AUTH_BEARER, .token = "{payroll_token}"}, "key-1", NULL},
        {{.kind = AUTH_HEADER, .header = "X-Api-Key", .token = "abc"}, NULL, "X-Api-Key: abc"},
    };
    (void)state;
    struct arena a = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct source source = source_with(cases[i].auth);
        struct request request = {.source = &source, .company = &ACME, .establishment = &SITE, .month = MONTH_NONE};
        struct credential c;
        struct err err;
        assert_true(credential_of(&request, &a, &c, &err));
        assert_true(str_eq(str_of(c.bearer), str_of(cases[i].bearer)));
        assert_true(str_eq(str_of(c.header), str_of(cases[i].header)));
    }
    arena_free(&a);
}

static void test_credentials_refused(void **state)
{
    static const char *const TOKENS[] = {"", "a b", "abc\r\nX-Other: 1", "abc\n"};
    (void)state;
    struct arena a = {0};
    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        struct source source = source_with((struct auth){.kind = AUTH_BEARER, .token = TOKENS[i]});
        struct request request = {.source = &source, .company = &ACME, .month = MONTH_NONE};
        struct credential c;
        struct err err;
        assert_false(credential_of(&request, &a, &c, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(strstr(err.text, "abc"));
    }
    arena_free(&a);
}

static const struct auth CLIENT = {
    .kind = AUTH_CLIENT_CREDENTIALS, .token_url = "https://o.example/token", .client_id = "me & you",
    .client_secret = "{payroll_token}", .scope = "read",
};

static struct token *token_of(struct tokens *ts, const struct source *source, const struct config_establishment *site)
{
    struct request request = {.source = source, .company = &ACME, .establishment = site, .month = MONTH_NONE};
    struct token *t;
    struct err err;
    if (!tokens_get(ts, &request, &t, &err))
        fail_msg("%s", err.text);
    return t;
}

static enum token_state answer(struct token *t, long status, const char *body, int64_t now_ms)
{
    struct answer a = {.status = status, .body = str_of(body), .retry_after_ms = -1};
    struct ask ask = token_ask(t, now_ms);
    t->state = TOKEN_ASKED;
    token_answered(t, &a, &ask, now_ms, 100);
    return t->state;
}

static void test_one_token_per_credential(void **state)
{
    struct source source = source_with(CLIENT);
    struct tokens ts = {0};
    (void)state;
    struct token *first = token_of(&ts, &source, &SITE);
    assert_ptr_equal(first, token_of(&ts, &source, &SITE));
    assert_ptr_not_equal(first, token_of(&ts, &source, &OTHER_SITE));
    assert_int_equal(first->users, 2);
    struct ask ask = token_ask(first, 1000);
    assert_string_equal(ask.url, "https://o.example/token");
    assert_string_equal(ask.form, "grant_type=client_credentials&client_id=me%20%26%20you&client_secret=key-1"
                        "&scope=read");
    tokens_free(&ts);
}

static void test_token_url_is_checked(void **state)
{
    struct auth auth = CLIENT;
    auth.token_url = "http://o.example/token";
    struct source source = source_with(auth);
    struct request request = {.source = &source, .company = &ACME, .establishment = &SITE, .month = MONTH_NONE};
    struct tokens ts = {0};
    struct token *t;
    struct err err;
    (void)state;
    assert_false(tokens_get(&ts, &request, &t, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_null(strstr(err.text, "key-1"));
    tokens_free(&ts);
}

/* now is 1000 s */
static void test_expiry(void **state)
{
    static const struct { const char *body; int64_t ready_until_s; } cases[] = {
        {"{\"access_token\":\"t\",\"expires_in\":3600}", 4540},  /* a minute early */
        {"{\"access_token\":\"t\",\"expires_in\":\"3600\"}", 4540},
        {"{\"access_token\":\"t\",\"expires_in\":100}", 1050},   /* half of a short life */
        {"{\"access_token\":\"t\",\"expires_in\":2}", 1001},
        {"{\"access_token\":\"t\"}", INT64_MAX / 1000},
        {"{\"access_token\":\"t\",\"expires_in\":0}", INT64_MAX / 1000},
        {"{\"access_token\":\"t\",\"expires_in\":99999999999999}", 1000 + 366 * 86400 - 60},
    };
    struct source source = source_with(CLIENT);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tokens ts = {0};
        struct token *t = token_of(&ts, &source, &SITE);
        assert_int_equal(token_state(t, 1000000), TOKEN_WANTED);
        assert_int_equal(answer(t, 200, cases[i].body, 1000000), TOKEN_READY);
        assert_string_equal(t->value, "t");
        assert_int_equal(token_state(t, cases[i].ready_until_s * 1000 - 1), TOKEN_READY);
        if (cases[i].ready_until_s < INT64_MAX / 1000)
            assert_int_equal(token_state(t, cases[i].ready_until_s * 1000), TOKEN_WANTED);
        tokens_free(&ts);
    }
}

static void test_failures(void **state)
{
    static const struct { long status; const char *body; enum err_kind kind; } cases[] = {
        {401, "{\"error\":\"invalid_client\"}", ERR_REFUSED},
        {400, "{\"error\":\"invalid_scope\"}", ERR_REFUSED},
        {200, "{\"token\":\"t\"}", ERR_DATA},
        {200, "{\"access_token\":\"two words\"}", ERR_DATA},
        {200, "<html>", ERR_DATA},
        {404, "", ERR_CONFIG},
    };
    struct source source = source_with(CLIENT);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tokens ts = {0};
        struct token *t = token_of(&ts, &source, &SITE);
        assert_int_equal(answer(t, cases[i].status, cases[i].body, 1000), TOKEN_FAILED);
        assert_int_equal(t->failure->kind, cases[i].kind);
        assert_non_null(strstr(t->failure->text, "POST https://o.example/token: HTTP "));
        assert_null(strstr(t->failure->text, "key-1"));
        tokens_free(&ts);
    }
}

static void test_server_down_and_up_again(void **state)
{
    struct source source = source_with(CLIENT);
    struct tokens ts = {0};
    (void)state;
    struct token *t = token_of(&ts, &source, &SITE);
    assert_int_equal(answer(t, 503, "", 1000), TOKEN_WANTED);
    assert_int_equal(t->tries.ready_at_ms, 1100);
    assert_int_equal(answer(t, 503, "", 2000), TOKEN_WANTED);
    assert_int_equal(answer(t, 503, "", 3000), TOKEN_FAILED);
    assert_int_equal(t->failure->kind, ERR_UNAVAILABLE);
    token_leave(t); /* the next company tries anew */
    assert_ptr_equal(t, token_of(&ts, &source, &SITE));
    assert_int_equal(token_state(t, 4000), TOKEN_WANTED);
    assert_int_equal(answer(t, 200, "{\"access_token\":\"t\"}", 4000), TOKEN_READY);
    tokens_free(&ts);
}

static void test_refused_token(void **state)
{
    struct source source = source_with(CLIENT);
    struct tokens ts = {0};
    (void)state;
    struct token *t = token_of(&ts, &source, &SITE);
    answer(t, 200, "{\"access_token\":\"t1\"}", 1000);
    int sent = t->generation;
    token_refused(t, sent);
    assert_int_equal(token_state(t, 1000), TOKEN_WANTED);
    answer(t, 200, "{\"access_token\":\"t2\"}", 1000);
    token_refused(t, sent); /* another transfer, late, about the old value */
    assert_int_equal(token_state(t, 1000), TOKEN_READY);
    assert_string_equal(t->value, "t2");
    /* a refused credential stays refused */
    token_refused(t, t->generation);
    answer(t, 401, "", 1000);
    token_leave(t);
    assert_int_equal(token_of(&ts, &source, &SITE)->state, TOKEN_FAILED);
    tokens_free(&ts);
}

static void test_unused_tokens_make_room(void **state)
{
    struct source source = source_with(CLIENT);
    struct tokens ts = {0};
    struct config_establishment site = SITE;
    char key[32];
    (void)state;
    struct token *kept = token_of(&ts, &source, &SITE);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "other-%d", i);
        site.payroll_token = key;
        token_leave(token_of(&ts, &source, &site));
    }
    assert_true(ts.n <= 65);
    assert_ptr_equal(token_of(&ts, &source, &SITE), kept);
    tokens_free(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_credentials_refused),
        cmocka_unit_test(test_one_token_per_credential),
        cmocka_unit_test(test_token_url_is_checked),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_server_down_and_up_again),
        cmocka_unit_test(test_refused_token),
        cmocka_unit_test(test_unused_tokens_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
