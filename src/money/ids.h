/* Identifiers of the domain: a UUID inside, `<prefix>-<uuid>` outside, a C type of its own for each kind.
 * For each row of ids.def: struct payment_id, PAYMENT-prefix in ID_PREFIX_payment, payment_id_new, payment_id_parse,
 * write_payment_id. */
#pragma once

#include "base/uuid.h"

/* `<prefix>-<uuid>`; the prefix must match. */
bool id_parse(struct slice text, const char *prefix, struct uuid *ret_uuid);
void write_id(struct writer *writer, const char *prefix, struct uuid uuid);

#define ID(type, prefix_text) \
	struct type##_id { \
		struct uuid uuid; \
	}; \
	static const char ID_PREFIX_##type[] __attribute__((unused)) = prefix_text; \
	__attribute__((unused)) static inline struct type##_id type##_id_new(void) \
	{ \
		return (struct type##_id) { uuid_new() }; \
	} \
	__attribute__((unused)) static inline bool type##_id_parse(struct slice text, struct type##_id *ret_id) \
	{ \
		return id_parse(text, prefix_text, &ret_id->uuid); \
	} \
	__attribute__((unused)) static inline void write_##type##_id(struct writer *writer, struct type##_id id) \
	{ \
		write_id(writer, prefix_text, id.uuid); \
	}
#include "money/ids.def"
#undef ID
