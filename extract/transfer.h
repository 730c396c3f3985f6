/* Requests in flight over libcurl's multi interface. Easy handles and connections are reused, HTTP/2 streams share one;
 * bodies are unpacked and limited in their unpacked size; TLS is verified; redirects are not followed, so that no
 * credential can reach another host. */
#ifndef EXTRACT_TRANSFER_H
#define EXTRACT_TRANSFER_H

#include <curl/curl.h>

#include "extract/source.h"

struct fetch_list;
struct token;

/* What to ask. Everything is copied. */
struct ask {
    const struct source *source;   /* limits, TLS, accepted protocols */
    const char *url;               /* checked with url_check */
    const char *bearer;            /* a credential; NULL: none */
    const char *header;            /* a credential as "Name: value"; NULL: none */
    struct str etag;               /* of a copy we have; null: none */
    const char *form;              /* posts this, URL-encoded; NULL: a GET */
    bool fresh;                    /* over a connection of its own */
    int64_t timeout_ms;
};

/* What came of it. Strings live until the transfer is released. */
struct answer {
    int code;                      /* CURLcode */
    long status;                   /* HTTP; 200 for a file */
    struct str body, etag, link, location;  /* link: all Link headers, joined by commas */
    int64_t retry_after_ms;        /* -1: not said */
    const char *fault;             /* libcurl's words when the code is not CURLE_OK */
    bool too_large;                /* the body passed max_body_bytes */
    bool leavings;                 /* none: what came was left on the connection by the answer before, someone else's */
};

struct transfer {
    CURL *easy;
    CURLU *url;                          /* what it asks for */
    struct fetch_list *list;             /* who started it: one of them, set after transfer_start */
    struct token *token;
    struct answer answer;
    int64_t max_body_bytes;
    struct buf body, link;
    struct curl_slist *headers;
    char fault[CURL_ERROR_SIZE];
    bool in_flight;
};

struct transfers {
    CURLM *multi;
    struct transfer *slot;         /* as many as may run at a time */
    int n_slots, n_in_flight;
};

/* So many at a time; connections to so many hosts are kept for the next request. Also makes the process ignore SIGPIPE,
 * which a server that hangs up would raise. */
bool transfers_open(struct transfers *ts, int parallel, int hosts, struct err *err);
/* Breaks off what is in flight. */
void transfers_close(struct transfers *ts);

static inline bool transfers_full(const struct transfers *ts)
{
    return ts->n_in_flight == ts->n_slots;
}

/* There must be a free slot. NULL on failure. */
struct transfer *transfer_start(struct transfers *ts, const struct ask *ask, struct err *err);
/* Moves bytes, waiting at most so long for any to move. */
bool transfers_run(struct transfers *ts, int timeout_ms, struct err *err);
/* One that has ended, or NULL. The caller releases it, which frees its slot. */
struct transfer *transfers_ended(struct transfers *ts);
void transfer_release(struct transfers *ts, struct transfer *t);

#endif
