/*
 * Wires between parties: streams of bytes with latency, a rate and a bounded buffer, cut into arbitrary segments. A
 * wire has two ends, numbers 2n (who dialled) and 2n + 1 (who accepted). Bytes of one direction arrive in order or
 * never.
 *
 * Faults: a wire is reset, at both ends or at one only, so that the other is half-open; a direction between two parties
 * is blocked for a while, so that bytes wait and dialling finds nobody; a party that died is silent, or its machine
 * resets.
 */
#ifndef LIAISON_SIM_NETWORK_H
#define LIAISON_SIM_NETWORK_H

#include "base/buffer.h"
#include "random.h"

#define NETWORK_PARTIES_MAX 8

struct network_plan {
    uint64_t latency_us, jitter_us;
    uint64_t bytes_per_second;
    uint32_t splits; /* millionths: an arriving segment is cut in two */
};

enum network_event_kind { NETWORK_ACCEPTED, NETWORK_CONNECTED, NETWORK_BYTES, NETWORK_ROOM, NETWORK_BROKEN };
struct network_event {
    enum network_event_kind kind;
    unsigned party;
    int end;
    struct buffer bytes;
    const char *reason; /* BROKEN */
};

struct network;
struct network *network_new(uint64_t seed, const struct network_plan *plan);
void network_free(struct network *network);

/* Whether a party's office accepts links. */
void network_listen(struct network *network, unsigned party, bool listening);
/* The end that dials; an event follows: CONNECTED, or BROKEN. */
int network_dial(struct network *network, unsigned from, unsigned to, uint64_t now);
bool network_is_open(const struct network *network, int end);
/* How many bytes the end takes now. If sending leaves less than half of what it holds, an event ROOM follows. */
size_t network_room(const struct network *network, int end);
void network_send(struct network *network, int end, struct span bytes, uint64_t now);
/* The other end sees everything sent, then the end of the stream. No events come for this end. */
void network_close(struct network *network, int end, uint64_t now);
/* All wires of a party lose its end; `silently`: the others are not told. */
void network_die(struct network *network, unsigned party, bool silently, uint64_t now);

/* Resets the wires between two parties; `one_end`: only one of them learns of it. Returns how many. */
unsigned network_cut(struct network *network, unsigned a, unsigned b, bool one_end, uint64_t now);
/* Nothing gets from one to the other until then. */
void network_block(struct network *network, unsigned from, unsigned to, uint64_t until);
void network_heal(struct network *network);

/* When the next event is; UINT64_MAX if there is none. */
uint64_t network_next(const struct network *network);
/* The next event due; its bytes are the caller's to free. */
bool network_take(struct network *network, uint64_t now, struct network_event *event);

#endif
