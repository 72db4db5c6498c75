#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { POOL_SIZE = 512 };

static void from_kernel(void *buffer, size_t size)
{
	char *at = buffer;
	while (size) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			perror("agentpay: getrandom");
			abort();
		}
		at += got;
		size -= (size_t)got;
	}
}

/* Small requests are served from a per-thread pool, so that an identifier does not cost a system call. */
void random_bytes(void *buffer, size_t size)
{
	static _Thread_local unsigned char pool[POOL_SIZE];
	static _Thread_local size_t left;
	if (size > POOL_SIZE / 4) {
		from_kernel(buffer, size);
		return;
	}
	if (left < size) {
		from_kernel(pool, sizeof pool);
		left = sizeof pool;
	}
	left -= size;
	memcpy(buffer, pool + left, size);
	explicit_bzero(pool + left, size);
}

uint64_t seeded_next(struct seeded *seeded)
{
	uint64_t z = (seeded->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t seeded_below(struct seeded *seeded, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)seeded_next(seeded) * bound) >> 64);
}
