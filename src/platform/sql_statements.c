#include "platform/sql_engine.h"

enum { FIRST_CAPACITY = 64 };

static size_t slot_of(const struct sql_statements *statements, const char *text)
{
	uint64_t hash = (uint64_t)(uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash >> 32) & (statements->capacity - 1);
	while (statements->slots[at].text && statements->slots[at].text != text)
		at = (at + 1) & (statements->capacity - 1);
	return at;
}

void *sql_statements_find(const struct sql_statements *statements, const char *text)
{
	return statements->capacity ? statements->slots[slot_of(statements, text)].prepared : NULL;
}

static void grow(struct sql_statements *statements)
{
	struct sql_statements larger = { .capacity = statements->capacity ? statements->capacity * 2 : FIRST_CAPACITY };
	larger.slots = memory_new(larger.capacity, sizeof *larger.slots);
	for (size_t i = 0; i < statements->capacity; i++)
		if (statements->slots[i].text)
			larger.slots[slot_of(&larger, statements->slots[i].text)] = statements->slots[i];
	larger.count = statements->count;
	memory_free(statements->slots);
	*statements = larger;
}

void sql_statements_add(struct sql_statements *statements, const char *text, void *prepared)
{
	if (statements->count * 2 >= statements->capacity)
		grow(statements);
	statements->slots[slot_of(statements, text)] = (struct sql_statement) { text, prepared };
	statements->count++;
}

void sql_statements_clear(struct sql_statements *statements, void (*forget)(void *prepared))
{
	for (size_t i = 0; i < statements->capacity; i++)
		if (statements->slots[i].text)
			forget(statements->slots[i].prepared);
	memory_free(statements->slots);
	*statements = (struct sql_statements) { 0 };
}
