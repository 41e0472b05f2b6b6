#include "host/unlock.h"

#include "host/json.h"
#include "host/serve.h"

#include <stdlib.h>

struct unlock {
    struct host *host;
    uint64_t request;
    uv_work_t work;
    struct now now;
    size_t size;
    uint8_t *passphrase; /* locked memory */
    struct error error;
};

static void answer(struct host *host, uint64_t request, const struct error *error)
{
    serve_reply(host, &(struct office_event){.kind = OFFICE_REPLY, .request = request, .error = *error});
}

static void run(uv_work_t *work)
{
    struct unlock *unlock = work->data;

    (void)office_unlock_passphrase(unlock->host->office, span_of(unlock->passphrase, unlock->size), unlock->now,
                                   &unlock->error);
}

static void done(uv_work_t *work, int status)
{
    struct unlock *unlock = work->data;
    struct host *host = unlock->host;

    host->unlocking = false;
    json_decref(host->serve->unlocking_status);
    host->serve->unlocking_status = NULL;
    if (status != 0)
        (void)error_set(&unlock->error, ERROR_SYSTEM, "the unlocking was broken off");
    answer(host, unlock->request, &unlock->error);
    secret_free(unlock->passphrase);
    free(unlock);
    host_tell_state(host);
}

void unlock_begin(struct host *host, uint64_t request, struct span passphrase)
{
    struct unlock *unlock = calloc(1, sizeof *unlock);
    struct error error = {0};
    const char *reason = NULL;

    if (office_state(host->office, &reason) == OFFICE_READY || office_state(host->office, &reason) == OFFICE_ASKING)
        (void)error_set(&error, ERROR_REFUSED, "the office is not locked");
    else if (!office_wants_passphrase(host->office))
        (void)error_set(&error, ERROR_REFUSED, "this office is unlocked by its key file: liaisond --key-file");
    else if (unlock != NULL)
        unlock->passphrase = secret_new(passphrase.size);
    if (error.code == ERROR_NONE && (unlock == NULL || unlock->passphrase == NULL))
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
    if (error.code != ERROR_NONE) {
        answer(host, request, &error);
        free(unlock);
        return;
    }
    memcpy(unlock->passphrase, passphrase.data, passphrase.size);
    unlock->host = host;
    unlock->request = request;
    unlock->size = passphrase.size;
    unlock->now = host_now(host);
    unlock->work.data = unlock;
    host->serve->unlocking_status = json_status(host->office, &host->confinement);
    host->unlocking = true;
    (void)uv_queue_work(&host->loop, &unlock->work, run, done);
}
