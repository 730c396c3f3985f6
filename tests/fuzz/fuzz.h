/* What the harnesses share. Each defines fuzz_one, which is given bytes that nobody vouches for and states with CHECK
 * what must hold of any of them; fuzz.c is the other side, libFuzzer's and AFL++'s. A first byte that selects something
 * is taken with fuzz_select, so that seeds stay readable: digits and letters count from 0. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/err.h"
#include "common/ndjson.h"

#define CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

void fuzz_one(struct str text);

/* 0..n-1 by the first byte, which is taken away; 0 when there is none. */
int fuzz_select(struct str *text, int n);

/* A file in memory that is rewritten for every input; the path stays. */
struct fuzz_file {
    int fd;
    char path[32];
};
void fuzz_file_open(struct fuzz_file *f);
void fuzz_file_write(struct fuzz_file *f, const void *p, size_t len);

/* A failure has a kind of the contract and a text of whole UTF-8 lines without control characters. */
void fuzz_check_err(const struct err *err);
/* Faults are there, few enough, and texts that may be staged. */
void fuzz_check_faults(const struct faults *faults);
/* A record that passes record_check comes back as it was from its line, and the line from the record. */
void fuzz_check_line(const struct record *r, const void *rec);

/* Calendars and decimals reckoned apart from the product's code. */
bool fuzz_days(int year, int month, int day, int32_t *ret_days);

#endif
