#include "record/entry.h"

#include <stdlib.h>

#include "base/cbor.h"
#include "seal/aead.h"
#include "seal/secret.h"

static const char *const precedence_names[] = {"routine", "priority", "immediate", "flash"};

const char *precedence_name(unsigned precedence)
{
    return precedence <= PRECEDENCE_FLASH ? precedence_names[precedence] : "unknown";
}

int precedence_from_name(struct span name)
{
    for (int i = 0; i <= PRECEDENCE_FLASH; i++)
        if (span_equal(name, span_of_string(precedence_names[i])))
            return i;
    return -1;
}

void entry_place_of(struct entry_place *place, const struct charter *charter, unsigned author, unsigned incarnation,
                    uint64_t index)
{
    char origin[ORIGIN_SIZE];

    charter_origin(charter, author, incarnation, origin);
    hash_bytes(place->origin_hash, origin, strlen(origin));
    place->index = index;
}

/* {0: version, 1: class, 2: epoch, 3: precedence, 4: seen, 5: re, 6: salt} */
static void put_header(struct buffer *out, const struct entry_header *header)
{
    cbor_put_map(out, 7);
    cbor_put_uint(out, 0);
    cbor_put_uint(out, ENTRY_VERSION);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, header->class);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, header->epoch);
    cbor_put_uint(out, 3);
    cbor_put_uint(out, header->precedence);
    cbor_put_uint(out, 4);
    cbor_put_array(out, header->seen_count);
    for (unsigned i = 0; i < header->seen_count; i++) {
        cbor_put_array(out, 3);
        cbor_put_uint(out, header->seen[i].member);
        cbor_put_uint(out, header->seen[i].size);
        cbor_put_bytes(out, header->seen[i].root, HASH_SIZE);
    }
    cbor_put_uint(out, 5);
    held_put(out, header->references, header->reference_count);
    cbor_put_uint(out, 6);
    cbor_put_bytes(out, header->salt, SALT_SIZE);
}

static void read_seen(struct entry_header *header, struct cursor *cursor, unsigned author, unsigned member_count)
{
    header->seen_count = (unsigned)cbor_read_array(cursor, MEMBERS_MAX - 1);
    for (unsigned i = 0; i < header->seen_count && !cursor->failed; i++) {
        struct seen *seen = &header->seen[i];

        if (cbor_read_array(cursor, 3) != 3)
            (void)cursor_fail(cursor);
        seen->member = (uint8_t)cbor_read_uint_max(cursor, member_count - 1);
        seen->size = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
        cbor_copy_bytes(cursor, seen->root, HASH_SIZE);
        if (seen->member == author || seen->size == 0 || (i > 0 && seen->member <= header->seen[i - 1].member))
            (void)cursor_fail(cursor);
    }
}

static size_t read_references(struct reference *reference, size_t max, struct cursor *cursor, unsigned member_count)
{
    size_t count = cbor_read_array(cursor, max);

    for (size_t i = 0; i < count && !cursor->failed; i++) {
        if (cbor_read_array(cursor, 3) != 3)
            (void)cursor_fail(cursor);
        reference[i].member = (uint8_t)cbor_read_uint_max(cursor, member_count - 1);
        reference[i].index = cbor_read_uint_max(cursor, TREE_SIZE_MAX - 1);
        cbor_copy_bytes(cursor, reference[i].leaf, HASH_SIZE);
    }
    return cursor->failed ? 0 : count;
}

static int read_header(struct entry_header *header, struct cursor *cursor, unsigned author, unsigned member_count,
                       struct error *error)
{
    uint64_t version = 0;

    cursor_part(cursor, "its map of seven");
    if (cbor_read_map(cursor, 7) != 7)
        (void)cursor_fail(cursor);
    cursor_part(cursor, "its version");
    cbor_read_key(cursor, 0);
    version = cbor_read_uint(cursor);
    if (!cursor->failed && version != ENTRY_VERSION)
        return error_set(error, ERROR_VERSION, "the entry is of version %llu; this program knows version %d",
                         (unsigned long long)version, ENTRY_VERSION);
    cursor_part(cursor, "its class");
    cbor_read_key(cursor, 1);
    header->class = (unsigned)cbor_read_uint_max(cursor, ENTRY_CLASS_MAX);
    cursor_part(cursor, "its epoch");
    cbor_read_key(cursor, 2);
    header->epoch = cbor_read_uint_max(cursor, INT64_MAX);
    if (header->epoch != 0 && header->class <= ENTRY_LEAVE && header->class != ENTRY_EPOCH &&
        header->class != ENTRY_SEALED)
        (void)cursor_fail(cursor);
    cursor_part(cursor, "its precedence");
    cbor_read_key(cursor, 3);
    header->precedence = (unsigned)cbor_read_uint_max(cursor, PRECEDENCE_FLASH);
    cursor_part(cursor, "its list of what its author had seen");
    cbor_read_key(cursor, 4);
    read_seen(header, cursor, author, member_count);
    cursor_part(cursor, "its list of what it refers to");
    cbor_read_key(cursor, 5);
    header->reference_count = (unsigned)read_references(header->references, REFERENCES_MAX, cursor, member_count);
    cursor_part(cursor, "its salt");
    cbor_read_key(cursor, 6);
    cbor_copy_bytes(cursor, header->salt, SALT_SIZE);
    if (cursor->failed)
        return error_set(error, ERROR_INVALID, "the entry's header is not well-formed at %s", cursor_wrong(cursor));
    return 0;
}

int entry_parse(struct entry *entry, struct span bytes, unsigned author, unsigned member_count, struct error *error)
{
    struct cursor cursor = cursor_of(bytes);

    entry->header_bytes = entry->body = entry->tag = entry->commitment = entry->ciphertext = span_of(NULL, 0);
    if (bytes.size > ENTRY_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "the entry has %zu bytes; the most is %d", bytes.size, ENTRY_SIZE_MAX);
    if (read_header(&entry->header, &cursor, author, member_count, error) != 0)
        return -1;
    entry->header_bytes = span_of(bytes.data, bytes.size - cursor.left);
    if (entry->header.class != ENTRY_SEALED) {
        entry->body = cbor_read_any(&cursor);
        if (!cursor_done(&cursor))
            return error_set(error, ERROR_INVALID, "the entry's body is not one canonical item");
        return 0;
    }
    entry->tag = cursor_span(&cursor, ENTRY_TAG_SIZE);
    entry->commitment = cursor_span(&cursor, HASH_SIZE);
    entry->ciphertext = cursor_rest(&cursor);
    if (cursor.failed || entry->ciphertext.size < 256 + AEAD_TAG_SIZE ||
        entry->ciphertext.size > BODY_SIZE_MAX + AEAD_TAG_SIZE ||
        entry_padded_size(entry->ciphertext.size - AEAD_TAG_SIZE) != entry->ciphertext.size - AEAD_TAG_SIZE)
        return error_set(error, ERROR_INVALID, "the sealed entry's length is none that padding gives");
    return 0;
}

void entry_clear(struct buffer *out, const struct entry_header *header, struct span body)
{
    put_header(out, header);
    buffer_put_span(out, body);
}

/* Padmé keeps as many bits of a length as its own length has bits, so that lengths leak O(log log size). */
size_t entry_padded_size(size_t size)
{
    unsigned exponent = 0;
    unsigned kept = 0;
    size_t mask = 0;

    if (size <= 256)
        return 256;
    exponent = 63 - (unsigned)__builtin_clzll(size);
    kept = 32 - (unsigned)__builtin_clz(exponent);
    mask = ((size_t)1 << (exponent - kept)) - 1;
    return (size + mask) & ~mask;
}

static struct span label(const char *text)
{
    return span_of_string(text);
}

/* t = HMAC(HMAC(S, "salt"), header | padded body)[0..16]: equal only if everything is equal, so a key never
 * seals two texts even when an office was restored. */
static void compute_tag(uint8_t tag[static HASH_SIZE], const uint8_t secret[static EPOCH_SECRET_SIZE],
                        struct span header, struct span padded)
{
    struct span salt_label = label("salt");
    struct span parts[] = {header, padded};
    uint8_t salt_key[HASH_SIZE];

    hmac_parts(salt_key, span_of(secret, EPOCH_SECRET_SIZE), &salt_label, 1);
    hmac_parts(tag, span_of(salt_key, HASH_SIZE), parts, 2);
    secret_wipe(salt_key, sizeof salt_key);
}

/* K = HMAC(S, "entry" | origin hash | epoch | index | t | 0x01). */
static void derive_key(uint8_t key[static ENTRY_KEY_SIZE], const uint8_t secret[static EPOCH_SECRET_SIZE],
                       const struct entry_place *place, uint64_t epoch, struct span tag)
{
    uint8_t numbers[16];
    uint8_t one = 1;
    struct span parts[] = {label("entry"), span_of(place->origin_hash, HASH_SIZE), span_of(numbers, 16), tag,
                           span_of(&one, 1)};

    put_u64_be(numbers, epoch);
    put_u64_be(numbers + 8, place->index);
    hmac_parts(key, span_of(secret, EPOCH_SECRET_SIZE), parts, 5);
}

/* com = SHA-256(label | K); E = HMAC(K, "enc"). */
static void expand_key(uint8_t commitment[static HASH_SIZE], uint8_t encryption[static HASH_SIZE],
                       const uint8_t key[static ENTRY_KEY_SIZE])
{
    struct span enc = label("enc");
    struct span commit[] = {label(LABEL_COMMIT), span_of(key, ENTRY_KEY_SIZE)};

    hash_parts(commitment, commit, 2);
    hmac_parts(encryption, span_of(key, ENTRY_KEY_SIZE), &enc, 1);
}

int entry_seal(struct buffer *out, const struct entry_header *header, struct span body,
               const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place, struct error *error)
{
    size_t padded = entry_padded_size(body.size);
    size_t start = out->size;
    size_t header_size = 0;
    uint8_t tag[HASH_SIZE];
    uint8_t key[ENTRY_KEY_SIZE];
    uint8_t commitment[HASH_SIZE];
    uint8_t encryption[HASH_SIZE];
    uint8_t *to = NULL;

    if (body.size == 0 || padded > BODY_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "the body has %zu bytes; the most is %d", body.size, BODY_SIZE_MAX);
    put_header(out, header);
    header_size = out->size - start;
    to = buffer_extend(out, ENTRY_TAG_SIZE + HASH_SIZE + padded + AEAD_TAG_SIZE);
    if (to == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    memcpy(to + ENTRY_TAG_SIZE + HASH_SIZE, body.data, body.size);
    memset(to + ENTRY_TAG_SIZE + HASH_SIZE + body.size, 0, padded - body.size);
    compute_tag(tag, secret, span_of(out->data + start, header_size), span_of(to + ENTRY_TAG_SIZE + HASH_SIZE, padded));
    derive_key(key, secret, place, header->epoch, span_of(tag, ENTRY_TAG_SIZE));
    expand_key(commitment, encryption, key);
    memcpy(to, tag, ENTRY_TAG_SIZE);
    memcpy(to + ENTRY_TAG_SIZE, commitment, HASH_SIZE);
    aead_seal(to + ENTRY_TAG_SIZE + HASH_SIZE, encryption, 0,
              span_of(out->data + start, header_size + ENTRY_TAG_SIZE + HASH_SIZE),
              span_of(to + ENTRY_TAG_SIZE + HASH_SIZE, padded));
    secret_wipe(key, sizeof key);
    secret_wipe(encryption, sizeof encryption);
    return 0;
}

/* Finds where the body ends and checks that only zeros follow and that the padding is the right amount. */
static bool unpad(struct span padded, size_t *size)
{
    struct cursor cursor = cursor_of(padded);
    struct span body = cbor_read_any(&cursor);

    if (cursor.failed || entry_padded_size(body.size) != padded.size)
        return false;
    for (size_t i = body.size; i < padded.size; i++)
        if (padded.data[i] != 0)
            return false;
    *size = body.size;
    return true;
}

/* Appends what the ciphertext holds, padding and all; `otherwise` says what another commitment than the key's means. */
static int open_padded(struct buffer *body, const struct entry *entry, const uint8_t key[static ENTRY_KEY_SIZE],
                       const char *otherwise, struct error *error)
{
    size_t start = body->size;
    uint8_t commitment[HASH_SIZE];
    uint8_t encryption[HASH_SIZE];
    uint8_t *plain = buffer_extend(body, entry->ciphertext.size - AEAD_TAG_SIZE);
    int result = -1;

    if (plain == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    expand_key(commitment, encryption, key);
    if (!hash_equal(commitment, entry->commitment.data))
        (void)error_set(error, ERROR_MISMATCH, "%s", otherwise);
    else if (!aead_open(plain, encryption, 0,
                        span_of(entry->header_bytes.data, entry->header_bytes.size + ENTRY_TAG_SIZE + HASH_SIZE),
                        entry->ciphertext))
        (void)error_set(error, ERROR_MISMATCH, "the entry does not open under its own key");
    else
        result = 0;
    if (result != 0)
        body->size = start;
    secret_wipe(encryption, sizeof encryption);
    return result;
}

int entry_open(struct buffer *body, const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
               const struct entry_place *place, struct error *error)
{
    size_t start = body->size;
    size_t size = 0;
    uint8_t tag[HASH_SIZE];
    uint8_t key[ENTRY_KEY_SIZE];
    int result = -1;

    if (entry->header.class != ENTRY_SEALED)
        return error_set(error, ERROR_INVALID, "the entry is not a sealed one");
    derive_key(key, secret, place, entry->header.epoch, entry->tag);
    if (open_padded(body, entry, key, "the entry commits to another key than its epoch gives", error) != 0)
        goto out;
    compute_tag(tag, secret, entry->header_bytes, span_from(buffer_span(body), start));
    if (!secret_equal(tag, entry->tag.data, ENTRY_TAG_SIZE) || !unpad(span_from(buffer_span(body), start), &size)) {
        (void)error_set(error, ERROR_INVALID,
                        "the entry opens, but its tag, body or padding is not as the format says");
        goto out;
    }
    result = 0;
out:
    body->size = start + size;
    secret_wipe(key, sizeof key);
    return result;
}

void entry_key(uint8_t key[static ENTRY_KEY_SIZE], const struct entry *entry,
               const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place)
{
    derive_key(key, secret, place, entry->header.epoch, entry->tag);
}

int entry_open_disclosed(struct buffer *body, const struct entry *entry, const uint8_t key[static ENTRY_KEY_SIZE],
                         struct error *error)
{
    size_t start = body->size;
    size_t size = 0;

    if (entry->header.class != ENTRY_SEALED)
        return error_set(error, ERROR_INVALID, "the entry is not a sealed one");
    if (open_padded(body, entry, key, "the key is not the one that the entry commits to", error) != 0)
        return -1;
    if (!unpad(span_from(buffer_span(body), start), &size)) {
        body->size = start;
        return error_set(error, ERROR_INVALID, "the entry opens, but its body or padding is not as the format says");
    }
    body->size = start + size;
    return 0;
}

void held_put(struct buffer *body, const struct reference *held, size_t count)
{
    cbor_put_array(body, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_array(body, 3);
        cbor_put_uint(body, held[i].member);
        cbor_put_uint(body, held[i].index);
        cbor_put_bytes(body, held[i].leaf, HASH_SIZE);
    }
}

int held_read(struct span body, struct reference *held, size_t max, size_t *count)
{
    struct cursor cursor = cursor_of(body);

    *count = read_references(held, max, &cursor, MEMBERS_MAX);
    return cursor_done(&cursor) && *count > 0 ? 0 : -1;
}
