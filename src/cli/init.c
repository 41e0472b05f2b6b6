/*
 * liaison init: makes an office. The one subcommand that touches the store, and needs no daemon. What it has made
 * when something fails it removes again.
 */
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/file.h"
#include "cli/office.h"
#include "cli/passphrase.h"
#include "cli/terminal.h"
#include "seal/keyfile.h"
#include "store/vault.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct usage usage = {
    .command = "liaison init",
    .synopsis = "NAME (--key-file F | --passphrase-file F) [--languages en] [--recovery-sheet F] [--mark F]",
    .help =
        "Makes an office for the party NAME, a name like washington.example. Its secrets are locked with a key\n"
        "file or a passphrase; F is made if it does not exist. With neither, a passphrase is asked on the terminal.\n"
        "\n"
        "  --key-file F         for an office that starts unattended; keep F on another device\n"
        "  --passphrase-file F  the passphrase is the first line of F\n"
        "  --languages TAGS     the languages you read, the best first (default: en)\n"
        "  --recovery-sheet F   also write the keys that would be needed after a fire; keep F offline\n"
        "  --mark F             where the mark is kept (default: beside the office, DIR.mark)\n",
    .operands_min = 1,
    .operands_max = 1,
};

/* In memory that is locked and wiped. */
struct secrets {
    uint8_t lock_key[OFFICE_KEY_SIZE]; /* from the key file or the passphrase */
    uint8_t master[OFFICE_KEY_SIZE];
    struct identity identity;
};

struct init {
    const char *name, *languages, *key_file, *passphrase_file, *recovery_sheet;
    const char *mark_given;
    struct office office;
    char mark[PATH_MAX];
    uint8_t office_id[OFFICE_ID_SIZE];
    uint8_t salt[PASSPHRASE_SALT_SIZE];
    struct secrets *secrets;
    struct card card;
    struct entropy entropy;
    struct undo undo;
    bool made_secret_file;    /* the key or passphrase file did not exist */
    struct buffer passphrase; /* asked on the terminal, if there is no file */
};

static int draw_entropy(struct entropy *entropy, struct error *error)
{
    uint8_t fresh[32];

    if (getrandom(fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
        return error_set(error, ERROR_SYSTEM, "the system gives no random bytes: %s", strerror(errno));
    entropy_stir(entropy, span_of(fresh, sizeof fresh));
    secret_wipe(fresh, sizeof fresh);
    return 0;
}

/* 1: nothing is there. 0: an empty directory. -1: anything else. */
static int look_at_directory(const char *path, struct error *error)
{
    DIR *directory = opendir(path);
    const struct dirent *found = NULL;
    bool empty = true;

    if (directory == NULL && errno == ENOENT)
        return 1;
    if (directory == NULL)
        return error_set(error, ERROR_SYSTEM, "%s cannot be used for an office: %s", path, strerror(errno));
    while ((found = readdir(directory)) != NULL)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            empty = false;
    (void)closedir(directory);
    if (!empty)
        return error_set(error, ERROR_REFUSED, "%s is not empty; an office is made in a directory of its own", path);
    return 0;
}

/* Refuses what can be refused before anything is made. */
static int check(struct init *init, struct error *error)
{
    char *absolute = NULL;
    size_t size = 0;

    if (!text_is_party_name(span_of_string(init->name)))
        return error_set(
            error, ERROR_INVALID,
            "\"%.80s\" is no party's name: labels of a-z, 0-9 and inner -, joined by dots, at most 63 bytes",
            init->name);
    if (look_at_directory(init->office.directory, error) < 0)
        return -1;
    /* The daemon's socket will stand in the directory, and its path is bounded. */
    absolute = init->office.directory[0] == '/' ? NULL : getcwd(NULL, 0);
    size = strlen(init->office.directory) + (absolute != NULL ? strlen(absolute) + 1 : 0);
    free(absolute);
    if (size + sizeof "/control.sock" > sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return error_set(error, ERROR_REFUSED, "%s is too long a path for the socket of an office",
                         init->office.directory);
    if (access(init->mark, F_OK) == 0)
        return error_set(error, ERROR_EXISTS, "%s exists: it is the mark of another office, or of one restored",
                         init->mark);
    if (init->recovery_sheet != NULL && access(init->recovery_sheet, F_OK) == 0)
        return error_set(error, ERROR_EXISTS, "%s exists; a recovery sheet never replaces a file",
                         init->recovery_sheet);
    return 0;
}

static int make_directory(struct init *init, const char *path, bool exists_is_fine, struct error *error)
{
    if (mkdir(path, S_IRWXU) == 0)
        undo_note(&init->undo, path);
    else if (errno != EEXIST || !exists_is_fine)
        return error_set(error, ERROR_SYSTEM, "%s cannot be made: %s", path, strerror(errno));
    return 0;
}

/* Makes the office's directory; the folders above only where they are the user's data folder. */
static int make_directories(struct init *init, struct error *error)
{
    char *path = init->office.directory;

    for (size_t i = 1; init->office.in_data_folder && path[i] != '\0'; i++) {
        int result = 0;

        if (path[i] != '/')
            continue;
        path[i] = '\0';
        result = make_directory(init, path, true, error);
        path[i] = '/';
        if (result != 0)
            return -1;
    }
    if (make_directory(init, path, true, error) != 0)
        return -1;
    if (chmod(path, S_IRWXU) != 0)
        return error_set(error, ERROR_SYSTEM, "%s cannot be made private: %s", path, strerror(errno));
    return 0;
}

/* Reads the key file, or makes one. */
static int lock_with_key_file(struct init *init, struct error *error)
{
    struct buffer content = {0};
    struct error reading = {0};
    int result = file_read_secret(init->key_file, FILE_TEXT_MAX, &content, &reading);

    if (result == 0) {
        result = office_key_parse(init->secrets->lock_key, buffer_span(&content), &reading);
        if (result != 0)
            (void)error_set(error, reading.code, "%.100s: %s", init->key_file, reading.message);
    } else if (reading.code == ERROR_NOT_FOUND) {
        entropy_fill(&init->entropy, init->secrets->lock_key, OFFICE_KEY_SIZE);
        office_key_print(&content, init->secrets->lock_key);
        result = file_create(init->key_file, S_IRUSR | S_IWUSR, buffer_span(&content), error);
        if (result == 0)
            undo_note(&init->undo, init->key_file);
        init->made_secret_file = result == 0;
    } else {
        (void)error_set(error, reading.code, "%s", reading.message);
    }
    passphrase_free(&content);
    return result;
}

static int make_passphrase_file(struct init *init, struct buffer *passphrase, struct error *error)
{
    struct buffer content = {0};
    int result = 0;

    passphrase_make(&init->entropy, passphrase);
    buffer_put_span(&content, buffer_span(passphrase));
    buffer_put(&content, "\n", 1);
    result = file_create(init->passphrase_file, S_IRUSR | S_IWUSR, buffer_span(&content), error);
    if (result == 0)
        undo_note(&init->undo, init->passphrase_file);
    init->made_secret_file = result == 0;
    passphrase_free(&content);
    return result;
}

static int lock_with_passphrase(struct init *init, struct error *error)
{
    struct error reading = {0};

    if (init->passphrase_file != NULL && passphrase_read(init->passphrase_file, &init->passphrase, &reading) != 0) {
        if (reading.code != ERROR_NOT_FOUND)
            return error_set(error, reading.code, "%s", reading.message);
        if (make_passphrase_file(init, &init->passphrase, error) != 0)
            return -1;
    }
    entropy_fill(&init->entropy, init->salt, sizeof init->salt);
    return passphrase_key(init->secrets->lock_key, buffer_span(&init->passphrase), init->salt, PASSPHRASE_LIMITS,
                          error);
}

static void put_meta(struct store_batch *batch, enum store_meta key, struct span value)
{
    store_batch_put(batch, &(struct store_op){.kind = STORE_PUT_META, .n = {key}, .b = {value}});
}

/* Batch 1: who this office is, and its secrets, sealed. */
static void fill_batch(struct init *init, const char *kind, struct store_batch *batch)
{
    struct vault_context context;
    struct buffer master = {0};
    struct buffer identity = {0};
    struct buffer text = {0};
    uint8_t version[4];
    uint8_t limits[PASSPHRASE_SALT_SIZE + 8];

    put_u32_be(version, STORE_VERSION);
    memcpy(limits, init->salt, PASSPHRASE_SALT_SIZE);
    put_u32_be(limits + PASSPHRASE_SALT_SIZE, PASSPHRASE_LIMITS.operations);
    put_u32_be(limits + PASSPHRASE_SALT_SIZE + 4, PASSPHRASE_LIMITS.memory_kib);
    vault_seal(&master, init->secrets->lock_key, vault_context(&context, init->office_id, VAULT_MASTER, NULL, 0, 0, 0),
               span_of(init->secrets->master, sizeof init->secrets->master), &init->entropy);
    vault_seal(&identity, init->secrets->master,
               vault_context(&context, init->office_id, VAULT_IDENTITY, NULL, 0, 0, 0),
               span_of(&init->secrets->identity, sizeof init->secrets->identity), &init->entropy);
    card_print(&init->card, &text);
    put_meta(batch, META_VERSION, span_of(version, sizeof version));
    put_meta(batch, META_OFFICE, span_of(init->office_id, sizeof init->office_id));
    put_meta(batch, META_CARD, buffer_span(&text));
    put_meta(batch, META_KEY_KIND, span_of_string(kind));
    if (strcmp(kind, "passphrase") == 0)
        put_meta(batch, META_PASSPHRASE, span_of(limits, sizeof limits));
    put_meta(batch, META_MASTER, buffer_span(&master));
    put_meta(batch, META_IDENTITY, buffer_span(&identity));
    batch->failed |= buffer_failed(&master) || buffer_failed(&identity) || buffer_failed(&text);
    buffer_free(&master);
    buffer_free(&identity);
    buffer_free(&text);
}

static int make_database(struct init *init, const char *kind, struct error *error)
{
    static const char *const files[] = {"liaison.db", "liaison.db-journal", "liaison.db-wal", "liaison.db-shm"};
    struct store_batch batch = {0};
    struct store *store = NULL;
    char path[PATH_MAX];
    int result = -1;

    for (size_t i = 4; i > 0; i--) {
        if (office_path(&init->office, files[i - 1], path, sizeof path, error) != 0)
            return -1;
        undo_note(&init->undo, path);
    }
    fill_batch(init, kind, &batch);
    store = store_open(path, true, error);
    if (store != NULL && store_stage(store, &batch, error) == 0 && store_commit(store, 1, error) == 0 &&
        store_checkpoint_all(store, error) == 0)
        result = 0;
    store_close(store);
    store_batch_free(&batch);
    return result;
}

static int make_mark(struct init *init, struct error *error)
{
    struct mark_state state = {.batch = 1};
    struct mark *mark = NULL;

    memcpy(state.office, init->office_id, sizeof state.office);
    mark = mark_create(init->mark, &state, error);
    if (mark == NULL)
        return -1;
    undo_note(&init->undo, init->mark);
    mark_close(mark);
    return 0;
}

static int write_card(struct init *init, struct error *error)
{
    struct buffer text = {0};
    char path[PATH_MAX];
    int result = office_path(&init->office, "card", path, sizeof path, error);

    card_print(&init->card, &text);
    if (result == 0)
        result = file_create(path, S_IRUSR | S_IWUSR, buffer_span(&text), error);
    if (result == 0)
        undo_note(&init->undo, path);
    buffer_free(&text);
    return result;
}

static int write_recovery_sheet(struct init *init, struct error *error)
{
    struct buffer text = {0};
    int result = 0;

    recovery_sheet_print(&text, &init->card, &init->secrets->identity);
    result = file_create(init->recovery_sheet, S_IRUSR | S_IWUSR, buffer_span(&text), error);
    if (result == 0)
        undo_note(&init->undo, init->recovery_sheet);
    passphrase_free(&text);
    return result;
}

static int make_office(struct init *init, struct error *error)
{
    const char *kind = init->key_file != NULL ? "file" : "passphrase";

    identity_generate(&init->secrets->identity, &init->entropy);
    entropy_fill(&init->entropy, init->secrets->master, sizeof init->secrets->master);
    entropy_fill(&init->entropy, init->office_id, sizeof init->office_id);
    if (card_make(&init->card, init->name, init->languages, &init->secrets->identity, error) != 0)
        return -1;
    if ((init->key_file != NULL ? lock_with_key_file(init, error) : lock_with_passphrase(init, error)) != 0)
        return -1;
    if (make_directories(init, error) != 0 || make_database(init, kind, error) != 0 || make_mark(init, error) != 0 ||
        write_card(init, error) != 0)
        return -1;
    if (init->recovery_sheet != NULL && write_recovery_sheet(init, error) != 0)
        return -1;
    return file_sync_parent(init->office.directory, error);
}

static void print_made(const struct init *init)
{
    const char *office = init->office.directory;

    (void)printf("%s: an office in %s\n", init->name, office);
    (void)printf("  %s/card is its card: give it to the others\n", office);
    (void)printf("  %s is its mark: never copy or restore it; keep it on another device than %s\n", init->mark, office);
    if (init->key_file != NULL)
        (void)printf("  %s is its key file%s: SECRET; without it nothing can be opened\n", init->key_file,
                     init->made_secret_file ? ", made just now" : "");
    if (init->passphrase_file != NULL)
        (void)printf("  %s holds its passphrase%s: SECRET; without it nothing can be opened\n", init->passphrase_file,
                     init->made_secret_file ? ", made up just now" : "");
    if (init->recovery_sheet != NULL)
        (void)printf("  %s is its recovery sheet: SECRET; print it, lock it away, delete the file\n",
                     init->recovery_sheet);
    (void)printf("Next: liaisond --office %s", office);
    if (init->key_file != NULL)
        (void)printf(" --key-file %s", init->key_file);
    if (init->mark_given != NULL)
        (void)printf(" --mark %s", init->mark);
    (void)printf(" --listen tcp://HOST:PORT\n");
    if (init->key_file == NULL)
        (void)printf("      liaison unlock --office %s\n", office);
}

static void print_json(const struct init *init)
{
    json_t *made =
        json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:b}", "office", init->name, "directory", init->office.directory,
                  "mark", init->mark, "key_file", init->key_file, "passphrase_file", init->passphrase_file,
                  "recovery_sheet", init->recovery_sheet, "made_secret_file", (int)init->made_secret_file);

    output_json(made);
    json_decref(made);
}

/* Fills in what the command line left open; a sentence for what cannot be. */
static int prepare(struct init *init, const struct cli *cli, struct error *error)
{
    if (init->key_file != NULL && init->passphrase_file != NULL)
        return error_set(error, ERROR_USAGE, "--key-file and --passphrase-file cannot both be given");
    if (office_find(&init->office, cli->office, error) != 0)
        return -1;
    if (init->mark_given != NULL)
        (void)snprintf(init->mark, sizeof init->mark, "%s", init->mark_given);
    else if (snprintf(init->mark, sizeof init->mark, "%s.mark", init->office.directory) >= (int)sizeof init->mark)
        return error_set(error, ERROR_REFUSED, "the mark's path is too long");
    if (check(init, error) != 0 || draw_entropy(&init->entropy, error) != 0)
        return -1;
    init->secrets = secret_new(sizeof *init->secrets);
    if (init->secrets == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory that can be locked");
    if (init->key_file == NULL && init->passphrase_file == NULL)
        return passphrase_ask(true, &init->passphrase, error);
    return 0;
}

enum exit_code command_init(struct cli *cli, int argc, char **argv)
{
    struct init init = {.languages = "en"};
    const struct argument options[] = {
        {"key-file", 0, ARGUMENT_TEXT, &init.key_file},   {"passphrase-file", 0, ARGUMENT_TEXT, &init.passphrase_file},
        {"languages", 0, ARGUMENT_TEXT, &init.languages}, {"recovery-sheet", 0, ARGUMENT_TEXT, &init.recovery_sheet},
        {"mark", 0, ARGUMENT_TEXT, &init.mark_given},     {0},
    };
    struct error error = {0};
    sigset_t ends;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    init.name = cli->operand[0];
    /* Half an office is worse than a second's wait: the signals that end a command come after it. */
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGHUP);
    if (prepare(&init, cli, &error) == 0) {
        (void)sigprocmask(SIG_BLOCK, &ends, NULL);
        (void)make_office(&init, &error);
    }
    if (error.code != ERROR_NONE)
        undo_all(&init.undo);
    undo_forget(&init.undo);
    secret_free(init.secrets);
    passphrase_free(&init.passphrase);
    secret_wipe(&init.entropy, sizeof init.entropy);
    if (error.code == ERROR_USAGE)
        return output_usage(cli, usage.command, "%s", error.message);
    if (error.code != ERROR_NONE)
        return output_error(cli, EXIT_REFUSED, &error);
    if (cli->json)
        print_json(&init);
    else
        print_made(&init);
    return EXIT_DONE;
}
