/*
 * What a third party checks: a proof file (C2SP tlog-proof) against a policy (C2SP tlog-policy). Both
 * specifications are untagged; we follow commits 0065ea5b (proof) and 13027eee (policy) of C2SP/C2SP.
 *
 * Our proofs carry the entry's bytes as `extra`: they are proved by the inclusion path, since the leaf is
 * computed from them. Our policies name each log's author in the log line's URL, "liaison:NAME", and give each
 * witness the name of the party it is the receipt key of; a witness of the log's own author never counts.
 */
#ifndef LIAISON_RECORD_PROOF_H
#define LIAISON_RECORD_PROOF_H

#include "record/entry.h"
#include "record/head.h"

#define NOTE_SIGNATURES_MAX 16
#define PROOF_SIZE_MAX 131072
#define POLICY_SIZE_MAX 131072
#define POLICY_LOGS_MAX 64
#define POLICY_WITNESSES_MAX 64
#define POLICY_GROUPS_MAX 64
#define POLICY_GROUP_MEMBERS_MAX 64
#define POLICY_NAME_SIZE 128

/* One signature line of a note. */
struct note_signature {
    struct span name; /* in the memory of the input */
    uint32_t key_id;
    struct span bytes; /* after the key id, in `storage` of the proof */
};

struct proof {
    struct buffer extra; /* decoded; empty if there is none */
    uint64_t index;
    struct tree_proof path;
    struct span body; /* the checkpoint's text, in the memory of the input */
    struct span origin;
    uint64_t size;
    uint8_t root[HASH_SIZE];
    size_t signature_count;
    struct note_signature signature[NOTE_SIGNATURES_MAX];
    struct buffer storage;
};
void proof_print(struct buffer *text, struct span entry, uint64_t index, const struct tree_proof *path, struct span note);
/* Parses a proof; `text` must outlive it. */
int proof_parse(struct proof *proof, struct span text, struct error *error);
void proof_free(struct proof *proof);

struct policy_key {
    char name[ORIGIN_SIZE + POLICY_NAME_SIZE]; /* the key's note name */
    char party[POLICY_NAME_SIZE];              /* log: from "liaison:NAME", else ""; witness: its name here */
    uint8_t key[SIGN_PUBLIC_SIZE];
    uint32_t key_id;
};
struct policy_group {
    char name[POLICY_NAME_SIZE];
    unsigned threshold;
    unsigned member_count;
    /* Witnesses are numbered from 0, groups from POLICY_WITNESSES_MAX. */
    uint8_t member[POLICY_GROUP_MEMBERS_MAX];
};
struct policy {
    size_t log_count, witness_count, group_count;
    struct policy_key log[POLICY_LOGS_MAX];
    struct policy_key witness[POLICY_WITNESSES_MAX];
    struct policy_group group[POLICY_GROUPS_MAX];
    bool quorum_none;
    uint8_t quorum; /* numbered as group members are; if not quorum_none */
};
/* The policy of a line: every member's log, every member's receipt key, and a quorum of all members but one,
 * the author, who does not count. */
void policy_print(struct buffer *text, const struct charter *charter);
int policy_parse(struct policy *policy, struct span text, struct error *error);

/* What a proof proves under a policy. */
struct verdict {
    const struct policy_key *log; /* who wrote it */
    uint8_t leaf[HASH_SIZE];
    size_t holder_count; /* witnesses other than the author whose cosignature verified */
    struct {
        const struct policy_key *witness;
        uint64_t time;
    } holder[NOTE_SIGNATURES_MAX];
};
/* 0 if everything verifies: a known log's signature, the path from the entry in `extra`, and the quorum. A
 * signature that claims a known key and does not verify refuses the whole. */
int proof_verify(struct verdict *verdict, const struct proof *proof, const struct policy *policy, struct error *error);

#endif
