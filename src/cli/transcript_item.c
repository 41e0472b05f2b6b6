#include "cli/transcript_item.h"

#include "cli/columns.h"
#include "cli/show.h"
#include "cli/status.h"

#include <stdlib.h>

#define INDENT 4 /* of a text, and of what goes on from the row above: no text can look like the head of another */

struct transcript_item *item_new(enum item_kind kind)
{
    struct transcript_item *item = calloc(1, sizeof *item);

    if (item != NULL)
        item->kind = kind;
    return item;
}

static void free_rows(struct transcript_item *item)
{
    for (size_t i = 0; i < item->row_capacity; i++)
        buffer_free(&item->row[i].text);
    free(item->row);
}

void item_free(struct transcript_item *item)
{
    if (item == NULL)
        return;
    free_rows(item);
    buffer_free(&item->note);
    json_decref(item->entry);
    free(item);
}

void item_take(struct transcript_item *item, const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));

    json_decref(item->entry);
    item->entry = json_copy((json_t *)(uintptr_t)entry);
    item->is_message = kind != NULL && strcmp(kind, "message") == 0;
    item_changed(item);
}

void item_changed(struct transcript_item *item)
{
    item->laid = false;
}

static struct row *add_row(struct transcript_item *item, enum row_style style)
{
    struct row *row = NULL;

    if (item->row_count == item->row_capacity) {
        size_t capacity = item->row_capacity * 2 + 4;
        struct row *more = reallocarray(item->row, capacity, sizeof *more);

        if (more == NULL)
            return NULL;
        memset(more + item->row_capacity, 0, (capacity - item->row_capacity) * sizeof *more);
        item->row = more;
        item->row_capacity = capacity;
    }
    row = &item->row[item->row_count++];
    row->style = style;
    buffer_reset(&row->text);
    return row;
}

/* One line, made harmless, in as many rows as it needs, indented from the second on, or from the first. */
static bool add_line(struct transcript_item *item, enum row_style style, size_t indent, struct span line,
                     size_t columns)
{
    struct buffer shown = {0};
    struct span left;
    bool marked = columns_put_shown(&shown, line);

    left = buffer_span(&shown);
    do {
        size_t size = columns_break(left, columns - indent);
        struct row *row = add_row(item, style);

        if (row == NULL)
            break;
        buffer_print(&row->text, "%*s", (int)indent, "");
        buffer_put(&row->text, left.data, size);
        left = span_from(left, size);
        /* The blanks at which it was broken stand in neither row. */
        while (left.size > 0 && row->text.size > indent && row->text.data[row->text.size - 1] == ' ')
            row->text.size--;
        while (left.size > 0 && left.data[0] == ' ')
            left = span_from(left, 1);
        indent = INDENT;
    } while (left.size > 0);
    buffer_free(&shown);
    return marked;
}

/* The lines of a text. Whether anything in it had to be marked. */
static bool add_text(struct transcript_item *item, const json_t *text, size_t columns)
{
    struct span left = span_of(json_string_value(text), json_string_length(text));
    bool marked = false;

    while (left.size > 0) {
        const uint8_t *end = memchr(left.data, '\n', left.size);
        size_t size = end != NULL ? (size_t)(end - left.data) : left.size;

        marked |= add_line(item, ROW_PLAIN, INDENT, span_of(left.data, size), columns);
        left = span_from(left, size + 1);
    }
    return marked;
}

/* How a message stands: of its members but the author, how many are at `members`; "stored at 1 of 2", "stored". */
static void put_share(struct buffer *out, const char *word, const char *preposition, unsigned members, size_t others)
{
    unsigned count = (unsigned)__builtin_popcount(members);

    if (count < others)
        buffer_print(out, "%s %s %u of %zu", word, preposition, count, others);
    else
        buffer_print(out, "%s", word);
}

/* From our side. Own messages: waiting, stored, acknowledged, answered. Of others: received, acknowledged, answered. */
static void put_state(const struct transcript_item *item, const struct transcript *transcript, struct buffer *out)
{
    size_t others = transcript->member_count - 1;
    unsigned acknowledged = item->acknowledged & ~(1u << item->author);
    unsigned stored = item->stored & ~(1u << item->author);

    if (item->answered)
        buffer_print(out, "answered");
    else if (acknowledged != 0)
        put_share(out, "acknowledged", "by", acknowledged, others);
    else if (item->author != transcript->me)
        buffer_print(out, "received");
    else if (stored != 0)
        put_share(out, "stored", "at", stored, others);
    else
        buffer_print(out, "waiting");
}

/* A flash of another member that nobody here has acknowledged. */
static bool is_urgent(const struct transcript_item *item, const struct transcript *transcript)
{
    const char *precedence = json_string_value(json_object_get(item->entry, "precedence"));

    return item->is_message && precedence != NULL && strcmp(precedence, "flash") == 0 &&
           item->author != transcript->me && (item->acknowledged & 1u << transcript->me) == 0;
}

/* An entry as `read` shows it, with the state that is known here, and without the acknowledgements: they stand where
 * they came. The text is laid out first, since the head says if it is marked. */
static void lay_entry(struct transcript_item *item, const struct transcript *transcript)
{
    struct show show = {.all = true, .parties = transcript->parties};
    struct transcript_item text = {0};
    struct buffer head = {0};
    struct buffer state = {0};
    bool marked = false;

    if (item->is_message) {
        put_state(item, transcript, &state);
        (void)json_object_set_new(item->entry, "state", json_string(buffer_string(&state)));
        (void)json_object_del(item->entry, "acknowledged");
        marked = add_text(&text, json_object_get(item->entry, "text"), transcript->columns);
    }
    show_entry(&show, item->entry, &head);
    head.size = strcspn(buffer_string(&head), "\n");
    if (marked)
        buffer_print(&head, "  MARKED");
    (void)add_line(item,
                   is_urgent(item, transcript) ? ROW_REVERSED
                   : item->is_message          ? ROW_BOLD
                                               : ROW_PLAIN,
                   0, buffer_span(&head), transcript->columns);
    for (size_t i = 0; i < text.row_count; i++) {
        struct row *row = add_row(item, ROW_PLAIN);

        if (row != NULL)
            buffer_put_span(&row->text, buffer_span(&text.row[i].text));
    }
    free_rows(&text);
    buffer_free(&state);
    buffer_free(&head);
}

static void lay_gap(struct transcript_item *item, const struct transcript *transcript)
{
    struct buffer line = {0};
    uint64_t first = item->open ? item->missing : item->number;

    buffer_print(&line, "... ");
    status_put_party(transcript->parties, transcript->member[item->author].name, &line);
    buffer_print(&line, "/%llu", (unsigned long long)first);
    if (item->last > first)
        buffer_print(&line, "-%llu", (unsigned long long)item->last);
    buffer_print(&line, item->open ? " to come: what follows overtook it" : " came after what follows");
    (void)add_line(item, item->open ? ROW_BOLD : ROW_FAINT, 0, buffer_span(&line), transcript->columns);
    buffer_free(&line);
}

/* "8,213". */
static void put_count(struct buffer *out, uint64_t count)
{
    if (count >= 1000) {
        put_count(out, count / 1000);
        buffer_print(out, ",%03llu", (unsigned long long)(count % 1000));
    } else {
        buffer_print(out, "%llu", (unsigned long long)count);
    }
}

static void lay_more(struct transcript_item *item, const struct transcript *transcript)
{
    struct buffer line = {0};

    buffer_print(&line, "... ");
    put_count(&line, item->count);
    buffer_print(&line, " more; liaison read %s shows them", transcript->line);
    (void)add_line(item, ROW_BOLD, 0, buffer_span(&line), transcript->columns);
    buffer_free(&line);
}

size_t item_rows(struct transcript_item *item, const struct transcript *transcript)
{
    struct buffer note = {0};

    if (item->laid)
        return item->row_count;
    item->row_count = 0;
    if (item->kind == ITEM_ENTRY) {
        lay_entry(item, transcript);
    } else if (item->kind == ITEM_GAP) {
        lay_gap(item, transcript);
    } else if (item->kind == ITEM_MORE) {
        lay_more(item, transcript);
    } else {
        buffer_print(&note, "* ");
        buffer_put_span(&note, buffer_span(&item->note));
        (void)add_line(item, ROW_FAINT, 0, buffer_span(&note), transcript->columns);
        buffer_free(&note);
    }
    item->laid = true;
    return item->row_count;
}

const struct row *item_row(const struct transcript_item *item, size_t number)
{
    return number < item->row_count ? &item->row[number] : NULL;
}
