/*
 * The driver itself: each thing that it looks for is done wrong once, by an interface made for that, and it says so.
 */
#include "catalogue.h"

/* What the interface does with an input, by the input's first byte. */
static struct {
    unsigned state;
} kept;

static int feed_made_up(void *context, struct span input, struct error *error)
{
    (void)context;
    switch (input.size > 0 ? input.data[0] : 'r') {
    case 'a':
        return 0;
    case 'c':
        kept.state++;
        return error_set(error, ERROR_INVALID, "the made-up input is wrong at its front");
    case 'o':
        return error_set(error, ERROR_REFUSED, "the made-up input is wrong at its front");
    case 's':
        return error_set(error, ERROR_INVALID, "wrong");
    case 'v':
        return error_set(error, ERROR_INVALID, "the made-up input is wrong");
    case 'u':
        return error_set(error, ERROR_INVALID, "The made-up input is wrong at its front");
    case 'd':
        return error_set(error, ERROR_INVALID, "the made-up input is wrong at its front.");
    case 'e':
        return error_set(error, ERROR_INVALID, "the made-up input \033[2J is wrong at its front");
    case 'n':
        return -1;
    default:
        return error_set(error, ERROR_INVALID, "the made-up input is wrong at its front");
    }
}

static void picture_made_up(void *context, struct buffer *out)
{
    (void)context;
    buffer_put_u32(out, kept.state);
}

static const struct interface made_up = {"made-up", feed_made_up, picture_made_up, NULL};

static size_t faults(const char *input, const char *name)
{
    size_t before = catalogue.wrong;

    bad(&made_up, span_of_string(input), ERROR_INVALID, "at its front", "%s", name);
    return catalogue.wrong - before;
}

static void what_is_refused_rightly_passes(void)
{
    CHECK(faults("right", "right") == 0 && faults("", "nothing") == 0);
}

static void each_fault_is_found(void)
{
    CHECK(faults("accepted", "accepted") == 1);
    CHECK(faults("change", "a change of state") == 1);
    CHECK(faults("other code", "another code") == 1);
    CHECK(faults("short", "no sentence") == 1);
    CHECK(faults("vague", "a sentence that does not say what is wrong") == 1);
    CHECK(faults("upper", "a sentence in capitals") == 1);
    CHECK(faults("dot", "a sentence with a full stop") == 1);
    CHECK(faults("escape", "a sentence that commands a terminal") == 1);
    CHECK(faults("nothing", "no code and no sentence") == 1);
    CHECK(faults("right again", "right") == 1); /* a name that was there */
}

static void an_input_counts_once(void)
{
    size_t cases = catalogue.cases;
    size_t repeated = catalogue.repeated;

    CHECK(faults("right", "the same bytes under another name") == 0);
    CHECK(catalogue.cases == cases && catalogue.repeated == repeated + 1);
}

static void a_specimen_must_be_good(void)
{
    size_t before = catalogue.wrong;

    good(&made_up, span_of_string("all right"), "a good one");
    CHECK(catalogue.wrong == before);
    good(&made_up, span_of_string("r"), "a bad one");
    CHECK(catalogue.wrong == before + 1);
}

/* The set goes on when it grows. */
static void names_are_told_apart(void)
{
    struct hash_set set = {0};
    uint8_t hash[HASH_SIZE];

    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 5000; i++) {
            hash_bytes(hash, &i, sizeof i);
            CHECK(hash_set_add(&set, hash) == (round == 0));
        }
    CHECK(set.count == 5000);
    free(set.hash);
}

int main(void)
{
    printf("# what follows as wrong is what the driver has to find\n");
    family_begin("made-up inputs");
    RUN(what_is_refused_rightly_passes);
    RUN(each_fault_is_found);
    RUN(an_input_counts_once);
    RUN(a_specimen_must_be_good);
    RUN(names_are_told_apart);
    free(catalogue.names.hash);
    free(catalogue.inputs.hash);
    return test_end();
}
