#include "common/yaml.h"
#include "tests/unit/common/support.h"

/* A node as one line: scalars as text ('' when quoted), [..] and {..}. */
static void show(struct buf *b, const struct yaml *node)
{
    if (node->kind == YAML_SCALAR) {
        buf_addf(b, node->quoted ? "'%s'" : "%s", node->text);
        return;
    }
    buf_addc(b, node->kind == YAML_MAP ? '{' : '[');
    for (const struct yaml *c = node->child; c; c = c->next) {
        if (c->key)
            buf_addf(b, "%s:", c->key);
        show(b, c);
        if (c->next)
            buf_addc(b, ' ');
    }
    buf_addc(b, node->kind == YAML_MAP ? '}' : ']');
}

static void assert_shows(const struct yaml *node, const char *expected)
{
    struct buf b = {0};
    show(&b, node);
    assert_string_equal(buf_str(&b), expected);
    buf_free(&b);
}

static struct yaml *parse(struct arena *a, const char *text)
{
    struct yaml *node = NULL;
    struct err err = {0};
    if (!yaml_parse(str_of(text), "t.yaml", a, &node, &err))
        fail_msg("%s", err.text);
    return node;
}

static void reads_documents(void **state)
{
    static const struct { const char *text, *shows; } cases[] = {
        {"", ""},
        {"# nothing\n", ""},
        {"a: 1\nb: 'x'\nc:\n  - y\n  - {d: ~, e: \"\"}\n", "{a:1 b:'x' c:[y {d:~ e:''}]}"},
        {"\xef\xbb\xbf""a: \xc3\xa9\nb: 2\n", "{a:\xc3\xa9 b:2}"},
        {"a: 1\r\nb: 2\r\n", "{a:1 b:2}"},
        {"a: &x {b: 1}\nc: *x\nd: [*x, *x]\n", "{a:{b:1} c:{b:1} d:[{b:1} {b:1}]}"},
        {"a: ${YAML_SET}\n", "{a:value}"},
        {"a: \"<${YAML_SET}${YAML_SET}>\"\n", "{a:<valuevalue>}"},
        {"a: ${YAML_UNSET:-other}\nb: '${YAML_EMPTY:-other}'\nc: '${YAML_EMPTY}'\n", "{a:other b:other c:}"},
        {"a: '${YAML_UNSET:-}'\n", "{a:}"},
        {"a: '$${YAML_SET} $5 {b}'\n", "{a:'${YAML_SET} $5 {b}'}"},
    };
    (void)state;
    setenv("YAML_SET", "value", 1);
    setenv("YAML_EMPTY", "", 1);
    unsetenv("YAML_UNSET");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct yaml *node = parse(&a, cases[i].text);
        assert_true(yaml_faults(node, &err));
        assert_shows(node, cases[i].shows);
        arena_free(&a);
    }
}

static void refuses_documents(void **state)
{
    static const struct { const char *text, *fault; } cases[] = {
        {"a: [1\n", "t.yaml:2: not valid YAML"},
        {"a: b: c\n", "t.yaml:1: not valid YAML"},
        {"a: \xff\n", "expected UTF-8"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2: a second document"},
        {"a: !!int 1\n", "t.yaml:1: tags are not accepted"},
        {"b: 1\na: !x [1]\n", "t.yaml:2: tags are not accepted"},
        {"a: *nowhere\n", "t.yaml:1: alias"},
        {"a: &a [*a]\n", "t.yaml:1: alias"},
        {"? [a]\n: 1\n", "t.yaml:1: expected plain text as a key"},
        {"a: \"x\\0y\"\n", "t.yaml:1: a NUL"},
        {"a: 1\n\"x\\0y\": 2\n", "t.yaml:2: a NUL character in a key"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", "t.yaml:1: nested too deeply"},
        {"a: &a [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]\n",
         "t.yaml:2: nested too deeply"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct yaml *node = NULL;
        assert_false(yaml_parse(str_of(cases[i].text), "t.yaml", &a, &node, &err));
        assert_null(node);
        assert_int_equal(err.kind, ERR_CONFIG);
        if (!strstr(err.text, cases[i].fault))
            fail_msg("case %zu: %s", i, err.text);
        arena_free(&a);
    }
}

static void bounds_aliases(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_adds(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buf_addf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_addf(&text, "*a%d,", i - 1);
        buf_adds(&text, "]\n");
    }
    struct arena a = {0};
    struct err err = {0};
    struct yaml *node;
    assert_false(yaml_parse(str_of(buf_str(&text)), "t.yaml", &a, &node, &err));
    assert_non_null(strstr(err.text, "too many values by way of aliases"));
    arena_free(&a);
    buf_free(&text);
}

static void tells_every_fault_of_the_nodes(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err err = {0};
    setenv("YAML_SET", "hidden", 1);
    setenv("YAML_TWO_LINES", "hidden\nhidden", 1);
    unsetenv("YAML_UNSET");
    unsetenv("YAML_UNSET_TOO");
    struct yaml *node = parse(&a, "a: ${YAML_UNSET}\nb:\n  - {c: '${YAML_SET}${YAML_UNSET}${YAML_UNSET_TOO}'}\n"
                                  "a: 2\nd: '${YAML_SET'\ne: '${1}'\nf: '${YAML_SET-x}'\ng: ${YAML_TWO_LINES}\n");
    assert_false(yaml_faults(node, &err));
    assert_string_equal(err.text,
        "t.yaml:1: a: unset variable YAML_UNSET\n"
        "t.yaml:3: c: unset variable YAML_UNSET; unset variable YAML_UNSET_TOO\n"
        "t.yaml:4: a: given twice, first on line 1\n"
        "t.yaml:5: d: expected ${NAME} or ${NAME:-default}; a plain \"${\" is written \"$${\"\n"
        "t.yaml:6: e: expected ${NAME} or ${NAME:-default}; a plain \"${\" is written \"$${\"\n"
        "t.yaml:7: f: expected ${NAME} or ${NAME:-default}; a plain \"${\" is written \"$${\"\n"
        "t.yaml:8: g: a control character is in variable YAML_TWO_LINES");
    assert_true(yaml_faults(yaml_get(yaml_get(node, "b"), "none"), &err));
    arena_free(&a);
}

static void knows_null(void **state)
{
    static const struct { const char *text; bool null; } cases[] = {
        {"a:", true}, {"a: ~", true}, {"a: null", true}, {"a: NULL", true}, {"a: 'null'", false}, {"a: ''", false},
        {"a: nul", false}, {"a: []", false}, {"a: '${YAML_UNSET:-}'", true},
    };
    (void)state;
    unsetenv("YAML_UNSET");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = {0};
        assert_int_equal(yaml_is_null(yaml_get(parse(&a, cases[i].text), "a")), cases[i].null);
        arena_free(&a);
    }
}

static void finds_what_nobody_asked_for(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err err = {0};
    struct yaml *node = parse(&a, "a: {b: 1, c: 2}\nd: 3\ne:\n  - {f: 1, g: 2}\n");
    assert_string_equal(yaml_get(yaml_get(node, "a"), "b")->text, "1");
    assert_null(yaml_get(node, "z"));
    assert_null(yaml_get(NULL, "z"));
    assert_null(yaml_get(yaml_get(yaml_get(node, "a"), "b"), "z"));
    yaml_get(yaml_get(node, "e")->child, "g");
    yaml_unused(node, &err);
    assert_string_equal(err.text, "t.yaml:1: unknown key c\nt.yaml:2: unknown key d\nt.yaml:4: unknown key f");
    arena_free(&a);
}

static void lays_one_map_over_another(void **state)
{
    (void)state;
    struct arena a = {0};
    struct yaml *base = parse(&a, "a: 1\nb: {c: 2, d: [1, 2], e: {f: 3}}\n");
    struct yaml *over = parse(&a, "b: {d: [9], e: {g: 4}, c: {x: 1}}\nh: 5\n");
    assert_shows(yaml_overlay(&a, base, over), "{a:1 b:{c:{x:1} d:[9] e:{f:3 g:4}} h:5}");
    assert_shows(base, "{a:1 b:{c:2 d:[1 2] e:{f:3}}}");
    assert_shows(over, "{b:{d:[9] e:{g:4} c:{x:1}} h:5}");
    assert_shows(yaml_overlay(&a, NULL, over), "{b:{d:[9] e:{g:4} c:{x:1}} h:5}");
    assert_null(yaml_overlay(&a, NULL, NULL));
    arena_free(&a);
}

/* A million of unset variables in one value: told, not each of them, and not by copying what was told a million times. */
static void many_faults_of_a_value(void **state)
{
    (void)state;
    struct buf text = {0};
    struct arena a = {0};
    struct yaml *root;
    struct err err = {0};
    buf_adds(&text, "a: \"");
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "${U}");
    buf_adds(&text, "\"\n");
    assert_true(yaml_parse((struct str){text.p, (uint32_t)text.len, false}, "t.yaml", &a, &root, &err));
    assert_true(strlen(yaml_get(root, "a")->fault) < 2000);
    assert_false(yaml_faults(root, &err));
    arena_free(&a);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_documents),
        cmocka_unit_test(refuses_documents),
        cmocka_unit_test(bounds_aliases),
        cmocka_unit_test(tells_every_fault_of_the_nodes),
        cmocka_unit_test(knows_null),
        cmocka_unit_test(finds_what_nobody_asked_for),
        cmocka_unit_test(lays_one_map_over_another),
        cmocka_unit_test(many_faults_of_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
