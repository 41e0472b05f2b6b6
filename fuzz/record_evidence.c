/* record/evidence: files of evidence, and such that the harness makes of two histories and then changes. */
#include "fuzz.h"

#include "record/forked.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"record/evidence", NULL}, .runs = 1500};

static struct evidence evidence;

/* What was accepted is harmless to show, and is written the same way. */
static void check_accepted(struct span file)
{
    struct buffer again = {0}, charter = {0};
    struct error error = {0};
    const struct head *head = evidence.head;

    HOLD(fuzz_is_shown(buffer_span(&evidence.words), true));
    HOLD(evidence.author < evidence.charter.member_count);
    HOLD(head[0].size < head[1].size || (head[0].size == head[1].size && evidence.path.count == 0));
    HOLD(head[0].size < head[1].size || memcmp(head[0].root, head[1].root, HASH_SIZE) < 0);
    charter_print(&evidence.charter, &charter);
    HOLD(evidence_write(&again, buffer_span(&charter), evidence.author, &head[1], &head[0], evidence.root,
                        &evidence.path, &error) == 0);
    fuzz_same(&again, file);
    buffer_free(&charter);
}

static bool check(struct span file)
{
    struct error error = {0};
    bool good = evidence_read(&evidence, file, &error) == 0;

    if (good)
        check_accepted(file);
    else
        fuzz_refused(&error);
    evidence_free(&evidence);
    return good;
}

/* The input says of which sizes the heads are, where the smaller one's history parts, and what of the path is another:
 * the history that it is taken from, its hashes. */
static void check_made(struct cursor *cursor)
{
    static struct test_line line;
    static bool is_made;
    uint64_t small = cursor_u8(cursor) % (FORKED_MAX - 1) + 1, large = cursor_u8(cursor) % (FORKED_MAX - 1) + 1;
    uint64_t fork = cursor_u8(cursor), fork_of_path = cursor_u8(cursor), size_of_path = cursor_u8(cursor);
    struct head head[2];
    uint8_t root[HASH_SIZE];
    struct tree_proof path = {0};
    struct buffer file = {0};
    struct error error = {0};
    bool may_be = false;

    if (!is_made)
        test_line_found(&line, 2, "fuzz");
    is_made = true;
    if (small > large || cursor->failed)
        return;
    size_of_path = size_of_path % 4 == 0 ? size_of_path % large + 1 : small;
    forked_head(&line, fork, small, &head[0]);
    forked_head(&line, FORKED_MAX, large, &head[1]);
    forked_path(fork_of_path % 2 == 0 ? FORKED_MAX : fork_of_path, size_of_path, large, root, &path);
    (void)fuzz_edit(cursor, root, HASH_SIZE);
    (void)fuzz_edit(cursor, path.hash[0], path.count * HASH_SIZE);
    may_be = fork < small; /* else the author signed one history, and nothing may show two */
    if (evidence_write(&file, buffer_span(&line.text), 0, &head[0], &head[1], root, &path, &error) != 0) {
        fuzz_refused(&error);
        HOLD(file.size == 0);
        return;
    }
    HOLD(may_be);
    HOLD(check(buffer_span(&file)));
    if (fuzz_edit(cursor, file.data, file.size))
        HOLD(!check(buffer_span(&file)));
    buffer_free(&file);
}

/* 32 bytes of the line's id, and a file; or 32 bytes ff, and what is to be made. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    uint8_t line_id[32];

    if (fuzz_is_made(&cursor, line_id))
        check_made(&cursor);
    else if (!cursor.failed)
        (void)check(cursor_rest(&cursor));
    return 0;
}
