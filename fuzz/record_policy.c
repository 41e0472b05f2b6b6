/* record/policy: what is accepted is within limits, and every group can be met by what was defined before it. */
#include "fuzz.h"

#include "record/proof.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"record/policy", NULL}, .runs = 60000};

static bool is_defined(const struct policy *policy, unsigned number, size_t groups)
{
    return number < POLICY_WITNESSES_MAX ? number < policy->witness_count : number - POLICY_WITNESSES_MAX < groups;
}

/* Names are words of any bytes; whoever shows them makes them harmless. */
static bool is_word(const char *name)
{
    for (; *name != 0; name++)
        if ((uint8_t)*name <= ' ' || *name == 0x7f)
            return false;
    return true;
}

static void check_key(const struct policy_key *key)
{
    HOLD(key->name[0] != 0 && is_word(key->name) && is_word(key->party));
    HOLD(sign_key_is_valid(key->key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct policy policy;
    struct error error = {0};

    fuzz_start();
    memset(&policy, 0, sizeof policy);
    if (policy_parse(&policy, span_of(data, size), &error) != 0) {
        fuzz_refused(&error);
        return 0;
    }
    HOLD(size <= POLICY_SIZE_MAX && policy.log_count <= POLICY_LOGS_MAX);
    HOLD(policy.witness_count <= POLICY_WITNESSES_MAX && policy.group_count <= POLICY_GROUPS_MAX);
    HOLD(policy.quorum_none || is_defined(&policy, policy.quorum, policy.group_count));
    for (size_t i = 0; i < policy.log_count; i++)
        check_key(&policy.log[i]);
    for (size_t i = 0; i < policy.witness_count; i++)
        check_key(&policy.witness[i]);
    for (size_t i = 0; i < policy.group_count; i++) {
        HOLD(policy.group[i].name[0] != 0 && is_word(policy.group[i].name));
        HOLD(policy.group[i].threshold >= 1 && policy.group[i].threshold <= policy.group[i].member_count);
        HOLD(policy.group[i].member_count <= POLICY_GROUP_MEMBERS_MAX);
        for (unsigned m = 0; m < policy.group[i].member_count; m++)
            HOLD(is_defined(&policy, policy.group[i].member[m], i));
    }
    return 0;
}
