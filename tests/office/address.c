/*
 * Addresses: what is accepted is exactly what the header says, and nothing is cut short.
 */
#include "office/office.h"
#include "test.h"

static bool parses(const char *text, struct address *address)
{
    struct error error = {0};
    int result = address_parse(address, span_of_string(text), &error);

    CHECK((result == 0) == (error.code == ERROR_NONE));
    CHECK(result == 0 || (error.code == ERROR_USAGE && error.message[0] != 0));
    return result == 0;
}

static bool refuses(const char *text)
{
    struct address address;

    return !parses(text, &address);
}

static bool is_tcp(const char *text, const char *host, const char *port)
{
    struct address address;

    return parses(text, &address) && address.kind == ADDRESS_TCP && strcmp(address.host, host) == 0 &&
           strcmp(address.port, port) == 0;
}

static bool is_path(const char *text, enum address_kind kind, const char *path, enum frame_class frame)
{
    struct address address;

    return parses(text, &address) && address.kind == kind && strcmp(address.path, path) == 0 &&
           address.frame_class == frame;
}

static void tcp_takes_a_host_and_a_port(void)
{
    CHECK(is_tcp("tcp://washington.example:4711", "washington.example", "4711"));
    CHECK(is_tcp("tcp://192.0.2.1:1", "192.0.2.1", "1"));
    CHECK(is_tcp("tcp://[2001:db8::1]:65535", "2001:db8::1", "65535"));
    CHECK(is_tcp("tcp://h:0", "h", "0"));
    CHECK(refuses("tcp://:1") && refuses("tcp://h") && refuses("tcp://h:") && refuses("tcp://[]:1"));
    CHECK(refuses("tcp://h:65536") && refuses("tcp://h:-1") && refuses("tcp://h:1x") && refuses("tcp://h:00001"));
    CHECK(refuses("tcp://2001:db8::1:4711"));
    CHECK(refuses("tcp://h/x:1") && refuses("tcp://a b:1") && refuses("tcp://a\nb:1") && refuses("tcp://a\177b:1"));
    CHECK(refuses("tcp://\303\244:1"));
}

static void unix_and_exec_take_the_rest_as_it_is(void)
{
    CHECK(is_path("unix:/run/liaison.sock", ADDRESS_UNIX, "/run/liaison.sock", FRAME_1024));
    CHECK(is_path("exec:ssh host liaison --stdio", ADDRESS_EXEC, "ssh host liaison --stdio", FRAME_1024));
    CHECK(refuses("unix:") && refuses("exec:") && refuses("") && refuses("http://h:1") && refuses("TCP://h:1"));
}

static void lengths_end_where_they_say(void)
{
    char text[ADDRESS_SIZE + 10];
    struct address address;

    memset(text, 'x', sizeof text);
    memcpy(text, "unix:", 5);
    text[5 + 107] = 0;
    CHECK(parses(text, &address) && strlen(address.path) == 107);
    text[5 + 107] = 'x';
    text[5 + 108] = 0;
    CHECK(refuses(text));
    memset(text, 'x', sizeof text);
    memcpy(text, "exec:", 5);
    text[ADDRESS_SIZE - 1] = 0;
    CHECK(parses(text, &address) && strlen(address.path) == ADDRESS_SIZE - 6);
    text[ADDRESS_SIZE - 1] = 'x';
    text[ADDRESS_SIZE] = 0;
    CHECK(refuses(text));
    memset(text, 'x', sizeof text);
    memcpy(text, "tcp://", 6);
    memcpy(text + 6 + 255, ":1", 3);
    CHECK(parses(text, &address) && strlen(address.host) == 255);
    text[6 + 255] = 'x';
    memcpy(text + 6 + 256, ":1", 3);
    CHECK(refuses(text));
}

static void a_frame_is_chosen_at_the_end(void)
{
    CHECK(is_path("unix:p?frame=256", ADDRESS_UNIX, "p", FRAME_256));
    CHECK(is_path("unix:p?frame=1024", ADDRESS_UNIX, "p", FRAME_1024));
    CHECK(is_path("unix:p?frame=16384", ADDRESS_UNIX, "p", FRAME_16384));
    CHECK(is_path("unix:p?frame=512", ADDRESS_UNIX, "p?frame=512", FRAME_1024));
    CHECK(is_path("exec:p?frame=256 -v", ADDRESS_EXEC, "p?frame=256 -v", FRAME_1024));
    CHECK(is_tcp("tcp://h:1?frame=256", "h", "1") && refuses("tcp://h:1?frame=512") && refuses("unix:?frame=256"));
}

static void what_is_not_text_is_refused(void)
{
    struct address address;
    struct error error = {0};

    CHECK(refuses("unix:\377\376"));
    CHECK(address_parse(&address, span_of("unix:a\0b", 8), &error) != 0);
}

int main(void)
{
    RUN(tcp_takes_a_host_and_a_port);
    RUN(unix_and_exec_take_the_rest_as_it_is);
    RUN(lengths_end_where_they_say);
    RUN(a_frame_is_chosen_at_the_end);
    RUN(what_is_not_text_is_refused);
    return test_end();
}
