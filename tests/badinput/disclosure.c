/*
 * Disclosures: each line missing, twice, misplaced or cut; what is another entry's or line's; sizes that nobody has.
 */
#include "desk/disclosed.h"

#include "specimen.h"

static struct disclosed log_;
/* `text`: entry 2 of a line of two */

static int feed_disclosure(void *context, struct span input, struct error *error)
{
    static struct disclosure disclosure;
    struct cursor cursor = cursor_of(input);
    int result = -1;

    (void)context;
    do {
        result = disclosure_read(&disclosure, &cursor, error);
        if (result == 0)
            result = disclosure_check_line(&disclosure, log_.line.charter.line_id, error);
        disclosure_free(&disclosure);
    } while (result == 0 && cursor.left > 0);
    return result;
}

static const struct interface disclosure_in = {"disclosure", feed_disclosure, NULL, NULL};

/* All that may be said; which of them, the unit test says. */
#define ANY                                                                                                            \
    "this is not a disclosure|of another version|no blank line|the words that end|no line \"key\"|ends before|proof|"  \
    "checkpoint|signature|receipt|charter|card|what people read|no log of the policy|not in the signed log|line "

static void bad_one(struct span input, const char *what, size_t number)
{
    specimen_bad(&disclosure_in, ANY, input, what, number);
}

static void lines_of_it(void)
{
    struct cursor cursor = cursor_of(buffer_span(&text));
    struct buffer out = {0};

    family_begin("a disclosure's lines");
    good(&disclosure_in, buffer_span(&text), "the specimen");
    for (unsigned number = 1; cursor.left > 0; number++) {
        size_t at = text.size - cursor.left, end = 0;
        struct span line = cursor_line(&cursor);

        end = at + line.size + 1;
        changed(at, end, span_of(NULL, 0), &out);
        bad_one(buffer_span(&out), "missing: line", number);
        changed(at, at, span_of(text.data + at, end - at), &out);
        bad_one(buffer_span(&out), "twice: line", number);
        changed(at, at, span_of_string("\n"), &out);
        bad_one(buffer_span(&out), "an empty line before line", number);
        changed(at, at, span_of_string(" "), &out);
        bad_one(buffer_span(&out), "a space before line", number);
        changed(end - 1, end - 1, span_of_string(" "), &out);
        bad_one(buffer_span(&out), "a space behind line", number);
        changed(end - 1, end - 1, span_of_string("\r"), &out);
        bad_one(buffer_span(&out), "a carriage return behind line", number);
        changed(end - 1, end, span_of(NULL, 0), &out);
        bad_one(buffer_span(&out), "joined to the next: line", number);
        changed(end - 1, end - 1, span_of("\0", 1), &out);
        bad_one(buffer_span(&out), "a zero byte behind line", number);
        changed(end - 1, end - 1, span_of_string("\xff"), &out);
        bad_one(buffer_span(&out), "a byte that is no UTF-8 behind line", number);
        changed(end - 1, end - 1, span_of_string("\u202e"), &out);
        bad_one(buffer_span(&out), "a bidirectional control behind line", number);
        if (line.size == 0)
            continue;
        changed(at, end - 1, span_of_string("x"), &out);
        bad_one(buffer_span(&out), "is another: line", number);
    }
    family_end();
    buffer_free(&out);
}

static void keys(void)
{
    size_t at = place_of("\n\nkey ") + 6, end = at + BASE64_SIZE(ENTRY_KEY_SIZE);
    struct buffer out = {0}, value = {0};
    uint8_t key[ENTRY_KEY_SIZE];

    family_begin("a disclosure's key");
    for (unsigned i = 0; i < DISCLOSED_ENTRIES; i++) {
        disclosed_key(&log_, i, key);
        buffer_reset(&value);
        text_put_base64(&value, span_of(key, sizeof key));
        changed(at, end, buffer_span(&value), &out);
        if (i != 2)
            bad(&disclosure_in, buffer_span(&out), ERROR_MISMATCH, "not the one that the entry commits to",
                "the key of entry %u", i);
    }
    disclosed_key(&log_, 2, key);
    for (unsigned bit = 0; bit < 8 * ENTRY_KEY_SIZE; bit++) {
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        buffer_reset(&value);
        text_put_base64(&value, span_of(key, sizeof key));
        changed(at, end, buffer_span(&value), &out);
        bad(&disclosure_in, buffer_span(&out), ERROR_MISMATCH, "not the one that the entry commits to",
            "bit %u of the key is another", bit);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned size = 0; size <= 64; size++) {
        static const uint8_t zeros[64];

        buffer_reset(&value);
        text_put_base64(&value, span_of(zeros, size));
        changed(at, end, buffer_span(&value), &out);
        bad(&disclosure_in, buffer_span(&out), size == ENTRY_KEY_SIZE ? ERROR_MISMATCH : ERROR_INVALID,
            size == ENTRY_KEY_SIZE ? "not the one" : "no line \"key\" with 32 bytes", "a key of %u zeros", size);
    }
    family_end();
    buffer_free(&value);
    buffer_free(&out);
}

/* What is true of another entry, or of another line. */
static void others(void)
{
    size_t proof = place_of("c2sp.org/"), charter = place_of("liaison-charter/v1\n");
    struct buffer out = {0}, other = {0};
    struct disclosed another;

    family_begin("what is another's in a disclosure");
    for (unsigned i = 0; i < DISCLOSED_ENTRIES; i++) {
        buffer_reset(&other);
        disclosed_proof(&log_, i, 2, &other);
        buffer_put_u8(&other, '\n');
        changed(proof, charter, buffer_span(&other), &out);
        if (i != 2)
            bad(&disclosure_in, buffer_span(&out), ERROR_MISMATCH, "not the one that the entry commits to",
                "the proof of entry %u", i);
    }
    for (unsigned by = 0; by < 4; by++) {
        buffer_reset(&other);
        disclosed_proof(&log_, 2, by, &other);
        buffer_put_u8(&other, '\n');
        changed(proof, charter, buffer_span(&other), &out);
        if (by != 2)
            bad(&disclosure_in, buffer_span(&out), ERROR_MISMATCH,
                "what people read|neither its author's nor a receipt", "receipts %u", by);
    }
    for (unsigned i = 0; i < 8; i++) {
        static const char *const seeds[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

        disclosed_make(&another, 2 + i % 4, seeds[i]);
        buffer_reset(&other);
        buffer_put_span(&other, buffer_span(&another.line.text));
        buffer_put_u8(&other, '\n');
        changed(charter, text.size, buffer_span(&other), &out);
        bad(&disclosure_in, buffer_span(&out), ERROR_MISMATCH, "no log of the policy has signed",
            "the charter of line %u", i);
        buffer_reset(&other);
        if (disclosed_write(&another, 2, &other, NULL) != 0)
            abort();
        bad(&disclosure_in, buffer_span(&other), ERROR_MISMATCH, "it is of another line", "another line %u", i);
        disclosed_free(&another);
    }
    family_end();
    buffer_free(&other);
    buffer_free(&out);
}

/* They hold what they say and nothing is kept of it; or they say more than they hold. */
static void sizes(void)
{
    static const size_t sizes_[] = {1, 1000, 131072, 1u << 20, (16u << 20) - 1};
    struct buffer out = {0}, filler = {0};
    size_t head = place_of("| This"), extra = place_of("\nextra ") + 7, path = place_of("\nindex 2\n") + 9;

    family_begin("sizes in a disclosure");
    for (size_t i = 0; i < sizeof sizes_ / sizeof sizes_[0]; i++) {
        uint8_t *to = NULL;

        buffer_reset(&filler);
        to = buffer_extend(&filler, sizes_[i]);
        memset(to, 'A', sizes_[i]);
        changed(head, head, buffer_span(&filler), &out);
        bad_one(buffer_span(&out), "bytes more for people:", sizes_[i]);
        changed(extra, extra, buffer_span(&filler), &out);
        bad_one(buffer_span(&out), "bytes more in the entry:", sizes_[i]);
        for (size_t k = 0; k < sizes_[i]; k++)
            to[k] = k % 2 == 0 ? 'A' : '\n';
        changed(path, path, buffer_span(&filler), &out);
        bad_one(buffer_span(&out), "bytes of short lines in the path:", sizes_[i]);
        memset(to, '\n', sizes_[i]);
        changed(text.size, text.size, buffer_span(&filler), &out);
        bad_one(buffer_span(&out), "line feeds behind it:", sizes_[i]);
        bad_one(buffer_span(&filler), "nothing but line feeds:", sizes_[i]);
    }
    family_end();
    buffer_free(&filler);
    buffer_free(&out);
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    disclosed_make(&log_, 2, "bad disclosures");
    if (disclosed_write(&log_, 2, &text, NULL) != 0)
        abort();
    lines_of_it();
    keys();
    others();
    sizes();
    buffer_free(&text);
    disclosed_free(&log_);
    return catalogue_end();
}
