/* Messages, and the progress bar that they must not run into: the only mutable globals of the program. */
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <unistr.h>

#include "common/date.h"
#include "common/jscan.h"

enum { REDRAW_MS = 100, WIDTH_DEFAULT = 80, BAR_CELLS_MAX = 40, STAGE_BYTES = 16, RUN_ID_BYTES = 80 };

static struct {
    enum log_level level;
    bool json;
    char stage[STAGE_BYTES], run_id[RUN_ID_BYTES];
} log_state = {.level = LOG_INFO};

/* Held from looking at the bar until everything is written: a thread may write a message while another one draws. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static struct {
    bool enabled, drawn;
    char stage[STAGE_BYTES];
    long companies, done;
    long long records;
    int64_t began_ms, drawn_ms;
} bar;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(enum log_level level, bool json, const char *stage, const char *run_id)
{
    log_state.level = level;
    log_state.json = json;
    snprintf(log_state.stage, sizeof log_state.stage, "%s", stage);
    snprintf(log_state.run_id, sizeof log_state.run_id, "%s", run_id ? run_id : "");
}

void log_escape(struct buf *b, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);
    while (left) {
        ucs4_t c;
        int n = u8_mbtoucr(&c, p, left);
        bool shown = n > 0 && c >= ' ' && (c < 0x7f || c >= 0xa0);
        if (n < 1)
            n = 1;
        if (shown)
            buf_add(b, p, (size_t)n);
        else
            for (int i = 0; i < n; i++)
                buf_addf(b, "\\x%02x", p[i]);
        p += n;
        left -= (size_t)n;
    }
}

static void write_out(const struct buf *b)
{
    for (size_t at = 0; at < b->len;) {
        ssize_t n = write(STDERR_FILENO, b->p + at, b->len - at);
        if (n < 0 && errno != EINTR)
            return; /* nobody is left to be told */
        at += n > 0 ? (size_t)n : 0;
    }
}

static void add_json(struct buf *b, const char *key, const char *value)
{
    buf_addf(b, ",\"%s\":", key);
    if (*value)
        jscan_quote(b, str_of(value));
    else
        buf_adds(b, "null");
}

static void add_line(struct buf *b, enum log_level level, const char *message)
{
    char at[INSTANT_TEXT_MAX];
    instant_text(time(NULL), at);
    if (log_state.json) {
        buf_addf(b, "{\"at\":\"%s\"", at);
        add_json(b, "level", level_names[level]);
        add_json(b, "stage", log_state.stage);
        add_json(b, "run_id", log_state.run_id);
        add_json(b, "message", message);
        buf_adds(b, "}\n");
    } else {
        buf_addf(b, "%s %s %s%s%s: %s\n", at, level_names[level], log_state.stage, *log_state.run_id ? " " : "",
                 log_state.run_id, message);
    }
}

static void add_bar(struct buf *b);

void log_at(enum log_level level, const char *format, ...)
{
    if (level > log_state.level)
        return;
    struct buf message = {0}, clean = {0}, out = {0};
    va_list ap;
    va_start(ap, format);
    buf_addv(&message, format, ap);
    va_end(ap);
    log_escape(&clean, buf_str(&message));
    pthread_mutex_lock(&writing);
    if (bar.drawn)
        buf_adds(&out, "\r\033[K");
    add_line(&out, level, buf_str(&clean));
    if (bar.drawn)
        add_bar(&out);
    write_out(&out);
    pthread_mutex_unlock(&writing);
    buf_free(&message);
    buf_free(&clean);
    buf_free(&out);
}

/* ---- progress ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return WIDTH_DEFAULT;
}

/* 1234567 as 1,234,567. */
static void add_grouped(struct buf *b, long long n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_addc(b, ',');
        buf_addc(b, digits[i]);
    }
}

static void add_duration(struct buf *b, int64_t s)
{
    if (s >= 3600)
        buf_addf(b, "%lld:", (long long)(s / 3600));
    buf_addf(b, "%02d:%02d", (int)(s / 60 % 60), (int)(s % 60));
}

/* Counts, rate and time left: what stands behind the bar proper. */
static void add_counts(struct buf *b)
{
    int64_t ms = now_ms() - bar.began_ms;
    add_grouped(b, bar.done);
    buf_addc(b, '/');
    add_grouped(b, bar.companies);
    buf_adds(b, " companies  ");
    add_grouped(b, bar.records);
    buf_adds(b, " records  ");
    add_grouped(b, ms > 0 ? bar.records * 1000 / ms : 0);
    buf_adds(b, "/s");
    if (bar.done > 0 && bar.done <= bar.companies) {
        buf_adds(b, "  ");
        add_duration(b, ms * (bar.companies - bar.done) / bar.done / 1000);
        buf_adds(b, " left");
    }
}

static void add_bar(struct buf *b)
{
    struct buf counts = {0}, line = {0};
    add_counts(&counts);
    size_t width = terminal_width() - 1, fixed = strlen(bar.stage) + counts.len + strlen(" [] ");
    size_t cells = width > fixed ? width - fixed : 0;
    if (cells > BAR_CELLS_MAX)
        cells = BAR_CELLS_MAX;
    size_t full = bar.companies > 0 && bar.done > 0 ? cells * (size_t)bar.done / (size_t)bar.companies : 0;
    buf_adds(&line, bar.stage);
    if (cells >= 4) {
        buf_adds(&line, " [");
        for (size_t i = 0; i < cells; i++)
            buf_addc(&line, i < full ? '#' : '.');
        buf_addc(&line, ']');
    }
    buf_addc(&line, ' ');
    buf_add(&line, counts.p, counts.len);
    buf_adds(b, "\r\033[K");
    buf_add(b, line.p, line.len < width ? line.len : width);
    buf_free(&counts);
    buf_free(&line);
}

static void draw(void)
{
    struct buf out = {0};
    add_bar(&out);
    write_out(&out);
    buf_free(&out);
    bar.drawn = true;
    bar.drawn_ms = now_ms();
}

void progress_setup(bool enabled, const char *stage, long companies)
{
    memset(&bar, 0, sizeof bar);
    bar.enabled = enabled;
    snprintf(bar.stage, sizeof bar.stage, "%s", stage);
    bar.companies = companies;
    bar.began_ms = now_ms();
    if (enabled)
        draw();
}

void progress_step(long companies_done, long long records)
{
    pthread_mutex_lock(&writing);
    bar.done = companies_done;
    bar.records = records;
    if (bar.enabled && now_ms() - bar.drawn_ms >= REDRAW_MS)
        draw();
    pthread_mutex_unlock(&writing);
}

void progress_end(void)
{
    if (bar.drawn) {
        draw();
        write_out(&(struct buf){.p = (char[]){"\n"}, .len = 1});
    }
    bar.enabled = bar.drawn = false;
}
