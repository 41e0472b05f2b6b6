/*
 * Strangers at an office's port, as many and as fast as they are asked for, until stdin ends.
 *
 *     stranger PORT AT_ONCE RATE SEED RECORDING
 *
 * At most AT_ONCE connections are open at once, and at most RATE are begun in a second; 0: as fast as they can. They
 * come from all over 127.0.0.0/8 and take turns: silence; garbage; garbage byte by byte; the file RECORDING, a first
 * message of a real link, again; the same byte by byte; the same and then gone without a word, so that the office's end
 * stays half open; an immediate reset; a flood of a mebibyte. Each stays until the office ends it, or else for 12 s.
 *
 * Prints JSON: how many there were of which kind, within how many seconds they came, how many bytes the office answered
 * to all of them, and who ended them.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "samples.h"

#define SECOND UINT64_C(1000000000)
#define TICK_MS 2
#define BURST 64 /* begun in a tick */
#define BYTE_NS (SECOND / 20)
#define STAY_NS (12 * SECOND)
#define FLOOD (1u << 20)
#define LAST_MS 300 /* for what the office may still answer in the end */

enum kind { SILENCE, GARBAGE, SLOW_GARBAGE, REPLAY, SLOW_REPLAY, HALF_OPEN, RESET, FLOODING, KINDS };
static const char *const kind_name[KINDS] = {
    "silence", "garbage", "garbage byte by byte", "replay", "replay byte by byte", "gone, half open", "reset", "flood"};

struct stranger {
    int fd; /* -1: nobody */
    enum kind kind;
    size_t sent;
    uint64_t next; /* when the next byte goes, of those that go byte by byte */
    uint64_t until;
};

struct crowd {
    int poll;
    struct sockaddr_in office;
    struct stranger *stranger;
    size_t at_once, open;
    uint64_t random;
    uint8_t recording[4096];
    size_t recording_size;
    /* what is told in the end */
    uint64_t begun, kinds[KINDS], refused, answered, ended_by_office, outlived, vanished;
};

static uint8_t garbage[65536];

static uint64_t draw(struct crowd *crowd)
{
    crowd->random ^= crowd->random << 13;
    crowd->random ^= crowd->random >> 7;
    return crowd->random ^= crowd->random << 17;
}

static void leave(struct crowd *crowd, struct stranger *stranger, bool reset)
{
    const struct linger now = {.l_onoff = 1};

    if (reset)
        (void)setsockopt(stranger->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(stranger->fd);
    stranger->fd = -1;
    crowd->open--;
}

/* A socket that is being repaired is closed without a word. Without the right to do so the half is closed politely. */
static void vanish(struct crowd *crowd, struct stranger *stranger)
{
    const int on = 1;

    if (setsockopt(stranger->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0) {
        crowd->vanished++;
        leave(crowd, stranger, false);
    } else {
        (void)shutdown(stranger->fd, SHUT_WR);
    }
}

/* What this stranger says in all. */
static size_t whole(const struct crowd *crowd, const struct stranger *stranger)
{
    static const size_t size[KINDS] = {[GARBAGE] = 1024, [SLOW_GARBAGE] = 256, [FLOODING] = FLOOD};

    return stranger->kind == REPLAY || stranger->kind == SLOW_REPLAY || stranger->kind == HALF_OPEN
               ? crowd->recording_size
               : size[stranger->kind];
}

static void talk(struct crowd *crowd, struct stranger *stranger, uint64_t now)
{
    bool is_slow = stranger->kind == SLOW_GARBAGE || stranger->kind == SLOW_REPLAY;
    bool is_replay = stranger->kind == REPLAY || stranger->kind == SLOW_REPLAY || stranger->kind == HALF_OPEN;
    size_t size = whole(crowd, stranger);

    while (stranger->sent < size && (!is_slow || now >= stranger->next)) {
        const uint8_t *from = is_replay ? crowd->recording + stranger->sent : garbage;
        size_t left = size - stranger->sent;
        ssize_t sent = send(stranger->fd, from,
                            is_slow                 ? 1
                            : left < sizeof garbage ? left
                                                    : sizeof garbage,
                            MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent <= 0)
            return;
        stranger->sent += (size_t)sent;
        stranger->next = now + BYTE_NS;
    }
    if (stranger->kind == RESET)
        leave(crowd, stranger, true);
    else if (stranger->kind == HALF_OPEN && stranger->sent == size)
        vanish(crowd, stranger);
}

/* Reads what came: every byte is one too many. */
static void hear(struct crowd *crowd, struct stranger *stranger)
{
    uint8_t bytes[4096];

    for (;;) {
        ssize_t got = recv(stranger->fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (got > 0) {
            crowd->answered += (uint64_t)got;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            crowd->ended_by_office++;
            leave(crowd, stranger, false);
            return;
        } else {
            return;
        }
    }
}

static void begin(struct crowd *crowd, struct stranger *stranger, uint64_t now)
{
    const int on = 1;
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)(draw(crowd) % 0xfffff0u))};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = stranger};

    *stranger = (struct stranger){.kind = (enum kind)(crowd->begun % KINDS), .until = now + STAY_NS};
    stranger->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stranger->fd < 0)
        fail("stranger: socket: %s", strerror(errno));
    crowd->open++;
    (void)setsockopt(stranger->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    (void)setsockopt(stranger->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(stranger->fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        (connect(stranger->fd, (struct sockaddr *)&crowd->office, sizeof crowd->office) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(crowd->poll, EPOLL_CTL_ADD, stranger->fd, &event) != 0) {
        crowd->refused++;
        leave(crowd, stranger, true);
        return;
    }
    crowd->kinds[stranger->kind]++;
    crowd->begun++;
}

static void take_events(struct crowd *crowd, int wait_ms, bool talking)
{
    struct epoll_event events[256];
    int count = epoll_wait(crowd->poll, events, 256, wait_ms);
    uint64_t now = clock_ns();

    for (int i = 0; i < count; i++) {
        struct stranger *stranger = events[i].data.ptr;

        if (stranger->fd >= 0 && (events[i].events & EPOLLOUT) != 0 && talking)
            talk(crowd, stranger, now);
        if (stranger->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            hear(crowd, stranger);
    }
}

/* Those that go byte by byte, and those whose time is over. */
static void look_around(struct crowd *crowd, uint64_t now)
{
    for (size_t i = 0; i < crowd->at_once; i++) {
        struct stranger *stranger = &crowd->stranger[i];

        if (stranger->fd >= 0 && now >= stranger->until) {
            crowd->outlived++;
            leave(crowd, stranger, true);
        } else if (stranger->fd >= 0 && stranger->sent > 0 &&
                   (stranger->kind == SLOW_GARBAGE || stranger->kind == SLOW_REPLAY)) {
            talk(crowd, stranger, now);
        }
    }
}

static void come(struct crowd *crowd, double rate)
{
    uint64_t start = clock_ns();
    uint64_t looked = start;
    size_t at = 0;
    char byte = 0;

    while (read(STDIN_FILENO, &byte, 1) != 0) {
        uint64_t now = clock_ns();
        uint64_t due = rate > 0 ? (uint64_t)((double)(now - start) / 1e9 * rate) : UINT64_MAX;

        for (int i = 0; i < BURST && crowd->open < crowd->at_once && crowd->begun + crowd->refused < due; i++) {
            while (crowd->stranger[at].fd >= 0)
                at = (at + 1) % crowd->at_once;
            begin(crowd, &crowd->stranger[at], now);
        }
        take_events(crowd, rate > 0 || crowd->open == crowd->at_once ? TICK_MS : 0, true);
        if (now - looked > BYTE_NS / 2) {
            looked = now;
            look_around(crowd, now);
        }
    }
}

static void stay_a_moment(struct crowd *crowd)
{
    uint64_t end = clock_ns() + LAST_MS * SECOND / 1000;

    while (clock_ns() < end)
        take_events(crowd, TICK_MS, false);
    for (size_t i = 0; i < crowd->at_once; i++)
        if (crowd->stranger[i].fd >= 0)
            leave(crowd, &crowd->stranger[i], true);
}

static void print(const struct crowd *crowd, double came, double seconds)
{
    (void)printf(
        "{\"connections\":%llu,\"came_seconds\":%.3f,\"seconds\":%.3f,\"answered_bytes\":%llu,\"ended_by_office\":%llu,"
        "\"outlived\":%llu,\"vanished\":%llu,\"not_begun\":%llu,\"kinds\":{",
        (unsigned long long)crowd->begun, came, seconds, (unsigned long long)crowd->answered,
        (unsigned long long)crowd->ended_by_office, (unsigned long long)crowd->outlived,
        (unsigned long long)crowd->vanished, (unsigned long long)crowd->refused);
    for (size_t i = 0; i < KINDS; i++)
        (void)printf("%s\"%s\":%llu", i > 0 ? "," : "", kind_name[i], (unsigned long long)crowd->kinds[i]);
    (void)printf("}}\n");
}

static void prepare(struct crowd *crowd, char **argv)
{
    struct rlimit limit = {0};
    FILE *file = fopen(argv[5], "rb");

    crowd->at_once = strtoul(argv[2], NULL, 10);
    crowd->random = strtoull(argv[4], NULL, 10) * 2 + 1;
    crowd->office = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    crowd->office.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    crowd->stranger = calloc(crowd->at_once, sizeof *crowd->stranger);
    crowd->poll = epoll_create1(EPOLL_CLOEXEC);
    if (file == NULL || crowd->at_once == 0 || crowd->stranger == NULL || crowd->poll < 0)
        fail("stranger: %s: %s", argv[5], strerror(errno));
    crowd->recording_size = fread(crowd->recording, 1, sizeof crowd->recording, file);
    (void)fclose(file);
    for (size_t i = 0; i < crowd->at_once; i++)
        crowd->stranger[i].fd = -1;
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (uint8_t)draw(crowd);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < crowd->at_once + 16)
        fail("stranger: no more than %llu files may be open", (unsigned long long)limit.rlim_max);
    (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
}

int main(int argc, char **argv)
{
    struct crowd crowd = {0};
    uint64_t start = clock_ns();
    double came = 0;

    if (argc != 6)
        fail("usage: stranger PORT AT_ONCE RATE SEED RECORDING");
    prepare(&crowd, argv);
    come(&crowd, strtod(argv[3], NULL));
    came = (double)(clock_ns() - start) / 1e9;
    stay_a_moment(&crowd);
    print(&crowd, came, (double)(clock_ns() - start) / 1e9);
    free(crowd.stranger);
    return 0;
}
