#include "host/json.h"

#include "base/text.h"

#include <stdlib.h>

json_t *json_text(struct span text)
{
    struct buffer shown = {0};
    json_t *value = json_stringn(text.size > 0 ? (const char *)text.data : "", text.size);

    if (value == NULL) {
        text_put_shown(&shown, text, true);
        value = json_stringn(buffer_string(&shown), shown.size);
        buffer_free(&shown);
    }
    return value;
}

json_t *json_hex(struct span bytes)
{
    struct buffer text = {0};
    json_t *value = NULL;

    text_put_hex(&text, bytes);
    value = json_string(buffer_string(&text));
    buffer_free(&text);
    return value;
}

json_t *json_time(uint64_t seconds)
{
    char text[RFC3339_SIZE];

    time_rfc3339(text, seconds);
    return json_string(text);
}

const char *json_state_name(enum office_state state)
{
    static const char *const names[] = {
        [OFFICE_LOCKED] = "locked", [OFFICE_READY] = "ready", [OFFICE_ASKING] = "asking", [OFFICE_STOPPED] = "stopped"};

    return names[state];
}

/* --- entries ----------------------------------------------------------------------------------------------- */

static const char *member_name(const struct charter *charter, unsigned member)
{
    return member < charter->member_count ? charter->members[member].name : "unknown";
}

static json_t *reference(const struct charter *charter, const struct reference *reference)
{
    return json_sprintf("%s/%llu", member_name(charter, reference->member), (unsigned long long)reference->index);
}

static json_t *stored(const struct office_view *view)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < view->stored_count; i++)
        (void)json_array_append_new(array, json_pack("{s:s, s:o}", "by", member_name(view->charter, view->stored[i].by),
                                                     "at", json_time(view->stored[i].at)));
    return array;
}

static json_t *acknowledged(const struct office_view *view)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < view->acknowledged_count; i++) {
        const char *as = acknowledged_as_name(view->acknowledged[i].as);

        (void)json_array_append_new(
            array, json_pack("{s:s, s:s, s:o}", "by", member_name(view->charter, view->acknowledged[i].by), "as",
                             as != NULL ? as : "unknown", "at", json_time(view->acknowledged[i].at)));
    }
    return array;
}

static json_t *cannot_read(const struct office_view *view)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < view->unreadable_count; i++) {
        const struct unreadable *gap = &view->unreadable[i];

        (void)json_array_append_new(array,
                                    json_pack("{s:s, s:I, s:I}", "party", member_name(view->charter, gap->member),
                                              "first", (json_int_t)gap->first, "last", (json_int_t)gap->last));
    }
    return array;
}

/* What stands only in entries of some kinds. */
static void put_kind(json_t *entry, const struct office_view *view)
{
    const char *as = acknowledged_as_name(view->as);
    json_t *array = NULL;

    if (strcmp(view->kind, "message") == 0) {
        (void)json_object_set_new(entry, "text", json_text(view->text));
        (void)json_object_set_new(entry, "language", view->language.size > 0 ? json_text(view->language) : json_null());
    } else if (strcmp(view->kind, "acknowledgement") == 0) {
        array = json_array();
        for (unsigned i = 0; i < view->acknowledges_count; i++)
            (void)json_array_append_new(array, reference(view->charter, &view->acknowledges[i]));
        (void)json_object_set_new(entry, "acknowledges", array);
        (void)json_object_set_new(entry, "as", json_string(as != NULL ? as : "unknown"));
    } else if (strcmp(view->kind, "unreadable") == 0) {
        (void)json_object_set_new(entry, "cannot_read", cannot_read(view));
    }
}

json_t *json_entry(const struct office_view *view)
{
    const char *precedence = precedence_name(view->precedence);
    json_t *entry = json_pack("{s:s, s:s, s:I, s:s}", "line", view->line, "author", view->author, "number",
                              (json_int_t)view->number, "kind", view->kind);
    json_t *rest =
        json_pack("{s:s, s:b, s:o, s:o, s:o, s:s, s:o, s:o, s:b, s:b, s:o}", "precedence",
                  precedence != NULL ? precedence : "routine", "exercise", view->exercise, "written",
                  view->has_written ? json_time(view->written) : json_null(), "received",
                  view->received > 0 ? json_time(view->received) : json_null(), "answers",
                  view->has_answers ? reference(view->charter, &view->answers) : json_null(), "state",
                  message_state_name(view->state), "stored", stored(view), "acknowledged", acknowledged(view),
                  "readable", view->readable, "early", view->early, "leaf", json_hex(span_of(view->leaf, HASH_SIZE)));

    if (entry != NULL && rest != NULL) {
        put_kind(entry, view);
        (void)json_object_update(entry, rest);
    }
    json_decref(rest);
    return entry;
}

json_t *json_entries(const struct office_view *views, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, json_entry(&views[i]));
    return array;
}

/* --- status -------------------------------------------------------------------------------------------------- */

static json_t *links_of(const struct office_member_status *member)
{
    json_t *array = json_array();

    for (size_t i = 0; i < member->link_count; i++) {
        const struct office_link_status *link = &member->link[i];

        (void)json_array_append_new(array, json_pack("{s:o, s:s, s:s, s:o}", "address",
                                                     json_text(span_of_string(link->address)), "stated", member->stated,
                                                     "observed", link->up ? "up" : "down", "since",
                                                     link->since > 0 ? json_time(link->since) : json_null()));
    }
    return array;
}

/* Numbers that JSON's readers can tell apart. */
static json_t *quota_number(uint64_t number)
{
    return json_integer((json_int_t)(number < QUOTA_MAX ? number : QUOTA_MAX));
}

static json_t *quota_of(const struct office_member_status *member)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b}", "entries", quota_number(member->used.entries), "entries_most",
                     quota_number(member->most.entries), "bytes", quota_number(member->used.bytes), "bytes_most",
                     quota_number(member->most.bytes), "delayed", member->delayed);
}

static json_t *member_of(const struct office_member_status *member)
{
    json_t *object =
        json_pack("{s:s, s:b, s:I, s:I, s:I, s:o, s:o, s:o}", "party", member->party, "me", member->me, "size",
                  (json_int_t)member->size, "receipted", (json_int_t)member->receipted, "waiting",
                  (json_int_t)member->waiting, "oldest", member->oldest > 0 ? json_time(member->oldest) : json_null(),
                  "quota", quota_of(member), "links", links_of(member));

    if (object != NULL && !member->me)
        (void)json_object_set_new(object, "forward_secrecy", json_boolean(member->forward_secrecy));
    return object;
}

static json_t *line_of(const struct office_line_status *line)
{
    json_t *members = json_array();

    for (unsigned i = 0; i < line->charter->member_count; i++)
        (void)json_array_append_new(members, member_of(&line->member[i]));
    return json_pack("{s:s, s:o, s:b, s:b, s:b, s:I, s:o}", "name", line->name, "id",
                     json_hex(span_of(line->charter->line_id, HASH_SIZE)), "confirmed", line->confirmed, "courier_key",
                     line->courier_key, "left", line->left, "inbox", (json_int_t)line->inbox, "members", members);
}

static json_t *lines_of(const struct office *office)
{
    struct office_line_status *line = calloc(1, sizeof *line);
    json_t *array = json_array();

    for (size_t i = 0; line != NULL && i < office_line_count(office); i++) {
        *line = (struct office_line_status){0};
        office_line_status(office, i, line);
        (void)json_array_append_new(array, line_of(line));
    }
    free(line);
    return array;
}

json_t *json_status(const struct office *office, const struct confinement *confinement)
{
    const char *reason = NULL;
    enum office_state state = office_state(office, &reason);
    json_t *alarms = json_array();
    json_t *unprotected = json_array();

    for (size_t i = 0; i < office_alarm_count(office); i++)
        (void)json_array_append_new(alarms, json_text(span_of_string(office_alarm(office, i))));
    for (size_t i = 0; i < confinement->lack_count; i++)
        (void)json_array_append_new(unprotected, json_text(span_of_string(confinement->lack[i])));
    return json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "office", office_name(office), "state", json_state_name(state), "reason",
        state != OFFICE_READY && reason != NULL ? json_text(span_of_string(reason)) : json_null(), "version",
        LIAISON_VERSION, "lines", lines_of(office), "alarms", alarms, "unprotected", unprotected);
}

/* --- lines ----------------------------------------------------------------------------------------------------- */

bool json_find_line(const struct office *office, const char *name, struct office_line_status *status)
{
    for (size_t i = 0; i < office_line_count(office); i++) {
        *status = (struct office_line_status){0};
        office_line_status(office, i, status);
        if (strcmp(status->name, name) == 0)
            return true;
    }
    return false;
}

json_t *json_line(const struct office_line_status *line, struct span charter, struct span fingerprint)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:b, s:b, s:b}", "name", line->name, "id",
                     json_hex(span_of(line->charter->line_id, HASH_SIZE)), "charter", json_text(charter), "fingerprint",
                     json_text(fingerprint), "confirmed", line->confirmed, "courier_key", line->courier_key, "left",
                     line->left);
}

/* --- events ---------------------------------------------------------------------------------------------------- */

json_t *json_event(const struct office *office, const struct office_event *event)
{
    const char *reason = NULL;
    enum office_state state = OFFICE_LOCKED;

    switch (event->kind) {
    case OFFICE_ENTRY:
        return event->view_count == 0 ? NULL
                                      : json_pack("{s:s, s:o}", "event", "entry", "entry", json_entry(event->view));
    case OFFICE_STORED:
        return json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "event", "stored", "line", event->line, "author",
                         event->party, "size", (json_int_t)event->size, "by", event->outcome, "at",
                         json_time(event->at));
    case OFFICE_LINK:
        return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "event", "link", "line", event->line, "party", event->party,
                         "address", json_text(span_of_string(event->address_text)), "observed",
                         event->up ? "up" : "down", "reason", json_text(span_of_string(event->reason)));
    case OFFICE_STATE:
        state = office_state(office, &reason);
        return json_pack("{s:s, s:s, s:o}", "event", "state", "state", json_state_name(state), "reason",
                         state != OFFICE_READY && reason != NULL ? json_text(span_of_string(reason)) : json_null());
    default:
        return NULL;
    }
}
