/* What the identity_store_*.c files share: the queries and how parameters are handed to them. */
#pragma once

#include "identity_sql.h"

/* Values and their count, the last two arguments of sql_execute and the middle ones of sql_select. */
#define PARAMETERS(...) \
	(const struct sql_value[]) { __VA_ARGS__ }, \
	        sizeof((const struct sql_value[]) { __VA_ARGS__ }) / sizeof(struct sql_value)

#define HASH(hash) SQL_BLOB(slice_make((hash)->bytes, SHA256_SIZE))
