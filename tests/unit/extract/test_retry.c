#include "tests/unit/common/support.h"

#include <curl/curl.h>

#include "extract/retry.h"

static const struct retry_policy POLICY = {.retries = 3, .base_ms = 500, .cap_ms = 3000};

/* left 60 s and no Retry-After unless said otherwise */
static void test_verdicts(void **state)
{
    static const struct {
        int attempt, code;
        long status;
        int64_t retry_after_ms, left_ms;
        enum retry_verdict verdict;
    } CASES[] = {
        {1, CURLE_OK, 408, -1, 60000, RETRY_WAIT},
        {1, CURLE_OK, 429, -1, 60000, RETRY_WAIT},
        {1, CURLE_OK, 500, -1, 60000, RETRY_WAIT},
        {1, CURLE_OK, 502, -1, 60000, RETRY_WAIT},
        {1, CURLE_OK, 503, -1, 60000, RETRY_WAIT},
        {3, CURLE_OK, 504, -1, 60000, RETRY_WAIT},
        {4, CURLE_OK, 504, -1, 60000, RETRY_EXHAUSTED},
        {99, CURLE_OK, 429, -1, 60000, RETRY_WAIT},           /* costs no attempt */
        {1, CURLE_OK, 429, 60000, 60000, RETRY_EXHAUSTED},    /* the wait ends with the deadline */
        {1, CURLE_OK, 503, 61000, 60000, RETRY_EXHAUSTED},
        {1, CURLE_OK, 429, 10000, 60000, RETRY_WAIT},
        {1, CURLE_OK, 500, -1, 0, RETRY_EXHAUSTED},
        {1, CURLE_OK, 501, -1, 60000, RETRY_FINAL},
        {1, CURLE_OK, 400, -1, 60000, RETRY_FINAL},
        {1, CURLE_OK, 401, -1, 60000, RETRY_FINAL},
        {1, CURLE_OK, 403, 1000, 60000, RETRY_FINAL},
        {1, CURLE_OK, 404, -1, 60000, RETRY_FINAL},
        {1, CURLE_OK, 302, -1, 60000, RETRY_FINAL},
        {1, CURLE_COULDNT_RESOLVE_HOST, 0, -1, 60000, RETRY_WAIT},
        {1, CURLE_COULDNT_CONNECT, 0, -1, 60000, RETRY_WAIT},
        {1, CURLE_OPERATION_TIMEDOUT, 200, -1, 60000, RETRY_WAIT},
        {1, CURLE_PARTIAL_FILE, 200, -1, 60000, RETRY_WAIT},
        {1, CURLE_GOT_NOTHING, 0, -1, 60000, RETRY_WAIT},
        {1, CURLE_RECV_ERROR, 200, -1, 60000, RETRY_WAIT},
        {1, CURLE_BAD_CONTENT_ENCODING, 200, -1, 60000, RETRY_WAIT},
        {4, CURLE_RECV_ERROR, 200, -1, 60000, RETRY_EXHAUSTED},
        {1, CURLE_PEER_FAILED_VERIFICATION, 0, -1, 60000, RETRY_FINAL},
        {1, CURLE_WRITE_ERROR, 200, -1, 60000, RETRY_FINAL},
        {1, CURLE_UNSUPPORTED_PROTOCOL, 0, -1, 60000, RETRY_WAIT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct retry_case c = {.attempt = CASES[i].attempt, .code = CASES[i].code, .status = CASES[i].status,
                               .retry_after_ms = CASES[i].retry_after_ms, .left_ms = CASES[i].left_ms, .random = 7};
        int64_t wait_ms;
        enum retry_verdict verdict = retry_decide(&POLICY, &c, &wait_ms);
        if (verdict != CASES[i].verdict)
            fail_msg("case %zu: code %d, status %ld: verdict %d, expected %d", i, c.code, c.status, (int)verdict,
                     (int)CASES[i].verdict);
    }
}

static int64_t wait_of(int attempt, long status, int64_t retry_after_ms, uint64_t random)
{
    struct retry_case c = {attempt, CURLE_OK, status, retry_after_ms, INT64_MAX, random};
    int64_t wait_ms = -1;
    retry_decide(&POLICY, &c, &wait_ms);
    return wait_ms;
}

/* Even over 0 … base × 2^(attempt - 1), at most the cap. */
static void test_full_jitter(void **state)
{
    static const int64_t MOST[] = {500, 1000, 2000, 3000, 3000};
    (void)state;
    for (int attempt = 1; attempt <= 5; attempt++) {
        int64_t most = 0, least = INT64_MAX;
        for (uint64_t random = 0; random < 5000; random++) {
            int64_t wait_ms = wait_of(attempt, 500, -1, random);
            most = wait_ms > most ? wait_ms : most;
            least = wait_ms < least ? wait_ms : least;
        }
        assert_int_equal(most, MOST[attempt - 1]);
        assert_int_equal(least, 0);
    }
    assert_int_equal(wait_of(1000, 429, -1, 3000), 3000);
}

/* Never less than the server asked for, a little more so that not everybody comes back at once. */
static void test_retry_after(void **state)
{
    (void)state;
    for (uint64_t random = 0; random < 2000; random += 13) {
        int64_t wait_ms = wait_of(1, 429, 7000, random);
        assert_in_range(wait_ms, 7000, 7500);
    }
    assert_int_equal(wait_of(1, 503, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_full_jitter),
        cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
