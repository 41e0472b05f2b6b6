#include "cli/office.h"

#include "test.h"

static bool choose(const char *given, const char *variable, const char *system, const char *data, const char *home,
                   const char *expected)
{
    struct office_places places = {given, variable, system, data, home};
    struct office office;
    struct error error = {0};

    if (office_choose(&office, &places, &error) != 0)
        return expected == NULL && error.message[0] != '\0';
    if (expected == NULL || strcmp(office.directory, expected) != 0)
        printf("# %s\n", office.directory);
    return expected != NULL && strcmp(office.directory, expected) == 0 && office.looked[0] != '\0';
}

static void places_are_looked_at_in_order(void)
{
    CHECK(choose("g", "v", "/s", "/d", "/h", "g"));
    CHECK(choose(NULL, "v", "/s", "/d", "/h", "v"));
    CHECK(choose(NULL, NULL, "/s", "/d", "/h", "/s"));
    CHECK(choose(NULL, NULL, NULL, "/d", "/h", "/d/liaison"));
    CHECK(choose(NULL, NULL, NULL, NULL, "/h", "/h/.local/share/liaison"));
}

static void what_is_empty_counts_as_not_set(void)
{
    CHECK(choose(NULL, "", "/s", "/d", "/h", "/s"));
    CHECK(choose(NULL, NULL, NULL, "", "/h", "/h/.local/share/liaison"));
    CHECK(choose(NULL, NULL, NULL, "relative", "/h", "/h/.local/share/liaison"));
    CHECK(choose("", "v", "/s", "/d", "/h", NULL));
    CHECK(choose(NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK(choose(NULL, NULL, NULL, NULL, "", NULL));
}

static void slashes_at_the_end_are_dropped(void)
{
    CHECK(choose("g/", NULL, NULL, NULL, NULL, "g"));
    CHECK(choose("/a/b///", NULL, NULL, NULL, NULL, "/a/b"));
    CHECK(choose("/", NULL, NULL, NULL, NULL, "/"));
}

static void a_path_beyond_the_systems_limit_is_refused(void)
{
    static char path[PATH_MAX + 1];
    struct office office = {.directory = "g"};
    struct error error = {0};
    char file[8];

    memset(path, 'a', PATH_MAX);
    CHECK(choose(path, NULL, NULL, NULL, NULL, NULL));
    CHECK(office_path(&office, "123456", file, sizeof file, &error) == -1);
    CHECK(office_path(&office, "12345", file, sizeof file, &error) == 0 && strcmp(file, "g/12345") == 0);
}

int main(void)
{
    RUN(places_are_looked_at_in_order);
    RUN(what_is_empty_counts_as_not_set);
    RUN(slashes_at_the_end_are_dropped);
    RUN(a_path_beyond_the_systems_limit_is_refused);
    return test_end();
}
