/*
 * How a conversation stands on the screen. From below: a row that says how things are, the line being typed, the
 * draft or its review, the banner; and above, as much of the transcript as fits.
 */
#include "cli/columns.h"
#include "cli/conversation.h"
#include "cli/status.h"

#define PROMPT "> "
#define DRAFT_MARK "| "
#define FOOT_MAX 64 /* rows of all but the transcript */
#define REVIEW_ROWS 6
#define BANNER_ROWS 2
#define BANNER_ROWS_MIN 8 /* of a screen with a banner */

/* The rows below the transcript, being put together from above. */
struct foot {
    struct row row[FOOT_MAX];
    size_t count;
    size_t columns;
    size_t skip; /* so many rows are left away before the next one is put */
    size_t cursor_row, cursor_column;
};

static void foot_put(struct foot *foot, enum row_style style, const char *before, struct span text)
{
    struct row *row = &foot->row[foot->count];
    size_t used = 0;

    if (foot->skip > 0) {
        foot->skip--;
        return;
    }
    if (foot->count == FOOT_MAX)
        return;
    row->style = style;
    buffer_print(&row->text, "%s", before);
    buffer_put_span(&row->text, text);
    used = columns_of(buffer_span(&row->text));
    /* What is reversed stands as a bar. */
    if (style == ROW_REVERSED && used < foot->columns)
        buffer_print(&row->text, "%*s", (int)(foot->columns - used), "");
    foot->count++;
}

/* One line, made harmless, in as many rows as it needs. */
static void foot_line(struct foot *foot, enum row_style style, const char *before, struct span line)
{
    size_t columns = foot->columns > strlen(before) ? foot->columns - strlen(before) : 1;
    struct buffer shown = {0};
    struct span left;

    (void)columns_put_shown(&shown, line);
    left = buffer_span(&shown);
    do {
        size_t size = columns_break(left, columns);

        foot_put(foot, style, before, span_of(left.data, size));
        left = span_from(left, size);
        while (left.size > 0 && left.data[0] == ' ')
            left = span_from(left, 1);
    } while (left.size > 0);
    buffer_free(&shown);
}

/* The lines of a text. */
static void foot_text(struct foot *foot, enum row_style style, const char *before, struct span text)
{
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;

        foot_line(foot, style, before, span_of(text.data, size));
        text = span_from(text, size + 1);
    }
}

/* The last `max` rows of a text, whose last `max` lines are at least as many rows. */
static void foot_text_end(struct foot *foot, const char *before, struct span text, size_t max)
{
    struct foot counted = {.columns = foot->columns, .skip = SIZE_MAX};
    size_t start = text.size;
    size_t rows = 0;

    for (size_t lines = 0; start > 0 && lines <= max; start--)
        lines += text.data[start - 1] == '\n';
    text = span_from(text, start > 0 ? start + 1 : 0);
    foot_text(&counted, ROW_PLAIN, before, text);
    rows = SIZE_MAX - counted.skip;
    foot->skip = rows > max ? rows - max : 0;
    foot_text(foot, ROW_PLAIN, before, text);
    foot->skip = 0;
}

/* The last `max` rows of a part, which is empty then. */
static void foot_take(struct foot *foot, struct foot *part, size_t max)
{
    foot->skip = part->count > max ? part->count - max : 0;
    for (size_t i = 0; i < part->count; i++) {
        foot_put(foot, part->row[i].style, "", buffer_span(&part->row[i].text));
        buffer_free(&part->row[i].text);
    }
    foot->skip = 0;
}

/* The banner, where there is room for it; the review, too, says that it is for ever. */
static void put_banner(const struct conversation *conversation, struct foot *foot)
{
    struct foot part = {.columns = foot->columns};
    struct buffer text = {0};

    buffer_print(&text, "All you release is signed as %s and cannot be taken back", conversation->office);
    foot_line(&part, ROW_REVERSED, "", buffer_span(&text));
    foot_take(foot, &part, conversation->screen.rows >= BANNER_ROWS_MIN && part.count <= BANNER_ROWS ? part.count : 0);
    buffer_free(&text);
}

/* The draft; when it is reviewed, also what would be sent, which comes first if there is little room. */
static void put_draft(const struct conversation *conversation, struct foot *foot, size_t max)
{
    bool reviewing = conversation->mode == CONVERSATION_REVIEWING;
    struct foot part = {.columns = foot->columns};
    struct buffer review = {0};

    if (max == 0)
        return;
    foot_text_end(&part, DRAFT_MARK, buffer_span(&conversation->draft.text),
                  !reviewing          ? max
                  : max > REVIEW_ROWS ? max - REVIEW_ROWS
                                      : 1);
    if (reviewing) {
        draft_put_review(&conversation->draft, &review);
        buffer_print(&review, "Type send to release it, for ever. Anything else goes back to editing.\n");
        foot_text(&part, ROW_BOLD, "", buffer_span(&review));
        buffer_free(&review);
    }
    foot_take(foot, &part, max);
}

/* The line being typed, cut anywhere into rows; at most `max` of them, with the cursor's among them. */
static void put_typing(struct foot *foot, struct span typing, size_t cursor, size_t max)
{
    struct buffer shown = {0};
    struct span left;
    size_t at = 0; /* bytes before the cursor that are still to come */
    size_t row = 0;

    buffer_print(&shown, PROMPT);
    (void)columns_put_shown(&shown, span_of(typing.data, cursor));
    at = shown.size;
    (void)columns_put_shown(&shown, span_from(typing, cursor));
    buffer_print(&shown, " "); /* where the cursor stands behind the text */
    for (left = buffer_span(&shown); left.size > 0; row++) {
        size_t size = columns_fit(left, foot->columns);

        if (at != SIZE_MAX && at < size) {
            foot->skip = row + 1 > max ? row + 1 - max : 0;
            foot->cursor_row = foot->count + row - foot->skip;
            foot->cursor_column = columns_of(span_of(left.data, at));
            at = SIZE_MAX;
        } else if (at != SIZE_MAX) {
            at -= size;
        }
        left = span_from(left, size);
    }
    row = 0;
    max += foot->skip;
    for (left = buffer_span(&shown); left.size > 0 && row < max; row++) {
        size_t size = columns_fit(left, foot->columns);

        foot_put(foot, ROW_PLAIN, "", span_of(left.data, size));
        left = span_from(left, size);
    }
    foot->skip = 0;
    buffer_free(&shown);
}

static void put_links(const struct conversation *conversation, struct buffer *text)
{
    const json_t *parties = conversation->transcript.parties;

    buffer_print(text, conversation->known && conversation->connected ? "%s:" : "%s", conversation->line);
    for (size_t i = 0; conversation->connected && conversation->known && i < json_array_size(parties); i++) {
        if (i == conversation->transcript.me)
            continue;
        buffer_print(text, " ");
        status_put_party(parties, json_string_value(json_array_get(parties, i)), text);
        buffer_print(text, conversation->peer[i].up ? " up" : " DOWN");
    }
}

static void put_alarm(const struct conversation *conversation, struct buffer *text)
{
    const char *number = strchr(conversation->alarm[0], '/');
    char party[96] = {0};

    if (number == NULL)
        return;
    memcpy(party, conversation->alarm[0], (size_t)(number - conversation->alarm[0]));
    buffer_print(text, "FLASH ");
    status_put_party(conversation->transcript.parties, party, text);
    buffer_print(text, "%s waits for /ack | ", number);
}

static void put_draft_options(const struct draft *draft, struct buffer *text)
{
    buffer_print(text, " | %s", draft->precedence);
    if (draft->language[0] != '\0')
        buffer_print(text, " %s", draft->language);
    if (draft->answers[0] != '\0')
        buffer_print(text, " answers %s", draft->answers);
    if (draft->exercise)
        buffer_print(text, " EXERCISE");
}

/* How things are, the most urgent first: what does not fit is cut at the end. */
static void put_state(const struct conversation *conversation, struct foot *foot)
{
    static const char *const questions[] = {
        "",
        "Throw away the line you are typing? [y/N]",
        "Throw away the whole draft? [y/N]",
        "Quit? The draft that was not sent is lost. [y/N]",
    };
    struct buffer text = {0};
    struct buffer shown = {0};

    if (conversation->question != QUESTION_NONE) {
        buffer_print(&text, "%s",
                     conversation->question == QUESTION_QUIT && conversation->outstanding
                         ? "Quit? It is not known yet whether your message was recorded. [y/N]"
                         : questions[conversation->question]);
    } else {
        if (!conversation->connected)
            buffer_print(&text, "NO DAEMON: your draft is kept | ");
        if (conversation->alarm_count > 1)
            buffer_print(&text, "%zu times ", conversation->alarm_count);
        if (conversation->alarm_count > 0)
            put_alarm(conversation, &text);
        if (conversation->outstanding)
            buffer_print(&text, "being sent | ");
        if (conversation->known && !conversation->confirmed)
            buffer_print(&text, "NOT COMPARED | ");
        put_links(conversation, &text);
        put_draft_options(&conversation->draft, &text);
        buffer_print(&text, " | /help");
    }
    (void)columns_put_shown(&shown, buffer_span(&text));
    foot_put(foot, ROW_REVERSED, "", span_of(shown.data, columns_fit(buffer_span(&shown), foot->columns)));
    buffer_free(&shown);
    buffer_free(&text);
}

/* Puts everything below the transcript together, in at most rows - 1 rows. */
static void make_foot(const struct conversation *conversation, struct foot *foot, struct span typing, size_t cursor)
{
    size_t rows = conversation->screen.rows;
    struct foot line = {.columns = foot->columns};
    size_t left = 0;
    size_t share = conversation->mode == CONVERSATION_REVIEWING ? rows / 2 : rows / 3;

    put_typing(&line, typing, cursor, rows / 4 > 1 ? rows / 4 : 1);
    put_banner(conversation, foot);
    left = rows > foot->count + line.count + 2 ? rows - foot->count - line.count - 2 : 0;
    put_draft(conversation, foot, left < share ? left : share);
    foot->cursor_row = foot->count + line.cursor_row;
    foot->cursor_column = line.cursor_column;
    foot_take(foot, &line, line.count);
    if (rows > foot->count)
        put_state(conversation, foot);
}

/* Rows of the transcript from `first` on, in the first `height` rows of the frame; missing ones above. */
static void put_transcript(struct conversation *conversation, uint64_t first, size_t height, size_t empty)
{
    for (size_t i = 0; i < height; i++) {
        const struct row *row = i < empty ? NULL : transcript_row(&conversation->transcript, first + i - empty);

        frame_put(&conversation->frame, i, row != NULL ? row->style : ROW_PLAIN,
                  row != NULL ? buffer_span(&row->text) : span_of(NULL, 0));
    }
}

/* Rows that the person has not seen go over the screen and out at its top, so that the terminal keeps them all. The
 * height is that of an empty draft: what a draft hides for a while has not left. */
static void push_rows(struct conversation *conversation, size_t height, struct buffer *out)
{
    struct screen *screen = &conversation->screen;
    uint64_t total = transcript_rows(&conversation->transcript);
    uint64_t target = total > height ? total - height : 0;

    if (!screen->known)
        conversation->pushed = target;
    while (conversation->pushed < target) {
        uint64_t step = target - conversation->pushed;

        step = step > height ? height : step;
        put_transcript(conversation, conversation->pushed, height, 0);
        for (size_t i = height; i < screen->rows; i++)
            frame_put(&conversation->frame, i, ROW_PLAIN, span_of(NULL, 0));
        screen_paint(screen, &conversation->frame, out);
        screen_scroll(screen, (size_t)step, out);
        conversation->pushed += step;
    }
}

void conversation_resize(struct conversation *conversation, size_t rows, size_t columns)
{
    screen_resize(&conversation->screen, rows, columns);
    transcript_resize(&conversation->transcript, columns);
}

void conversation_paint(struct conversation *conversation, struct span typing, size_t cursor, struct buffer *out)
{
    struct screen *screen = &conversation->screen;
    struct foot foot = {.columns = screen->columns};
    struct foot least = {.columns = screen->columns};
    uint64_t total = transcript_rows(&conversation->transcript);
    size_t height = 0;

    put_banner(conversation, &least);
    make_foot(conversation, &foot, typing, cursor);
    push_rows(conversation, screen->rows > least.count + 2 ? screen->rows - least.count - 2 : 1, out);
    height = screen->rows > foot.count ? screen->rows - foot.count : 0;
    put_transcript(conversation, total > height ? total - height : 0, height, total < height ? height - total : 0);
    for (size_t i = 0; i < foot.count; i++)
        frame_put(&conversation->frame, height + i, foot.row[i].style, buffer_span(&foot.row[i].text));
    conversation->frame.cursor_row = height + foot.cursor_row;
    conversation->frame.cursor_column = foot.cursor_column;
    screen_paint(screen, &conversation->frame, out);
    if (conversation->bell)
        buffer_put(out, "\a", 1);
    conversation->bell = false;
    for (size_t i = 0; i < FOOT_MAX; i++) {
        buffer_free(&foot.row[i].text);
        buffer_free(&least.row[i].text);
    }
}
