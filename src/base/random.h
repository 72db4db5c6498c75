/* Randomness from the kernel, for keys, tokens and identifiers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Fills the buffer; the process stops if the kernel cannot give randomness. */
void random_bytes(void *buffer, size_t size);

/* A reproducible stream for simulations and tests, never for secrets (SplitMix64). */
struct seeded {
	uint64_t state;
};
uint64_t seeded_next(struct seeded *seeded);
/* Uniform enough in [0, bound); bound > 0. */
uint64_t seeded_below(struct seeded *seeded, uint64_t bound);
