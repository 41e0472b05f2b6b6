/*
 * What one exchange must cost on this machine, whoever programs it: two overwrites of 4 KiB with fdatasync, one after
 * the other (the sender's disk, the receiver's), one round trip over loopback TCP between two processes, two Ed25519
 * signatures (a head, a receipt) and two verifications.
 *
 *     floor DIRECTORY COUNT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "samples.h"

#define BLOCK_SIZE 4096
#define FILE_BLOCKS 256 /* written in turn, as a log would be */
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
    struct samples samples;
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
    (void)printf("{");
    samples_print(&samples, "floor_us");
    (void)printf("}\n");
    return 0;
}
