#include "party.h"

#include <stdio.h>
#include <stdlib.h>

#include "quotas.h"
#include "seal/keyfile.h"
#include "store/vault.h"
#include "system.h"

#define OUTPUT_SIZE 32768
#define ENDING_US (5 * SECOND_US)
#define WALL_US UINT64_C(1767225600000000) /* 2026-01-01 */

static void path_of(const struct party *party, bool mark, char out[static 32])
{
    (void)snprintf(out, 32, mark ? "/%u/mark" : "/%u/liaison.db", 2 * party->number + mark);
}

/* --- making ------------------------------------------------------------------------------------------------------ */

static void put_meta(struct store_batch *batch, enum store_meta key, struct span value)
{
    store_batch_put(batch, &(struct store_op){.kind = STORE_PUT_META, .n = {key}, .b = {value}});
}

static void fill_batch(struct party *party, struct store_batch *batch, const uint8_t id[static OFFICE_ID_SIZE])
{
    struct entropy entropy = {{0}};
    struct identity *identity = secret_new(sizeof *identity);
    struct card *card = calloc(1, sizeof *card);
    struct vault_context context;
    struct buffer sealed[2] = {{0}};
    uint8_t master[OFFICE_KEY_SIZE];
    uint8_t version[4];

    random_fill(&party->random, entropy.key, sizeof entropy.key);
    random_fill(&party->random, master, sizeof master);
    put_u32_be(version, STORE_VERSION);
    if (identity == NULL || card == NULL)
        abort();
    identity_generate(identity, &entropy);
    if (card_make(card, party->name, "en", identity, NULL) != 0)
        abort();
    card_print(card, &party->card);
    vault_seal(&sealed[0], party->key, vault_context(&context, id, VAULT_MASTER, NULL, 0, 0, 0),
               span_of(master, sizeof master), &entropy);
    vault_seal(&sealed[1], master, vault_context(&context, id, VAULT_IDENTITY, NULL, 0, 0, 0),
               span_of(identity, sizeof *identity), &entropy);
    put_meta(batch, META_VERSION, span_of(version, sizeof version));
    put_meta(batch, META_OFFICE, span_of(id, OFFICE_ID_SIZE));
    put_meta(batch, META_CARD, buffer_span(&party->card));
    put_meta(batch, META_KEY_KIND, span_of_string("file"));
    put_meta(batch, META_MASTER, buffer_span(&sealed[0]));
    put_meta(batch, META_IDENTITY, buffer_span(&sealed[1]));
    buffer_free(&sealed[0]);
    buffer_free(&sealed[1]);
    secret_free(identity);
    free(card);
}

static void make_office(struct party *party)
{
    struct error error = {0};
    struct store_batch batch = {0};
    struct mark_state state = {.batch = 1};
    struct mark *mark = NULL;
    struct store *store = NULL;
    char path[32];

    random_fill(&party->random, state.office, sizeof state.office);
    random_fill(&party->random, party->key, sizeof party->key);
    fill_batch(party, &batch, state.office);
    path_of(party, false, path);
    store = store_open(path, true, &error);
    if (store == NULL || store_stage(store, &batch, &error) != 0 || store_commit(store, 1, &error) != 0 ||
        store_checkpoint_all(store, &error) != 0)
        abort();
    store_close(store);
    store_batch_free(&batch);
    path_of(party, true, path);
    mark = mark_create(path, &state, &error);
    if (mark == NULL || disk_sync_directory(party->database) != 0)
        abort();
    mark_close(mark);
}

void party_make(struct party *party, unsigned number, uint64_t seed, const struct office_config *config,
                enum control control)
{
    *party = (struct party){.number = number, .config = *config, .control = control};
    random_start(&party->random, seed, 100 + number);
    (void)snprintf(party->name, sizeof party->name, "party-%u.example", number);
    party->database = disk_new(seed, 200 + 2 * number, &party->power);
    party->marks = disk_new(seed, 201 + 2 * number, &party->power);
    system_mount(2 * number, party->database);
    system_mount(2 * number + 1, party->marks);
    party->clock = (struct clock){.wall_was = WALL_US};
    party->disk_us = 300;
    make_office(party);
}

void party_free(struct party *party)
{
    if (party_runs(party))
        party_end(party);
    system_mount(2 * party->number, NULL);
    system_mount(2 * party->number + 1, NULL);
    disk_free(party->database);
    disk_free(party->marks);
    buffer_free(&party->card);
    buffer_free(&party->content);
}

/* --- starting and ending ----------------------------------------------------------------------------------------- */

bool party_runs(const struct party *party)
{
    return party->office != NULL;
}

/* The clock, and the oracle sees that it was looked at. */
static struct now look(const struct party *party, uint64_t time)
{
    struct now now = clock_read(&party->clock, time);

    quotas_clock(party->number, now.wall.us);
    return now;
}

struct now party_now(struct party *party, uint64_t time)
{
    uint8_t fresh[32];

    random_fill(&party->random, fresh, sizeof fresh);
    if (party->office != NULL)
        office_stir(party->office, span_of(fresh, sizeof fresh));
    return look(party, time);
}

static int keep_mark(struct party *party, bool rewrite, struct error *error)
{
    buffer_reset(&party->content);
    if (party->mark == NULL)
        return 0;
    if (office_mark(party->office, &party->content, error) != 0)
        return -1;
    return rewrite ? mark_write(party->mark, buffer_span(&party->content), error) : 0;
}

static bool open_office(struct party *party, struct error *error)
{
    struct mark_state state = {0};
    struct error mark_error = {0};
    bool rewrite = false;
    char path[32];

    path_of(party, true, path);
    party->mark = mark_open(path, &state, &mark_error);
    if (party->control == CONTROL_MARK) { /* it says whatever the database says */
        state.batch = store_batch_number(party->store);
        state.log_count = 0;
    }
    party->office =
        office_open(party->store, party->mark != NULL ? &state : NULL, &mark_error, &party->config, &rewrite, error);
    mark_state_free(&state);
    return party->office != NULL && keep_mark(party, rewrite, error) == 0;
}

bool party_start(struct party *party, uint64_t now, struct error *error)
{
    char path[32];

    party->links = 0;
    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        party->end[i] = -1;
    memset(party->ends_at, 0, sizeof party->ends_at);
    party->step = STEP_NONE;
    path_of(party, false, path);
    party->store = store_open(path, false, error);
    if (party->store != NULL && open_office(party, error)) {
        store_lengthen_wal(party->store);
        if (!party->power.off && office_unlock_key(party->office, party->key, party_now(party, now), error) == 0)
            return true;
    }
    party_end(party);
    return false;
}

void party_stop(struct party *party)
{
    if (party->job != NULL)
        party->job->release(party->job);
    party->job = NULL;
    office_free(party->office);
    store_close(party->store);
    mark_close(party->mark);
    party->office = NULL;
    party->store = NULL;
    party->mark = NULL;
    party->step = STEP_NONE;
}

void party_end(struct party *party)
{
    bool was_off = party->power.off;

    party->power.off = true; /* nothing is done on the way out */
    party_stop(party);
    party->power.off = was_off;
}

/* --- jobs -------------------------------------------------------------------------------------------------------- */

static void plan(struct party *party, enum job_step step, uint64_t now)
{
    party->step = step;
    party->step_at = now + random_below(&party->random, party->disk_us + 1);
}

/* That step, unless it is the mark's turn before it. */
static void plan_next(struct party *party, enum job_step step, uint64_t now)
{
    bool mark = party->job->commits && !party->marked && step >= party->mark_before;

    plan(party, mark ? STEP_MARK : step, now);
}

void party_take_job(struct party *party, uint64_t now)
{
    if (party->step != STEP_NONE || !party_runs(party) || !office_job(party->office, &party->job))
        return;
    party->mark_error = (struct error){0};
    party->ran = party->marked = party->tried = party->committed = false;
    party->mark_before = (enum job_step[]){STEP_RUN, STEP_COMMIT, STEP_DONE}[random_below(&party->random, 3)];
    if (party->mark_always != STEP_NONE)
        party->mark_before = party->mark_always;
    plan_next(party, STEP_RUN, now);
}

static void finish_job(struct party *party, uint64_t now)
{
    struct office_job *job = party->job;

    party->job = NULL;
    party->step = STEP_NONE;
    if (job != NULL)
        office_job_done(party->office, job, party_now(party, now));
}

static void run(struct party *party, uint64_t now)
{
    struct office_job *job = party->job;

    if (job->run(job, party->store) != 0)
        (void)error_set(&job->error, ERROR_STORAGE, "the store failed and did not say why");
    party->ran = true;
    job->space = store_space(party->store);
    if (job->commits && party->mark == NULL)
        (void)error_set(&job->error, ERROR_STORAGE, "there is no mark, so nothing may be recorded");
    party->tried = job->commits && job->error.code == ERROR_NONE;
    plan_next(party, party->tried ? STEP_COMMIT : STEP_DONE, now);
}

static void write_mark(struct party *party, uint64_t now)
{
    if (party->mark != NULL)
        (void)mark_write(party->mark, buffer_span(&party->job->mark), &party->mark_error);
    party->marked = true;
    plan(party, !party->ran ? STEP_RUN : party->tried && !party->committed ? STEP_COMMIT : STEP_DONE, now);
}

static void commit(struct party *party, uint64_t now)
{
    struct office_job *job = party->job;

    (void)store_commit(party->store, job->number, &job->error);
    party->committed = true;
    plan_next(party, STEP_DONE, now);
}

/* Both are done: the first error counts, and where it is certain that nothing was committed the mark is what it was. */
static void join(struct party *party)
{
    struct office_job *job = party->job;
    struct buffer before = party->content;
    bool unknown = party->committed && job->error.code != ERROR_NONE && job->error.code != ERROR_FULL;

    if (!party->committed)
        store_abandon(party->store);
    if (job->error.code == ERROR_NONE) {
        party->content = job->mark;
        job->mark = before;
    } else if (!unknown && party->mark != NULL && party->mark_error.code == ERROR_NONE) {
        (void)mark_write(party->mark, buffer_span(&party->content), &party->mark_error);
    }
    if (party->mark_error.code != ERROR_NONE)
        job->error = party->mark_error;
}

static void done(struct party *party, uint64_t now)
{
    struct office_job *job = party->job;
    bool committed = job->commits;
    struct error error = {0};

    if (committed)
        join(party);
    if (job->error.code == ERROR_NONE && job->truncate) {
        if (store_checkpoint_all(party->store, &error) == 0)
            store_lengthen_wal(party->store);
        else if (error.code != ERROR_FULL)
            job->error = error;
    }
    if (party->power.off)
        return;
    finish_job(party, now);
    if (committed)
        (void)store_checkpoint_some(party->store, NULL);
}

/* The negative control: the office is told that all is done, and then it is. */
static void done_too_early(struct party *party, uint64_t now)
{
    struct buffer mark = {0};
    struct error error = {0};
    uint64_t number = party->job->number;

    buffer_put_span(&mark, buffer_span(&party->job->mark));
    finish_job(party, now);
    if (mark_write(party->mark, buffer_span(&mark), &error) == 0)
        (void)store_commit(party->store, number, &error);
    buffer_free(&mark);
}

static void step_job(struct party *party, uint64_t now)
{
    switch (party->step) {
    case STEP_NONE:
        break;
    case STEP_RUN:
        run(party, now);
        break;
    case STEP_MARK:
        write_mark(party, now);
        break;
    case STEP_COMMIT:
        if (party->control == CONTROL_COMMIT)
            done_too_early(party, now);
        else
            commit(party, now);
        break;
    case STEP_DONE:
        done(party, now);
        break;
    }
}

uint64_t party_next(const struct party *party)
{
    uint64_t next = UINT64_MAX;

    if (!party_runs(party))
        return next;
    next = clock_when(&party->clock, office_next(party->office));
    for (int link = 0; link < party->links; link++)
        if (party->end[link] >= 0 && party->ends_at[link] != 0 && party->ends_at[link] < next)
            next = party->ends_at[link];
    return party->step != STEP_NONE && party->step_at < next ? party->step_at : next;
}

void party_step(struct party *party, uint64_t now)
{
    if (party->step != STEP_NONE && party->step_at <= now)
        step_job(party, now);
    if (!party->power.off && clock_when(&party->clock, office_next(party->office)) <= now)
        office_step(party->office, party_now(party, now));
}

/* --- links ------------------------------------------------------------------------------------------------------- */

static int link_of(const struct party *party, int end)
{
    for (int link = 0; link < party->links; link++)
        if (party->end[link] == end)
            return link;
    return -1;
}

void party_open_link(struct party *party, int link, int end)
{
    party->end[link] = end;
    party->ends_at[link] = 0;
    if (link >= party->links)
        party->links = link + 1;
}

void party_close_link(struct party *party, int link, uint64_t now)
{
    if (party->end[link] >= 0)
        party->ends_at[link] = now + ENDING_US;
}

static void send_link(struct party *party, struct network *network, int link, uint64_t now)
{
    struct buffer out = {0};
    bool ends = party->ends_at[link] != 0;
    bool open = network_is_open(network, party->end[link]);
    bool room = network_room(network, party->end[link]) >= OUTPUT_SIZE;
    struct now time = look(party, now);

    if (room)
        (void)office_link_output(party->office, link, &out, OUTPUT_SIZE, time);
    if (out.size > 0)
        network_send(network, party->end[link], buffer_span(&out), now);
    if (ends && (!open || (room && out.size == 0) || party->ends_at[link] <= now)) {
        network_close(network, party->end[link], now);
        party->end[link] = -1;
        party->ends_at[link] = 0;
        office_link_broken(party->office, link, "closed", time);
    }
    buffer_free(&out);
}

void party_send(struct party *party, struct network *network, uint64_t now)
{
    for (int link = 0; link < party->links; link++)
        if (party->end[link] >= 0)
            send_link(party, network, link, now);
}

void party_take(struct party *party, struct network *network, const struct network_event *event, uint64_t time,
                struct now now)
{
    int link = party_runs(party) ? link_of(party, event->end) : -1;

    if (event->kind == NETWORK_ACCEPTED) {
        link = party_runs(party) ? office_link_accepted(party->office, now) : -1;
        if (link < 0)
            network_close(network, event->end, time);
        else
            party_open_link(party, link, event->end);
    } else if (link >= 0 && event->kind == NETWORK_CONNECTED) {
        office_link_connected(party->office, link, now);
    } else if (link >= 0 && event->kind == NETWORK_BYTES) {
        office_link_input(party->office, link, buffer_span(&event->bytes), now);
    } else if (link >= 0 && event->kind == NETWORK_BROKEN) {
        party->end[link] = -1;
        office_link_broken(party->office, link, event->reason, now);
    }
}
