/* JSONTestSuite: what must be accepted is, what must be rejected is, nothing crashes or reads past the end. */
#include "tests/unit/common/json_cases.h"

#include "common/jscan.h"

static void check_scanner(const struct json_case *c, void *arg)
{
    struct str text = guard_text(arg, c->text.p, c->text.len);
    struct jscan s = {.p = text.p, .end = text.p + text.len};
    if ((jscan_skip(&s, NULL) && jscan_end(&s)) != c->accept)
        fail_msg("%s is %s", c->name, c->accept ? "rejected" : "accepted");
    assert_true(c->accept || (s.fault && s.fault_at >= text.p && s.fault_at <= text.p + text.len));
    if (c->name[0] != 'i')
        assert_int_equal(c->accept, c->name[0] == 'y');
}

static void test_scanner(void **state)
{
    (void)state;
    struct guard g;
    guard_open(&g);
    assert_int_equal(json_cases(check_scanner, &g), 318);
    guard_close(&g);
}

/* A document refuses what RFC 8259 leaves to the receiver: a key twice in one object. */
static void check_document(const struct json_case *c, void *arg)
{
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault;
    bool twice = strncmp(c->name, "y_object_duplicated_key", 23) == 0;
    bool ok = jdoc_parse(guard_text(arg, c->text.p, c->text.len), &a, &d, &fault);
    if (ok != (c->accept && !twice))
        fail_msg("%s is %s", c->name, c->accept ? "rejected" : "accepted");
    assert_true(!twice || fault.fault == jdoc_duplicate_key);
    arena_free(&a);
}

static void test_document(void **state)
{
    (void)state;
    struct guard g;
    guard_open(&g);
    assert_int_equal(json_cases(check_document, &g), 318);
    guard_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scanner), cmocka_unit_test(test_document)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
