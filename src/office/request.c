/*
 * What people ask to be appended: messages and acknowledgements. Tokens and answered entries are looked up first, on
 * the store's thread; then they become own entries (append.c), and the answer waits until they are durable.
 */
#include <stdlib.h>

#include "base/cbor.h"
#include "office/engine.h"

struct wanted_message {
    struct buffer text;
    struct span language; /* in text's memory, behind the text */
    size_t text_size;
    unsigned precedence;
    bool exercise;
    bool has_token;
    uint8_t token[16];
    uint8_t digest[HASH_SIZE];
    bool answers;
    bool has_leaf; /* of the answered entry: it overtook, and is not in its log yet */
    struct reference reference;
    int64_t place; /* of the answered entry */
    bool known;    /* the token made an entry before */
    uint64_t known_number;
};

struct append_job {
    struct office_job job;
    uint64_t request;
    struct line *line;
    unsigned as; /* an acknowledgement of all `answers`, else 0 */
    size_t count;
    struct wanted_message *message;
};

static void append_release(struct office_job *job)
{
    struct append_job *append = (struct append_job *)job;

    for (size_t i = 0; i < append->count; i++) {
        if (append->message[i].text.data != NULL)
            secret_wipe(append->message[i].text.data, append->message[i].text.size);
        buffer_free(&append->message[i].text);
    }
    free(append->message);
    buffer_free(&job->mark);
    free(append);
}

static int refuse_token(struct error *error)
{
    return error_set(error, ERROR_REFUSED, "this token was used before, for another message; nothing was recorded");
}

static int find_token(struct wanted_message *message, uint32_t line, struct store *store, struct error *error)
{
    struct store_query query = {.kind = STORE_TOKEN, .n = {line}, .b = {span_of(message->token, 16)}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count > 0) {
        message->known = true;
        message->known_number = (uint64_t)result.row[0].n[0];
        if (!span_equal(result.row[0].b[0], span_of(message->digest, HASH_SIZE)))
            status = refuse_token(error);
    }
    store_result_free(&result);
    return status;
}

static int find_answered(struct wanted_message *message, struct store *store, struct error *error)
{
    struct store_query query = {.kind = STORE_ENTRY, .n = {message->place}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count > 0 && result.row[0].n[1] != ENTRY_SEALED)
        status = error_set(error, ERROR_REFUSED,
                           "that entry is one of the machinery; only messages are answered or acknowledged");
    if (status == 0 && (result.count == 0 || result.row[0].b[0].size != HASH_SIZE))
        status = error_set(error, ERROR_NOT_FOUND, "the entry that is answered is not in the record");
    if (status == 0)
        memcpy(message->reference.leaf, result.row[0].b[0].data, HASH_SIZE);
    store_result_free(&result);
    return status;
}

static int append_run(struct office_job *job, struct store *store)
{
    struct append_job *append = (struct append_job *)job;

    for (size_t i = 0; i < append->count; i++) {
        struct wanted_message *message = &append->message[i];

        if (message->has_token && find_token(message, append->line->number, store, &job->error) != 0)
            return -1;
        if (message->answers && !message->has_leaf && find_answered(message, store, &job->error) != 0)
            return -1;
    }
    return 0;
}

/* A token of an entry that is on its way, and that the store did not know when it was asked. */
struct token {
    uint64_t number;
    uint8_t token[16];
    uint8_t digest[HASH_SIZE];
};

static struct token token_at(const struct line *line, size_t i)
{
    struct token token;

    memcpy(&token, line->tokens.data + i * sizeof token, sizeof token);
    return token;
}

static void find_recent_token(const struct line *line, struct wanted_message *message, struct error *error)
{
    size_t count = line->first.size < line->appended ? 0 : line->tokens.size / sizeof(struct token);

    for (size_t i = 0; i < count && !message->known; i++) {
        struct token token = token_at(line, i);

        if (memcmp(token.token, message->token, sizeof token.token) != 0)
            continue;
        message->known = true;
        message->known_number = token.number;
        if (memcmp(token.digest, message->digest, HASH_SIZE) != 0)
            (void)refuse_token(error);
    }
}

/* Forgets the oldest, once they are durable: every look-up from now on finds them in the store. */
static void forget_durable_tokens(struct line *line)
{
    size_t count = line->tokens.size / sizeof(struct token);
    size_t durable = 0;

    while (durable < count && token_at(line, durable).number < line->second.size)
        durable++;
    if (durable > count / 2)
        buffer_drop(&line->tokens, durable * sizeof(struct token));
}

static void keep_token(struct line *line, const struct wanted_message *message, uint64_t index)
{
    struct store_op op = {.kind = STORE_PUT_TOKEN, .n = {line->number, (int64_t)index, 1}};
    struct token token = {.number = index};

    op.b[0] = span_of(message->token, sizeof message->token);
    op.b[1] = span_of(message->digest, HASH_SIZE);
    append_operation(line, &op);
    memcpy(token.token, message->token, sizeof token.token);
    memcpy(token.digest, message->digest, HASH_SIZE);
    forget_durable_tokens(line);
    buffer_put(&line->tokens, &token, sizeof token);
}

/* So that keep_token() does not fail once its entry waits: the same token would be recorded again. */
static int make_room_for_tokens(struct line *line, size_t count, struct error *error)
{
    size_t size = count * sizeof(struct token);

    if (buffer_extend(&line->tokens, size) == NULL) {
        line->tokens.failed = false; /* what is in it is whole */
        return append_no_memory(error);
    }
    line->tokens.size -= size;
    return 0;
}

/* Whether a message before it in the same request has its token, and is another one. */
static bool contradicts_earlier(const struct append_job *append, size_t at)
{
    const struct wanted_message *message = &append->message[at];

    for (size_t i = 0; i < at; i++) {
        const struct wanted_message *earlier = &append->message[i];

        if (earlier->has_token && memcmp(earlier->token, message->token, sizeof message->token) == 0 &&
            memcmp(earlier->digest, message->digest, HASH_SIZE) != 0)
            return true;
    }
    return false;
}

/* Whether a message before it in the same request is the same one. */
static bool repeats_earlier(const struct append_job *append, size_t at)
{
    for (size_t i = 0; i < at && append->message[at].has_token; i++)
        if (append->message[i].has_token &&
            memcmp(append->message[i].token, append->message[at].token, sizeof append->message[i].token) == 0)
            return true;
    return false;
}

/* Flash and immediate may use all of one's quota, and so may a person who says that something was seen. */
static int check_quota(struct office *office, const struct append_job *append, struct error *error)
{
    struct amount more = {.bytes = append_seen_size(append->line)};
    size_t references = 0;
    bool urgent = true;

    for (size_t i = 0; i < append->count; i++) {
        const struct wanted_message *message = &append->message[i];

        if (message->known || repeats_earlier(append, i))
            continue;
        more.entries++;
        more.bytes += append_size(message->text.size, message->answers);
        references += message->answers;
        urgent = urgent && message->precedence >= PRECEDENCE_IMMEDIATE;
    }
    if (more.entries == 0)
        return 0;
    if (append->as != 0)
        more = (struct amount){.entries = 1, .bytes = append_seen_size(append->line) + append_size(0, references)};
    return quota_check(office, append->line, more, urgent || append->as != 0, error);
}

static int check_before_append(struct office *office, struct append_job *append, struct error *error)
{
    if (append->line->left)
        return error_set(error, ERROR_REFUSED, "this office has left the line; its log there is closed");
    if (office->space < LEFT_RESERVE)
        return error_set(error, ERROR_FULL,
                         "the disk is almost full; what is left is kept for receipts. Nothing was recorded");
    for (size_t i = 0; i < append->count; i++)
        if (append->message[i].has_token && !append->message[i].known) {
            find_recent_token(append->line, &append->message[i], error);
            if (contradicts_earlier(append, i))
                (void)refuse_token(error);
        }
    if (error->code != ERROR_NONE || check_quota(office, append, error) != 0)
        return -1;
    return make_room_for_tokens(append->line, append->count, error);
}

static int append_message(struct office *office, struct append_job *append, size_t i, struct error *error)
{
    struct wanted_message *message = &append->message[i];
    struct body body = {.kind = BODY_MESSAGE,
                        .time = office->now.wall.us / SECOND_US,
                        .exercise = message->exercise,
                        .text = span_of(message->text.data, message->text_size),
                        .language = message->language};

    if (message->has_token && !message->known) /* an earlier one of this request may be the same */
        find_recent_token(append->line, message, error);
    if (message->known)
        return 0;
    if (append_sealed(office, append->line, &body, message->precedence, &message->reference, message->answers,
                      &message->known_number, error) != 0)
        return -1;
    if (message->has_token)
        keep_token(append->line, message, message->known_number);
    return 0;
}

/* Names what was not acknowledged before. Without any, `index` is that of the earlier acknowledgement, and `count` 0.
 */
static int append_acknowledgement(struct office *office, struct append_job *append, uint64_t *index, size_t *count,
                                  struct error *error)
{
    struct body body = {.kind = BODY_ACKNOWLEDGEMENT, .time = office->now.wall.us / SECOND_US, .as = append->as};
    struct reference references[REFERENCES_MAX];

    *index = append->message[0].known_number;
    *count = 0;
    for (size_t i = 0; i < append->count; i++)
        if (!append->message[i].known)
            references[(*count)++] = append->message[i].reference;
    if (*count > 0 &&
        append_sealed(office, append->line, &body, PRECEDENCE_ROUTINE, references, *count, index, error) != 0)
        return -1;
    for (size_t i = 0; i < append->count; i++)
        if (!append->message[i].known)
            keep_token(append->line, &append->message[i], *index);
    return 0;
}

static void reply_numbers(struct office *office, struct append_job *append)
{
    struct office_event event = {.kind = OFFICE_REPLY, .request = append->request};

    event.party = append->line->charter->members[append->line->me].name;
    event.number = append->message[0].known_number;
    if (append->as != 0)
        goto out;
    event.count = append->count;
    event.numbers = calloc(append->count, sizeof *event.numbers);
    if (event.numbers == NULL) {
        (void)append_no_memory(&event.error);
        event.count = 0;
    }
    for (size_t i = 0; i < append->count && event.numbers != NULL; i++)
        event.numbers[i] = append->message[i].known_number;
out:
    core_event(office, &event);
}

/* `first` and `recorded` are of an acknowledgement. */
static void wait_for_numbers(struct office *office, struct append_job *append, uint64_t first, size_t recorded)
{
    bool messages = append->as == 0;
    struct waiting *waiting =
        append_wait(office, append->line, append->request, messages ? append->message[0].known_number : first,
                    messages ? append->count : recorded);

    if (waiting == NULL || !messages)
        return;
    waiting->numbered = true;
    for (size_t i = 0; i < append->count; i++)
        waiting->numbers[waiting->number_count++] = append->message[i].known_number;
}

/* What it would give again is in the batch that is out, of which nobody knows whether it will last: the next look-up
 * comes behind it. */
static void look_up_again(struct office *office, struct append_job *append)
{
    struct append_job *again = malloc(sizeof *again);
    struct error error = {0};

    if (again == NULL) {
        (void)append_no_memory(&error);
        core_reply_error(office, append->request, &error);
        return;
    }
    *again = *append;
    append->message = NULL;
    append->count = 0;
    for (size_t i = 0; i < again->count; i++)
        again->message[i].known = false;
    core_job(office, &again->job);
}

static void append_done(struct office *office, struct office_job *job, struct now now)
{
    struct append_job *append = (struct append_job *)job;
    struct line *line = append->line;
    struct error error = job->error;
    uint64_t first = 0;
    size_t recorded = 0;
    uint64_t newest = 0;
    size_t appended = 0;
    bool all_known = true;

    (void)now;
    if (error.code == ERROR_NONE && office->state != OFFICE_READY)
        (void)error_set(&error, ERROR_STOPPED, "the office has stopped; nothing was recorded");
    if (error.code == ERROR_NONE)
        (void)check_before_append(office, append, &error);
    for (size_t i = 0; i < append->count && error.code == ERROR_NONE; i++) {
        all_known = all_known && append->message[i].known;
        appended += append->as == 0 && append_message(office, append, i, &error) == 0 && !append->message[i].known;
        newest = append->message[i].known_number > newest ? append->message[i].known_number : newest;
    }
    if (error.code == ERROR_NONE && append->as != 0)
        (void)append_acknowledgement(office, append, &first, &recorded, &error);
    if (error.code != ERROR_NONE && appended > 0) { /* those go their way: "refused" would be untrue */
        core_exhausted(office);
        return;
    }
    if (error.code != ERROR_NONE) {
        core_reply_error(office, append->request, &error);
        return;
    }
    if (all_known && newest < sync_durable(line->sync, line->me))
        reply_numbers(office, append);
    else if (all_known && line->pending_last == NULL)
        look_up_again(office, append);
    else
        wait_for_numbers(office, append, first, recorded);
}

static struct append_job *new_append_job(uint64_t request, struct line *line, size_t count)
{
    struct append_job *append = calloc(1, sizeof *append);

    if (append == NULL)
        return NULL;
    append->message = calloc(count, sizeof *append->message);
    if (append->message == NULL) {
        free(append);
        return NULL;
    }
    append->job.run = append_run;
    append->job.done = append_done;
    append->job.release = append_release;
    append->request = request;
    append->line = line;
    append->count = count;
    return append;
}

static int want_answered(const struct line *line, struct wanted_message *message, struct span text, struct error *error)
{
    unsigned member = 0;
    const struct overtaken *overtaken = NULL;

    message->answers = true;
    if (core_parse_entry(line, text, &member, &message->reference.index, error) != 0)
        return -1;
    message->reference.member = (uint8_t)member;
    overtaken = overtaken_find(line, member, message->reference.index);
    if (overtaken != NULL) {
        message->has_leaf = true;
        memcpy(message->reference.leaf, overtaken->chunk->leaf[0], HASH_SIZE);
    }
    message->place = PLACE(LOG_NUMBER(line, member), message->reference.index);
    return 0;
}

/* One's own acknowledgement of an entry in one role is its own token: it is recorded once. */
static void make_own_token(struct wanted_message *message, unsigned as)
{
    uint8_t numbers[10] = {(uint8_t)as, message->reference.member};
    struct span parts[] = {span_of_string(LABEL_ACKNOWLEDGED), span_of(numbers, sizeof numbers)};

    put_u64_be(numbers + 2, message->reference.index);
    hash_parts(message->digest, parts, 2);
    memcpy(message->token, message->digest, sizeof message->token);
    message->has_token = true;
}

/* Whether the last of the first `count` messages has the token of one before it. */
static bool is_named_twice(const struct append_job *append, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        if (memcmp(append->message[i].token, append->message[count - 1].token, sizeof append->message[i].token) == 0)
            return true;
    return false;
}

/* SHA-256 over everything that makes a message what it is, so that a token means one message. */
static void digest_message(struct wanted_message *message, const struct office_message *from)
{
    uint8_t numbers[18] = {(uint8_t)from->precedence, from->exercise};
    struct span parts[] = {span_of_string(LABEL_TOKEN), span_of(numbers, sizeof numbers), from->language, from->answers,
                           from->text};

    put_u64_be(numbers + 2, from->language.size);
    put_u64_be(numbers + 10, from->answers.size);
    hash_parts(message->digest, parts, 5);
}

static int want_message(const struct line *line, struct wanted_message *message, const struct office_message *from,
                        struct error *error)
{
    if (message_check(from->text, from->language, error) != 0)
        return -1;
    message->precedence = from->precedence;
    message->exercise = from->exercise;
    message->text_size = from->text.size;
    buffer_put_span(&message->text, from->text);
    buffer_put_span(&message->text, from->language);
    if (buffer_failed(&message->text))
        return append_no_memory(error);
    message->language = span_from(buffer_span(&message->text), from->text.size);
    if (from->token.size == sizeof message->token) {
        message->has_token = true;
        memcpy(message->token, from->token.data, sizeof message->token);
    }
    digest_message(message, from);
    return from->answers.size > 0 ? want_answered(line, message, from->answers, error) : 0;
}

void office_append(struct office *office, uint64_t request, struct span name, const struct office_message *messages,
                   size_t count, struct now now)
{
    struct error error = {0};
    struct line *line = core_line_to_append(office, name, &error);
    struct append_job *append = NULL;
    bool look_up = false;

    office->now = now;
    if (line == NULL)
        goto refused;
    append = new_append_job(request, line, count);
    if (append == NULL) {
        (void)append_no_memory(&error);
        goto refused;
    }
    for (size_t i = 0; i < count; i++) {
        if (want_message(line, &append->message[i], &messages[i], &error) != 0)
            goto refused;
        look_up |= append->message[i].has_token || append->message[i].answers;
    }
    if (look_up) {
        core_job(office, &append->job);
        return;
    }
    append_done(office, &append->job, now);
    append_release(&append->job);
    core_turn(office);
    return;
refused:
    if (append != NULL)
        append_release(&append->job);
    core_reply_error(office, request, &error);
}

void office_acknowledge(struct office *office, uint64_t request, struct span name, const struct span *entries,
                        size_t count, unsigned as, struct now now)
{
    struct error error = {0};
    struct line *line = core_line_to_append(office, name, &error);
    struct append_job *append = NULL;

    office->now = now;
    if (line == NULL)
        goto refused;
    append = new_append_job(request, line, count);
    if (append == NULL) {
        (void)append_no_memory(&error);
        goto refused;
    }
    append->as = as;
    append->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct wanted_message *message = &append->message[append->count++];

        if (want_answered(line, message, entries[i], &error) != 0)
            goto refused;
        if (message->reference.member == line->me) {
            (void)error_set(&error, ERROR_REFUSED, "one's own entries are not acknowledged by oneself");
            goto refused;
        }
        make_own_token(message, as);
        if (is_named_twice(append, append->count)) {
            *message = (struct wanted_message){0};
            append->count--;
        }
    }
    core_job(office, &append->job);
    return;
refused:
    if (append != NULL)
        append_release(&append->job);
    core_reply_error(office, request, &error);
}
