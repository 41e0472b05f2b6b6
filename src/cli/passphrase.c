#include "cli/passphrase.h"

#include "base/text.h"
#include "cli/file.h"
#include "cli/terminal.h"

static int check(struct span passphrase, const char *where, struct error *error)
{
    if (passphrase.size < PASSPHRASE_SIZE_MIN || passphrase.size > PASSPHRASE_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "the passphrase%s has %zu bytes; %d to %d are allowed", where,
                         passphrase.size, PASSPHRASE_SIZE_MIN, PASSPHRASE_SIZE_MAX);
    if (!text_is_utf8(passphrase) || memchr(passphrase.data, 0, passphrase.size) != NULL)
        return error_set(error, ERROR_INVALID, "the passphrase%s is not a line of UTF-8", where);
    return 0;
}

int passphrase_read(const char *path, struct buffer *passphrase, struct error *error)
{
    struct buffer content = {0};
    struct span line = {0};
    const uint8_t *end = NULL;
    char where[128];
    int result = file_read_secret(path, FILE_TEXT_MAX, &content, error);

    if (result == 0) {
        line = buffer_span(&content);
        end = line.size > 0 ? memchr(line.data, '\n', line.size) : NULL;
        line.size = end != NULL ? (size_t)(end - line.data) : line.size;
        (void)snprintf(where, sizeof where, " in the first line of %.90s", path);
        result = check(line, where, error);
    }
    if (result == 0)
        buffer_put_span(passphrase, line);
    passphrase_free(&content);
    return result;
}

int passphrase_ask(bool new, struct buffer *passphrase, struct error *error)
{
    struct buffer again = {0};
    int result = terminal_secret("Passphrase: ", passphrase, error);

    if (result == 0)
        result = check(buffer_span(passphrase), "", error);
    if (result == 0 && new) {
        result = terminal_secret("The same again: ", &again, error);
        if (result == 0 && !span_equal(buffer_span(&again), buffer_span(passphrase)))
            result = error_set(error, ERROR_REFUSED, "the two passphrases differ");
        passphrase_free(&again);
    }
    return result;
}

void passphrase_make(struct entropy *entropy, struct buffer *passphrase)
{
    static const char letters[32] = "abcdefghjkmnpqrstuvwxyz023456789"; /* none that look alike: i l o 1 */
    uint8_t random[30];

    entropy_fill(entropy, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        if (i > 0 && i % 5 == 0)
            buffer_put(passphrase, "-", 1);
        buffer_put(passphrase, &letters[random[i] & 31], 1);
    }
    secret_wipe(random, sizeof random);
}

void passphrase_free(struct buffer *passphrase)
{
    if (passphrase->data != NULL)
        secret_wipe(passphrase->data, passphrase->capacity);
    buffer_free(passphrase);
}
