/*
 * The mark: a file that is not one, or whose two slots are damaged, or whole and not what this program writes.
 */
#include "store/mark.h"

#include "record/charter.h"

#include "items.h"
#include "store/scratch.h"

#define HEAD_SIZE 64 /* of a slot, before its content */

static const char *path;

/* The file, of which only this much is looked at: the rest of each slot is zero. */
static struct span whole; /* what a slot begins with */
static off_t file_size;
static bool touched;

static void file_make_of(struct span first, struct span second, off_t size)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);

    if (fd < 0 || pwrite(fd, first.data, first.size, 0) != (ssize_t)first.size ||
        (second.size > 0 && pwrite(fd, second.data, second.size, MARK_SLOT_SIZE) != (ssize_t)second.size) ||
        ftruncate(fd, size) != 0 || close(fd) != 0)
        abort();
}

/* Whether what was written is there still. */
static bool is_there(off_t at, struct span bytes)
{
    struct buffer found = {0};
    int fd = open(path, O_RDONLY);
    bool same = false;

    if (fd < 0 || buffer_extend(&found, bytes.size + 1) == NULL)
        abort();
    same = pread(fd, found.data, bytes.size, at) == (ssize_t)bytes.size &&
           (bytes.size == 0 || memcmp(found.data, bytes.data, bytes.size) == 0);
    buffer_free(&found);
    (void)close(fd);
    return same;
}

static int open_mark(struct error *error)
{
    struct mark_state state = {0};
    struct mark *mark = mark_open(path, &state, error);
    bool refused = mark == NULL;

    touched |= refused && (state.log != NULL || state.log_count > 0 || state.operations.count > 0);
    mark_state_free(&state);
    mark_close(mark);
    return refused ? -1 : 0;
}

/* Two slots with right checksums around a content: generation 1 lies in slot 1, generation 2 in slot 0. */
static int feed_content(void *context, struct span input, struct error *error)
{
    struct buffer slot[2] = {{0}};
    int result = 0;

    (void)context;
    for (unsigned i = 0; i < 2; i++) {
        struct span parts[2];
        uint8_t hash[HASH_SIZE];

        buffer_put(&slot[i], "liaison-mark/1\n", 16);
        buffer_put_u64(&slot[i], 2 - i);
        buffer_put_u64(&slot[i], input.size);
        parts[0] = span_of(slot[i].data, slot[i].size);
        parts[1] = input;
        hash_parts(hash, parts, 2);
        buffer_put(&slot[i], hash, HASH_SIZE);
        buffer_put_span(&slot[i], input);
    }
    file_make_of(buffer_span(&slot[0]), buffer_span(&slot[1]), 2 * MARK_SLOT_SIZE);
    result = open_mark(error);
    touched |= result != 0 && (!is_there(0, buffer_span(&slot[0])) || !is_there(MARK_SLOT_SIZE, buffer_span(&slot[1])));
    buffer_free(&slot[0]);
    buffer_free(&slot[1]);
    return result;
}

/* One slot as it is given; the other was never written. */
static int feed_slot(void *context, struct span input, struct error *error)
{
    int result = 0;

    (void)context;
    file_make_of(input, span_of(NULL, 0), 2 * MARK_SLOT_SIZE);
    result = open_mark(error);
    touched |= result != 0 && !is_there(0, input);
    return result;
}

/* A whole file of two good slots, cut or grown to the size that is given as eight bytes. */
static int feed_size(void *context, struct span input, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    struct stat status = {0};
    int result = 0;

    (void)context;
    file_size = (off_t)cursor_u64(&cursor);
    file_make_of(whole, whole, file_size);
    result = open_mark(error);
    touched |= result != 0 && (stat(path, &status) != 0 || status.st_size != file_size);
    return result;
}

static void picture(void *context, struct buffer *out)
{
    (void)context;
    buffer_put_u8(out, touched);
    touched = false;
}

static const struct interface slot_in = {"slot of a mark", feed_slot, picture, NULL};
static const struct interface size_in = {"size of a mark", feed_size, picture, NULL};

static const struct part parts[] = {{"the office", "it is wrong at its office"},
                                    {"the batch number", "it is wrong at its batch number"},
                                    {"logs", "it is wrong at its logs"},
                                    {"operations", "it is wrong at its operations"}};

static void put_content(struct buffer *content)
{
    static const uint8_t office[OFFICE_ID_SIZE] = {1, 2, 3};
    struct mark_log logs[2] = {{.member = 1, .size = 7}, {.member = 2, .size = 9}};
    struct store_batch operations = {0};
    struct store_op entry = OP(STORE_PUT_ENTRY, (PLACE(1, 3), 1, 2, 3, 4), (bytes_of("leaf"), bytes_of("mine")));
    struct store_op head = OP(STORE_PUT_HEAD, (1, 3, 1), (bytes_of("root"), bytes_of("signature")));

    memset(logs[0].line_id, 7, HASH_SIZE);
    memset(logs[1].root, 8, HASH_SIZE);
    entry.own = head.own = true;
    put(&operations, entry);
    put(&operations, head);
    if (mark_encode(content, office, 41, logs, 2, &operations, NULL) != 0)
        abort();
    store_batch_free(&operations);
}

/* `on` takes ERROR_STORAGE, where items.h knows ERROR_INVALID: a mark that is not as it should be is damage. */
static int feed_as_invalid(void *context, struct span input, struct error *error)
{
    struct error why = {0};
    int result = feed_content(context, input, &why);

    return result == 0 ? 0 : error_set(error, why.code == ERROR_STORAGE ? ERROR_INVALID : why.code, "%s", why.message);
}

static void contents(void)
{
    static const struct interface on = {"content of a mark", feed_as_invalid, picture, NULL};
    struct buffer content = {0};
    struct specimen specimen = {.on = &on,
                                .name = "two logs and two operations",
                                .part = parts,
                                .whole = "it is wrong at its array of four",
                                .any = "is whole and was not written by this liaison: it is wrong at "};

    put_content(&content);
    specimen.bytes = buffer_span(&content);
    specimen_note(&specimen);
    family_begin("marks whose content is none, under a right checksum");
    good(&on, specimen.bytes, "the specimen");
    bad_forms(&specimen);
    bad_types(&specimen);
    bad_lengths(&specimen);
    bad_order(&specimen);
    bad_tails(&specimen, "it is wrong at its end, after which something follows");
    bad_numbers(&specimen, "logs[0][1]", MEMBERS_MAX - 1);
    bad_numbers(&specimen, "logs[0][2]", UINT32_MAX);
    bad_numbers(&specimen, "logs[0][3]", TREE_SIZE_MAX);
    bad_numbers(&specimen, "operations[0][0]", STORE_OP_COUNT - 1);
    bad_numbers(&specimen, "operations[0][1][0]", INT64_MAX);
    bad_numbers(&specimen, "operations[1][1][2]", INT64_MAX);
    family_end();
    family_begin("marks whose content is cut short, under a right checksum");
    catalogue.cut = true;
    for (size_t at = 1; at < specimen.bytes.size; at += 3)
        bad(&on, span_of(specimen.bytes.data, at), ERROR_INVALID, specimen.any, "cut after byte %zu of %zu, in %s", at,
            specimen.bytes.size, item_at(&specimen, at)->path);
    family_end();
    buffer_free(&content);
}

static const char *region(size_t at)
{
    return at < 16          ? "the magic"
           : at < 24        ? "the generation"
           : at < 32        ? "the length"
           : at < HEAD_SIZE ? "the checksum"
                            : "the content";
}

static void slots(void)
{
    static const uint64_t lengths[] = {0,
                                       1,
                                       2,
                                       UINT16_MAX,
                                       INT32_MAX,
                                       1ull << 31,
                                       UINT32_MAX,
                                       1ull << 32,
                                       INT64_MAX,
                                       1ull << 63,
                                       UINT64_MAX,
                                       MARK_SLOT_SIZE - HEAD_SIZE,
                                       MARK_SLOT_SIZE - HEAD_SIZE + 1,
                                       MARK_SLOT_SIZE,
                                       2 * MARK_SLOT_SIZE};
    static const char *const magics[] = {"liaison-mark/2\n", "liaison-mark/0\n", "liaison-mark/9\n",
                                         "liaison-mark/5\n"};
    struct buffer content = {0}, slot = {0}, out = {0};
    uint8_t hash[HASH_SIZE];
    struct span joined[2];

    put_content(&content);
    buffer_put(&slot, "liaison-mark/1\n", 16);
    buffer_put_u64(&slot, 2);
    buffer_put_u64(&slot, content.size);
    joined[0] = span_of(slot.data, slot.size);
    joined[1] = buffer_span(&content);
    hash_parts(hash, joined, 2);
    buffer_put(&slot, hash, HASH_SIZE);
    buffer_put_span(&slot, buffer_span(&content));
    whole = buffer_span(&slot);
    family_begin("marks with one slot, and a bit of that changed");
    good(&slot_in, whole, "the specimen");
    for (size_t at = 0; at < slot.size; at += at < HEAD_SIZE ? 1 : 3) {
        bool version = at == 13 && (at % 8) < 4; /* 1 becomes another digit */

        buffer_reset(&out);
        buffer_put_span(&out, whole);
        out.data[at] ^= (uint8_t)(1u << at % 8);
        if (!version)
            bad(&slot_in, buffer_span(&out), ERROR_STORAGE, "is damaged: neither of its two slots is whole",
                "bit %zu of byte %zu changed, in %s", at % 8, at, region(at));
    }
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        buffer_reset(&out);
        buffer_put_span(&out, whole);
        put_u64_be(out.data + 24, lengths[i]);
        bad(&slot_in, buffer_span(&out), ERROR_STORAGE, "neither of its two slots is whole",
            "the length %llu and not %zu", (unsigned long long)lengths[i], content.size);
    }
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        buffer_reset(&out);
        buffer_put_span(&out, whole);
        memcpy(out.data, magics[i], 16);
        bad(&slot_in, buffer_span(&out), ERROR_VERSION, "was written by another version of liaison", "of version %c",
            magics[i][13]);
    }
    for (uint64_t generation = 1; generation != 0; generation = generation < 60 ? generation + 2 : 0) {
        buffer_reset(&out);
        buffer_put_span(&out, whole);
        put_u64_be(out.data + 16, generation);
        joined[0] = span_of(out.data, 32);
        hash_parts(hash, joined, 2);
        memcpy(out.data + 32, hash, HASH_SIZE);
        bad(&slot_in, buffer_span(&out), ERROR_STORAGE, "neither of its two slots is whole",
            "the other slot's generation %u, under a right checksum", (unsigned)generation);
    }
    catalogue.cut = true;
    for (size_t at = 0; at < slot.size; at += 8)
        bad(&slot_in, span_of(slot.data, at), ERROR_STORAGE, "neither of its two slots is whole",
            "torn after byte %zu of %zu, in %s", at, slot.size, region(at));
    family_end();
    family_begin("marks of another size");
    {
        static const uint64_t sizes[] = {0,
                                         1,
                                         16,
                                         63,
                                         64,
                                         4095,
                                         4096,
                                         MARK_SLOT_SIZE - 1,
                                         MARK_SLOT_SIZE,
                                         MARK_SLOT_SIZE + 1,
                                         2 * MARK_SLOT_SIZE - 4096,
                                         2 * MARK_SLOT_SIZE - 1,
                                         2 * MARK_SLOT_SIZE + 1,
                                         2 * MARK_SLOT_SIZE + 4096,
                                         3 * MARK_SLOT_SIZE,
                                         4 * MARK_SLOT_SIZE,
                                         1ull << 31,
                                         1ull << 32,
                                         1ull << 40};
        uint8_t size[8];

        put_u64_be(size, 2 * MARK_SLOT_SIZE);
        good(&size_in, span_of(size, 8), "as it must be");
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            put_u64_be(size, sizes[i]);
            bad(&size_in, span_of(size, 8), ERROR_STORAGE, "is damaged: it is not a file of 4194304 bytes",
                "of %llu bytes", (unsigned long long)sizes[i]);
        }
    }
    family_end();
    buffer_free(&content);
    buffer_free(&slot);
    buffer_free(&out);
}

/* What stands where the mark should. */
static int feed_kind(void *context, struct span input, struct error *error)
{
    int result = 0;

    (void)context;
    (void)unlink(path);
    (void)rmdir(path);
    switch (input.data[0]) {
    case 'd':
        result = mkdir(path, 0700);
        break;
    case 'f':
        result = mkfifo(path, 0600);
        break;
    case 'l':
        result = symlink("/dev/zero", path);
        break;
    case 's':
        result = symlink(path, path);
        break;
    case 'e':
        result = symlink("/nowhere", path);
        break;
    default:
        break; /* nothing */
    }
    if (result != 0)
        abort();
    result = open_mark(error);
    (void)unlink(path);
    (void)rmdir(path);
    return result;
}

static void kinds(void)
{
    static const struct interface on = {"what stands in a mark's place", feed_kind, picture, NULL};

    family_begin("what is no file where the mark should be");
    bad(&on, span_of_string("nothing"), ERROR_NOT_FOUND, "there is no mark ", "nothing");
    bad(&on, span_of_string("directory"), ERROR_SYSTEM, "cannot be opened: ", "a directory");
    bad(&on, span_of_string("fifo"), ERROR_STORAGE, "is damaged: it is not a file of", "a fifo");
    bad(&on, span_of_string("link"), ERROR_SYSTEM, "cannot be opened: ", "a link to a device");
    bad(&on, span_of_string("self"), ERROR_SYSTEM, "cannot be opened: ", "a link to itself");
    bad(&on, span_of_string("elsewhere"), ERROR_SYSTEM, "cannot be opened: ", "a link to nowhere");
    family_end();
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    path = scratch("bad.mark");
    contents();
    slots();
    kinds();
    scratch_clean();
    return catalogue_end();
}
