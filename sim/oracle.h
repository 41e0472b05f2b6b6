/*
 * The judge. It knows what was handed in and what was said to have been done, and compares that with what is on the
 * platters, which it reads with statements of its own. It shares no code with what it judges but SQLite and SHA-256.
 *
 * What it holds an office to, whatever happens to it:
 *   1. what it said is recorded, and what it gave a receipt for, is in its durable image at that instant, and ever
 * after; when it signs, the durable mark says so, too;
 *   2. an author signs one root for one size of its log, and no smaller size after it died with a larger one signed;
 *   3. a log has no gaps, and the same bytes at every office at all times; its signed roots are those of its bytes;
 *   4. what is handed in has one number, is told once, in its author's order, as it was handed in; nothing else is
 * told;
 *   5. an office is ready or has stopped, and then says why; within the fault model it never stops;
 *   6. the times of a party's receipts never fall, whatever its clock shows and however often it starts.
 * A fault beyond the model excuses an office from 5 and 6, and from keeping what its disk took or spoilt; never from 2
 * and 4, nor from 3 in what it signs and passes on. A false party is held to nothing; all that is demanded of the others
 * is demanded beside it.
 */
#ifndef LIAISON_SIM_ORACLE_H
#define LIAISON_SIM_ORACLE_H

#include "disk.h"
#include "trace.h"

#define ORACLE_PARTIES_MAX 8
#define ORACLE_TEXT_MAX 2048

struct oracle;
/* `disk` and `mark`: the numbers that party's disks are mounted as (system.h): base + 2 * party, and one more. */
struct oracle *oracle_new(unsigned parties, struct trace *trace);
void oracle_free(struct oracle *oracle);
/* The first thing that was wrong; NULL if nothing is. */
const char *oracle_verdict(const struct oracle *oracle);
/* The form of that sentence, without its numbers: two worlds with the same form have the same thing wrong. */
const char *oracle_wrong(const struct oracle *oracle);
/* Something is wrong that another part found. The first is kept. */
void oracle_condemn(struct oracle *oracle, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The one that acts from now on: whose signatures are those that come. */
void oracle_acts(struct oracle *oracle, unsigned party);
/* A fault beyond the model befell the party's disk. */
void oracle_excuse(struct oracle *oracle, unsigned party, bool spoilt);
bool oracle_excused(const struct oracle *oracle, unsigned party);
/* What is on its platters was spoilt: of its log, what nobody else had may be gone. */
bool oracle_spoilt(const struct oracle *oracle, unsigned party);
/* The party is false from now on, and held to nothing; what others do with what it says they are still held to: they
 * keep what they gave it receipts for. */
void oracle_distrust(struct oracle *oracle, unsigned party);
bool oracle_distrusts(const struct oracle *oracle, unsigned party);
/* Whether two parties keep different bytes as the same entry of its log. */
bool oracle_saw_fork(const struct oracle *oracle, unsigned party);

/* A text is handed in. They are numbered from 0 on, and begin with their number ("17 ..."). */
void oracle_handed_in(struct oracle *oracle, unsigned party, uint64_t text_number, const char *text);
/* The office answered that it is recorded as entry `index` of its log. */
void oracle_recorded(struct oracle *oracle, unsigned party, uint64_t text_number, uint64_t index);
/* `party` tells its people that `by` keeps its log up to `size`. */
void oracle_stored(struct oracle *oracle, unsigned party, unsigned by, uint64_t size);
/* `party` tells its people of a message; an `urgent` one may come before its turn, and then it is said: `early`. */
void oracle_told(struct oracle *oracle, unsigned party, unsigned author, uint64_t index, struct span text, bool urgent,
                 bool early);
/* `party` starts anew: what was told may be told again. */
void oracle_started(struct oracle *oracle, unsigned party);
/* The same for what `party` shows when it is asked, in the end; oracle_shown_all() says that it was asked for all. */
void oracle_shown(struct oracle *oracle, unsigned party, unsigned author, uint64_t index, struct span text);
void oracle_shown_all(struct oracle *oracle, unsigned party);

/* Reads a party's durable image and checks all of it against all that is known. Called by the world after a power cut;
 * where the oracle itself must know, it reads what came since, and now and then everything. */
void oracle_inspect(struct oracle *oracle, unsigned party);
/* All logs are equally long at these parties, and all signed roots are right. */
void oracle_conclude(struct oracle *oracle, const bool *party);

/* How much of an author's log a party has given receipts for, up to a head that it holds. */
uint64_t oracle_promised(const struct oracle *oracle, unsigned party, unsigned author);
uint64_t oracle_heads(const struct oracle *oracle);
uint64_t oracle_receipts(const struct oracle *oracle);
uint64_t oracle_entries(const struct oracle *oracle);

#endif
