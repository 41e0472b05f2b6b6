/*
 * What a person types: text, `.`, `send`, and commands.
 */
#include "cli/arguments.h"
#include "cli/conversation.h"
#include "cli/status.h"

#include "base/text.h"

#include <stdio.h>

#define WORDS_MAX 4

/* The standard question of /who, in the languages that it can be put in. */
static const struct {
    const char *language;
    const char *question;
} questions[] = {
    {"en", "Is the principal there, and how soon can the principal be on this line?"},
    {"ko", "책임자께서 그곳에 계십니까? 얼마나 빨리 이 회선에 나오실 수 있습니까?"},
    {"zh", "负责人在吗？多久可以到这条线路上来？"},
    {"ru", "На месте ли руководитель, и как скоро он сможет быть на этой линии?"},
};

#define note(conversation, now_us, ...) transcript_note(&(conversation)->transcript, now_us, 0, __VA_ARGS__)

static void say_help(struct conversation *conversation, uint64_t now_us)
{
    static const char *const lines[] = {
        "Type text, as many lines as you like; pasted text is never a command.",
        ".  alone in a line shows what would be sent",
        "send  then releases it; anything else goes back to editing",
        "/precedence flash|immediate|priority|routine",
        "/language TAG  like en or ko, or none",
        "/answers A/N  this draft answers that message, or none",
        "/exercise  what you send is an exercise, or no longer",
        "/undo  takes the last line back     //text  begins with /",
        "/discard  throws the draft away",
        "/ack [A/N] [principal]  a person has seen it; without A/N the flash that rings, or the newest message",
        "/who  who is there     /who ask  puts the question into the draft",
        "/quit or Ctrl-D  ends     Ctrl-L  draws the screen anew",
        "MARKED: it holds characters that hide or change others, shown as <U+202E>.",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        note(conversation, now_us, "%s", lines[i]);
}

static void set_precedence(struct conversation *conversation, const char *word, uint64_t now_us)
{
    const char *precedence = draft_precedence(word);

    if (precedence == NULL) {
        note(conversation, now_us, "/precedence is flash, immediate, priority or routine.");
        return;
    }
    conversation->draft.precedence = precedence;
    if (strcmp(precedence, "flash") == 0)
        note(conversation, now_us,
             "This draft goes as FLASH: it rings on the other side until a person acknowledges "
             "it.");
}

static void set_language(struct conversation *conversation, const char *word, uint64_t now_us)
{
    struct draft *draft = &conversation->draft;

    if (strcmp(word, "none") == 0)
        draft->language[0] = '\0';
    else if (text_is_language_tag(span_of_string(word)))
        (void)snprintf(draft->language, sizeof draft->language, "%s", word);
    else
        note(conversation, now_us, "/language is a tag like en or zh-Hans, or none.");
}

static void set_answers(struct conversation *conversation, const char *word, uint64_t now_us)
{
    struct draft *draft = &conversation->draft;

    if (strcmp(word, "none") == 0)
        draft->answers[0] = '\0';
    else if (entry_name_is_valid(word) && strlen(word) < sizeof draft->answers)
        (void)snprintf(draft->answers, sizeof draft->answers, "%s", word);
    else
        note(conversation, now_us, "/answers is a message's name like washington/17, or none.");
}

static void set_exercise(struct conversation *conversation, const char *word, uint64_t now_us)
{
    struct draft *draft = &conversation->draft;

    draft->exercise = word[0] == '\0' ? !draft->exercise : strcmp(word, "off") != 0;
    note(conversation, now_us,
         draft->exercise ? "What you send from now on is marked EXERCISE. /exercise ends it."
                         : "The exercise is over: what you send is meant.");
}

/* What is acknowledged if nothing is named: the flash that rings, the oldest first, else the newest message; but only
 * what was shown here. */
static bool find_waiting(const struct conversation *conversation, char name[static 96])
{
    for (size_t i = 0; i < conversation->alarm_count; i++) {
        if (transcript_find(&conversation->transcript, conversation->alarm[i]) != NULL) {
            memcpy(name, conversation->alarm[i], 96);
            return true;
        }
    }
    return transcript_waiting(&conversation->transcript, name);
}

static void acknowledge(struct conversation *conversation, const char *word, const char *role, uint64_t now_us)
{
    bool unnamed = word[0] == '\0' || strcmp(word, "principal") == 0 || strcmp(word, "duty-officer") == 0;
    const char *as = unnamed ? word : role;
    char name[96];

    if (unnamed && !find_waiting(conversation, name))
        note(conversation, now_us, "Nothing that is shown here waits for an acknowledgement.");
    else if (unnamed && transcript_is_fresh(&conversation->transcript, name, now_us))
        note(
            conversation, now_us,
            "Not acknowledged: %s came while you were typing. Read it, then type /ack again; or name the one you mean.",
            name);
    else if (!unnamed && (!entry_name_is_valid(word) || strlen(word) >= sizeof name))
        note(conversation, now_us, "/ack takes a message's name like pyongyang/17.");
    else if (as[0] != '\0' && strcmp(as, "principal") != 0 && strcmp(as, "duty-officer") != 0)
        note(conversation, now_us, "/ack says who has seen it: duty-officer or principal.");
    else if (!conversation->connected || conversation_is_busy(conversation))
        note(conversation, now_us, "Not acknowledged: the daemon does not answer. Try again when it does.");
    else
        conversation_acknowledge(conversation, unnamed ? name : word, as[0] != '\0' ? as : "duty-officer");
}

static void ask_who(struct conversation *conversation)
{
    struct draft *draft = &conversation->draft;
    size_t subtag = strcspn(draft->language, "-");
    size_t chosen = 0;

    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        if (strlen(questions[i].language) == subtag && strncmp(questions[i].language, draft->language, subtag) == 0)
            chosen = i;
    /* A language that has no question of its own is asked in English, and says so. */
    if (strncmp(draft->language, questions[chosen].language, 2) != 0)
        (void)snprintf(draft->language, sizeof draft->language, "%s", questions[chosen].language);
    draft_add(draft, span_of_string(questions[chosen].question));
}

static void who(struct conversation *conversation, const char *word, uint64_t now_us)
{
    if (strcmp(word, "ask") == 0)
        ask_who(conversation);
    else if (conversation->connected && !conversation_is_busy(conversation))
        conversation_request(conversation, PURPOSE_WHO, "status", json_object());
    else
        conversation_say_who(conversation, now_us);
}

void conversation_say_who(struct conversation *conversation, uint64_t now_us)
{
    const json_t *parties = conversation->transcript.parties;

    for (size_t i = 0; i < json_array_size(parties); i++) {
        const struct conversation_peer *peer = &conversation->peer[i];
        struct buffer line = {0};

        if (i == conversation->transcript.me)
            continue;
        status_put_party(parties, json_string_value(json_array_get(parties, i)), &line);
        if (!conversation->connected)
            buffer_print(&line, ": not known, the daemon is gone");
        else
            buffer_print(&line, peer->up ? ": link up since %s" : ": no link (since %s)",
                         peer->since[0] != '\0' ? peer->since : "the start");
        if (peer->acknowledged_at[0] != '\0')
            buffer_print(&line, "; a person last acknowledged at %s, as %s", peer->acknowledged_at,
                         peer->acknowledged_as);
        else
            buffer_print(&line, "; no acknowledgement by a person is shown here");
        note(conversation, now_us, "%s.", buffer_string(&line));
        buffer_free(&line);
    }
    note(conversation, now_us,
         "Whether the principal is there only a person can say: /who ask puts the question into "
         "your draft.");
}

static void undo(struct conversation *conversation, uint64_t now_us)
{
    buffer_reset(&conversation->recall);
    if (!draft_take_back(&conversation->draft, &conversation->recall))
        note(conversation, now_us, "The draft is empty.");
}

static void run_command(struct conversation *conversation, const char *const *word, uint64_t now_us)
{
    const char *name = word[0];

    if (strcmp(name, "help") == 0)
        say_help(conversation, now_us);
    else if (strcmp(name, "precedence") == 0)
        set_precedence(conversation, word[1], now_us);
    else if (strcmp(name, "language") == 0)
        set_language(conversation, word[1], now_us);
    else if (strcmp(name, "answers") == 0)
        set_answers(conversation, word[1], now_us);
    else if (strcmp(name, "exercise") == 0)
        set_exercise(conversation, word[1], now_us);
    else if (strcmp(name, "ack") == 0)
        acknowledge(conversation, word[1], word[2], now_us);
    else if (strcmp(name, "who") == 0)
        who(conversation, word[1], now_us);
    else if (strcmp(name, "undo") == 0)
        undo(conversation, now_us);
    else if (strcmp(name, "discard") == 0)
        conversation->question = draft_is_empty(&conversation->draft) ? QUESTION_NONE : QUESTION_DISCARD;
    else if (strcmp(name, "quit") == 0)
        conversation_quit(conversation);
    else
        note(conversation, now_us, "There is no command /%s; /help names them. Text that begins with / is typed //%s",
             name, name);
}

/* Splits "/ack washington/17" into words; those that are not there are empty. */
static void command(struct conversation *conversation, struct span line, uint64_t now_us)
{
    const char *word[WORDS_MAX] = {"", "", "", ""};
    struct buffer copy = {0};
    char *rest = NULL;
    char *next = NULL;

    buffer_put_span(&copy, line);
    buffer_put_u8(&copy, 0);
    if (buffer_failed(&copy))
        goto out;
    rest = (char *)copy.data;
    for (size_t i = 0; i < WORDS_MAX && (next = strtok_r(rest, " ", &rest)) != NULL; i++)
        word[i] = next;
    run_command(conversation, word, now_us);
out:
    buffer_free(&copy);
}

static void review(struct conversation *conversation, uint64_t now_us)
{
    struct error error = {0};

    if (draft_check(&conversation->draft, &error) != 0)
        note(conversation, now_us, "Not yet: %s.", error.message);
    else
        conversation->mode = CONVERSATION_REVIEWING;
}

static void release(struct conversation *conversation, const uint8_t token[static DRAFT_TOKEN_SIZE], uint64_t now_us)
{
    struct draft *draft = &conversation->draft;
    struct draft *outbox = &conversation->outbox;
    struct buffer empty = outbox->text;

    conversation->mode = CONVERSATION_WRITING;
    if (!conversation->connected) {
        note(conversation, now_us,
             "Not sent: there is no daemon. Your draft is kept; send it when the daemon is back.");
        return;
    }
    if (conversation->outstanding) {
        note(conversation, now_us,
             "Not sent: it is not known yet whether your last message was recorded. This one "
             "stays your draft; send it when that is known.");
        return;
    }
    *outbox = *draft;
    memcpy(outbox->token, token, sizeof outbox->token);
    draft->text = empty;
    draft_clear(draft);
    conversation->outstanding = true;
    conversation_release(conversation);
}

/* Blanks at the end are not seen. */
static bool is_word(struct span line, const char *word)
{
    while (line.size > 0 && line.data[line.size - 1] == ' ')
        line.size--;
    return span_equal(line, span_of_string(word));
}

static bool is_command(struct span line)
{
    return line.size > 0 && line.data[0] == '/' && !(line.size > 1 && line.data[1] == '/');
}

void conversation_typed(struct conversation *conversation, struct span line, bool pasted,
                        const uint8_t token[static DRAFT_TOKEN_SIZE], uint64_t now_us)
{
    bool reviewing = conversation->mode == CONVERSATION_REVIEWING;

    if (reviewing && !pasted && is_word(line, "send")) {
        release(conversation, token, now_us);
        return;
    }
    conversation->mode = CONVERSATION_WRITING;
    if (!pasted && is_command(line)) {
        command(conversation, span_from(line, 1), now_us);
    } else if (!pasted && is_word(line, ".")) {
        review(conversation, now_us);
    } else if (reviewing && line.size > 0) {
        /* It may be the beginning of a text, or a word meant for the review: the person decides. */
        buffer_reset(&conversation->recall);
        buffer_put_span(&conversation->recall, line);
        note(conversation, now_us, "Nothing was sent; you are editing again. What you typed is still in the line.");
    } else if (!reviewing && (line.size > 0 || !draft_is_empty(&conversation->draft))) {
        draft_add(&conversation->draft, !pasted && line.size > 1 && line.data[0] == '/' ? span_from(line, 1) : line);
    }
}

void conversation_interrupted(struct conversation *conversation, bool typing, uint64_t now_us)
{
    if (typing)
        conversation->question = QUESTION_LINE;
    else if (!draft_is_empty(&conversation->draft))
        note(conversation, now_us, "/discard throws the draft away; Ctrl-D or /quit ends the hotline.");
    else
        note(conversation, now_us, "Ctrl-D or /quit ends the hotline.");
}

void conversation_quit(struct conversation *conversation)
{
    if (draft_is_empty(&conversation->draft) && !conversation->outstanding)
        conversation->ended = true;
    else
        conversation->question = QUESTION_QUIT;
}

bool conversation_answered(struct conversation *conversation, char key, uint64_t now_us)
{
    enum conversation_question question = conversation->question;
    bool yes = key == 'y' || key == 'Y';

    conversation->question = QUESTION_NONE;
    if (yes && question == QUESTION_QUIT)
        conversation->ended = true;
    if (yes && question == QUESTION_DISCARD) {
        draft_clear(&conversation->draft);
        note(conversation, now_us, "The draft is thrown away; nothing was sent.");
    }
    return yes && question == QUESTION_LINE;
}
