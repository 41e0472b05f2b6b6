#include "cli/conversation.h"

#include "cli/status.h"

#include <stdio.h>
#include <stdlib.h>

#define ABOUT_REFUSAL 100 /* of notes: transcript_note(). Those below are about a member's link */

static const char *string_of(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}

static void copy_string(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from);
}

bool conversation_open(struct conversation *conversation, const char *line, const json_t *status)
{
    const char *office = string_of(status, "office");

    conversation->bell_us = conversation->reload_us = UINT64_MAX;
    copy_string(conversation->line, sizeof conversation->line, line);
    copy_string(conversation->office, sizeof conversation->office, office);
    draft_clear(&conversation->draft);
    draft_clear(&conversation->outbox);
    conversation_resize(conversation, 24, 80);
    return transcript_members(&conversation->transcript, status_line(status, line), office);
}

void conversation_free(struct conversation *conversation)
{
    if (conversation == NULL)
        return;
    transcript_free(&conversation->transcript);
    draft_free(&conversation->draft);
    draft_free(&conversation->outbox);
    buffer_free(&conversation->recall);
    control_client_free(&conversation->client);
    json_decref(conversation->held);
    screen_free(&conversation->screen);
    frame_free(&conversation->frame);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

/* Room is left for what is asked without anybody typing. */
#define PENDING_TYPED_MAX (CONVERSATION_PENDING_MAX / 2)

bool conversation_is_busy(const struct conversation *conversation)
{
    return conversation->pending_count >= PENDING_TYPED_MAX;
}

void conversation_request(struct conversation *conversation, enum conversation_purpose purpose, const char *method,
                          json_t *params)
{
    if (!conversation->connected || conversation->pending_count == CONVERSATION_PENDING_MAX) {
        json_decref(params);
        return;
    }
    conversation->pending[conversation->pending_count].purpose = purpose;
    conversation->pending[conversation->pending_count++].id =
        control_client_request(&conversation->client, method, params);
}

void conversation_acknowledge(struct conversation *conversation, const char *name, const char *as)
{
    size_t at = conversation->pending_count;

    conversation_request(conversation, PURPOSE_ACKNOWLEDGE, "acknowledge",
                         json_pack("{s:s, s:[s], s:s}", "line", conversation->line, "entries", name, "as", as));
    if (conversation->pending_count > at)
        copy_string(conversation->pending[at].name, sizeof conversation->pending[at].name, name);
}

static bool is_pending(const struct conversation *conversation, enum conversation_purpose purpose)
{
    for (size_t i = 0; i < conversation->pending_count; i++)
        if (conversation->pending[i].purpose == purpose)
            return true;
    return false;
}

void conversation_release(struct conversation *conversation)
{
    if (conversation->outstanding && !is_pending(conversation, PURPOSE_APPEND))
        conversation_request(conversation, PURPOSE_APPEND, "append",
                             draft_params(&conversation->outbox, conversation->line));
}

static void ask_inbox(struct conversation *conversation)
{
    conversation_request(conversation, PURPOSE_INBOX, "inbox", json_pack("{s:s}", "line", conversation->line));
}

/* Fetches how the line stands now; what comes meanwhile is held until it is here. */
static void load(struct conversation *conversation)
{
    if (conversation->loading)
        return;
    conversation->loading = true;
    conversation_request(
        conversation, PURPOSE_PAGE, "entries",
        json_pack("{s:s, s:i, s:s}", "line", conversation->line, "limit", CONVERSATION_PAGE, "order", "falling"));
    ask_inbox(conversation);
}

static void ask_everything(struct conversation *conversation)
{
    conversation->reload_us = UINT64_MAX;
    conversation_request(conversation, PURPOSE_STATUS, "status", json_object());
    conversation_request(conversation, PURPOSE_SUBSCRIBE, "subscribe", json_pack("{s:s}", "line", conversation->line));
    load(conversation);
    conversation_release(conversation);
}

void conversation_connected(struct conversation *conversation, uint64_t now_us)
{
    if (conversation->loaded)
        transcript_note(&conversation->transcript, now_us, 0, "The daemon is back.");
    conversation->connected = true;
    conversation->known = false;
    ask_everything(conversation);
}

void conversation_lost(struct conversation *conversation, uint64_t now_us)
{
    if (!conversation->connected)
        return;
    conversation->unsure |= conversation->outstanding;
    conversation->connected = conversation->loading = false;
    conversation->reload_us = UINT64_MAX;
    conversation->pending_count = 0;
    control_client_free(&conversation->client);
    conversation->client = (struct control_client){0};
    json_decref(conversation->held);
    conversation->held = NULL;
    if (conversation->outstanding)
        transcript_note(&conversation->transcript, now_us, 0,
                        "The daemon is gone. It is not known whether your message was recorded: it is kept here, and "
                        "asked for again under the same token, so it is recorded once. Do not write it again.");
    else
        transcript_note(&conversation->transcript, now_us, 0,
                        "The daemon is gone. Your draft is kept here; nothing can be sent until it is back.");
}

/* --- flashes ----------------------------------------------------------------------------------------------------- */

/* Whether `name`, with a party in full or by its first label, is the entry of the full name `full`. */
static bool is_name_of(const char *name, const char *full)
{
    size_t label = strcspn(full, "./");

    return strcmp(name, full) == 0 ||
           (strncmp(name, full, label) == 0 && name[label] == '/' && strcmp(name + label, strchr(full, '/')) == 0);
}

static void drop_alarm(struct conversation *conversation, const char *name)
{
    size_t kept = 0;

    if (name == NULL)
        return;
    for (size_t i = 0; i < conversation->alarm_count; i++)
        if (!is_name_of(name, conversation->alarm[i]))
            memmove(conversation->alarm[kept++], conversation->alarm[i], sizeof conversation->alarm[i]);
    if (kept < conversation->alarm_count && conversation->alarms_missing) {
        conversation->alarms_missing = false;
        ask_inbox(conversation);
    }
    conversation->alarm_count = kept;
    if (kept == 0)
        conversation->bell_us = UINT64_MAX;
}

static void name_of(const json_t *entry, char name[static 96])
{
    (void)snprintf(name, 96, "%.64s/%lld", string_of(entry, "author"),
                   (long long)json_integer_value(json_object_get(entry, "number")));
}

static bool is_by_office(const json_t *list, const char *office)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(string_of(json_array_get(list, i), "by"), office) == 0)
            return true;
    return false;
}

/* A flash of another member that nobody here has acknowledged rings. */
static void take_alarm(struct conversation *conversation, const json_t *entry, uint64_t now_us)
{
    char name[96];

    name_of(entry, name);
    if (strcmp(string_of(entry, "kind"), "message") != 0 || strcmp(string_of(entry, "precedence"), "flash") != 0 ||
        strcmp(string_of(entry, "author"), conversation->office) == 0 ||
        is_by_office(json_object_get(entry, "acknowledged"), conversation->office))
        return;
    for (size_t i = 0; i < conversation->alarm_count; i++)
        if (strcmp(conversation->alarm[i], name) == 0)
            return;
    if (conversation->alarm_count < CONVERSATION_ALARMS_MAX)
        memcpy(conversation->alarm[conversation->alarm_count++], name, sizeof name);
    else
        conversation->alarms_missing = true;
    conversation->bell = true;
    conversation->bell_us = now_us + CONVERSATION_BELL_US;
}

/* An acknowledgement or an answer of this office silences; one of another member is remembered for /who. */
static void take_answers(struct conversation *conversation, const json_t *entry)
{
    const char *author = string_of(entry, "author");
    const json_t *names = json_object_get(entry, "acknowledges");
    const json_t *parties = conversation->transcript.parties;

    if (strcmp(author, conversation->office) == 0) {
        for (size_t i = 0; i < json_array_size(names); i++)
            drop_alarm(conversation, json_string_value(json_array_get(names, i)));
        drop_alarm(conversation, string_of(entry, "answers"));
        return;
    }
    for (size_t i = 0; json_array_size(names) > 0 && i < json_array_size(parties); i++) {
        struct conversation_peer *peer = &conversation->peer[i];

        if (strcmp(json_string_value(json_array_get(parties, i)), author) != 0)
            continue;
        copy_string(peer->acknowledged_as, sizeof peer->acknowledged_as, string_of(entry, "as"));
        copy_string(peer->acknowledged_at, sizeof peer->acknowledged_at, string_of(entry, "written"));
    }
}

/* --- what comes -------------------------------------------------------------------------------------------------- */

static void take_entry(struct conversation *conversation, const json_t *entry, uint64_t now_us, bool past)
{
    enum transcript_came came = transcript_entry(&conversation->transcript, entry, past ? 0 : now_us);

    if (came == TRANSCRIPT_NEW)
        take_alarm(conversation, entry, now_us);
    take_answers(conversation, entry);
}

static void take_event(struct conversation *conversation, const json_t *event, uint64_t now_us)
{
    const char *kind = string_of(event, "event");

    if (strcmp(kind, "entry") == 0) {
        take_entry(conversation, json_object_get(event, "entry"), now_us, false);
    } else if (strcmp(kind, "stored") == 0) {
        json_int_t size = json_integer_value(json_object_get(event, "size"));

        transcript_stored(&conversation->transcript, string_of(event, "author"), size > 0 ? (uint64_t)size : 0,
                          string_of(event, "by"));
    } else if (strcmp(kind, "link") == 0) {
        if (!is_pending(conversation, PURPOSE_STATUS))
            conversation_request(conversation, PURPOSE_STATUS, "status", json_object());
    } else if (strcmp(kind, "state") == 0) {
        transcript_note(&conversation->transcript, now_us, 0, "This office is now %s%s%s", string_of(event, "state"),
                        json_is_string(json_object_get(event, "reason")) ? ": " : ".", string_of(event, "reason"));
        conversation_release(conversation);
    } else if (strcmp(kind, "lost") == 0) {
        load(conversation);
    }
}

/* The page comes from the end backwards. What came while it was fetched is taken after it. */
static void take_page(struct conversation *conversation, const json_t *result, uint64_t now_us)
{
    const json_t *entries = json_object_get(result, "entries");
    json_t *held = conversation->held;

    if (!conversation->loaded && json_is_string(json_object_get(result, "next")))
        transcript_note(&conversation->transcript, 0, 0, "What was said before: liaison read %s", conversation->line);
    for (size_t i = json_array_size(entries); i-- > 0;)
        take_entry(conversation, json_array_get(entries, i), now_us, true);
    conversation->loaded = true;
    conversation->loading = false;
    conversation->held = NULL;
    for (size_t i = 0; i < json_array_size(held); i++)
        take_event(conversation, json_array_get(held, i), now_us);
    json_decref(held);
}

/* Whether an event is about entries, so that it must come after the page. */
static bool is_of_record(const json_t *event)
{
    const char *kind = string_of(event, "event");

    return strcmp(kind, "link") != 0 && strcmp(kind, "state") != 0;
}

static void hold_event(struct conversation *conversation, const json_t *event)
{
    if (conversation->held == NULL)
        conversation->held = json_array();
    if (json_array_size(conversation->held) < CONVERSATION_HELD_MAX)
        (void)json_array_append(conversation->held, (json_t *)(uintptr_t)event);
}

/* Whether some link to a member is up, and since when. */
static bool find_link(const json_t *member, const char **since)
{
    const json_t *links = json_object_get(member, "links");

    for (size_t i = 0; i < json_array_size(links); i++) {
        const json_t *link = json_array_get(links, i);

        *since = string_of(link, "since");
        if (strcmp(string_of(link, "observed"), "up") == 0)
            return true;
    }
    return false;
}

static void take_status(struct conversation *conversation, const json_t *status, uint64_t now_us)
{
    const json_t *line = status_line(status, conversation->line);
    const json_t *members = json_object_get(line, "members");
    const json_t *alarms = json_object_get(status, "alarms");
    bool again = conversation->known;

    conversation->confirmed = json_is_true(json_object_get(line, "confirmed"));
    for (size_t i = 0; !again && i < json_array_size(alarms); i++)
        transcript_note(&conversation->transcript, 0, 0, "ALARM: %s", json_string_value(json_array_get(alarms, i)));
    if (!again && strcmp(string_of(status, "state"), "ready") != 0)
        transcript_note(&conversation->transcript, 0, 0, "This office is %s: %s", string_of(status, "state"),
                        string_of(status, "reason"));
    for (size_t i = 0; i < json_array_size(members) && i < TRANSCRIPT_MEMBERS_MAX; i++) {
        struct conversation_peer *peer = &conversation->peer[i];
        const char *since = "";
        bool up = find_link(json_array_get(members, i), &since);
        struct buffer name = {0};

        status_put_party(conversation->transcript.parties, string_of(json_array_get(members, i), "party"), &name);
        if (again && up != peer->up)
            transcript_note(&conversation->transcript, now_us, (unsigned)i + 1, "The link to %s is %s.",
                            buffer_string(&name), up ? "up" : "down; what you send waits and goes by itself");
        buffer_free(&name);
        peer->up = up;
        copy_string(peer->since, sizeof peer->since, since);
    }
    conversation->known = line != NULL;
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

/* What was released is a draft again, before what was written since. */
static void give_back(struct conversation *conversation)
{
    struct draft *draft = &conversation->draft;
    struct draft *outbox = &conversation->outbox;
    struct buffer text = outbox->text;

    buffer_put_span(&text, buffer_span(&draft->text));
    buffer_free(&draft->text);
    *draft = *outbox;
    draft->text = text;
    outbox->text = (struct buffer){0};
    draft_clear(outbox);
    conversation->outstanding = conversation->unsure = false;
}

/* Whether the daemon's refusal leaves it open if what was asked before was done. */
static bool is_unknown(const struct conversation *conversation, const struct error *error)
{
    return error->code == ERROR_STORAGE ||
           (conversation->unsure &&
            (error->code == ERROR_STOPPED || error->code == ERROR_LOCKED || error->code == ERROR_SYSTEM));
}

static void take_append(struct conversation *conversation, const struct control_message *message, uint64_t now_us)
{
    const json_t *number = json_array_get(json_object_get(message->content, "entries"), 0);
    struct buffer name = {0};

    if (message->content != NULL) {
        /* As a rule the entry itself shows that; not where it was recorded before the daemon was lost. */
        status_put_party(conversation->transcript.parties, string_of(number, "author"), &name);
        if (conversation->unsure || conversation->transcript.flooded)
            transcript_note(&conversation->transcript, now_us, 0, "Your message is recorded as %s/%lld, once.",
                            buffer_string(&name), (long long)json_integer_value(json_object_get(number, "number")));
        draft_clear(&conversation->outbox);
        conversation->outstanding = conversation->unsure = false;
    } else if (is_unknown(conversation, &message->error)) {
        conversation->unsure = true;
        transcript_note(&conversation->transcript, now_us, 0,
                        "%s. It is not known whether your message was recorded; it is asked for again under the same "
                        "token when the office can say. Do not write it again.",
                        message->error.message);
    } else {
        transcript_note(&conversation->transcript, now_us, 0, "Not sent: %s. It is your draft again.",
                        message->error.message);
        give_back(conversation);
    }
    buffer_free(&name);
}

static void take_acknowledge(struct conversation *conversation, const char *name, const json_t *result, uint64_t now_us)
{
    if (json_is_false(json_object_get(result, "recorded")))
        transcript_note(&conversation->transcript, now_us, 0, "%s was acknowledged here before, in that role.", name);
    drop_alarm(conversation, name);
}

/* What is asked for without anybody typing is asked for again later. */
static void take_refusal(struct conversation *conversation, enum conversation_purpose purpose,
                         const struct error *error, uint64_t now_us)
{
    if (purpose == PURPOSE_ACKNOWLEDGE) {
        transcript_note(&conversation->transcript, now_us, 0, "Not acknowledged: %s.", error->message);
        return;
    }
    if (purpose == PURPOSE_PAGE)
        conversation->loading = false;
    transcript_note(&conversation->transcript, now_us, ABOUT_REFUSAL, "%s.", error->message);
    conversation->reload_us = now_us + CONVERSATION_RELOAD_US;
}

static void take_answer(struct conversation *conversation, enum conversation_purpose purpose, const char *name,
                        const struct control_message *message, uint64_t now_us)
{
    const json_t *entries = json_object_get(message->content, "entries");

    if (purpose == PURPOSE_APPEND) {
        take_append(conversation, message, now_us);
    } else if (message->content == NULL) {
        take_refusal(conversation, purpose, &message->error, now_us);
    } else if (purpose == PURPOSE_STATUS || purpose == PURPOSE_WHO) {
        take_status(conversation, message->content, now_us);
        if (purpose == PURPOSE_WHO)
            conversation_say_who(conversation, now_us);
    } else if (purpose == PURPOSE_PAGE) {
        take_page(conversation, message->content, now_us);
    } else if (purpose == PURPOSE_INBOX) {
        for (size_t i = 0; i < json_array_size(entries); i++)
            take_alarm(conversation, json_array_get(entries, i), now_us);
    } else if (purpose == PURPOSE_ACKNOWLEDGE) {
        take_acknowledge(conversation, name, message->content, now_us);
    }
}

static void take_message(struct conversation *conversation, const struct control_message *message, uint64_t now_us)
{
    if (message->is_event && conversation->loading && is_of_record(message->content)) {
        hold_event(conversation, message->content);
        return;
    }
    if (message->is_event) {
        take_event(conversation, message->content, now_us);
        return;
    }
    for (size_t i = 0; i < conversation->pending_count; i++) {
        struct conversation_pending pending = conversation->pending[i];

        if (pending.id != message->id)
            continue;
        conversation->pending[i] = conversation->pending[--conversation->pending_count];
        take_answer(conversation, pending.purpose, pending.name, message, now_us);
        return;
    }
}

int conversation_input(struct conversation *conversation, struct span bytes, uint64_t now_us)
{
    struct control_message message = {0};
    int result = 1;

    control_client_input(&conversation->client, bytes);
    while (result == 1) {
        result = control_client_next(&conversation->client, &message, NULL);
        if (result == 1)
            take_message(conversation, &message, now_us);
        control_message_free(&message);
    }
    return result;
}

/* --- time -------------------------------------------------------------------------------------------------------- */

uint64_t conversation_next(const struct conversation *conversation)
{
    return conversation->bell_us < conversation->reload_us ? conversation->bell_us : conversation->reload_us;
}

void conversation_step(struct conversation *conversation, uint64_t now_us)
{
    if (now_us >= conversation->bell_us) {
        conversation->bell = true;
        conversation->bell_us = now_us + CONVERSATION_BELL_US;
    }
    if (now_us >= conversation->reload_us)
        ask_everything(conversation);
}
