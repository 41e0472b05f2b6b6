/* office/address: what is accepted says what was written, and nothing else. */
#include "fuzz.h"

#include "office/office.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 600000};

/* An address of the same meaning, written out. */
static void put_address(struct buffer *out, const struct address *address)
{
    static const char *const frame[] = {"256", "1024", "16384"};

    if (address->kind == ADDRESS_TCP)
        buffer_print(out, strchr(address->host, ':') != NULL ? "tcp://[%s]:%s" : "tcp://%s:%s", address->host,
                     address->port);
    else
        buffer_print(out, "%s%s", address->kind == ADDRESS_UNIX ? "unix:" : "exec:", address->path);
    buffer_print(out, "?frame=%s", frame[address->frame_class]);
}

static void check(const struct address *address)
{
    uint64_t port = 0;

    if (address->kind == ADDRESS_TCP) {
        HOLD(address->host[0] != 0 && fuzz_is_shown(span_of_string(address->host), false));
        HOLD(strchr(address->host, ' ') == NULL && strchr(address->host, '/') == NULL);
        HOLD(text_to_number(span_of_string(address->port), 65535, &port));
    } else {
        HOLD(address->path[0] != 0 && text_is_utf8(span_of_string(address->path)));
        HOLD(address->kind != ADDRESS_UNIX || strlen(address->path) < 108); /* of sockaddr_un */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address address, again;
    struct error error = {0};
    struct buffer text = {0};

    if (address_parse(&address, span_of(data, size), &error) != 0) {
        fuzz_refused(&error);
        return 0;
    }
    HOLD(size < ADDRESS_SIZE);
    check(&address);
    put_address(&text, &address);
    if (text.size < ADDRESS_SIZE) { /* it may be longer than what was read, by its ending */
        HOLD(address_parse(&again, buffer_span(&text), &error) == 0);
        HOLD(memcmp(&address, &again, sizeof address) == 0);
    }
    buffer_free(&text);
    return 0;
}
