#include "host/host.h"

#include "host/clock.h"
#include "host/listen.h"
#include "host/log.h"
#include "host/process.h"
#include "host/serve.h"
#include "host/wires.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRESH_SIZE 32
#define ROUNDS_MAX 8            /* of one turn, before the sockets are looked at again */
#define STOP_US (3 * SECOND_US) /* for jobs and output, once told to end */
#define STOP_ALARM_S 4          /* ... and for a disk that does not answer */
#define STEP_MAX_MS (3600 * 1000)

struct now host_now(struct host *host)
{
    uint8_t fresh[FRESH_SIZE];
    struct error error = {0};

    if (!host->stirred) {
        host->stirred = true;
        if (clock_random(fresh, sizeof fresh, &error) == 0)
            office_stir(host->office, span_of(fresh, sizeof fresh));
        else {
            host->exit_code = 1;
            host_stop(host, error.message);
        }
        secret_wipe(fresh, sizeof fresh);
    }
    return clock_now();
}

/* --- what the office says -------------------------------------------------------------------------------------- */

static void put_addresses(const struct host *host, struct buffer *line)
{
    size_t count = 0;

    for (size_t i = 0; i < host->listener_count; i++)
        if (host->listener[i].kind == LISTENER_LINK && host->listener[i].address[0] != '\0') {
            buffer_print(line, " listen=%s", host->listener[i].address);
            count++;
        }
    if (count == 0)
        buffer_print(line, " listen=none");
}

static void listen_for_links(struct host *host)
{
    struct error error = {0};

    if (host->listening)
        return;
    host->listening = true;
    if (listen_start(host, LISTENER_LINK, &error) != 0) {
        host->exit_code = 1;
        host_stop(host, error.message);
    }
}

void host_tell_state(struct host *host)
{
    const char *reason = NULL;
    enum office_state state = office_state(host->office, &reason);
    struct buffer line = {0};

    if (state != OFFICE_LOCKED)
        listen_for_links(host);
    if (host->stopping)
        return;
    if (state == OFFICE_READY && !host->said_ready) {
        host->said_ready = true;
        put_addresses(host, &line);
        log_state("ready %s control=%s%s", office_name(host->office), host->control_path, buffer_string(&line));
        log_notify("READY=1\nSTATUS=ready");
    } else if (state == OFFICE_ASKING && !host->said_asking) {
        host->said_asking = true;
        put_addresses(host, &line);
        log_state("asking %s control=%s%s", office_name(host->office), host->control_path, buffer_string(&line));
        log_line("%s", reason != NULL ? reason : "");
        log_notify("READY=1\nSTATUS=asking the other members for its own log");
    } else if (state == OFFICE_STOPPED && !host->said_stopped) {
        host->said_stopped = true;
        log_state("stopped %s control=%s", office_name(host->office), host->control_path);
        log_line("this office has stopped and signs nothing: %s", reason != NULL ? reason : "");
        log_notify("READY=1\nSTATUS=stopped");
    } else if (state == OFFICE_LOCKED && !host->said_locked) {
        host->said_locked = true;
        log_state("locked %s control=%s", office_name(host->office), host->control_path);
        log_notify("READY=1\nSTATUS=locked");
    }
    buffer_free(&line);
}

static void take_event(struct host *host, const struct office_event *event)
{
    switch (event->kind) {
    case OFFICE_REPLY:
        serve_reply(host, event);
        break;
    case OFFICE_DIAL:
        wires_dial(host, event->link, &event->address);
        break;
    case OFFICE_CLOSE:
        wires_close(host, event->link);
        break;
    case OFFICE_LOG:
        log_line("%s", event->reason);
        break;
    case OFFICE_STATE:
        host_tell_state(host);
        serve_event(host, event);
        break;
    case OFFICE_ENTRY:
    case OFFICE_STORED:
    case OFFICE_LINK:
        serve_event(host, event);
        break;
    }
}

static bool take_events(struct host *host)
{
    struct office_event event;
    bool taken = false;

    while (office_event(host->office, &event)) {
        take_event(host, &event);
        office_event_free(&event);
        taken = true;
    }
    return taken;
}

static bool submit_jobs(struct host *host)
{
    struct office_job *job = NULL;
    bool taken = false;

    while (worker_has_room(host->worker) && office_job(host->office, &job)) {
        worker_submit(host->worker, job);
        taken = true;
    }
    return taken;
}

static void take_jobs(struct host *host)
{
    struct office_job *job = NULL;

    while ((job = worker_take(host->worker)) != NULL)
        office_job_done(host->office, job, host_now(host));
}

/* --- the turn ---------------------------------------------------------------------------------------------------- */

static void step(uv_timer_t *timer)
{
    struct host *host = timer->data;

    if (!host->unlocking)
        office_step(host->office, host_now(host));
}

/* Rounds up: a step that comes too early would find nothing to do. */
static void set_timer(struct host *host)
{
    struct monotonic next = office_next(host->office);
    uint64_t now = clock_now().monotonic.us;
    uint64_t wait_ms = next.us > now ? (next.us - now + 999) / 1000 : 0;

    if (next.us == NEVER.us) {
        (void)uv_timer_stop(&host->step);
        return;
    }
    uv_update_time(&host->loop);
    (void)uv_timer_start(&host->step, step, wait_ms < STEP_MAX_MS ? wait_ms : STEP_MAX_MS, 0);
}

static void close_own(struct host *host)
{
    uv_handle_t *own[] = {
        (uv_handle_t *)&host->prepare,      (uv_handle_t *)&host->hurry,     (uv_handle_t *)&host->step,
        (uv_handle_t *)&host->completed,    (uv_handle_t *)&host->terminate, (uv_handle_t *)&host->interrupt,
        (uv_handle_t *)&host->accept_again,
    };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (!uv_is_closing(own[i]))
            uv_close(own[i], NULL);
}

/* To this thread. It is the only one that takes them: the others are made while they are blocked. */
static void deliver_signals(bool yes)
{
    sigset_t told;

    (void)sigemptyset(&told);
    (void)sigaddset(&told, SIGTERM);
    (void)sigaddset(&told, SIGINT);
    (void)pthread_sigmask(yes ? SIG_UNBLOCK : SIG_BLOCK, &told, NULL);
}

/* Stopping goes on from turn to turn, until nothing is on its way or the time is over. */
static void stop_some(struct host *host)
{
    bool over = clock_now().monotonic.us >= host->stop_at.us;

    if (!over && (office_is_busy(host->office) || !worker_is_idle(host->worker) || host->unlocking ||
                  wires_are_writing(host) || serve_is_writing(host)))
        return;
    /* It ends already, with its own code: libuv gives up its handlers before the process is gone. */
    deliver_signals(false);
    /* Before its uv_async_t goes. */
    worker_stop(host->worker);
    host->worker = NULL;
    wires_stop(host);
    serve_stop(host);
    close_own(host);
}

static void turn(struct host *host)
{
    bool more = true;

    for (int round = 0; more && round < ROUNDS_MAX; round++) {
        /* What others wait for goes first: telling people takes longer. */
        wires_turn(host);
        more = submit_jobs(host);
        more |= take_events(host);
        more |= serve_read_on(host);
    }
    if (more)
        host_hurry(host);
    if (office_is_exhausted(host->office) && !host->stopping) {
        host->exit_code = 1;
        host_stop(host, "there is no memory left, and somebody waits for what was lost by that");
    }
    office_watch(host->office, serve_has_subscribers(host));
    serve_flush(host);
    set_timer(host);
}

static void prepare(uv_prepare_t *handle)
{
    struct host *host = handle->data;

    (void)uv_idle_stop(&host->hurry);
    if (host->stopping && !host->finished && !host->unlocking) {
        host->finished = true;
        office_finish(host->office, host_now(host));
    }
    if (!host->unlocking)
        turn(host);
    else
        serve_flush(host);
    host->stirred = false;
    if (host->stopping)
        stop_some(host);
}

static void do_not_sleep(uv_idle_t *idle)
{
    (void)idle;
}

void host_hurry(struct host *host)
{
    (void)uv_idle_start(&host->hurry, do_not_sleep);
}

static void jobs_came_back(uv_async_t *completed)
{
    take_jobs(completed->data);
}

/* --- stop ------------------------------------------------------------------------------------------------------ */

/* Only what a signal handler may do. What is durable is so; what is not was promised to nobody. */
static void end_now(int number)
{
    static const char sentence[] = "liaisond: the disk did not answer in time; ending without it\n";
    ssize_t written = write(STDERR_FILENO, sentence, sizeof sentence - 1);

    (void)number;
    _exit(written < 0 ? 1 : 0);
}

static void wake(uv_timer_t *timer)
{
    (void)timer; /* prepare() looks at the time */
}

void host_stop(struct host *host, const char *why)
{
    if (host->stopping)
        return;
    host->stopping = true;
    host->stop_at = monotonic_after(clock_now().monotonic, STOP_US);
    log_line("ending: %s", why);
    log_notify("STOPPING=1");
    (void)signal(SIGALRM, end_now);
    (void)alarm(STOP_ALARM_S);
    listen_stop(host);
    (void)uv_timer_start(&host->accept_again, wake, STOP_US / 1000 + 1, 0);
}

static void take_signal(uv_signal_t *handle, int number)
{
    host_stop(handle->data, number == SIGINT ? "interrupted" : "told to end");
}

/* --- start ----------------------------------------------------------------------------------------------------- */

static void start_loop(struct host *host)
{
    (void)uv_prepare_init(&host->loop, &host->prepare);
    (void)uv_idle_init(&host->loop, &host->hurry);
    (void)uv_timer_init(&host->loop, &host->step);
    (void)uv_timer_init(&host->loop, &host->accept_again);
    (void)uv_async_init(&host->loop, &host->completed, jobs_came_back);
    (void)uv_signal_init(&host->loop, &host->terminate);
    (void)uv_signal_init(&host->loop, &host->interrupt);
    host->prepare.data = host->step.data = host->completed.data = host->terminate.data = host->interrupt.data = host;
    (void)uv_prepare_start(&host->prepare, prepare);
    (void)uv_signal_start(&host->terminate, take_signal, SIGTERM);
    (void)uv_signal_start(&host->interrupt, take_signal, SIGINT);
}

static int read_card(struct host *host, struct error *error)
{
    struct store_query query = {.kind = STORE_GET_META, .n = {META_CARD}};
    struct store_result result = {0};
    int status = store_read(host->store, &query, &result, error);

    if (status == 0 && result.count == 1)
        buffer_put_span(&host->card, result.row[0].b[0]);
    store_result_free(&result);
    if (status == 0 && (host->card.size == 0 || buffer_failed(&host->card)))
        status = error_set(error, ERROR_STORAGE, "the database is damaged: it holds no card");
    return status;
}

/* A mark that another process has open is a second daemon, on this office or a copy of it. Whatever else is wrong with
 * the mark, the office judges: it opens stopped, and says why. */
static int open_office(struct host *host, const char *mark_path, struct error *error)
{
    struct mark_state state = {0};
    struct error mark_error = {0};
    bool rewrite = false;

    host->mark = mark_open(mark_path, &state, &mark_error);
    if (host->mark == NULL && mark_error.code == ERROR_REFUSED)
        return error_set(error, mark_error.code, "%s", mark_error.message);
    host->office = office_open(host->store, host->mark != NULL ? &state : NULL, &mark_error, &host->options->config,
                               &rewrite, error);
    mark_state_free(&state);
    if (host->office == NULL)
        return -1;
    if (rewrite && host->mark != NULL) {
        struct buffer content = {0};
        int status = office_mark(host->office, &content, error);

        if (status == 0)
            status = mark_write(host->mark, buffer_span(&content), error);
        buffer_free(&content);
        return status;
    }
    return 0;
}

static int start_worker(struct host *host, struct error *error)
{
    struct buffer content = {0};
    int status = host->mark != NULL ? office_mark(host->office, &content, error) : 0;

    if (status == 0)
        host->worker = worker_start(&host->completed, host->store, host->mark, buffer_span(&content), error);
    buffer_free(&content);
    return host->worker != NULL ? 0 : -1;
}

static int unlock(struct host *host, struct error *error)
{
    struct error cause = {0};
    uint8_t *key = NULL;
    int status = -1;

    if (host->options->key_file == NULL && office_wants_passphrase(host->office))
        return 0;
    if (host->options->key_file == NULL)
        return error_set(error, ERROR_LOCKED, "this office is unlocked by a key file: say which with --key-file");
    if (office_wants_passphrase(host->office))
        return error_set(error, ERROR_MISMATCH, "this office is unlocked by a passphrase, not by a key file");
    key = secret_new(OFFICE_KEY_SIZE);
    if (key == NULL)
        (void)error_set(error, ERROR_SYSTEM, "there is no memory for the key");
    else if (process_read_key(key, host->options->key_file, error) == 0)
        status = office_unlock_key(host->office, key, host_now(host), &cause);
    if (cause.code != ERROR_NONE)
        (void)error_set(error, cause.code, "%.120s: %s. It was left as it is; give the key file that it was made with",
                        host->options->key_file, cause.message);
    secret_free(key);
    return status;
}

static int start_listening(struct host *host, const char *directory, struct error *error)
{
    char link_path[PATH_MAX];

    (void)snprintf(link_path, sizeof link_path, "%s/link.sock", directory);
    if (listen_own(host, LISTENER_CONTROL, host->control_path, error) != 0 ||
        listen_own(host, LISTENER_LINK, link_path, error) != 0)
        return -1;
    host->listener[1].address[0] = '\0'; /* for `liaison link stdio`, not for the ready line */
    for (size_t i = 0; i < host->options->listen_count; i++)
        if (listen_address(host, &host->options->listen[i], error) != 0)
            return -1;
    return listen_start(host, LISTENER_CONTROL, error);
}

static void give_up_rights(struct host *host, const char *directory)
{
    const char *notify = getenv("NOTIFY_SOCKET");
    struct confine_reach reach = {.office = directory, .abstract = notify != NULL && notify[0] == '@'};
    struct buffer lacking = {0};

#ifdef LIAISON_INSTRUMENTED
    (void)reach;
    confine_not(&host->confinement, "this build is instrumented for tests");
#else
    if (host->options->no_confinement)
        confine_not(&host->confinement, "--no-confinement");
    else
        confine(&host->confinement, &reach);
#endif
    for (size_t i = 0; i < host->confinement.lack_count; i++)
        buffer_print(&lacking, "%s%s", i > 0 ? "; " : "", host->confinement.lack[i]);
    if (lacking.size > 0)
        log_line("LESS PROTECTED: %s", buffer_string(&lacking));
    buffer_free(&lacking);
}

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

/* Threads inherit what was given up, and that signals are blocked. The first work makes libuv's pool of threads. */
static int start_threads(struct host *host, const char *directory, struct error *error)
{
    deliver_signals(false);
    give_up_rights(host, directory);
    if (start_worker(host, error) != 0)
        return -1;
    (void)uv_queue_work(&host->loop, &host->first_work, do_nothing, NULL);
    deliver_signals(true);
    return 0;
}

static int start(struct host *host, const char *directory, struct error *error)
{
    char database[PATH_MAX];
    char mark[PATH_MAX];

    (void)snprintf(database, sizeof database, "%s/liaison.db", directory);
    (void)snprintf(host->control_path, sizeof host->control_path, "%s/control.sock", directory);
    (void)snprintf(mark, sizeof mark, "%s.mark", directory);
    host->store = store_open(database, false, error);
    if (host->store == NULL || read_card(host, error) != 0)
        return -1;
    if (open_office(host, host->options->mark != NULL ? host->options->mark : mark, error) != 0)
        return -1;
    store_lengthen_wal(host->store);
    if (unlock(host, error) != 0 || start_listening(host, directory, error) != 0)
        return -1;
    return start_threads(host, directory, error);
}

static void finish(struct host *host)
{
    listen_stop(host);
    close_own(host);
    (void)uv_run(&host->loop, UV_RUN_DEFAULT);
    worker_stop(host->worker);
    office_free(host->office);
    mark_close(host->mark);
    store_close(host->store);
    serve_free(host->serve);
    buffer_free(&host->card);
    (void)uv_loop_close(&host->loop);
}

int host_run(const struct options *options, const char *directory, int spawner)
{
    struct host *host = calloc(1, sizeof *host);
    struct error error = {0};
    int exit_code = 1;
    int status = 0;

    if (host == NULL || (host->serve = calloc(1, sizeof *host->serve)) == NULL) {
        log_line("there is no memory left");
        return 1;
    }
    status = uv_loop_init(&host->loop);
    if (status != 0) {
        log_line("the loop that waits for files and sockets cannot be made: %s", uv_strerror(status));
        return 1;
    }
    host->options = options;
    host->spawner = spawner;
    start_loop(host);
    if (start(host, directory, &error) == 0) {
        host_tell_state(host);
        (void)uv_run(&host->loop, UV_RUN_DEFAULT);
        exit_code = host->exit_code;
    } else {
        log_line("%s", error.message);
        (void)uv_prepare_stop(&host->prepare);
    }
    finish(host);
    if (spawner >= 0)
        (void)close(spawner);
    free(host);
    return exit_code;
}
