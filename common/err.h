/* What went wrong, told once. A function that can fail returns false and fills *err: kind (which becomes the exit
 * status), whether and when a retry may help, and a text that names the file and line, the request or the query.
 * Lower case, no full stop; several faults are told one a line. Library functions never log; main does. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum { ERR_TEXT_MAX = 8192 };

/* The values are the exit statuses (sysexits.h where it has one). */
enum err_kind {
    ERR_NONE = 0,
    ERR_PARTIAL = 3,       /* some companies failed or some records were rejected, within the limit */
    ERR_USAGE = 64,        /* command line */
    ERR_DATA = 65,         /* data worse than the reject limit, or totals that do not add up */
    ERR_NO_INPUT = 66,     /* input missing */
    ERR_UNAVAILABLE = 69,  /* a remote service stayed unavailable */
    ERR_BUG = 70,
    ERR_CANT_CREATE = 73,  /* cannot create output */
    ERR_IO = 74,
    ERR_TRY_AGAIN = 75,    /* lock held, rate limit, database restarting, SIGTERM, out of memory */
    ERR_REFUSED = 77,      /* credentials or rights refused */
    ERR_CONFIG = 78
};

struct err {
    enum err_kind kind;
    int retry_after_s;     /* 0: not known */
    char text[ERR_TEXT_MAX];
};

/* Fills *err and returns false, so that a function can end with `return err_set(...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": " and the text of errno behind it; ENOSPC, EDQUOT and EROFS turn ERR_IO into ERR_CANT_CREATE,
 * ENOMEM any kind into ERR_TRY_AGAIN. */
bool err_errno(struct err *err, enum err_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* ERR_TRY_AGAIN "out of memory", for what a library had none for. Returns false. */
bool err_no_memory(struct err *err);
/* Adds one more fault as a line of its own; the first one fixes the kind. What does not fit is
 * replaced by a last line "(and more)". Returns false. */
bool err_add(struct err *err, enum err_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " in front of the text. Returns false. */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
