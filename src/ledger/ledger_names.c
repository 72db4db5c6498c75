#include "ledger/ledger_names.h"

static const char *const types[] = { "asset", "liability", "equity", "revenue", "expense" };
static const char *const states[] = { "open", "closed" };
static const char *const books[] = { "money", "budget" };
static const char *const kinds[] = { "single", "hold", "post", "void", "reversal" };

const char *account_type_name(enum account_type type)
{
	return types[type];
}

const char *account_state_name(enum account_state state)
{
	return states[state];
}

const char *ledger_book_name(enum ledger_book book)
{
	return books[book];
}

const char *transfer_kind_name(enum transfer_kind kind)
{
	return kinds[kind];
}

static bool find(const char *const *names, size_t count, struct slice name, size_t *ret_at)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(name, names[i])) {
			*ret_at = i;
			return true;
		}
	return false;
}

#define PARSE(names, type, ret) \
	size_t at_; \
	if (!find((names), sizeof(names) / sizeof *(names), name, &at_)) \
		return false; \
	*(ret) = (type)at_; \
	return true

bool account_type_parse(struct slice name, enum account_type *ret_type)
{
	PARSE(types, enum account_type, ret_type);
}

bool account_state_parse(struct slice name, enum account_state *ret_state)
{
	PARSE(states, enum account_state, ret_state);
}

bool ledger_book_parse(struct slice name, enum ledger_book *ret_book)
{
	PARSE(books, enum ledger_book, ret_book);
}

bool transfer_kind_parse(struct slice name, enum transfer_kind *ret_kind)
{
	PARSE(kinds, enum transfer_kind, ret_kind);
}
