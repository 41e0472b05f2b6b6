#include "base/time.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

#define LAST_SECOND UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */

void time_rfc3339(char out[static RFC3339_SIZE], uint64_t seconds)
{
    time_t t = (time_t)(seconds > LAST_SECOND ? LAST_SECOND : seconds);
    struct tm calendar = {0};
    const struct tm *known = gmtime_r(&t, &calendar);
    size_t size = strftime(out, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &calendar);

    assert(known != NULL && size == RFC3339_SIZE - 1);
}
