#include "cli/draft.h"

#include "base/text.h"
#include "seal/hash.h"

#include <stdio.h>

void draft_free(struct draft *draft)
{
    if (draft != NULL)
        buffer_free(&draft->text);
}

const char *draft_precedence(const char *word)
{
    static const char *const precedences[] = {"routine", "priority", "immediate", "flash"};

    for (size_t i = 0; i < sizeof precedences / sizeof precedences[0]; i++) {
        const char *letter = precedences[i];
        size_t at = 0;

        while (letter[at] != 0 && (word[at] == letter[at] || word[at] == letter[at] - 'a' + 'A'))
            at++;
        if (letter[at] == 0 && word[at] == 0)
            return letter;
    }
    return NULL;
}

bool draft_is_empty(const struct draft *draft)
{
    return draft->text.size == 0;
}

void draft_add(struct draft *draft, struct span line)
{
    buffer_put_span(&draft->text, line);
    buffer_put(&draft->text, "\n", 1);
}

bool draft_take_back(struct draft *draft, struct buffer *line)
{
    size_t start = draft->text.size;

    if (start == 0)
        return false;
    for (start--; start > 0 && draft->text.data[start - 1] != '\n'; start--)
        continue;
    buffer_put(line, draft->text.data + start, draft->text.size - start - 1);
    draft->text.size = start;
    return true;
}

struct span draft_text(const struct draft *draft)
{
    return span_of(draft->text.data, draft->text.size > 0 ? draft->text.size - 1 : 0);
}

int draft_check(const struct draft *draft, struct error *error)
{
    struct span text = draft_text(draft);

    if (buffer_failed(&draft->text))
        return error_set(error, ERROR_SYSTEM, "out of memory: the draft is not whole");
    if (text.size == 0)
        return error_set(error, ERROR_INVALID, "there is nothing to send yet");
    if (text.size > DRAFT_TEXT_MAX)
        return error_set(error, ERROR_INVALID,
                         "it is %zu bytes too long: a message has at most 60,000; /undo takes "
                         "the last line back",
                         text.size - DRAFT_TEXT_MAX);
    if (!text_is_utf8(text))
        return error_set(error, ERROR_INVALID, "it is not a text in UTF-8");
    return 0;
}

void draft_clear(struct draft *draft)
{
    buffer_reset(&draft->text);
    draft->precedence = draft_precedence("routine");
    draft->answers[0] = '\0';
}

json_t *draft_params(const struct draft *draft, const char *line)
{
    struct span text = draft_text(draft);
    struct buffer token = {0};
    json_t *entry = NULL;

    text_put_hex(&token, span_of(draft->token, sizeof draft->token));
    entry = json_pack("{s:s%, s:s, s:s, s:b}", "text", text.data, text.size, "token", buffer_string(&token),
                      "precedence", draft->precedence, "exercise", draft->exercise);
    buffer_free(&token);
    if (draft->language[0] != '\0')
        (void)json_object_set_new(entry, "language", json_string(draft->language));
    if (draft->answers[0] != '\0')
        (void)json_object_set_new(entry, "answers", json_string(draft->answers));
    return json_pack("{s:s, s:[o]}", "line", line, "entries", entry);
}

void draft_put_review(const struct draft *draft, struct buffer *out)
{
    struct span text = draft_text(draft);
    uint8_t hash[HASH_SIZE];

    hash_bytes(hash, text.data, text.size);
    buffer_print(out, "%zu byte%s, precedence ", text.size, text.size == 1 ? "" : "s");
    for (const char *letter = draft->precedence; *letter != '\0'; letter++)
        buffer_print(out, "%c", *letter - 'a' + 'A');
    buffer_print(out, ", language %s", draft->language[0] != '\0' ? draft->language : "not said");
    if (draft->answers[0] != '\0')
        buffer_print(out, ", answers %s", draft->answers);
    if (draft->exercise)
        buffer_print(out, ", EXERCISE");
    buffer_print(out, "\nSHA-256 ");
    text_put_hex(out, span_of(hash, sizeof hash));
    buffer_print(out, "\n");
}
