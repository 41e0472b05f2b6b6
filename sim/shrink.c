#include "shrink.h"

#include <stdlib.h>
#include <string.h>

struct search {
    struct world_orders orders;
    const char *wrong;
    uint64_t worlds;
    struct world_result *smallest, *tried;
    uint64_t kept[BEFALLEN_MAX]; /* what is tried */
};

/* Runs a world without `left_out` of the smallest one's from `from` on; if the same is wrong, it is the smallest. */
static bool try_without(struct search *search, size_t from, size_t left_out)
{
    const struct world_result *smallest = search->smallest;
    size_t count = 0;

    for (size_t i = 0; i < smallest->befallen_count; i++)
        if (i < from || i >= from + left_out)
            search->kept[count++] = smallest->befallen[i].number;
    search->orders.only = true;
    search->orders.number = search->kept;
    search->orders.count = count;
    world_run(&search->orders, search->tried);
    search->worlds++;
    if (search->tried->wrong != search->wrong)
        return false;
    memcpy(search->smallest, search->tried, sizeof *search->smallest);
    return true;
}

/* Zeller's and Hildebrandt's ddmin, with complements alone: parts are left out, at first large ones, then single ones
 * until none can be. */
uint64_t shrink(const struct world_orders *orders, const struct world_result *found, struct world_result *smallest)
{
    struct search *search = calloc(1, sizeof *search);
    uint64_t worlds = 0;
    size_t part = 0;
    bool less = true;

    memcpy(smallest, found, sizeof *smallest);
    if (search == NULL || (search->tried = malloc(sizeof *search->tried)) == NULL)
        abort();
    search->orders = *orders;
    search->orders.print_events = false;
    search->wrong = found->wrong;
    search->smallest = smallest;
    for (part = (smallest->befallen_count + 1) / 2; part > 0; part = part > 1 || !less ? part / 2 : 1) {
        less = false;
        for (size_t from = 0; from < smallest->befallen_count;) {
            if (try_without(search, from, part))
                less = true;
            else
                from += part;
        }
    }
    worlds = search->worlds;
    free(search->tried);
    free(search);
    return worlds;
}
