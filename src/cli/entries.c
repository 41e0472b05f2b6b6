#include "cli/entries.h"

json_t *pages_next(struct pages *pages, enum exit_code *exit, struct error *error)
{
    json_t *params = NULL;
    json_t *result = NULL;
    json_t *entries = NULL;

    *exit = EXIT_DONE;
    if (pages->ended)
        return NULL;
    params = json_pack("{s:s, s:i}", "line", pages->line, "limit", PAGE_ENTRIES);
    if (pages->falling)
        (void)json_object_set_new(params, "order", json_string("falling"));
    if (pages->after != NULL)
        (void)json_object_set(params, "after", pages->after);
    else if (pages->from != NULL)
        (void)json_object_set_new(params, "from", json_string(pages->from));
    pages->daemon->deadline_us = monotonic_us() + CALL_TIMEOUT_US;
    result = daemon_call(pages->daemon, "entries", params, exit, error);
    if (result == NULL)
        return NULL;
    entries = json_incref(json_object_get(result, "entries"));
    json_decref(pages->after);
    pages->after = json_incref(json_object_get(result, "next"));
    pages->ended = !json_is_string(pages->after);
    json_decref(result);
    return entries;
}

void pages_free(struct pages *pages)
{
    json_decref(pages->after);
    pages->after = NULL;
}

/* What people wrote, also where it cannot be opened. */
static bool is_of_people(const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));

    return kind != NULL && (strcmp(kind, "message") == 0 || strcmp(kind, "sealed") == 0);
}

static void put_json(struct entry_writer *writer, const json_t *entry)
{
    size_t flags = JSON_COMPACT | (writer->escaped ? JSON_ENSURE_ASCII : 0u);
    json_t *copy = NULL;

    if (!writer->all && !is_of_people(entry))
        return;
    copy = json_copy((json_t *)(uintptr_t)entry);
    (void)json_object_del(copy, "line");
    /* One shape for all that people wrote. */
    if (is_of_people(entry) && json_object_get(copy, "text") == NULL)
        (void)json_object_set_new(copy, "text", json_null());
    if (is_of_people(entry) && json_object_get(copy, "language") == NULL)
        (void)json_object_set_new(copy, "language", json_null());
    (void)json_dumpf(copy, writer->stream, flags);
    (void)fputc('\n', writer->stream);
    json_decref(copy);
}

static void write_text(struct entry_writer *writer)
{
    (void)fwrite(buffer_string(&writer->text), 1, writer->text.size, writer->stream);
    buffer_reset(&writer->text);
}

void entry_writer_put(struct entry_writer *writer, const json_t *entry)
{
    if (writer->json) {
        put_json(writer, entry);
        return;
    }
    writer->show.all = writer->all;
    show_entry(&writer->show, entry, &writer->text);
    write_text(writer);
}

void entry_writer_flush(struct entry_writer *writer)
{
    show_flush(&writer->show, &writer->text);
    write_text(writer);
}

void entry_writer_free(struct entry_writer *writer)
{
    buffer_free(&writer->text);
}
