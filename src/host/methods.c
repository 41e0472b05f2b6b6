#include "host/methods.h"

#include "base/text.h"
#include "control/params.h"
#include "host/json.h"
#include "host/unlock.h"

#include <stdlib.h>

/* One call: the request being read, and the number under which the office will answer it. */
struct call {
    struct client *client;
    struct office *office;
    const struct control_request *request;
    unsigned method;
    struct params params;
    struct error error;
};

/* Asks the office under a new number; 0, with an error, if there is none. */
static uint64_t ask(struct call *call)
{
    uint64_t request = serve_ask(call->client, call->method, call->request->id);

    if (request == 0)
        (void)error_set(&call->error, ERROR_REFUSED, "too many requests are waiting; try again later");
    return request;
}

static struct span text_of(struct call *call, const char *name)
{
    return span_of_string(params_string(&call->params, name));
}

static struct span text_or_none(struct call *call, const char *name)
{
    return span_of_string(params_string_or(&call->params, name, ""));
}

static void answer(struct call *call, json_t *result)
{
    control_put_result(&call->client->output, call->request->id, result);
}

/* --- the office itself ------------------------------------------------------------------------------------- */

static void call_status(struct call *call)
{
    struct host *host = call->client->host;

    if (!host->unlocking) /* what is used of a quota is less with time, also where nothing else is due for hours */
        office_step(call->office, host_now(host));
    if (params_done(&call->params))
        answer(call, host->unlocking ? json_incref(host->serve->unlocking_status)
                                     : json_status(call->office, &host->confinement));
}

static void call_card(struct call *call)
{
    if (params_done(&call->params))
        answer(call, json_pack("{s:o}", "card", json_text(buffer_span(&call->client->host->card))));
}

static void call_unlock(struct call *call)
{
    struct span passphrase = params_text(&call->params, "passphrase", 1, UNLOCK_PASSPHRASE_MAX);
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        unlock_begin(call->client->host, request, passphrase);
}

static void call_subscribe(struct call *call)
{
    const char *line = params_string_or(&call->params, "line", "");

    if (!params_done(&call->params))
        return;
    if (line[0] != '\0' && !office_has_line(call->office, span_of_string(line))) {
        (void)error_set(&call->error, ERROR_NOT_FOUND, "there is no line of that name here");
        return;
    }
    call->client->is_subscribed = true;
    (void)snprintf(call->client->subscribed, sizeof call->client->subscribed, "%s", line);
    answer(call, json_object());
}

/* --- lines ----------------------------------------------------------------------------------------------------- */

static void call_line_found(struct call *call)
{
    struct span cards[MEMBERS_MAX];
    struct span name = text_of(call, "name");
    size_t count = params_array(&call->params, "cards", 1, MEMBERS_MAX - 1);
    bool courier_key = params_flag_or(&call->params, "courier_key", true);
    struct amount quota = {
        .entries = params_number_or(&call->params, "quota_entries", QUOTA_ENTRIES_MIN, QUOTA_MAX, 0),
        .bytes = params_number_or(&call->params, "quota_bytes", QUOTA_BYTES_MIN, QUOTA_MAX, 0),
    };
    uint64_t request = 0;

    for (size_t i = 0; i < count; i++)
        cards[i] = span_of_string(params_array_string(&call->params, "cards", i));
    if (params_done(&call->params) && (request = ask(call)) != 0)
        office_line_found(call->office, request, name, cards, count, courier_key, quota, host_now(call->client->host));
}

static void call_line_join(struct call *call)
{
    struct span charter = text_of(call, "charter");
    struct span key = text_or_none(call, "key");
    struct span name = text_or_none(call, "name");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_line_join(call->office, request, charter, key, name, host_now(call->client->host));
}

static void call_line_show(struct call *call)
{
    struct span line = text_of(call, "line");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_line_show(call->office, request, line);
}

static void call_line_confirm(struct call *call)
{
    struct span line = text_of(call, "line");
    struct span digits = text_of(call, "digits");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_line_confirm(call->office, request, line, digits, host_now(call->client->host));
}

static void call_line_leave(struct call *call)
{
    struct span line = text_of(call, "line");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_line_leave(call->office, request, line, host_now(call->client->host));
}

/* --- links ----------------------------------------------------------------------------------------------------- */

static void call_link(struct call *call,
                      void (*perform)(struct office *, uint64_t, struct span, struct span, struct span, struct now))
{
    struct span line = text_of(call, "line");
    struct span party = text_of(call, "party");
    struct span address = text_of(call, "address");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        perform(call->office, request, line, party, address, host_now(call->client->host));
}

static void call_link_add(struct call *call)
{
    call_link(call, office_link_add);
}

static void call_link_remove(struct call *call)
{
    call_link(call, office_link_remove);
}

static void call_link_test(struct call *call)
{
    call_link(call, office_link_test);
}

/* --- entries --------------------------------------------------------------------------------------------------- */

#define TOKEN_SIZE 16

static bool read_message(struct params *entry, struct office_message *message, uint8_t token[static TOKEN_SIZE])
{
    const char *hex = NULL;
    int precedence = 0;

    message->text = params_text(entry, "text", 1, TEXT_SIZE_MAX);
    message->language = span_of_string(params_string_or(entry, "language", ""));
    message->answers = span_of_string(params_string_or(entry, "answers", ""));
    message->exercise = params_flag_or(entry, "exercise", false);
    precedence = precedence_from_name(span_of_string(params_string_or(entry, "precedence", "routine")));
    if (precedence < 0)
        (void)params_fail(entry, "precedence", "is none of flash, immediate, priority and routine");
    else
        message->precedence = (unsigned)precedence;
    hex = params_string_or(entry, "token", NULL);
    message->token = span_of(token, hex != NULL ? TOKEN_SIZE : 0);
    if (hex != NULL && !text_from_hex(span_of_string(hex), token, TOKEN_SIZE))
        (void)params_fail(entry, "token", "is not 32 hexadecimal digits");
    return params_done(entry);
}

static void call_append(struct call *call)
{
    struct span line = text_of(call, "line");
    size_t count = params_array(&call->params, "entries", 1, OFFICE_APPEND_MAX);
    struct office_message *messages = calloc(count + 1, sizeof *messages);
    uint8_t(*tokens)[TOKEN_SIZE] = calloc(count + 1, TOKEN_SIZE);
    bool right = messages != NULL && tokens != NULL;
    uint64_t request = 0;

    if (!right)
        (void)error_set(&call->error, ERROR_SYSTEM, "there is no memory left");
    for (size_t i = 0; i < count && right; i++) {
        struct params entry = params_array_object(&call->params, "entries", i);

        right = read_message(&entry, &messages[i], tokens[i]);
    }
    if (right && params_done(&call->params) && (request = ask(call)) != 0)
        office_append(call->office, request, line, messages, count, host_now(call->client->host));
    free(messages);
    free(tokens);
}

static void call_acknowledge(struct call *call)
{
    struct span entries[REFERENCES_MAX];
    struct span line = text_of(call, "line");
    size_t count = params_array(&call->params, "entries", 1, REFERENCES_MAX);
    unsigned as = acknowledged_as_from_name(text_of(call, "as"));
    uint64_t request = 0;

    for (size_t i = 0; i < count; i++)
        entries[i] = span_of_string(params_array_string(&call->params, "entries", i));
    if (as == 0 && !call->params.failed)
        (void)params_fail(&call->params, "as", "is neither duty-officer nor principal");
    if (params_done(&call->params) && (request = ask(call)) != 0)
        office_acknowledge(call->office, request, line, entries, count, as, host_now(call->client->host));
}

static void call_entries(struct call *call)
{
    struct span line = text_of(call, "line");
    struct span after = text_or_none(call, "after");
    struct span from = text_or_none(call, "from");
    size_t limit = (size_t)params_number_or(&call->params, "limit", 1, 256, 256);
    const char *order = params_string_or(&call->params, "order", "rising");
    bool falling = strcmp(order, "falling") == 0;
    uint64_t request = 0;

    if (!falling && strcmp(order, "rising") != 0)
        (void)params_fail(&call->params, "order", "is neither rising nor falling");
    if (params_done(&call->params) && (request = ask(call)) != 0)
        office_entries(call->office, request, line, after, from, limit, falling);
}

/* --- of a line alone --------------------------------------------------------------------------------------------- */

static void call_inbox(struct call *call)
{
    struct span line = text_of(call, "line");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_inbox(call->office, request, line);
}

static void call_record_verify(struct call *call)
{
    struct span line = text_of(call, "line");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_record_verify(call->office, request, line);
}

static void call_record_policy(struct call *call)
{
    struct span line = text_of(call, "line");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_record_policy(call->office, request, line);
}

static void call_record_prove(struct call *call)
{
    struct span line = text_of(call, "line");
    struct span entry = text_of(call, "entry");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_record_prove(call->office, request, line, entry);
}

static void call_record_disclose(struct call *call)
{
    struct span line = text_of(call, "line");
    struct span entry = text_of(call, "entry");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_record_disclose(call->office, request, line, entry);
}

static void call_record_evidence(struct call *call)
{
    struct span line = text_of(call, "line");
    struct span party = text_or_none(call, "party");
    uint64_t request = params_done(&call->params) ? ask(call) : 0;

    if (request != 0)
        office_record_evidence(call->office, request, line, party);
}

/* --- results ------------------------------------------------------------------------------------------------------ */

static json_t *result_nothing(const struct office *office, const struct office_event *reply)
{
    (void)office;
    (void)reply;
    return json_object();
}

static json_t *result_line_found(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o, s:o}", "charter", json_text(buffer_span(&reply->text)), "key",
                     reply->text2.size > 0 ? json_text(buffer_span(&reply->text2)) : json_null());
}

static json_t *result_line_join(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:s}", "name", reply->line);
}

static json_t *result_line_show(const struct office *office, const struct office_event *reply)
{
    struct office_line_status *line = calloc(1, sizeof *line);
    json_t *result = NULL;

    if (line != NULL && json_find_line(office, reply->line, line))
        result = json_line(line, buffer_span(&reply->text), buffer_span(&reply->text2));
    free(line);
    return result;
}

static json_t *result_entry(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:s, s:I}", "author", reply->party, "number", (json_int_t)reply->number);
}

static json_t *result_acknowledge(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:s, s:I, s:b}", "author", reply->party, "number", (json_int_t)reply->number, "recorded",
                     reply->count > 0);
}

static json_t *result_link_test(const struct office *office, const struct office_event *reply)
{
    bool ok = strcmp(reply->outcome, "ok") == 0;

    (void)office;
    return json_pack("{s:s, s:o, s:o}", "outcome", reply->outcome, "milliseconds",
                     ok ? json_real((double)reply->at / 1000.0) : json_null(), "detail",
                     json_text(span_of_string(reply->reason)));
}

static json_t *result_append(const struct office *office, const struct office_event *reply)
{
    json_t *entries = json_array();

    (void)office;
    for (uint64_t i = 0; i < reply->count; i++)
        (void)json_array_append_new(
            entries, json_pack("{s:s, s:I}", "author", reply->party, "number",
                               (json_int_t)(reply->numbers != NULL ? reply->numbers[i] : reply->number + i)));
    return json_pack("{s:o}", "entries", entries);
}

static json_t *result_entries(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o, s:o}", "entries", json_entries(reply->view, reply->view_count), "next",
                     reply->text.size > 0 ? json_text(buffer_span(&reply->text)) : json_null());
}

static json_t *result_inbox(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o}", "entries", json_entries(reply->view, reply->view_count));
}

static json_t *result_verify(const struct office *office, const struct office_event *reply)
{
    struct office_line_status *line = calloc(1, sizeof *line);
    json_t *members = json_array();
    bool found = line != NULL && json_find_line(office, reply->line, line);

    for (size_t i = 0; found && i < reply->log_count; i++) {
        const struct mark_log *log = &reply->logs[i];

        if (log->member < line->charter->member_count)
            (void)json_array_append_new(
                members, json_pack("{s:s, s:I, s:o}", "party", line->charter->members[log->member].name, "size",
                                   (json_int_t)log->size, "root", json_hex(span_of(log->root, HASH_SIZE))));
    }
    free(line);
    return json_pack("{s:o, s:I, s:I}", "members", members, "entries", (json_int_t)reply->count, "receipts",
                     (json_int_t)reply->receipts);
}

static json_t *result_policy(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o}", "policy", json_text(buffer_span(&reply->text)));
}

static json_t *result_prove(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o, s:I}", "proof", json_text(buffer_span(&reply->text)), "receipts", (json_int_t)reply->count);
}

static json_t *result_disclose(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o, s:I}", "disclosure", json_text(buffer_span(&reply->text)), "receipts",
                     (json_int_t)reply->count);
}

static json_t *result_evidence(const struct office *office, const struct office_event *reply)
{
    (void)office;
    return json_pack("{s:o, s:s}", "evidence", json_text(buffer_span(&reply->text)), "author", reply->party);
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static const struct method {
    const char *name;
    void (*call)(struct call *call);
    json_t *(*result)(const struct office *office, const struct office_event *reply); /* NULL: answered at once */
} methods[] = {
    {"status", call_status, NULL},
    {"card", call_card, NULL},
    {"unlock", call_unlock, result_nothing},
    {"subscribe", call_subscribe, NULL},
    {"line.found", call_line_found, result_line_found},
    {"line.join", call_line_join, result_line_join},
    {"line.show", call_line_show, result_line_show},
    {"line.confirm", call_line_confirm, result_nothing},
    {"line.leave", call_line_leave, result_entry},
    {"link.add", call_link_add, result_nothing},
    {"link.remove", call_link_remove, result_nothing},
    {"link.test", call_link_test, result_link_test},
    {"append", call_append, result_append},
    {"acknowledge", call_acknowledge, result_acknowledge},
    {"entries", call_entries, result_entries},
    {"inbox", call_inbox, result_inbox},
    {"record.verify", call_record_verify, result_verify},
    {"record.policy", call_record_policy, result_policy},
    {"record.prove", call_record_prove, result_prove},
    {"record.disclose", call_record_disclose, result_disclose},
    {"record.evidence", call_record_evidence, result_evidence},
};
#define METHOD_COUNT (sizeof methods / sizeof methods[0])

void methods_call(struct client *client, const struct control_request *request)
{
    struct host *host = client->host;
    struct call call = {.client = client, .office = host->office, .request = request};
    struct error error = {0};

    while (call.method < METHOD_COUNT && strcmp(methods[call.method].name, request->method) != 0)
        call.method++;
    if (call.method == METHOD_COUNT) {
        (void)error_set(&error, ERROR_USAGE, "there is no method of that name");
        control_put_failure(&client->output, request->id, CONTROL_NO_METHOD, &error);
        return;
    }
    call.params = params_of(request, &call.error);
    if (host->unlocking && methods[call.method].call != call_status && methods[call.method].call != call_card)
        (void)error_set(&call.error, ERROR_LOCKED, "the office is being unlocked; try again in a second");
    else
        methods[call.method].call(&call);
    if (call.error.code != ERROR_NONE)
        control_put_error(&client->output, request->id, &call.error);
}

json_t *methods_result(const struct host *host, unsigned method, const struct office_event *reply)
{
    return methods[method].result(host->office, reply);
}
