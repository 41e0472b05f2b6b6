/*
 * The addresses that this office dials, as people add, remove and test them. links.c dials them.
 */
#include <string.h>

#include "office/engine.h"

static void reply_done(struct office *office, uint64_t request)
{
    struct office_event event = {.kind = OFFICE_REPLY, .request = request};

    core_reply_when_durable(office, &event);
}

static struct line *line_and_party(struct office *office, struct span name, struct span party, struct span text,
                                   struct address *address, unsigned *member, struct error *error)
{
    struct line *line = core_line(office, name, true, error);
    int found = line == NULL ? -1 : charter_member(line->charter, party);

    if (line == NULL || address_parse(address, text, error) != 0)
        return NULL;
    if (address->kind == ADDRESS_TCP && strcmp(address->port, "0") == 0) {
        (void)error_set(error, ERROR_USAGE, "port 0 is for --listen; nobody can be reached there");
        return NULL;
    }
    if (found < 0 || (unsigned)found == line->me) {
        (void)error_set(error, ERROR_NOT_FOUND, "the line has no other member of that name");
        return NULL;
    }
    *member = (unsigned)found;
    return line;
}

static struct route *find_route(struct office *office, int line, unsigned member, struct span text)
{
    for (size_t i = 0; i < office->route_count; i++) {
        struct route *route = &office->route[i];

        if (route->used && route->line == line && route->member == member &&
            span_equal(text, span_of_string(route->text)))
            return route;
    }
    return NULL;
}

static struct route *new_route(struct office *office)
{
    for (size_t i = 0; i < office->route_count; i++)
        if (!office->route[i].used)
            return &office->route[i];
    return office->route_count < OFFICE_LINKS_MAX / 2 ? &office->route[office->route_count++] : NULL;
}

void office_link_add(struct office *office, uint64_t request, struct span name, struct span party, struct span text,
                     struct now now)
{
    struct error error = {0};
    struct address address;
    unsigned member = 0;
    struct line *line = line_and_party(office, name, party, text, &address, &member, &error);
    struct route *route = NULL;
    struct store_op op = {.kind = STORE_PUT_LINK};

    office->now = now;
    if (line == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    if (find_route(office, core_line_index(office, line), member, text) == NULL) {
        route = new_route(office);
        if (route == NULL) {
            (void)error_set(&error, ERROR_REFUSED, "there are too many links; remove one first");
            core_reply_error(office, request, &error);
            return;
        }
        *route = (struct route){.used = true,
                                .line = core_line_index(office, line),
                                .member = member,
                                .address = address,
                                .connection = -1,
                                .next = now.monotonic};
        route->number = (uint32_t)(route - office->route) + 1;
        route->since = now.wall.us / SECOND_US;
        memcpy(route->text, text.data, text.size);
        op.n[0] = route->number;
        op.n[1] = line->number;
        op.n[2] = member;
        op.b[0] = text;
        core_lazy(office, &op);
    }
    reply_done(office, request);
    links_step(office);
    core_turn(office);
}

void office_link_remove(struct office *office, uint64_t request, struct span name, struct span party, struct span text,
                        struct now now)
{
    struct error error = {0};
    struct address address;
    unsigned member = 0;
    struct line *line = line_and_party(office, name, party, text, &address, &member, &error);
    struct route *route = NULL;
    struct store_op op = {.kind = STORE_DROP_LINK};
    int connection = -1;

    office->now = now;
    if (line != NULL)
        route = find_route(office, core_line_index(office, line), member, text);
    if (line != NULL && route == NULL)
        (void)error_set(&error, ERROR_NOT_FOUND, "there is no such link");
    if (route == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    connection = route->connection;
    op.n[0] = route->number;
    core_lazy(office, &op);
    if (connection >= 0) {
        if (office->connection[connection].channel != NULL)
            channel_close(office->connection[connection].channel, "this link was removed");
        links_end(office, connection, "the link was removed", true);
    }
    *route = (struct route){.connection = -1};
    reply_done(office, request);
    core_turn(office);
}

void office_link_test(struct office *office, uint64_t request, struct span name, struct span party, struct span text,
                      struct now now)
{
    struct error error = {0};
    struct address address;
    unsigned member = 0;
    struct line *line = line_and_party(office, name, party, text, &address, &member, &error);
    int number = -1;

    office->now = now;
    if (line != NULL) {
        char copy[ADDRESS_SIZE] = {0};

        memcpy(copy, text.data, text.size);
        number = links_dial(office, core_line_index(office, line), member, &address, copy);
        if (number < 0)
            (void)error_set(&error, ERROR_REFUSED, "there are too many connections open");
    }
    if (number < 0) {
        core_reply_error(office, request, &error);
        return;
    }
    office->connection[number].test = true;
    office->connection[number].test_until = NEVER;
    office->connection[number].request = request;
}
