#include "record/proof.h"

void policy_print(struct buffer *text, const struct charter *charter)
{
    char name[ORIGIN_SIZE];

    buffer_print(text, "# The line %s: who wrote an entry, and who must hold it.\n", charter->name);
    for (unsigned i = 0; i < charter->member_count; i++) {
        charter_origin(charter, i, 0, name);
        buffer_print(text, "log ");
        note_verifier_key_print(text, name, NOTE_ED25519, charter->members[i].log_key);
        buffer_print(text, " liaison:%s\n", charter->members[i].name);
    }
    for (unsigned i = 0; i < charter->member_count; i++) {
        charter_receipt_name(charter, i, name);
        buffer_print(text, "witness %s ", charter->members[i].name);
        note_verifier_key_print(text, name, NOTE_COSIGNATURE, charter->members[i].receipt_key);
        buffer_put_u8(text, '\n');
    }
    /* The author of an entry is no witness of it: all the others are asked for. No party can be called so: "_". */
    buffer_print(text, "group all_others %u", charter->member_count - 1);
    for (unsigned i = 0; i < charter->member_count; i++)
        buffer_print(text, " %s", charter->members[i].name);
    buffer_print(text, "\nquorum all_others\n");
}

#define WORDS_MAX (POLICY_GROUP_MEMBERS_MAX + 4)

struct words {
    size_t count;
    struct span word[WORDS_MAX];
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* False if the line has more words than any line may have. */
static bool split_words(struct words *words, struct span line)
{
    words->count = 0;
    for (size_t i = 0; i < line.size;) {
        size_t start = 0;

        while (i < line.size && is_blank(line.data[i]))
            i++;
        start = i;
        while (i < line.size && !is_blank(line.data[i]))
            i++;
        if (i == start)
            break;
        if (words->count == WORDS_MAX)
            return false;
        words->word[words->count++] = span_of(line.data + start, i - start);
    }
    return true;
}

static bool copy_name(char *out, size_t size, struct span name)
{
    if (name.size == 0 || name.size >= size)
        return false;
    memcpy(out, name.data, name.size);
    out[name.size] = 0;
    return true;
}

/* name+hex id+base64(type | key), C2SP signed-note. */
static bool read_verifier_key(struct policy_key *key, struct span text, uint8_t type)
{
    const uint8_t *plus = text.size > 0 ? memchr(text.data, '+', text.size) : NULL;
    struct span rest = {0};
    uint8_t typed[1 + SIGN_PUBLIC_SIZE];
    uint8_t id[4];
    struct cursor cursor = cursor_of(span_of(id, 4));

    if (plus == NULL || !copy_name(key->name, sizeof key->name, span_of(text.data, (size_t)(plus - text.data))))
        return false;
    rest = span_from(text, strlen(key->name) + 1);
    if (rest.size < 9 || rest.data[8] != '+' || !text_from_hex(span_of(rest.data, 8), id, 4) ||
        !text_from_base64_exactly(span_from(rest, 9), typed, sizeof typed) || typed[0] != type)
        return false;
    memcpy(key->key, typed + 1, SIGN_PUBLIC_SIZE);
    key->key_id = cursor_u32(&cursor);
    return sign_key_is_valid(key->key) && key->key_id == note_key_id(span_of_string(key->name), type, key->key);
}

static bool is_duplicate(const struct policy_key *keys, size_t count, const uint8_t key[static SIGN_PUBLIC_SIZE])
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(keys[i].key, key, SIGN_PUBLIC_SIZE) == 0)
            return true;
    return false;
}

/* The number of a witness or group; -1 if the name is not defined. */
static int find_name(const struct policy *policy, struct span name)
{
    for (size_t i = 0; i < policy->witness_count; i++)
        if (span_equal(name, span_of_string(policy->witness[i].party)))
            return (int)i;
    for (size_t i = 0; i < policy->group_count; i++)
        if (span_equal(name, span_of_string(policy->group[i].name)))
            return (int)(POLICY_WITNESSES_MAX + i);
    return -1;
}

static const char *read_log(struct policy *policy, const struct words *words)
{
    static const char scheme[] = "liaison:";
    struct policy_key *log = &policy->log[policy->log_count];

    if (words->count < 2 || words->count > 3)
        return "a log line is \"log KEY [URL]\"";
    if (policy->log_count == POLICY_LOGS_MAX)
        return "there are too many logs";
    if (!read_verifier_key(log, words->word[1], NOTE_ED25519))
        return "the log's key is not a valid verifier key of type 1";
    if (is_duplicate(policy->log, policy->log_count, log->key))
        return "this log's key stands in the policy twice";
    if (words->count == 3 && words->word[2].size > strlen(scheme) &&
        memcmp(words->word[2].data, scheme, strlen(scheme)) == 0 &&
        !copy_name(log->party, sizeof log->party, span_from(words->word[2], strlen(scheme))))
        return "the name of the log's party is too long";
    policy->log_count++;
    return NULL;
}

static const char *read_witness(struct policy *policy, const struct words *words)
{
    struct policy_key *witness = &policy->witness[policy->witness_count];

    if (words->count < 3 || words->count > 4)
        return "a witness line is \"witness NAME KEY [URL]\"";
    if (policy->witness_count == POLICY_WITNESSES_MAX)
        return "there are too many witnesses";
    if (span_equal(words->word[1], span_of_string("none")) || find_name(policy, words->word[1]) >= 0)
        return "this name is taken";
    if (!copy_name(witness->party, sizeof witness->party, words->word[1]))
        return "the witness's name is too long";
    if (!read_verifier_key(witness, words->word[2], NOTE_COSIGNATURE))
        return "the witness's key is not a valid verifier key of type 4";
    if (is_duplicate(policy->witness, policy->witness_count, witness->key))
        return "this witness's key stands in the policy twice";
    policy->witness_count++;
    return NULL;
}

static bool is_grouped(const struct policy *policy, uint8_t number)
{
    for (size_t i = 0; i <= policy->group_count && i < POLICY_GROUPS_MAX; i++)
        for (unsigned k = 0; k < policy->group[i].member_count; k++)
            if (policy->group[i].member[k] == number)
                return true;
    return false;
}

static const char *read_group(struct policy *policy, const struct words *words)
{
    struct policy_group *group = &policy->group[policy->group_count];
    uint64_t threshold = 0;

    if (words->count < 4)
        return "a group line is \"group NAME all|any|K MEMBER...\"";
    if (policy->group_count == POLICY_GROUPS_MAX)
        return "there are too many groups";
    if (span_equal(words->word[1], span_of_string("none")) || find_name(policy, words->word[1]) >= 0)
        return "this name is taken";
    if (!copy_name(group->name, sizeof group->name, words->word[1]))
        return "the group's name is too long";
    for (size_t i = 3; i < words->count; i++) {
        int number = find_name(policy, words->word[i]);

        if (number < 0)
            return "a member of the group is not defined above it";
        if (group->member_count == POLICY_GROUP_MEMBERS_MAX || is_grouped(policy, (uint8_t)number))
            return "a name is a member of a group twice";
        group->member[group->member_count++] = (uint8_t)number;
    }
    if (span_equal(words->word[2], span_of_string("all")))
        threshold = group->member_count;
    else if (span_equal(words->word[2], span_of_string("any")))
        threshold = 1;
    else if (!text_to_number(words->word[2], group->member_count, &threshold) || threshold == 0)
        return "the group's threshold is not all, any, or a number from 1 to its members";
    group->threshold = (unsigned)threshold;
    policy->group_count++;
    return NULL;
}

static const char *read_quorum(struct policy *policy, const struct words *words, bool *has_quorum)
{
    int number = 0;

    if (*has_quorum)
        return "there is a second quorum line";
    if (words->count != 2)
        return "a quorum line is \"quorum NAME\"";
    *has_quorum = true;
    policy->quorum_none = span_equal(words->word[1], span_of_string("none"));
    if (policy->quorum_none)
        return NULL;
    number = find_name(policy, words->word[1]);
    if (number < 0)
        return "the quorum is not defined above it";
    policy->quorum = (uint8_t)number;
    return NULL;
}

static const char *read_line(struct policy *policy, struct span line, bool *has_quorum)
{
    struct words words = {0};

    for (size_t i = 0; i < line.size; i++)
        if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            return "it holds a control character";
    if (!split_words(&words, line))
        return "it has too many words";
    if (words.count == 0 || words.word[0].data[0] == '#')
        return NULL;
    if (span_equal(words.word[0], span_of_string("log")))
        return read_log(policy, &words);
    if (span_equal(words.word[0], span_of_string("witness")))
        return read_witness(policy, &words);
    if (span_equal(words.word[0], span_of_string("group")))
        return read_group(policy, &words);
    if (span_equal(words.word[0], span_of_string("quorum")))
        return read_quorum(policy, &words, has_quorum);
    return "it starts with none of log, witness, group, quorum";
}

int policy_parse(struct policy *policy, struct span text, struct error *error)
{
    struct cursor cursor = cursor_of(text);
    bool has_quorum = false;

    memset(policy, 0, sizeof *policy);
    if (text.size > POLICY_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "this is not a policy: it is longer than %d bytes", POLICY_SIZE_MAX);
    for (unsigned number = 1; cursor.left > 0; number++) {
        struct span line = cursor_line(&cursor);
        const char *wrong = cursor.failed ? "it does not end with a line feed" : read_line(policy, line, &has_quorum);

        if (wrong != NULL)
            return error_set(error, ERROR_INVALID, "line %u of the policy: %s", number, wrong);
    }
    if (!has_quorum)
        return error_set(error, ERROR_INVALID, "this is not a policy: it has no quorum line");
    return 0;
}
