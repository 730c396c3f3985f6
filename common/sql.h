/* The files of sql/, embedded at build time by sql/embed.awk: sql/load/run.sql is sql_load_run, and all files of
 * sql/migrations/, in the order of their names and with a NULL behind them, are sql_migrations[]. */
#ifndef COMMON_SQL_H
#define COMMON_SQL_H

struct query {
    const char *name;      /* "load/run.sql", for messages */
    const char *text;
};

#include "sql_embedded.h"

#endif
