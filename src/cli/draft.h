/*
 * A text that a person writes: lines, and what it is to be sent as. Pure state. It is changed by whoever writes, and by
 * nothing else: whatever becomes of the daemon, the draft stays.
 */
#ifndef LIAISON_CLI_DRAFT_H
#define LIAISON_CLI_DRAFT_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>

#define DRAFT_TEXT_MAX 60000
#define DRAFT_TOKEN_SIZE 16

struct draft {
    struct buffer text;     /* lines, each with its line feed */
    const char *precedence; /* one of draft_precedence()'s */
    char language[36];      /* "" for none */
    char answers[96];       /* "" for none */
    bool exercise;
    uint8_t token[DRAFT_TOKEN_SIZE]; /* under which it is released */
};

void draft_free(struct draft *draft);
/* A precedence in small letters or capitals, as the constant that requests use; NULL if it is none. */
const char *draft_precedence(const char *word);
/* Whether there is nothing in it. */
bool draft_is_empty(const struct draft *draft);
/* Adds a line, and takes the last line away: false if there is none. */
void draft_add(struct draft *draft, struct span line);
bool draft_take_back(struct draft *draft, struct buffer *line);
/* What is sent: the lines, without the last one's line feed. */
struct span draft_text(const struct draft *draft);
/* Whether it may be sent: 1 to 60,000 bytes of UTF-8. */
int draft_check(const struct draft *draft, struct error *error);
/* Forgets the text, what it answers and its precedence; language and exercise are kept for the next. */
void draft_clear(struct draft *draft);
/* The parameters of `append`, which the caller owns. */
json_t *draft_params(const struct draft *draft, const char *line);
/* Appends how many bytes it has, what it is sent as, and their SHA-256, in two lines. */
void draft_put_review(const struct draft *draft, struct buffer *out);

#endif
