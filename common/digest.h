/* Digests of what is staged. SHA-256 says what a file is to anybody, whenever: sha256sum finds it, and evidence rests on it.
 * XXH128 (XXH3 of 128 bits, as xxhsum -H2 prints it) says ten times as fast whether every byte is still what was written:
 * whoever could forge that could forge the manifest beside it as well. Both as lower-case hexadecimal digits. */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include <openssl/evp.h>
#include <stddef.h>

enum { SHA256_HEX = 64, XXH128_HEX = 32 };

/* Ends the process where libcrypto has no SHA-256 or, as mem.h does, where there is no memory. */
struct sha256 {
    EVP_MD_CTX *ctx;
};
void sha256_start(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *p, size_t len);
void sha256_end(struct sha256 *h, char ret[SHA256_HEX + 1]); /* and releases it */
void sha256_drop(struct sha256 *h);                          /* releases it unused; also what is released already */
void sha256_of(const void *p, size_t len, char ret[SHA256_HEX + 1]);

struct xxh128 {
    struct XXH3_state_s *state;
};
void xxh128_start(struct xxh128 *h);
void xxh128_add(struct xxh128 *h, const void *p, size_t len);
void xxh128_end(struct xxh128 *h, char ret[XXH128_HEX + 1]);
void xxh128_drop(struct xxh128 *h);
void xxh128_of(const void *p, size_t len, char ret[XXH128_HEX + 1]);

/* Both, of one file. */
struct digests {
    char sha256[SHA256_HEX + 1], xxh128[XXH128_HEX + 1];
};

#endif
