/* A YAML file as nodes that know their line. Anchors and aliases are followed; duplicate keys, tags and several
 * documents are refused. ${NAME} and ${NAME:-default} in scalars are replaced from the environment (an unset one without
 * a default is a fault), "$${" stands for "${"; a scalar written `file:PATH` under a key that is a secret is read by
 * whoever binds it. */
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include "common/err.h"
#include "common/mem.h"
#include "common/str.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

enum { YAML_BYTES_MAX = 64 << 20, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 4000000 };

struct yaml {
    enum yaml_kind kind;
    int line;                    /* counts from 1 */
    bool quoted;                 /* a quoted scalar is never null, a number or a boolean */
    const char *text;            /* scalar, NUL-terminated; "" for null */
    struct yaml *next;           /* next element or member */
    struct yaml *child;          /* first element or member's value */
    const char *key;             /* of a member */
    const char *file;            /* where it was read, for messages */
    bool used;                   /* set by yaml_get: what is left over is an unknown key */
};

/* Reads a file; all faults it can find (unset variables, duplicate keys) are added to err, one a line with file:line. */
bool yaml_read(const char *path, struct arena *a, struct yaml **ret, struct err *err);
/* A map's value by key, marked as used; NULL when absent or when map is NULL. */
struct yaml *yaml_get(struct yaml *map, const char *key);
bool yaml_is_null(const struct yaml *node);
/* Copies of `over`'s members laid over `base`'s, map by map; for overriding a description in place. */
struct yaml *yaml_overlay(struct arena *a, struct yaml *base, struct yaml *over);
/* Adds one fault "file:line: unknown key …; known: …" for every member below node that was never asked for. */
void yaml_unused(const struct yaml *node, struct err *err);

#endif
