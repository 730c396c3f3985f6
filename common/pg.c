#include "common/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/money.h"
#include "common/pg_tls.h"
#include "common/stage.h"

enum {
    SERVER_OLDEST = 150000,
    CONNECT_ATTEMPTS = 6,          /* with pauses of 0.25, 0.5, 1, 2, 4 seconds between them */
    CONNECT_PAUSE_MS = 250,
    CONNECT_TIMEOUT_MS = 10000,    /* of one attempt */
    WAIT_MS = 250                  /* how long a signal that fell between two looks at stop_requested may wait */
};

static const struct {
    const char *prefix;
    enum err_kind kind;
} kinds[] = {
    {"08", ERR_TRY_AGAIN},   /* connection exception */
    {"22", ERR_DATA},        /* data exception */
    {"23", ERR_DATA},        /* integrity constraint violation */
    {"25006", ERR_CONFIG},   /* read-only transaction: a standby */
    {"25P03", ERR_TRY_AGAIN}, /* idle for too long in a transaction */
    {"25P04", ERR_TRY_AGAIN}, /* a transaction that lasted too long */
    {"28", ERR_REFUSED},     /* authorization */
    {"3D", ERR_CONFIG},      /* no such database */
    {"40", ERR_TRY_AGAIN},   /* deadlock, serialization failure */
    {"42501", ERR_REFUSED},  /* insufficient privilege */
    {"53100", ERR_CANT_CREATE}, /* disk full */
    {"53", ERR_TRY_AGAIN},   /* out of memory, too many connections */
    {"55006", ERR_TRY_AGAIN}, /* object in use */
    {"55P03", ERR_TRY_AGAIN}, /* lock not available */
    {"57014", ERR_TRY_AGAIN}, /* cancelled, timed out */
    {"57P", ERR_TRY_AGAIN},  /* server shutting down or starting */
    {"58", ERR_IO},          /* system error of the server */
    {"P0001", ERR_DATA},     /* raised by a function of ours */
};

enum err_kind pg_error_kind(const char *sqlstate)
{
    if (!*sqlstate)
        return ERR_TRY_AGAIN;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(sqlstate, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return ERR_BUG;
}

bool pg_can_retry(const char *sqlstate)
{
    return strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0;
}

bool pg_lost(const struct pg *pg)
{
    return !pg->conn || PQstatus(pg->conn) == CONNECTION_BAD;
}

static bool quotes_values(const char *sqlstate)
{
    return strncmp(sqlstate, "22", 2) == 0;
}

static void notice(void *arg, const PGresult *result)
{
    (void)arg;
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    log_debug("server: %s, SQLSTATE %s", severity ? severity : "notice", sqlstate ? sqlstate : "unknown");
}

/* ---- connecting ---- */

static void first_line(const char *text, char *ret, size_t room)
{
    size_t len = strcspn(text, "\n");
    if (len >= room)
        len = room - 1;
    memcpy(ret, text, len);
    ret[len] = '\0';
}

/* libpq gives no SQLSTATE for a failed connection but inside the message, where verbosity puts "FATAL:  28P01: ". */
static void connection_sqlstate(const char *message, char *ret)
{
    *ret = '\0';
    for (const char *p = strstr(message, ":  "); p; p = strstr(p + 1, ":  ")) {
        const char *code = p + 3;
        if (strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == SQLSTATE_LEN && code[SQLSTATE_LEN] == ':') {
            memcpy(ret, code, SQLSTATE_LEN);
            ret[SQLSTATE_LEN] = '\0';
            return;
        }
    }
}

/* The parser's own message is kept back: it quotes what it stumbled over, which may be a piece of a password. So is a
 * host name that holds one because of a bare @. */
static bool url_check(const char *url, struct err *err)
{
    const char *authority = strstr(url, "://");
    bool is_uri = strncmp(url, "postgres", 8) == 0 && authority;
    if (is_uri) {
        int at = 0;
        for (const char *p = authority + 3; *p && *p != '/' && *p != '?'; p++)
            at += *p == '@';
        if (at > 1)
            return err_set(err, ERR_CONFIG,
                           "database: the url has more than one @: write %%40 inside user and password");
    }
    if (!is_uri && !strchr(url, '='))
        return true;   /* a database's name */
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    bool ok = options != NULL;
    for (PQconninfoOption *o = options; ok && o->keyword; o++)
        if (strcmp(o->keyword, "port") == 0 && o->val)
            ok = strspn(o->val, "0123456789,") == strlen(o->val);
    PQconninfoFree(options);
    return ok || err_set(err, ERR_CONFIG, "database: the url is not a connection string; expected "
                         "postgresql://user@host:port/database or host=... dbname=...");
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static PGconn *start(const char *url, const char *application_name, const char *sslmode)
{
    /* What stands behind dbname overrides the url, what stands before it is a default; without a value it is nothing. */
    const char *keywords[] = {"keepalives_idle", "keepalives_interval", "keepalives_count", "dbname",
                              "client_encoding", "application_name", "sslmode", NULL};
    const char *values[] = {"60", "15", "4", url, "UTF8", application_name, sslmode, NULL};
    return PQconnectStartParams(keywords, values, 1);
}

/* One attempt, watched so that a signal or the timeout ends it. */
static bool connect_once(struct pg *pg, const char *url, const char *application_name, struct err *err)
{
    pg->conn = start(url, application_name, NULL);
    const char *sslmode = pg->conn ? pg_tls_mode(pg->conn, url) : NULL;
    if (sslmode) {   /* nothing but a connection attempt has been sent */
        PQfinish(pg->conn);
        pg->conn = start(url, application_name, sslmode);
    }
    if (!pg->conn)
        return err_set(err, ERR_TRY_AGAIN, "database: out of memory");
    PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    int64_t deadline = clock_ms() + CONNECT_TIMEOUT_MS;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (PQstatus(pg->conn) != CONNECTION_BAD && status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
        if (stage_stopped(err))
            return false;
        if (clock_ms() > deadline)
            return err_set(err, ERR_UNAVAILABLE, "database: no answer from %s, port %s, within %d s", PQhost(pg->conn),
                           PQport(pg->conn), CONNECT_TIMEOUT_MS / 1000);
        struct pollfd fd = {PQsocket(pg->conn), status == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};
        if (poll(&fd, 1, WAIT_MS) > 0)
            status = PQconnectPoll(pg->conn);
    }
    if (status == PGRES_POLLING_OK)
        return true;
    char line[1024];
    connection_sqlstate(PQerrorMessage(pg->conn), pg->sqlstate);
    first_line(PQerrorMessage(pg->conn), line, sizeof line);
    if (*pg->sqlstate)
        return err_set(err, pg_error_kind(pg->sqlstate), "database: %s", line);
    const char *remedy;
    enum err_kind kind = pg_tls_failure(line, &remedy);
    return err_set(err, kind, "database: %s%s", line, remedy);
}

/* A refusal or a wrong name does not heal by waiting. */
static bool worth_waiting(const struct err *err)
{
    return err->kind == ERR_UNAVAILABLE || err->kind == ERR_TRY_AGAIN;
}

bool pg_connect(struct pg *ret, const char *url, const char *application_name, struct err *err)
{
    struct pg pg = {0};
    struct err attempt_err = {0};
    if (!url_check(url, err))
        return false;
    int pause_ms = CONNECT_PAUSE_MS;
    for (int attempt = 1; !connect_once(&pg, url, application_name, &attempt_err); attempt++, pause_ms *= 2) {
        pg_close(&pg);
        if (attempt == CONNECT_ATTEMPTS || !worth_waiting(&attempt_err)) {
            *err = attempt_err;
            return false;
        }
        for (int slept = 0; slept < pause_ms && !stop_requested; slept += CONNECT_PAUSE_MS)
            poll(NULL, 0, CONNECT_PAUSE_MS);
        if (stage_stopped(err))
            return false;
    }
    *pg.sqlstate = '\0';   /* of attempts before */
    PQsetErrorVerbosity(pg.conn, PQERRORS_DEFAULT);
    PQsetNoticeReceiver(pg.conn, notice, NULL);
    int version = PQserverVersion(pg.conn);
    bool ok = version >= SERVER_OLDEST
                  ? PQsetnonblocking(pg.conn, 1) == 0 && pg_run(&pg, &sql_session, NULL, err)
                  : err_set(err, ERR_CONFIG, "database: PostgreSQL %d is too old; version %d or newer is needed",
                            version / 10000, SERVER_OLDEST / 10000);
    if (!ok) {
        pg_close(&pg);
        return false;
    }
    *ret = pg;
    return true;
}

void pg_close(struct pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
}

/* ---- waiting ---- */

static bool lost(struct pg *pg, const struct query *q, struct err *err)
{
    char line[1024];
    *pg->sqlstate = '\0';
    first_line(PQerrorMessage(pg->conn), line, sizeof line);
    if (*line)
        return err_set(err, ERR_TRY_AGAIN, "%s: connection to the database lost: %s", q->name, line);
    return err_errno(err, ERR_TRY_AGAIN, "%s: cannot wait for the database", q->name);   /* libpq knows of nothing */
}

static void cancel(struct pg *pg)
{
    char ignored[256];
    PGcancel *handle = PQgetCancel(pg->conn);
    if (handle)
        PQcancel(handle, ignored, sizeof ignored);
    PQfreeCancel(handle);
}

/* Waits for something to read, or room to write when writing, and no longer than WAIT_MS: what has come may be waiting for
 * libpq, which leaves an answer that it had no memory for as if more of it were to come. Cancels the statement once when
 * asked to stop; the server then answers with an error as usual. */
static bool wait_for(struct pg *pg, bool writing, bool *cancelled)
{
    if (stop_requested && !*cancelled && !pg->uninterruptible) {
        *cancelled = true;
        cancel(pg);
    }
    struct pollfd fd = {PQsocket(pg->conn), (short)(POLLIN | (writing ? POLLOUT : 0)), 0};
    int n = poll(&fd, 1, WAIT_MS);
    if (n < 0)
        return errno == EINTR;
    return n == 0 || !(fd.revents & POLLIN) || PQconsumeInput(pg->conn);
}

static bool flush(struct pg *pg, bool *cancelled)
{
    int left;
    while ((left = PQflush(pg->conn)) > 0)
        if (!wait_for(pg, true, cancelled))
            return false;
    return left == 0;
}

/* The next result, NULL behind the last. */
static bool next_result(struct pg *pg, bool *cancelled, PGresult **ret)
{
    while (PQisBusy(pg->conn))
        if (!wait_for(pg, false, cancelled))
            return false;
    *ret = PQgetResult(pg->conn);
    return true;
}

/* Fills err from a failed result. */
static bool refused(struct pg *pg, const struct query *q, const PGresult *result, struct err *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!sqlstate || pg_lost(pg))
        return lost(pg, q, err);
    memcpy(pg->sqlstate, sqlstate, sizeof pg->sqlstate);
    if (stop_requested && strcmp(sqlstate, "57014") == 0)
        return err_set(err, ERR_TRY_AGAIN, "%s: stopped by a signal", q->name);
    if (!primary || quotes_values(sqlstate))
        primary = "a value was refused";
    return err_set(err, pg_error_kind(sqlstate), "%s: %s (SQLSTATE %s)", q->name, primary, sqlstate);
}

/* Reads results to the end; the last one, or the one that starts a COPY, is given back. */
static bool finish(struct pg *pg, const struct query *q, PGresult **ret, struct err *err)
{
    bool cancelled = false, ok = true;
    PGresult *last = NULL, *result;
    if (!flush(pg, &cancelled))
        return lost(pg, q, err);
    for (;;) {
        if (!next_result(pg, &cancelled, &result)) {
            PQclear(last);
            return lost(pg, q, err);
        }
        if (!result)
            break;
        ExecStatusType status = PQresultStatus(result);
        if (ok && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
            ok = refused(pg, q, result, err);
        PQclear(last);
        last = result;
        if (status == PGRES_COPY_IN || pg_lost(pg))
            break;
    }
    if (!ok) {
        PQclear(last);
        return false;
    }
    *ret = last;
    return true;
}

/* ---- statements ---- */

static int64_t rows_touched(PGresult *result)
{
    int64_t rows = 0;
    const char *text = PQcmdTuples(result);
    return money_parse_int(str_of(text), &rows) ? rows : 0;
}

bool pg_run(struct pg *pg, const struct query *q, int64_t *ret_rows, struct err *err)
{
    PGresult *result = NULL;
    if (!PQsendQuery(pg->conn, q->text))
        return lost(pg, q, err);
    if (!finish(pg, q, &result, err))
        return false;
    if (ret_rows)
        *ret_rows = rows_touched(result);
    PQclear(result);
    return true;
}

bool pg_select(struct pg *pg, const struct query *q, const char *const *values, int n, PGresult **ret_result,
               struct err *err)
{
    if (!PQsendQueryParams(pg->conn, q->text, n, NULL, values, NULL, NULL, 0))
        return lost(pg, q, err);
    return finish(pg, q, ret_result, err);
}

bool pg_each(struct pg *pg, const struct query *q, const char *const *values, int n,
             bool (*row)(void *arg, PGresult *tuple, struct err *err), void *arg, struct err *err)
{
    bool cancelled = false, ok = true;
    PGresult *result;
    if (!PQsendQueryParams(pg->conn, q->text, n, NULL, values, NULL, NULL, 0) || !PQsetSingleRowMode(pg->conn) ||
        !flush(pg, &cancelled))
        return lost(pg, q, err);
    for (;;) {
        if (!next_result(pg, &cancelled, &result))
            return lost(pg, q, err);
        if (!result)
            return ok;
        ExecStatusType status = PQresultStatus(result);
        if (ok && status == PGRES_SINGLE_TUPLE && !row(arg, result, err)) {
            ok = false;
            cancel(pg);
        } else if (ok && status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
            ok = refused(pg, q, result, err);
        }
        PQclear(result);
        if (pg_lost(pg))
            return ok ? lost(pg, q, err) : false;
    }
}

/* ---- COPY ---- */

bool pg_copy_begin(struct pg *pg, const struct query *q, struct err *err)
{
    PGresult *result = NULL;
    if (!PQsendQuery(pg->conn, q->text))
        return lost(pg, q, err);
    if (!finish(pg, q, &result, err))
        return false;
    bool ok = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    return ok || err_set(err, ERR_BUG, "%s: not a COPY FROM STDIN", q->name);
}

/* The server has ended the COPY by itself, or we have asked it to: reads why. */
static bool copy_failed(struct pg *pg, const struct query *q, struct err *err)
{
    PGresult *result = NULL;
    if (!finish(pg, q, &result, err))
        return false;
    PQclear(result);
    return err_set(err, ERR_BUG, "%s: COPY ended early", q->name);
}

bool pg_copy_put(struct pg *pg, const struct query *q, const char *p, size_t len, struct err *err)
{
    bool cancelled = false;
    enum { PIECE = 1 << 16 };
    for (size_t at = 0; at < len; at += PIECE) {
        int n, piece = len - at < PIECE ? (int)(len - at) : PIECE;
        while ((n = PQputCopyData(pg->conn, p + at, piece)) == 0)
            if (!wait_for(pg, true, &cancelled))
                return lost(pg, q, err);
        if (n < 0)
            return copy_failed(pg, q, err);
        if (!flush(pg, &cancelled))   /* libpq would hold in memory whatever a slow server does not take */
            return lost(pg, q, err);
        if (stop_requested) {
            PQputCopyEnd(pg->conn, "stopped");
            PQflush(pg->conn);
            return stage_stopped(err);
        }
    }
    return true;
}

bool pg_copy_end(struct pg *pg, const struct query *q, int64_t *ret_rows, struct err *err)
{
    bool cancelled = false;
    int n;
    PGresult *result = NULL;
    while ((n = PQputCopyEnd(pg->conn, NULL)) == 0)
        if (!wait_for(pg, true, &cancelled))
            return lost(pg, q, err);
    if (n < 0)
        return copy_failed(pg, q, err);
    if (!finish(pg, q, &result, err))
        return false;
    *ret_rows = rows_touched(result);
    PQclear(result);
    return true;
}

struct str pg_text(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return STR_NULL;
    return (struct str){PQgetvalue(result, row, column), (uint32_t)PQgetlength(result, row, column), false};
}
