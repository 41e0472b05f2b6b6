/*
 * Request lines of the control protocol, before anybody looks at what a method wants. The daemon's own refusals are in
 * tests/badinput/daemon.py.
 */
#include "catalogue.h"
#include "control/codec.h"

/* Nothing of a request that was refused is left to be run. */
static struct {
    bool method;
} kept;

static int feed_line(void *context, struct span input, struct error *error)
{
    struct control_request request = {0};
    int result = control_parse(&request, input, error);

    (void)context;
    kept.method = result != 0 && (request.method != NULL || request.params != NULL);
    control_request_free(&request);
    return result == 0 ? 0 : -1;
}

static void picture(void *context, struct buffer *out)
{
    (void)context;
    buffer_put_u8(out, kept.method);
    kept.method = false;
}

static const struct interface request_in = {"request", feed_line, picture, NULL};

#define GOOD                                                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"append\",\"params\":{\"line\":\"talks\",\"entries\":[{\"text\":"       \
    "\"\\u00e4\"}]}}"
#define NOT_JSON "the line is not JSON: "

static void json(void)
{
    static const struct {
        const char *bytes;
        const char *name;
    } lines[] = {
        {"", "nothing"},
        {" ", "a space"},
        {"\r", "a carriage return"},
        {"\n", "a line feed"},
        {"{", "an open brace"},
        {"}", "a closed brace"},
        {"[", "an open bracket"},
        {"]", "a closed bracket"},
        {"\"", "an open string"},
        {"\"abc", "a string without its end"},
        {"{\"id\"}", "a key without a value"},
        {"{\"id\":}", "a key and a colon"},
        {"{\"id\":1,}", "a comma behind the last member"},
        {"{,\"id\":1}", "a comma before the first member"},
        {"{\"id\" 1}", "a member without a colon"},
        {"{\"id\"=1}", "a member with an equals sign"},
        {"{id:1}", "a key without quotes"},
        {"{'id':1}", "a key in single quotes"},
        {"{1:1}", "a number as a key"},
        {"{\"id\":1 \"x\":2}", "two members without a comma"},
        {"{\"id\":1}}", "a brace too many"},
        {"{\"id\":1}{\"id\":2}", "two requests without a line feed"},
        {"{\"id\":1} x", "a word behind the request"},
        {"{\"id\":1}\0", "an object"},
        {"{\"id\":1,\"id\":2}", "an id twice"},
        {"{\"id\":1,\"method\":\"status\",\"method\":\"append\"}", "a method twice"},
        {"{\"id\":1,\"params\":{\"line\":\"a\",\"line\":\"b\"}}", "a parameter twice"},
        {"{\"id\":1,\"\\u0069d\":2}", "an id twice, once escaped"},
        {"{\"id\":01}", "a leading zero"},
        {"{\"id\":+1}", "a sign"},
        {"{\"id\":.5}", "a point without a digit before it"},
        {"{\"id\":1.}", "a point without a digit behind it"},
        {"{\"id\":1e}", "an exponent without digits"},
        {"{\"id\":0x10}", "hexadecimal"},
        {"{\"id\":1_000}", "an underscore"},
        {"{\"id\":NaN}", "no number"},
        {"{\"id\":Infinity}", "infinity"},
        {"{\"id\":-Infinity}", "minus infinity"},
        {"{\"id\":-}", "a minus alone"},
        {"{\"id\":1e999}", "a number above all"},
        {"{\"id\":9223372036854775808}", "2^63"},
        {"{\"id\":-9223372036854775809}", "below -2^63"},
        {"{\"id\":99999999999999999999}", "above 2^64"},
        {"{\"id\":True}", "True"},
        {"{\"id\":TRUE}", "TRUE"},
        {"{\"id\":nul}", "nul"},
        {"{\"id\":None}", "None"},
        {"{\"id\":undefined}", "undefined"},
        {"{\"id\":\"\\x41\"}", "an escape of C"},
        {"{\"id\":\"\\u00\"}", "an escape cut short"},
        {"{\"id\":\"\\ud800\"}", "half a surrogate pair"},
        {"{\"id\":\"\\udc00\\ud800\"}", "a surrogate pair turned round"},
        {"{\"id\":\"\\ud800\\u0041\"}", "a surrogate and a letter"},
        {"{\"id\":\"a\tb\"}", "a tab within a string"},
        {"{\"id\":\"a\nb\"}", "a line feed within a string"},
        {"{\"id\":\"\033[2J\"}", "an escape sequence within a string"},
        {"{\"id\":\"\x80\"}", "a continuation byte"},
        {"{\"id\":\"\xc0\xaf\"}", "an overlong slash"},
        {"{\"id\":\"\xed\xa0\x80\"}", "an encoded surrogate"},
        {"{\"id\":\"\xf4\x90\x80\x80\"}", "beyond U+10FFFF"},
        {"{\"id\":\"\xff\"}", "the byte 0xff"},
        {"{\"id\":\"\xe4\"}", "Latin-1"},
        {"\xef\xbb\xbf{\"id\":1}", "a byte order mark"},
        {"\xff\xfe{\0", "UTF-16"},
        {"// remark", "a remark"},
        {"/* remark */ {\"id\":1}", "a remark of C"},
        {"# remark", "a remark of sh"},
        {"GET / HTTP/1.1", "HTTP"},
        {"status", "a bare word"},
        {"--json status", "a command line"},
        {"<request/>", "XML"},
        {"id: 1", "YAML"},
        {"%s%n%s%n", "what printf reads"},
        {"`id`", "what a shell runs"},
    };

    family_begin("request lines that are not JSON");
    good(&request_in, span_of_string(GOOD), "the specimen");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strcmp(lines[i].name, "an object") != 0)
            bad(&request_in, span_of_string(lines[i].bytes), ERROR_USAGE, NOT_JSON, "%s", lines[i].name);
    family_end();
    family_begin("request lines cut short");
    catalogue.cut = true;
    for (size_t at = 1; at < strlen(GOOD); at++)
        bad(&request_in, span_of(GOOD, at), ERROR_USAGE, NOT_JSON, "cut after byte %zu of %zu", at, strlen(GOOD));
    family_end();
}

static void depths(void)
{
    struct buffer out = {0};

    family_begin("request lines of values within values");
    for (size_t depth = 2049; depth < 300000; depth *= 3)
        for (unsigned kind = 0; kind < 2; kind++) {
            buffer_reset(&out);
            buffer_print(&out, "{\"id\":1,\"params\":");
            for (size_t i = 0; i < depth; i++)
                buffer_print(&out, "%s", kind == 0 ? "[" : "{\"a\":");
            buffer_print(&out, "1");
            for (size_t i = 0; i < depth; i++)
                buffer_print(&out, "%s", kind == 0 ? "]" : "}");
            buffer_print(&out, "}");
            bad(&request_in, buffer_span(&out), ERROR_USAGE, NOT_JSON "maximum parsing depth reached", "%zu %s", depth,
                kind == 0 ? "arrays" : "objects");
        }
    family_end();
    buffer_free(&out);
}

static void requests(void)
{
    static const char *const values[] = {"null", "true", "false",     "{}",   "[]", "[1]",
                                         "1.5",  "1e3",  "{\"a\":1}", "-0.0", "1.0"};
    static const char *const others[] = {"1",       "0",       "-1",       "\"\"", "\"2\"",
                                         "\"2.1\"", "\"1.0\"", "\"2.0 \"", "2.0",  "\"2.0\\u0000\""};
    static const char *const batches[] = {"[]", "[1]", "[{}]", "[" GOOD "]", "[" GOOD "," GOOD "]", "[[]]", "[null]"};
    static const char *const scalars[] = {"1", "\"append\"", "null", "true", "1.5", "-1", "\"\""};
    char line[400];

    family_begin("JSON that is no request");
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
        bad(&request_in, span_of_string(batches[i]), ERROR_USAGE, "batches are not supported",
            "an array of %zu bytes, %.40s", strlen(batches[i]), batches[i]);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"status\"}", values[i]);
        bad(&request_in, span_of_string(line), ERROR_USAGE, "the request has no id that is an integer or a string",
            "the id %s", values[i]);
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":%s,\"id\":1,\"method\":\"status\"}", values[i]);
        bad(&request_in, span_of_string(line), ERROR_USAGE, "jsonrpc is not \"2.0\"", "jsonrpc is %s", values[i]);
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s}", values[i]);
        bad(&request_in, span_of_string(line), ERROR_USAGE, "method is not a string", "the method %s", values[i]);
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":%s}",
                       values[i]);
        if (values[i][0] != '{')
            bad(&request_in, span_of_string(line), ERROR_USAGE, "params is not an object", "the params %s", values[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":%s,\"id\":1,\"method\":\"status\"}", others[i]);
        bad(&request_in, span_of_string(line), ERROR_USAGE, "jsonrpc is not \"2.0\"", "jsonrpc is %s", others[i]);
    }
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++) {
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":%s}",
                       scalars[i]);
        bad(&request_in, span_of_string(line), ERROR_USAGE, "params is not an object", "the params %s", scalars[i]);
        bad(&request_in, span_of_string(scalars[i]), ERROR_USAGE, NOT_JSON, "the value %s alone", scalars[i]);
    }
    bad(&request_in, span_of_string("{}"), ERROR_USAGE, "the request has no id", "an empty object");
    bad(&request_in, span_of_string("{\"id\":1}"), ERROR_USAGE, "jsonrpc is not \"2.0\"", "an id alone");
    bad(&request_in, span_of_string("{\"jsonrpc\":\"2.0\",\"method\":\"status\"}"), ERROR_USAGE,
        "the request has no id", "a notification");
    bad(&request_in, span_of_string("{\"jsonrpc\":\"2.0\",\"id\":1}"), ERROR_USAGE, "method is not a string",
        "no method");
    bad(&request_in, span_of_string("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}"), ERROR_USAGE,
        "method is not a string", "the method 7");
    bad(&request_in, span_of_string("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sta\\u0000tus\"}"), ERROR_USAGE,
        "method is not a string", "a method with a zero byte");
    bad(&request_in, span_of_string("{\"JSONRPC\":\"2.0\",\"id\":1,\"method\":\"status\"}"), ERROR_USAGE,
        "jsonrpc is not \"2.0\"", "JSONRPC in capitals");
    bad(&request_in, span_of_string("{\"jsonrpc\":\"2.0\",\"ID\":1,\"method\":\"status\"}"), ERROR_USAGE,
        "the request has no id", "ID in capitals");
    bad(&request_in, span_of_string("{\"jsonrpc\":\"2.0\",\"id\":1,\"Method\":\"status\"}"), ERROR_USAGE,
        "method is not a string", "Method in a capital");
    family_end();
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    json();
    depths();
    requests();
    return catalogue_end();
}
