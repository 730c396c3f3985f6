/* The French social security number (NIR) and the company numbers SIREN and SIRET.
 * Sources: INSEE's key and Corsica rule as in python-stdnum; DSN data dictionary 2024, S21.G00.30.001. */
#ifndef COMMON_NIR_H
#define COMMON_NIR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

enum nir_status {
    NIR_OK,
    NIR_ABSENT,            /* null or nothing but separators */
    NIR_WRONG_KEY,         /* 13 good characters, another key: they still identify */
    NIR_PROVISIONAL,       /* first digit 3, 4, 7 or 8: cannot be declared, identifies nobody for certain */
    NIR_MALFORMED
};

enum { NIR_MASKED_MAX = 24 };

/* Reads 13 or 15 characters; spaces (also U+00A0 and U+202F), dots, dashes and lower-case a/b are forgiven, anything
 * else (1,85017E+12, a letter O) is malformed and never repaired. On OK and WRONG_KEY *ret_nir13 is a number that is
 * equal exactly when the 13 characters are: 2A and 2B count as departments 100 and 101. Otherwise it is 0. */
enum nir_status nir_parse(struct str s, uint64_t *ret_nir13);

/* The key 1..97 of a number from nir_parse. */
int nir_key(uint64_t nir13);

/* Year of birth modulo 100, and month (20, 30..42 and 50..99 stand for an unknown one). */
int nir_birth_year(uint64_t nir13);

/* "1 85 ** ** *** *** **": sex and year only, for messages. text has room for NIR_MASKED_MAX; returns text. */
char *nir_masked(struct str s, char *text);

/* Luhn on 9 and on 14 digits; spaces forgiven. La Poste's establishments follow their own sum. When ret is not NULL it
 * receives the digits alone, NUL-terminated: 10 and 15 bytes of room. */
bool siren_parse(struct str s, char *ret);
bool siret_parse(struct str s, char *ret);

#endif
