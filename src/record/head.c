#include "record/head.h"

#include <assert.h>

#define MESSAGE_SIZE_MAX 320 /* a receipt's: two lines of 37 bytes, an origin, 20 digits, a root of 44, line feeds */

void head_body(const char *origin, uint64_t size, const uint8_t root[static HASH_SIZE], struct buffer *body)
{
    buffer_print(body, "%s\n%llu\n", origin, (unsigned long long)size);
    text_put_base64(body, span_of(root, HASH_SIZE));
    buffer_put_u8(body, '\n');
}

/* Without memory that could fail: where it did, an office would sign half a text, or call a good signature bad. */
struct message {
    uint8_t room[MESSAGE_SIZE_MAX];
    struct buffer text; /* in `room`; it never grows beyond it, and is not freed */
};

static void message_start(struct message *message, const char *origin)
{
    assert(strlen(origin) < ORIGIN_SIZE);
    message->text = (struct buffer){.data = message->room, .capacity = sizeof message->room};
}

void head_sign(struct head *head, const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE])
{
    struct message body;

    message_start(&body, origin);
    head_body(origin, head->size, head->root, &body.text);
    sign(head->signature, log_secret, buffer_span(&body.text));
}

bool head_verify(const struct head *head, const char *origin, const uint8_t log_key[static SIGN_PUBLIC_SIZE])
{
    struct message body;

    message_start(&body, origin);
    head_body(origin, head->size, head->root, &body.text);
    return sign_verify(head->signature, log_key, buffer_span(&body.text));
}

/* tlog-cosignature v1.0.1: two lines, then the checkpoint's body. */
static void receipt_message(const struct receipt *receipt, const struct head *head, const char *origin,
                            struct message *message)
{
    message_start(message, origin);
    buffer_print(&message->text, "cosignature/v1\ntime %llu\n", (unsigned long long)receipt->time);
    head_body(origin, head->size, head->root, &message->text);
}

void receipt_sign(struct receipt *receipt, const struct head *head, const char *origin,
                  const uint8_t receipt_secret[static SIGN_SECRET_SIZE])
{
    struct message message;

    receipt_message(receipt, head, origin, &message);
    sign(receipt->signature, receipt_secret, buffer_span(&message.text));
}

bool receipt_verify(const struct receipt *receipt, const struct head *head, const char *origin,
                    const uint8_t receipt_key[static SIGN_PUBLIC_SIZE])
{
    struct message message;

    receipt_message(receipt, head, origin, &message);
    return receipt->time <= INT64_MAX && sign_verify(receipt->signature, receipt_key, buffer_span(&message.text));
}

uint32_t note_key_id(struct span name, uint8_t type, const uint8_t key[static SIGN_PUBLIC_SIZE])
{
    uint8_t separator[2] = {'\n', type};
    struct span parts[] = {name, span_of(separator, 2), span_of(key, SIGN_PUBLIC_SIZE)};
    uint8_t hash[HASH_SIZE];
    struct cursor cursor = cursor_of(span_of(hash, sizeof hash));

    hash_parts(hash, parts, 3);
    return cursor_u32(&cursor);
}

void note_verifier_key_print(struct buffer *text, const char *name, uint8_t type,
                             const uint8_t key[static SIGN_PUBLIC_SIZE])
{
    uint8_t typed[1 + SIGN_PUBLIC_SIZE] = {type};

    memcpy(typed + 1, key, SIGN_PUBLIC_SIZE);
    buffer_print(text, "%s+%08x+", name, (unsigned)note_key_id(span_of_string(name), type, key));
    text_put_base64(text, span_of(typed, sizeof typed));
}

static void signature_line(struct buffer *note, const char *name, uint32_t key_id, const uint64_t *time,
                           const uint8_t signature[static SIGNATURE_SIZE])
{
    struct buffer blob = {0};

    buffer_put_u32(&blob, key_id);
    if (time != NULL)
        buffer_put_u64(&blob, *time);
    buffer_put(&blob, signature, SIGNATURE_SIZE);
    buffer_print(note, "\u2014 %s ", name);
    text_put_base64(note, buffer_span(&blob));
    buffer_put_u8(note, '\n');
    note->failed |= blob.failed;
    buffer_free(&blob);
}

void head_note(struct buffer *note, const struct charter *charter, unsigned author, unsigned incarnation,
               const struct head *head, const struct receipt *receipts, size_t count)
{
    const uint8_t *log_key = charter->members[author].log_key;
    char name[ORIGIN_SIZE];

    charter_origin(charter, author, incarnation, name);
    head_body(name, head->size, head->root, note);
    buffer_put_u8(note, '\n');
    signature_line(note, name, note_key_id(span_of_string(name), NOTE_ED25519, log_key), NULL, head->signature);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *key = charter->members[receipts[i].by].receipt_key;

        charter_receipt_name(charter, receipts[i].by, name);
        signature_line(note, name, note_key_id(span_of_string(name), NOTE_COSIGNATURE, key), &receipts[i].time,
                       receipts[i].signature);
    }
}
