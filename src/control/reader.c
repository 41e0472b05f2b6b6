#include "control/reader.h"

void control_reader_free(struct control_reader *reader)
{
    if (reader == NULL)
        return;
    buffer_free(&reader->bytes);
    reader->taken = reader->scanned = 0;
}

void control_reader_input(struct control_reader *reader, struct span bytes)
{
    buffer_drop(&reader->bytes, reader->taken);
    reader->taken = 0;
    buffer_put_span(&reader->bytes, bytes);
}

int control_reader_next(struct control_reader *reader, struct span *line)
{
    struct span rest = span_from(buffer_span(&reader->bytes), reader->taken);
    struct span unseen = span_from(rest, reader->scanned);
    const uint8_t *end = unseen.size > 0 ? memchr(unseen.data, '\n', unseen.size) : NULL;
    size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);

    if (buffer_failed(&reader->bytes) || size > reader->max)
        return -1;
    if (end == NULL) {
        reader->scanned = rest.size;
        return 0;
    }
    *line = span_of(rest.data, size);
    reader->taken += size + 1;
    reader->scanned = 0;
    return 1;
}
