#include "tests/unit/common/support.h"

#include <stdlib.h>

#include "common/thread.h"
#include "extract/queue.h"

enum { COMPANIES = 2000, NONE = -1 };

static struct config_company config[COMPANIES];

/* Every second company is selected. */
static void begin(struct queue *q, int n_sources)
{
    queue_init(q, COMPANIES, n_sources);
    for (int i = 0; i < COMPANIES; i += 2)
        queue_add(q, &config[i]);
}

/* The outcome of the company at a place, of one source; text: why it failed. */
static void put(struct queue *q, int at, const char *text)
{
    struct fetch_by_source by = {.failed = text != NULL, .attempted_at = at, .synced_at = text ? INSTANT_NONE : at};
    struct fetch_outcome o = {.company = q->companies[at], .by_source = &by, .n_sources = 1, .failed = text != NULL};
    if (text)
        err_set(&by.err, ERR_UNAVAILABLE, "%s", text);
    queue_put(q, &o);
}

struct taker {
    struct queue q;
    int fails_at;              /* NONE: at no company */
    int taken;
    bool in_order;
};

static void *take_all(void *arg)
{
    struct taker *t = arg;
    for (t->in_order = true; t->taken < t->q.n && queue_wait(&t->q, t->taken); t->taken++) {
        t->in_order = t->in_order && t->q.waiting[t->taken].source[0].attempted_at == t->taken;
        if (t->taken == t->fails_at) {
            struct err full = {0};
            err_set(&full, ERR_CANT_CREATE, "disk full");
            queue_fail(&t->q, &full);
            break;
        }
    }
    return NULL;
}

/* What comes in any order is taken in that of the configuration, all of it, while it comes. */
static void test_order(void **state)
{
    struct taker t = {.fails_at = NONE};
    struct err err = {0};
    pthread_t thread;
    (void)state;
    begin(&t.q, 1);
    assert_true(thread_start(&thread, take_all, &t));
    for (int i = 0; i < t.q.n; i++)
        put(&t.q, (i * 7 + 3) % t.q.n, NULL);   /* 7 is prime to their number: each once */
    queue_close(&t.q, false);
    pthread_join(thread, NULL);
    assert_int_equal(t.taken, t.q.n);
    assert_true(t.in_order);
    assert_false(queue_failed(&t.q, &err));
    queue_free(&t.q);
}

/* One that never comes ends the wait when the queue is closed, not before. */
static void test_one_is_missing(void **state)
{
    struct taker t = {.fails_at = NONE};
    (void)state;
    begin(&t.q, 1);
    for (int i = 0; i < t.q.n; i++)
        if (i != 5)
            put(&t.q, i, NULL);
    queue_close(&t.q, false);
    take_all(&t);
    assert_int_equal(t.taken, 5);
    queue_free(&t.q);
}

static void test_unwanted(void **state)
{
    struct taker t = {.fails_at = NONE};
    (void)state;
    begin(&t.q, 1);
    put(&t.q, 0, NULL);
    queue_close(&t.q, true);
    take_all(&t);
    assert_int_equal(t.taken, 0);
    queue_free(&t.q);
}

/* Who fetches is told why nothing is made of it any more. */
static void test_failure_is_told(void **state)
{
    struct taker t = {.fails_at = 2};
    struct err err = {0};
    (void)state;
    begin(&t.q, 1);
    for (int i = 0; i < 4; i++)
        put(&t.q, i, NULL);
    take_all(&t);
    assert_int_equal(t.taken, 2);
    assert_true(queue_failed(&t.q, &err));
    assert_int_equal(err.kind, ERR_CANT_CREATE);
    assert_string_equal(err.text, "disk full");
    queue_free(&t.q);
}

/* The first reason of a source stays, cut between two characters where it is long. */
static void test_reasons(void **state)
{
    struct queue q;
    struct err later = {0};
    char text[1002] = "x";
    (void)state;
    for (int i = 1; i < 1000; i += 2) {   /* é */
        text[i] = (char)0xc3;
        text[i + 1] = (char)0xa9;
    }
    begin(&q, 1);
    put(&q, 0, text);
    put(&q, 1, NULL);
    assert_true(q.waiting[0].failed && q.waiting[0].source[0].outcome == SYNC_FAILED);
    assert_int_equal(q.waiting[0].source[0].kind, ERR_UNAVAILABLE);
    assert_int_equal(strlen(q.waiting[0].source[0].error), 999);
    err_set(&later, ERR_DATA, "its page cannot be used");
    waiting_fail(&q.waiting[0], 0, &later);
    assert_int_equal(q.waiting[0].source[0].kind, ERR_UNAVAILABLE);
    assert_false(q.waiting[1].failed);
    waiting_fail(&q.waiting[1], 0, &later);
    assert_true(q.waiting[1].failed && q.waiting[1].source[0].synced_at == INSTANT_NONE);
    assert_string_equal(q.waiting[1].source[0].error, "its page cannot be used");
    queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),           cmocka_unit_test(test_one_is_missing),
        cmocka_unit_test(test_unwanted),        cmocka_unit_test(test_failure_is_told),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
