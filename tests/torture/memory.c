/*
 * The n-th allocation fails, for every n: whole offices in one process found a line, join it, talk, read and verify,
 * end and start again, on virtual disks.
 *
 * Everything, the disks as well, is in memory, so the child in which one fails starts with exactly what there was. It
 * goes on to the end of what was under way, and is looked at. In a child a request is answered once, with what was
 * asked for or with a sentence, and may be made again; an office that does not start, or stops, says why, and is
 * started again after the power went: whatever was not synced may be gone. In the end everything that was answered is
 * there, once, under its number, in order, at both.
 *
 * In a short run those that start an office or open a link are left out: SQLite prepares its statements there, in most
 * of all the allocations that there are. Nothing is left out with LIAISON_TEST_LONG=1, and then all is done again where
 * memory does not come back for a while.
 *
 * usage: memory [FROM [TO]]   those of a long run alone; LIAISON_TEST_SEED=N: the N-th alone, in this process
 */
#include "cryptography.h"
#include "shortage.h"
#include "system.h"
#include "vfs.h"

#define ATTEMPTS 12

/* --- the offices ------------------------------------------------------------------------------------------------- */

/* As world_run(), but where there is no memory an office may try again without end. */
static void run(struct world *world, uint64_t us)
{
    uint64_t until = world->us + us;

    for (world_turn(world); world->us < until; world_turn(world)) {
        uint64_t next = until;

        for (unsigned i = 0; i < world->count; i++)
            if (world->site[i].office != NULL && office_next(world->site[i].office).us < next)
                next = office_next(world->site[i].office).us;
        world->us = next > world->us + 1000 ? next : world->us + 1000;
        for (unsigned i = 0; i < world->count; i++)
            if (world->site[i].office != NULL)
                office_step(world->site[i].office, site_now(&world->site[i]));
    }
}

static bool is_ready(const struct site *site)
{
    const char *reason = NULL;

    return site->office != NULL && !office_is_exhausted(site->office) &&
           office_state(site->office, &reason) == OFFICE_READY;
}

static void cut_power(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        if (world->site[i].office != NULL)
            site_drop(&world->site[i]);
    disk_crash(torture.disk);
}

static void start(struct site *site)
{
    struct error error = {0};

    if (site_try_open(site, &error)) {
        if (site_unlock(site, &error) == 0)
            return;
        site_drop(site);
    }
    torture.sum->starts_failed++;
    CHECK(error.code != ERROR_NONE && error.message[0] != 0);
}

/* Starts both, where allocations of one fail alone. One that did not start has changed nothing, and starts then: that
 * is all there is to see, and its child ends. */
static void start_both(struct world *world, unsigned tortured)
{
    torture.armed = false;
    start(&world->site[1 - tortured]);
    torture.armed = torture.longer;
    start(&world->site[tortured]);
    if (torture.child && world->site[tortured].office == NULL) {
        torture.armed = false;
        torture.until_us = 0;
        cut_power(world);
        start_both(world, tortured);
        CHECK(is_ready(&world->site[0]) && is_ready(&world->site[1]));
        finish();
    }
}

/* Starts what is down. What has stopped said why, and then the power goes. */
static bool all_are_up(struct world *world)
{
    bool up = true;

    for (unsigned i = 0; i < world->count; i++) {
        struct site *site = &world->site[i];
        const char *reason = "";

        if (site->office == NULL || is_ready(site))
            continue;
        torture.sum->stops++;
        CHECK(office_is_exhausted(site->office) || office_state(site->office, &reason) != OFFICE_STOPPED ||
              (reason != NULL && reason[0] != 0));
        cut_power(world);
    }
    for (unsigned i = 0; i < world->count; i++) {
        if (world->site[i].office == NULL)
            start(&world->site[i]);
        up &= world->site[i].office != NULL;
    }
    return up;
}

typedef void question(struct site *site, uint64_t request);

/* Asks until it is done: the reply, or NULL. `again` is what may be said where the first time was not known to have
 * done it. */
static const struct office_event *demand(struct site *site, const char *what, question *put_to, enum error_code again)
{
    struct world *world = site->world;
    const struct office_event *reply = NULL;

    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t request = 0, end = 0;

        if (!all_are_up(world)) {
            run(world, SECOND_US);
            continue;
        }
        request = world_request(world);
        put_to(site, request);
        end = world->us + 10 * SECOND_US;
        while (world->reply[request] == NULL && is_ready(site) && world->us < end)
            run(world, SECOND_US / 10);
        reply = world->reply[request];
        if (reply != NULL && reply->error.code == ERROR_NONE)
            return reply;
        if (reply != NULL && attempt > 0 && again != ERROR_NONE && reply->error.code == again)
            return reply;
        if (reply == NULL && is_ready(site)) {
            printf("# there was no answer: %s\n", what);
            test_case_failed = true;
        }
        if (reply != NULL) {
            torture.sum->refused++;
            CHECK(reply->error.message[0] != 0 && world->replies[request] == 1);
            if (reply->error.code != ERROR_SYSTEM && reply->error.code != ERROR_STOPPED &&
                reply->error.code != ERROR_STORAGE) {
                printf("# %s: %s\n", what, reply->error.message);
                test_case_failed = true;
            }
        }
        run(world, SECOND_US);
    }
    printf("# it was never done: %s\n", what);
    test_case_failed = true;
    return NULL;
}

/* --- what is asked for ------------------------------------------------------------------------------------------- */

static struct span charter, key; /* of the line, once it is founded */

static void ask_found(struct site *site, uint64_t request)
{
    struct span card = buffer_span(&site->world->site[1].card);

    office_line_found(site->office, request, line_name(), &card, 1, true, (struct amount){0}, site_now(site));
}

static void ask_join(struct site *site, uint64_t request)
{
    office_line_join(site->office, request, charter, key, line_name(), site_now(site));
}

static void ask_show(struct site *site, uint64_t request)
{
    office_line_show(site->office, request, line_name());
}

static void ask_link(struct site *site, uint64_t request)
{
    office_link_add(site->office, request, line_name(), span_of_string(site->world->site[1].name),
                    span_of_string("unix:1"), site_now(site));
}

static void ask_entries(struct site *site, uint64_t request)
{
    office_entries(site->office, request, line_name(), span_of_string(""), span_of_string(""), 256, false);
}

static void ask_inbox(struct site *site, uint64_t request)
{
    office_inbox(site->office, request, line_name());
}

static void ask_verify(struct site *site, uint64_t request)
{
    office_record_verify(site->office, request, line_name());
}

static void ask_policy(struct site *site, uint64_t request)
{
    office_record_policy(site->office, request, line_name());
}

/* --- messages ---------------------------------------------------------------------------------------------------- */

#define TEXTS 5

static const struct text {
    unsigned site, precedence;
    const char *text;
    int answers; /* another of these, or -1 */
} texts[TEXTS] = {
    {0, PRECEDENCE_ROUTINE, "The first.", -1}, {0, PRECEDENCE_FLASH, "At once.", -1},
    {1, PRECEDENCE_ROUTINE, "An answer.", 0},  {0, PRECEDENCE_PRIORITY, "The last.", -1},
    {1, PRECEDENCE_FLASH, "At once too.", -1},
};
static uint64_t number_of[TEXTS];       /* as answered */
static size_t asked_first, asked_count; /* which of them */

static void ask_send(struct site *site, uint64_t request)
{
    struct office_message messages[TEXTS];
    char answers[NAME_SIZE + 24];
    uint8_t tokens[TEXTS][16] = {{0}};
    size_t count = 0;

    for (size_t i = asked_first; i < asked_first + asked_count; i++) {
        if (&site->world->site[texts[i].site] != site)
            continue;
        tokens[count][0] = (uint8_t)(i + 1);
        messages[count] = (struct office_message){.text = span_of_string(texts[i].text),
                                                  .precedence = texts[i].precedence,
                                                  .token = span_of(tokens[count], sizeof tokens[count])};
        if (texts[i].answers >= 0) {
            const struct text *other = &texts[texts[i].answers];

            (void)snprintf(answers, sizeof answers, "%s/%llu", site->world->site[other->site].name,
                           (unsigned long long)number_of[texts[i].answers]);
            messages[count].answers = span_of_string(answers);
        }
        count++;
    }
    office_append(site->office, request, line_name(), messages, count, site_now(site));
}

/* Those of one site; what was answered before has the same number again. */
static void send(struct world *world, size_t first, size_t count, uint64_t known)
{
    struct site *site = &world->site[texts[first].site];
    const struct office_event *reply = NULL;
    size_t k = 0;

    asked_first = first;
    asked_count = count;
    reply = demand(site, "a message is recorded", ask_send, ERROR_NONE);
    for (size_t i = first; reply != NULL && i < first + count; i++) {
        uint64_t number = 0;

        if (texts[i].site != site->me)
            continue;
        number = reply->numbers != NULL ? reply->numbers[k] : reply->number + k;
        CHECK((known >> i & 1) == 0 || number_of[i] == number);
        number_of[i] = number;
        k++;
    }
}

static void ask_acknowledge(struct site *site, uint64_t request)
{
    char name[NAME_SIZE + 24];
    struct span entry = {0};

    (void)snprintf(name, sizeof name, "%s/%llu", site->world->site[0].name, (unsigned long long)number_of[0]);
    entry = span_of_string(name);
    office_acknowledge(site->office, request, line_name(), &entry, 1, AS_DUTY_OFFICER, site_now(site));
}

static void ask_proof(struct site *site, uint64_t request)
{
    char name[NAME_SIZE + 24];

    (void)snprintf(name, sizeof name, "%s/%llu", site->world->site[0].name, (unsigned long long)number_of[0]);
    office_record_prove(site->office, request, line_name(), span_of_string(name));
}

static void ask_disclosure(struct site *site, uint64_t request)
{
    char name[NAME_SIZE + 24];

    (void)snprintf(name, sizeof name, "%s/%llu", site->world->site[0].name, (unsigned long long)number_of[0]);
    office_record_disclose(site->office, request, line_name(), span_of_string(name));
}

static void ask_confirm(struct site *site, uint64_t request)
{
    static struct buffer digits;
    const struct office_event *shown = demand(site, "the line is shown", ask_show, ERROR_NONE);

    world_own_memory += 1;
    buffer_reset(&digits);
    if (shown != NULL)
        buffer_put_span(&digits, buffer_span(&shown->text2));
    world_own_memory -= 1;
    if (site->office != NULL)
        office_line_confirm(site->office, request, line_name(), buffer_span(&digits), site_now(site));
}

static bool is_settled(struct world *world)
{
    for (unsigned i = 0; i < 2; i++)
        if (world->site[i].office == NULL || office_line_count(world->site[i].office) == 0)
            return false;
    for (unsigned m = 0; m < 2; m++) {
        struct sync *author = site_line(&world->site[m])->sync, *other = site_line(&world->site[1 - m])->sync;

        if (sync_durable(other, m) != sync_durable(author, m) ||
            sync_receipted(author, m, 1 - m) != sync_durable(author, m) ||
            site_line(&world->site[1 - m])->member[m].settle != sync_durable(author, m))
            return false;
    }
    return true;
}

static void settle(struct world *world, const char *when)
{
    for (unsigned i = 0; i < 120; i++) {
        if (all_are_up(world) && is_settled(world))
            return;
        run(world, SECOND_US);
    }
    printf("# everything is never held by both: %s\n", when);
    test_case_failed = true;
}

/* --- the run ----------------------------------------------------------------------------------------------------- */

static bool found(struct world *world)
{
    const struct office_event *founded = demand(&world->site[0], "a line is founded", ask_found, ERROR_EXISTS);

    if (founded == NULL)
        return false;
    /* Recorded, and the answer with its key lost on the way: a person founds another line. */
    if (founded->error.code == ERROR_EXISTS)
        return false;
    charter = buffer_span(&founded->text);
    key = buffer_span(&founded->text2);
    return demand(&world->site[1], "a line is joined", ask_join, ERROR_EXISTS) != NULL;
}

static void end_in_order(struct world *world)
{
    for (unsigned i = 0; i < 2; i++)
        if (world->site[i].office != NULL)
            office_finish(world->site[i].office, site_now(&world->site[i]));
    run(world, SECOND_US);
    cut_power(world);
}

/* `said`: which of the texts. */
static void check(struct world *world, unsigned said)
{
    struct buffer text = {0};

    torture.armed = false;
    torture.until_us = 0;
    cut_power(world);
    settle(world, "after the power went");
    run(world, 3 * SECOND_US);
    world_check_settled(world);
    site_read(&world->site[0], &text);
    CHECK(strstr(buffer_string(&text), " unreadable ") == NULL && strstr(buffer_string(&text), " sealed ") == NULL);
    for (size_t i = 0; i < TEXTS; i++) {
        char line[200];

        CHECK(times(&text, texts[i].text) == (said >> i & 1));
        if ((said >> i & 1) == 0)
            continue;
        (void)snprintf(line, sizeof line, "%s/%llu message %s\n", world->site[texts[i].site].name,
                       (unsigned long long)number_of[i], texts[i].text);
        CHECK(strstr(buffer_string(&text), line) != NULL);
    }
    buffer_free(&text);
    for (unsigned i = 0; i < 2; i++)
        CHECK(demand(&world->site[i], "the record is verified", ask_verify, ERROR_NONE) != NULL);
}

/* Once what was under way when it failed is done. */
static void check_if_failed(struct world *world, unsigned said)
{
    if (!torture.child)
        return;
    check(world, said);
    finish();
    longjmp(torture.end, 1);
}

static void scenario(struct world *world)
{
    const struct office_event *proof = NULL;

    start_both(world, 0);
    torture.armed = true;
    if (!found(world))
        return;
    torture.armed = torture.longer;
    (void)demand(&world->site[0], "a link is added", ask_link, ERROR_EXISTS);
    settle(world, "a link");
    check_if_failed(world, 0);
    torture.armed = true;
    send(world, 0, 2, 0);
    settle(world, "two messages");
    check_if_failed(world, 3);
    torture.armed = torture.longer;
    send(world, 2, 1, 0);
    (void)demand(&world->site[1], "an acknowledgement is recorded", ask_acknowledge, ERROR_NONE);
    settle(world, "an answer and an acknowledgement");
    check_if_failed(world, 7);
    torture.armed = true;
    send(world, 0, 4, 3); /* two that are known, and a new one */
    send(world, 4, 1, 0);
    (void)demand(&world->site[0], "the line is confirmed", ask_confirm, ERROR_NONE);
    settle(world, "five messages");
    check_if_failed(world, 31);
    (void)demand(&world->site[1], "the entries are read", ask_entries, ERROR_NONE);
    (void)demand(&world->site[1], "the inbox is read", ask_inbox, ERROR_NONE);
    (void)demand(&world->site[0], "the record is verified", ask_verify, ERROR_NONE);
    (void)demand(&world->site[0], "the policy is made", ask_policy, ERROR_NONE);
    proof = demand(&world->site[0], "an entry is proved", ask_proof, ERROR_NONE);
    CHECK(proof == NULL ||
          (proof->text.size > 500 && memmem(proof->text.data, proof->text.size, "extra \n", 7) == NULL));
    (void)demand(&world->site[0], "an entry is disclosed", ask_disclosure, ERROR_NONE);
    check_if_failed(world, 31);
    end_in_order(world);
    start_both(world, 1);
    check(world, 31);
}

static void torture_all(void)
{
    struct world *world = NULL;

    torture.armed = torture.child = false;
    torture.count = torture.until_us = 0;
    torture.power = (struct power){0};
    torture.disk = disk_new(1, 1, &torture.power);
    system_mount(0, torture.disk);
    vfs_register(1);
    (void)snprintf(scratch_directory, sizeof scratch_directory, "/0");
    world = torture.world = world_empty(2, 1);
    cut_power(world);
    *torture.sum = (struct sum){0};
    if (setjmp(torture.end) == 0)
        scenario(world);
    if (torture.child)
        finish();
    while (torture.running > 0)
        await_child();
    CHECK(torture.sum->failures == 0);
    printf(
        "# %s: %llu allocations, %u children, %u of them wrong; %u requests refused, %u starts, %u offices stopped\n",
        torture.sticky ? "no memory for a while" : "no memory once", (unsigned long long)torture.count,
        torture.sum->children, torture.sum->failures, torture.sum->refused, torture.sum->starts_failed,
        torture.sum->stops);
    torture.armed = false;
    world_free(world);
    disk_free(torture.disk);
}

static void whatever_allocation_fails_nothing_is_lost(void)
{
    torture_all();
}

static void however_long_there_is_no_memory_nothing_is_lost(void)
{
    torture.sticky = true;
    torture_all();
}

/* An office whose database is a batch old would take it for the newest. */
static void a_mark_for_which_there_is_no_memory_is_not_an_older_one(void)
{
    struct mark_state state = {.batch = 1};
    struct buffer content = {0};
    struct error error = {0};
    struct mark *mark = NULL;

    torture.armed = torture.sticky = false;
    torture.power = (struct power){0};
    torture.disk = disk_new(1, 1, &torture.power);
    system_mount(0, torture.disk);
    mark = mark_create("/0/a.mark", &state, &error);
    world_must(mark != NULL && mark_encode(&content, state.office, 2, NULL, 0, &state.operations, &error) == 0 &&
                   mark_write(mark, buffer_span(&content), &error) == 0,
               &error);
    mark_close(mark);
    torture.only = 1;
    do {
        struct error cause = {0};

        torture.child = false;
        torture.count = torture.until_us = 0;
        torture.armed = true;
        mark = mark_open("/0/a.mark", &state, &cause);
        torture.armed = false;
        CHECK(mark == NULL ? cause.code != ERROR_NONE && torture.child : state.batch == 2);
        if (mark != NULL)
            mark_state_free(&state);
        mark_close(mark);
        torture.only++;
    } while (torture.child);
    CHECK(torture.only > 4);
    printf("# a mark: %llu allocations\n", (unsigned long long)torture.only - 2);
    buffer_free(&content);
    disk_free(torture.disk);
}

int main(int argc, char **argv)
{
    const char *only = getenv("LIAISON_TEST_SEED");
    const char *longer = getenv("LIAISON_TEST_LONG");

    cryptography_choose(longer == NULL); /* of what is made here, the least is cryptography's */
    take_allocators();
    torture.sum = mmap(NULL, sizeof *torture.sum, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (torture.sum == MAP_FAILED)
        abort();
    torture.from = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    torture.to = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
    torture.longer = (longer != NULL && strcmp(longer, "1") == 0) || argc > 1 || only != NULL;
    if (only == NULL)
        RUN(a_mark_for_which_there_is_no_memory_is_not_an_older_one);
    torture.only = only != NULL ? strtoull(only, NULL, 10) : 0;
    RUN(whatever_allocation_fails_nothing_is_lost);
    if (torture.longer && only == NULL)
        RUN(however_long_there_is_no_memory_nothing_is_lost);
    return test_end();
}
