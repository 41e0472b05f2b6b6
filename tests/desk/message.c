#include "desk/message.h"

#include "base/cbor.h"
#include "test.h"

static struct body read_back(const struct body *body, struct buffer *bytes)
{
    struct body again = {0};

    buffer_reset(bytes);
    body_put(bytes, body);
    CHECK(body_read(&again, buffer_span(bytes)) == 0);
    return again;
}

static void a_message_survives_a_round_trip(void)
{
    static const char *const texts[] = {"Yes.", "대표단은 오늘 저녁에 도착한다", "a\nb\tc\0d"};
    struct buffer bytes = {0};

    for (size_t i = 0; i < 3; i++)
        for (int exercise = 0; exercise < 2; exercise++) {
            struct body body = {.kind = BODY_MESSAGE, .time = 1764000000 + i, .exercise = exercise};
            struct body again;

            body.text = i == 2 ? span_of("a\nb\tc\0d", 7) : span_of_string(texts[i]);
            body.language = span_of_string(i == 0 ? "" : i == 1 ? "ko" : "zh-Hans");
            again = read_back(&body, &bytes);
            CHECK(again.kind == BODY_MESSAGE && again.time == body.time && again.exercise == exercise);
            CHECK(span_equal(again.text, body.text) && span_equal(again.language, body.language));
            CHECK(again.as == 0 && again.unreadable_count == 0);
        }
    buffer_free(&bytes);
}

static void an_acknowledgement_survives_a_round_trip(void)
{
    struct buffer bytes = {0};

    for (unsigned as = AS_DUTY_OFFICER; as <= AS_PRINCIPAL; as++) {
        struct body body = {.kind = BODY_ACKNOWLEDGEMENT, .time = INT64_MAX, .as = as};
        struct body again = read_back(&body, &bytes);

        CHECK(again.kind == BODY_ACKNOWLEDGEMENT && again.as == as && again.time == INT64_MAX);
    }
    buffer_free(&bytes);
}

static void a_notice_survives_a_round_trip(void)
{
    struct body body = {.kind = BODY_UNREADABLE, .time = 1, .unreadable_count = UNREADABLE_MAX};
    struct buffer bytes = {0};
    struct body again;

    for (unsigned i = 0; i < UNREADABLE_MAX; i++)
        body.unreadable[i] = (struct unreadable){(uint8_t)(i % MEMBERS_MAX), i, TREE_SIZE_MAX - 1};
    again = read_back(&body, &bytes);
    CHECK(again.kind == BODY_UNREADABLE && again.unreadable_count == UNREADABLE_MAX);
    for (unsigned i = 0; i < UNREADABLE_MAX; i++)
        CHECK(again.unreadable[i].member == i % MEMBERS_MAX && again.unreadable[i].first == i &&
              again.unreadable[i].last == TREE_SIZE_MAX - 1);
    buffer_free(&bytes);
}

/* The four members of every body; the fields are what the caller makes them. */
static void put_start(struct buffer *out, uint64_t kind)
{
    cbor_put_map(out, 4);
    cbor_put_uint(out, 0);
    cbor_put_uint(out, kind);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, 1764000000);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, 3);
}

/* Whether it is read; if so, as which kind. */
static bool reads(const struct buffer *bytes, uint64_t *kind)
{
    struct body body = {.text = span_of("x", 1), .as = 2, .unreadable_count = 7};
    bool read = body_read(&body, buffer_span(bytes)) == 0;

    *kind = body.kind;
    if (read && body.kind == BODY_UNKNOWN)
        CHECK(body.time == 1764000000 && body.exercise); /* these are still told */
    return read;
}

static void put_message(struct buffer *out, struct span text, struct span language)
{
    put_start(out, BODY_MESSAGE);
    cbor_put_map(out, 2);
    cbor_put_uint(out, 0);
    cbor_put_text(out, text);
    cbor_put_uint(out, 1);
    cbor_put_text(out, language);
}

static void put_unreadable(struct buffer *out, size_t count, uint64_t member, uint64_t first, uint64_t last)
{
    put_start(out, BODY_UNREADABLE);
    cbor_put_map(out, 1);
    cbor_put_uint(out, 0);
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_array(out, 3);
        cbor_put_uint(out, member);
        cbor_put_uint(out, first);
        cbor_put_uint(out, last);
    }
}

static void put_as(struct buffer *out, uint64_t as)
{
    put_start(out, BODY_ACKNOWLEDGEMENT);
    cbor_put_map(out, 1);
    cbor_put_uint(out, 0);
    cbor_put_uint(out, as);
}

/* Each is well-formed, and its fields are not as they should be; the first of each kind are good, and show that the
 * others fail for the reason that they differ in. */
static void fields_that_are_wrong_are_unknown(void)
{
    static uint8_t letters[TEXT_SIZE_MAX + 1];
    struct span text = span_of_string("text"), none = span_of_string("");
    struct buffer bytes[20] = {0};
    uint64_t kind = 0;

    memset(letters, 'a', sizeof letters);
    put_message(&bytes[0], text, none);
    put_message(&bytes[1], span_of(letters, TEXT_SIZE_MAX), span_of_string("en"));
    put_unreadable(&bytes[2], 1, MEMBERS_MAX - 1, 5, 5);
    put_as(&bytes[3], AS_PRINCIPAL);
    put_message(&bytes[4], none, none);
    put_message(&bytes[5], span_of(letters, TEXT_SIZE_MAX + 1), none);
    put_message(&bytes[6], text, span_of_string("not a language"));
    put_message(&bytes[7], text, span_of(letters, 36));
    put_as(&bytes[8], 0);
    put_as(&bytes[9], 3);
    put_unreadable(&bytes[10], 0, 0, 0, 0);
    put_unreadable(&bytes[11], UNREADABLE_MAX + 1, 0, 0, 0);
    put_unreadable(&bytes[12], 1, MEMBERS_MAX, 0, 0);
    put_unreadable(&bytes[13], 1, 0, 5, 4);
    put_unreadable(&bytes[14], 1, 0, 0, TREE_SIZE_MAX);
    put_start(&bytes[15], BODY_MESSAGE); /* other fields than a message's */
    cbor_put_map(&bytes[15], 0);
    put_start(&bytes[16], BODY_ACKNOWLEDGEMENT); /* not even a map */
    cbor_put_uint(&bytes[16], 1);
    put_start(&bytes[17], 0);
    cbor_put_map(&bytes[17], 0);
    put_start(&bytes[18], 4);
    cbor_put_map(&bytes[18], 0);
    put_start(&bytes[19], UINT64_MAX);
    cbor_put_text(&bytes[19], text);
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        CHECK(reads(&bytes[i], &kind));
        if ((i < 4) != (kind != BODY_UNKNOWN))
            printf("# body %zu: kind %u\n", i, (unsigned)kind);
        CHECK((i < 4) == (kind != BODY_UNKNOWN));
        buffer_free(&bytes[i]);
    }
}

static void a_body_as_a_whole_is_well_formed(void)
{
    struct buffer bytes = {0};
    uint64_t kind = 0;

    put_message(&bytes, span_of_string("text"), span_of_string("en"));
    for (size_t size = 0; size < bytes.size; size++) {
        /* Exactly so many bytes of memory, for the sanitizer. */
        uint8_t *cut = malloc(size + (size == 0));
        struct body body;

        memcpy(cut, bytes.data, size);
        CHECK(body_read(&body, span_of(cut, size)) != 0);
        free(cut);
    }
    buffer_put_u8(&bytes, 0);
    CHECK(!reads(&bytes, &kind));
    bytes.size--;
    bytes.data[0] = 0xa3;
    CHECK(!reads(&bytes, &kind));
    bytes.data[0] = 0xa4;
    CHECK(bytes.data[10] == 1 && reads(&bytes, &kind)); /* the exercise flag */
    bytes.data[10] = 2;
    CHECK(!reads(&bytes, &kind));
    buffer_free(&bytes);
}

/* Whatever one changed byte makes of a body, a known kind is written as it came. */
static void what_is_read_has_one_encoding(void)
{
    struct buffer bodies[3] = {0};

    put_message(&bodies[0], span_of_string("text"), span_of_string("zh-Hans"));
    put_as(&bodies[1], 1);
    put_unreadable(&bodies[2], 2, 1, 24, 256);
    for (size_t i = 0; i < 3; i++) {
        for (size_t at = 0; at < bodies[i].size; at++)
            for (unsigned value = 1; value < 256; value++) {
                struct buffer again = {0};
                struct body body;

                bodies[i].data[at] ^= (uint8_t)value;
                if (body_read(&body, buffer_span(&bodies[i])) == 0 && body.kind != BODY_UNKNOWN) {
                    body_put(&again, &body);
                    CHECK(span_equal(buffer_span(&bodies[i]), buffer_span(&again)));
                }
                bodies[i].data[at] ^= (uint8_t)value;
                buffer_free(&again);
            }
        buffer_free(&bodies[i]);
    }
}

static void what_people_send_is_checked(void)
{
    static uint8_t letters[TEXT_SIZE_MAX + 1];
    struct span text = span_of_string("text"), none = span_of_string("");
    struct error error = {0};

    memset(letters, 'a', sizeof letters);
    CHECK(message_check(text, none, NULL) == 0);
    CHECK(message_check(text, span_of_string("zh-Hans"), NULL) == 0);
    CHECK(message_check(span_of(letters, TEXT_SIZE_MAX), none, NULL) == 0);
    CHECK(message_check(none, none, &error) != 0 && error.code == ERROR_INVALID);
    CHECK(message_check(span_of(letters, TEXT_SIZE_MAX + 1), none, NULL) != 0);
    CHECK(message_check(span_of("\xc0\xaf", 2), none, NULL) != 0);
    CHECK(message_check(span_of("\xed\xa0\x80", 3), none, NULL) != 0);
    CHECK(message_check(text, span_of_string("Korean?"), NULL) != 0);
    CHECK(message_check(text, span_of_string("-"), NULL) != 0);
}

static void who_acknowledges_has_a_name(void)
{
    CHECK(strcmp(acknowledged_as_name(AS_DUTY_OFFICER), "duty-officer") == 0);
    CHECK(strcmp(acknowledged_as_name(AS_PRINCIPAL), "principal") == 0);
    CHECK(acknowledged_as_name(0) == NULL && acknowledged_as_name(3) == NULL);
    CHECK(acknowledged_as_from_name(span_of_string("duty-officer")) == AS_DUTY_OFFICER);
    CHECK(acknowledged_as_from_name(span_of_string("principal")) == AS_PRINCIPAL);
    CHECK(acknowledged_as_from_name(span_of_string("Principal")) == 0);
    CHECK(acknowledged_as_from_name(span_of_string("principa")) == 0);
    CHECK(acknowledged_as_from_name(span_of_string("")) == 0);
}

/* The least that holds of every other member. */
static void a_message_stands_as_the_least_of_all_others_says(void)
{
    CHECK(message_state(1, 0, 0, false, false) == STATE_WAITING);
    CHECK(message_state(1, 0, 0, false, true) == STATE_CARRIED);
    CHECK(message_state(1, 1, 0, false, true) == STATE_STORED);
    CHECK(message_state(1, 1, 1, false, true) == STATE_ACKNOWLEDGED);
    CHECK(message_state(1, 1, 1, true, true) == STATE_ANSWERED);
    CHECK(message_state(1, 1, 0, true, true) == STATE_ANSWERED);
    CHECK(message_state(3, 2, 0, false, true) == STATE_CARRIED);
    CHECK(message_state(3, 2, 2, false, true) == STATE_CARRIED);
    CHECK(message_state(3, 3, 2, false, true) == STATE_STORED);
    CHECK(message_state(3, 3, 3, false, true) == STATE_ACKNOWLEDGED);
    CHECK(message_state(1, 1, 0, false, false) == STATE_STORED); /* it came there another way */
    CHECK(strcmp(message_state_name(STATE_WAITING), "waiting") == 0);
    CHECK(strcmp(message_state_name(STATE_CARRIED), "carried") == 0);
    CHECK(strcmp(message_state_name(STATE_STORED), "stored") == 0);
    CHECK(strcmp(message_state_name(STATE_ACKNOWLEDGED), "acknowledged") == 0);
    CHECK(strcmp(message_state_name(STATE_ANSWERED), "answered") == 0);
}

int main(void)
{
    RUN(a_message_survives_a_round_trip);
    RUN(an_acknowledgement_survives_a_round_trip);
    RUN(a_notice_survives_a_round_trip);
    RUN(fields_that_are_wrong_are_unknown);
    RUN(a_body_as_a_whole_is_well_formed);
    RUN(what_is_read_has_one_encoding);
    RUN(what_people_send_is_checked);
    RUN(who_acknowledges_has_a_name);
    RUN(a_message_stands_as_the_least_of_all_others_says);
    return test_end();
}
