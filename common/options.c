/* The command line: one table of options is parser, help and error messages. */
#include <stdio.h>
#include <stdlib.h>

#include "common/stage.h"

enum { EXTRACT = 1 << STAGE_EXTRACT, TRANSFORM = 1 << STAGE_TRANSFORM, LOAD = 1 << STAGE_LOAD,
       ALL = EXTRACT | TRANSFORM | LOAD };
enum { SHARDS_MAX = 100000, JOBS_MAX = 256, TEXT_BYTES_MAX = 4096, HELP_COLUMN = 28 };

enum option_type { TYPE_FLAG, TYPE_TEXT, TYPE_RUN_ID, TYPE_PERIOD, TYPE_COMPANY, TYPE_SHARD, TYPE_INSTANT, TYPE_JOBS,
                   TYPE_CHOICE };

struct option {
    const char *name;
    const char *argument;         /* as help shows it; NULL for a flag; of a choice: the choices, in the enum's order */
    unsigned stages;
    enum option_type type;
    size_t offset;
    const char *help;
};

#define AT(field) offsetof(struct options, field)

static const struct option options[] = {
    {"config", "FILE", ALL, TYPE_TEXT, AT(config), "configuration; default: pipeline.yaml"},
    {"period", "YYYY-MM", ALL, TYPE_PERIOD, AT(period), "payroll month; default: the current month (UTC)"},
    {"run-id", "ID", EXTRACT, TYPE_RUN_ID, AT(run_id),
     "name of the run; default: the newest unfinished run, else PERIOD-YYYYMMDDTHHMMSSZ"},
    {"run-id", "ID", TRANSFORM | LOAD, TYPE_RUN_ID, AT(run_id),
     "run to read; default: the newest complete run of the period"},
    {"staging", "DIR", ALL, TYPE_TEXT, AT(staging), "staging directory; default: staging.dir of the configuration"},
    {"company", "ID", ALL, TYPE_COMPANY, AT(companies), "only this company; repeatable"},
    {"shard", "I/N", ALL, TYPE_SHARD, AT(shard), "only the companies in shard I of N, counted from 0"},
    {"as-of", "TIMESTAMP", ALL, TYPE_INSTANT, AT(as_of),
     "instant that stands for now, RFC 3339; default: when extract began"},
    {"jobs", "N", ALL, TYPE_JOBS, AT(jobs),
     "parallel transfers (extract; default: 16), worker processes (transform; default: the cores), 1 to 256"},
    {"dry-run", NULL, ALL, TYPE_FLAG, AT(dry_run), "everything but publishing"},
    {"check", NULL, EXTRACT, TYPE_FLAG, AT(check),
     "check the configuration, authenticate, read one record of every entity, write nothing"},
    {"migrate", NULL, LOAD, TYPE_FLAG, AT(migrate), "create or upgrade the database schema, load nothing"},
    {"close", NULL, LOAD, TYPE_FLAG, AT(close), "close the payroll month for the selected companies, load nothing"},
    {"reopen", NULL, LOAD, TYPE_FLAG, AT(reopen), "reopen the payroll month for the selected companies, load nothing"},
    {"note", "TEXT", LOAD, TYPE_TEXT, AT(note), "why, kept with --close or --reopen, which needs it"},
    {"allow-empty", NULL, LOAD, TYPE_FLAG, AT(allow_empty),
     "accept that nothing was found for a company that had contributions"},
    {"log-format", "text|json", ALL, TYPE_CHOICE, AT(log_format), "of the messages on stderr; default: text"},
    {"log-level", "error|warning|info|debug", ALL, TYPE_CHOICE, AT(log_level), "default: info"},
    {"progress", "auto|always|never", ALL, TYPE_CHOICE, AT(progress),
     "progress bar on stderr; auto: when it is a terminal and messages are text"},
    {"quiet", NULL, ALL, TYPE_FLAG, AT(quiet), "warnings and errors only"},
    {"help", NULL, ALL, TYPE_FLAG, AT(help), "show this and exit"},
    {"version", NULL, ALL, TYPE_FLAG, AT(version), "show the version and exit"},
};
enum { OPTIONS = sizeof options / sizeof *options };

/* Each option of a pair contradicts the other. */
static const struct {
    const char *one, *other;
    size_t one_at, other_at;
} contradictions[] = {
#define PAIR(one, one_field, other, other_field) {one, other, AT(one_field), AT(other_field)}
    PAIR("--check", check, "--dry-run", dry_run),
    PAIR("--close", close, "--reopen", reopen),
    PAIR("--migrate", migrate, "--close", close),
    PAIR("--migrate", migrate, "--reopen", reopen),
    PAIR("--migrate", migrate, "--dry-run", dry_run),
    PAIR("--migrate", migrate, "--allow-empty", allow_empty),
    PAIR("--close", close, "--dry-run", dry_run),
    PAIR("--close", close, "--allow-empty", allow_empty),
    PAIR("--reopen", reopen, "--dry-run", dry_run),
    PAIR("--reopen", reopen, "--allow-empty", allow_empty),
};

/* ---- values ---- */

static bool parse_whole(struct str s, int64_t min, int64_t max, int *ret)
{
    int64_t n;
    if (!money_parse_int(s, &n) || n < min || n > max)
        return false;
    *ret = (int)n;
    return true;
}

static bool parse_shard(const char *s, struct options *o)
{
    const char *slash = strchr(s, '/');
    int shard, shards;
    if (!slash || !parse_whole(str_of(slash + 1), 1, SHARDS_MAX, &shards) ||
        !parse_whole((struct str){s, (uint32_t)(slash - s), false}, 0, shards - 1, &shard))
        return false;
    o->shard = shard;
    o->shards = shards;
    return true;
}

/* Finds s among "a|b|c" and stores its place. */
static bool parse_choice(const char *choices, const char *s, int *ret)
{
    size_t len = strlen(s);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == len && strncmp(choices, s, n) == 0) {
            *ret = i;
            return true;
        }
        if (!choices[n])
            return false;
        choices += n + 1;
    }
}

static bool add_company(struct options *o, const char *id)
{
    if (!company_id_valid(id))
        return false;
    o->companies = mem_realloc(o->companies, ((size_t)o->n_companies + 1) * sizeof *o->companies);
    o->companies[o->n_companies++] = id;
    return true;
}

static bool parse_text(const char *s, const char **ret)
{
    if (!*s || strlen(s) > TEXT_BYTES_MAX)
        return false;
    *ret = s;
    return true;
}

static bool parse_run_id(const char *s, const char **ret)
{
    if (!run_id_valid(s))
        return false;
    *ret = s;
    return true;
}

static const char *expected(enum option_type type)
{
    static const char *const texts[] = {
        [TYPE_TEXT] = "1 to 4096 bytes of text",
        [TYPE_RUN_ID] = "1 to 64 letters, digits, dots, dashes or underscores, not beginning with a dot or a dash",
        [TYPE_PERIOD] = "a month as YYYY-MM",
        [TYPE_COMPANY] = "a company id of the configuration",
        [TYPE_SHARD] = "I/N with 0 <= I < N",
        [TYPE_INSTANT] = "an instant such as 2026-11-23T02:00:00Z",
        [TYPE_JOBS] = "a whole number from 1 to 256",
    };
    return texts[type];
}

static bool set_value(struct options *o, const struct option *option, const char *s, struct err *err)
{
    void *at = (char *)o + option->offset;
    bool ok = false;
    switch (option->type) {
    case TYPE_FLAG:
        *(bool *)at = true;
        return true;
    case TYPE_TEXT: ok = parse_text(s, at); break;
    case TYPE_RUN_ID: ok = parse_run_id(s, at); break;
    case TYPE_PERIOD: ok = month_parse(str_of(s), at); break;
    case TYPE_COMPANY: ok = add_company(o, s); break;
    case TYPE_SHARD: ok = parse_shard(s, o); break;
    case TYPE_INSTANT: ok = instant_parse(str_of(s), at); break;
    case TYPE_JOBS: ok = parse_whole(str_of(s), 1, JOBS_MAX, at); break;
    case TYPE_CHOICE: ok = parse_choice(option->argument, s, at); break;
    }
    const char *want = option->type == TYPE_CHOICE ? option->argument : expected(option->type);
    return ok || err_set(err, ERR_USAGE, "--%s: expected %s, found \"%.80s\"", option->name, want, s);
}

/* ---- the command line ---- */

static const struct option *option_named(enum stage stage, const char *name, size_t len)
{
    for (int i = 0; i < OPTIONS; i++)
        if (options[i].stages >> stage & 1 && strlen(options[i].name) == len &&
            strncmp(options[i].name, name, len) == 0)
            return &options[i];
    return NULL;
}

/* Changes of one letter between two words; rows of the usual table, one at a time. */
static int distance(const char *a, size_t a_len, const char *b)
{
    enum { WORD_MAX = 32 };
    int row[WORD_MAX + 1];
    size_t b_len = strlen(b);
    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < step ? change : step;
        }
    }
    return row[b_len];
}

static bool refuse_unknown(enum stage stage, const char *name, size_t len, struct err *err)
{
    const struct option *closest = NULL;
    int least = 3; /* more than two changes are another word */
    for (int i = 0; i < OPTIONS; i++) {
        int d = distance(name, len, options[i].name);
        if (options[i].stages >> stage & 1 && d < least) {
            closest = &options[i];
            least = d;
        }
    }
    if (closest)
        return err_set(err, ERR_USAGE, "unknown option --%.*s; did you mean --%s?", (int)len, name, closest->name);
    return err_set(err, ERR_USAGE, "unknown option --%.*s; --help lists the options", (int)len, name);
}

/* Takes one argument, or two where a value follows. */
static bool parse_argument(struct options *o, enum stage stage, char **argv, int *at, struct err *err)
{
    const char *argument = argv[*at];
    if (strncmp(argument, "--", 2) != 0 || !argument[2])
        return err_set(err, ERR_USAGE, "unexpected argument \"%.80s\"; --help lists the options", argument);
    const char *name = argument + 2;
    size_t len = strcspn(name, "=");
    const struct option *option = option_named(stage, name, len);
    if (!option)
        return refuse_unknown(stage, name, len < 80 ? len : 80, err);
    const char *value = name[len] ? name + len + 1 : NULL;
    if (option->type == TYPE_FLAG && value)
        return err_set(err, ERR_USAGE, "--%s takes no value", option->name);
    if (option->type == TYPE_FLAG)
        value = "";
    else if (!value)
        value = argv[++*at];
    if (!value)
        return err_set(err, ERR_USAGE, "--%s needs a value: %s", option->name, option->argument);
    return set_value(o, option, value, err);
}

static bool flag_at(const struct options *o, size_t offset)
{
    return *(const bool *)((const char *)o + offset);
}

static bool check_contradictions(const struct options *o, struct err *err)
{
    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++)
        if (flag_at(o, contradictions[i].one_at) && flag_at(o, contradictions[i].other_at))
            return err_set(err, ERR_USAGE, "%s and %s contradict each other", contradictions[i].one,
                           contradictions[i].other);
    if (o->note && !o->close && !o->reopen)
        return err_set(err, ERR_USAGE, "--note goes with --close or --reopen");
    if (o->reopen && !o->note)
        return err_set(err, ERR_USAGE, "--reopen needs --note: the reason, which is kept");
    return true;
}

/* ---- array jobs ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* A shard from a pair of variables. Half a pair is refused: every job of the array would do all the work. */
static bool shard_from(struct options *o, const char *index_name, const char *count_name, bool *ret_found,
                       struct err *err)
{
    const char *index = variable(index_name), *count = variable(count_name);
    *ret_found = index || count;
    if (!*ret_found)
        return true;
    if (!index || !count)
        return err_set(err, ERR_USAGE, "%s is set without %s; set both, or give --shard (0/1 for all companies)",
                       index ? index_name : count_name, index ? count_name : index_name);
    char shard[64];
    snprintf(shard, sizeof shard, "%.30s/%.30s", index, count);
    return parse_shard(shard, o) || err_set(err, ERR_USAGE, "%s=%.30s and %s=%.30s: expected an index from 0, below "
                                            "the count", index_name, index, count_name, count);
}

static bool shard_from_environment(struct options *o, struct err *err)
{
    bool found;
    return shard_from(o, "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", &found, err) &&
           (found || shard_from(o, "JOB_COMPLETION_INDEX", "SHARD_COUNT", &found, err));
}

bool options_parse(struct options *o, enum stage stage, int argc, char **argv, instant_t now, struct err *err)
{
    *o = (struct options){.config = "pipeline.yaml", .period = month_of(instant_date(now)), .as_of = INSTANT_NONE,
                          .log_level = LOG_INFO};
    for (int at = 1; at < argc && !o->help && !o->version; at++)
        if (!parse_argument(o, stage, argv, &at, err))
            return false;
    if (o->help || o->version)
        return true;
    if (!o->shards && !shard_from_environment(o, err))
        return false;
    if (!o->shards)
        o->shards = 1;
    return check_contradictions(o, err);
}

void options_free(struct options *o)
{
    free(o->companies);
    *o = (struct options){0};
}

void options_help(enum stage stage)
{
    static const char *const purposes[] = {
        [STAGE_EXTRACT] = "Reads every source and stages canonical records.",
        [STAGE_TRANSFORM] = "Turns staged records into contributions and discrepancies.",
        [STAGE_LOAD] = "Publishes transformed records to PostgreSQL, in one transaction.",
    };
    const char *name = stage_enumeration.names[stage];
    printf("Usage: %s [OPTION]…\n%s Messages go to stderr, one line of JSON to stdout.\n\n", name, purposes[stage]);
    for (int i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        if (!(o->stages >> stage & 1))
            continue;
        int width = printf("  --%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        if (width > HELP_COLUMN - 2)
            printf("\n%*s%s\n", HELP_COLUMN, "", o->help);
        else
            printf("%*s%s\n", HELP_COLUMN - width, "", o->help);
    }
    printf("\nWithout --shard it is read from SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, or from\n"
           "JOB_COMPLETION_INDEX and SHARD_COUNT.\n\n"
           "Exit status: 0 done, 3 done in part, 64 usage, 65 bad data, 66 input missing, 69 service unavailable,\n"
           "70 bug, 73 cannot create output, 74 input/output error, 75 try again later, 77 refused, 78 configuration.\n");
}
