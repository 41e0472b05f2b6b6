#include "cli/transcript.h"

#include "cli/columns.h"
#include "cli/show.h"
#include "cli/transcript_item.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US 1000000
#define FRESH_US (3 * SECOND_US)

static size_t member_of(const struct transcript *transcript, const char *name)
{
    size_t i = 0;

    while (i < transcript->member_count && (name == NULL || strcmp(transcript->member[i].name, name) != 0))
        i++;
    return i;
}

bool transcript_members(struct transcript *transcript, const json_t *line, const char *office)
{
    const json_t *members = json_object_get(line, "members");
    const char *name = json_string_value(json_object_get(line, "name"));
    size_t count = json_array_size(members);

    if (name == NULL || office == NULL || count < 1 || count > TRANSCRIPT_MEMBERS_MAX)
        return false;
    (void)snprintf(transcript->line, sizeof transcript->line, "%s", name);
    json_decref(transcript->parties);
    transcript->parties = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *member = json_array_get(members, i);
        const char *party = json_string_value(json_object_get(member, "party"));
        json_int_t size = json_integer_value(json_object_get(member, "size"));

        if (party == NULL || strlen(party) >= sizeof transcript->member[i].name)
            return false;
        (void)json_array_append_new(transcript->parties, json_string(party));
        memcpy(transcript->member[i].name, party, strlen(party) + 1);
        if (transcript->member[i].held == 0)
            transcript->member[i].held = size > 0 ? (uint64_t)size : 0;
    }
    transcript->member_count = count;
    transcript->me = member_of(transcript, office);
    return transcript->me < count;
}

static struct transcript_item *item_at(const struct transcript *transcript, size_t author, uint64_t number)
{
    for (size_t i = transcript->item_count; i-- > 0;) {
        struct transcript_item *item = transcript->item[i];

        if (item->kind == ITEM_ENTRY && item->author == author && item->number == number)
            return item;
    }
    return NULL;
}

/* The entry of a full name, such as washington.example/17. */
static struct transcript_item *item_named(const struct transcript *transcript, const char *name)
{
    const char *slash = name != NULL ? strrchr(name, '/') : NULL;
    char party[64];
    char *end = NULL;
    unsigned long long number = 0;

    if (slash == NULL || (size_t)(slash - name) >= sizeof party || slash[1] < '0' || slash[1] > '9')
        return NULL;
    memcpy(party, name, (size_t)(slash - name));
    party[slash - name] = '\0';
    number = strtoull(slash + 1, &end, 10);
    return *end == '\0' ? item_at(transcript, member_of(transcript, party), number) : NULL;
}

static void drop_item(struct transcript *transcript, size_t at)
{
    item_free(transcript->item[at]);
    transcript->item_count--;
    memmove(&transcript->item[at], &transcript->item[at + 1],
            (transcript->item_count - at) * sizeof transcript->item[0]);
}

static void append_item(struct transcript *transcript, struct transcript_item *item)
{
    if (transcript->item_count == TRANSCRIPT_ITEMS_MAX) {
        transcript->forgotten += item_rows(transcript->item[0], transcript);
        drop_item(transcript, 0);
    }
    transcript->item[transcript->item_count++] = item;
}

/* Where the line stands that counts what a flood left out; item_count if there is none. */
static size_t more_at(const struct transcript *transcript)
{
    size_t i = transcript->item_count;

    while (i-- > 0)
        if (transcript->item[i]->kind == ITEM_MORE)
            return i;
    return transcript->item_count;
}

/* The rows of what a flood drops were never all on the screen: they do not count as forgotten. */
static void hold_back(struct transcript *transcript)
{
    size_t more = more_at(transcript);

    while (more + 1 + TRANSCRIPT_FLOOD_SHOWN < transcript->item_count) {
        transcript->item[more]->count += transcript->item[more + 1]->kind == ITEM_ENTRY;
        drop_item(transcript, more + 1);
        item_changed(transcript->item[more]);
    }
}

/* Says that `count` more entries are not shown: on the line that says so already, if nothing came after it. */
static void add_more(struct transcript *transcript, uint64_t count)
{
    size_t at = more_at(transcript);
    struct transcript_item *more = NULL;

    if (at < transcript->item_count && (transcript->flooded || at + 1 == transcript->item_count))
        more = transcript->item[at];
    if (more == NULL && (more = item_new(ITEM_MORE)) != NULL)
        append_item(transcript, more);
    if (more == NULL)
        return;
    more->count += count;
    item_changed(more);
}

/* Counts what comes, and finds out when it is too much and when no longer. Time 0 is not counted: the past. */
static void count_flood(struct transcript *transcript, uint64_t now_us)
{
    uint64_t passed = now_us - transcript->second_us;

    if (now_us == 0)
        return;
    if (passed >= SECOND_US) {
        transcript->flooded &= passed < (uint64_t)2 * SECOND_US && transcript->in_second >= TRANSCRIPT_FLOOD / 4;
        transcript->second_us = now_us;
        transcript->in_second = 0;
    }
    if (++transcript->in_second > TRANSCRIPT_FLOOD && !transcript->flooded) {
        add_more(transcript, 0);
        transcript->flooded = true;
    }
}

static struct transcript_item *add_item(struct transcript *transcript, enum item_kind kind, uint64_t now_us)
{
    struct transcript_item *item = NULL;

    count_flood(transcript, now_us);
    item = item_new(kind);
    if (item == NULL)
        return NULL;
    append_item(transcript, item);
    if (transcript->flooded)
        hold_back(transcript);
    return item;
}

void transcript_note(struct transcript *transcript, uint64_t now_us, unsigned about, const char *format, ...)
{
    struct transcript_item *item = transcript->item_count > 0 ? transcript->item[transcript->item_count - 1] : NULL;
    char *sentence = NULL;
    va_list arguments;

    if (item == NULL || about == 0 || item->kind != ITEM_NOTE || item->about != about)
        item = add_item(transcript, ITEM_NOTE, now_us);
    va_start(arguments, format);
    if (item != NULL && vasprintf(&sentence, format, arguments) >= 0) {
        item->about = about;
        buffer_reset(&item->note);
        buffer_put_span(&item->note, span_of_string(sentence));
        item_changed(item);
    }
    va_end(arguments);
    free(sentence);
}

/* The gap of an author that has not closed; NULL if there is none. */
static struct transcript_item *open_gap(const struct transcript *transcript, size_t author)
{
    for (size_t i = transcript->item_count; i-- > 0;)
        if (transcript->item[i]->kind == ITEM_GAP && transcript->item[i]->author == author && transcript->item[i]->open)
            return transcript->item[i];
    return NULL;
}

/* Entry `number` came before its turn. */
static void note_early(struct transcript *transcript, size_t author, uint64_t number, uint64_t now_us)
{
    struct transcript_member *member = &transcript->member[author];
    struct transcript_item *gap = open_gap(transcript, author);
    size_t at = 0;

    while (at < member->early_count && member->early[at] < number)
        at++;
    if (member->early_count < TRANSCRIPT_EARLY_MAX) {
        memmove(&member->early[at + 1], &member->early[at], (member->early_count - at) * sizeof member->early[0]);
        member->early[at] = number;
        member->early_count++;
    }
    if (gap == NULL)
        gap = add_item(transcript, ITEM_GAP, now_us);
    if (gap == NULL)
        return;
    if (!gap->open) {
        gap->author = author;
        gap->number = gap->missing = member->next;
        gap->last = number - 1;
        gap->open = true;
    }
    if (gap->last < number - 1)
        gap->last = number - 1;
    item_changed(gap);
}

/* Everything of the author below `next` is here. */
static void advance(struct transcript *transcript, size_t author, uint64_t next)
{
    struct transcript_member *member = &transcript->member[author];
    struct transcript_item *gap = open_gap(transcript, author);
    size_t passed = 0;

    member->next = next;
    while (passed < member->early_count && member->early[passed] <= member->next) {
        if (member->early[passed] == member->next)
            member->next++;
        passed++;
    }
    member->early_count -= passed;
    memmove(&member->early[0], &member->early[passed], member->early_count * sizeof member->early[0]);
    if (gap == NULL)
        return;
    gap->missing = member->next;
    gap->open = gap->missing <= gap->last;
    item_changed(gap);
}

/* Notes that an entry is here; whether it was before. What was lost between is counted. */
static enum transcript_came note_arrival(struct transcript *transcript, size_t author, uint64_t number, bool early,
                                         uint64_t now_us)
{
    struct transcript_member *member = &transcript->member[author];
    bool known = number < member->next;

    if (early && member->next == 0)
        member->next = member->held;
    for (size_t i = 0; i < member->early_count; i++)
        known |= member->early[i] == number;
    if (number < member->next)
        return known ? TRANSCRIPT_KNOWN : TRANSCRIPT_NEW;
    if (early && number > member->next) {
        if (!known)
            note_early(transcript, author, number, now_us);
        return known ? TRANSCRIPT_KNOWN : TRANSCRIPT_NEW;
    }
    if (member->next > 0 && number > member->next + member->early_count)
        add_more(transcript, number - member->next - member->early_count);
    advance(transcript, author, number + 1);
    return known ? TRANSCRIPT_KNOWN : TRANSCRIPT_NEW;
}

/* What an entry says of others that are shown. */
static void take_references(struct transcript *transcript, size_t author, const json_t *entry)
{
    const json_t *names = json_object_get(entry, "acknowledges");
    struct transcript_item *answered = item_named(transcript, json_string_value(json_object_get(entry, "answers")));

    for (size_t i = 0; i < json_array_size(names); i++) {
        struct transcript_item *item = item_named(transcript, json_string_value(json_array_get(names, i)));

        if (item != NULL) {
            item->acknowledged |= 1u << author;
            item_changed(item);
        }
    }
    if (answered != NULL && answered->author != author) {
        answered->answered = true;
        item_changed(answered);
    }
}

static unsigned members_in(const struct transcript *transcript, const json_t *list)
{
    unsigned members = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *by = json_string_value(json_object_get(json_array_get(list, i), "by"));
        size_t member = member_of(transcript, by);

        members |= member < transcript->member_count ? 1u << member : 0;
    }
    return members;
}

/* Brings an entry's item up to date with what the daemon says of it now. */
static void take_state(const struct transcript *transcript, struct transcript_item *item, const json_t *entry)
{
    const char *state = json_string_value(json_object_get(entry, "state"));

    item->stored |= members_in(transcript, json_object_get(entry, "stored"));
    item->acknowledged |= members_in(transcript, json_object_get(entry, "acknowledged"));
    item->answered |= state != NULL && strcmp(state, "answered") == 0;
    for (size_t i = 0; i < transcript->member_count; i++)
        if (transcript->member[item->author].stored[i] > item->number)
            item->stored |= 1u << i;
    item_take(item, entry);
}

/* What only machines write, and nobody needs to see while talking. */
static bool is_machinery(const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));

    return kind == NULL || (show_is_service(entry) && strcmp(kind, "unknown") != 0);
}

enum transcript_came transcript_entry(struct transcript *transcript, const json_t *entry, uint64_t now_us)
{
    size_t author = member_of(transcript, json_string_value(json_object_get(entry, "author")));
    json_int_t number = json_integer_value(json_object_get(entry, "number"));
    bool early = json_is_true(json_object_get(entry, "early"));
    enum transcript_came came = TRANSCRIPT_KNOWN;
    struct transcript_item *item = NULL;

    if (author == transcript->member_count || number < 0)
        return TRANSCRIPT_KNOWN;
    came = note_arrival(transcript, author, (uint64_t)number, early, now_us);
    take_references(transcript, author, entry);
    if (is_machinery(entry))
        return TRANSCRIPT_KNOWN;
    item = item_at(transcript, author, (uint64_t)number);
    if (item == NULL && came == TRANSCRIPT_NEW) {
        item = add_item(transcript, ITEM_ENTRY, now_us);
        if (item != NULL) {
            item->author = author;
            item->number = (uint64_t)number;
            item->came_us = now_us;
        }
    }
    if (item != NULL)
        take_state(transcript, item, entry);
    return came;
}

void transcript_stored(struct transcript *transcript, const char *author, uint64_t size, const char *by)
{
    size_t from = member_of(transcript, author);
    size_t to = member_of(transcript, by);

    if (from == transcript->member_count || to == transcript->member_count ||
        transcript->member[from].stored[to] >= size)
        return;
    transcript->member[from].stored[to] = size;
    for (size_t i = 0; i < transcript->item_count; i++) {
        struct transcript_item *item = transcript->item[i];

        if (item->kind == ITEM_ENTRY && item->author == from && item->number < size && (item->stored & 1u << to) == 0) {
            item->stored |= 1u << to;
            item_changed(item);
        }
    }
}

bool transcript_waiting(const struct transcript *transcript, char name[static 96])
{
    for (size_t i = transcript->item_count; i-- > 0;) {
        const struct transcript_item *item = transcript->item[i];

        if (item->kind == ITEM_ENTRY && item->is_message && item->author != transcript->me &&
            (item->acknowledged & 1u << transcript->me) == 0) {
            (void)snprintf(name, 96, "%s/%llu", transcript->member[item->author].name,
                           (unsigned long long)item->number);
            return true;
        }
    }
    return false;
}

bool transcript_is_fresh(const struct transcript *transcript, const char *name, uint64_t now_us)
{
    const struct transcript_item *item = item_named(transcript, name);

    return item != NULL && item->came_us != 0 && now_us < item->came_us + FRESH_US;
}

const json_t *transcript_find(const struct transcript *transcript, const char *name)
{
    const struct transcript_item *item = item_named(transcript, name);

    return item != NULL && item->is_message ? item->entry : NULL;
}

void transcript_resize(struct transcript *transcript, size_t columns)
{
    transcript->columns = columns < 8 ? 8 : columns;
    transcript->forgotten = 0;
    for (size_t i = 0; i < transcript->item_count; i++)
        item_changed(transcript->item[i]);
}

uint64_t transcript_rows(const struct transcript *transcript)
{
    uint64_t rows = transcript->forgotten;

    for (size_t i = 0; i < transcript->item_count; i++)
        rows += item_rows(transcript->item[i], transcript);
    return rows;
}

const struct row *transcript_row(const struct transcript *transcript, uint64_t number)
{
    uint64_t first = transcript->forgotten;

    for (size_t i = 0; number >= first && i < transcript->item_count; i++) {
        size_t rows = item_rows(transcript->item[i], transcript);

        if (number < first + rows)
            return item_row(transcript->item[i], (size_t)(number - first));
        first += rows;
    }
    return NULL;
}

void transcript_free(struct transcript *transcript)
{
    if (transcript == NULL)
        return;
    for (size_t i = 0; i < transcript->item_count; i++)
        item_free(transcript->item[i]);
    json_decref(transcript->parties);
    *transcript = (struct transcript){0};
}
