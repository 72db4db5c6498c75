/* The address that the HTTP server will listen on, known before it listens. */
#pragma once

#include "base/arena.h"

/* "HOST:0" with a port that is free now; any other address as it is. */
struct slice listen_address_choose(struct slice listen, struct arena *arena);

/* The URL under which this machine reaches that address: the loopback address when it is a wildcard. */
struct slice listen_address_url(struct slice listen, struct arena *arena);
