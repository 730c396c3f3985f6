/* TLS to PostgreSQL. libpq's own default, sslmode=prefer, takes any certificate and does without TLS when told to: fit
 * for a socket and for loopback, not for social security numbers on a network. */
#ifndef COMMON_PG_TLS_H
#define COMMON_PG_TLS_H

#include <libpq-fe.h>

#include "common/err.h"

/* The sslmode that a connection lacks: "verify-full" when a host beyond this machine is named and neither url nor
 * PGSSLMODE nor a service file says how to speak to it; else NULL. conn has its options, and may have failed. */
const char *pg_tls_mode(PGconn *conn, const char *url);

/* What a failed connection without SQLSTATE comes from, by libpq's message, and what there is to do (a static text, ""
 * where the message says it all): ERR_REFUSED a certificate, ERR_CONFIG TLS that one side lacks, else
 * ERR_UNAVAILABLE. */
enum err_kind pg_tls_failure(const char *message, const char **ret_remedy);

#endif
