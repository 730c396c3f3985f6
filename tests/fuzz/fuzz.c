#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* The copy ends where the text does, so that one byte too many is seen whatever the engine's buffer is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    CHECK(copy);
    memcpy(copy, data, size);
    fuzz_one((struct str){copy, (uint32_t)size, false});
    free(copy);
    return 0;
}

int fuzz_select(struct str *text, int n)
{
    if (text->len == 0)
        return 0;
    unsigned char c = (unsigned char)*text->p++;
    text->len--;
    int number = c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= '0' && c <= '9' ? c - '0' : c;
    return number % n;
}

void fuzz_file_open(struct fuzz_file *f)
{
    f->fd = memfd_create("fuzz", 0);
    CHECK(f->fd >= 0);
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
}

void fuzz_file_write(struct fuzz_file *f, const void *p, size_t len)
{
    CHECK(ftruncate(f->fd, 0) == 0);
    CHECK(pwrite(f->fd, p, len, 0) == (ssize_t)len);
}

void fuzz_check_err(const struct err *err)
{
    size_t len = strlen(err->text);
    CHECK(len > 0 && len < ERR_TEXT_MAX);
    CHECK(err->kind == ERR_DATA || err->kind == ERR_NO_INPUT || err->kind == ERR_IO || err->kind == ERR_CONFIG);
}

void fuzz_check_faults(const struct faults *faults)
{
    CHECK(faults->n > 0 && faults->n <= FAULTS_MAX);
    CHECK(faults->reason > reject_reason_null && faults->reason < reject_reason_count);
    for (uint32_t i = 0; i < faults->n; i++) {
        CHECK(faults->text[i].len > 0 && faults->text[i].len <= 1000);
        CHECK(jscan_utf8(faults->text[i]));
    }
}

void fuzz_check_line(const struct record *r, const void *rec)
{
    struct arena a = {0};
    struct buf first = {0}, second = {0};
    struct faults faults = {0};
    ndjson_encode(r, rec, &first);
    CHECK(first.len > 0 && memchr(first.p, '\n', first.len) == first.p + first.len - 1);
    CHECK(jscan_utf8((struct str){first.p, (uint32_t)first.len, false}));
    void *again = arena_alloc(&a, r->size);
    CHECK(ndjson_decode(r, (struct str){first.p, (uint32_t)first.len - 1, false}, &a, again, &faults));
    CHECK(record_check(r, again, &a, &faults));
    ndjson_encode(r, again, &second);
    CHECK(first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
    buf_free(&first);
    buf_free(&second);
    arena_free(&a);
}

bool fuzz_days(int year, int month, int day, int32_t *ret_days)
{
    static const int of_month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1000 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > of_month[month - 1] + (month == 2 && leap))
        return false;
    int32_t days = 0;
    for (int y = 1970; y < year; y++)
        days += y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
    for (int y = year; y < 1970; y++)
        days -= y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
    for (int m = 1; m < month; m++)
        days += of_month[m - 1] + (m == 2 && leap);
    *ret_days = days + day - 1;
    return true;
}
