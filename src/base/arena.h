/* Memory with one lifetime: everything allocated from an arena is freed together.
 * A request owns one; nothing taken from it may outlive the request. */
#pragma once

#include "base/slice.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	size_t used;
	size_t capacity;
	char *block;
};

/* An empty arena allocates nothing until it is used: `struct arena a = {0};` is valid. */
void arena_init(struct arena *arena);

/* Frees all that was allocated; the arena is empty again and can be used on. */
void arena_clean_up(struct arena *arena);

/* Empty again as well, but keeps a block of the usual size for the next use: for arenas that serve one request after
 * the other. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any type. Never NULL: every caller's size is bounded by a limit at the door,
 * so running out is our bug or the machine's end, and the process stops with a message. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2)));

/* An array of zeroed elements; the product is overflow-checked. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

/* A copy that lives in the arena. */
struct slice arena_copy(struct arena *arena, struct slice s);

/* A NUL-terminated copy for OS and library borders. A NUL byte inside stays: the receiver sees a shorter text. */
char *arena_text(struct arena *arena, struct slice s) __attribute__((returns_nonnull));

/* printf into the arena. */
struct slice arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Process-lifetime memory, made in wiring and freed with memory_free in the destructors. Zeroed, never NULL. */
void *memory_new(size_t count, size_t size) __attribute__((returns_nonnull));
/* Grows or shrinks; new bytes are not zeroed. Never NULL. */
void *memory_resize(void *memory, size_t count, size_t size) __attribute__((returns_nonnull));
/* Accepts NULL. */
void memory_free(void *memory);

#define NEW(type) ((type *)memory_new(1, sizeof(type)))
