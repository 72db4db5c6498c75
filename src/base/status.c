#include "base/status.h"

#include <string.h>

static const struct {
	const char *code;
	int http;
	enum retry_class retry;
	const char *sentence;
} rows[STATUS_COUNT] = {
	[STATUS_OK] = { "OK", 200, RETRY_NEVER, "Done." },
#define ERROR(name, http, retry, sentence) [ERR_##name] = { #name, http, RETRY_##retry, sentence },
#include "base/errors.def"
#undef ERROR
};

enum { CODE_MAX = 32 };
static char codes[STATUS_COUNT][CODE_MAX];

/* Lower-case codes are made once, before main: the table above stays the only place a name is written. */
__attribute__((constructor)) static void make_codes(void)
{
	for (int row = 0; row < STATUS_COUNT; row++)
		for (int i = 0; i < CODE_MAX - 1 && rows[row].code[i]; i++) {
			char c = rows[row].code[i];
			codes[row][i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		}
}

const char *status_code(enum status status)
{
	return codes[status];
}

int status_http(enum status status)
{
	return rows[status].http;
}

enum retry_class status_retry(enum status status)
{
	return rows[status].retry;
}

const char *status_sentence(enum status status)
{
	return rows[status].sentence;
}

enum status status_from_code(const char *code, unsigned long size)
{
	for (int row = 0; row < STATUS_COUNT; row++)
		if (strlen(codes[row]) == size && memcmp(codes[row], code, size) == 0)
			return (enum status)row;
	return ERR_INTERNAL;
}
