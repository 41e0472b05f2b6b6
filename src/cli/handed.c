#include "cli/handed.h"

#include "cli/file.h"
#include "record/charter.h"
#include "seal/keyfile.h"
#include "seal/secret.h"

#include <stdlib.h>

/* What is wrong with a file, that nothing came of it, and what to do. */
static int blame(const char *path, const struct error *cause, const char *remedy, struct error *error)
{
    if (cause->code == ERROR_VERSION)
        remedy = "it takes another version of liaison to read it";
    return error_set(error, cause->code, "%.120s: %s. Nothing was changed; %s", path, cause->message, remedy);
}

int handed_card(const char *path, struct buffer *text, struct error *error)
{
    struct error cause = {0};
    struct card card;

    if (file_read_text(path, text, error) != 0)
        return -1;
    if (card_parse(&card, buffer_span(text), &cause) == 0)
        return 0;
    return blame(path, &cause, "ask that party for what `liaison card` prints", error);
}

int handed_charter(const char *path, struct buffer *text, struct error *error)
{
    struct error cause = {0};
    struct charter *charter = NULL;
    int result = file_read_text(path, text, error);

    if (result != 0)
        return result;
    charter = malloc(sizeof *charter);
    if (charter == NULL)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    result = charter_parse(charter, buffer_span(text), &cause);
    free(charter);
    return result == 0 ? 0 : blame(path, &cause, "ask the founder of the line for its charter again", error);
}

int handed_courier_key(const char *path, struct buffer *text, struct error *error)
{
    uint8_t line_id[HASH_SIZE];
    uint8_t key[COURIER_KEY_SIZE];
    struct error cause = {0};
    int result = file_read_text(path, text, error);

    if (result != 0)
        return result;
    result = courier_key_parse(line_id, key, buffer_span(text), &cause);
    secret_wipe(key, sizeof key);
    return result == 0 ? 0 : blame(path, &cause, "have the founder of the line bring its courier key again", error);
}
