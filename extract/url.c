#include "extract/url.h"

#include <curl/curl.h>
#include <strings.h>

#include "common/loopback.h"
/* ---- building ---- */

static const char *const SECRETS[] = {"{payroll_token}"};

static bool holds_no_secret(const struct request *r, const char *template, struct err *err)
{
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++)
        if (strstr(template, SECRETS[i]))
            return err_set(err, ERR_CONFIG, "%s: %s: %s may not stand in a URL; send it as a header", r->source->name,
                           r->entity->name, SECRETS[i]);
    return true;
}

static void add_param(struct buf *url, const char *name, const char *value)
{
    buf_addc(url, memchr(url->p, '?', url->len) ? '&' : '?');
    buf_adds(url, name);
    buf_addc(url, '=');
    buf_adds(url, value);
}

static void add_cursor(struct buf *url, const char *name, struct str cursor)
{
    char *encoded = curl_easy_escape(NULL, cursor.p, (int)cursor.len);
    add_param(url, name, encoded ? encoded : "");
    curl_free(encoded);
}

static void add_paging(struct buf *url, const struct paging *paging, const struct walk *walk, bool one_record)
{
    char number[16];
    if (paging->size_param && paging->size > 0) {
        snprintf(number, sizeof number, "%d", one_record ? 1 : paging->size);
        add_param(url, paging->size_param, number);
    }
    if (!paging->param || (paging->kind != PAGING_CURSOR && paging->kind != PAGING_PAGE))
        return;
    if (walk->next.p) {
        add_cursor(url, paging->param, walk->next);
    } else if (paging->kind == PAGING_PAGE) {
        snprintf(number, sizeof number, "%d", paging->first_page);
        add_param(url, paging->param, number);
    }
}

static bool build_rest(const struct request *r, const struct walk *walk, bool one_record, struct arena *a,
                       struct buf *url, struct err *err)
{
    const struct entity_source *e = r->entity;
    if (!holds_no_secret(r, r->source->base_url, err) || !holds_no_secret(r, e->path, err))
        return false;
    buf_adds(url, source_fill(r->source->base_url, r, true, a));
    while (url->len && url->p[url->len - 1] == '/')
        url->len--;
    if (e->path[0] != '/')
        buf_addc(url, '/');
    buf_adds(url, source_fill(e->path, r, true, a));
    for (int i = 0; i < e->n_query; i++) {
        if (!holds_no_secret(r, e->query[i].value, err))
            return false;
        add_param(url, e->query[i].name, source_fill(e->query[i].value, r, true, a));
    }
    add_paging(url, &e->paging, walk, one_record);
    return true;
}

bool url_build(const struct request *request, const struct walk *walk, bool one_record, struct arena *a, char **ret,
               struct err *err)
{
    if (request->source->kind == SOURCE_CSV) {
        *ret = source_fill(request->entity->path, request, false, a);
        return true;
    }
    if (request->entity->paging.kind == PAGING_LINK && walk->next.p) {
        *ret = arena_copy(a, walk->next.p, walk->next.len);
        return true;
    }
    struct buf url = {0};
    bool ok = build_rest(request, walk, one_record, a, &url, err);
    if (ok)
        *ret = arena_copy(a, url.p, url.len);
    buf_free(&url);
    return ok;
}

struct str url_told(const struct request *request, struct str url, int number, struct arena *a)
{
    enum paging_kind kind = request->entity->paging.kind;
    struct walk first;
    struct err ignored;
    char *built;
    if (number == 1 || (kind != PAGING_CURSOR && kind != PAGING_LINK))
        return url;
    walk_start(&first, request->entity);
    bool ok = url_build(request, &first, false, a, &built, &ignored);
    return str_of(arena_printf(a, "%s, page %d", ok ? built : request->source->name, number));
}

/* ---- checking ---- */

/* A part of a URL, to be given back with curl_free; NULL where it has none. */
static char *url_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(u, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) ? NULL : text;
}

static bool check_parts(const struct source *s, const char *scheme, const char *host, bool has_user, struct err *err)
{
    if (has_user)
        return err_set(err, ERR_CONFIG, "%s: a URL may not hold a user name or password; use auth", s->name);
    if (!strcmp(scheme, "https"))
        return true;
    if (!strcmp(scheme, "file") && !strncasecmp(s->base_url, "file:", 5))
        return true;
    if (strcmp(scheme, "http") != 0)
        return err_set(err, ERR_CONFIG, "%s: %s is not accepted; expected https", s->name, scheme);
    if (s->insecure_http || host_is_loopback(host))
        return true;
    return err_set(err, ERR_CONFIG, "%s: plain http to %s is refused; expected https, or insecure_http: true on the "
                   "source", s->name, host);
}

bool url_check(const struct source *source, const char *url, struct err *err)
{
    CURLU *u = curl_url();
    bool ok = false;
    if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME)) {
        err_set(err, ERR_CONFIG, "%s: base_url and path, or auth.token_url, make no URL", source->name);
    } else {
        char *scheme = url_part(u, CURLUPART_SCHEME), *host = url_part(u, CURLUPART_HOST);
        char *user = url_part(u, CURLUPART_USER), *password = url_part(u, CURLUPART_PASSWORD);
        ok = check_parts(source, scheme ? scheme : "", host ? host : "", user || password, err);
        curl_free(scheme);
        curl_free(host);
        curl_free(user);
        curl_free(password);
    }
    curl_url_cleanup(u);
    return ok;
}

bool url_is_loopback(const char *url)
{
    CURLU *u = curl_url();
    char *host = u && !curl_url_set(u, CURLUPART_URL, url, 0) ? url_part(u, CURLUPART_HOST) : NULL;
    bool loopback = host && host_is_loopback(host);
    curl_free(host);
    curl_url_cleanup(u);
    return loopback;
}

/* ---- following ---- */

static bool same_part(CURLU *x, CURLU *y, CURLUPart part)
{
    char *a = url_part(x, part), *b = url_part(y, part);
    bool same = a && b ? !strcasecmp(a, b) : a == b;
    curl_free(a);
    curl_free(b);
    return same;
}

/* Tells where to, but for path and query. */
static bool leaves(CURLU *to, struct err *err)
{
    char *scheme = url_part(to, CURLUPART_SCHEME), *host = url_part(to, CURLUPART_HOST);
    char *port = url_part(to, CURLUPART_PORT);
    err_set(err, ERR_DATA, "the link to the next page leaves the server: it leads to %s://%.200s%s%s", scheme ? scheme : "",
            host ? host : "", port ? ":" : "", port ? port : "");
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return false;
}

static bool follow(CURLU *from, CURLU *to, const char *link, struct arena *a, struct str *ret, struct err *err)
{
    static const CURLUPart ORIGIN[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT, CURLUPART_USER,
                                       CURLUPART_PASSWORD};
    if (curl_url_set(to, CURLUPART_URL, link, 0))
        return err_set(err, ERR_DATA, "the link to the next page is not a URL");
    for (size_t i = 0; i < sizeof ORIGIN / sizeof *ORIGIN; i++)
        if (!same_part(from, to, ORIGIN[i]))
            return leaves(to, err);
    curl_url_set(to, CURLUPART_FRAGMENT, NULL, 0);
    char *absolute = url_part(to, CURLUPART_URL);
    if (!absolute)
        return err_set(err, ERR_DATA, "the link to the next page is not a URL");
    size_t len = strlen(absolute);
    *ret = (struct str){arena_copy(a, absolute, len), (uint32_t)len, false};
    curl_free(absolute);
    return true;
}

bool url_follow(const char *url, struct str link, struct arena *a, struct str *ret, struct err *err)
{
    CURLU *from = curl_url(), *to = NULL;
    bool ok = false;
    if (memchr(link.p, '\0', link.len))
        err_set(err, ERR_DATA, "the link to the next page is not a URL: a NUL character is in it");
    else if (from && !curl_url_set(from, CURLUPART_URL, url, 0) && (to = curl_url_dup(from)))
        ok = follow(from, to, arena_copy(a, link.p, link.len), a, ret, err);
    else
        err_set(err, ERR_DATA, "a link to the next page, on a page that has no URL");
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return ok;
}
