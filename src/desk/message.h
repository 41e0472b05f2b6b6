/*
 * What people send, and how it stands: the bodies of sealed entries and the state of a message.
 *
 *   body = {0: kind, 1: author's time in seconds since 1970, 2: exercise (0 or 1), 3: fields}
 *   1 message          {0: text, 1: language tag or empty}       answers what the header's `re` names
 *   2 acknowledgement  {0: 1 duty officer | 2 principal}         of what the header's `re` names
 *   3 unreadable       {0: [[member, first, last], ...]}         "I hold these and cannot open them"
 * Others are kept, counted and shown as unknown.
 */
#ifndef LIAISON_DESK_MESSAGE_H
#define LIAISON_DESK_MESSAGE_H

#include "record/entry.h"

#define TEXT_SIZE_MAX 60000
#define UNREADABLE_MAX 64

enum body_kind { BODY_UNKNOWN = 0, BODY_MESSAGE = 1, BODY_ACKNOWLEDGEMENT = 2, BODY_UNREADABLE = 3 };
enum acknowledged_as { AS_DUTY_OFFICER = 1, AS_PRINCIPAL = 2 };
/* "duty-officer", "principal"; NULL for others. */
const char *acknowledged_as_name(unsigned as);
/* 0 if it is none. */
unsigned acknowledged_as_from_name(struct span name);

struct unreadable {
    uint8_t member;
    uint64_t first, last;
};

struct body {
    uint64_t kind;
    uint64_t time; /* seconds since 1970, the author's word */
    bool exercise;
    struct span text, language; /* message; in the memory of the input */
    unsigned as;                /* acknowledgement */
    unsigned unreadable_count;
    struct unreadable unreadable[UNREADABLE_MAX];
};

/* Reads a body. Fields of a known kind that are not as they should be make its kind BODY_UNKNOWN; -1 only if the body
 * as a whole is not well-formed. */
int body_read(struct body *body, struct span bytes);
/* Writes the one encoding of a body of a known kind. */
void body_put(struct buffer *out, const struct body *body);

/* Checks what a person wants to send: 1 to TEXT_SIZE_MAX bytes of UTF-8, a language tag or nothing. */
int message_check(struct span text, struct span language, struct error *error);

/* How one entry stands, from the author's side: the least that holds of every other member. */
enum message_state { STATE_WAITING, STATE_CARRIED, STATE_STORED, STATE_ACKNOWLEDGED, STATE_ANSWERED };
const char *message_state_name(enum message_state state);
/* `others` = members but the author; how many of them have receipted it, and have acknowledged it by a person. */
enum message_state message_state(unsigned others, unsigned stored, unsigned acknowledged, bool answered, bool carried);

#endif
