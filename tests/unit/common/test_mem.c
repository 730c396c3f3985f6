#include "tests/unit/common/support.h"

static void test_arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 2000; size += 7) {
            unsigned char *p = arena_alloc(&a, size);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, size); /* what the next round must not see */
        }
        arena_reset(&a);
    }
    arena_free(&a);
    assert_null(a.block);
}

static void test_arena_blocks_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 3000 };
    static uint32_t *got[N];
    uint64_t random = 3;
    struct arena a = {0};
    for (uint32_t i = 0; i < N; i++) {
        size_t size = sizeof(uint32_t) + random_below(&random, i % 100 ? 600 : 600000);
        got[i] = arena_alloc(&a, size);
        memset((char *)got[i] + sizeof(uint32_t), 0xee, size - sizeof(uint32_t));
        *got[i] = i;
    }
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(*got[i], i);
    arena_free(&a);
}

static void test_arena_takes_back(void **state)
{
    (void)state;
    struct arena a = {0};
    for (int i = 0; i < 100; i++)   /* now and then a block ends between the two */
        for (size_t size = 1; size < 3000000; size *= 3) {
            char *kept = arena_copy(&a, "kept", 4);
            struct arena_mark mark = arena_mark(&a);
            char *first = arena_raw(&a, size), *second = arena_raw(&a, 8);
            bool same_block = (size_t)(second - first) == ((size + 15) & ~(size_t)15) && first == kept + 16;
            memset(first, 'x', size);
            arena_back(&a, mark);
            if (same_block)
                assert_ptr_equal(arena_raw(&a, 8), first);
            assert_string_equal(kept, "kept");
        }
    arena_free(&a);
}

static void test_arena_extends(void **state)
{
    (void)state;
    struct arena a = {0};
    unsigned char *p = arena_extend(&a, NULL, 0, 5), *before;
    memset(p, 1, 5);
    for (size_t size = 5; size < 300000; size = size * 3 / 2) {
        if (size % 2)
            memset(arena_alloc(&a, 20), 0xff, 20);   /* something is in the way */
        before = p;
        p = arena_extend(&a, p, size, size / 2);
        assert_int_equal((uintptr_t)p % 16, 0);
        if (size % 2)
            assert_ptr_not_equal(p, before);
        for (size_t i = 0; i < size + size / 2; i++)
            assert_int_equal(p[i], i < size);
        memset(p, 1, size + size / 2);
    }
    p = arena_alloc(&a, 8);
    assert_ptr_equal(arena_extend(&a, p, 8, 8), p);
    assert_ptr_equal(arena_extend(&a, p, 16, 1000), p);
    assert_ptr_equal((char *)arena_alloc(&a, 1), p + 1024);
    arena_free(&a);
}

static void test_arena_texts(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_string_equal(arena_copy(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    assert_memory_equal(arena_copy(&a, "a\0b", 3), "a\0b", 4);
    assert_string_equal(arena_printf(&a, "%s-%04d", "part", 7), "part-0007");
    arena_free(&a);
}

static void test_buf(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_null(b.p);
    assert_string_equal(buf_str(&b), "");
    buf_adds(&b, "rows=");
    buf_addi(&b, INT64_MIN);
    buf_addc(&b, ',');
    buf_addi(&b, 0);
    buf_add(&b, NULL, 0);
    buf_addf(&b, " %s", "end");
    assert_string_equal(buf_str(&b), "rows=-9223372036854775808,0 end");
    assert_int_equal(b.len, strlen(b.p));
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, 'x');
    assert_int_equal(b.len, strlen("rows=-9223372036854775808,0 end") + 100000);
    buf_free(&b);
    assert_true(!b.p && b.len == 0 && b.cap == 0);
    buf_adds(&b, "again");
    assert_string_equal(buf_str(&b), "again");
    buf_free(&b);
}

static void test_heap(void **state)
{
    (void)state;
    char *p = mem_alloc(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    free(mem_realloc(p, 1000));
    p = mem_strdup("text");
    assert_string_equal(p, "text");
    free(p);
    p = mem_printf("%d/%d", 3, 4);
    assert_string_equal(p, "3/4");
    free(p);
    free(mem_alloc(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_zeroed_aligned_memory), cmocka_unit_test(test_arena_blocks_do_not_overlap),
        cmocka_unit_test(test_arena_takes_back), cmocka_unit_test(test_arena_extends),
        cmocka_unit_test(test_arena_texts), cmocka_unit_test(test_buf), cmocka_unit_test(test_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
