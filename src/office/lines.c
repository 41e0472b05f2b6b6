/*
 * Lines: founded here, or joined with a charter that came by hand.
 */
#include <stdlib.h>

#include "office/engine.h"

void line_free(struct line *line)
{
    if (line == NULL)
        return;
    while (line->pending_first != NULL) {
        struct pending *pending = line->pending_first;

        line->pending_first = pending->next;
        pending_free(pending);
    }
    while (line->accepted_first != NULL) {
        struct sync_chunk *chunk = line->accepted_first;

        line->accepted_first = chunk->next;
        sync_chunk_free(chunk);
    }
    overtaken_free(line);
    sync_chunk_free(line->tail);
    sync_free(line->sync);
    secret_free(line->secret);
    buffer_free(&line->tokens);
    buffer_free(&line->charter_text);
    buffer_free(&line->courier_sealed);
    free(line->charter);
    free(line);
}

/* Which member this office is: the one whose card is ours, key for key. */
static int find_me(const struct office *office, struct line *line, struct error *error)
{
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        const struct card *card = &line->charter->members[i];

        if (strcmp(card->name, office->card.name) != 0 &&
            memcmp(card->log_key, office->card.log_key, SIGN_PUBLIC_SIZE) != 0)
            continue;
        if (strcmp(card->name, office->card.name) != 0 ||
            memcmp(card->log_key, office->card.log_key, SIGN_PUBLIC_SIZE) != 0 ||
            memcmp(card->receipt_key, office->card.receipt_key, SIGN_PUBLIC_SIZE) != 0 ||
            memcmp(card->link_key, office->card.link_key, DH_SIZE) != 0 ||
            memcmp(card->sealing_key, office->card.sealing_key, DH_SIZE) != 0)
            return error_set(error, ERROR_MISMATCH, "the charter names %s with other keys than this office has",
                             card->name);
        line->me = i;
        return 0;
    }
    return error_set(error, ERROR_REFUSED, "this office, %s, is not a member of that charter", office->card.name);
}

struct line *line_new(struct office *office, uint32_t number, struct span name, struct span charter,
                      struct error *error)
{
    struct line *line = calloc(1, sizeof *line);

    if (line == NULL || (line->charter = malloc(sizeof *line->charter)) == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
        goto failed;
    }
    line->number = number;
    buffer_put_span(&line->charter_text, charter);
    if (charter_parse(line->charter, charter, error) != 0 || find_me(office, line, error) != 0)
        goto failed;
    if (name.size == 0)
        name = span_of_string(line->charter->name);
    if (!text_is_line_name(name)) {
        (void)error_set(error, ERROR_INVALID, "a line's name is 1 to 32 of a-z, 0-9 and inner '-'");
        goto failed;
    }
    memcpy(line->name, name.data, name.size);
    line->sync = sync_new(line->charter, line->me);
    if (line->sync == NULL || buffer_failed(&line->charter_text)) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
        goto failed;
    }
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        struct span short_name = charter_short_name(line->charter, i);

        memcpy(line->member[i].name, short_name.data, short_name.size);
        charter_origin(line->charter, i, 0, line->member[i].origin);
        hash_bytes(line->member[i].origin_hash, line->member[i].origin, strlen(line->member[i].origin));
    }
    return line;
failed:
    line_free(line);
    return NULL;
}

int line_unlock(struct office *office, struct line *line, struct error *error)
{
    struct vault_context context;

    line->secret = secret_new(sizeof *line->secret);
    if (line->secret == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left that can be locked");
    if (line->courier_sealed.size > 0 &&
        vault_open(line->secret->courier, COURIER_KEY_SIZE, office->master,
                   vault_context(&context, office->id, VAULT_COURIER, line->charter->line_id, 0, 0, 0),
                   buffer_span(&line->courier_sealed), error) != 0)
        return -1;
    courier_subkey(line->secret->link_psk, line->secret->courier, LABEL_COURIER_LINK);
    return 0;
}

void lines_forget_unrecorded(struct office *office)
{
    while (office->line_count > 0 && office->line[office->line_count - 1]->second.size == 0 &&
           !office->line[office->line_count - 1]->asking)
        line_free(office->line[--office->line_count]);
    links_know_lines(office);
}

static void refuse(struct office *office, uint64_t request, const struct error *error)
{
    core_reply_error(office, request, error);
}

static int check_new(struct office *office, struct span name, struct error *error)
{
    if (office->state == OFFICE_LOCKED)
        return error_set(error, ERROR_LOCKED, "the office is locked; type `liaison unlock` first");
    if (office->state == OFFICE_STOPPED)
        return error_set(error, ERROR_STOPPED, "the office has stopped and records nothing: %s", office->stop.message);
    if (office->line_count == OFFICE_LINES_MAX)
        return error_set(error, ERROR_REFUSED, "this office has %d lines already, the most there may be",
                         OFFICE_LINES_MAX);
    if (office_has_line(office, name))
        return error_set(error, ERROR_EXISTS, "a line of that name exists here; choose another name");
    return 0;
}

/* An operation that belongs to a new line: to its first entry, or, where that comes back from the others, to nothing.
 */
static void put_operation(struct office *office, struct line *line, const struct store_op *op)
{
    if (line->asking)
        core_lazy(office, op);
    else
        append_operation(line, op);
}

/* The line's rows, its empty logs, and one's own first entries, in one batch. */
static int record_line(struct office *office, struct line *line, struct error *error)
{
    struct store_op op = {.kind = STORE_PUT_LINE};

    if (!line->asking && append_start(office, line, error) != 0)
        return -1;
    op.n[0] = line->number;
    op.n[1] = line->me;
    op.b[0] = span_of_string(line->name);
    op.b[1] = span_of(line->charter->line_id, HASH_SIZE);
    op.b[2] = buffer_span(&line->charter_text);
    op.b[3] = buffer_span(&line->courier_sealed);
    put_operation(office, line, &op);
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        struct store_op log = {.kind = STORE_PUT_LOG};

        log.n[0] = LOG_NUMBER(line, i);
        log.n[1] = line->number;
        log.n[2] = i;
        put_operation(office, line, &log);
    }
    return 0;
}

/* A lost line stays where the disk is full, and what is not recorded goes: only what stands last can go. */
static int check_found_again(const struct office *office, const struct line *line, struct error *error)
{
    const struct line *last = office->line_count > 0 ? office->line[office->line_count - 1] : NULL;

    if (restore_is_lost(office, line->charter->line_id) && last != NULL && last->second.size == 0 && !last->asking)
        return error_set(error, ERROR_REFUSED, "the line %s is being recorded; join this one when that is done",
                         last->name);
    return 0;
}

/* Takes the line into the office and answers the request once it is durable. `key` may be NULL. */
static int install(struct office *office, struct line *line, const uint8_t *key, uint64_t request, bool founded,
                   struct error *error)
{
    struct vault_context context;
    struct waiting *waiting = NULL;
    struct buffer text = {0}, text2 = {0}; /* of the answer: made before anything is recorded */

    if (founded)
        buffer_put_span(&text, buffer_span(&line->charter_text));
    if (founded && key != NULL)
        courier_key_print(&text2, line->charter->line_id, key);
    if (key != NULL)
        vault_seal(&line->courier_sealed, office->master,
                   vault_context(&context, office->id, VAULT_COURIER, line->charter->line_id, 0, 0, 0),
                   span_of(key, COURIER_KEY_SIZE), &office->entropy);
    if (buffer_failed(&line->courier_sealed) || buffer_failed(&text) || buffer_failed(&text2))
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
    /* Once it is found again nothing may fail: what is known of its log would be forgotten, and signed anew. */
    if (error->code != ERROR_NONE || check_found_again(office, line, error) != 0 ||
        line_unlock(office, line, error) != 0)
        goto out;
    if (restore_is_lost(office, line->charter->line_id))
        restore_found_again(office, line);
    if (record_line(office, line, error) != 0)
        goto out;
    office->line[office->line_count++] = line;
    links_know_lines(office);
    if (line->asking) {
        struct office_event event = {.kind = OFFICE_REPLY, .request = request, .line = line->name};

        event.party = line->charter->members[line->me].name;
        restore_ask(office, line);
        core_reply_when_durable(office, &event);
        goto out;
    }
    waiting = append_wait(office, line, request, 0, 2);
    if (waiting == NULL)
        goto out;
    waiting->line = line->name;
    waiting->text = text;
    waiting->text2 = text2;
    return 0;
out:
    buffer_free(&text);
    if (text2.data != NULL)
        secret_wipe(text2.data, text2.capacity);
    buffer_free(&text2);
    return error->code == ERROR_NONE ? 0 : -1;
}

static uint32_t next_number(const struct office *office)
{
    uint32_t number = 0;

    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i]->number >= number)
            number = office->line[i]->number + 1;
    return number;
}

static int read_cards(struct office *office, struct charter *charter, const struct span *cards, size_t count,
                      struct error *error)
{
    charter->members[0] = office->card;
    charter->member_count = 1;
    if (count == 0 || count >= MEMBERS_MAX)
        return error_set(error, ERROR_USAGE, "a line has 2 to %d members: give 1 to %d cards of others", MEMBERS_MAX,
                         MEMBERS_MAX - 1);
    for (size_t i = 0; i < count; i++)
        if (card_parse(&charter->members[charter->member_count++], cards[i], error) != 0)
            return -1;
    return 0;
}

/* What is less would be used up by what the office must write itself, or have no room for the longest text. */
static int set_quotas(struct charter *charter, struct amount quota, struct error *error)
{
    charter->quota_entries = quota.entries != 0 ? quota.entries : QUOTA_ENTRIES_DEFAULT;
    charter->quota_bytes = quota.bytes != 0 ? quota.bytes : QUOTA_BYTES_DEFAULT;
    if (charter->quota_entries < QUOTA_ENTRIES_MIN || charter->quota_bytes < QUOTA_BYTES_MIN)
        return error_set(error, ERROR_INVALID,
                         "a line's quotas are at least %d entries and %d bytes a day for each member",
                         QUOTA_ENTRIES_MIN, QUOTA_BYTES_MIN);
    return 0;
}

void office_line_found(struct office *office, uint64_t request, struct span name, const struct span *cards,
                       size_t card_count, bool courier_key, struct amount quota, struct now now)
{
    struct error error = {0};
    struct charter *charter = calloc(1, sizeof *charter);
    struct buffer text = {0};
    struct line *line = NULL;
    uint8_t key[COURIER_KEY_SIZE];

    office->now = now;
    if (check_new(office, name, &error) != 0)
        goto out;
    if (charter == NULL || !text_is_line_name(name)) {
        (void)error_set(&error, charter == NULL ? ERROR_SYSTEM : ERROR_INVALID, "%s",
                        charter == NULL ? "there is no memory left"
                                        : "a line's name is 1 to 32 of a-z, 0-9 and inner '-'");
        goto out;
    }
    memcpy(charter->name, name.data, name.size);
    entropy_fill(&office->entropy, charter->random, sizeof charter->random);
    entropy_fill(&office->entropy, key, sizeof key);
    charter->has_courier_key = courier_key;
    courier_hash(charter->courier_hash, key);
    if (set_quotas(charter, quota, &error) != 0 || read_cards(office, charter, cards, card_count, &error) != 0)
        goto out;
    charter_print(charter, &text);
    if (buffer_failed(&text)) {
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
        goto out;
    }
    line = line_new(office, next_number(office), name, buffer_span(&text), &error);
    if (line != NULL && install(office, line, courier_key ? key : NULL, request, true, &error) != 0)
        line_free(line);
out:
    secret_wipe(key, sizeof key);
    buffer_free(&text);
    free(charter);
    if (error.code != ERROR_NONE)
        refuse(office, request, &error);
    core_turn(office);
}

static int check_key(const struct line *line, struct span file, uint8_t key[static COURIER_KEY_SIZE],
                     struct error *error)
{
    uint8_t line_id[HASH_SIZE];
    uint8_t hash[HASH_SIZE];

    if (!line->charter->has_courier_key)
        return file.size == 0
                   ? 0
                   : error_set(error, ERROR_MISMATCH,
                               "the charter says that this line has no courier key; join with --no-courier-key");
    if (file.size == 0)
        return error_set(error, ERROR_REFUSED, "this line has a courier key; give its file with --key");
    if (courier_key_parse(line_id, key, file, error) != 0)
        return -1;
    if (memcmp(line_id, line->charter->line_id, HASH_SIZE) != 0)
        return error_set(error, ERROR_MISMATCH, "that courier key belongs to another line than this charter");
    courier_hash(hash, key);
    if (!hash_equal(hash, line->charter->courier_hash))
        return error_set(error, ERROR_MISMATCH, "that is not the courier key that the charter names");
    return 0;
}

void office_line_join(struct office *office, uint64_t request, struct span charter, struct span key_file,
                      struct span name, struct now now)
{
    struct error error = {0};
    struct line *line = NULL;
    uint8_t key[COURIER_KEY_SIZE];

    office->now = now;
    if (check_new(office, name, &error) != 0)
        goto out;
    line = line_new(office, next_number(office), name, charter, &error);
    if (line == NULL)
        goto out;
    for (size_t i = 0; i < office->line_count; i++)
        if (memcmp(office->line[i]->charter->line_id, line->charter->line_id, HASH_SIZE) == 0)
            (void)error_set(&error, ERROR_EXISTS, "this office has joined that line already, as %s",
                            office->line[i]->name);
    if (error.code == ERROR_NONE && office_has_line(office, span_of_string(line->name)))
        (void)error_set(&error, ERROR_EXISTS, "a line of that name exists here; join it under another name");
    if (error.code != ERROR_NONE || check_key(line, key_file, key, &error) != 0 ||
        install(office, line, line->charter->has_courier_key ? key : NULL, request, false, &error) != 0)
        line_free(line);
out:
    secret_wipe(key, sizeof key);
    if (error.code != ERROR_NONE)
        refuse(office, request, &error);
    core_turn(office);
}

void office_line_show(struct office *office, uint64_t request, struct span name)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    struct office_event event = {.kind = OFFICE_REPLY, .request = request};
    char fingerprint[FINGERPRINT_SIZE];

    if (line == NULL) {
        refuse(office, request, &error);
        return;
    }
    charter_fingerprint(line->charter, line->secret->courier, fingerprint);
    event.line = line->name;
    buffer_put_span(&event.text, buffer_span(&line->charter_text));
    buffer_print(&event.text2, "%s", fingerprint);
    core_event(office, &event);
}

/* Compares digits, whatever the spaces between them. */
static bool same_digits(const char *fingerprint, struct span digits)
{
    size_t at = 0;

    for (size_t i = 0; fingerprint[i] != 0; i++) {
        if (fingerprint[i] == ' ')
            continue;
        while (at < digits.size && (digits.data[at] == ' ' || digits.data[at] == '-' || digits.data[at] == '\n'))
            at++;
        if (at == digits.size || digits.data[at++] != (uint8_t)fingerprint[i])
            return false;
    }
    while (at < digits.size && (digits.data[at] == ' ' || digits.data[at] == '\n'))
        at++;
    return at == digits.size;
}

void office_line_confirm(struct office *office, uint64_t request, struct span name, struct span digits, struct now now)
{
    struct error error = {0};
    struct line *line = core_line(office, name, true, &error);
    struct office_event event = {.kind = OFFICE_REPLY, .request = request};
    struct store_op op = {.kind = STORE_SET_LINE};
    char fingerprint[FINGERPRINT_SIZE];

    office->now = now;
    if (line == NULL) {
        refuse(office, request, &error);
        return;
    }
    charter_fingerprint(line->charter, line->secret->courier, fingerprint);
    if (!same_digits(fingerprint, digits)) {
        (void)error_set(
            &error, ERROR_MISMATCH,
            "these digits are not the number of this line: a digit was misread, or someone sits between. Do not "
            "use the line for anything that matters before both sides show the same number");
        refuse(office, request, &error);
        return;
    }
    line->confirmed = true;
    op.n[0] = line->number;
    op.n[1] = 1;
    op.n[2] = line->left;
    core_lazy(office, &op);
    event.line = line->name;
    core_reply_when_durable(office, &event);
    core_turn(office);
}

void office_line_leave(struct office *office, uint64_t request, struct span name, struct now now)
{
    static const uint8_t empty_map = 0xa0;
    struct error error = {0};
    struct line *line = core_line_to_append(office, name, &error);
    struct store_op op = {.kind = STORE_SET_LINE};
    uint64_t index = line != NULL ? line->first.size : 0;

    office->now = now;
    if (line != NULL && line->left)
        (void)error_set(&error, ERROR_REFUSED, "this office has left the line already");
    if (error.code == ERROR_NONE && append_clear(office, line, ENTRY_LEAVE, span_of(&empty_map, 1), &error) == 0) {
        op.n[0] = line->number;
        op.n[1] = line->confirmed;
        op.n[2] = 1;
        append_operation(line, &op);
        line->left = true;
        (void)append_wait(office, line, request, index, 1);
    }
    if (error.code != ERROR_NONE)
        refuse(office, request, &error);
    core_turn(office);
}
