#include "tests/unit/common/support.h"

#include "transform/candidates.h"
#include "transform/names.h"

static void test_fold(void **state)
{
    (void)state;
    static const struct { const char *name, *folded; } cases[] = {
        {"MARTIN", "martin"}, {"Éloïse-Marie", "eloisemarie"}, {"D'Œuvre", "doeuvre"}, {"d’Œuvre", "doeuvre"},
        {"Le Gall", "legall"}, {"Straße", "strasse"}, {"E\xcc\x81lodie", "elodie"}, {"Łukasz", "lukasz"}, {"", ""},
        {"Çağla", "cagla"}, {"Ærø", "aero"}, {"Đorđe", "dorde"}, {"Işık", "isik"}, {"Jean 2", "jean2"},
        {"Noé 2", "noe2"}};
    struct arena a = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str folded = name_fold(&a, str_of(cases[i].name));
        assert_int_equal(folded.len, strlen(cases[i].folded));
        assert_memory_equal(folded.p, cases[i].folded, folded.len);
    }
    assert_null(name_fold(&a, STR_NULL).p);
    arena_free(&a);
}

static void test_score(void **state)
{
    (void)state;
    static const struct { const char *first, *last, *birth; date_t birth_date; int score; } cases[] = {
        {"paul", "martin", NULL, 100, 100},       {"paul", "martin", NULL, 101, 50},
        {"martin", "paul", NULL, 100, 90},        {"paul", "petit", "martin", 100, 100},
        {"paul", "martindupont", NULL, 100, 85},  {"jeanpaul", "martin", NULL, 100, 90},
        {"anne", "durand", NULL, 100, 0},         {"anne", "martin", NULL, 100, 80},
        {"paul", "durand", NULL, 100, 70},        {"anne", "durand", NULL, DATE_NONE, 0},
    };
    struct folded who = {STR("paul"), STR("martin"), STR_NULL, 100};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct folded other = {str_of(cases[i].first), str_of(cases[i].last), str_of(cases[i].birth), cases[i].birth_date};
        assert_int_equal(candidate_score(&who, &other), cases[i].score);
        assert_int_equal(candidate_score(&other, &who), cases[i].score);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fold), cmocka_unit_test(test_score)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
