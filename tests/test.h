/*
 * The test harness: each test file is a program that prints one TAP line a case (ok, not ok, ok # SKIP), which
 * ./check counts, and exits 1 if a case failed.
 */
#ifndef LIAISON_TESTS_TEST_H
#define LIAISON_TESTS_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool test_case_failed;
static int test_failures;

/* Checks a condition; the case goes on, so that one run shows all that is wrong. */
#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            test_case_failed = true;                                                  \
            printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
        }                                                                             \
    } while (0)

/* Runs one case, a function without arguments whose name says what must be true. */
#define RUN(function)                                                                 \
    do {                                                                              \
        test_case_failed = false;                                                     \
        function();                                                                   \
        test_failures += test_case_failed;                                            \
        printf("%s - %s: %s\n", test_case_failed ? "not ok" : "ok", TEST_NAME, #function); \
        fflush(stdout);                                                               \
    } while (0)

/* Says that a case could not be run, and why. It is counted as skipped, never as passed. */
#define SKIP(name, reason) printf("ok - %s: %s # SKIP %s\n", TEST_NAME, name, reason)

/* What draws from seeds tries this share of them: fewer where a sanitizer makes each take several times as long. */
#ifdef __SANITIZE_ADDRESS__
#define TEST_SHARE 5
#else
#define TEST_SHARE 1
#endif

static inline int test_end(void)
{
    return test_failures > 0 ? 1 : 0;
}

#endif
