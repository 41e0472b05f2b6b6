#include "verify/disclosure.h"

#include <stdlib.h>

#include "base/time.h"

#define ROW_BYTES 76 /* what a terminal of 80 columns does not break */

static json_t *json_references(const struct disclosure *disclosure)
{
    const struct entry_header *header = &disclosure->entry.header;
    json_t *names = json_array();

    for (unsigned i = 0; i < header->reference_count; i++)
        (void)json_array_append_new(names, json_sprintf("%s/%llu",
                                                        disclosure->charter.members[header->references[i].member].name,
                                                        (unsigned long long)header->references[i].index));
    return names;
}

/* What its author says: exactly, in ASCII. */
static json_t *json_saying(const struct disclosure *disclosure)
{
    const struct body *body = &disclosure->body;
    json_t *ranges = NULL;

    if (body->kind == BODY_MESSAGE)
        return json_pack("{s:s,s:o,s:o,s:o}", "kind", "message", "text",
                         json_stringn((const char *)body->text.data, body->text.size), "language",
                         body->language.size > 0 ? json_stringn((const char *)body->language.data, body->language.size)
                                                 : json_null(),
                         "answers", json_references(disclosure));
    if (body->kind == BODY_ACKNOWLEDGEMENT)
        return json_pack("{s:s,s:o,s:s}", "kind", "acknowledgement", "acknowledges", json_references(disclosure), "as",
                         acknowledged_as_name(body->as));
    ranges = json_array();
    for (unsigned i = 0; i < body->unreadable_count; i++)
        (void)json_array_append_new(ranges, json_pack("{s:s,s:I,s:I}", "party",
                                                      disclosure->charter.members[body->unreadable[i].member].name,
                                                      "first", (json_int_t)body->unreadable[i].first, "last",
                                                      (json_int_t)body->unreadable[i].last));
    return json_pack("{s:s,s:o}", "kind", "unreadable", "cannot_read", ranges);
}

static json_t *json_disclosure(const struct disclosure *disclosure)
{
    char written[RFC3339_SIZE];
    json_t *object = NULL;

    time_rfc3339(written, disclosure->body.time);
    object = json_pack("{s:s,s:o,s:s,s:I,s:b,s:s,s:s,s:o,s:o}", "line", disclosure->charter.name, "id",
                       json_hash(disclosure->charter.line_id), "author",
                       disclosure->charter.members[disclosure->author].name, "number",
                       (json_int_t)disclosure->proof.index, "exercise", disclosure->body.exercise, "precedence",
                       precedence_name(disclosure->entry.header.precedence), "written", written, "held",
                       json_held(&disclosure->verdict), "leaf", json_hash(disclosure->verdict.leaf));
    if (object != NULL && json_object_update_new(object, json_saying(disclosure)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* How much of a line goes into a row: whole characters. */
static size_t row_size(struct span line, size_t most)
{
    size_t size = most;

    if (line.size <= most)
        return line.size;
    while (size > 0 && (line.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* A line of the author's is broken into rows, each behind a bar: where a terminal broke it, what follows would stand
 * without one, as if it were said by us. A character takes no more columns than bytes. */
static void put_head(struct buffer *answer, struct span head)
{
    while (head.size > 0) {
        const uint8_t *end = memchr(head.data, '\n', head.size);
        struct span line = span_of(head.data, end != NULL ? (size_t)(end - head.data) : head.size);
        bool is_ours = line.size == 0 || line.data[0] != '|';
        size_t row = is_ours ? line.size : row_size(line, ROW_BYTES);

        head = span_from(head, line.size + (end != NULL));
        buffer_put(answer, line.data, row);
        for (line = span_from(line, row); line.size > 0; line = span_from(line, row)) {
            row = row_size(line, ROW_BYTES - 2);
            buffer_print(answer, "\n| ");
            buffer_put(answer, line.data, row);
        }
        buffer_print(answer, "\n");
    }
}

static void put_disclosure(struct buffer *answer, const struct disclosure *disclosure)
{
    put_head(answer, buffer_span(&disclosure->head));
    buffer_print(answer, "leaf ");
    text_put_hex(answer, span_of(disclosure->verdict.leaf, HASH_SIZE));
    buffer_print(answer, "\n\n");
}

static int put_end(struct buffer *answer, size_t count, const struct trusted *trusted, json_t *list, bool json)
{
    json_t *all = NULL;
    char *line = NULL;

    if (!json) {
        buffer_print(answer,
                     "PROVED with the keys of the %s: %zu %s. That it was held does not say that anybody read it.\n",
                     trusted->policy != NULL ? "policy" : "line", count, count == 1 ? "entry" : "entries");
        return buffer_failed(answer) ? -1 : 0;
    }
    all = json_pack("{s:b,s:O}", "proved", 1, "disclosed", list);
    line = all != NULL ? json_dumps(all, JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) : NULL;
    if (line != NULL)
        buffer_print(answer, "%s\n", line);
    free(line);
    json_decref(all);
    return line == NULL || buffer_failed(answer) ? -1 : 0;
}

/* Where there are several, its sentence says which. */
static int check_next(struct disclosure *disclosure, struct cursor *input, size_t number, bool several,
                      const struct trusted *trusted, struct error *error)
{
    struct error cause = {0};

    if (disclosure_read(disclosure, input, &cause) == 0 &&
        (trusted->line_id == NULL || disclosure_check_line(disclosure, trusted->line_id, &cause) == 0) &&
        (trusted->policy == NULL || disclosure_check_policy(disclosure, trusted->policy, &cause) == 0))
        return 0;
    if (several)
        return error_set(error, cause.code, "disclosure %zu: %s", number, cause.message);
    return error_set(error, cause.code, "%s", cause.message);
}

int disclosures_check(struct buffer *answer, struct span file, const struct trusted *trusted, bool json,
                      struct error *error)
{
    struct cursor input = cursor_of(file);
    struct disclosure *disclosure = calloc(1, sizeof *disclosure);
    json_t *list = json_array();
    static const char another[] = "\n" DISCLOSURE_FIRST_LINE;
    bool several = memmem(file.data, file.size, another, sizeof another - 1) != NULL;
    size_t count = 0;
    int result = -1;

    if (file.size > DISCLOSURE_FILE_MAX) {
        (void)error_set(error, ERROR_INVALID, "it is longer than %u bytes", DISCLOSURE_FILE_MAX);
        goto out;
    }
    if (disclosure == NULL || list == NULL)
        goto exhausted;
    do {
        result = check_next(disclosure, &input, ++count, several, trusted, error);
        if (result == 0 && json && json_array_append_new(list, json_disclosure(disclosure)) != 0) {
            disclosure_free(disclosure);
            goto exhausted;
        }
        if (result == 0 && !json)
            put_disclosure(answer, disclosure);
        disclosure_free(disclosure);
    } while (result == 0 && input.left > 0);
    if (result != 0 || put_end(answer, count, trusted, list, json) == 0)
        goto out;
exhausted:
    result = error_set(error, ERROR_SYSTEM, "there is no memory left");
out:
    json_decref(list);
    free(disclosure);
    return result;
}
