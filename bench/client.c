/*
 * Drives one office through its control socket.
 *
 *     client latency SOCKET LINE COUNT         one message at a time, until the other's receipt is known here
 *     client throughput SOCKET LINE COUNT      arrays of 1,024, four requests on their way, until the last receipt
 */
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/codec.h"
#include "control/reader.h"
#include "samples.h"

#define TEXT_SIZE 200
#define ARRAY_MAX 1024
#define IN_FLIGHT 4
#define STATUS_EVERY_US 500
#define WARM_UP 20

struct daemon {
    int fd;
    struct control_reader reader;
};

static struct daemon open_daemon(const char *path)
{
    struct daemon daemon = {.fd = socket(AF_UNIX, SOCK_STREAM, 0), .reader = {.max = CONTROL_ANSWER_MAX}};
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        fail("%s: the path is too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (daemon.fd < 0 || connect(daemon.fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("%s: %s", path, strerror(errno));
    return daemon;
}

static void send_line(const struct daemon *daemon, struct span line)
{
    while (line.size > 0) {
        ssize_t sent = send(daemon->fd, line.data, line.size, MSG_NOSIGNAL);

        if (sent <= 0)
            fail("the daemon is gone: %s", strerror(errno));
        line = span_from(line, (size_t)sent);
    }
}

static struct span read_line(struct daemon *daemon)
{
    static uint8_t bytes[1 << 16];
    struct span line = {0};
    int status = 0;

    while ((status = control_reader_next(&daemon->reader, &line)) == 0) {
        ssize_t got = recv(daemon->fd, bytes, sizeof bytes, 0);

        if (got <= 0)
            fail("the daemon is gone: %s", strerror(errno));
        control_reader_input(&daemon->reader, span_of(bytes, (size_t)got));
    }
    if (status < 0)
        fail("the daemon's line is too long");
    return line;
}

static json_t *parse(struct span line)
{
    json_t *root = json_loadb((const char *)line.data, line.size, 0, NULL);

    if (root == NULL || json_object_get(root, "error") != NULL)
        fail("the daemon says: %.*s", (int)line.size, (const char *)line.data);
    return root;
}

static void ask(struct daemon *daemon, const char *method, const char *line)
{
    struct buffer request = {0};

    buffer_print(&request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{", method);
    if (line != NULL)
        buffer_print(&request, "\"line\":\"%s\"", line);
    buffer_print(&request, "}}\n");
    send_line(daemon, buffer_span(&request));
    buffer_free(&request);
}

/* One `append` of `count` messages of 200 bytes, no two of an array alike. */
static struct buffer append_request(const char *line, size_t count)
{
    struct buffer request = {0};

    buffer_print(&request,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"append\",\"params\":{\"line\":\"%s\",\"entries\":[", line);
    for (size_t i = 0; i < count; i++)
        buffer_print(&request, "%s{\"text\":\"%0*zu\"}", i > 0 ? "," : "", TEXT_SIZE, i);
    buffer_print(&request, "]}}\n");
    if (buffer_failed(&request))
        fail("there is no memory for a request");
    return request;
}

/* The number of the last entry of an answer to `append`. */
static uint64_t last_number(struct span answer)
{
    json_t *root = parse(answer);
    const json_t *entries = json_object_get(json_object_get(root, "result"), "entries");
    const json_t *last = json_array_get(entries, json_array_size(entries) - 1);
    uint64_t number = (uint64_t)json_integer_value(json_object_get(last, "number"));

    json_decref(root);
    return number;
}

/* Whether this event says that every entry up to `number` of the office's own log is held by the other. */
static bool tells_receipt(struct span line, const char *author, uint64_t number)
{
    json_t *root = parse(line);
    const json_t *event = json_object_get(root, "params");
    const char *kind = json_string_value(json_object_get(event, "event"));
    const char *of = json_string_value(json_object_get(event, "author"));
    bool tells = kind != NULL && of != NULL && strcmp(kind, "stored") == 0 && strcmp(of, author) == 0 &&
                 (uint64_t)json_integer_value(json_object_get(event, "size")) > number;

    if (kind != NULL && strcmp(kind, "lost") == 0)
        fail("events were lost");
    json_decref(root);
    return tells;
}

static const json_t *find_line(const json_t *status, const char *name)
{
    const json_t *lines = json_object_get(status, "lines");

    for (size_t i = 0; i < json_array_size(lines); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(lines, i), "name")), name) == 0)
            return json_array_get(lines, i);
    fail("there is no line %s", name);
}

/* How many of its own entries every other member has receipted; and its name. */
static uint64_t receipted(struct daemon *daemon, const char *name, char *author, size_t author_size)
{
    json_t *root = NULL;
    const json_t *members = NULL;
    uint64_t count = 0;

    ask(daemon, "status", NULL);
    root = parse(read_line(daemon));
    members = json_object_get(find_line(json_object_get(root, "result"), name), "members");
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *member = json_array_get(members, i);

        if (!json_is_true(json_object_get(member, "me")))
            continue;
        count = (uint64_t)json_integer_value(json_object_get(member, "receipted"));
        if (author != NULL)
            (void)snprintf(author, author_size, "%s", json_string_value(json_object_get(member, "party")));
    }
    json_decref(root);
    return count;
}

static void measure_latency(const char *path, const char *line, size_t count)
{
    struct daemon asks = open_daemon(path);
    struct daemon listens = open_daemon(path);
    struct samples recorded = samples_new(count);
    struct samples stored = samples_new(count);
    struct buffer request = append_request(line, 1);
    char author[300];

    (void)receipted(&asks, line, author, sizeof author);
    ask(&listens, "subscribe", line);
    (void)read_line(&listens);
    for (size_t i = 0; i < WARM_UP + count; i++) {
        uint64_t start = clock_ns();
        uint64_t half = 0;
        uint64_t number = 0;

        send_line(&asks, buffer_span(&request));
        number = last_number(read_line(&asks));
        half = clock_ns();
        while (!tells_receipt(read_line(&listens), author, number))
            continue;
        if (i < WARM_UP)
            continue;
        samples_add(&recorded, half - start);
        samples_add(&stored, clock_ns() - start);
    }
    (void)printf("{");
    samples_print(&recorded, "recorded_us");
    (void)printf(",");
    samples_print(&stored, "latency_us");
    (void)printf("}\n");
}

/* Not subscribed: nobody reads a hundred thousand lines a second. The receipt is seen in `status`. */
static void measure_throughput(const char *path, const char *line, size_t count)
{
    struct daemon daemon = open_daemon(path);
    struct buffer request = append_request(line, ARRAY_MAX);
    size_t arrays = (count + ARRAY_MAX - 1) / ARRAY_MAX;
    uint64_t start = clock_ns();
    uint64_t recorded = 0;
    uint64_t number = 0;
    double seconds = 0;

    for (size_t sent = 0, answered = 0; answered < arrays; answered++) {
        for (; sent < arrays && sent < answered + IN_FLIGHT; sent++)
            send_line(&daemon, buffer_span(&request));
        number = last_number(read_line(&daemon));
    }
    recorded = clock_ns() - start;
    while (receipted(&daemon, line, NULL, 0) <= number)
        (void)usleep(STATUS_EVERY_US);
    seconds = (double)(clock_ns() - start) / 1e9;
    (void)printf("{\"messages\":%zu,\"seconds\":%.3f,\"recorded_per_s\":%.0f,\"messages_per_s\":%.0f}\n",
                 arrays * ARRAY_MAX, seconds, (double)(arrays * ARRAY_MAX) / ((double)recorded / 1e9),
                 (double)(arrays * ARRAY_MAX) / seconds);
}

int main(int argc, char **argv)
{
    size_t count = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;

    if (count == 0)
        fail("usage: client latency|throughput SOCKET LINE COUNT");
    if (strcmp(argv[1], "latency") == 0)
        measure_latency(argv[2], argv[3], count);
    else if (strcmp(argv[1], "throughput") == 0)
        measure_throughput(argv[2], argv[3], count);
    else
        fail("there is no mode %s", argv[1]);
    return 0;
}
