#include "common/pg_tls.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/loopback.h"

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val ? o->val : "";
    return "";
}

/* One of a list of hosts, with commas between them; nothing, a path and @ name a socket. */
static bool is_local(const char *host, size_t len)
{
    char name[256];
    if (len == 0 || *host == '/' || *host == '@')
        return true;
    if (len >= sizeof name)
        return false;
    memcpy(name, host, len);
    name[len] = '\0';
    return host_is_loopback(name);
}

static bool are_local(const char *hosts)
{
    for (;; hosts++) {
        size_t len = strcspn(hosts, ",");
        if (!is_local(hosts, len))
            return false;
        hosts += len;
        if (!*hosts)
            return true;
    }
}

static bool says_sslmode(const char *url)
{
    const char *environment = getenv("PGSSLMODE");
    PQconninfoOption *given = PQconninfoParse(url, NULL);
    bool says = *value_of(given, "sslmode") || (environment && *environment);
    PQconninfoFree(given);
    return says;
}

const char *pg_tls_mode(PGconn *conn, const char *url)
{
    PQconninfoOption *options = PQconninfo(conn);
    const char *address = value_of(options, "hostaddr");
    /* another mode than libpq's default can only come from a service file */
    bool lacks = strcmp(value_of(options, "sslmode"), "prefer") == 0 && !says_sslmode(url) &&
                 !are_local(*address ? address : value_of(options, "host"));
    PQconninfoFree(options);
    return lacks ? "verify-full" : NULL;
}

enum err_kind pg_tls_failure(const char *message, const char **ret_remedy)
{
    static const struct {
        const char *text;
        enum err_kind kind;
        const char *remedy;
    } failures[] = {
        {"root certificate file", ERR_CONFIG,
         ": name the file of the server's authority with sslrootcert in the url, or say sslmode=disable where the "
         "network is trusted"},
        {"does not support SSL", ERR_CONFIG,
         ": have TLS turned on there, or say sslmode=disable in the url where the network is trusted"},
        {"certificate verify failed", ERR_REFUSED,
         ": its authority is not that of sslrootcert, or it has expired"},
        {"certificate", ERR_REFUSED, ""},
    };
    *ret_remedy = "";
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (strstr(message, failures[i].text)) {
            *ret_remedy = failures[i].remedy;
            return failures[i].kind;
        }
    return ERR_UNAVAILABLE;
}
