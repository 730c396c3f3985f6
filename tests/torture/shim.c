/* Preloaded into a stage under torture (LD_PRELOAD): what a tracer of system calls cannot do. Counting begins when main
 * makes the process private (prctl), so that the loader's own doings are left alone.
 *
 *   TORTURE_TIME=SECONDS    the wall clock stands still at this instant: two runs then write the same bytes
 *   TORTURE_ALLOC=N         the Nth allocation fails, and the one after it succeeds again
 *   TORTURE_ALLOC_LIST=FILE writes "N" for every allocation that comes from a call stack not seen before, and at the end
 *                           the number of all
 *   TORTURE_SHORT=SEED      every read and write of a file or socket moves a random piece of what was asked for, or is
 *                           interrupted before it moved anything
 *   TORTURE_DISK=BYTES      files take so many bytes in all, then the disk is full */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { STACK_DEPTH = 12, STACKS_MAX = 1 << 16 };

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's headers name parameters in their own way. */

/* glibc's own, which may be called while symbols are still being looked up. */
extern void *__libc_malloc(size_t size);                 /* NOLINT(bugprone-reserved-identifier,cert-dcl*) */
extern void *__libc_calloc(size_t n, size_t size);       /* NOLINT(bugprone-reserved-identifier,cert-dcl*) */
extern void *__libc_realloc(void *p, size_t size);       /* NOLINT(bugprone-reserved-identifier,cert-dcl*) */

static struct {
    bool armed, listing;
    int64_t time;                    /* -1: the real one */
    int64_t alloc, alloc_fails;      /* so far; which one fails (0: none) */
    int list_fd;
    uint64_t random;                 /* 0: whole reads and writes */
    int64_t disk;                    /* bytes left; -1: as many as there are */
    uint64_t stacks[STACKS_MAX];     /* a set of hashes, open addressing */
} shim = {.time = -1, .list_fd = -1, .disk = -1};

static int64_t number(const char *name, int64_t otherwise)
{
    const char *value = getenv(name);
    return value && *value ? strtoll(value, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void set_up(void)
{
    void *frames[2];
    const char *list = getenv("TORTURE_ALLOC_LIST");
    shim.time = number("TORTURE_TIME", -1);
    shim.alloc_fails = number("TORTURE_ALLOC", 0);
    shim.disk = number("TORTURE_DISK", -1);
    shim.random = (uint64_t)number("TORTURE_SHORT", 0) * 0x9E3779B97F4A7C15u;
    if (list) {
        backtrace(frames, 2);        /* its first call loads a library */
        shim.list_fd = open(list, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        shim.list_fd = shim.list_fd < 0 ? -1 : fcntl(shim.list_fd, F_DUPFD_CLOEXEC, 900);
    }
}

static void list_number(int64_t n)
{
    char line[32];
    ssize_t written = syscall(SYS_write, shim.list_fd, line, (size_t)snprintf(line, sizeof line, "%lld\n", (long long)n));
    (void)written;
}

__attribute__((destructor)) static void tear_down(void)
{
    if (shim.list_fd >= 0)
        list_number(shim.alloc);
}

/* For tests/coverage_exit.c: from here on it is not the program's own doing. */
void torture_over(void);
void torture_over(void)
{
    shim.armed = false;
}

/* A process may not be traced by an ordinary user once it is private: it stays open here. */
int prctl(int option, ...)
{
    va_list ap;
    unsigned long arg[4];
    va_start(ap, option);
    for (int i = 0; i < 4; i++)
        arg[i] = va_arg(ap, unsigned long);
    va_end(ap);
    if (option == PR_SET_DUMPABLE) {
        shim.armed = true;
        return 0;
    }
    return (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
}

/* ---- the clock ---- */

time_t time(time_t *ret)
{
    struct timespec now = {.tv_sec = shim.time};
    if (shim.time < 0)
        syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (shim.time < 0 || clock != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, clock, ret);
    *ret = (struct timespec){.tv_sec = shim.time};
    return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    if (shim.time < 0)
        return (int)syscall(SYS_gettimeofday, ret, zone);
    *ret = (struct timeval){.tv_sec = shim.time};
    return 0;
}

/* ---- memory ---- */

static bool is_new_stack(void)
{
    void *frames[STACK_DEPTH];
    int n = backtrace(frames, STACK_DEPTH);
    uint64_t hash = 14695981039346656037u;
    for (int i = 2; i < n; i++)
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
    size_t at = hash % STACKS_MAX;
    for (size_t tried = 0; tried < STACKS_MAX && shim.stacks[at]; tried++, at = (at + 1) % STACKS_MAX)
        if (shim.stacks[at] == hash)
            return false;
    shim.stacks[at] = hash;
    return true;
}

/* Whether this allocation is the one that fails. */
static bool no_memory(void)
{
    if (!shim.armed || shim.listing)
        return false;
    shim.alloc++;
    if (shim.list_fd >= 0) {
        shim.listing = true;
        if (is_new_stack())
            list_number(shim.alloc);
        shim.listing = false;
    }
    if (shim.alloc != shim.alloc_fails)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return no_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return no_memory() ? NULL : __libc_realloc(p, size);
}

/* ---- reads and writes ---- */

static bool is_of(int fd, mode_t type)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

/* xorshift64* */
static uint64_t draw(void)
{
    uint64_t x = shim.random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    shim.random = x;
    return x * 0x2545F4914F6CDD1Du >> 16;
}

/* How much of len is moved; 0: the call is interrupted. A socket that does not block is never interrupted. */
static size_t piece(int fd, size_t len)
{
    if (!shim.armed || !shim.random || len < 2 || !(is_of(fd, S_IFREG) || is_of(fd, S_IFSOCK)))
        return len;
    if (draw() % 4 == 0 && is_of(fd, S_IFREG))
        return 0;
    return 1 + draw() % (draw() % 2 ? len : len < 16 ? len : 16);
}

/* What a file still takes of len, or -1. */
static int64_t take_room(int fd, size_t len)
{
    if (!shim.armed || shim.disk < 0 || !is_of(fd, S_IFREG) || len == 0)
        return (int64_t)len;
    if (shim.disk == 0)
        return -1;
    int64_t room = shim.disk < (int64_t)len ? shim.disk : (int64_t)len;
    shim.disk -= room;
    return room;
}

static ssize_t put(int fd, const void *p, size_t len)
{
    len = piece(fd, len);
    int64_t room = take_room(fd, len);
    if (len == 0 || room < 0) {
        errno = room < 0 ? ENOSPC : EINTR;
        return -1;
    }
    return syscall(SYS_write, fd, p, (size_t)room);
}

ssize_t write(int fd, const void *p, size_t len)
{
    return len ? put(fd, p, len) : syscall(SYS_write, fd, p, len);
}

ssize_t writev(int fd, const struct iovec *part, int n)
{
    if (!shim.armed || (!shim.random && shim.disk < 0))
        return syscall(SYS_writev, fd, part, n);
    while (n > 1 && part->iov_len == 0) {
        part++;
        n--;
    }
    return put(fd, part->iov_base, part->iov_len);
}

ssize_t read(int fd, void *p, size_t len)
{
    size_t some = piece(fd, len);
    if (some || !len)
        return syscall(SYS_read, fd, p, some);
    errno = EINTR;
    return -1;
}

ssize_t recv(int fd, void *p, size_t len, int flags)
{
    return syscall(SYS_recvfrom, fd, p, piece(fd, len), flags, NULL, NULL);
}

ssize_t send(int fd, const void *p, size_t len, int flags)
{
    return syscall(SYS_sendto, fd, p, piece(fd, len), flags, NULL, 0);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
