#include "common/digest.h"

#include <unistd.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/xxh3.h"

/* ---- SHA-256 ---- */

/* Without a digest nothing can be staged or believed; as little can be done about it as about lacking memory. */
static void sha256_unavailable(void)
{
    static const char text[] = "SHA-256 is not available from libcrypto\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(ERR_BUG);
}

static void hex(const unsigned char *bytes, size_t n, char *ret)
{
    for (size_t i = 0; i < n; i++) {
        ret[i * 2] = "0123456789abcdef"[bytes[i] >> 4];
        ret[i * 2 + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    ret[n * 2] = '\0';
}

void sha256_start(struct sha256 *h)
{
    h->ctx = EVP_MD_CTX_new();
    if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
        sha256_unavailable();
}

void sha256_add(struct sha256 *h, const void *p, size_t len)
{
    if (len && EVP_DigestUpdate(h->ctx, p, len) != 1)
        sha256_unavailable();
}

void sha256_end(struct sha256 *h, char ret[SHA256_HEX + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(h->ctx, digest, NULL) != 1)
        sha256_unavailable();
    sha256_drop(h);
    hex(digest, SHA256_HEX / 2, ret);
}

void sha256_drop(struct sha256 *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

void sha256_of(const void *p, size_t len, char ret[SHA256_HEX + 1])
{
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, p, len);
    sha256_end(&h, ret);
}

/* ---- XXH128 ---- */

void xxh128_text(XXH128_hash_t hash, char ret[XXH128_HEX + 1])
{
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, hash);
    hex(bytes.digest, sizeof bytes.digest, ret);
}

void xxh128_start(struct xxh128 *h)
{
    h->state = XXH3_createState();
    if (!h->state)
        mem_exhausted();
    XXH3_128bits_reset(h->state);
}

void xxh128_add(struct xxh128 *h, const void *p, size_t len)
{
    if (len)
        XXH3_128bits_update(h->state, p, len);
}

void xxh128_end(struct xxh128 *h, char ret[XXH128_HEX + 1])
{
    xxh128_text(XXH3_128bits_digest(h->state), ret);
    xxh128_drop(h);
}

void xxh128_drop(struct xxh128 *h)
{
    XXH3_freeState(h->state);
    h->state = NULL;
}

void xxh128_of(const void *p, size_t len, char ret[XXH128_HEX + 1])
{
    xxh128_text(XXH3_128bits(p, len), ret);
}
