#include "record/head.h"

void head_body(const char *origin, uint64_t size, const uint8_t root[static HASH_SIZE], struct buffer *body)
{
    buffer_print(body, "%s\n%llu\n", origin, (unsigned long long)size);
    text_put_base64(body, span_of(root, HASH_SIZE));
    buffer_put_u8(body, '\n');
}

/* Where memory ran out there is no whole message to sign; zeros verify nowhere. */
static void sign_whole(uint8_t signature[static SIGNATURE_SIZE], const uint8_t secret[static SIGN_SECRET_SIZE],
                       const struct buffer *message)
{
    memset(signature, 0, SIGNATURE_SIZE);
    if (!buffer_failed(message))
        sign(signature, secret, buffer_span(message));
}

void head_sign(struct head *head, const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE])
{
    struct buffer body = {0};

    head_body(origin, head->size, head->root, &body);
    sign_whole(head->signature, log_secret, &body);
    buffer_free(&body);
}

bool head_verify(const struct head *head, const char *origin, const uint8_t log_key[static SIGN_PUBLIC_SIZE])
{
    struct buffer body = {0};
    bool ok = false;

    head_body(origin, head->size, head->root, &body);
    ok = !buffer_failed(&body) && sign_verify(head->signature, log_key, buffer_span(&body));
    buffer_free(&body);
    return ok;
}

/* tlog-cosignature v1.0.1: two lines, then the checkpoint's body. */
static void receipt_message(const struct receipt *receipt, const struct head *head, const char *origin,
                            struct buffer *message)
{
    buffer_print(message, "cosignature/v1\ntime %llu\n", (unsigned long long)receipt->time);
    head_body(origin, head->size, head->root, message);
}

void receipt_sign(struct receipt *receipt, const struct head *head, const char *origin,
                  const uint8_t receipt_secret[static SIGN_SECRET_SIZE])
{
    struct buffer message = {0};

    receipt_message(receipt, head, origin, &message);
    sign_whole(receipt->signature, receipt_secret, &message);
    buffer_free(&message);
}

bool receipt_verify(const struct receipt *receipt, const struct head *head, const char *origin,
                    const uint8_t receipt_key[static SIGN_PUBLIC_SIZE])
{
    struct buffer message = {0};
    bool ok = false;

    receipt_message(receipt, head, origin, &message);
    ok = !buffer_failed(&message) && receipt->time <= INT64_MAX &&
         sign_verify(receipt->signature, receipt_key, buffer_span(&message));
    buffer_free(&message);
    return ok;
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
