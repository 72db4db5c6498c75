/* How PostgreSQL sends and stores values (binary format of its types), without any library. */
#pragma once

#include "platform/sql.h"

/* Object ids of built-in types; fixed for ever in pg_type.dat. */
enum postgres_type {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_NAME = 19,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_JSON = 114,
	PG_CIDR = 650,
	PG_FLOAT4 = 700,
	PG_FLOAT8 = 701,
	PG_INET = 869,
	PG_BPCHAR = 1042,
	PG_VARCHAR = 1043,
	PG_DATE = 1082,
	PG_TIMESTAMP = 1114,
	PG_TIMESTAMPTZ = 1184,
	PG_NUMERIC = 1700,
	PG_UUID = 2950,
	PG_JSONB = 3802,
};

/* A parameter as it is sent. `bytes.data` is NULL for NULL; it lives in the value or the arena. */
struct postgres_parameter {
	struct slice bytes;
	bool is_binary;
};

/* False when the value does not fit the type. */
bool postgres_encode(
        unsigned type, const struct sql_value *value, struct arena *arena, struct postgres_parameter *ret_parameter);

/* Values of a result in binary format. What cannot be read so is 0, empty, nil. */
int64_t postgres_integer(unsigned type, struct slice bytes);
int64_t postgres_instant(unsigned type, struct slice bytes);
struct uuid postgres_uuid(unsigned type, struct slice bytes);
/* Text for numbers and addresses, in the arena. */
struct slice postgres_bytes(unsigned type, struct slice bytes, struct arena *arena);
