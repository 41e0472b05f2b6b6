/* record/epoch: bodies of the classes PREKEYS and EPOCH have one encoding. */
#include "fuzz.h"

#include "record/epoch.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"record/prekeys", "record/epoch", NULL},
                                        .runs = 6000};

static int read_prekeys(struct span body, unsigned publisher, unsigned members, struct buffer *again,
                        struct error *error)
{
    static struct prekeys prekeys;

    if (prekeys_read(&prekeys, body, publisher, members, error) != 0)
        return -1;
    HOLD(prekeys.count < members);
    for (unsigned i = 0; i < prekeys.count; i++) {
        HOLD(prekeys.batch[i].author < members && prekeys.batch[i].author != publisher);
        HOLD(i == 0 || prekeys.batch[i].author > prekeys.batch[i - 1].author);
        HOLD(prekeys.batch[i].keys >= 1 && prekeys.batch[i].keys <= PREKEY_BATCH);
        for (unsigned k = 0; k < prekeys.batch[i].keys; k++)
            HOLD(dh_key_is_valid(prekeys.batch[i].key[k]));
    }
    prekeys_put(&prekeys, again);
    return 0;
}

static int read_epoch(struct span body, unsigned author, unsigned members, struct buffer *again, struct error *error)
{
    static struct epoch epoch;

    if (epoch_read(&epoch, body, author, members, error) != 0)
        return -1;
    HOLD(epoch.wrap_count == members - 1);
    for (unsigned i = 0; i < epoch.wrap_count; i++)
        HOLD(epoch.wrap[i].member == i + (i >= author));
    epoch_put(&epoch, again);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    bool epoch = cursor_u8(&cursor) % 2 != 0;
    unsigned author = cursor_u8(&cursor) % MEMBERS_MAX;
    unsigned members = cursor_u8(&cursor) % (MEMBERS_MAX + 1);
    struct span body = cursor_rest(&cursor);
    struct buffer again = {0};
    struct error error = {0};
    int result = -1;

    fuzz_start();
    if (members < 2 || author >= members)
        return 0;
    result =
        epoch ? read_epoch(body, author, members, &again, &error) : read_prekeys(body, author, members, &again, &error);
    if (result != 0)
        fuzz_refused(&error);
    else
        fuzz_same(&again, body);
    return 0;
}
