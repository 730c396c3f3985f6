/* Binding a YAML map to a struct through a table of keys: one row gives a key's place, type, limits and default, and
 * with them its parsing, its messages and what is an unknown key. */
#ifndef COMMON_CONFIG_KEYS_H
#define COMMON_CONFIG_KEYS_H

#include "common/config.h"

enum key_type {
    KEY_SECTION,           /* a map whose keys are in the table as well; nothing is stored */
    KEY_MAP, KEY_LIST,     /* for whoever asks for it with yaml_get; nothing is stored */
    KEY_TEXT,              /* const char *, 1..max bytes */
    KEY_SECRET,            /* const char *, see config_secret */
    KEY_ID,                /* const char *, see company_id_valid */
    KEY_SIREN, KEY_SIRET,  /* const char *, the digits alone */
    KEY_DATE,              /* date_t */
    KEY_BOOL,              /* bool */
    KEY_COUNT,             /* int64_t, as are the next: min..max */
    KEY_DAYS,              /* "10d" */
    KEY_DURATION,          /* "36h", "30m", "2d": seconds */
    KEY_PERCENT,           /* "50%": parts per million */
    KEY_EUROS,             /* "0.01": cents */
    KEY_REJECT_LIMIT       /* "10" or "1%": reject_limit_count and reject_limit_ppm of a struct config */
};

struct key {
    const char *path;      /* below the map: "staging.dir"; sections come before what is in them */
    enum key_type type;
    size_t offset;         /* in the struct */
    bool required;
    const char *fallback;  /* value when absent or null, as it would be written; NULL: null */
    int64_t min, max;
};

/* Fills base from map; adds every fault to err, unknown keys too. Faults that the nodes carry are left to yaml_faults.
 * base's field of a key at fault holds null. */
void keys_bind(struct arena *a, struct yaml *map, const struct key *keys, size_t n, void *base, struct err *err);

/* Makes the value of a key null, with its faults: a secret that this stage has no use for. */
void keys_forget(struct yaml *map, const char *path);

/* companies.c: a list of companies, each bound, and then checked against each other. The faults that their nodes carry are
 * left to yaml_faults. */
void companies_bind(struct config *c, const struct yaml *list, enum stage stage, struct err *err);
/* The same in steps: room for n companies; one after the other; the check, where file is for messages, and
 * their order, by id. */
void companies_begin(struct config *c, int n);
void company_bind(struct config *c, struct yaml *node, enum stage stage, struct err *err);
void companies_end(struct config *c, const char *file, struct err *err);

/* companies_file.c: the companies of a CSV file, whose bytes are added to the digest. Every fault is added to err, those
 * of nodes as well. */
struct sha256;
void companies_file_bind(struct config *c, const char *path, enum stage stage, struct sha256 *digest, struct err *err);

#endif
