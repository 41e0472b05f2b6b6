/*
 * The same exchange with other people's servers, in their own protocols: one client that sends, and where the server
 * has one, one that receives.
 *
 *     peer mqtt|nats PORT WINDOW COUNT
 *
 * mqtt: QoS 2 to one subscriber with a kept session; done when the sender has PUBCOMP and the subscriber PUBREL.
 * nats: JetStream, one stream in a file; done when the sender has its acknowledgement. Nobody else has the message
 * then.
 *
 * WINDOW messages of 200 bytes are on their way at once. With a window of 1 the times of each are printed.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "samples.h"

#define TEXT_SIZE 200
#define WAIT_MS 10000

struct peer {
    int fd;
    struct buffer in, out;
    size_t taken; /* bytes of `in` that were dealt with */
    size_t done;  /* messages */
};

struct exchange {
    struct peer sender, receiver; /* receiver.fd is -1 without one */
    void (*send)(struct exchange *exchange, size_t number);
    bool (*take)(struct peer *peer); /* one packet of what came; false if there is no whole one */
};

static struct peer open_peer(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    const int on = 1;

    if (connect(peer.fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("port %u: %s", port, strerror(errno));
    (void)setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return peer;
}

static void flush(struct peer *peer)
{
    size_t at = 0;

    while (at < peer->out.size) {
        ssize_t sent = send(peer->fd, peer->out.data + at, peer->out.size - at, MSG_NOSIGNAL);

        if (sent <= 0)
            fail("the server is gone: %s", strerror(errno));
        at += (size_t)sent;
    }
    buffer_reset(&peer->out);
}

static void receive(struct peer *peer)
{
    uint8_t bytes[1 << 16];
    ssize_t got = recv(peer->fd, bytes, sizeof bytes, 0);

    if (got <= 0)
        fail("the server is gone: %s", strerror(errno));
    if (peer->taken == peer->in.size) {
        buffer_reset(&peer->in);
        peer->taken = 0;
    }
    buffer_put(&peer->in, bytes, (size_t)got);
}

static struct span rest_of(const struct peer *peer)
{
    return span_from(buffer_span(&peer->in), peer->taken);
}

/* --- MQTT 3.1.1 -------------------------------------------------------------------------------------------------- */

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBREC = 0x50, PUBREL = 0x62, PUBCOMP = 0x70, SUBSCRIBE = 0x82 };
#define SUBACK 0x90
#define QOS_2 0x04

static void put_mqtt(struct peer *peer, uint8_t type, struct span body)
{
    size_t left = body.size;

    buffer_put_u8(&peer->out, type);
    do {
        buffer_put_u8(&peer->out, (uint8_t)(left % 128 + (left >= 128 ? 128 : 0)));
        left /= 128;
    } while (left > 0);
    buffer_put_span(&peer->out, body);
}

static void put_mqtt_number(struct peer *peer, uint8_t type, size_t number)
{
    uint8_t body[] = {(uint8_t)(number >> 8), (uint8_t)number};

    put_mqtt(peer, type, span_of(body, sizeof body));
}

static bool next_mqtt(struct peer *peer, uint8_t *type, struct span *body)
{
    struct span rest = rest_of(peer);
    size_t size = 0;
    size_t at = 1;

    for (unsigned shift = 0; at < rest.size && at < 5; shift += 7) {
        size |= (size_t)(rest.data[at] & 127) << shift;
        if ((rest.data[at++] & 128) == 0) {
            if (rest.size - at < size)
                return false;
            *type = rest.data[0];
            *body = span_of(rest.data + at, size);
            peer->taken += at + size;
            return true;
        }
    }
    return false;
}

/* Both ends of the four-way handshake of QoS 2. */
static bool take_mqtt(struct peer *peer)
{
    struct span body = {0};
    uint8_t type = 0;

    if (!next_mqtt(peer, &type, &body))
        return false;
    if (type == PUBREC)
        put_mqtt_number(peer, PUBREL, (size_t)(body.data[0] << 8 | body.data[1]));
    else if ((type & 0xf0) == PUBLISH)
        put_mqtt_number(peer, PUBREC, (size_t)(body.data[3] << 8 | body.data[4])); /* behind a topic of one byte */
    else if (type == PUBREL)
        put_mqtt_number(peer, PUBCOMP, (size_t)(body.data[0] << 8 | body.data[1]));
    peer->done += type == PUBCOMP || type == PUBREL;
    return true;
}

static void send_mqtt(struct exchange *exchange, size_t number)
{
    uint8_t body[5 + TEXT_SIZE] = {0, 1, 't', (uint8_t)((number % 65535 + 1) >> 8), (uint8_t)(number % 65535 + 1)};

    memset(body + 5, 'x', TEXT_SIZE);
    put_mqtt(&exchange->sender, PUBLISH | QOS_2, span_of(body, sizeof body));
}

static void ask_mqtt(struct peer *peer, uint8_t type, struct span body, uint8_t answer)
{
    uint8_t got = 0;

    put_mqtt(peer, type, body);
    flush(peer);
    while (!next_mqtt(peer, &got, &body))
        receive(peer);
    if (got != answer)
        fail("the server answers %02x", got);
}

static struct peer open_mqtt(uint16_t port, char name)
{
    uint8_t connect_body[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 0, 0, 60, 0, 1, (uint8_t)name};
    struct peer peer = open_peer(port);

    ask_mqtt(&peer, CONNECT, span_of(connect_body, sizeof connect_body), CONNACK);
    return peer;
}

static void start_mqtt(struct exchange *exchange, uint16_t port)
{
    static const uint8_t subscribe[] = {0, 1, 0, 1, 't', 2};

    exchange->receiver = open_mqtt(port, 'r');
    ask_mqtt(&exchange->receiver, SUBSCRIBE, span_of(subscribe, sizeof subscribe), SUBACK);
    exchange->sender = open_mqtt(port, 's');
    exchange->send = send_mqtt;
    exchange->take = take_mqtt;
}

/* --- NATS -------------------------------------------------------------------------------------------------------- */

static bool take_nats(struct peer *peer)
{
    struct span rest = rest_of(peer);
    const uint8_t *end = rest.size > 0 ? memmem(rest.data, rest.size, "\r\n", 2) : NULL;
    size_t line = end == NULL ? 0 : (size_t)(end - rest.data) + 2;
    size_t payload = 0;

    if (end == NULL)
        return false;
    if (rest.size > 4 && memcmp(rest.data, "MSG ", 4) == 0) {
        const uint8_t *size = memrchr(rest.data, ' ', line);

        payload = strtoul((const char *)size, NULL, 10) + 2;
        if (rest.size - line < payload)
            return false;
        if (memmem(end, payload + 2, "\"error\"", 7) != NULL)
            fail("the server says: %.*s", (int)payload, (const char *)end + 2);
        peer->done++;
    } else if (rest.size > 4 && memcmp(rest.data, "PING", 4) == 0) {
        buffer_print(&peer->out, "PONG\r\n");
    } else if (rest.data[0] == '-') {
        fail("the server says: %.*s", (int)line, (const char *)rest.data);
    }
    peer->taken += line + payload;
    return true;
}

static void send_nats(struct exchange *exchange, size_t number)
{
    (void)number;
    buffer_print(&exchange->sender.out, "PUB bench answers %d\r\n%0*d\r\n", TEXT_SIZE, TEXT_SIZE, 0);
}

static void start_nats(struct exchange *exchange, uint16_t port)
{
    static const char stream[] = "{\"name\":\"BENCH\",\"subjects\":[\"bench\"],\"storage\":\"file\",\"retention\":"
                                 "\"limits\",\"discard\":\"old\",\"num_replicas\":1,\"max_consumers\":-1,\"max_msgs\":"
                                 "-1,\"max_bytes\":-1}";
    struct peer *peer = &exchange->sender;

    *peer = open_peer(port);
    exchange->receiver.fd = -1;
    exchange->send = send_nats;
    exchange->take = take_nats;
    buffer_print(&peer->out, "CONNECT {\"verbose\":false}\r\nSUB answers 1\r\n");
    buffer_print(&peer->out, "PUB $JS.API.STREAM.CREATE.BENCH answers %zu\r\n%s\r\n", sizeof stream - 1, stream);
    flush(peer);
    while (peer->done == 0) {
        receive(peer);
        while (take_nats(peer))
            continue;
    }
    peer->done = 0;
}

/* --- measuring ---------------------------------------------------------------------------------------------------- */

static void take_all(struct exchange *exchange, struct peer *peer)
{
    receive(peer);
    while (exchange->take(peer))
        continue;
    flush(peer);
}

static size_t finished(const struct exchange *exchange)
{
    size_t received = exchange->receiver.fd < 0 ? SIZE_MAX : exchange->receiver.done;

    return exchange->sender.done < received ? exchange->sender.done : received;
}

static void run(struct exchange *exchange, size_t window, size_t count, struct samples *samples)
{
    uint64_t start = 0;
    size_t known = 0;

    for (size_t sent = 0; known < count; known = finished(exchange)) {
        struct pollfd polls[] = {{.fd = exchange->sender.fd, .events = POLLIN},
                                 {.fd = exchange->receiver.fd, .events = POLLIN}};

        if (window == 1 && sent > 0 && sent == known)
            samples_add(samples, clock_ns() - start);
        if (sent == known)
            start = clock_ns();
        for (; sent < count && sent < known + window; sent++)
            exchange->send(exchange, sent);
        flush(&exchange->sender);
        if (poll(polls, 2, WAIT_MS) <= 0)
            fail("nothing came in 10 s");
        if (polls[0].revents != 0)
            take_all(exchange, &exchange->sender);
        if (polls[1].revents != 0)
            take_all(exchange, &exchange->receiver);
    }
}

int main(int argc, char **argv)
{
    size_t window = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    size_t count = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    uint16_t port = argc == 5 ? (uint16_t)strtoul(argv[2], NULL, 10) : 0;
    struct exchange exchange = {0};
    struct samples samples;
    uint64_t start = 0;
    double seconds = 0;

    if (window == 0 || count == 0)
        fail("usage: peer mqtt|nats PORT WINDOW COUNT");
    samples = samples_new(count);
    if (strcmp(argv[1], "mqtt") == 0)
        start_mqtt(&exchange, port);
    else
        start_nats(&exchange, port);
    start = clock_ns();
    run(&exchange, window, count, &samples);
    seconds = (double)(clock_ns() - start) / 1e9;
    (void)printf("{\"messages_per_s\":%.0f,", (double)count / seconds);
    samples_print(&samples, "latency_us");
    (void)printf("}\n");
    return 0;
}
