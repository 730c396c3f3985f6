#include "extract/transfer.h"

#include <signal.h>
#include <stdlib.h>

#include "common/stage.h"
#include "extract/url.h"

enum { BODY_KEPT_BYTES = 1 << 20 };

/* ---- set-up ---- */

static bool multi_configure(CURLM *multi, long parallel, long hosts)
{
    return !curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) &&
           !curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, parallel) &&
           !curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, parallel * hosts);
}

static void *take_zeroed(size_t n, size_t size)
{
    return mem_alloc(size && n > SIZE_MAX / size ? SIZE_MAX : n * size);
}

bool transfers_open(struct transfers *ts, int parallel, int hosts, struct err *err)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_take, free, mem_realloc, mem_strdup, take_zeroed))
        return err_set(err, ERR_BUG, "libcurl cannot be initialised");
    signal(SIGPIPE, SIG_IGN);
    struct transfers new = {.multi = curl_multi_init(), .n_slots = parallel};
    if (!new.multi || !multi_configure(new.multi, parallel, hosts)) {
        curl_multi_cleanup(new.multi);
        curl_global_cleanup();
        return err_set(err, ERR_BUG, "libcurl cannot transfer in parallel");
    }
    new.slot = mem_alloc(sizeof *new.slot * (size_t)parallel);
    *ts = new;
    return true;
}

void transfers_close(struct transfers *ts)
{
    if (!ts->multi)
        return;
    for (int i = 0; i < ts->n_slots; i++) {
        struct transfer *t = &ts->slot[i];
        if (t->in_flight)
            transfer_release(ts, t);
        curl_easy_cleanup(t->easy);
        curl_url_cleanup(t->url);
        buf_free(&t->body);
        buf_free(&t->link);
    }
    curl_multi_cleanup(ts->multi);
    curl_global_cleanup();
    free(ts->slot);
    *ts = (struct transfers){0};
}

/* ---- starting ---- */

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * n;
    if (len > (uint64_t)t->max_body_bytes - t->body.len) {
        t->answer.too_large = true;
        return 0;
    }
    buf_add(&t->body, p, len);
    return len;
}

static bool add_header(struct transfer *t, const char *name, struct str value)
{
    char *line = mem_printf("%s%.*s", name, (int)value.len, value.p);
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    free(line);
    if (longer)
        t->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct transfer *t, const struct ask *ask)
{
    return add_header(t, "Accept: application/json", STR("")) &&
           (!ask->header || add_header(t, "", str_of(ask->header))) &&
           (!ask->etag.p || add_header(t, "If-None-Match: ", ask->etag)) &&
           !curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static const char *protocols(const struct ask *ask)
{
    if (!strncmp(ask->url, "file:", 5))
        return "file";
    return strncmp(ask->url, "http:", 5) ? "https" : "http";
}

/* libcurl is given the URL taken apart as well: else it would take it apart once more, and put it together again. */
static bool set_url(struct transfer *t, const struct ask *ask)
{
    bool readable = (t->url || (t->url = curl_url())) && !curl_url_set(t->url, CURLUPART_URL, ask->url, 0);
    return !curl_easy_setopt(t->easy, CURLOPT_URL, ask->url) &&
           (!readable || !curl_easy_setopt(t->easy, CURLOPT_CURLU, t->url)) &&
           /* A proxy of the environment would see what plain http sends to this machine. */
           (!url_is_loopback(readable ? t->url : NULL) || !curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "*"));
}

static bool set_security(CURL *easy, const struct ask *ask)
{
    const char *ca_file = ask->source->ca_file;
    return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols(ask)) &&
           !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
           !curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (!ca_file || !curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file));
}

static bool set_credential(CURL *easy, const struct ask *ask)
{
    return !ask->bearer || (!curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) &&
                            !curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, ask->bearer));
}

static bool set_ask(struct transfer *t, const struct ask *ask)
{
    CURL *easy = t->easy;
    int64_t connect_ms = ask->source->connect_timeout_ms;
    return set_url(t, ask) &&
           !curl_easy_setopt(easy, CURLOPT_PRIVATE, t) &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) && /* a name server that hangs must not hold up the others */
           !curl_easy_setopt(easy, CURLOPT_USERAGENT, "alan-etl/" TOOL_VERSION) &&
           !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) &&
           !curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)ask->fresh) &&
           !curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") &&
           !curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms) &&
           !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms) &&
           !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->fault) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) &&
           (!ask->form || !curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ask->form)) &&
           set_security(easy, ask) && set_credential(easy, ask) && set_headers(t, ask);
}

static struct transfer *free_slot(struct transfers *ts)
{
    for (int i = 0; i < ts->n_slots; i++)
        if (!ts->slot[i].in_flight)
            return &ts->slot[i];
    return NULL;
}

static void transfer_reset(struct transfer *t)
{
    curl_easy_reset(t->easy);
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    t->list = NULL;
    t->token = NULL;
}

struct transfer *transfer_start(struct transfers *ts, const struct ask *ask, struct err *err)
{
    struct transfer *t = free_slot(ts);
    if (!t || (!t->easy && !(t->easy = curl_easy_init()))) {
        err_set(err, ERR_BUG, "no transfer can be started");
        return NULL;
    }
    t->max_body_bytes = ask->source->max_body_bytes < UINT32_MAX ? ask->source->max_body_bytes : UINT32_MAX;
    t->answer = (struct answer){.retry_after_ms = -1};
    t->fault[0] = '\0';
    if (!set_ask(t, ask) || curl_multi_add_handle(ts->multi, t->easy)) {
        transfer_reset(t);
        err_set(err, ERR_BUG, "libcurl refused to set up a transfer");
        return NULL;
    }
    t->in_flight = true;
    ts->n_in_flight++;
    return t;
}

/* ---- ending ---- */

bool transfers_run(struct transfers *ts, int timeout_ms, struct err *err)
{
    int running;
    CURLMcode code = curl_multi_perform(ts->multi, &running);
    if (!code && (running == ts->n_in_flight || ts->n_in_flight == 0))
        code = curl_multi_poll(ts->multi, NULL, 0, timeout_ms, NULL);
    if (!code)
        code = curl_multi_perform(ts->multi, &running);
    if (code == CURLM_UNRECOVERABLE_POLL)  /* the system's poll failed: no memory, say */
        return err_errno(err, ERR_TRY_AGAIN, "cannot wait for the services to answer");
    return !code || err_set(err, ERR_BUG, "libcurl: %s", curl_multi_strerror(code));
}

static struct str header_of(CURL *easy, const char *name, size_t index)
{
    struct curl_header *h;
    return curl_easy_header(easy, name, index, CURLH_HEADER, -1, &h) ? STR_NULL : str_of(h->value);
}

static struct str link_of(struct transfer *t)
{
    struct str value;
    t->link.len = 0;
    for (size_t i = 0; (value = header_of(t->easy, "Link", i)).p; i++) {
        if (i)
            buf_addc(&t->link, ',');
        buf_add(&t->link, value.p, value.len);
    }
    return t->link.len ? (struct str){t->link.p, (uint32_t)t->link.len, false} : STR_NULL;
}

/* A server that sends more than the length it announced leaves the rest for whoever gets the connection next; libcurl
 * asks again by itself only where a kept connection brought nothing. */
static bool is_leavings(const struct transfer *t, CURLcode code, long status)
{
    long connects = 1;
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    return connects == 0 && status == 0 && (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY);
}

static void fill_answer(struct transfer *t, CURLcode code)
{
    struct answer *answer = &t->answer;
    curl_off_t retry_after_s = 0;
    long status = 0;
    const char *scheme = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    curl_easy_getinfo(t->easy, CURLINFO_SCHEME, &scheme);
    answer->code = code;
    answer->leavings = is_leavings(t, code, status);
    answer->status = scheme && !strcasecmp(scheme, "file") && !code ? 200 : status;
    answer->retry_after_ms = retry_after_s > 0 && retry_after_s < INT32_MAX ? retry_after_s * 1000 : -1;
    answer->fault = t->fault[0] ? t->fault : curl_easy_strerror(code);
    answer->body = (struct str){buf_str(&t->body), (uint32_t)t->body.len, false};
    answer->etag = header_of(t->easy, "ETag", 0);
    answer->location = header_of(t->easy, "Location", 0);
    answer->link = link_of(t);
}

struct transfer *transfers_ended(struct transfers *ts)
{
    int left;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(ts->multi, &left))) {
        struct transfer *t = NULL;
        if (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t) || !t)
            continue;
        fill_answer(t, msg->data.result);
        return t;
    }
    return NULL;
}

void transfer_release(struct transfers *ts, struct transfer *t)
{
    curl_multi_remove_handle(ts->multi, t->easy);
    transfer_reset(t);
    if (t->body.cap > BODY_KEPT_BYTES)
        buf_free(&t->body);
    t->body.len = 0;
    t->in_flight = false;
    ts->n_in_flight--;
}
