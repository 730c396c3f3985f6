#include "tests/unit/common/support.h"

#include "extract/throttle.h"


static void test_pace(void **state)
{
    struct throttle t;
    (void)state;
    throttle_init(&t, 0, 50);
    int left = 0;
    for (int64_t now_ms = 10000; now_ms < 12000; now_ms++)
        while (throttle_wait_ms(&t, now_ms) == 0) {
            throttle_leave(&t, now_ms);
            left++;
        }
    assert_int_equal(left, 100);
    assert_int_equal(throttle_wait_ms(&t, 12000), 0);
    /* idle time gives no credit for a burst */
    throttle_leave(&t, 20000);
    assert_int_equal(throttle_wait_ms(&t, 20000), 20);
    throttle_free(&t);
}

static void test_no_pace(void **state)
{
    struct throttle t;
    (void)state;
    throttle_init(&t, 2, 0);
    throttle_leave(&t, 5);
    assert_false(throttle_full(&t));
    throttle_leave(&t, 5);
    assert_int_equal(throttle_wait_ms(&t, 5), 0);
    assert_true(throttle_full(&t));
    throttle_return(&t);
    assert_false(throttle_full(&t));
    throttle_free(&t);
}

static void test_pause(void **state)
{
    struct throttle t;
    (void)state;
    throttle_init(&t, 0, 0);
    throttle_pause(&t, 1000, 500);
    assert_int_equal(throttle_wait_ms(&t, 1000), 500);
    throttle_pause(&t, 1100, 100); /* a shorter one does not end it */
    assert_int_equal(throttle_wait_ms(&t, 1100), 400);
    assert_int_equal(throttle_wait_ms(&t, 1500), 0);
    throttle_pause(&t, 2000, 3600000); /* one credential's quota does not hold up the others for an hour */
    assert_int_equal(throttle_wait_ms(&t, 2000), THROTTLE_PAUSE_MAX_MS);
    throttle_free(&t);
}

static void test_breaker(void **state)
{
    struct throttle t;
    static struct err why;
    (void)state;
    throttle_init(&t, 0, 0);
    err_set(&why, ERR_UNAVAILABLE, "connection refused");
    for (int i = 1; i < THROTTLE_COMPANIES_MAX; i++)
        throttle_gave_up(&t, &why);
    throttle_answered(&t); /* one answer and all is forgiven */
    for (int i = 1; i < THROTTLE_COMPANIES_MAX; i++)
        throttle_gave_up(&t, &why);
    assert_null(t.why_open);
    throttle_gave_up(&t, &why);
    assert_non_null(t.why_open);
    assert_string_equal(t.why_open->text, "connection refused");
    err_set(&why, ERR_UNAVAILABLE, "another reason");
    throttle_gave_up(&t, &why);
    assert_string_equal(t.why_open->text, "connection refused");
    throttle_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_no_pace),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_breaker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
