#include "cli/show.h"

#include "base/text.h"
#include "cli/output.h"
#include "cli/status.h"

#include <ctype.h>

static const struct {
    const char *kind;
    const char *word; /* in "service (...)" */
} services[] = {
    {"charter", "charter"}, {"prekeys", "keys"}, {"epoch", "keys"}, {"held", "held"}, {"unknown", "unknown"},
};
#define SERVICES (sizeof services / sizeof services[0])

static const char *string_of(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}

/* Which of the services an entry is; SERVICES if it is none. */
static size_t service_of(const json_t *entry)
{
    const char *kind = string_of(entry, "kind");
    size_t i = 0;

    while (i < SERVICES && strcmp(services[i].kind, kind) != 0)
        i++;
    return i;
}

bool show_is_service(const json_t *entry)
{
    return service_of(entry) < SERVICES;
}

/* "washington/17", from "washington.example/17". */
static void put_name(const struct show *show, const char *name, struct buffer *out)
{
    char party[64];
    const char *slash = strrchr(name, '/');

    if (slash == NULL || (size_t)(slash - name) >= sizeof party) {
        text_put_shown(out, span_of_string(name), false);
        return;
    }
    memcpy(party, name, (size_t)(slash - name));
    party[slash - name] = '\0';
    status_put_party(show->parties, party, out);
    text_put_shown(out, span_of_string(slash), false);
}

static void put_number(const struct show *show, const json_t *entry, struct buffer *out)
{
    status_put_party(show->parties, string_of(entry, "author"), out);
    buffer_print(out, "/%lld", (long long)json_integer_value(json_object_get(entry, "number")));
}

static void put_text(const json_t *entry, struct buffer *out)
{
    const json_t *value = json_object_get(entry, "text");
    struct cursor cursor = {0};
    struct buffer text = {0};

    buffer_put(&text, json_string_value(value), json_string_length(value));
    /* A text need not end with a line feed; one that does is not shown with an empty line. */
    if (text.size == 0 || text.data[text.size - 1] != '\n')
        buffer_put(&text, "\n", 1);
    cursor = cursor_of(buffer_span(&text));
    while (!cursor.failed && cursor.left > 0) {
        buffer_put(out, "    ", 4);
        text_put_shown(out, cursor_line(&cursor), false);
        buffer_put(out, "\n", 1);
    }
    buffer_free(&text);
}

static void put_acknowledgements(const struct show *show, const json_t *entry, struct buffer *out)
{
    const json_t *all = json_object_get(entry, "acknowledged");

    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);

        buffer_print(out, "  acknowledged by ");
        status_put_party(show->parties, string_of(one, "by"), out);
        buffer_print(out, " (");
        output_put_shown(out, json_object_get(one, "as"));
        buffer_print(out, ") ");
        output_put_shown(out, json_object_get(one, "at"));
        buffer_print(out, "\n");
    }
}

/* "waiting" and "carried" are said from the author's side. At another office they would frighten: what is shown there
 * is held there. */
static void put_state(const struct show *show, const json_t *entry, struct buffer *out)
{
    const char *state = string_of(entry, "state");
    bool underway = strcmp(state, "waiting") == 0 || strcmp(state, "carried") == 0;

    if (underway && show->me != NULL && strcmp(string_of(entry, "author"), show->me) != 0)
        buffer_print(out, "received");
    else
        output_put_shown(out, json_object_get(entry, "state"));
}

static void put_message(const struct show *show, const json_t *entry, struct buffer *out)
{
    const char *precedence = string_of(entry, "precedence");

    put_number(show, entry, out);
    buffer_print(out, "  ");
    for (; *precedence != '\0'; precedence++)
        buffer_print(out, "%c", isalpha((unsigned char)*precedence) ? toupper((unsigned char)*precedence) : '?');
    buffer_print(out, "  ");
    output_put_shown(out, json_object_get(entry, "written"));
    buffer_print(out, "  ");
    put_state(show, entry, out);
    if (json_is_true(json_object_get(entry, "exercise")))
        buffer_print(out, "  EXERCISE");
    if (json_is_string(json_object_get(entry, "language"))) {
        buffer_print(out, "  ");
        output_put_shown(out, json_object_get(entry, "language"));
    }
    if (json_is_string(json_object_get(entry, "answers"))) {
        buffer_print(out, "  answers ");
        put_name(show, string_of(entry, "answers"), out);
    }
    if (json_is_true(json_object_get(entry, "early")))
        buffer_print(out, "  EARLY: entries of its author before it are still to come");
    buffer_print(out, "\n");
    put_text(entry, out);
    put_acknowledgements(show, entry, out);
}

static void put_names(const struct show *show, const json_t *names, struct buffer *out)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));

        buffer_print(out, "%s", i == 0 ? " " : ", ");
        put_name(show, name != NULL ? name : "-", out);
    }
}

static void put_ranges(const struct show *show, const json_t *ranges, struct buffer *out)
{
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        json_int_t first = json_integer_value(json_object_get(range, "first"));
        json_int_t last = json_integer_value(json_object_get(range, "last"));

        buffer_print(out, "%s", i == 0 ? " " : ", ");
        status_put_party(show->parties, string_of(range, "party"), out);
        buffer_print(out, "/%lld", (long long)first);
        if (last != first)
            buffer_print(out, "-%lld", (long long)last);
    }
}

/* What is neither a message nor folded: one line. */
static void put_other(const struct show *show, const json_t *entry, struct buffer *out)
{
    const char *kind = string_of(entry, "kind");
    size_t service = service_of(entry);

    put_number(show, entry, out);
    buffer_print(out, "  ");
    if (service < SERVICES) {
        buffer_print(out, "service (%s)", services[service].word);
    } else if (strcmp(kind, "acknowledgement") == 0) {
        buffer_print(out, "acknowledges");
        put_names(show, json_object_get(entry, "acknowledges"), out);
        buffer_print(out, " (");
        output_put_shown(out, json_object_get(entry, "as"));
        buffer_print(out, ")  ");
        output_put_shown(out, json_object_get(entry, "written"));
    } else if (strcmp(kind, "unreadable") == 0) {
        buffer_print(out, "cannot read");
        put_ranges(show, json_object_get(entry, "cannot_read"), out);
    } else if (strcmp(kind, "leave") == 0) {
        buffer_print(out, "left the line");
    } else if (strcmp(kind, "sealed") == 0) {
        buffer_print(out, "UNREADABLE: this office cannot open it");
    } else {
        text_put_shown(out, span_of_string(kind), false);
    }
    buffer_print(out, "\n");
}

void show_flush(struct show *show, struct buffer *out)
{
    const char *separator = "";

    if (show->folded[0] == '\0')
        return;
    status_put_party(show->parties, show->folded, out);
    buffer_print(out, "/%lld", (long long)show->first);
    if (show->last != show->first)
        buffer_print(out, "-%lld", (long long)show->last);
    buffer_print(out, "  service (");
    for (size_t i = 0; i < SERVICES; i++) {
        /* Two kinds may share a word; the word stands once. */
        if ((show->kinds & 1u << i) == 0 ||
            (i > 0 && (show->kinds & 1u << (i - 1)) != 0 && strcmp(services[i].word, services[i - 1].word) == 0))
            continue;
        buffer_print(out, "%s%s", separator, services[i].word);
        separator = ", ";
    }
    buffer_print(out, ")\n");
    show->folded[0] = '\0';
    show->kinds = 0;
}

void show_entry(struct show *show, const json_t *entry, struct buffer *out)
{
    const char *author = string_of(entry, "author");
    json_int_t number = json_integer_value(json_object_get(entry, "number"));
    size_t service = service_of(entry);

    if (service < SERVICES && !show->all) {
        if (strcmp(show->folded, author) != 0 || number != show->last + 1) {
            show_flush(show, out);
            (void)snprintf(show->folded, sizeof show->folded, "%s", author);
            show->first = number;
        }
        show->last = number;
        show->kinds |= 1u << service;
        return;
    }
    show_flush(show, out);
    if (strcmp(string_of(entry, "kind"), "message") == 0)
        put_message(show, entry, out);
    else
        put_other(show, entry, out);
}
