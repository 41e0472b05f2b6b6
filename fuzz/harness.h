/*
 * What the tests of a room have built, for fuzzers: what they CHECK, must HOLD.
 */
#ifndef LIAISON_FUZZ_HARNESS_H
#define LIAISON_FUZZ_HARNESS_H

#include "fuzz.h"

#define LIAISON_TESTS_TEST_H
#define CHECK(condition) HOLD(condition)

#endif
