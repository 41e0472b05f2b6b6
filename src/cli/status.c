#include "cli/status.h"

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/daemon.h"

#include <stdio.h>

static const struct usage usage = {
    .command = "liaison status",
    .synopsis = "[--json]",
    .help =
        "Shows the office, its lines, and of every member: how many of its entries are held here, how many of ours\n"
        "it has not receipted, since when, and its links.\n",
};

const json_t *status_line(const json_t *status, const char *name)
{
    const json_t *lines = json_object_get(status, "lines");

    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        const char *found = json_string_value(json_object_get(line, "name"));

        if (found != NULL && strcmp(found, name) == 0)
            return line;
    }
    return NULL;
}

json_t *status_parties(const json_t *line)
{
    const json_t *members = json_object_get(line, "members");
    json_t *names = json_array();

    for (size_t i = 0; i < json_array_size(members); i++)
        (void)json_array_append(names, json_object_get(json_array_get(members, i), "party"));
    return names;
}

/* Whether `name` and `other` begin with the same label of `size` bytes. */
static bool has_label(const char *name, const char *other, size_t size)
{
    return strncmp(name, other, size) == 0 && (other[size] == '.' || other[size] == '\0');
}

void status_put_party(const json_t *parties, const char *name, struct buffer *out)
{
    size_t size = strcspn(name, ".");
    size_t same = 0;

    for (size_t i = 0; i < json_array_size(parties); i++) {
        const char *other = json_string_value(json_array_get(parties, i));

        same += other != NULL && has_label(name, other, size);
    }
    text_put_shown(out, span_of(name, same > 1 ? strlen(name) : size), false);
}

static void put_links(struct buffer *text, const json_t *links)
{
    for (size_t i = 0; i < json_array_size(links); i++) {
        const json_t *link = json_array_get(links, i);

        buffer_print(text, "    ");
        output_put_shown(text, json_object_get(link, "address"));
        buffer_print(text, "  ");
        output_put_shown(text, json_object_get(link, "observed"));
        if (json_is_string(json_object_get(link, "since"))) {
            buffer_print(text, " since ");
            output_put_shown(text, json_object_get(link, "since"));
        }
        buffer_print(text, "  stated: ");
        output_put_shown(text, json_object_get(link, "stated"));
        buffer_print(text, "\n");
    }
}

/* New is not broken: a party whose log is not known yet has not been met. */
static void put_secrecy(struct buffer *text, const json_t *member)
{
    if (!json_is_false(json_object_get(member, "forward_secrecy")))
        return;
    if (json_integer_value(json_object_get(member, "size")) > 0)
        buffer_print(text, "    NO FORWARD SECRECY until the next day's keys, if its own have arrived by then\n");
    else
        buffer_print(text, "    not met yet: what is sent before the first link has no forward secrecy\n");
}

/* From so many parts in a hundred on, what is used of a quota is worth a line. */
#define SHOWN_FROM 75

static void put_used(struct buffer *text, const json_t *quota, const char *what, const char *most, bool me)
{
    json_int_t used = json_integer_value(json_object_get(quota, what));
    json_int_t all = json_integer_value(json_object_get(quota, most));

    if (used > 0 && used >= all / 100 * SHOWN_FROM + all % 100 * SHOWN_FROM / 100)
        buffer_print(text, "    quota: %lld of %lld %s used%s\n", (long long)used, (long long)all, what,
                     me ? ", of one day" : ", of 60 days");
}

static void put_quota(struct buffer *text, const json_t *member)
{
    const json_t *quota = json_object_get(member, "quota");
    bool me = json_is_true(json_object_get(member, "me"));

    put_used(text, quota, "entries", "entries_most", me);
    put_used(text, quota, "bytes", "bytes_most", me);
    if (json_is_true(json_object_get(quota, "delayed")))
        buffer_print(text, "    DELAYED BY ITS QUOTA: more of its entries came than it allows; the rest comes later\n");
}

/* What to do about a party that no address is known of and that has not called. */
static void put_no_link(struct buffer *text, const json_t *line, const char *party)
{
    json_t *parties = status_parties(line);

    buffer_print(text, "    no link: it dials here, or say where it is: liaison link add ");
    output_put_shown(text, json_object_get(line, "name"));
    buffer_print(text, " ");
    status_put_party(parties, party, text);
    buffer_print(text, " tcp://HOST:PORT\n");
    json_decref(parties);
}

/* `dials`: an office that has stopped has no links, and an address more would not give it one. */
static void put_member(struct buffer *text, const json_t *line, const json_t *member, bool dials)
{
    const char *party = json_string_value(json_object_get(member, "party"));
    const json_t *links = json_object_get(member, "links");
    struct buffer name = {0};

    output_put_shown(&name, json_object_get(member, "party"));
    buffer_print(text, "  %-32s %10lld %10lld  ", buffer_string(&name),
                 (long long)json_integer_value(json_object_get(member, "size")),
                 (long long)json_integer_value(json_object_get(member, "waiting")));
    buffer_free(&name);
    output_put_shown(text, json_object_get(member, "oldest"));
    if (json_is_true(json_object_get(member, "me")))
        buffer_print(text, "  (this office)");
    buffer_print(text, "\n");
    put_secrecy(text, member);
    put_quota(text, member);
    put_links(text, links);
    if (dials && json_array_size(links) == 0 && !json_is_true(json_object_get(member, "me")) && party != NULL &&
        !json_is_true(json_object_get(line, "left")))
        put_no_link(text, line, party);
}

static void put_line(struct buffer *text, const json_t *line, bool dials)
{
    const json_t *members = json_object_get(line, "members");
    json_int_t inbox = json_integer_value(json_object_get(line, "inbox"));

    buffer_print(text, "\nline ");
    output_put_shown(text, json_object_get(line, "name"));
    if (json_is_true(json_object_get(line, "left")))
        buffer_print(text, "  (left)");
    if (inbox > 0)
        buffer_print(text, "  %lld waiting for a person", (long long)inbox);
    buffer_print(text, "\n");
    if (!json_is_true(json_object_get(line, "confirmed")))
        buffer_print(text, "  NOT COMPARED: someone may sit between\n");
    if (!json_is_true(json_object_get(line, "courier_key")))
        buffer_print(text, "  no courier key: a future quantum computer could read what passes today, and find out "
                           "that there is an office\n");
    buffer_print(text, "  %-32s %10s %10s  %s\n", "party", "entries", "waiting", "oldest waiting");
    for (size_t i = 0; i < json_array_size(members); i++)
        put_member(text, line, json_array_get(members, i), dials);
}

static void put_status(struct buffer *text, const json_t *status)
{
    const json_t *lines = json_object_get(status, "lines");
    const json_t *alarms = json_object_get(status, "alarms");
    const json_t *unprotected = json_object_get(status, "unprotected");
    const char *state = json_string_value(json_object_get(status, "state"));

    output_put_shown(text, json_object_get(status, "office"));
    buffer_print(text, ": ");
    output_put_shown(text, json_object_get(status, "state"));
    if (json_is_string(json_object_get(status, "reason"))) {
        buffer_print(text, ": ");
        output_put_shown(text, json_object_get(status, "reason"));
    }
    buffer_print(text, "\n");
    for (size_t i = 0; i < json_array_size(alarms); i++) {
        buffer_print(text, "ALARM: ");
        output_put_shown(text, json_array_get(alarms, i));
        buffer_print(text, "\n");
    }
    for (size_t i = 0; i < json_array_size(unprotected); i++) {
        buffer_print(text, "LESS PROTECTED: ");
        output_put_shown(text, json_array_get(unprotected, i));
        buffer_print(text, "\n");
    }
    for (size_t i = 0; i < json_array_size(lines); i++)
        put_line(text, json_array_get(lines, i), state == NULL || strcmp(state, "stopped") != 0);
    if (json_array_size(lines) == 0 && !json_is_string(json_object_get(status, "reason")))
        buffer_print(text,
                     "No line yet. Found one: liaison line found LINE --with CARD; or join one: liaison line join "
                     "CHARTER --key FILE\n");
}

enum exit_code command_status(struct cli *cli, int argc, char **argv)
{
    struct buffer text = {0};
    json_t *status = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    status = daemon_ask(cli, "status", json_object());
    if (status != NULL && cli->json) {
        output_json(status);
    } else if (status != NULL) {
        put_status(&text, status);
        output_text(&text);
    }
    json_decref(status);
    buffer_free(&text);
    return cli->exit;
}
