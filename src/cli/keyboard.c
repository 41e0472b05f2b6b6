#include "cli/keyboard.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HISTORY_LINES 200

struct keyboard {
    EditLine *editor;
    HistoryW *history;
    FILE *nowhere; /* what libedit would show */
    keyboard_wait wait;
    void *context;
    bool ended;
};

static int next_character(EditLine *editor, wchar_t *character)
{
    struct keyboard *keyboard = NULL;

    if (el_wget(editor, EL_CLIENTDATA, &keyboard) != 0 || keyboard == NULL)
        return -1;
    keyboard->ended = !keyboard->wait(keyboard->context, character);
    return keyboard->ended ? 0 : 1;
}

static wchar_t no_prompt[] = L"";

static wchar_t *prompt(EditLine *editor)
{
    (void)editor;
    return no_prompt;
}

/* What terminals send, whatever they are said to be. */
static void bind_keys(EditLine *editor)
{
    static const wchar_t *const bindings[][2] = {
        {L"^U", L"em-kill-line"},       {L"\\e[A", L"ed-prev-history"},
        {L"\\e[B", L"ed-next-history"}, {L"\\e[C", L"ed-next-char"},
        {L"\\e[D", L"ed-prev-char"},    {L"\\eOA", L"ed-prev-history"},
        {L"\\eOB", L"ed-next-history"}, {L"\\eOC", L"ed-next-char"},
        {L"\\eOD", L"ed-prev-char"},    {L"\\e[H", L"ed-move-to-beg"},
        {L"\\e[F", L"ed-move-to-end"},  {L"\\eOH", L"ed-move-to-beg"},
        {L"\\eOF", L"ed-move-to-end"},  {L"\\e[1~", L"ed-move-to-beg"},
        {L"\\e[4~", L"ed-move-to-end"}, {L"\\e[3~", L"ed-delete-next-char"},
        {L"^I", L"ed-unassigned"},      {L"^Z", L"ed-unassigned"},
    };

    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
        (void)el_wset(editor, EL_BIND, bindings[i][0], bindings[i][1], NULL);
}

struct keyboard *keyboard_open(keyboard_wait wait, void *context, struct error *error)
{
    struct keyboard *keyboard = calloc(1, sizeof *keyboard);
    HistEventW event;

    if (keyboard == NULL)
        goto failed;
    keyboard->wait = wait;
    keyboard->context = context;
    keyboard->nowhere = fopen("/dev/null", "we");
    if (keyboard->nowhere == NULL)
        goto failed;
    /* It sees that it is on a terminal, and writes elsewhere. */
    keyboard->editor =
        el_init_fd("liaison", stdin, keyboard->nowhere, keyboard->nowhere, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
    keyboard->history = history_winit();
    if (keyboard->editor == NULL || keyboard->history == NULL)
        goto failed;
    (void)history_w(keyboard->history, &event, H_SETSIZE, HISTORY_LINES);
    (void)el_wset(keyboard->editor, EL_CLIENTDATA, keyboard);
    (void)el_wset(keyboard->editor, EL_EDITOR, L"emacs");
    (void)el_wset(keyboard->editor, EL_PROMPT, prompt);
    (void)el_wset(keyboard->editor, EL_HIST, history_w, keyboard->history);
    (void)el_wset(keyboard->editor, EL_GETCFN, next_character);
    /* Between two lines, too, the terminal shows nothing by itself. */
    (void)el_wset(keyboard->editor, EL_SETTY, L"-x", L"-echo", NULL);
    bind_keys(keyboard->editor);
    return keyboard;
failed:
    keyboard_close(keyboard);
    (void)error_set(error, ERROR_SYSTEM, "the terminal cannot be set up for editing");
    return NULL;
}

void keyboard_close(struct keyboard *keyboard)
{
    if (keyboard == NULL)
        return;
    if (keyboard->editor != NULL)
        el_end(keyboard->editor);
    if (keyboard->history != NULL)
        history_wend(keyboard->history);
    if (keyboard->nowhere != NULL)
        (void)fclose(keyboard->nowhere);
    free(keyboard);
}

static void put_characters(struct buffer *out, const wchar_t *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char bytes[16];
        mbstate_t state = {0};
        size_t size = wcrtomb(bytes, text[i], &state);

        if (size <= sizeof bytes)
            buffer_put(out, bytes, size);
    }
}

/* What the line begins with is typed for the person. */
static void push(EditLine *editor, struct span start)
{
    wchar_t *text = calloc(start.size + 1, sizeof *text);
    size_t count = 0;

    while (text != NULL && start.size > 0) {
        mbstate_t state = {0};
        size_t size = mbrtowc(&text[count], (const char *)start.data, start.size, &state);

        if (size == 0 || size > start.size)
            break;
        count++;
        start = span_from(start, size);
    }
    if (count > 0)
        el_wpush(editor, text);
    free(text);
}

bool keyboard_line(struct keyboard *keyboard, struct span start, struct buffer *line)
{
    int count = 0;
    const wchar_t *text = NULL;
    HistEventW event;

    push(keyboard->editor, start);
    text = el_wgets(keyboard->editor, &count);
    if (text == NULL || count <= 0 || keyboard->ended)
        return false;
    if (text[count - 1] == L'\n')
        count--;
    put_characters(line, text, (size_t)count);
    if (count > 0)
        (void)history_w(keyboard->history, &event, H_ENTER, text);
    return true;
}

bool keyboard_ended(const struct keyboard *keyboard)
{
    return keyboard->ended;
}

size_t keyboard_shown(struct keyboard *keyboard, struct buffer *line)
{
    const LineInfoW *info = el_wline(keyboard->editor);
    size_t cursor = 0;
    size_t before = line->size;

    put_characters(line, info->buffer, (size_t)(info->cursor - info->buffer));
    cursor = line->size - before;
    put_characters(line, info->cursor, (size_t)(info->lastchar - info->cursor));
    return cursor;
}

void keyboard_resize(struct keyboard *keyboard)
{
    el_resize(keyboard->editor);
}
