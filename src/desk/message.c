#include "desk/message.h"

#include "base/cbor.h"

const char *acknowledged_as_name(unsigned as)
{
    return as == AS_DUTY_OFFICER ? "duty-officer" : as == AS_PRINCIPAL ? "principal" : NULL;
}

unsigned acknowledged_as_from_name(struct span name)
{
    for (unsigned as = AS_DUTY_OFFICER; as <= AS_PRINCIPAL; as++)
        if (span_equal(name, span_of_string(acknowledged_as_name(as))))
            return as;
    return 0;
}

static bool read_message(struct body *body, struct cursor *fields)
{
    if (cbor_read_map(fields, 2) != 2)
        return false;
    cbor_read_key(fields, 0);
    body->text = cbor_read_text(fields, 1, TEXT_SIZE_MAX);
    cbor_read_key(fields, 1);
    body->language = cbor_read_text(fields, 0, 35);
    return cursor_done(fields) && (body->language.size == 0 || text_is_language_tag(body->language));
}

static bool read_acknowledgement(struct body *body, struct cursor *fields)
{
    if (cbor_read_map(fields, 1) != 1)
        return false;
    cbor_read_key(fields, 0);
    body->as = (unsigned)cbor_read_uint_max(fields, AS_PRINCIPAL);
    return cursor_done(fields) && body->as != 0;
}

static bool read_unreadable(struct body *body, struct cursor *fields)
{
    if (cbor_read_map(fields, 1) != 1)
        return false;
    cbor_read_key(fields, 0);
    body->unreadable_count = (unsigned)cbor_read_array(fields, UNREADABLE_MAX);
    for (unsigned i = 0; i < body->unreadable_count && !fields->failed; i++) {
        struct unreadable *range = &body->unreadable[i];

        if (cbor_read_array(fields, 3) != 3)
            return false;
        range->member = (uint8_t)cbor_read_uint_max(fields, MEMBERS_MAX - 1);
        range->first = cbor_read_uint_max(fields, TREE_SIZE_MAX - 1);
        range->last = cbor_read_uint_max(fields, TREE_SIZE_MAX - 1);
        if (range->last < range->first)
            return false;
    }
    return cursor_done(fields) && body->unreadable_count > 0;
}

int body_read(struct body *body, struct span bytes)
{
    struct cursor cursor = cursor_of(bytes);
    struct cursor fields = {0};
    bool known = false;

    body->text = body->language = span_of(NULL, 0);
    body->as = 0;
    body->unreadable_count = 0;
    if (cbor_read_map(&cursor, 4) != 4)
        return -1;
    cbor_read_key(&cursor, 0);
    body->kind = cbor_read_uint(&cursor);
    cbor_read_key(&cursor, 1);
    body->time = cbor_read_uint_max(&cursor, INT64_MAX);
    cbor_read_key(&cursor, 2);
    body->exercise = cbor_read_uint_max(&cursor, 1) == 1;
    cbor_read_key(&cursor, 3);
    fields = cursor_of(cbor_read_any(&cursor));
    if (!cursor_done(&cursor))
        return -1;
    switch (body->kind) {
    case BODY_MESSAGE:
        known = read_message(body, &fields);
        break;
    case BODY_ACKNOWLEDGEMENT:
        known = read_acknowledgement(body, &fields);
        break;
    case BODY_UNREADABLE:
        known = read_unreadable(body, &fields);
        break;
    default:
        break;
    }
    if (!known)
        body->kind = BODY_UNKNOWN;
    return 0;
}

void body_put(struct buffer *out, const struct body *body)
{
    cbor_put_map(out, 4);
    cbor_put_uint(out, 0);
    cbor_put_uint(out, body->kind);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, body->time);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, body->exercise);
    cbor_put_uint(out, 3);
    if (body->kind == BODY_MESSAGE) {
        cbor_put_map(out, 2);
        cbor_put_uint(out, 0);
        cbor_put_text(out, body->text);
        cbor_put_uint(out, 1);
        cbor_put_text(out, body->language);
    } else if (body->kind == BODY_ACKNOWLEDGEMENT) {
        cbor_put_map(out, 1);
        cbor_put_uint(out, 0);
        cbor_put_uint(out, body->as);
    } else {
        cbor_put_map(out, 1);
        cbor_put_uint(out, 0);
        cbor_put_array(out, body->unreadable_count);
        for (unsigned i = 0; i < body->unreadable_count; i++) {
            cbor_put_array(out, 3);
            cbor_put_uint(out, body->unreadable[i].member);
            cbor_put_uint(out, body->unreadable[i].first);
            cbor_put_uint(out, body->unreadable[i].last);
        }
    }
}

int message_check(struct span text, struct span language, struct error *error)
{
    if (text.size == 0)
        return error_set(error, ERROR_INVALID, "there is no text to send");
    if (text.size > TEXT_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "the text has %zu bytes; the most is %d", text.size, TEXT_SIZE_MAX);
    if (!text_is_utf8(text))
        return error_set(error, ERROR_INVALID, "the text is not valid UTF-8");
    if (language.size > 0 && !text_is_language_tag(language))
        return error_set(error, ERROR_INVALID, "the language is not a tag such as en, ko, zh-Hans or ru");
    return 0;
}

const char *message_state_name(enum message_state state)
{
    static const char *const names[] = {"waiting", "carried", "stored", "acknowledged", "answered"};

    return names[state];
}

enum message_state message_state(unsigned others, unsigned stored, unsigned acknowledged, bool answered, bool carried)
{
    if (answered)
        return STATE_ANSWERED;
    if (acknowledged >= others)
        return STATE_ACKNOWLEDGED;
    if (stored >= others)
        return STATE_STORED;
    return carried ? STATE_CARRIED : STATE_WAITING;
}
