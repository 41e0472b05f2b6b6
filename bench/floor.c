/*
 * What one exchange must cost on this machine, whoever programs it: two overwrites of 4 KiB with fdatasync, one after
 * the other (the sender's disk, the receiver's), one round trip over loopback TCP between two processes, two Ed25519
 * signatures (a head, a receipt) and two verifications.
 *
 * Beside it, what this disk makes of two such overwrites side by side, as an office makes them of its database and its
 * mark, over one alone: 1 where syncs overlap, 2 where they wait for each other.
 *
 *     floor DIRECTORY COUNT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "samples.h"

#define BLOCK_SIZE 4096
#define FILE_BLOCKS 256  /* written in turn, as a log would be */
#define MESSAGE_SIZE 512 /* about what 200 bytes of text become on the wire */

static int make_file(const char *directory, const char *name)
{
    char path[4096];
    uint8_t block[BLOCK_SIZE] = {0};
    int fd = -1;

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        fail("%s cannot be made: %s", path, strerror(errno));
    (void)unlink(path);
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        if (pwrite(fd, block, sizeof block, (off_t)(i * BLOCK_SIZE)) != BLOCK_SIZE)
            fail("%s cannot be written: %s", path, strerror(errno));
    if (fsync(fd) != 0)
        fail("%s cannot be synced: %s", path, strerror(errno));
    return fd;
}

static void write_block(int fd, size_t number)
{
    uint8_t block[BLOCK_SIZE];

    memset(block, (int)number + 1, sizeof block);
    if (pwrite(fd, block, sizeof block, (off_t)(number % FILE_BLOCKS * BLOCK_SIZE)) != BLOCK_SIZE || fdatasync(fd) != 0)
        fail("a block cannot be written: %s", strerror(errno));
}

/* A second thread that overwrites a block whenever it is let to. */
struct beside {
    int fd;
    size_t number;
    pthread_barrier_t start, end;
};

static void *write_beside(void *argument)
{
    struct beside *beside = argument;

    for (;;) {
        (void)pthread_barrier_wait(&beside->start);
        write_block(beside->fd, beside->number++);
        (void)pthread_barrier_wait(&beside->end);
    }
    return NULL;
}

static void measure_beside(int first, int second, size_t count, struct samples *alone, struct samples *both)
{
    static struct beside beside;
    pthread_t thread;

    beside.fd = second;
    if (pthread_barrier_init(&beside.start, NULL, 2) != 0 || pthread_barrier_init(&beside.end, NULL, 2) != 0 ||
        pthread_create(&thread, NULL, write_beside, &beside) != 0)
        fail("no second thread");
    for (size_t i = 0; i < count; i++) {
        uint64_t start = clock_ns();
        uint64_t half = 0;

        write_block(first, i);
        half = clock_ns();
        samples_add(alone, half - start);
        (void)pthread_barrier_wait(&beside.start);
        write_block(first, i + 1);
        (void)pthread_barrier_wait(&beside.end);
        samples_add(both, clock_ns() - half);
    }
}

static bool read_message(int fd, uint8_t message[static MESSAGE_SIZE])
{
    return recv(fd, message, MESSAGE_SIZE, MSG_WAITALL) == MESSAGE_SIZE;
}

static void write_message(int fd, const uint8_t message[static MESSAGE_SIZE])
{
    if (send(fd, message, MESSAGE_SIZE, MSG_NOSIGNAL) != MESSAGE_SIZE)
        fail("the echo process is gone: %s", strerror(errno));
}

static void set_no_delay(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* A process that sends back what comes; returns the connection to it. */
static int start_echo(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    pid_t child = 0;

    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 || (child = fork()) < 0)
        fail("no echo process: %s", strerror(errno));
    if (child == 0) {
        uint8_t message[MESSAGE_SIZE];
        int other = -1;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        other = accept(listener, NULL, NULL);
        set_no_delay(other);
        while (read_message(other, message))
            write_message(other, message);
        _exit(0);
    }
    if (connect(fd, (struct sockaddr *)&address, size) != 0)
        fail("no connection to the echo process: %s", strerror(errno));
    set_no_delay(fd);
    return fd;
}

struct keys {
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
};

static void sign_and_verify(const struct keys *keys, const uint8_t *message)
{
    uint8_t signature[crypto_sign_BYTES];

    (void)crypto_sign_detached(signature, NULL, message, 128, keys->secret_key);
    if (crypto_sign_verify_detached(signature, message, 128, keys->public_key) != 0)
        fail("libsodium does not verify what it signed");
}

int main(int argc, char **argv)
{
    size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    struct samples samples, alone, both;
    struct keys keys;
    uint8_t message[MESSAGE_SIZE] = {0};
    int first = -1;
    int second = -1;
    int echo = -1;

    if (count == 0)
        fail("usage: floor DIRECTORY COUNT");
    if (sodium_init() < 0)
        fail("libsodium does not start");
    (void)crypto_sign_keypair(keys.public_key, keys.secret_key);
    samples = samples_new(count);
    alone = samples_new(count / 2 + 1);
    both = samples_new(count / 2 + 1);
    first = make_file(argv[1], "floor.first");
    second = make_file(argv[1], "floor.second");
    echo = start_echo();
    for (size_t i = 0; i < count; i++) {
        uint64_t start = clock_ns();

        write_block(first, i);
        write_message(echo, message);
        if (!read_message(echo, message))
            fail("the echo process is gone");
        write_block(second, i);
        sign_and_verify(&keys, message);
        sign_and_verify(&keys, message);
        samples_add(&samples, clock_ns() - start);
    }
    measure_beside(first, second, count / 2 + 1, &alone, &both);
    (void)printf("{");
    samples_print(&samples, "floor_us");
    (void)printf(",");
    samples_print(&alone, "sync_us");
    (void)printf(",");
    samples_print(&both, "two_syncs_us");
    (void)printf("}\n");
    return 0;
}
