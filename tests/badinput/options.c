/*
 * The daemon's command line, and addresses wherever they are given.
 */
#include "host/options.h"

#include <getopt.h>

#include "catalogue.h"

/* --- addresses --------------------------------------------------------------------------------------------------- */

static struct address address;

static int feed_address(void *context, struct span input, struct error *error)
{
    (void)context;
    return address_parse(&address, input, error);
}

static const struct interface address_in = {"address", feed_address, NULL, NULL};

#define TCP "a tcp address is tcp://HOST:PORT, with an IPv6 address in brackets"
#define UNIX "a unix address is unix:PATH, with a path of 1 to 107 bytes"
#define EXEC "an exec address is exec:COMMAND"
#define KINDS "an address is tcp://HOST:PORT, unix:PATH or exec:COMMAND"

static void addresses(void)
{
    static const struct {
        const char *text;
        const char *fragment;
    } wrong_ones[] = {
        {"", KINDS},
        {" ", KINDS},
        {"tcp", KINDS},
        {"tcp:", KINDS},
        {"tcp:/", KINDS},
        {"tcp:host:1", KINDS},
        {"TCP://host:1", KINDS},
        {"Tcp://host:1", KINDS},
        {" tcp://host:1", KINDS},
        {"udp://host:1", KINDS},
        {"tcps://host:1", KINDS},
        {"http://host:1", KINDS},
        {"https://host", KINDS},
        {"ssh://host", KINDS},
        {"file:///etc/passwd", KINDS},
        {"host:1", KINDS},
        {"host", KINDS},
        {"192.0.2.1:4711", KINDS},
        {"[::1]:4711", KINDS},
        {":4711", KINDS},
        {"4711", KINDS},
        {"/run/liaison.sock", KINDS},
        {"Unix:/run/x", KINDS},
        {"unix", KINDS},
        {"exec", KINDS},
        {"EXEC:cat", KINDS},
        {"serial:/dev/ttyS0", KINDS},
        {"tcp//host:1", KINDS},
        {"tcp;//host:1", KINDS},
        {"-tcp://host:1", KINDS},
        {"%s%n", KINDS},
        {"tcp://", TCP},
        {"tcp://:", TCP},
        {"tcp://:4711", TCP},
        {"tcp://host", TCP},
        {"tcp://host:", TCP},
        {"tcp://host:0x10", TCP},
        {"tcp://host:-1", TCP},
        {"tcp://host:+1", TCP},
        {"tcp://host:01", TCP},
        {"tcp://host:65536", TCP},
        {"tcp://host:70000", TCP},
        {"tcp://host:2147483648", TCP},
        {"tcp://host:4294967296", TCP},
        {"tcp://host:4294967297", TCP},
        {"tcp://host:18446744073709551617", TCP},
        {"tcp://host:1.5", TCP},
        {"tcp://host:1e3", TCP},
        {"tcp://host:http", TCP},
        {"tcp://host: 1", TCP},
        {"tcp://host:1 ", TCP},
        {"tcp://host:1x", TCP},
        {"tcp://host:1/", TCP},
        {"tcp://host:1/path", TCP},
        {"tcp://host:1?frame=", TCP},
        {"tcp://host:1?frame=0", TCP},
        {"tcp://host:1?frame=255", TCP},
        {"tcp://host:1?frame=512", TCP},
        {"tcp://host:1?frame=1025", TCP},
        {"tcp://host:1?frame=16385", TCP},
        {"tcp://host:1?frame=65536", TCP},
        {"tcp://host:1?frame=0256", TCP},
        {"tcp://host:1?frame=256 ", TCP},
        {"tcp://host:1?Frame=256", TCP},
        {"tcp://host:1?frame=256&x", TCP},
        {"tcp://host:1?frame=256?frame=256", TCP},
        {"tcp://host:1?frame=256?frame=1024", TCP},
        {"tcp://host:1#frame", TCP},
        {"tcp://host:1?", TCP},
        {"tcp://ho st:1", TCP},
        {"tcp:// host:1", TCP},
        {"tcp://host :1", TCP},
        {"tcp://ho\tst:1", TCP},
        {"tcp://ho\nst:1", TCP},
        {"tcp://ho\rst:1", TCP},
        {"tcp://ho\033st:1", TCP},
        {"tcp://ho\177st:1", TCP},
        {"tcp://ho\001st:1", TCP},
        {"tcp://ho/st:1", TCP},
        {"tcp:///host:1", TCP},
        {"tcp://user@/host:1", TCP},
        {"tcp://h\xc3\xb6st:1", TCP},
        {"tcp://\xe2\x80\xaehost:1", TCP},
        {"tcp://host\xe2\x80\x8b:1", TCP},
        {"tcp://host:\xd9\xa1", TCP},
        {"tcp://host:\xef\xbc\x91", TCP},
        {"tcp://::1:4711", TCP},
        {"tcp://2001:db8::1:4711", TCP},
        {"tcp://::1", TCP},
        {"tcp://[::1]", TCP},
        {"tcp://[::1]:", TCP},
        {"tcp://[::1]:x", TCP},
        {"tcp://[::1:4711", TCP},
        {"tcp://::1]:4711", TCP},
        {"tcp://[]:4711", TCP},
        {"tcp://[::1]4711", TCP},
        {"tcp://a:b:c", TCP},
        {"tcp://host:1:2", TCP},
        {"unix:", UNIX},
        {"unix:?frame=256", UNIX},
        {"exec:", EXEC},
        {"exec:?frame=1024", EXEC},
    };
    static const char *const broken[] = {"\x80", "\xff",     "\xc0\xaf",     "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                         "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xfe",         "\xe4"};
    static const char *const kinds[] = {"tcp://", "unix:/", "exec:"};
    struct buffer out = {0};

    family_begin("addresses that are none");
    good(&address_in, span_of_string("tcp://host.example:4711?frame=16384"), "a tcp address");
    good(&address_in, span_of_string("unix:/run/liaison.sock"), "a unix address");
    for (size_t i = 0; i < sizeof wrong_ones / sizeof wrong_ones[0]; i++) {
        struct buffer shown = {0};

        text_put_shown(&shown, span_of_string(wrong_ones[i].text), false);
        bad(&address_in, span_of_string(wrong_ones[i].text), ERROR_USAGE, wrong_ones[i].fragment, "\"%s\"",
            buffer_string(&shown));
        buffer_free(&shown);
    }
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            buffer_reset(&out);
            buffer_print(&out, "%sa%sb:1", kinds[k], broken[i]);
            bad(&address_in, buffer_span(&out), ERROR_USAGE, "the address is not valid UTF-8",
                "%s with broken bytes, number %zu", kinds[k], i);
        }
    for (size_t k = 0; k < 3; k++) {
        static const char *const fragments[] = {TCP, UNIX, EXEC};

        buffer_reset(&out);
        buffer_print(&out, "%sho", kinds[k]);
        buffer_put_u8(&out, 0);
        buffer_print(&out, "st:1");
        bad(&address_in, buffer_span(&out), ERROR_USAGE, fragments[k], "%s with a zero byte", kinds[k]);
        for (size_t size = 512; size < 100000; size = 3 * size + 1) {
            char fragment[64];

            buffer_reset(&out);
            buffer_print(&out, "%s", kinds[k]);
            while (out.size < size)
                buffer_put_u8(&out, 'x');
            (void)snprintf(fragment, sizeof fragment, "the address has %zu bytes; the most is 511", size);
            bad(&address_in, buffer_span(&out), ERROR_USAGE, fragment, "%s of %zu bytes", kinds[k], size);
        }
    }
    for (size_t size = 108; size < 500; size += 49) {
        buffer_reset(&out);
        buffer_print(&out, "unix:/");
        while (out.size < size + 5)
            buffer_put_u8(&out, 'x');
        bad(&address_in, buffer_span(&out), ERROR_USAGE, UNIX, "a unix path of %zu bytes", size);
    }
    for (size_t size = 256; size < 490; size += 39) {
        buffer_reset(&out);
        buffer_print(&out, "tcp://");
        while (out.size < size + 6)
            buffer_put_u8(&out, 'x');
        buffer_print(&out, ":1");
        bad(&address_in, buffer_span(&out), ERROR_USAGE, TCP, "a host of %zu letters", size);
    }
    family_end();
    buffer_free(&out);
}

/* --- the command line -------------------------------------------------------------------------------------------- */

#define WORDS_MAX 64

/* The input is the words behind the program's name, each with a zero at its end. */
static int feed_options(void *context, struct span input, struct error *error)
{
    static struct options options;
    char program[] = "liaisond";
    char *argv[WORDS_MAX + 2] = {program};
    struct buffer words = {0};
    int argc = 1, result = 0;

    (void)context;
    buffer_put_span(&words, input);
    for (size_t at = 0; at < words.size && argc < WORDS_MAX; at += strlen((const char *)words.data + at) + 1)
        argv[argc++] = (char *)words.data + at;
    optind = 0;
    result = options_read(&options, argc, argv, error);
    buffer_free(&words);
    return result;
}

static const struct interface options_in = {"liaisond's options", feed_options, NULL, NULL};

/* Words with spaces between. */
static void bad_words(const char *words, const char *fragment)
{
    struct buffer out = {0}, shown = {0};

    buffer_put(&out, words, strlen(words) + 1);
    for (size_t i = 0; i < out.size; i++)
        if (out.data[i] == ' ')
            out.data[i] = 0;
        else if (out.data[i] == '_')
            out.data[i] = ' ';
    text_put_shown(&shown, span_of_string(words), false);
    bad(&options_in, buffer_span(&out), ERROR_USAGE, fragment, "%.150s, %zu bytes", buffer_string(&shown), out.size);
    buffer_free(&out);
    buffer_free(&shown);
}

static void options(void)
{
    static const char *const times[] = {"0",         "0s",     "0ms",        "5",           "5x",
                                        "5S",        "5sec",   "5ss",        "-5s",         "+5s",
                                        "05s",       "5_s",    "_5s",        "5s_",         "1.5s",
                                        "1e3ms",     "0x5s",   "s",          "ms",          "25h",
                                        "1441m",     "86401s", "86400001ms", "4294967296h", "99999999999999999999s",
                                        "forever",   "5d",     "5us",        "5:00",        "\xd9\xa5s",
                                        "5\xc2\xb5s"};
    static const char *const listens[] = {
        "tcp://", "tcp://host", "tcp://host:x",   "tcp://host:65536",    "unix:", "udp://host:1", "host:1",
        "4711",   "x",          "tcp://::1:4711", "tcp://host:1?frame=3"};
    static const char *const unknown[] = {"--bogus",    "--Office",     "--offices", "--keyfile", "--marks",
                                          "--listener", "--keep-alive", "--config",  "--daemon",  "--verbose",
                                          "--debug",    "--foreground", "--port",    "--user",    "--mark-file",
                                          "--versions", "--helpme",     "--no-mark"};
    static const char *const letters[] = {"h", "v", "V", "o", "k", "m", "l", "d", "f", "q", "x", "1", "?"};
    static const char *const operands[] = {"office", "start", "/var/lib/liaison", "-- -h", "--", "help"};
    char words[700], fragment[200];

    family_begin("command lines of the daemon");
    good(&options_in, span_of("--office\0w\0--keepalive\0005s\0--listen\0unix:s", 42), "a right one");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        for (unsigned k = 0; k < 2; k++) {
            const char *name = k == 0 ? "--keepalive" : "--redial-max";

            (void)snprintf(words, sizeof words, "%s %s", name, times[i]);
            (void)snprintf(fragment, sizeof fragment, "%s ", name);
            bad_words(words, fragment);
            (void)snprintf(words, sizeof words, "--office w %s=%s", name, times[i]);
            bad_words(words, "is not a time such as 5s or 500ms, of at most 24h");
        }
    for (size_t i = 0; i < sizeof listens / sizeof listens[0]; i++) {
        (void)snprintf(words, sizeof words, "--listen %s", listens[i]);
        (void)snprintf(fragment, sizeof fragment, "--listen %s: ", listens[i]);
        bad_words(words, fragment);
    }
    bad_words("--listen exec:cat", "--listen exec:cat: a command cannot be listened on");
    bad_words("--listen exec:ssh_host", "a command cannot be listened on");
    for (unsigned count = LISTEN_MAX + 1; count < LISTEN_MAX + 8; count += 2) {
        words[0] = 0;
        for (unsigned i = 0; i < count; i++)
            (void)snprintf(words + strlen(words), sizeof words - strlen(words), "%s--listen unix:s%u", i > 0 ? " " : "",
                           i);
        bad_words(words, "--listen is there more than 16 times");
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        (void)snprintf(fragment, sizeof fragment, "%s is no option of liaisond", unknown[i]);
        bad_words(unknown[i], fragment);
        (void)snprintf(words, sizeof words, "--office w %s", unknown[i]);
        bad_words(words, fragment);
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        (void)snprintf(words, sizeof words, "-%s", letters[i]);
        (void)snprintf(fragment, sizeof fragment, "-%s is no option of liaisond", letters[i]);
        bad_words(words, fragment);
        (void)snprintf(words, sizeof words, "-%sz", letters[i]);
        bad_words(words, fragment);
    }
    for (size_t i = 0; i < 6; i++) {
        static const char *const needing[] = {"--office", "--key-file",  "--mark",
                                              "--listen", "--keepalive", "--redial-max"};

        (void)snprintf(fragment, sizeof fragment, "%s needs a value", needing[i]);
        bad_words(needing[i], fragment);
        (void)snprintf(words, sizeof words, "--keepalive 5s %s", needing[i]);
        bad_words(words, fragment);
    }
    for (size_t i = 0; i < sizeof operands / sizeof operands[0]; i++)
        if (strcmp(operands[i], "--") != 0)
            bad_words(operands[i], "is not an option, and liaisond takes nothing else");
    bad_words("--help=yes", "--help");
    bad_words("--version=1", "--version");
    family_end();
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    addresses();
    options();
    return catalogue_end();
}
