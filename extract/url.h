/* URLs: built from a description, checked before anything is sent to them, followed only where they stay. */
#ifndef EXTRACT_URL_H
#define EXTRACT_URL_H

#include <curl/curl.h>

#include "extract/paging.h"
#include "extract/source.h"

/* The URL of the page that the walk asks for next; one_record: with the smallest page size the source knows. For files,
 * the path. ERR_CONFIG when the template would put a credential into it. The result is in the arena. */
bool url_build(const struct request *request, const struct walk *walk, bool one_record, struct arena *a, char **ret,
               struct err *err);

/* How a page is told of, in messages and as the source of its rejects: by url, but where the server said what leads there,
 * in a link or a cursor, by its list's first page and its number: either may hold a ticket, or somebody's number. In the
 * arena where it is not url itself, and ends with a NUL where url does. */
struct str url_told(const struct request *request, struct str url, int number, struct arena *a);

/* Whether a source may be asked over this URL: https; http for loopback (127.0.0.0/8, ::1, localhost) or where the
 * source has insecure_http; file for a source whose base_url is one; no user name or password in it. Else ERR_CONFIG;
 * here and below ERR_TRY_AGAIN when there is no memory to tell. */
bool url_check(const struct source *source, const char *url, struct err *err);

/* Whether the host is this machine by its name alone, without asking the network; also where there is no telling (NULL):
 * what is meant for this machine must go nowhere else. */
bool url_is_loopback(CURLU *url);

/* A link found on the page at url, made absolute, in the arena. ERR_DATA when it leads to another origin (scheme, host
 * or port): the credential would go there. */
bool url_follow(const char *url, struct str link, struct arena *a, struct str *ret, struct err *err);

#endif
