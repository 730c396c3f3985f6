#include "load/migrate.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what is embedded, and what the database has ---- */

static int version_of(const struct query *migration)
{
    return (int)strtol(strchr(migration->name, '/') + 1, NULL, 10);
}

static const char *name_of(const struct query *migration)
{
    return strchr(migration->name, '/') + 1;
}

static int embedded(void)
{
    int n = 0;
    while (sql_migrations[n])
        n++;
    return n;
}

/* *ret_applied is NULL when there is no schema at all; else the caller clears it. */
static bool read_applied(struct pg *pg, PGresult **ret_applied, struct err *err)
{
    PGresult *result;
    if (!pg_select(pg, &sql_load_schema_exists, NULL, 0, &result, err))
        return false;
    bool exists = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    *ret_applied = NULL;
    return !exists || pg_select(pg, &sql_load_schema, NULL, 0, ret_applied, err);
}

/* What was applied must be what is embedded, as far as it goes. */
static bool check_applied(const PGresult *applied, struct err *err)
{
    bool ok = true;
    int n = PQntuples(applied), known = embedded();
    for (int i = 0; i < n; i++) {
        char version[16] = "", sha256[SHA256_HEX + 1] = "";
        if (i < known) {
            snprintf(version, sizeof version, "%d", version_of(sql_migrations[i]));
            sha256_of(sql_migrations[i]->text, strlen(sql_migrations[i]->text), sha256);
        }
        const char *name = PQgetvalue(applied, i, 1);
        if (i >= known || strcmp(version, PQgetvalue(applied, i, 0)) != 0)
            ok = err_add(err, ERR_CONFIG, "the schema has migration %s (version %s), which this load does not know: "
                         "it is a newer schema, install the release that made it", name, PQgetvalue(applied, i, 0));
        else if (strcmp(sha256, PQgetvalue(applied, i, 2)) != 0)
            ok = err_add(err, ERR_CONFIG, "schema migration %s has changed since it was applied: a new migration is "
                         "needed instead", name);
    }
    return ok;
}

bool schema_check(struct pg *pg, struct err *err)
{
    PGresult *applied;
    if (!read_applied(pg, &applied, err))
        return false;
    bool ok = !applied || check_applied(applied, err);
    int n = applied ? PQntuples(applied) : 0, wanted = embedded();
    PQclear(applied);
    if (ok && n == 0)
        return err_set(err, ERR_CONFIG, "the database has no schema yet: run load --migrate");
    if (ok && n < wanted)
        return err_set(err, ERR_CONFIG,
                       "the schema is at version %d and this load needs version %d: run load --migrate",
                       version_of(sql_migrations[n - 1]), version_of(sql_migrations[wanted - 1]));
    return ok;
}

/* ---- migrating ---- */

static bool apply(struct pg *pg, const struct query *migration, struct err *err)
{
    char version[16], sha256[SHA256_HEX + 1];
    snprintf(version, sizeof version, "%d", version_of(migration));
    sha256_of(migration->text, strlen(migration->text), sha256);
    const char *values[] = {version, name_of(migration), sha256};
    PGresult *result = NULL;
    bool ok = pg_run(pg, migration, NULL, err) && pg_select(pg, &sql_load_migrate_record, values, 3, &result, err);
    PQclear(result);
    if (ok)
        log_info("migration %s applied", name_of(migration));
    return ok;
}

static bool apply_missing(struct pg *pg, json_t *names, struct err *err)
{
    PGresult *applied;
    if (!read_applied(pg, &applied, err))
        return false;
    bool ok = !applied || check_applied(applied, err);
    for (int i = applied ? PQntuples(applied) : 0; ok && sql_migrations[i]; i++) {
        ok = apply(pg, sql_migrations[i], err);
        json_array_append_new(names, json_string(name_of(sql_migrations[i])));
    }
    PQclear(applied);
    return ok;
}

static bool run_all(struct pg *pg, const struct query *const *queries, struct err *err)
{
    for (; *queries; queries++)
        if (!pg_run(pg, *queries, NULL, err))
            return false;
    return true;
}

static bool write_catalogue(struct pg *pg, int64_t *ret_changed, struct err *err)
{
    *ret_changed = 0;
    for (int code = 1; code < DISC_COUNT; code++) {
        const struct catalogue_entry *c = &catalogue[code];
        char step[16];
        snprintf(step, sizeof step, "%d", c->step);
        const char *values[] = {c->code, step, severity_enumeration.names[c->severity], c->title_fr, c->title_en,
                                c->remedy_fr, c->remedy_en};
        PGresult *result;
        if (!pg_select(pg, &sql_load_discrepancy_code, values, 7, &result, err))
            return false;
        *ret_changed += PQntuples(result);
        PQclear(result);
    }
    return true;
}

bool migrate(struct pg *pg, struct stage_run *run, struct err *err)
{
    int64_t codes;
    json_t *names = json_array();
    bool ok = pg_run(pg, &sql_load_migrate_begin, NULL, err) && apply_missing(pg, names, err) &&
              run_all(pg, sql_roles, err) && run_all(pg, sql_functions, err) && run_all(pg, sql_views, err) &&
              write_catalogue(pg, &codes, err) && pg_run(pg, &sql_load_commit, NULL, err);
    if (ok) {
        int version = version_of(sql_migrations[embedded() - 1]);
        log_info("the schema is at version %d: %zu migrations applied, roles, functions and views stated anew, "
                 "%lld codes of the catalogue written", version, json_array_size(names), (long long)codes);
        json_object_set_new(run->report, "schema_version", json_integer(version));
        json_object_set(run->report, "migrations", names);
        json_object_set_new(run->report, "codes_changed", json_integer(codes));
    }
    json_decref(names);
    return ok;
}
