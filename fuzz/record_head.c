/* record/head: heads and receipts that the harness signs verify, and with any byte changed do not. */
#include "fuzz.h"

#include "record/head.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 3000};

static void check_body(const struct head *head, const char *origin)
{
    struct buffer body = {0};
    struct cursor cursor = {0};
    uint64_t size = 0;
    uint8_t root[HASH_SIZE];

    head_body(origin, head->size, head->root, &body);
    cursor = cursor_of(buffer_span(&body));
    HOLD(span_equal(cursor_line(&cursor), span_of_string(origin)));
    HOLD(text_to_number(cursor_line(&cursor), UINT64_MAX, &size) && size == head->size);
    HOLD(text_from_base64_exactly(cursor_line(&cursor), root, sizeof root));
    HOLD(memcmp(root, head->root, HASH_SIZE) == 0 && cursor_done(&cursor));
    buffer_free(&body);
}

/* The input: what is signed, then what is changed in the head, in the receipt and in the origin. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    uint8_t seed[2][SIGN_SEED_SIZE] = {{1}, {2}};
    uint8_t public_key[2][SIGN_PUBLIC_SIZE], secret[2][SIGN_SECRET_SIZE];
    char origin[] = "liaison/1/an-origin/0";
    struct head head = {.size = cursor_u64(&cursor)};
    struct receipt receipt = {.by = 1, .time = cursor_u64(&cursor)};
    bool changed = false, receipt_changed = false;

    fuzz_start();
    cursor_copy(&cursor, head.root, HASH_SIZE);
    for (int i = 0; i < 2; i++)
        sign_keypair(public_key[i], secret[i], seed[i]);
    check_body(&head, origin);
    head_sign(&head, origin, secret[0]);
    receipt_sign(&receipt, &head, origin, secret[1]);
    changed |= fuzz_edit(&cursor, (uint8_t *)&head.size, sizeof head.size);
    changed |= fuzz_edit(&cursor, head.root, sizeof head.root);
    changed |= fuzz_edit(&cursor, (uint8_t *)origin, sizeof origin - 1);
    receipt_changed = changed;
    receipt_changed |= fuzz_edit(&cursor, (uint8_t *)&receipt.time, sizeof receipt.time);
    receipt_changed |= fuzz_edit(&cursor, receipt.signature, SIGNATURE_SIZE);
    changed |= fuzz_edit(&cursor, head.signature, SIGNATURE_SIZE);
    HOLD(head_verify(&head, origin, public_key[0]) == !changed);
    HOLD(receipt_verify(&receipt, &head, origin, public_key[1]) == (!receipt_changed && receipt.time <= INT64_MAX));
    HOLD(!head_verify(&head, origin, public_key[1]));
    return 0;
}
