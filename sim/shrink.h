/*
 * From a world in which something is wrong to the few things that befell it that suffice.
 */
#ifndef LIAISON_SIM_SHRINK_H
#define LIAISON_SIM_SHRINK_H

#include "world.h"

/*
 * `found`: what the world of `orders` came to, with something wrong. Worlds are run again with ever fewer of what
 * befell, as long as the same thing is wrong. `smallest` is what the last of these came to: nothing of what befell it
 * can be left out alone. Returns how many worlds it took.
 */
uint64_t shrink(const struct world_orders *orders, const struct world_result *found, struct world_result *smallest);

#endif
