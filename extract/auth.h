/* Credentials of requests, and OAuth tokens got with client credentials (RFC 6749, 4.4). There is one token per
 * distinct credential: whoever needs it waits for the one request that asks for it. It is renewed before it expires and
 * when the source refuses it. */
#ifndef EXTRACT_AUTH_H
#define EXTRACT_AUTH_H

#include "extract/answer.h"

/* Secrets; header is "Name: value". Either may be NULL. */
struct credential {
    const char *bearer, *header;
};

/* What a request presents under every kind of auth but client credentials; in the arena. ERR_CONFIG when it is empty or
 * could not be sent as it is. */
bool credential_of(const struct request *request, struct arena *a, struct credential *ret, struct err *err);

enum token_state {
    TOKEN_WANTED,          /* to be asked for, from tries.ready_at_ms on */
    TOKEN_ASKED,           /* its request is in flight */
    TOKEN_READY,
    TOKEN_FAILED           /* failure tells why */
};

struct token {
    const struct source *source;
    char *url, *form;              /* form holds the secret */
    enum token_state state;
    char *value;
    int64_t renew_at_ms;
    int generation;                /* counts the values it has had */
    int users;
    struct tries tries;
    struct err *failure;
};

struct tokens {
    struct token **item;
    int n, cap;
};

/* The token of a request's credential, with one more user. ERR_CONFIG when its URL may not be asked. */
bool tokens_get(struct tokens *ts, const struct request *request, struct token **ret, struct err *err);
/* The user is gone. A refused credential stays refused; a server that could not be reached is asked again by the next.
 */
void token_leave(struct token *t);
void tokens_free(struct tokens *ts);

/* READY turns into WANTED when the time to renew has come. */
enum token_state token_state(struct token *t, int64_t now_ms);
/* The source refused this value: unless there is a newer one already, it is wanted again. */
void token_refused(struct token *t, int generation);
/* What to post for it. */
struct ask token_ask(struct token *t, int64_t now_ms);
/* Takes what came back: READY, WANTED again after a wait, or FAILED. */
void token_answered(struct token *t, const struct answer *answer, const struct ask *ask, int64_t now_ms,
                    uint64_t random);

#endif
