#include "record/head.h"

#include "memory.h"
#include "record/line.h"
#include "test.h"

static struct test_line line;
static char origin[ORIGIN_SIZE];

static struct head signed_head(void)
{
    struct head head = {.size = 18, .root = {1, 2, 3}};

    head_sign(&head, origin, line.identity[0].log_secret);
    return head;
}

static bool verifies(const struct head *head)
{
    return head_verify(head, origin, line.charter.members[0].log_key);
}

static void a_body_is_three_lines(void)
{
    struct buffer body = {0};
    uint8_t root[HASH_SIZE] = {0};

    head_body("liaison/1/ab/0", 18446744073709551615U, root, &body);
    CHECK(strcmp(buffer_string(&body),
                 "liaison/1/ab/0\n18446744073709551615\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n") == 0);
    buffer_free(&body);
}

static void a_head_is_of_origin_size_and_root(void)
{
    struct head head = signed_head();
    char other[ORIGIN_SIZE];

    CHECK(verifies(&head));
    head.size++;
    CHECK(!verifies(&head));
    head.size--;
    charter_origin(&line.charter, 0, 1, other);
    CHECK(!head_verify(&head, other, line.charter.members[0].log_key));
    CHECK(!head_verify(&head, origin, line.charter.members[1].log_key));
    CHECK(!head_verify(&head, origin, line.charter.members[0].receipt_key));
    for (size_t bit = 0; bit < HASH_SIZE * 8; bit++) {
        head.root[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!verifies(&head));
        head.root[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < SIGNATURE_SIZE * 8; bit++) {
        head.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!verifies(&head));
        head.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(verifies(&head));
}

static void a_receipt_is_of_a_head_and_a_time(void)
{
    struct head head = signed_head();
    struct receipt receipt = {.by = 1, .time = 1795462028};
    const uint8_t *key = line.charter.members[1].receipt_key;

    receipt_sign(&receipt, &head, origin, line.identity[1].receipt_secret);
    CHECK(receipt_verify(&receipt, &head, origin, key));
    CHECK(!receipt_verify(&receipt, &head, origin, line.charter.members[1].log_key));
    CHECK(!receipt_verify(&receipt, &head, origin, line.charter.members[2].receipt_key));
    CHECK(!receipt_verify(&receipt, &head, "liaison/1/ab/0", key));
    receipt.time++;
    CHECK(!receipt_verify(&receipt, &head, origin, key));
    receipt.time--;
    head.size++;
    CHECK(!receipt_verify(&receipt, &head, origin, key));
    head.size--;
    head.root[31] ^= 1;
    CHECK(!receipt_verify(&receipt, &head, origin, key));
    head.root[31] ^= 1;
    receipt.signature[0] ^= 1;
    CHECK(!receipt_verify(&receipt, &head, origin, key));
}

/* A head's signature is no receipt and a receipt's no head, even by one and the same key. */
static void the_two_kinds_do_not_mix(void)
{
    struct head head = signed_head();
    struct receipt receipt = {.by = 0, .time = 1};

    memcpy(receipt.signature, head.signature, SIGNATURE_SIZE);
    CHECK(!receipt_verify(&receipt, &head, origin, line.charter.members[0].log_key));
    receipt_sign(&receipt, &head, origin, line.identity[0].log_secret);
    memcpy(head.signature, receipt.signature, SIGNATURE_SIZE);
    CHECK(!verifies(&head));
}

static void a_time_beyond_63_bits_is_refused(void)
{
    struct head head = signed_head();
    struct receipt receipt = {.by = 1, .time = (uint64_t)INT64_MAX + 1};

    receipt_sign(&receipt, &head, origin, line.identity[1].receipt_secret);
    CHECK(!receipt_verify(&receipt, &head, origin, line.charter.members[1].receipt_key));
    receipt.time--;
    receipt_sign(&receipt, &head, origin, line.identity[1].receipt_secret);
    CHECK(receipt_verify(&receipt, &head, origin, line.charter.members[1].receipt_key));
}

static void a_signature_of_zeros_verifies_nowhere(void)
{
    struct head head = {.size = 1};

    CHECK(!verifies(&head)); /* what head_sign() leaves when memory runs out */
}

static void a_key_id_is_of_name_type_and_key(void)
{
    const uint8_t *key = line.charter.members[0].log_key;
    uint32_t id = note_key_id(span_of_string("a"), NOTE_ED25519, key);

    CHECK(id != note_key_id(span_of_string("b"), NOTE_ED25519, key));
    CHECK(id != note_key_id(span_of_string("a"), NOTE_COSIGNATURE, key));
    CHECK(id != note_key_id(span_of_string("a"), NOTE_ED25519, line.charter.members[1].log_key));
}

static void a_note_is_body_blank_line_and_signatures(void)
{
    struct head head = signed_head();
    struct receipt receipts[2] = {{.by = 1, .time = 5}, {.by = 2, .time = 6}};
    struct buffer note = {0}, body = {0};
    char name[ORIGIN_SIZE];
    const char *at = NULL;

    for (unsigned i = 0; i < 2; i++)
        receipt_sign(&receipts[i], &head, origin, line.identity[i + 1].receipt_secret);
    head_note(&note, &line.charter, 0, 0, &head, receipts, 2);
    head_body(origin, head.size, head.root, &body);
    at = buffer_string(&note);
    CHECK(strncmp(at, buffer_string(&body), body.size) == 0);
    at += body.size;
    CHECK(strncmp(at, "\n\u2014 liaison/1/", 15) == 0);
    CHECK(strncmp(at + 5, origin, strlen(origin)) == 0);
    charter_receipt_name(&line.charter, 1, name);
    CHECK(strstr(at, name) != NULL);
    charter_receipt_name(&line.charter, 2, name);
    at = strstr(at, name);
    /* the last line: name, space, 4 + 8 + 64 bytes of base64, line feed */
    CHECK(at != NULL && strlen(at) == strlen(name) + 1 + BASE64_SIZE(76) + 1);
    buffer_free(&body);
    buffer_free(&note);
}

/* What is recorded must be signed, and what is signed must be seen to be. */
static void signatures_need_no_memory(void)
{
    struct head head = signed_head();
    struct receipt receipt = {.by = 1, .time = 1795462028};
    struct head again = head;

    memory_fail(1);
    head_sign(&again, origin, line.identity[0].log_secret);
    CHECK(memcmp(&again, &head, sizeof head) == 0 && verifies(&again));
    receipt_sign(&receipt, &head, origin, line.identity[1].receipt_secret);
    CHECK(receipt_verify(&receipt, &head, origin, line.charter.members[1].receipt_key));
    CHECK(!memory_ran_out());
}

int main(void)
{
    test_line_found(&line, 3, "head");
    charter_origin(&line.charter, 0, 0, origin);
    RUN(a_body_is_three_lines);
    RUN(a_head_is_of_origin_size_and_root);
    RUN(a_receipt_is_of_a_head_and_a_time);
    RUN(the_two_kinds_do_not_mix);
    RUN(a_time_beyond_63_bits_is_refused);
    RUN(a_signature_of_zeros_verifies_nowhere);
    RUN(a_key_id_is_of_name_type_and_key);
    RUN(a_note_is_body_blank_line_and_signatures);
    RUN(signatures_need_no_memory);
    test_line_free(&line);
    return test_end();
}
