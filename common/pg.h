/* PostgreSQL through libpq. Every statement comes from sql/ and is named in errors. What the server says reaches
 * errors as its SQLSTATE and primary message; DETAIL, CONTEXT and messages that quote values (class 22) never do: they
 * may hold social security numbers. Waiting is cut short by stop_requested: the statement is cancelled. */
#ifndef COMMON_PG_H
#define COMMON_PG_H

#include <libpq-fe.h>

#include "common/err.h"
#include "common/sql.h"
#include "common/str.h"

enum { SQLSTATE_LEN = 5 };

struct pg {
    PGconn *conn;
    /* Of the last error since it was connected; "" when the connection was lost or refused. */
    char sqlstate[SQLSTATE_LEN + 1];
    bool uninterruptible;              /* signals wait: a COMMIT is not cancelled half way */
};

/* Connects, retrying for about ten seconds while the server is away or starting. url is a libpq connection string or
 * URI, "" for libpq's own environment. Encoding UTF-8, time zone UTC, ISO dates, application_name as given; lock and
 * statement timeouts are set only where role, database and PGOPTIONS set none; TLS as pg_tls.h tells. ERR_UNAVAILABLE
 * names host and port, ERR_REFUSED tells of credentials or a certificate, ERR_CONFIG of a bad url or database; the password is in none of them. */
bool pg_connect(struct pg *ret, const char *url, const char *application_name, struct err *err);
/* Zeroes *pg: it may be closed again, or connected again. */
void pg_close(struct pg *pg);
/* The connection is gone: nothing can be done on it but pg_close. */
bool pg_lost(const struct pg *pg);

/* Runs one or several statements without parameters; rows are thrown away. *ret_rows (may be NULL) receives the rows
 * that the last statement touched. */
bool pg_run(struct pg *pg, const struct query *q, int64_t *ret_rows, struct err *err);
/* Runs one statement with n parameters as text (NULL: null). The caller clears *ret_result. */
bool pg_select(struct pg *pg, const struct query *q, const char *const *values, int n, PGresult **ret_result,
               struct err *err);
/* The same, row by row, however many: the result given to row has exactly one tuple and is gone afterwards. False from
 * row cancels the statement. */
bool pg_each(struct pg *pg, const struct query *q, const char *const *values, int n,
             bool (*row)(void *arg, PGresult *tuple, struct err *err), void *arg, struct err *err);

/* COPY ... FROM STDIN: text rows as they come, any number of them a call, then the end. pg_copy_end gives the number
 * of rows that the server took. A failed pg_copy_put has ended the COPY. */
bool pg_copy_begin(struct pg *pg, const struct query *q, struct err *err);
bool pg_copy_put(struct pg *pg, const struct query *q, const char *p, size_t len, struct err *err);
bool pg_copy_end(struct pg *pg, const struct query *q, int64_t *ret_rows, struct err *err);

/* Text or null of a tuple's column as a slice into the result. */
struct str pg_text(const PGresult *result, int row, int column);

/* What an SQLSTATE means for the exit status; "" is a lost connection. */
enum err_kind pg_error_kind(const char *sqlstate);
/* Deadlock, serialization failure: the transaction may succeed when it is run again at once. */
bool pg_can_retry(const char *sqlstate);

#endif
