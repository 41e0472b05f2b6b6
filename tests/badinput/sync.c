/*
 * What members say to each other: the messages' form, and what in them is not true of the logs that they are about.
 */
#include "sync/engine.h"

#include "items.h"
#include "sync/victim.h"

#define HELD 5         /* entries of member 1 that are held */
#define SHOWN 9        /* entries that member 1's log has */
#define STRANGE_LINK 5 /* to member 1, on which nobody has greeted */

static struct victim victim;

/* --- an engine that must not change ------------------------------------------------------------------------------ */

static int feed_link(unsigned link, struct span input, struct error *error)
{
    int result = sync_input(victim.sync, link, input, victim_now(&victim), error);

    victim_events(&victim);
    return result;
}

static int feed_author(void *context, struct span input, struct error *error)
{
    (void)context;
    return feed_link(1, input, error);
}

static int feed_other(void *context, struct span input, struct error *error)
{
    (void)context;
    return feed_link(2, input, error);
}

static int feed_ungreeted(void *context, struct span input, struct error *error)
{
    (void)context;
    return feed_link(STRANGE_LINK, input, error);
}

/* Everything that it knows of logs and links, and what it has to say: that is taken, so that something new shows.
 * Alarms may come. */
static void picture(void *context, struct buffer *out)
{
    static const unsigned links[] = {1, 2, STRANGE_LINK};
    size_t said = 0;

    (void)context;
    do {
        said = out->size;
        for (size_t i = 0; i < 6; i++)
            while (sync_output(victim.sync, links[i / 2], i % 2 > 0, out))
                victim_events(&victim);
    } while (out->size > said);
    for (unsigned member = 0; member < 3; member++) {
        struct log log = victim.sync->log[member];

        log.forked = log.has_fork = log.fork_told = false; /* that somebody lied is what people are told, */
        memset(&log.fork, 0, sizeof log.fork);             /* with what shows it */
        buffer_put(out, &log, sizeof log);
    }
    for (size_t i = 0; i < 3; i++) {
        const struct peer *peer = &victim.sync->peer[links[i]];

        buffer_put_u8(out, peer->greeted);
        buffer_put_u8(out, peer->active);
        buffer_put(out, peer->gap, sizeof peer->gap);
        buffer_put(out, peer->have, sizeof peer->have);
        buffer_put(out, peer->sent, sizeof peer->sent);
        buffer_put(out, peer->asked, sizeof peer->asked);
        buffer_put(out, peer->serving, sizeof peer->serving);
        buffer_put(out, peer->refused, sizeof peer->refused);
        buffer_put(out, peer->receipt_due, sizeof peer->receipt_due);
    }
    buffer_put_u64(out, sync_carried(victim.sync));
    buffer_put_u64(out, sync_next(victim.sync).us);
    for (unsigned kind = 0; kind < SYNC_ALARM; kind++)
        buffer_put_u32(out, victim.count[kind]);
}

static const struct interface author_in = {"message of an author", feed_author, picture, NULL};
static const struct interface other_in = {"message of another member", feed_other, picture, NULL};
static const struct interface ungreeted_in = {"message before a greeting", feed_ungreeted, picture, NULL};

static void begin(void)
{
    struct buffer said = {0};

    victim_new(&victim);
    truth_grow(victim.truth[0], 3, 40);
    sync_append(victim.sync, truth_chunk(victim.truth[0], 0, 3, 3), UINT64_MAX);
    truth_grow(victim.truth[1], SHOWN, 50);
    truth_grow(victim.truth[2], 4, 50);
    link_up(&victim, 1);
    link_up(&victim, 2);
    sync_link_up(victim.sync, STRANGE_LINK, 1, victim_now(&victim));
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, HELD, HELD, false) == 0);
    CHECK(sync_durable(victim.sync, 1) == HELD);
    picture(NULL, &said); /* what waits to be said is no case's doing */
    buffer_free(&said);
}

/* --- form -------------------------------------------------------------------------------------------------------- */

#define UNKNOWN "a message of no known type came"
#define OF_LOG(message)                                                                                                \
    {"the member", message " message is not well-formed at the log that it is about"},                                 \
    {                                                                                                                  \
        "the incarnation", message " message is not well-formed at the log that it is about"                           \
    }
#define AT(name, message, where)                                                                                       \
    {                                                                                                                  \
        name, message " message is not well-formed at " where                                                          \
    }

static const struct part hello_parts[] = {
    {"the type", UNKNOWN}, AT("the version", "a HELLO", "its version"), AT("logs", "a HELLO", "its list of logs")};
static const struct part entries_parts[] = {{"the type", UNKNOWN},
                                            OF_LOG("an ENTRIES"),
                                            AT("the first number", "an ENTRIES", "its first number"),
                                            AT("entries", "an ENTRIES", "its entries"),
                                            AT("head", "an ENTRIES", "its head"),
                                            AT("the settle flag", "an ENTRIES", "its settle flag"),
                                            AT("proof", "an ENTRIES", "its proof")};
static const struct part settle_parts[] = {
    {"the type", UNKNOWN}, OF_LOG("a SETTLE"), AT("head", "a SETTLE", "its head")};
static const struct part receipt_parts[] = {{"the type", UNKNOWN},
                                            OF_LOG("a RECEIPT"),
                                            AT("the size", "a RECEIPT", "its size"),
                                            AT("the root", "a RECEIPT", "its root"),
                                            AT("by", "a RECEIPT", "the member that gives it"),
                                            AT("the time", "a RECEIPT", "its time"),
                                            AT("the signature", "a RECEIPT", "its signature")};
static const struct part have_parts[] = {
    {"the type", UNKNOWN}, OF_LOG("a HAVE"), AT("the size", "a HAVE", "its number")};
static const struct part want_parts[] = {{"the type", UNKNOWN}, OF_LOG("a WANT"), AT("from", "a WANT", "its number")};
static const struct part fetch_parts[] = {
    {"the type", UNKNOWN}, OF_LOG("a FETCH"), AT("the index", "a FETCH", "its number")};
static const struct part overtake_parts[] = {{"the type", UNKNOWN},
                                             OF_LOG("an OVERTAKE"),
                                             AT("the index", "an OVERTAKE", "its number"),
                                             AT("entry", "an OVERTAKE", "its entry"),
                                             AT("head", "an OVERTAKE", "its head"),
                                             AT("inclusion", "an OVERTAKE", "its proof of inclusion"),
                                             AT("the base", "an OVERTAKE", "its base"),
                                             AT("consistency", "an OVERTAKE", "its proof of consistency")};

struct form {
    const char *name;
    const struct part *parts;
    const char *any, *tail;
    struct {
        const char *path;
        uint64_t most;
    } number[10];
    size_t step; /* of cuts */
};

#define ANY(message) UNKNOWN "|" message " message is not well-formed at |" message " message has"
#define TAIL(message) message " message is not well-formed at its end, after which something follows"
#define FORM(message, parts_of) .name = message, .parts = parts_of, .any = ANY(message), .tail = TAIL(message)

static const struct form forms[] = {
    [MESSAGE_HELLO] = {FORM("a HELLO", hello_parts),
                       .number = {{"logs[0][0]", 2},
                                  {"logs[1][1]", 0},
                                  {"logs[1][2]", TREE_SIZE_MAX},
                                  {"logs[1][3][0]", TREE_SIZE_MAX}},
                       .step = 7},
    [MESSAGE_ENTRIES] = {FORM("an ENTRIES", entries_parts),
                         .number = {{"the member", 2},
                                    {"the incarnation", 0},
                                    {"the first number", TREE_SIZE_MAX},
                                    {"the settle flag", 1},
                                    {"head[0]", TREE_SIZE_MAX}},
                         .step = 23},
    [MESSAGE_SETTLE] = {FORM("a SETTLE", settle_parts),
                        .number = {{"the member", 2}, {"the incarnation", 0}, {"head[0]", TREE_SIZE_MAX}}, .step = 5},
    [MESSAGE_RECEIPT] = {FORM("a RECEIPT", receipt_parts),
                         .number = {{"the member", 2},
                                    {"the incarnation", 0},
                                    {"the size", TREE_SIZE_MAX},
                                    {"by", 2},
                                    {"the time", INT64_MAX}},
                         .step = 5},
    [MESSAGE_HAVE] = {FORM("a HAVE", have_parts),
                      .number = {{"the member", 2}, {"the incarnation", 0}, {"the size", TREE_SIZE_MAX}}, .step = 1},
    [MESSAGE_WANT] = {FORM("a WANT", want_parts),
                      .number = {{"the member", 2}, {"the incarnation", 0}, {"from", TREE_SIZE_MAX}}, .step = 1},
    [MESSAGE_OVERTAKE] = {FORM("an OVERTAKE", overtake_parts),
                          .number = {{"the member", 2},
                                     {"the incarnation", 0},
                                     {"the index", TREE_SIZE_MAX - 1},
                                     {"the base", TREE_SIZE_MAX},
                                     {"head[0]", TREE_SIZE_MAX}},
                          .step = 23},
    [MESSAGE_FETCH] = {FORM("a FETCH", fetch_parts),
                       .number = {{"the member", 2}, {"the incarnation", 0}, {"the index", TREE_SIZE_MAX}}, .step = 1},
};

/* A good message of each type, as the state stands. */
static void say_good(enum message_type type, struct buffer *out)
{
    struct hello_log logs[3] = {{.size = 1}, {.size = SHOWN, .has_head = true}, {.size = 0}};
    struct head head = truth_head(victim.truth[1], SHOWN);
    struct head held = truth_head(victim.truth[1], HELD);
    struct receipt receipt = truth_receipt(victim.truth[1], &held, 2);
    struct tree_proof proof = truth_consistency(victim.truth[1], HELD + 2, SHOWN);

    logs[1].head = head;
    switch (type) {
    case MESSAGE_HELLO:
        message_put_hello(out, logs, 3);
        break;
    case MESSAGE_ENTRIES:
        truth_entries(out, victim.truth[1], HELD, HELD + 2, &head, true, &proof);
        break;
    case MESSAGE_SETTLE:
        message_put_settle(out, 1, &head);
        break;
    case MESSAGE_RECEIPT:
        message_put_receipt(out, 1, HELD, held.root, &receipt);
        break;
    case MESSAGE_OVERTAKE:
        truth_overtake(out, victim.truth[1], SHOWN - 2, SHOWN, HELD);
        break;
    default:
        message_put_size(out, type, type == MESSAGE_HAVE ? 1 : 0, 2);
        break;
    }
}

/* The numbers of items of other types under this one's. */
static void other_types(const struct specimen *specimen, enum message_type type)
{
    for (uint8_t other = MESSAGE_HELLO; other <= MESSAGE_FETCH; other++) {
        struct buffer out = {0};

        if (other == type || (specimen->item[0].argument == 4 && (other == MESSAGE_SETTLE || other == MESSAGE_HAVE ||
                                                                  other == MESSAGE_WANT || other == MESSAGE_FETCH)))
            continue;
        replaced(specimen, 1, 1, span_of(&other, 1), &out);
        bad(specimen->on, buffer_span(&out), ERROR_INVALID,
            specimen->item[0].argument == 8 ? "message has 8 items, not|message is not well-formed" : "items, not",
            "%s said to be %s", specimen->name, forms[other].name);
        buffer_free(&out);
    }
}

static void form_of(enum message_type type)
{
    const struct form *form = &forms[type];
    struct buffer bytes = {0};
    struct specimen specimen = {.on = type == MESSAGE_HELLO ? &ungreeted_in : &author_in,
                                .name = form->name,
                                .part = form->parts,
                                .whole = UNKNOWN "|items, not",
                                .any = form->any,
                                .order = UNKNOWN "| message has | message is not well-formed at "};
    char family[80];

    begin();
    say_good(type, &bytes);
    specimen.bytes = buffer_span(&bytes);
    specimen_note(&specimen);
    (void)snprintf(family, sizeof family, "%s and what is no such message", form->name);
    family_begin(family);
    good(specimen.on, specimen.bytes, form->name);
    bad_forms(&specimen);
    bad_types(&specimen);
    bad_lengths(&specimen);
    bad_order(&specimen);
    bad_tails(&specimen, form->tail);
    bad_numbers(&specimen, "the type", MESSAGE_FETCH);
    for (size_t i = 0; i < 10 && form->number[i].path != NULL; i++)
        bad_numbers(&specimen, form->number[i].path, form->number[i].most);
    other_types(&specimen, type);
    bad_cuts(&specimen, form->step);
    family_end();
    buffer_free(&bytes);
    victim_free(&victim);
}

/* --- greetings --------------------------------------------------------------------------------------------------- */

static void bad_hello(const struct interface *on, const uint64_t size[static 3], const struct head *head,
                      unsigned member, const char *fragment, enum error_code code, const char *name)
{
    struct hello_log logs[3] = {{.size = size[0]}, {.size = size[1]}, {.size = size[2]}};
    struct buffer out = {0};

    if (head != NULL) {
        logs[member].has_head = true;
        logs[member].head = *head;
    }
    message_put_hello(&out, logs, 3);
    bad(on, buffer_span(&out), code, fragment, "%s", name);
    buffer_free(&out);
}

static void greetings(void)
{
    static const char *const types[] = {NULL, "ENTRIES", "SETTLE", "RECEIPT", "HAVE", "WANT", "OVERTAKE", "FETCH"};
    struct buffer out = {0};
    char name[80];

    begin();
    family_begin("messages before a greeting");
    for (enum message_type type = MESSAGE_ENTRIES; type <= MESSAGE_FETCH; type++) {
        buffer_reset(&out);
        say_good(type, &out);
        bad(&ungreeted_in, buffer_span(&out), ERROR_INVALID, "it did not greet first", "%s that would be right",
            types[type]);
        for (unsigned member = 0; member < 3; member++)
            for (uint64_t number = 0; number <= TREE_SIZE_MAX; number = number < 4 ? number + 1 : number * 4096) {
                buffer_reset(&out);
                if (type != MESSAGE_HAVE && type != MESSAGE_WANT && type != MESSAGE_FETCH)
                    continue;
                message_put_size(&out, type, member, number);
                bad(&ungreeted_in, buffer_span(&out), ERROR_INVALID, "it did not greet first",
                    "%s of %llu of member %u", types[type], (unsigned long long)number, member);
            }
    }
    family_end();
    family_begin("second greetings");
    for (unsigned mask = 0; mask < 27; mask++) {
        uint64_t size[3] = {mask % 3, mask / 3 % 3 * 4, mask / 9};

        (void)snprintf(name, sizeof name, "again, of %u, %u and %u entries", (unsigned)size[0], (unsigned)size[1],
                       (unsigned)size[2]);
        bad_hello(mask % 2 == 0 ? &author_in : &other_in, size, NULL, 0, "it greeted twice", ERROR_INVALID, name);
    }
    family_end();
    buffer_free(&out);
    victim_free(&victim);
}

/* --- heads ------------------------------------------------------------------------------------------------------- */

#define NOT_SIGNED "it sent a head that its author did not sign"

/* A head in every message that carries one. */
static void bad_head_of(unsigned member, const struct head *head, const char *name)
{
    const struct truth *truth = victim.truth[member];
    uint64_t first = sync_staged(victim.sync, member)->size;
    struct tree_proof proof = truth_consistency(truth, first + 1 > truth->size ? truth->size : first + 1, truth->size);
    struct buffer out = {0};

    message_put_settle(&out, member, head);
    bad(&author_in, buffer_span(&out), ERROR_MISMATCH, NOT_SIGNED, "a SETTLE of member %u, %s", member, name);
    bad(&other_in, buffer_span(&out), ERROR_MISMATCH, NOT_SIGNED, "a SETTLE of member %u, %s", member, name);
    /* A greeting's head of a root that is known says nothing new, whoever signed it. */
    if (!engine_has_root(&victim.sync->log[member], head->size, head->root))
        bad_hello(&ungreeted_in, (uint64_t[3]){0, 0, 0}, head, member, NOT_SIGNED, ERROR_MISMATCH, name);
    if (member == 0)
        goto out;
    buffer_reset(&out);
    truth_entries(&out, truth, first, first + 1, head, false, &proof);
    bad(&author_in, buffer_span(&out), ERROR_MISMATCH, NOT_SIGNED, "an ENTRIES of member %u, %s", member, name);
    buffer_reset(&out);
    {
        struct tree_proof inclusion = truth_inclusion(truth, truth->size - 1, truth->size);
        struct tree_proof consistency = truth_consistency(truth, first > 0 ? first : 1, truth->size);

        message_put_overtake(&out, member, truth->size - 1, buffer_span(&truth->entry[truth->size - 1]), head,
                             &inclusion, first, &consistency);
        if (first > 0)
            bad(&author_in, buffer_span(&out), ERROR_MISMATCH, NOT_SIGNED "|whose proof does not hold",
                "an OVERTAKE of member %u, %s", member, name);
    }
out:
    buffer_free(&out);
}

static void heads(void)
{
    char name[100], origin[ORIGIN_SIZE];
    struct head head;

    begin();
    family_begin("heads that their author did not sign");
    for (unsigned member = 0; member < 3; member++) {
        for (unsigned bit = 0; bit < 512; bit += 47) {
            head = truth_head(victim.truth[member], victim.truth[member]->size);
            head.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            (void)snprintf(name, sizeof name, "bit %u of the head's signature changed, member %u", bit, member);
            bad_head_of(member, &head, name);
            head = truth_head(victim.truth[member], victim.truth[member]->size);
            head.root[bit / 16] ^= (uint8_t)(1u << bit % 8);
            (void)snprintf(name, sizeof name, "a bit of byte %u of the head's root changed, member %u", bit / 16,
                           member);
            bad_head_of(member, &head, name);
        }
        for (unsigned signer = 0; signer < 3; signer++) {
            head = truth_head(victim.truth[member], victim.truth[member]->size);
            charter_origin(&victim.line.charter, member, 0, origin);
            head_sign(&head, origin, victim.line.identity[signer].receipt_secret);
            (void)snprintf(name, sizeof name, "signed with the receipt key of member %u, for %u", signer, member);
            bad_head_of(member, &head, name);
            if (signer == member)
                continue;
            head_sign(&head, origin, victim.line.identity[signer].log_secret);
            (void)snprintf(name, sizeof name, "signed with the log key of member %u, for %u", signer, member);
            bad_head_of(member, &head, name);
            head = truth_head(victim.truth[signer], victim.truth[signer]->size);
            (void)snprintf(name, sizeof name, "the head of member %u's log, for %u", signer, member);
            bad_head_of(member, &head, name);
        }
        for (unsigned incarnation = 1; incarnation < 4; incarnation++) {
            head = truth_head(victim.truth[member], victim.truth[member]->size);
            charter_origin(&victim.line.charter, member, incarnation, origin);
            head_sign(&head, origin, victim.line.identity[member].log_secret);
            (void)snprintf(name, sizeof name, "the head of incarnation %u, for member %u", incarnation, member);
            bad_head_of(member, &head, name);
        }
        for (uint64_t size = 0; size <= TREE_SIZE_MAX; size = size < 12 ? size + 1 : size * 64) {
            head = truth_head(victim.truth[member], victim.truth[member]->size);
            if (size == head.size)
                continue;
            head.size = size;
            (void)snprintf(name, sizeof name, "a head said to be of %llu, for member %u", (unsigned long long)size,
                           member);
            bad_head_of(member, &head, name);
        }
    }
    family_end();
    victim_free(&victim);
}

/* --- entries and proofs ------------------------------------------------------------------------------------------ */

#define NOT_COMMITTED "the entries it sent are not those its head commits to"

static void bad_entries(const struct span *entry, size_t count, uint64_t first, uint64_t proved, const char *fragment,
                        const char *name)
{
    struct head head = truth_head(victim.truth[1], SHOWN);
    struct tree_proof proof = truth_consistency(victim.truth[1], proved, SHOWN);
    struct buffer out = {0};

    message_put_entries(&out, 1, first, entry, count, &head, false, &proof);
    bad(&author_in, buffer_span(&out), ERROR_MISMATCH, fragment, "%s", name);
    buffer_free(&out);
}

static void chunks(void)
{
    struct span entry[SHOWN];
    char name[100];

    begin();
    for (size_t i = 0; i < SHOWN; i++)
        entry[i] = buffer_span(&victim.truth[1]->entry[i]);
    family_begin("entries that are not those of the log");
    for (size_t count = 1; count <= SHOWN - HELD; count++) {
        for (size_t at = 0; at < count; at++)
            for (unsigned change = 0; change < 5; change++) {
                static const char *const changes[] = {"a byte of it changed", "its last byte missing", "a byte added",
                                                      "as the one before it", "as one of another's log"};
                struct span given[SHOWN];
                struct buffer other = {0};

                memcpy(given, entry + HELD, sizeof *given * count);
                buffer_put_span(&other, given[at]);
                if (change == 0)
                    other.data[other.size / 2] ^= 1;
                if (change == 1)
                    other.size--;
                if (change == 2)
                    buffer_put_u8(&other, 'x');
                given[at] = change == 3   ? entry[HELD + at - 1]
                            : change == 4 ? buffer_span(&victim.truth[2]->entry[0])
                                          : buffer_span(&other);
                (void)snprintf(name, sizeof name, "%zu from number %d on, number %zu %s", count, HELD, HELD + at,
                               changes[change]);
                bad_entries(given, count, HELD, HELD + count, NOT_COMMITTED, name);
                buffer_free(&other);
            }
        if (count > 1) {
            struct span given[SHOWN];

            memcpy(given, entry + HELD, sizeof *given * count);
            given[0] = entry[HELD + 1];
            given[1] = entry[HELD];
            (void)snprintf(name, sizeof name, "%zu from number %d on, the first two exchanged", count, HELD);
            bad_entries(given, count, HELD, HELD + count, NOT_COMMITTED, name);
        }
        for (uint64_t proved = 1; proved <= SHOWN; proved++) {
            struct tree_proof right = truth_consistency(victim.truth[1], HELD + count, SHOWN);
            struct tree_proof given = truth_consistency(victim.truth[1], proved, SHOWN);

            (void)snprintf(name, sizeof name, "%zu from number %d on, with the proof from %u on", count, HELD,
                           (unsigned)proved);
            if (right.count != given.count || memcmp(right.hash, given.hash, right.count * HASH_SIZE) != 0)
                bad_entries(entry + HELD, count, HELD, proved, NOT_COMMITTED, name);
        }
        for (uint64_t first = 1; first < HELD; first++) {
            (void)snprintf(name, sizeof name, "%zu of number %d on, said to be from number %u on", count, HELD,
                           (unsigned)first);
            if (first + count > HELD)
                bad_entries(entry + HELD, count, first, first + count, NOT_COMMITTED, name);
        }
    }
    family_end();
    victim_free(&victim);
}

static void proofs(void)
{
    struct head head;
    char name[100];
    struct buffer out = {0};

    begin();
    head = truth_head(victim.truth[1], SHOWN);
    family_begin("entries whose proof does not hold");
    for (uint64_t end = HELD + 1; end <= SHOWN; end++)
        for (unsigned change = 0; change < 40; change++) {
            struct tree_proof proof = truth_consistency(victim.truth[1], end, SHOWN);

            if (change < 30 && change % 5 < proof.count)
                proof.hash[change % 5][change] ^= (uint8_t)(1u << change % 8);
            else if (change < 30)
                continue;
            else if (change < 34 && proof.count > change - 30)
                proof.count = change - 30;
            else if (change >= 34 && proof.count + change - 33 <= TREE_PROOF_MAX)
                proof.count += (change - 33) * (change - 33);
            else
                continue;
            (void)snprintf(name, sizeof name,
                           change < 30   ? "up to number %u, byte %u of a hash changed"
                           : change < 34 ? "up to number %u, only the first hashes, case %u"
                                         : "up to number %u, with hashes of zeros behind, case %u",
                           (unsigned)end, change);
            buffer_reset(&out);
            truth_entries(&out, victim.truth[1], HELD, end, &head, false, &proof);
            bad(&author_in, buffer_span(&out), ERROR_MISMATCH, NOT_COMMITTED, "ENTRIES %s", name);
        }
    family_end();
    family_begin("overtaking entries whose proof does not hold");
    for (uint64_t index = HELD; index < SHOWN; index++)
        for (unsigned change = 0; change < 34; change++) {
            struct tree_proof inclusion = truth_inclusion(victim.truth[1], index, SHOWN);
            struct tree_proof consistency = truth_consistency(victim.truth[1], HELD, SHOWN);
            struct span entry = buffer_span(&victim.truth[1]->entry[index]);
            uint64_t said = index;

            if (change < 10 && change % 5 < inclusion.count)
                inclusion.hash[change % 5][change] ^= 1;
            else if (change >= 10 && change < 20 && change % 5 < consistency.count)
                consistency.hash[change % 5][change] ^= 1;
            else if (change == 20)
                inclusion.count--;
            else if (change == 21)
                inclusion.count++;
            else if (change == 22)
                consistency.count--;
            else if (change == 23)
                consistency.count++;
            else if (change == 24)
                entry.size--;
            else if (change == 25)
                entry = buffer_span(&victim.truth[1]->entry[index - 1]);
            else if (change == 26)
                entry = buffer_span(&victim.truth[2]->entry[0]);
            else if (change >= 27 && change < 33 && index + change - 26 != index)
                said = index + change - 26;
            else if (change == 33)
                consistency = truth_consistency(victim.truth[1], HELD - 1, SHOWN);
            else
                continue;
            buffer_reset(&out);
            message_put_overtake(&out, 1, said, entry, &head, &inclusion, HELD, &consistency);
            bad(&author_in, buffer_span(&out), ERROR_MISMATCH, "it sent an overtaking entry whose proof does not hold",
                "an OVERTAKE of number %u, made false in way %u", (unsigned)index, change);
        }
    family_end();
    buffer_free(&out);
    victim_free(&victim);
}

static void two_histories(void)
{
    char name[100];

    family_begin("another history than what is held");
    for (size_t same = 0; same < HELD; same++)
        for (size_t size = HELD + 1; size <= SHOWN; size++) {
            struct truth *fork = NULL;
            struct head head;
            struct tree_proof none = {0};
            struct buffer out = {0};

            begin();
            fork = truth_new(&victim.line, 1);
            for (size_t i = 0; i < size; i++)
                truth_append(fork, 50, i >= same);
            head = truth_head(fork, size);
            truth_entries(&out, fork, HELD, size, &head, false, &none);
            (void)snprintf(name, sizeof name, "%zu of which %zu are the same, all signed by their author", size, same);
            bad(&author_in, buffer_span(&out), ERROR_MISMATCH, NOT_COMMITTED, "%s", name);
            truth_free(fork);
            buffer_free(&out);
            victim_free(&victim);
        }
    for (size_t size = HELD + 1; size <= SHOWN; size++) {
        struct truth *fork = NULL;
        struct head head, shown;
        struct tree_proof none = {0};
        struct buffer out = {0};

        /* It showed a head, and sends a log that does not lead there. */
        begin();
        fork = truth_new(&victim.line, 1);
        for (size_t i = 0; i < SHOWN; i++)
            truth_append(fork, 50, i >= HELD);
        shown = truth_head(fork, size);
        CHECK(say_settle(&victim, 1, 1, &shown) == 0);
        head = truth_head(victim.truth[1], SHOWN);
        truth_entries(&out, victim.truth[1], HELD, SHOWN, &head, false, &none);
        (void)snprintf(name, sizeof name, "a log that does not lead to the head of %zu that was shown", size);
        bad(&author_in, buffer_span(&out), ERROR_MISMATCH,
            size < SHOWN ? "its log does not lead to a head it signed before"
                         : "it sent a head that contradicts one it signed before",
            "%s", name);
        truth_free(fork);
        buffer_free(&out);
        victim_free(&victim);
    }
    family_end();
}

/* --- receipts ---------------------------------------------------------------------------------------------------- */

static void bad_receipt(const struct head *head, const struct receipt *receipt, const char *name)
{
    struct buffer out = {0};

    message_put_receipt(&out, 1, head->size, head->root, receipt);
    bad(&author_in, buffer_span(&out), ERROR_MISMATCH, "it sent a receipt that does not verify", "from its author, %s",
        name);
    bad(&other_in, buffer_span(&out), ERROR_MISMATCH, "it sent a receipt that does not verify", "from who gives it, %s",
        name);
    buffer_free(&out);
}

static void receipts(void)
{
    char name[100], origin[ORIGIN_SIZE];
    struct head head, other;
    struct receipt receipt;

    begin();
    charter_origin(&victim.line.charter, 1, 0, origin);
    head = truth_head(victim.truth[1], HELD);
    family_begin("receipts that do not verify");
    for (unsigned bit = 0; bit < 512; bit += 13) {
        receipt = truth_receipt(victim.truth[1], &head, 2);
        receipt.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)snprintf(name, sizeof name, "bit %u of its signature changed", bit);
        bad_receipt(&head, &receipt, name);
    }
    for (unsigned bit = 0; bit < 63; bit++) {
        receipt = truth_receipt(victim.truth[1], &head, 2);
        receipt.time ^= 1ull << bit;
        (void)snprintf(name, sizeof name, "bit %u of its time changed", bit);
        bad_receipt(&head, &receipt, name);
    }
    for (unsigned member = 0; member < 3; member++) {
        receipt = truth_receipt(victim.truth[1], &head, member);
        receipt.by = 2;
        (void)snprintf(name, sizeof name, "given by member %u in the name of 2", member);
        if (member != 2)
            bad_receipt(&head, &receipt, name);
        receipt_sign(&receipt, &head, origin, victim.line.identity[member].log_secret);
        (void)snprintf(name, sizeof name, "signed with the log key of member %u", member);
        bad_receipt(&head, &receipt, name);
        charter_origin(&victim.line.charter, member, 0, origin);
        receipt_sign(&receipt, &head, origin, victim.line.identity[2].receipt_secret);
        charter_origin(&victim.line.charter, 1, 0, origin);
        (void)snprintf(name, sizeof name, "given for the log of member %u", member);
        if (member != 1)
            bad_receipt(&head, &receipt, name);
    }
    for (unsigned incarnation = 1; incarnation < 4; incarnation++) {
        charter_origin(&victim.line.charter, 1, incarnation, origin);
        receipt_sign(&receipt, &head, origin, victim.line.identity[2].receipt_secret);
        (void)snprintf(name, sizeof name, "given for incarnation %u", incarnation);
        bad_receipt(&head, &receipt, name);
    }
    for (uint64_t size = 1; size <= SHOWN; size++) {
        other = truth_head(victim.truth[1], size);
        receipt = truth_receipt(victim.truth[1], &other, 2);
        (void)snprintf(name, sizeof name, "given for %u entries, said to be for %u", (unsigned)size, HELD);
        if (size != HELD)
            bad_receipt(&head, &receipt, name);
    }
    for (uint64_t size = HELD + 1; size < HELD + 9; size++) {
        other = (struct head){.size = size};
        receipt = (struct receipt){.by = 2, .time = size};
        (void)snprintf(name, sizeof name, "unsigned, of %u entries that are not held yet", (unsigned)size);
        bad_receipt(&other, &receipt, name);
    }
    family_end();
    victim_free(&victim);
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    for (enum message_type type = MESSAGE_HELLO; type <= MESSAGE_FETCH; type++)
        form_of(type);
    greetings();
    heads();
    chunks();
    proofs();
    two_histories();
    receipts();
    return catalogue_end();
}
