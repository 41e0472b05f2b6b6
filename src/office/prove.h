/*
 * The proof of one entry, gathered on the store's thread; and what disclosing it needs beside.
 */
#ifndef LIAISON_OFFICE_PROVE_H
#define LIAISON_OFFICE_PROVE_H

#include "office/engine.h"

struct prove_job {
    struct office_job job;
    uint64_t request;
    struct line *line;
    unsigned member;
    uint64_t index;
    uint64_t durable;
    struct buffer entry;
    struct head head;
    size_t receipt_count;
    struct receipt receipt[MEMBERS_MAX];
    struct tree_proof path;
    struct buffer sealed; /* disclosing: the secret of the entry's epoch, as the store keeps it */
};
/* A job for the entry that was named, whose done() answers with the proof; NULL, and the request is answered, if there
 * is no such entry. The caller hands it to core_job_after_fold(). */
struct prove_job *prove_new(struct office *office, uint64_t request, struct span line, struct span entry);
int prove_run(struct office_job *job, struct store *store);
void prove_release(struct office_job *job);
/* Appends the proof as text. */
void prove_print(const struct prove_job *prove, struct buffer *text);

#endif
