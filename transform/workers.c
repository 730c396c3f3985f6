#include "transform/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/thread.h"
#include "transform/company.h"

enum { BAR_MS = 50 };

static const char ECHO[] = "stopped as another worker did";   /* no reason of its own */

/* What the processes share: the next part, the stop sign, how far they are, and each one's error. */
struct shared {
    atomic_int next_part;
    atomic_bool stop;
    atomic_long companies;
    atomic_llong records;
    atomic_llong found[severity_count];
    struct err err[];
};

struct crew {
    const struct stage_run *run;
    const struct rules *rules;
    const struct staging_in *in;
    const struct staging_out *out;
    struct shared *shared;
};

static long long rows_of(const struct company *c)
{
    long long rows = 0;
    for (uint32_t i = 0; i < c->ranges.n; i++)
        rows += ((const struct range *)list_at(c->ranges, sizeof(struct range), i))->rows;
    return rows;
}

static bool transform_companies(struct crew *crew, struct part_in *in, struct part *out, struct arena *arena,
                                struct err *err)
{
    struct company company;
    int64_t found[severity_count] = {0};
    while (part_next_company(in, arena, &company, err)) {
        if (stage_stopped(err))
            return false;
        if (atomic_load(&crew->shared->stop))
            return err_set(err, ERR_TRY_AGAIN, "%s", ECHO);
        atomic_fetch_add(&crew->shared->companies, 1);
        atomic_fetch_add(&crew->shared->records, rows_of(&company));
        if (stage_selects(crew->run, company.company_id) &&
            !company_transform(crew->rules, in, &company, arena, out, found, err))
            return false;
        arena_reset(arena);
    }
    for (int i = 0; i < severity_count; i++)
        atomic_fetch_add(&crew->shared->found[i], found[i]);
    return err->kind == ERR_NONE;
}

/* The part's output, settled in *ret; what is left to do is part_commit. */
static bool transform_part(struct crew *crew, int number, struct arena *arena, struct part *ret, struct err *err)
{
    struct part_in in;
    if (!part_stream(&in, crew->in, number, err))
        return false;
    part_begin(ret, crew->out, number);
    buf_reserve(&ret->index, (size_t)in.index_left.len * 5 / 4);  /* as much as came, and some more ranges */
    bool ok = transform_companies(crew, &in, ret, arena, err);
    if (ok || err->kind != ERR_TRY_AGAIN)  /* not the manifest's bytes: that explains any other fault */
        ok = part_verify(&in, err) && ok;
    ok = ok && part_settle(ret, err);
    if (!ok)
        part_abandon(ret);
    part_close(&in);
    return ok;
}

/* A part on its way to the disk, by a thread: who waits for a disk leaves the core to the next part. */
struct committing {
    struct part part;
    struct err err;
    pthread_t thread;
    bool begun, threaded, ok;
};

static void *commit(void *arg)
{
    struct committing *c = arg;
    c->ok = part_commit(&c->part, &c->err);
    return NULL;
}

static void commit_begin(struct committing *c, const struct part *made)
{
    *c = (struct committing){.part = *made, .begun = true};
    c->threaded = thread_start(&c->thread, commit, c);
    if (!c->threaded)
        commit(c);
}

static bool commit_end(struct committing *c, struct err *err)
{
    if (!c->begun)
        return true;
    if (c->threaded)
        pthread_join(c->thread, NULL);
    c->begun = false;
    if (!c->ok)
        *err = c->err;
    return c->ok;
}

/* One worker: parts until there are none left. */
static bool work(struct crew *crew, struct err *err)
{
    struct arena arena = {0};
    struct committing before = {0};
    bool ok = true;
    for (int number; ok && (number = atomic_fetch_add(&crew->shared->next_part, 1)) < crew->in->n_parts;) {
        struct part made;
        ok = transform_part(crew, number, &arena, &made, err);
        if (ok && !commit_end(&before, err)) {
            part_abandon(&made);
            ok = false;
        }
        if (ok)
            commit_begin(&before, &made);
    }
    arena_free(&arena);
    struct err less = {0};   /* than what ended the work before */
    return commit_end(&before, ok ? err : &less) && ok;
}

static void worker_main(struct crew *crew, int number, pid_t parent)
{
    struct err *err = &crew->shared->err[number];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)  /* it died before the line above */
        _exit(ERR_TRY_AGAIN);
    if (work(crew, err))
        _exit(0);
    atomic_store(&crew->shared->stop, true);
    _exit(err->kind);
}

/* The error that counts: the first one in order of workers, one that another try does not heal before the others. Where
 * there are but echoes of a stop, it was this process that asked for it. */
static bool worst(const struct shared *shared, int workers, struct err *err)
{
    bool all_well = true;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < workers; i++) {
            const struct err *e = &shared->err[i];
            all_well &= e->kind == ERR_NONE;
            if (e->kind != ERR_NONE && (pass == 0 ? e->kind != ERR_TRY_AGAIN : strcmp(e->text, ECHO) != 0)) {
                *err = *e;
                return false;
            }
        }
    return all_well || err_set(err, ERR_TRY_AGAIN, "stopped by a signal; run it again to go on");
}

static void note_end(struct shared *shared, int worker, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    atomic_store(&shared->stop, true);
    struct err *err = &shared->err[worker];
    if (err->kind != ERR_NONE)
        return;
    if (WIFEXITED(status))
        err_set(err, (enum err_kind)WEXITSTATUS(status), "a worker ended with status %d", WEXITSTATUS(status));
    else
        err_set(err, WTERMSIG(status) == SIGKILL ? ERR_TRY_AGAIN : ERR_BUG, "a worker was killed by signal %d",
                WTERMSIG(status));
}

static sigset_t ends_of_workers(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return set;
}

/* Until a worker ends, somebody asks for a stop, or the bar is due. */
static void nap(void)
{
    const struct timespec most = {0, BAR_MS * 1000000L};
    const sigset_t ends = ends_of_workers();
    (void)sigtimedwait(&ends, NULL, &most);
}

/* Waits for all workers, drawing the progress bar and passing a stop request on. */
static void supervise(struct shared *shared, const pid_t *pid, int workers)
{
    int left = workers;
    while (left) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        for (int i = 0; ended > 0 && i < workers; i++)
            if (pid[i] == ended) {
                note_end(shared, i, status);
                left--;
            }
        if (ended < 0 && errno == ECHILD)
            return;
        if (stop_requested)
            atomic_store(&shared->stop, true);
        progress_step(atomic_load(&shared->companies), atomic_load(&shared->records));
        if (ended == 0)
            nap();
    }
}

static bool fork_workers(struct crew *crew, int workers, struct err *err)
{
    pid_t *pid = mem_alloc((size_t)workers * sizeof *pid), parent = getpid();
    const sigset_t ends = ends_of_workers();
    int started = 0;
    sigprocmask(SIG_BLOCK, &ends, NULL);  /* it waits for whoever naps: none is missed */
    for (; started < workers; started++) {
        pid[started] = fork();
        if (pid[started] == 0)
            worker_main(crew, started, parent);
        if (pid[started] < 0)
            break;
    }
    if (started == 0)
        err_errno(err, ERR_TRY_AGAIN, "cannot start a worker process");
    supervise(crew->shared, pid, started);
    free(pid);
    return started && worst(crew->shared, started, err);
}

bool workers_run(const struct stage_run *run, const struct rules *rules, const struct staging_in *in,
                 const struct staging_out *out, int jobs, int64_t found[severity_count], struct err *err)
{
    int workers = jobs < in->n_parts ? jobs : in->n_parts;
    size_t size = sizeof(struct shared) + (size_t)(workers > 0 ? workers : 1) * sizeof(struct err);
    struct shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return err_errno(err, ERR_TRY_AGAIN, "cannot share memory with workers");
    struct crew crew = {run, rules, in, out, shared};
    bool ok = workers > 1 ? fork_workers(&crew, workers, err) : work(&crew, err);
    if (workers <= 1)
        progress_step(atomic_load(&shared->companies), atomic_load(&shared->records));
    for (int i = 0; i < severity_count; i++)
        found[i] = atomic_load(&shared->found[i]);
    munmap(shared, size);
    return ok;
}
