#include "cli/file.h"

#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/liaison-test-XXXXXX";
static struct error error;

static const char *in(const char *name)
{
    static char path[4][96];
    static unsigned next;
    char *at = path[next++ % 4];

    snprintf(at, sizeof path[0], "%s/%s", directory, name);
    error = (struct error){0};
    return at;
}

static bool holds(const char *name, const char *expected)
{
    struct buffer content = {0};
    bool same =
        file_read(in(name), 100, &content, &error) == 0 && span_equal(buffer_span(&content), span_of_string(expected));

    buffer_free(&content);
    return same;
}

static void a_new_file_never_replaces_another(void)
{
    struct stat status;

    CHECK(file_create(in("new"), 0600, span_of_string("one"), &error) == 0);
    CHECK(stat(in("new"), &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(file_create(in("new"), 0600, span_of_string("two"), &error) == -1 && error.code == ERROR_EXISTS);
    CHECK(holds("new", "one"));
    CHECK(file_create(in("none/new"), 0600, span_of_string("x"), &error) == -1 && error.code == ERROR_SYSTEM);
    unlink(in("new"));
}

static void reading_is_bounded(void)
{
    struct buffer content = {0};

    CHECK(file_create(in("five"), 0600, span_of_string("12345"), &error) == 0);
    CHECK(file_read(in("five"), 4, &content, &error) == -1 && error.code == ERROR_INVALID);
    buffer_reset(&content);
    CHECK(file_read(in("five"), 5, &content, &error) == 0 && content.size == 5);
    buffer_reset(&content);
    CHECK(file_read(in("absent"), 5, &content, &error) == -1 && error.code == ERROR_NOT_FOUND);
    CHECK(file_read(in(""), 5, &content, &error) == -1 && error.code == ERROR_SYSTEM);
    CHECK(file_read("/dev/zero", 100, &content, &error) == -1);
    unlink(in("five"));
    buffer_free(&content);
}

static void a_text_is_utf8(void)
{
    struct buffer content = {0};

    CHECK(file_create(in("text"), 0600, span_of_string("caf\xc3\xa9"), &error) == 0);
    CHECK(file_read_text(in("text"), &content, &error) == 0);
    unlink(in("text"));
    buffer_reset(&content);
    CHECK(file_create(in("text"), 0600, span_of_string("caf\xe9"), &error) == 0);
    CHECK(file_read_text(in("text"), &content, &error) == -1 && error.code == ERROR_INVALID);
    unlink(in("text"));
    buffer_free(&content);
}

static void a_secret_that_others_can_read_is_refused(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0610, 0644, 0666};
    struct buffer content = {0};

    CHECK(file_create(in("secret"), 0600, span_of_string("s"), &error) == 0);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        chmod(in("secret"), modes[i]);
        CHECK(file_read_secret(in("secret"), 10, &content, &error) == -1 && error.code == ERROR_REFUSED);
    }
    chmod(in("secret"), 0400);
    CHECK(file_read_secret(in("secret"), 10, &content, &error) == 0);
    CHECK(file_read_secret(in("absent"), 10, &content, &error) == -1 && error.code == ERROR_NOT_FOUND);
    unlink(in("secret"));
    buffer_free(&content);
}

static void a_reserved_file_holds_in_the_end_what_was_put_in(void)
{
    int file = file_reserve(in("room"), 0600, 4096, &error);

    CHECK(file >= 0);
    CHECK(file_fill(file, span_of_string("short"), "room", &error) == 0);
    close(file);
    CHECK(holds("room", "short"));
    unlink(in("room"));
}

static void a_replacement_appears_whole_or_not_at_all(void)
{
    struct replacement file;

    CHECK(file_create(in("old"), 0600, span_of_string("old"), &error) == 0);
    CHECK(replacement_open(&file, in("old"), 0600, &error) == 0);
    fputs("new", file.stream);
    fflush(file.stream);
    CHECK(holds("old", "old"));
    replacement_abandon(&file);
    CHECK(holds("old", "old"));
    CHECK(replacement_open(&file, in("old"), 0600, &error) == 0);
    fputs("new", file.stream);
    CHECK(replacement_commit(&file, &error) == 0);
    CHECK(holds("old", "new"));
    CHECK(replacement_open(&file, in("none/x"), 0600, &error) == -1);
    unlink(in("old"));
    /* Nothing is left beside it. */
    CHECK(rmdir(directory) == 0 && mkdir(directory, 0700) == 0);
}

static void only_ordinary_files_are_replaced(void)
{
    struct replacement file;
    struct stat status;

    CHECK(mkfifo(in("pipe"), 0600) == 0);
    CHECK(symlink("pipe", in("link")) == 0);
    CHECK(mkdir(in("folder"), 0700) == 0);
    CHECK(replacement_open(&file, in("pipe"), 0600, &error) == -1 && error.code == ERROR_REFUSED);
    CHECK(replacement_open(&file, in("link"), 0600, &error) == -1 && error.code == ERROR_REFUSED);
    CHECK(replacement_open(&file, in("folder"), 0600, &error) == -1 && error.code == ERROR_REFUSED);
    CHECK(lstat(in("pipe"), &status) == 0 && S_ISFIFO(status.st_mode));
    CHECK(lstat(in("link"), &status) == 0 && S_ISLNK(status.st_mode));
    CHECK(rmdir(in("folder")) == 0 && unlink(in("link")) == 0 && unlink(in("pipe")) == 0);
    /* Nothing is left beside them. */
    CHECK(rmdir(directory) == 0 && mkdir(directory, 0700) == 0);
}

static void undoing_removes_the_last_first(void)
{
    struct undo undo = {0};

    CHECK(mkdir(in("d"), 0700) == 0);
    undo_note(&undo, in("d"));
    CHECK(file_create(in("d/f"), 0600, span_of_string("x"), &error) == 0);
    undo_note(&undo, in("d/f"));
    undo_note(&undo, in("d/never-made"));
    undo_all(&undo);
    CHECK(access(in("d"), F_OK) != 0);
    CHECK(file_create(in("kept"), 0600, span_of_string("x"), &error) == 0);
    undo_note(&undo, in("kept"));
    undo_forget(&undo);
    undo_all(&undo);
    CHECK(access(in("kept"), F_OK) == 0);
    unlink(in("kept"));
}

int main(void)
{
    CHECK(mkdtemp(directory) != NULL);
    RUN(a_new_file_never_replaces_another);
    RUN(reading_is_bounded);
    RUN(a_text_is_utf8);
    RUN(a_secret_that_others_can_read_is_refused);
    RUN(a_reserved_file_holds_in_the_end_what_was_put_in);
    RUN(a_replacement_appears_whole_or_not_at_all);
    RUN(only_ordinary_files_are_replaced);
    RUN(undoing_removes_the_last_first);
    rmdir(directory);
    return test_end();
}
