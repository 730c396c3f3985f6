/* A YAML file as nodes that know their line. Anchors and aliases are followed (an alias is a copy); duplicate keys,
 * tags and several documents are refused. ${NAME} and ${NAME:-default} in values are replaced from the environment (an
 * unset one without a default is a fault; the default stands for an empty one too), "$${" stands for "${"; a scalar
 * written `file:PATH` under a key that is a secret is read by whoever binds it. */
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include "common/err.h"
#include "common/mem.h"
#include "common/str.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* YAML_ALIASED_MAX: nodes that aliases may add by being followed. */
enum { YAML_BYTES_MAX = 64 << 20, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 4000000, YAML_ALIASED_MAX = 1000000 };

struct yaml {
    enum yaml_kind kind;
    int line;                    /* counts from 1; of a member: its key's */
    bool quoted;                 /* a quoted scalar is never null, a number or a boolean; one made of variables is not quoted */
    bool variable;               /* holds what a variable holds: never to be shown */
    bool used;                   /* set by yaml_get: what is left over is an unknown key */
    const char *text;            /* scalar, NUL-terminated; "" for null */
    struct yaml *next;           /* next element or member */
    struct yaml *child;          /* first element or member's value */
    const char *key;             /* of a member */
    const char *file;            /* where it was read, for messages */
    const char *fault;           /* NULL, or why the node cannot be used: yaml_faults tells it */
};

/* Reads a file's bytes. Fails only where the text is no YAML or beyond a limit: the other faults (unset variables,
 * duplicate keys) wait in the nodes for yaml_faults, for not every reader needs every value. */
bool yaml_parse(struct str text, const char *file, struct arena *a, struct yaml **ret, struct err *err);
/* Adds every fault at and below node to err; false when there is any. NULL has none. */
bool yaml_faults(const struct yaml *node, struct err *err);
/* Adds one fault "file:line: key: …" of kind ERR_CONFIG. Returns false. */
bool yaml_fault(struct err *err, const struct yaml *node, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same of what kept the node from being used, and of its kind: no memory is no fault of the configuration. */
bool yaml_fault_behind(struct err *err, const struct yaml *node, const struct err *behind);
/* A quoted scalar as if written in file at line, for values that come from elsewhere; variables: replace them. */
struct yaml *yaml_scalar(struct arena *a, const char *file, int line, struct str text, bool variables);

/* A map's value by key, marked as used; NULL when absent or when map is NULL. */
struct yaml *yaml_get(struct yaml *map, const char *key);
/* A map's first member; NULL when there is none, or when node is NULL or no map: elements of a list have no key. */
struct yaml *yaml_members(const struct yaml *node);
bool yaml_is_null(const struct yaml *node);
/* All of it again, in the arena, without key and with nothing marked as used. */
struct yaml *yaml_copy(struct arena *a, const struct yaml *node);
/* Copies of `over`'s members laid over `base`'s, map by map; for overriding a description in place. Lists and scalars
 * are replaced whole. */
struct yaml *yaml_overlay(struct arena *a, struct yaml *base, struct yaml *over);
/* Adds one fault "file:line: unknown key …" for every member below node that was never asked for. */
void yaml_unused(const struct yaml *node, struct err *err);

#endif
