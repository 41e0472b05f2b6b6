/*
 * A bad network between two network namespaces: it delays, loses, reorders, doubles, limits and corrupts IPv4 packets.
 *
 *     forwarder NAMESPACE NAMESPACE [--OPTION VALUE]...
 *
 * makes a TUN device "wire" in each of the two (names below /run/netns), says "ready", and carries packets between them
 * until its stdin ends; the devices go with it. Options, the same in both directions:
 *
 *     --delay 600ms      from one end to the other
 *     --jitter 50ms      so much more or less, without changing the order
 *     --loss 1%          of packets
 *     --duplicate 1%     arrive twice
 *     --reorder 1%       arrive late by half the delay and 5 ms, so that others overtake them
 *     --corrupt 1%       have one bit changed somewhere: IP's and TCP's checksums find that
 *     --forge 1%         have one bit of TCP's data changed and the checksum made right: TCP finds nothing
 *     --rate 1mbit       of bits a second; with it
 *     --queue 32768      bytes may wait to be sent, and what comes then is dropped
 *     --address 5        the second sees the first's address with so much added, as behind a NAT that lost its table
 *     --seed 17          of all that is decided by chance
 *
 * A line on stdin has more options, which replace the former, or one of: "cut" (nothing passes, and what is on its way
 * is lost), "mend", "figures" (answered with one line of JSON for what entered at either end and became of it).
 *
 * What happens to a packet depends on the seed, the direction, its number in it, and on nothing else: neither on the
 * time nor on what happened to others. Which packets there are is decided by two kernels, so a run is not repeated.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define PACKET_MAX 2048
#define PACKETS_MAX 65536 /* on their way */
#define LINE_MAX_SIZE 512
#define IP_HEADER_MIN 20
#define TCP_HEADER_MIN 20
#define REORDER_LEAST (5 * SECOND / 1000)

struct packet {
    uint64_t due;
    uint64_t sequence; /* of two that are due at once the one that came first */
    unsigned to;
    size_t size;
    uint8_t data[];
};

/* What is decided of a packet by chance: the number of a draw. */
enum chance { LOSS, DUPLICATE, REORDER, CORRUPT, FORGE, JITTER, WHICH_BIT, CHANCES };

struct profile {
    double delay, jitter, loss, duplicate, reorder, corrupt, forge, rate, queue, address, seed;
};

/* What entered at one end. */
struct direction {
    int device;
    uint64_t free;     /* when the line has sent what waits */
    uint64_t last_due; /* of those that keep the order */
    uint64_t packets, bytes, cut, lost, dropped, duplicated, reordered, corrupted, forged, delivered;
};

struct network {
    struct profile profile;
    struct direction direction[2];
    bool cut;
    struct packet *heap[PACKETS_MAX];
    size_t count;
    uint64_t sequence;
};

static const struct {
    const char *name;
    char kind; /* of its unit */
    size_t offset;
} options[] = {
    {"--delay", 't', offsetof(struct profile, delay)},     {"--jitter", 't', offsetof(struct profile, jitter)},
    {"--loss", '%', offsetof(struct profile, loss)},       {"--duplicate", '%', offsetof(struct profile, duplicate)},
    {"--reorder", '%', offsetof(struct profile, reorder)}, {"--corrupt", '%', offsetof(struct profile, corrupt)},
    {"--forge", '%', offsetof(struct profile, forge)},     {"--rate", 'r', offsetof(struct profile, rate)},
    {"--queue", 'n', offsetof(struct profile, queue)},     {"--address", 'n', offsetof(struct profile, address)},
    {"--seed", 'n', offsetof(struct profile, seed)},
};

static const struct {
    const char *name;
    char kind;
    double factor;
} units[] = {
    {"ms", 't', 1e6}, {"s", 't', 1e9}, {"%", '%', 0.01}, {"kbit", 'r', 1e3}, {"mbit", 'r', 1e6}, {"", 'n', 1},
};

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec time = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* --- options --------------------------------------------------------------------------------------------------- */

static void set_option(struct profile *profile, const char *name, const char *text)
{
    char *unit = NULL;
    double value = text == NULL ? 0 : strtod(text, &unit);

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        for (size_t j = 0; strcmp(options[i].name, name) == 0 && j < sizeof units / sizeof units[0]; j++)
            if (unit != NULL && unit != text && value >= 0 && units[j].kind == options[i].kind &&
                strcmp(units[j].name, unit) == 0) {
                value *= units[j].factor;
                memcpy((char *)profile + options[i].offset, &value, sizeof value);
                return;
            }
    fail("forwarder: %s %s is no option", name, text == NULL ? "" : text);
}

static void print_figures(const struct network *network)
{
    (void)printf("[");
    for (int i = 0; i < 2; i++) {
        const struct direction *d = &network->direction[i];

        (void)printf("%s{\"packets\": %llu, \"bytes\": %llu, \"cut\": %llu, \"lost\": %llu, \"dropped\": %llu, ",
                     i > 0 ? ", " : "", (unsigned long long)d->packets, (unsigned long long)d->bytes,
                     (unsigned long long)d->cut, (unsigned long long)d->lost, (unsigned long long)d->dropped);
        (void)printf("\"duplicated\": %llu, \"reordered\": %llu, \"corrupted\": %llu, \"forged\": %llu, "
                     "\"delivered\": %llu}",
                     (unsigned long long)d->duplicated, (unsigned long long)d->reordered,
                     (unsigned long long)d->corrupted, (unsigned long long)d->forged, (unsigned long long)d->delivered);
    }
    (void)printf("]\n");
}

static void obey(struct network *network, char *line)
{
    char *rest = NULL;

    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "cut") == 0)
            network->cut = true;
        else if (strcmp(word, "mend") == 0)
            network->cut = false;
        else if (strcmp(word, "figures") == 0)
            print_figures(network);
        else
            set_option(&network->profile, word, strtok_r(NULL, " ", &rest));
    }
    (void)fflush(stdout);
}

/* Reads what is there and obeys whole lines. False at the end. */
static bool take_lines(struct network *network)
{
    static char bytes[LINE_MAX_SIZE];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, bytes + filled, sizeof bytes - filled);
    char *end = NULL;

    if (got <= 0)
        return false;
    filled += (size_t)got;
    while ((end = memchr(bytes, '\n', filled)) != NULL) {
        size_t size = (size_t)(end - bytes) + 1;

        *end = '\0';
        obey(network, bytes);
        filled -= size;
        memmove(bytes, bytes + size, filled);
    }
    if (filled == sizeof bytes)
        fail("forwarder: a line on stdin is too long");
    return true;
}

/* --- packets on their way, the next one due on top of a heap ---------------------------------------------------- */

static bool is_before(const struct packet *a, const struct packet *b)
{
    return a->due < b->due || (a->due == b->due && a->sequence < b->sequence);
}

static void swap(struct network *network, size_t i, size_t j)
{
    struct packet *packet = network->heap[i];

    network->heap[i] = network->heap[j];
    network->heap[j] = packet;
}

static void push(struct network *network, struct packet *packet)
{
    size_t i = network->count++;

    network->heap[i] = packet;
    for (; i > 0 && is_before(network->heap[i], network->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(network, i, (i - 1) / 2);
}

static struct packet *pop(struct network *network)
{
    struct packet *top = network->heap[0];
    size_t i = 0;

    network->heap[0] = network->heap[--network->count];
    for (;;) {
        size_t first = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < network->count && is_before(network->heap[child], network->heap[first]))
                first = child;
        if (first == i)
            return top;
        swap(network, i, first);
        i = first;
    }
}

/* --- what becomes of a packet ----------------------------------------------------------------------------------- */

/* From 0 to below 1, by the packet's number in its direction (splitmix64). */
static double draw(const struct network *network, unsigned from, enum chance chance)
{
    uint64_t z = (uint64_t)network->profile.seed * UINT64_C(0xd1342543de82ef95) +
                 (network->direction[from].packets * 2 + from) * CHANCES + (uint64_t)chance;

    z *= UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) / (double)(UINT64_C(1) << 53);
}

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* RFC 1624: a checksum after one of the words below it changed. */
static void mend_checksum(uint8_t *checksum, unsigned old, unsigned new)
{
    unsigned sum = (~get_u16(checksum) & 0xffff) + (~old & 0xffff) + new;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put_u16(checksum, ~sum & 0xffff);
}

/* Where TCP begins; 0 if it is not TCP, or a fragment. */
static size_t tcp_offset(const struct packet *packet)
{
    size_t at = (size_t)(packet->data[0] & 15) * 4;

    return packet->data[9] == 6 && (get_u16(packet->data + 6) & 0x1fff) == 0 && packet->size >= at + TCP_HEADER_MIN ? at
                                                                                                                    : 0;
}

static bool forge(struct packet *packet, double which)
{
    size_t tcp = tcp_offset(packet);
    size_t data = tcp == 0 ? packet->size : tcp + (size_t)(packet->data[tcp + 12] >> 4) * 4;
    size_t bit = 0;
    uint8_t *word = NULL;
    unsigned old = 0;

    if (data + 2 > packet->size)
        return false;
    bit = (size_t)(which * (double)((packet->size - data - 1) * 8));
    word = packet->data + tcp + (data + bit / 8 - tcp) / 2 * 2;
    old = get_u16(word);
    packet->data[data + bit / 8] ^= (uint8_t)(1u << bit % 8);
    mend_checksum(packet->data + tcp + 16, old, get_u16(word));
    return true;
}

/* Adds to the last byte of an address; both checksums cover it. */
static void readdress(struct packet *packet, size_t offset, int add)
{
    size_t tcp = tcp_offset(packet);
    uint8_t *word = packet->data + offset + 2;
    unsigned old = get_u16(word);

    word[1] = (uint8_t)(word[1] + add);
    mend_checksum(packet->data + 10, old, get_u16(word));
    if (tcp > 0)
        mend_checksum(packet->data + tcp + 16, old, get_u16(word));
}

static void send_off(struct network *network, unsigned from, const struct packet *packet, uint64_t due)
{
    struct packet *copy = network->count == PACKETS_MAX ? NULL : malloc(sizeof *copy + packet->size);

    if (copy == NULL) {
        network->direction[from].dropped++;
        return;
    }
    *copy = *packet;
    memcpy(copy->data, packet->data, packet->size);
    copy->due = due;
    copy->sequence = network->sequence++;
    push(network, copy);
}

/* When it arrives; 0 if it finds the queue full. */
static uint64_t pass_line(struct network *network, unsigned from, size_t size, uint64_t now)
{
    const struct profile *profile = &network->profile;
    struct direction *direction = &network->direction[from];
    uint64_t start = direction->free > now ? direction->free : now;
    double way = profile->delay + profile->jitter * (2 * draw(network, from, JITTER) - 1);
    uint64_t due = 0;

    if (profile->rate > 0) {
        if ((double)(start - now) / 1e9 * profile->rate / 8 + (double)size > profile->queue)
            return 0;
        start += (uint64_t)((double)size * 8 / profile->rate * 1e9);
    }
    direction->free = start;
    due = start + (uint64_t)(way > 0 ? way : 0);
    if (draw(network, from, REORDER) < profile->reorder) {
        direction->reordered++;
        return due + (uint64_t)profile->delay / 2 + REORDER_LEAST;
    }
    if (due < direction->last_due)
        due = direction->last_due;
    direction->last_due = due;
    return due;
}

static void take_packet(struct network *network, unsigned from, struct packet *packet, uint64_t now)
{
    const struct profile *profile = &network->profile;
    struct direction *direction = &network->direction[from];
    uint64_t due = 0;

    if (packet->size < IP_HEADER_MIN || packet->data[0] >> 4 != 4)
        return;
    direction->packets++;
    direction->bytes += packet->size;
    packet->to = 1 - from;
    if (network->cut) {
        direction->cut++;
        return;
    }
    if (draw(network, from, LOSS) < profile->loss) {
        direction->lost++;
        return;
    }
    due = pass_line(network, from, packet->size, now);
    if (due == 0) {
        direction->dropped++;
        return;
    }
    if (profile->address > 0)
        readdress(packet, from == 0 ? 12 : 16, (from == 0 ? 1 : -1) * (int)profile->address);
    if (draw(network, from, FORGE) < profile->forge && forge(packet, draw(network, from, WHICH_BIT)))
        direction->forged++;
    if (draw(network, from, CORRUPT) < profile->corrupt) {
        size_t bit = (size_t)(draw(network, from, WHICH_BIT) * (double)(packet->size * 8));

        packet->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        direction->corrupted++;
    }
    send_off(network, from, packet, due);
    if (draw(network, from, DUPLICATE) < profile->duplicate) {
        direction->duplicated++;
        send_off(network, from, packet, due);
    }
}

static void deliver(struct network *network, uint64_t now)
{
    while (network->count > 0 && network->heap[0]->due <= now) {
        struct packet *packet = pop(network);
        struct direction *direction = &network->direction[1 - packet->to];

        if (network->cut)
            direction->cut++;
        else if (write(network->direction[packet->to].device, packet->data, packet->size) == (ssize_t)packet->size)
            direction->delivered++;
        else
            direction->dropped++; /* a kernel refuses what corruption made of a header */
        free(packet);
    }
}

/* --- the two ends ------------------------------------------------------------------------------------------------ */

static int open_device(const char *namespace)
{
    char path[256];
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int space = -1;
    int device = -1;

    (void)snprintf(path, sizeof path, "/run/netns/%s", namespace);
    space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0)
        fail("forwarder: %s: %s", path, strerror(errno));
    (void)close(space);
    device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "wire");
    if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0)
        fail("forwarder: no TUN device can be made: %s", strerror(errno));
    return device;
}

static void take_all(struct network *network, unsigned from)
{
    static _Alignas(struct packet) uint8_t memory[sizeof(struct packet) + PACKET_MAX];
    struct packet *packet = (struct packet *)memory;

    for (;;) {
        ssize_t size = read(network->direction[from].device, packet->data, PACKET_MAX);

        if (size <= 0)
            return;
        packet->size = (size_t)size;
        take_packet(network, from, packet, now_ns());
    }
}

static struct timespec time_left(const struct network *network)
{
    uint64_t now = now_ns();
    uint64_t left = network->count == 0 ? SECOND : network->heap[0]->due > now ? network->heap[0]->due - now : 0;

    return (struct timespec){.tv_sec = (time_t)(left / SECOND), .tv_nsec = (long)(left % SECOND)};
}

int main(int argc, char **argv)
{
    static struct network network;
    bool open = true;

    if (argc < 3 || argc % 2 == 0)
        fail("usage: forwarder NAMESPACE NAMESPACE [--OPTION VALUE]...");
    for (int i = 3; i < argc; i += 2)
        set_option(&network.profile, argv[i], argv[i + 1]);
    for (int i = 0; i < 2; i++)
        network.direction[i].device = open_device(argv[i + 1]);
    (void)puts("ready");
    (void)fflush(stdout);
    while (open) {
        struct pollfd files[] = {
            {.fd = network.direction[0].device, .events = POLLIN},
            {.fd = network.direction[1].device, .events = POLLIN},
            {.fd = STDIN_FILENO, .events = POLLIN},
        };
        struct timespec left = time_left(&network);

        if (ppoll(files, 3, &left, NULL) < 0 && errno != EINTR)
            fail("forwarder: ppoll: %s", strerror(errno));
        for (unsigned i = 0; i < 2; i++)
            if (files[i].revents != 0)
                take_all(&network, i);
        deliver(&network, now_ns());
        if (files[2].revents != 0)
            open = take_lines(&network);
    }
    while (network.count > 0)
        free(pop(&network));
    return 0;
}
