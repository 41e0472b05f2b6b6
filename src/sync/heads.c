/*
 * Heads: what each author signed, and whether all of it can be true at once.
 */
#include "sync/engine.h"

void engine_remember(struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE])
{
    struct point *point = &log->recent[log->recent_next++ % RECENT_MAX];

    point->size = size;
    memcpy(point->root, root, HASH_SIZE);
}

bool engine_known_root(const struct log *log, uint64_t size, uint8_t root[static HASH_SIZE])
{
    if (size == log->staged.size) {
        tree_root(&log->staged, root);
        return true;
    }
    for (unsigned i = 0; i < RECENT_MAX && size > 0 && size < log->staged.size; i++)
        if (log->recent[i].size == size) {
            memcpy(root, log->recent[i].root, HASH_SIZE);
            return true;
        }
    return false;
}

bool engine_has_root(const struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE])
{
    uint8_t known[HASH_SIZE];

    return size > 0 && engine_known_root(log, size, known) && memcmp(known, root, HASH_SIZE) == 0;
}

void engine_note_head(struct log *log, const struct head *head)
{
    if (!log->has_head || head->size > log->head.size) {
        log->head = *head;
        log->has_head = true;
    }
}

void engine_await(struct log *log, const struct head *head, unsigned most)
{
    if (head->size <= log->staged.size || log->awaited_count >= most)
        return;
    for (unsigned i = 0; i < log->awaited_count; i++)
        if (log->awaited[i].size == head->size)
            return;
    log->awaited[log->awaited_count++] = *head;
}

bool engine_meets_awaited(const struct log *log, const struct tree_frontier *frontier)
{
    uint8_t root[HASH_SIZE];

    for (unsigned i = 0; i < log->awaited_count; i++) {
        if (log->awaited[i].size != frontier->size)
            continue;
        tree_root(frontier, root);
        return memcmp(root, log->awaited[i].root, HASH_SIZE) == 0;
    }
    return true;
}

/* Only what is durable has been met for good: what is merely accepted may be forgotten again, and come otherwise. */
void engine_drop_awaited(struct log *log)
{
    for (unsigned i = 0; i < log->awaited_count; i++)
        if (log->awaited[i].size <= log->durable.size)
            log->awaited[i--] = log->awaited[--log->awaited_count];
    for (unsigned i = 0; i < log->pending_count; i++)
        if (log->pending[i] < log->durable.size)
            log->pending[i--] = log->pending[--log->pending_count];
}

int engine_alarm(struct sync *sync, unsigned member, const struct head *head, const char *reason)
{
    struct sync_event event = {.kind = SYNC_ALARM, .member = member, .author = member, .head = *head, .reason = reason};
    struct log *log = &sync->log[member];

    if (log->forked && (!log->has_fork || log->fork_told))
        return 0;
    if (engine_event(sync, &event) != 0)
        return -1;
    log->forked = true; /* told once, and not before it could be told; once more when two heads show it */
    log->fork_told = log->has_fork;
    return 0;
}

/* Whether another root is known at the head's size. */
static bool contradicts(const struct log *log, const struct head *head)
{
    uint8_t root[HASH_SIZE];

    if (engine_known_root(log, head->size, root))
        return memcmp(root, head->root, HASH_SIZE) != 0;
    if (log->has_head && log->head.size == head->size)
        return memcmp(log->head.root, head->root, HASH_SIZE) != 0;
    for (unsigned i = 0; i < log->awaited_count; i++)
        if (log->awaited[i].size == head->size)
            return memcmp(log->awaited[i].root, head->root, HASH_SIZE) != 0;
    return false;
}

static bool verify(const struct sync *sync, unsigned member, const struct head *head)
{
    const struct log *log = &sync->log[member];
    char origin[ORIGIN_SIZE];

    if (log->has_head && memcmp(&log->head, head, sizeof *head) == 0)
        return true;
    charter_origin(sync->charter, member, 0, origin);
    return head_verify(head, origin, sync->charter->members[member].log_key);
}

/* The first message on every link names the highest heads known. If ours is above our log, we were restored. */
static int take_own(struct sync *sync, unsigned link, const struct head *head, struct error *error)
{
    const struct log *log = &sync->log[sync->own];
    struct sync_event event = {.kind = SYNC_OWN_AHEAD, .link = link, .member = sync->peer[link].member, .head = *head};

    if (head->size <= log->durable.size && !contradicts(log, head))
        return 0;
    if (engine_event(sync, &event) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    return 0;
}

int engine_check_head(struct sync *sync, unsigned link, unsigned member, const struct head *head, bool *forked,
                      struct error *error)
{
    *forked = false;
    if (!verify(sync, member, head))
        return error_set(error, ERROR_MISMATCH, "it sent a head that its author did not sign");
    if (member == sync->own)
        return take_own(sync, link, head, error);
    *forked = contradicts(&sync->log[member], head);
    if (*forked)
        engine_fork_of_head(&sync->log[member], head);
    if (*forked && engine_alarm(sync, member, head, "it signed two heads of one size that differ: two histories") != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    return 0;
}

int engine_take_head(struct sync *sync, unsigned link, unsigned member, const struct head *head, unsigned most,
                     bool *forked, struct error *error)
{
    if (engine_check_head(sync, link, member, head, forked, error) != 0)
        return -1;
    if (member == sync->own || *forked)
        return 0;
    engine_note_head(&sync->log[member], head);
    engine_await(&sync->log[member], head, most);
    return 0;
}
