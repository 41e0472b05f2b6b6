#include "office/engine.h"

const char *office_name(const struct office *office)
{
    return office->card.name;
}

enum office_state office_state(const struct office *office, const char **reason)
{
    *reason = office->stop.code != ERROR_NONE  ? office->stop.message
              : office->state == OFFICE_LOCKED ? "the office has not been given its key; type `liaison unlock`"
              : office->asking[0] != 0         ? office->asking
                                               : NULL;
    return office->state == OFFICE_READY && office->asking[0] != 0 ? OFFICE_ASKING : office->state;
}

bool office_wants_passphrase(const struct office *office)
{
    return office->passphrase;
}

size_t office_line_count(const struct office *office)
{
    return office->line_count;
}

size_t office_alarm_count(const struct office *office)
{
    return office->alarm_count;
}

const char *office_alarm(const struct office *office, size_t alarm)
{
    return office->alarm[alarm];
}

static void add_link(struct office_member_status *status, const char *address, bool up, uint64_t since)
{
    if (status->link_count < STATUS_LINKS_MAX)
        status->link[status->link_count++] = (struct office_link_status){.address = address, .up = up, .since = since};
}

static void fill_links(const struct office *office, const struct line *line, unsigned member,
                       struct office_member_status *status)
{
    int index = core_line_index(office, line);

    for (size_t i = 0; i < office->route_count; i++) {
        const struct route *route = &office->route[i];

        if (route->used && route->line == index && route->member == member)
            add_link(status, route->text,
                     route->connection >= 0 && office->connection[route->connection].state == CONNECTION_UP,
                     route->since);
    }
    for (int i = 0; i < office->connection_end; i++) {
        const struct connection *connection = &office->connection[i];

        if (connection->state == CONNECTION_UP && connection->incoming && connection->line == index &&
            connection->member == member)
            add_link(status, "incoming", true, connection->since);
    }
}

/* When the oldest of one's own entries from `receipted` on became durable; 0 if there is none. */
static uint64_t oldest_from(const struct line *line, uint64_t receipted)
{
    if (receipted >= line->second.size)
        return 0;
    for (unsigned i = 0; i < line->age_count; i++) {
        const struct age *age = &line->age[(line->age_first + i) % AGES_MAX];

        if (age->end > receipted)
            return i == 0 && line->age_before != 0 ? line->age_before : age->seconds;
    }
    return line->age_before;
}

static void fill_member(const struct office *office, const struct line *line, unsigned member,
                        struct office_member_status *status)
{
    uint64_t own = line->second.size;

    status->party = line->charter->members[member].name;
    status->me = member == line->me;
    status->size = sync_durable(line->sync, member);
    status->receipted = own;
    if (!status->me)
        status->receipted = sync_receipted(line->sync, line->me, member);
    for (unsigned i = 0; status->me && i < line->charter->member_count; i++)
        if (i != line->me && sync_receipted(line->sync, line->me, i) < status->receipted)
            status->receipted = sync_receipted(line->sync, line->me, i);
    status->waiting = own - status->receipted;
    status->oldest = oldest_from(line, status->receipted);
    /* Before the first epoch: what the next one would be wrapped to. */
    status->forward_secrecy = line->has_epoch ? line->member[member].forward : line->member[member].offered_count > 0;
    status->stated = line->member[member].left ? "left" : status->size >= 2 ? "open" : "unstated";
    quota_status(office, line, member, status);
    if (!status->me)
        fill_links(office, line, member, status);
}

void office_line_status(const struct office *office, size_t index, struct office_line_status *status)
{
    const struct line *line = office->line[index];

    *status = (struct office_line_status){.name = line->name,
                                          .charter = line->charter,
                                          .confirmed = line->confirmed,
                                          .courier_key = line->charter->has_courier_key,
                                          .left = line->left,
                                          .inbox = line->inbox};
    for (unsigned i = 0; i < line->charter->member_count; i++)
        fill_member(office, line, i, &status->member[i]);
}
