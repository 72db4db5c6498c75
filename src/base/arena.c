#include "base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_SIZE = 8192 };

struct arena_chunk {
	struct arena_chunk *next;
	alignas(max_align_t) char bytes[];
};

static void *must(void *memory)
{
	if (!memory) {
		fputs("agentpay: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void arena_init(struct arena *arena)
{
	*arena = (struct arena) { 0 };
}

void arena_clean_up(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;
	while (chunk) {
		struct arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	arena_init(arena);
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *kept = arena->chunks;
	if (!kept || arena->capacity != CHUNK_SIZE) {
		arena_clean_up(arena);
		return;
	}
	struct arena rest = { .chunks = kept->next };
	arena_clean_up(&rest);
	kept->next = NULL;
	memset(arena->block, 0, arena->used);
	arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t aligned;
	if (__builtin_add_overflow(size, alignof(max_align_t) - 1, &aligned))
		must(NULL);
	aligned &= ~(alignof(max_align_t) - 1);
	if (aligned > arena->capacity - arena->used) {
		size_t capacity = aligned > CHUNK_SIZE ? aligned : CHUNK_SIZE;
		struct arena_chunk *chunk = must(calloc(1, sizeof *chunk + capacity));
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->block = chunk->bytes;
		arena->capacity = capacity;
		arena->used = 0;
	}
	void *memory = arena->block + arena->used;
	arena->used += aligned;
	return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		must(NULL);
	return arena_alloc(arena, total);
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
	return (struct slice) { arena_text(arena, s), s.size };
}

char *arena_text(struct arena *arena, struct slice s)
{
	char *copy = arena_alloc(arena, s.size + 1);
	if (s.size)
		memcpy(copy, s.data, s.size);
	return copy;
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size < 0)
		must(NULL);
	char *text = arena_alloc(arena, (size_t)size + 1);
	vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	return (struct slice) { text, (size_t)size };
}

void *memory_new(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *memory, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		must(NULL);
	return must(realloc(memory, total ? total : 1));
}

void memory_free(void *memory)
{
	free(memory);
}
