/*
 * Whole offices in one process: each is driven by the verbs of office/office.h, on a real store and a real mark in a
 * scratch folder, with wires in memory between them. Clock and entropy come from a seed, and nothing else decides, so
 * that a run is a seed: the same one sends the same bytes (struct world's `trace`).
 *
 * A site is what src/host is to an office: it runs jobs as src/host/worker.c does, in its order, and can be crashed
 * between any two steps of a job. Syncs do nothing here: what a power cut loses is the business of tests/end.
 */
#ifndef LIAISON_TESTS_OFFICE_WORLD_H
#define LIAISON_TESTS_OFFICE_WORLD_H

#include <errno.h>
#include <sys/syscall.h>

#include "office/engine.h"
#include "store/scratch.h"

#define SITES_MAX 4
#define WIRES_MAX 256
#define REQUESTS_MAX 4096
#define JOBS_MAX 128
#define TOLD_MAX 4096
#define LOG_ROOM 65536
#define ROUNDS_MAX 100000 /* of one moment */
#define WALL_US (UINT64_C(1800000000) * SECOND_US)

/* Where a job ends when its office crashes. */
enum crash { CRASH_NONE, CRASH_STAGED, CRASH_MARK_ONLY, CRASH_DATABASE_ONLY, CRASH_COMMITTED };

struct told {
    unsigned member;
    uint64_t number;
    bool readable, early;
    unsigned names; /* entries that it answers or acknowledges */
    char text[48];
};

struct site {
    struct world *world;
    unsigned me;
    char name[NAME_SIZE];
    struct buffer card;
    uint8_t key[OFFICE_KEY_SIZE];
    char database[300], mark_path[300];
    int64_t wall_us; /* how far this site's wall clock is from the others' */
    struct office_config config;
    struct store *store;
    struct mark *mark;
    struct buffer content; /* what the mark holds, but for a job that is out */
    struct office *office; /* NULL: down */
    bool held;             /* jobs are taken, and wait */
    struct office_job *job[JOBS_MAX];
    size_t jobs;
    unsigned starts;
    unsigned dialled;
    size_t told_count;
    struct told *told; /* since the last start */
    char log[LOG_ROOM];
    size_t log_size;
};

/* One end of a wire; what the other end wrote and this one has not read yet lies in `in`. */
struct wire_end {
    struct site *site;
    int link;
    bool open;    /* nobody told this office that it is over */
    bool closing; /* it said OFFICE_CLOSE: over once what it has to say is out */
    bool ended;   /* the other end is gone: over once `in` is read */
    struct buffer in;
};

struct wire {
    bool used;
    bool deaf; /* what is written disappears, and nobody is told */
    size_t carried;
    struct wire_end end[2];
};

struct world {
    unsigned count;
    uint64_t seed, random, us, trace;
    struct amount quota; /* of the line that is founded; 0: the default */
    bool rough;          /* pieces, delays, jobs that take their time */
    size_t life;         /* bytes that a wire carries before it is cut; 0: any number */
    unsigned cuts;
    bool blocked[SITES_MAX][SITES_MAX];
    struct site site[SITES_MAX];
    struct wire wire[WIRES_MAX];
    uint64_t request;
    struct office_event *reply[REQUESTS_MAX];
    unsigned replies[REQUESTS_MAX];
};

/* --- the disk --- */

static const char *world_full_disk; /* the database that finds no room; NULL: none */

int fdatasync(int fd)
{
    return fd < 0 ? -1 : 0;
}

int fsync(int fd)
{
    return fd < 0 ? -1 : 0;
}

int sync_file_range(int fd, off_t from, off_t size, unsigned flags)
{
    (void)from;
    (void)size;
    (void)flags;
    return fd < 0 ? -1 : 0;
}

static inline ssize_t world_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    char link[64], path[400] = {0};

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (world_full_disk != NULL && readlink(link, path, sizeof path - 1) > 0 &&
        strncmp(path, world_full_disk, strlen(world_full_disk)) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

/* On a virtual disk there is nothing to intercept. */
static inline void world_intercept(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    if (vfs->xSetSystemCall == NULL)
        return;
    (void)vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)(void (*)(void))world_pwrite);
    (void)vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)(void (*)(void))world_pwrite);
}

/* --- small things --- */

/* More than 0 while the world takes memory for itself: what an allocation of an office's may do is another matter. */
static volatile unsigned world_own_memory;

static inline void *world_memory(size_t count, size_t size)
{
    void *memory = NULL;

    world_own_memory += 1;
    memory = calloc(count, size);
    world_own_memory -= 1;
    if (memory == NULL)
        abort();
    return memory;
}

static inline void world_put(struct buffer *buffer, struct span bytes)
{
    world_own_memory += 1;
    buffer_put_span(buffer, bytes);
    world_own_memory -= 1;
}

/* What cannot go wrong in a test has gone wrong: nothing after it would mean anything. */
static inline void world_must(bool good, const struct error *error)
{
    if (good)
        return;
    printf("# the test itself failed: %s\n", error->message);
    fflush(stdout);
    abort();
}

static inline uint64_t world_random(struct world *world, uint64_t below)
{
    uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static inline bool world_chance(struct world *world, unsigned percent)
{
    return world_random(world, 100) < percent;
}

static inline void world_note(struct world *world, struct span bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        world->trace = (world->trace ^ bytes.data[i]) * UINT64_C(0x100000001b3);
}

static inline struct now site_now(const struct site *site)
{
    return (struct now){.monotonic = {site->world->us}, .wall = {WALL_US + site->world->us + (uint64_t)site->wall_us}};
}

static inline struct site *site_of(struct world *world, unsigned number)
{
    return &world->site[number];
}

static inline struct span line_name(void)
{
    return span_of_string("talks");
}

static inline struct line *site_line(const struct site *site)
{
    return site->office->line[0];
}

static inline bool site_said(const struct site *site, const char *what)
{
    return strstr(site->log, what) != NULL;
}

static inline bool site_alarmed(const struct site *site, const char *what)
{
    for (size_t i = 0; i < office_alarm_count(site->office); i++)
        if (strstr(office_alarm(site->office, i), what) != NULL)
            return true;
    return false;
}

/* --- wires --- */

static inline void wire_forget(struct wire *wire)
{
    buffer_free(&wire->end[0].in);
    buffer_free(&wire->end[1].in);
    *wire = (struct wire){0};
}

/* Tells one end that it is over. */
static inline void wire_break_end(struct wire *wire, unsigned end, const char *reason)
{
    struct wire_end *here = &wire->end[end];

    if (!here->open)
        return;
    here->open = false;
    wire->end[1 - end].ended = true;
    if (here->site->office != NULL)
        office_link_broken(here->site->office, here->link, reason, site_now(here->site));
    if (!wire->end[1 - end].open)
        wire_forget(wire);
}

static inline void wire_cut(struct wire *wire)
{
    if (!wire->used)
        return;
    wire_break_end(wire, 0, "the wire was cut");
    if (wire->used)
        wire_break_end(wire, 1, "the wire was cut");
}

static inline struct wire *wire_of(struct site *site, int link, unsigned *end)
{
    for (unsigned i = 0; i < WIRES_MAX; i++)
        for (*end = 0; *end < 2; ++*end) {
            struct wire_end *at = &site->world->wire[i].end[*end];

            if (site->world->wire[i].used && at->open && at->site == site && at->link == link)
                return &site->world->wire[i];
        }
    return NULL;
}

static inline struct wire *wire_new(struct world *world, struct site *from, int from_link, struct site *to, int to_link)
{
    for (unsigned i = 0; i < WIRES_MAX; i++) {
        struct wire *wire = &world->wire[i];

        if (wire->used)
            continue;
        *wire = (struct wire){.used = true};
        wire->end[0] = (struct wire_end){.site = from, .link = from_link, .open = true};
        wire->end[1] = (struct wire_end){.site = to, .link = to_link, .open = to != NULL};
        wire->deaf = to == NULL;
        return wire;
    }
    abort();
}

/* An address is unix:NUMBER, of a site; unix:deaf is a port that discards, any other one refuses. */
static inline void site_dial(struct site *site, const struct office_event *event)
{
    struct world *world = site->world;
    unsigned number = (unsigned)(event->address.path[0] - '0');
    struct site *to = number < world->count ? site_of(world, number) : NULL;
    int link = -1;

    site->dialled++;
    if (strcmp(event->address.path, "deaf") == 0) {
        (void)wire_new(world, site, event->link, NULL, -1);
        office_link_connected(site->office, event->link, site_now(site));
        return;
    }
    if (to != NULL && to->office != NULL && !world->blocked[site->me][to->me])
        link = office_link_accepted(to->office, site_now(to));
    if (link < 0) {
        office_link_broken(site->office, event->link, "connection refused", site_now(site));
        return;
    }
    (void)wire_new(world, site, event->link, to, link);
    office_link_connected(site->office, event->link, site_now(site));
}

/* Moves what one end has to say, and gives it what there is to read. True if anything moved. */
static inline bool wire_move(struct world *world, struct wire *wire, unsigned end)
{
    struct wire_end *here = &wire->end[end];
    struct wire_end *there = &wire->end[1 - end];
    struct buffer out = {0};
    size_t wrote = 0, part = here->in.size;
    bool failed = false;

    if (!here->open || here->site->office == NULL)
        return false;
    wrote = office_link_output(here->site->office, here->link, &out,
                               world->rough ? 1 + world_random(world, 60000) : 65536, site_now(here->site));
    world_note(world, buffer_span(&out));
    if (!wire->deaf && there->open)
        world_put(&there->in, buffer_span(&out));
    failed = buffer_failed(&out);
    wire->carried += out.size;
    buffer_free(&out);
    if (world->life > 0 && wire->carried > world->life) {
        world->cuts++;
        wire_cut(wire);
        return true;
    }
    if (failed) {
        wire_break_end(wire, end, "there is no memory left");
        return true;
    }
    if (here->closing && wrote == 0) {
        wire_break_end(wire, end, "closed");
        return true;
    }
    if (world->rough && part > 0)
        part = world_chance(world, 40) ? 0 : 1 + (size_t)world_random(world, part);
    if (part > 0) {
        struct buffer read = {0};

        world_put(&read, span_of(here->in.data, part));
        buffer_drop(&here->in, part);
        office_link_input(here->site->office, here->link, buffer_span(&read), site_now(here->site));
        buffer_free(&read);
        return true;
    }
    if (here->ended && here->in.size == 0 && !wire->deaf) {
        wire_break_end(wire, end, "the other side closed it");
        return true;
    }
    return wrote > 0;
}

/* --- jobs: as src/host/worker.c --- */

static inline void site_commit(struct site *site, struct office_job *job, enum crash crash)
{
    bool tried = job->error.code == ERROR_NONE && site->mark != NULL;
    bool committed = false;
    bool unknown = false;
    struct error mark_error = {0};

    if (site->mark == NULL)
        (void)error_set(&mark_error, ERROR_STORAGE, "there is no mark, so nothing may be recorded");
    else if (crash != CRASH_DATABASE_ONLY)
        (void)mark_write(site->mark, buffer_span(&job->mark), &mark_error);
    if (crash == CRASH_MARK_ONLY)
        return;
    committed = tried && store_commit(site->store, job->number, &job->error) == 0;
    unknown = tried && !committed && job->error.code != ERROR_FULL;
    if (crash == CRASH_DATABASE_ONLY)
        return;
    if (!tried)
        store_abandon(site->store);
    if (committed) {
        struct buffer before = site->content;

        site->content = job->mark;
        job->mark = before;
    } else if (!unknown && mark_error.code == ERROR_NONE) {
        (void)mark_write(site->mark, buffer_span(&site->content), &mark_error);
    }
    if (mark_error.code != ERROR_NONE)
        job->error = mark_error;
}

static inline void site_run(struct site *site, struct office_job *job, enum crash crash)
{
    struct error error = {0};
    int status = job->run(job, site->store);

    if (status != 0)
        (void)error_set(&job->error, ERROR_STORAGE, "the store failed and did not say why");
    job->space = store_space(site->store);
    if (job->commits && crash != CRASH_STAGED)
        site_commit(site, job, crash);
    if (crash != CRASH_NONE || job->error.code != ERROR_NONE || !job->truncate)
        return;
    if (store_checkpoint_all(site->store, &error) != 0 && error.code != ERROR_FULL)
        job->error = error;
}

static inline void site_take_jobs(struct site *site)
{
    while (site->jobs < JOBS_MAX && office_job(site->office, &site->job[site->jobs]))
        site->jobs++;
}

static inline struct office_job *site_next_job(struct site *site)
{
    struct office_job *job = site->job[0];

    memmove(&site->job[0], &site->job[1], --site->jobs * sizeof site->job[0]);
    return job;
}

/* Runs the oldest job to its end. False if there is none. */
static inline bool site_work(struct site *site)
{
    struct office_job *job = NULL;

    site_take_jobs(site);
    if (site->jobs == 0)
        return false;
    job = site_next_job(site);
    site_run(site, job, CRASH_NONE);
    office_job_done(site->office, job, site_now(site));
    return true;
}

/* Does what there is to do until a batch is next, and leaves it there. */
static inline void site_work_to_commit(struct site *site)
{
    for (site_take_jobs(site); site->jobs > 0 && !site->job[0]->commits; site_take_jobs(site))
        (void)site_work(site);
}

/* --- starting, ending, crashing --- */

/* Without a word: what was in memory is gone, and the others see their wires end. */
static inline void site_drop(struct site *site)
{
    struct world *world = site->world;
    struct office *office = site->office;

    site->office = NULL;
    for (unsigned i = 0; i < WIRES_MAX; i++)
        for (unsigned end = 0; end < 2; end++)
            if (world->wire[i].used && world->wire[i].end[end].site == site)
                wire_break_end(&world->wire[i], end, "it crashed");
    while (site->jobs > 0) {
        struct office_job *job = site_next_job(site);

        job->release(job);
    }
    office_free(office);
    store_close(site->store);
    mark_close(site->mark);
    site->store = NULL;
    site->mark = NULL;
}

/* As src/host/host.c opens one; where that fails the site is down. */
static inline bool site_try_open(struct site *site, struct error *error)
{
    struct mark_state state = {0};
    struct error mark_error = {0};
    bool rewrite = false, opened = false;

    site->store = store_open(site->database, false, error);
    if (site->store == NULL)
        return false;
    site->mark = mark_open(site->mark_path, &state, &mark_error);
    site->office =
        office_open(site->store, site->mark != NULL ? &state : NULL, &mark_error, &site->config, &rewrite, error);
    mark_state_free(&state);
    buffer_reset(&site->content);
    opened = site->office != NULL && office_mark(site->office, &site->content, error) == 0 &&
             (!rewrite || site->mark == NULL || mark_write(site->mark, buffer_span(&site->content), error) == 0);
    if (!opened)
        site_drop(site);
    site->told_count = 0;
    site->log_size = 0;
    site->log[0] = 0;
    return opened;
}

static inline void site_open(struct site *site)
{
    struct error error = {0};

    world_must(site_try_open(site, &error), &error);
}

static inline int site_unlock(struct site *site, struct error *error)
{
    uint64_t stir[3] = {site->world->seed, site->me, ++site->starts};

    office_stir(site->office, span_of(stir, sizeof stir));
    office_watch(site->office, true);
    return office_unlock_key(site->office, site->key, site_now(site), error);
}

static inline void site_start(struct site *site)
{
    struct error error = {0};

    site_open(site);
    world_must(site_unlock(site, &error) == 0, &error);
}

/* Crashes within the oldest job, or before any if there is none. */
static inline void site_crash(struct site *site, enum crash crash)
{
    site_take_jobs(site);
    if (site->jobs > 0) {
        struct office_job *job = site_next_job(site);

        site_run(site, job, crash);
        job->release(job);
    }
    site_drop(site);
}

/* Changes the database of a site that is down, behind its back. */
static inline void site_change(struct site *site, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void site_change(struct site *site, const char *format, ...)
{
    sqlite3 *connection = NULL;
    char sql[400];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    if (sqlite3_open(site->database, &connection) != SQLITE_OK ||
        sqlite3_exec(connection, sql, NULL, NULL, NULL) != SQLITE_OK || sqlite3_changes(connection) == 0) {
        printf("# %s: %s\n", sql, sqlite3_errmsg(connection));
        fflush(stdout);
        abort();
    }
    sqlite3_close(connection);
}

static inline void put_fact(struct store_batch *batch, enum store_meta key, struct span value)
{
    store_batch_put(batch, &(struct store_op){.kind = STORE_PUT_META, .n = {key}, .b = {value}});
}

/* What `liaison init` makes. */
static inline void site_make(struct world *world, unsigned number)
{
    static const char *const names[] = {"washington.example", "pyongyang.example", "beijing.example", "moscow.example"};
    static unsigned made;
    struct site *site = site_of(world, number);
    struct entropy entropy = {0};
    struct identity *identity = secret_new(sizeof *identity);
    struct store_batch batch = {0};
    struct vault_context context;
    struct buffer sealed = {0}, sealed_identity = {0};
    struct mark_state state = {.batch = 1};
    struct error error = {0};
    struct card card;
    uint8_t master[OFFICE_KEY_SIZE], version[4];
    uint64_t stir[2] = {world->seed, number};

    site->world = world;
    site->me = number;
    site->config = (struct office_config){.keepalive_us = 10 * SECOND_US, .redial_max_us = 4 * SECOND_US};
    site->told = world_memory(TOLD_MAX, sizeof *site->told);
    (void)snprintf(site->name, sizeof site->name, "%s", names[number]);
    (void)snprintf(site->database, sizeof site->database, "%s-%u.db", scratch(names[number]), made);
    (void)snprintf(site->mark_path, sizeof site->mark_path, "%s-%u.mark", scratch(names[number]), made++);
    entropy_stir(&entropy, span_of(stir, sizeof stir));
    entropy_fill(&entropy, state.office, sizeof state.office);
    entropy_fill(&entropy, site->key, sizeof site->key);
    entropy_fill(&entropy, master, sizeof master);
    identity_generate(identity, &entropy);
    world_must(card_make(&card, site->name, "en", identity, &error) == 0, &error);
    card_print(&card, &site->card);
    vault_seal(&sealed, site->key, vault_context(&context, state.office, VAULT_MASTER, NULL, 0, 0, 0),
               span_of(master, sizeof master), &entropy);
    vault_seal(&sealed_identity, master, vault_context(&context, state.office, VAULT_IDENTITY, NULL, 0, 0, 0),
               span_of(identity, sizeof *identity), &entropy);
    put_u32_be(version, STORE_VERSION);
    put_fact(&batch, META_VERSION, span_of(version, sizeof version));
    put_fact(&batch, META_OFFICE, span_of(state.office, sizeof state.office));
    put_fact(&batch, META_CARD, buffer_span(&site->card));
    put_fact(&batch, META_KEY_KIND, span_of_string("file"));
    put_fact(&batch, META_MASTER, buffer_span(&sealed));
    put_fact(&batch, META_IDENTITY, buffer_span(&sealed_identity));
    site->store = store_open(site->database, true, &error);
    world_must(site->store != NULL && store_stage(site->store, &batch, &error) == 0 &&
                   store_commit(site->store, 1, &error) == 0,
               &error);
    store_close(site->store);
    site->mark = mark_create(site->mark_path, &state, &error);
    world_must(site->mark != NULL, &error);
    mark_close(site->mark);
    store_batch_free(&batch);
    buffer_free(&sealed);
    buffer_free(&sealed_identity);
    secret_free(identity);
}

/* --- events and time --- */

static inline void site_log(struct site *site, const char *text)
{
    int size = snprintf(site->log + site->log_size, LOG_ROOM - site->log_size, "%s\n", text);

    if (getenv("LIAISON_TEST_TRACE") != NULL)
        printf("# %9.3f %s: %s\n", (double)site->world->us / 1e6, site->name, text);
    site->log_size = site->log_size + (size_t)size < LOG_ROOM ? site->log_size + (size_t)size : LOG_ROOM - 1;
}

static inline void site_tell(struct site *site, const struct office_view *view)
{
    struct told *told = &site->told[site->told_count];
    size_t size = view->text.size < sizeof told->text ? view->text.size : sizeof told->text - 1;

    if (site->told_count == TOLD_MAX)
        abort();
    *told = (struct told){.number = view->number, .readable = view->readable, .early = view->early};
    told->names = view->acknowledges_count + view->has_answers;
    told->member = (unsigned)charter_member(view->charter, span_of_string(view->author));
    if (size > 0)
        memcpy(told->text, view->text.data, size);
    site->told_count++;
}

static inline void site_take(struct site *site, struct office_event *event)
{
    struct world *world = site->world;
    unsigned end = 0;
    struct wire *wire = NULL;

    switch (event->kind) {
    case OFFICE_REPLY:
        world_note(world, span_of(&event->request, sizeof event->request));
        world->replies[event->request]++;
        if (world->reply[event->request] != NULL)
            break;
        world->reply[event->request] = world_memory(1, sizeof *event);
        *world->reply[event->request] = *event;
        return;
    case OFFICE_DIAL:
        site_dial(site, event);
        break;
    case OFFICE_CLOSE:
        wire = wire_of(site, event->link, &end);
        if (wire != NULL)
            wire->end[end].closing = true;
        else
            office_link_broken(site->office, event->link, "closed", site_now(site));
        break;
    case OFFICE_ENTRY:
        site_tell(site, event->view);
        break;
    case OFFICE_LOG:
        site_log(site, event->reason);
        break;
    default:
        break;
    }
    office_event_free(event);
}

/* One round; true if anything moved. */
static inline bool world_round(struct world *world)
{
    bool moved = false;

    for (unsigned i = 0; i < world->count; i++) {
        struct site *site = site_of(world, i);
        struct office_event event;

        if (site->office == NULL)
            continue;
        site_take_jobs(site);
        if (!site->held && !(world->rough && world_chance(world, 50)))
            moved |= site_work(site);
        while (office_event(site->office, &event)) {
            site_take(site, &event);
            moved = true;
        }
    }
    for (unsigned i = 0; i < WIRES_MAX; i++)
        for (unsigned end = 0; end < 2 && world->wire[i].used; end++)
            moved |= wire_move(world, &world->wire[i], end);
    return moved;
}

/* Everything that can happen at this moment. */
static inline void world_turn(struct world *world)
{
    unsigned rounds = 0;

    while (world_round(world))
        if (++rounds == ROUNDS_MAX) {
            printf("# an office is never done\n");
            fflush(stdout);
            abort();
        }
}

static inline void world_step(struct world *world, uint64_t us)
{
    world->us += us;
    for (unsigned i = 0; i < world->count; i++) {
        struct site *site = site_of(world, i);

        if (site->office == NULL)
            continue;
        office_step(site->office, site_now(site));
        /* What was due is done, or waits for something else: a driver that looks again at once would never sleep. */
        CHECK(office_next(site->office).us > world->us);
    }
}

/* Lets time pass; where nothing is to happen it passes at once. */
static inline void world_run(struct world *world, uint64_t us)
{
    uint64_t until = world->us + us;

    world_turn(world);
    while (world->us < until) {
        uint64_t next = until;

        for (unsigned i = 0; i < world->count; i++)
            if (world->site[i].office != NULL && office_next(world->site[i].office).us < next)
                next = office_next(world->site[i].office).us;
        world_step(world, next > world->us ? next - world->us : 1);
        world_turn(world);
    }
}

/* The same under way: pieces of what is sent arrive, and some jobs are done. */
static inline void world_run_rough(struct world *world, unsigned rounds)
{
    world->rough = true;
    for (unsigned i = 0; i < rounds; i++) {
        world_round(world);
        if (world_chance(world, 25))
            world_step(world, 1 + world_random(world, 300000));
    }
    world->rough = false;
}

/* --- requests --- */

static inline uint64_t world_request(struct world *world)
{
    if (world->request == REQUESTS_MAX - 1)
        abort();
    return ++world->request;
}

static inline bool replied(const struct world *world, uint64_t request)
{
    return world->reply[request] != NULL;
}

static inline bool succeeded(const struct world *world, uint64_t request)
{
    return replied(world, request) && world->reply[request]->error.code == ERROR_NONE;
}

/* Whether it was refused, once, with that error and a sentence that has `words` in it. */
static inline bool refused(const struct world *world, uint64_t request, enum error_code code, const char *words)
{
    const struct office_event *reply = world->reply[request];
    bool good = reply != NULL && reply->error.code == code && strstr(reply->error.message, words) != NULL &&
                world->replies[request] == 1;

    if (!good)
        printf("# request %llu: %s\n", (unsigned long long)request,
               reply != NULL ? reply->error.message : "there is no answer");
    return good;
}

static inline uint64_t site_send(struct site *site, const char *text, unsigned precedence, const char *token)
{
    uint64_t request = world_request(site->world);
    uint8_t full[16] = {0};
    struct office_message message = {.text = span_of_string(text), .precedence = precedence};

    if (token != NULL) {
        memcpy(full, token, strlen(token) < sizeof full ? strlen(token) : sizeof full);
        message.token = span_of(full, sizeof full);
    }
    office_append(site->office, request, line_name(), &message, 1, site_now(site));
    return request;
}

static inline uint64_t site_answer(struct site *site, const char *text, const char *answers)
{
    uint64_t request = world_request(site->world);
    struct office_message message = {.text = span_of_string(text), .answers = span_of_string(answers)};

    office_append(site->office, request, line_name(), &message, 1, site_now(site));
    return request;
}

static inline uint64_t site_acknowledge(struct site *site, const char *entry)
{
    uint64_t request = world_request(site->world);
    struct span named = span_of_string(entry);

    office_acknowledge(site->office, request, line_name(), &named, 1, AS_DUTY_OFFICER, site_now(site));
    return request;
}

/* The entries in order from a position on. */
static inline uint64_t site_entries(struct site *site, const char *after, size_t limit)
{
    uint64_t request = world_request(site->world);

    office_entries(site->office, request, line_name(), span_of_string(after), span_of_string(""), limit, false);
    return request;
}

static inline uint64_t site_link(struct site *site, unsigned to, const char *address)
{
    uint64_t request = world_request(site->world);

    office_link_add(site->office, request, line_name(), span_of_string(site->world->site[to].name),
                    span_of_string(address), site_now(site));
    return request;
}

/* --- worlds --- */

static inline struct world *world_empty(unsigned count, uint64_t seed)
{
    struct world *world = world_memory(1, sizeof *world);
    struct error error = {0};

    world_must(seal_init(&error) == 0, &error);
    world_intercept();
    world_full_disk = NULL;
    *world = (struct world){.count = count, .seed = seed, .random = seed, .us = 1, .trace = 1};
    for (unsigned i = 0; i < count; i++) {
        site_make(world, i);
        site_start(site_of(world, i));
    }
    return world;
}

/* The first founds the line "talks", the others join it. */
static inline void world_found(struct world *world, bool courier_key)
{
    struct span cards[SITES_MAX];
    uint64_t founded = world_request(world);
    const struct office_event *reply = NULL;

    for (unsigned i = 1; i < world->count; i++)
        cards[i - 1] = buffer_span(&world->site[i].card);
    office_line_found(world->site[0].office, founded, line_name(), cards, world->count - 1, courier_key, world->quota,
                      site_now(&world->site[0]));
    world_turn(world);
    reply = world->reply[founded];
    world_must(reply != NULL && reply->error.code == ERROR_NONE, &reply->error);
    for (unsigned i = 1; i < world->count; i++) {
        uint64_t joined = world_request(world);

        office_line_join(world->site[i].office, joined, buffer_span(&reply->text), buffer_span(&reply->text2),
                         line_name(), site_now(&world->site[i]));
        world_turn(world);
        world_must(succeeded(world, joined), &world->reply[joined]->error);
    }
}

/* Each dials those after it. */
static inline void world_link(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        for (unsigned k = i + 1; k < world->count; k++) {
            char address[] = {'u', 'n', 'i', 'x', ':', (char)('0' + k), 0};

            (void)site_link(site_of(world, i), k, address);
        }
    world_run(world, 5 * SECOND_US);
}

/* A line that is founded, joined, linked and at rest. */
static inline struct world *world_new(unsigned count, uint64_t seed)
{
    struct world *world = world_empty(count, seed);

    world_found(world, true);
    world_link(world);
    return world;
}

static inline void world_free(struct world *world)
{
    static const char *const ends[] = {"", "-wal", "-shm"};

    for (unsigned i = 0; i < world->count; i++) {
        struct site *site = site_of(world, i);

        if (site->office != NULL)
            site_drop(site);
        for (unsigned k = 0; k < 3; k++) {
            char path[400];

            (void)snprintf(path, sizeof path, "%s%s", site->database, ends[k]);
            (void)unlink(path);
        }
        (void)unlink(site->mark_path);
        buffer_free(&site->card);
        buffer_free(&site->content);
        free(site->told);
    }
    for (unsigned i = 0; i < WIRES_MAX; i++)
        wire_forget(&world->wire[i]);
    for (unsigned i = 0; i < REQUESTS_MAX; i++) {
        office_event_free(world->reply[i]);
        free(world->reply[i]);
    }
    free(world);
}

/* --- what must be true at rest --- */

/* The whole line in order, a line of text an entry: "AUTHOR/NUMBER KIND TEXT". */
static inline void site_read(struct site *site, struct buffer *out)
{
    struct world *world = site->world;
    char after[80] = "";

    for (bool more = true; more;) {
        uint64_t request = site_entries(site, after, 256);
        struct office_event *reply = NULL;

        world_turn(world);
        if (!succeeded(world, request)) {
            CHECK(succeeded(world, request));
            return;
        }
        reply = world->reply[request];
        for (size_t i = 0; i < reply->view_count; i++) {
            const struct office_view *view = &reply->view[i];

            buffer_print(out, "%s/%llu %s%s %.*s\n", view->author, (unsigned long long)view->number,
                         view->early ? "early " : "", view->kind, (int)view->text.size, (const char *)view->text.data);
        }
        more = reply->text.size > 0;
        (void)snprintf(after, sizeof after, "%.*s", (int)reply->text.size, (const char *)reply->text.data);
    }
}

/* How often a line of `text` holds these words at its end. */
static inline unsigned times(struct buffer *text, const char *words)
{
    char whole[200];
    unsigned count = 0;

    (void)snprintf(whole, sizeof whole, " %s\n", words);
    for (const char *at = buffer_string(text); (at = strstr(at, whole)) != NULL; at++)
        count++;
    return count;
}

/* All hold the same logs with the same roots, all is receipted, and all read it in the same order. */
static inline void world_check_settled(struct world *world)
{
    struct buffer first = {0}, other = {0};

    site_read(site_of(world, 0), &first);
    for (unsigned i = 0; i < world->count; i++) {
        struct line *line = site_line(&world->site[i]);

        CHECK(office_alarm_count(world->site[i].office) == 0);
        for (unsigned m = 0; m < world->count; m++) {
            struct line *author = site_line(&world->site[m]);
            uint8_t here[HASH_SIZE], there[HASH_SIZE];

            tree_root(sync_frontier(line->sync, m), here);
            tree_root(sync_frontier(author->sync, m), there);
            CHECK(sync_durable(line->sync, m) == sync_durable(author->sync, m));
            CHECK(memcmp(here, there, HASH_SIZE) == 0);
            CHECK(line->member[m].settle == sync_durable(line->sync, m));
            if (m != i && sync_receipted(author->sync, m, i) != sync_durable(author->sync, m))
                printf("# of %llu entries of %s %s has receipted %llu\n",
                       (unsigned long long)sync_durable(author->sync, m), world->site[m].name, world->site[i].name,
                       (unsigned long long)sync_receipted(author->sync, m, i));
            CHECK(m == i || sync_receipted(author->sync, m, i) == sync_durable(author->sync, m));
        }
        buffer_reset(&other);
        site_read(site_of(world, i), &other);
        if (!span_equal(buffer_span(&first), buffer_span(&other)))
            printf("# %s reads\n%s# and %s\n%s", world->site[0].name, buffer_string(&first), world->site[i].name,
                   buffer_string(&other));
        CHECK(span_equal(buffer_span(&first), buffer_span(&other)));
    }
    buffer_free(&first);
    buffer_free(&other);
}

#endif
