/* The outcome of everything that can fail. One row per error in errors.def: enum, HTTP status, retry class and
 * sentence. Outputs (`ret_...`) are untouched unless the status is STATUS_OK. */
#pragma once

#include <stdbool.h>

/* Clang checks every call that returns a status; GCC knows the attribute on functions only. */
#ifdef __clang__
#define MUST_CHECK __attribute__((warn_unused_result))
#else
#define MUST_CHECK
#endif

enum MUST_CHECK status {
	STATUS_OK = 0,
#define ERROR(name, http, retry, sentence) ERR_##name,
#include "base/errors.def"
#undef ERROR
	STATUS_COUNT
};

/* What a client may do about an error. */
enum retry_class {
	RETRY_NEVER, /* the same request will fail again */
	RETRY_LATER, /* the same request may succeed later; safe with the same Idempotency-Key */
};

/* The stable code in problem+json and logs: lower-case name of the row, "ok" for STATUS_OK. */
const char *status_code(enum status status);
/* The HTTP status of the row; 200 for STATUS_OK. */
int status_http(enum status status);
enum retry_class status_retry(enum status status);
/* One English sentence. */
const char *status_sentence(enum status status);
/* The status with this code, as another process sent it; ERR_INTERNAL when unknown. */
enum status status_from_code(const char *code, unsigned long size);

/* The only macro that hides control flow: hand a failure up. */
#define TRY(expression) \
	do { \
		enum status try_ = (expression); \
		if (try_ != STATUS_OK) \
			return try_; \
	} while (0)
