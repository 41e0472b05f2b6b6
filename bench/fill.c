/*
 * Makes the line of two offices that have exchanged COUNT messages, one settle head and its receipt per 64: both
 * offices are run here, joined in memory, on a clock that moves a second per 64 messages. Everything else is as in the
 * daemon: the same engine, real keys, every batch synced with its mark.
 *
 *     fill DIRECTORY KEY-FILE DIRECTORY KEY-FILE LINE COUNT
 *
 * The directories are fresh ones of `liaison init`. All messages are of the first office.
 */
#include <sys/random.h>

#include "office/office.h"
#include "samples.h"
#include "seal/keyfile.h"

#define PER_SECOND 64
#define TEXT_SIZE 200

struct side {
    struct store *store;
    struct mark *mark;
    struct office *office;
    struct buffer card;
    struct buffer reply[2]; /* texts of the last answer */
    struct side *other;
    int link; /* -1 before there is one */
    struct now now;
};

static void stir(struct side *side)
{
    uint8_t fresh[32];

    if (getrandom(fresh, sizeof fresh, 0) != sizeof fresh)
        fail("no random bytes: %s", strerror(errno));
    office_stir(side->office, span_of(fresh, sizeof fresh));
}

static void read_file(struct buffer *text, const char *path)
{
    FILE *file = fopen(path, "r");
    char bytes[4096];

    if (file == NULL)
        fail("%s: %s", path, strerror(errno));
    buffer_put(text, bytes, fread(bytes, 1, sizeof bytes, file));
    (void)fclose(file);
}

static void open_side(struct side *side, const char *directory, const char *key_path)
{
    struct office_config config = {.keepalive_us = 5 * SECOND_US, .redial_max_us = 30 * SECOND_US};
    struct store_query query = {.kind = STORE_GET_META, .n = {META_CARD}};
    struct store_result result = {0};
    struct mark_state state = {0};
    struct error error = {0};
    struct buffer key_text = {0};
    uint8_t key[OFFICE_KEY_SIZE];
    char path[4096];
    bool rewrite = false;

    side->link = -1;
    read_file(&key_text, key_path);
    (void)snprintf(path, sizeof path, "%s/liaison.db", directory);
    side->store = store_open(path, false, &error);
    if (side->store == NULL || store_read(side->store, &query, &result, &error) != 0 || result.count != 1)
        fail("%s: %s", path, error.message);
    buffer_put_span(&side->card, result.row[0].b[0]);
    store_result_free(&result);
    (void)snprintf(path, sizeof path, "%s.mark", directory);
    side->mark = mark_open(path, &state, &error);
    if (side->mark != NULL)
        side->office = office_open(side->store, &state, NULL, &config, &rewrite, &error);
    if (side->office == NULL)
        fail("%s: %s", directory, error.message);
    mark_state_free(&state);
    stir(side);
    if (office_key_parse(key, buffer_span(&key_text), &error) != 0 ||
        office_unlock_key(side->office, key, side->now, &error) != 0)
        fail("%s: %s", key_path, error.message);
    buffer_free(&key_text);
}

static void run_job(struct side *side, struct office_job *job)
{
    if (job->run(job, side->store) == 0 && job->commits &&
        mark_write(side->mark, buffer_span(&job->mark), &job->error) == 0)
        (void)store_commit(side->store, job->number, &job->error);
    if (job->error.code == ERROR_NONE && job->truncate)
        (void)store_checkpoint_all(side->store, &job->error);
    if (job->error.code != ERROR_NONE)
        fail("the store: %s", job->error.message);
    if (job->commits)
        (void)store_checkpoint_some(side->store, NULL);
    job->space = store_space(side->store);
    office_job_done(side->office, job, side->now);
}

static void take_event(struct side *side, struct office_event *event)
{
    switch (event->kind) {
    case OFFICE_REPLY:
        if (event->error.code != ERROR_NONE)
            fail("refused: %s", event->error.message);
        for (size_t i = 0; i < 2; i++) {
            buffer_reset(&side->reply[i]);
            buffer_put_span(&side->reply[i], buffer_span(i == 0 ? &event->text : &event->text2));
        }
        break;
    case OFFICE_DIAL:
        side->link = event->link;
        side->other->link = office_link_accepted(side->other->office, side->now);
        office_link_connected(side->office, side->link, side->now);
        break;
    case OFFICE_CLOSE:
        fail("the link was closed");
    default:
        break;
    }
}

static bool turn(struct side *side)
{
    struct office_job *job = NULL;
    struct office_event event;
    struct buffer bytes = {0};
    bool more = false;

    stir(side);
    for (; office_job(side->office, &job); more = true)
        run_job(side, job);
    for (; office_event(side->office, &event); more = true) {
        take_event(side, &event);
        office_event_free(&event);
    }
    if (side->link >= 0 && office_link_output(side->office, side->link, &bytes, 1 << 18, side->now) > 0) {
        office_link_input(side->other->office, side->other->link, buffer_span(&bytes), side->now);
        more = true;
    }
    buffer_free(&bytes);
    return more;
}

/* Until nothing moves any more at this moment. */
static void run(struct side *side)
{
    while (turn(&side[0]) | turn(&side[1]))
        continue;
}

static void pass_second(struct side *side)
{
    for (size_t i = 0; i < 2; i++) {
        side[i].now.monotonic.us += SECOND_US;
        side[i].now.wall.us += SECOND_US;
        if (office_next(side[i].office).us <= side[i].now.monotonic.us)
            office_step(side[i].office, side[i].now);
    }
    run(side);
}

static void found_line(struct side *side, const char *name)
{
    struct span card = buffer_span(&side[1].card);
    static const char address[] = "unix:/in-memory";

    office_line_found(side[0].office, 1, span_of_string(name), &card, 1, true, (struct amount){0}, side[0].now);
    run(side);
    office_line_join(side[1].office, 1, buffer_span(&side[0].reply[0]), buffer_span(&side[0].reply[1]),
                     span_of_string(name), side[1].now);
    run(side);
    office_link_add(side[0].office, 1, span_of_string(name), span_of_string(office_name(side[1].office)),
                    span_of_string(address), side[0].now);
    run(side);
    for (int i = 0; i < 3; i++)
        pass_second(side);
}

static void exchange(struct side *side, const char *name, size_t count)
{
    struct office_message message[PER_SECOND];
    char text[PER_SECOND][TEXT_SIZE + 1];

    for (size_t done = 0; done < count; done += PER_SECOND) {
        for (size_t i = 0; i < PER_SECOND; i++) {
            (void)snprintf(text[i], sizeof text[i], "%0*zu", TEXT_SIZE, done + i);
            message[i] = (struct office_message){.text = span_of(text[i], TEXT_SIZE), .precedence = PRECEDENCE_ROUTINE};
        }
        stir(&side[0]);
        office_append(side[0].office, 1, span_of_string(name), message, PER_SECOND, side[0].now);
        run(side);
        pass_second(side);
    }
}

static void close_side(struct side *side)
{
    office_free(side->office);
    mark_close(side->mark);
    store_close(side->store);
    buffer_free(&side->card);
    buffer_free(&side->reply[0]);
    buffer_free(&side->reply[1]);
}

int main(int argc, char **argv)
{
    size_t count = argc == 7 ? strtoul(argv[6], NULL, 10) : 0;
    struct side side[2] = {0};
    struct timespec time = {0};
    uint64_t seconds = count / PER_SECOND + 60;
    struct error error = {0};

    if (count == 0)
        fail("usage: fill DIRECTORY KEY-FILE DIRECTORY KEY-FILE LINE COUNT");
    if (seal_init(&error) != 0)
        fail("%s", error.message);
    /* What is written now lies in the past, so that the daemon's clock does not go back. */
    (void)clock_gettime(CLOCK_REALTIME, &time);
    for (size_t i = 0; i < 2; i++) {
        side[i].other = &side[1 - i];
        side[i].now.wall.us = ((uint64_t)time.tv_sec - seconds) * SECOND_US;
        side[i].now.monotonic.us = SECOND_US;
        open_side(&side[i], argv[1 + 2 * i], argv[2 + 2 * i]);
    }
    found_line(side, argv[5]);
    exchange(side, argv[5], count);
    for (size_t i = 0; i < 2; i++)
        office_finish(side[i].office, side[i].now);
    run(side);
    for (size_t i = 0; i < 2; i++)
        close_side(&side[i]);
    return 0;
}
