/*
 * Restores of copies that lack a line, and what goes wrong at the worst moment: a crash, a full disk, another copy.
 */
#include "copies.h"

static struct world *world;
static struct site *site, *other;
static bool no_secrets; /* there is no locked memory */

void *__real_secret_new(size_t size);
void *__wrap_secret_new(size_t size);
void *__wrap_secret_new(size_t size)
{
    return no_secrets ? NULL : __real_secret_new(size);
}

/* A line of the two besides "talks", and what joining it takes. */
struct second {
    struct buffer charter, key;
};

static void say(struct site *from, const char *text)
{
    (void)site_send(from, text, 0, NULL);
    world_run(world, 3 * SECOND_US);
}

static uint64_t found(struct site *at, const char *name)
{
    uint64_t request = world_request(world);
    struct span card = buffer_span(&other->card);

    office_line_found(at->office, request, span_of_string(name), &card, 1, true, (struct amount){0}, site_now(at));
    return request;
}

static uint64_t join(struct site *at, const struct second *second, const char *name)
{
    uint64_t request = world_request(world);

    office_line_join(at->office, request, buffer_span(&second->charter), buffer_span(&second->key),
                     span_of_string(name), site_now(at));
    return request;
}

static uint64_t send_on(struct site *at, const char *line, const char *text)
{
    uint64_t request = world_request(world);
    struct office_message message = {.text = span_of_string(text)};

    office_append(at->office, request, span_of_string(line), &message, 1, site_now(at));
    return request;
}

static uint64_t link_on(struct site *at, const char *line, unsigned to, const char *address)
{
    uint64_t request = world_request(world);

    office_link_add(at->office, request, span_of_string(line), span_of_string(world->site[to].name),
                    span_of_string(address), site_now(at));
    return request;
}

/* After the copy OLD was made: the line "more" is founded, joined and linked. */
static void add_line(struct second *second)
{
    uint64_t request = 0;

    world = world_new(2, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    say(site, "before");
    keep(site, OLD);
    request = found(site, "more");
    world_turn(world);
    CHECK(succeeded(world, request));
    buffer_put_span(&second->charter, buffer_span(&world->reply[request]->text));
    buffer_put_span(&second->key, buffer_span(&world->reply[request]->text2));
    CHECK(other->office != NULL);
    request = join(other, second, "more");
    world_turn(world);
    CHECK(succeeded(world, request));
    (void)link_on(site, "more", 1, "unix:1");
    world_run(world, 5 * SECOND_US);
}

static void put_back(void)
{
    site_drop(site);
    put_back_at(site, OLD, NEW);
}

static void end(struct second *second)
{
    buffer_free(&second->charter);
    buffer_free(&second->key);
    world_free(world);
}

static bool is_ready(void)
{
    const char *reason = NULL;
    bool good = site->office != NULL && office_state(site->office, &reason) == OFFICE_READY && reason == NULL;

    if (!good)
        printf("# %s\n", reason != NULL ? reason : "no reason");
    return good;
}

/* One batch holds the row of the line that is joined again, and the prekeys of another that has just become whole. Of
 * that batch the mark alone was written: it names a line that is not there. */
static void a_crash_while_it_is_joined_again(void)
{
    struct second second = {0};
    struct error error = {0};
    bool joined = false;

    add_line(&second);
    say(site, "lost");
    say(site, "lost");
    keep(site, NEW);
    put_back();
    site_start(site);
    site->held = true;
    for (unsigned i = 0; i < 60000 && site_line(site)->asking; i++) {
        if (!world_round(world))
            world_step(world, 1000);
        site_work_to_commit(site);
        if (site->jobs == 0)
            continue;
        if (!joined && sync_staged(site_line(site)->sync, 0)->size == site_line(site)->known[0].size &&
            site_line(site)->accepted_first == NULL) {
            (void)join(site, &second, "more");
            joined = true;
        }
        (void)site_work(site);
    }
    CHECK(joined && !site_line(site)->asking && site->office->line_count == 2);
    site_work_to_commit(site);
    site_crash(site, CRASH_MARK_ONLY);
    site->held = false;
    if (!site_try_open(site, &error))
        printf("# %s\n", error.message);
    CHECK(site->office != NULL);
    if (site->office != NULL) {
        CHECK(site_unlock(site, NULL) == 0);
        if (site->office->line_count == 1)
            (void)join(site, &second, "more");
        world_run(world, 5 * SECOND_US);
        (void)link_on(site, "more", 1, "unix:1");
        world_run(world, 60 * SECOND_US);
        CHECK(is_ready());
    }
    end(&second);
}

/* The disk is full while a line is founded and a lost one joined again: what was not recorded is not there. */
static void a_full_disk_while_it_is_joined_again(void)
{
    struct second second = {0};
    uint64_t founded = 0, joined = 0;

    add_line(&second);
    keep(site, NEW);
    put_back();
    site_start(site);
    world_run(world, 10 * SECOND_US);
    world_full_disk = site->database;
    founded = found(site, "third");
    joined = join(site, &second, "more");
    world_run(world, 5 * SECOND_US);
    CHECK(refused(world, founded, ERROR_FULL, "nothing was recorded"));
    CHECK(refused(world, joined, ERROR_REFUSED, "third is being recorded"));
    joined = join(site, &second, "more");
    world_full_disk = NULL;
    world_run(world, 60 * SECOND_US);
    founded = found(site, "third");
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, founded) && site->office->line_count == 3);
    (void)link_on(site, "more", 1, "unix:1");
    world_run(world, 60 * SECOND_US);
    CHECK(is_ready());
    end(&second);
}

/* There is no locked memory for it: that it was lost is not forgotten, or its first entries were signed a second time.
 */
static void no_memory_while_it_is_joined_again(void)
{
    struct second second = {0};
    uint64_t joined = 0;

    add_line(&second);
    keep(site, NEW);
    put_back();
    site_start(site);
    world_run(world, 10 * SECOND_US);
    no_secrets = true;
    joined = join(site, &second, "more");
    no_secrets = false;
    world_run(world, 5 * SECOND_US);
    CHECK(refused(world, joined, ERROR_SYSTEM, "no memory left") && site->office->line_count == 1);
    joined = join(site, &second, "more");
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, joined) && site->office->line[1]->asking && site->office->line[1]->second.size == 0);
    (void)link_on(site, "more", 1, "unix:1");
    world_run(world, 60 * SECOND_US);
    CHECK(is_ready() && office_alarm_count(other->office) == 0);
    end(&second);
}

/* Two restores: the number of the lost line was given to another one, whose last entries are in the mark when a copy
 * with the first one comes back. */
static void a_number_that_was_given_twice(void)
{
    struct second second = {0};
    struct error error = {0};
    uint64_t founded = 0;

    add_line(&second);
    for (unsigned i = 0; i < 6; i++) {
        (void)send_on(site, "more", "on the first");
        world_run(world, SECOND_US);
    }
    keep(site, OTHERS);
    keep(site, NEW);
    put_back();
    site_start(site);
    world_run(world, 10 * SECOND_US);
    founded = found(site, "third");
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, founded));
    (void)join(site, &second, "more");
    world_run(world, 5 * SECOND_US);
    (void)link_on(site, "more", 1, "unix:1");
    world_run(world, 60 * SECOND_US);
    CHECK(is_ready() && site->office->line[1]->number == 1 && site->office->line[2]->number == 2);
    (void)send_on(site, "third", "on the other");
    world_run(world, 5 * SECOND_US);
    keep(site, NEW);
    site_drop(site);
    put_back_at(site, OTHERS, NEW);
    if (!site_try_open(site, &error))
        printf("# %s\n", error.message);
    CHECK(site->office != NULL);
    if (site->office != NULL) {
        CHECK(strcmp(site->office->line[1]->name, "more") == 0 && site->office->line[1]->number == 1);
        CHECK(site->office->line[1]->tail == NULL && site_unlock(site, NULL) == 0);
        world_run(world, 120 * SECOND_US);
        CHECK(site->office->state == OFFICE_READY && !site->office->line[1]->asking);
        CHECK(strstr(site->office->asking, "join it again") != NULL); /* the other */
    }
    end(&second);
}

int main(void)
{
    RUN(a_crash_while_it_is_joined_again);
    RUN(a_full_disk_while_it_is_joined_again);
    RUN(no_memory_while_it_is_joined_again);
    RUN(a_number_that_was_given_twice);
    return test_end();
}
