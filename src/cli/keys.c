#include "cli/keys.h"

#include <string.h>

#define PASTE_BEGINS "\033[200~"
#define PASTE_ENDS "\033[201~"
#define BRACKET_SIZE (sizeof PASTE_BEGINS - 1)

void keys_input(struct keys *keys, struct span bytes)
{
    buffer_put_span(&keys->bytes, bytes);
}

void keys_restart(struct keys *keys)
{
    keys->started = keys->line_pasted = false;
}

void keys_free(struct keys *keys)
{
    if (keys != NULL)
        buffer_free(&keys->bytes);
}

/* Takes the bracket that comes next, if there is one. -1 if only its beginning has come. */
static int take_bracket(struct keys *keys)
{
    const char *bracket = keys->pasting ? PASTE_ENDS : PASTE_BEGINS;
    size_t size = keys->bytes.size < BRACKET_SIZE ? keys->bytes.size : BRACKET_SIZE;

    if (memcmp(keys->bytes.data, bracket, size) != 0)
        return 0;
    if (size < BRACKET_SIZE)
        return -1;
    keys->pasting = !keys->pasting;
    buffer_drop(&keys->bytes, BRACKET_SIZE);
    return 1;
}

/* The next character in whatever state it is; 0 bytes if it is not whole, and L'\0' for what is none. */
static size_t decode(const struct keys *keys, wchar_t *character)
{
    mbstate_t state = {0};
    size_t size = mbrtowc(character, (const char *)keys->bytes.data, keys->bytes.size, &state);

    if (size == (size_t)-2)
        return 0;
    if (size == 0 || size == (size_t)-1) {
        *character = L'\0';
        return 1;
    }
    return size;
}

/* What a character is to the editor; L'\0' if it is dropped. */
static wchar_t filter(const struct keys *keys, wchar_t character)
{
    if (character == L'\r')
        return L'\n';
    if (character >= 0x80 && character < 0xa0)
        return L'\0';
    if (keys->pasting && character == L'\t')
        return L' ';
    if (keys->pasting && character != L'\n' && (character < 0x20 || character == 0x7f))
        return L'\0';
    return character;
}

bool keys_next(struct keys *keys, wchar_t *character)
{
    while (keys->bytes.size > 0) {
        int bracket = take_bracket(keys);
        size_t size = 0;

        if (bracket < 0)
            return false;
        if (bracket > 0)
            continue;
        size = decode(keys, character);
        if (size == 0)
            return false;
        buffer_drop(&keys->bytes, size);
        *character = filter(keys, *character);
        if (*character == L'\0')
            continue;
        if (keys->pasting && (!keys->started || *character == L'\n'))
            keys->line_pasted = true;
        keys->started = true;
        return true;
    }
    return false;
}
