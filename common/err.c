#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char MORE[] = "\n(and more)";

static void text_cut(struct err *err, int wanted)
{
    if (wanted >= ERR_TEXT_MAX)
        memcpy(err->text + ERR_TEXT_MAX - sizeof MORE, MORE, sizeof MORE);
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    err->kind = kind;
    err->retry_after_s = 0;
    text_cut(err, vsnprintf(err->text, sizeof err->text, format, ap));
    va_end(ap);
    return false;
}

bool err_errno(struct err *err, enum err_kind kind, const char *format, ...)
{
    int saved = errno;
    char what[ERR_TEXT_MAX / 2];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    if (kind == ERR_IO && (saved == ENOSPC || saved == EDQUOT || saved == EROFS))
        kind = ERR_CANT_CREATE;
    if (saved == ENOMEM)
        kind = ERR_TRY_AGAIN;
    char reason[256];
    return err_set(err, kind, "%s: %s", what, strerror_r(saved, reason, sizeof reason));
}

bool err_no_memory(struct err *err)
{
    return err_set(err, ERR_TRY_AGAIN, "out of memory");
}

bool err_add(struct err *err, enum err_kind kind, const char *format, ...)
{
    if (err->kind == ERR_NONE) {
        err->kind = kind;
        err->retry_after_s = 0;
        err->text[0] = '\0';
    }
    size_t used = strlen(err->text);
    if (used >= ERR_TEXT_MAX - sizeof MORE)
        return false;
    if (used)
        err->text[used++] = '\n';
    va_list ap;
    va_start(ap, format);
    text_cut(err, (int)used + vsnprintf(err->text + used, sizeof err->text - used, format, ap));
    va_end(ap);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n >= 0 && n < ERR_TEXT_MAX)
        snprintf(text + n, sizeof text - (size_t)n, ": %.*s", (int)sizeof text - n - 3, err->text);
    memcpy(err->text, text, sizeof text);
    return false;
}
