/* Runs vectors/desk/, which a second program wrote. What the inputs are made of stands in its generate.py. */
#include "vectors_each.h"

#include <stdlib.h>

#include "desk/disclosure.h"
#include "seal/secret.h"

/* One disclosure and its line's id; written again it is the same. */
static int run_disclosure(struct span input, struct buffer *output, struct error *error)
{
    struct disclosure *disclosure = calloc(1, sizeof *disclosure);
    struct cursor cursor = cursor_of(input);
    uint8_t line_id[HASH_SIZE];
    int result = -1;

    if (disclosure == NULL)
        exit(1);
    cursor_copy(&cursor, line_id, HASH_SIZE);
    result = disclosure_read(disclosure, &cursor, error) == 0 &&
                     disclosure_check_line(disclosure, line_id, error) == 0 &&
                     (cursor_done(&cursor) || error_set(error, ERROR_INVALID, "something follows") == 0)
                 ? 0
                 : -1;
    if (result == 0)
        buffer_put_span(output, buffer_span(&disclosure->head));
    disclosure_free(disclosure);
    free(disclosure);
    return result;
}

static void disclosure_vectors(void)
{
    each_case("desk/disclosure", run_disclosure);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(disclosure_vectors);
    return test_end();
}
