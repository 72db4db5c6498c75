#include "platform/sql_postgres_value.h"

#include <arpa/inet.h>

#include "base/clock.h"

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_SECONDS INT64_C(946684800)
#define EPOCH_DAYS (EPOCH_SECONDS / SECONDS_PER_DAY)
#define EPOCH_MICROSECONDS (EPOCH_SECONDS * MICROSECONDS_PER_SECOND)

static struct slice big_endian(int64_t value, size_t size, struct arena *arena)
{
	char *bytes = arena_alloc(arena, size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)((uint64_t)value >> (8 * (size - 1 - i)));
	return slice_make(bytes, size);
}

static int64_t from_big_endian(struct slice bytes)
{
	uint64_t value = bytes.size && (signed char)bytes.data[0] < 0 ? UINT64_MAX : 0;
	for (size_t i = 0; i < bytes.size && i < 8; i++)
		value = value << 8 | (unsigned char)bytes.data[i];
	return (int64_t)value;
}

static bool encode_integer(
        int64_t value, int64_t least, int64_t greatest, size_t size, struct arena *arena, struct slice *ret_bytes)
{
	if (value < least || value > greatest)
		return false;
	*ret_bytes = big_endian(value, size, arena);
	return true;
}

static int64_t floor_days(int64_t at)
{
	return at / MICROSECONDS_PER_DAY - (at % MICROSECONDS_PER_DAY < 0);
}

static bool encode_number(unsigned type, int64_t value, struct arena *arena, struct slice *ret_bytes)
{
	int64_t since;
	switch (type) {
	case PG_BOOL:
		return encode_integer(value != 0, 0, 1, 1, arena, ret_bytes);
	case PG_INT2:
		return encode_integer(value, INT16_MIN, INT16_MAX, 2, arena, ret_bytes);
	case PG_INT4:
		return encode_integer(value, INT32_MIN, INT32_MAX, 4, arena, ret_bytes);
	case PG_INT8:
		return encode_integer(value, INT64_MIN, INT64_MAX, 8, arena, ret_bytes);
	case PG_TIMESTAMP:
	case PG_TIMESTAMPTZ:
		return !__builtin_sub_overflow(value, EPOCH_MICROSECONDS, &since) &&
		       encode_integer(since, INT64_MIN, INT64_MAX, 8, arena, ret_bytes);
	case PG_DATE:
		return encode_integer(floor_days(value) - EPOCH_DAYS, INT32_MIN, INT32_MAX, 4, arena, ret_bytes);
	default:
		return false;
	}
}

static bool is_text(unsigned type)
{
	return type == PG_TEXT || type == PG_VARCHAR || type == PG_BPCHAR || type == PG_NAME || type == PG_JSON;
}

/* Types whose text PostgreSQL reads itself. */
static struct postgres_parameter as_text(struct slice text, struct arena *arena)
{
	return (struct postgres_parameter) { .bytes = { arena_text(arena, text), text.size } };
}

static struct slice value_text(const struct sql_value *value, struct arena *arena)
{
	if (value->type == SQL_IS_TEXT || value->type == SQL_IS_BLOB)
		return value->bytes;
	struct writer writer = writer_growing(arena);
	if (value->type == SQL_IS_UUID)
		write_uuid(&writer, value->uuid);
	else
		write_i64(&writer, value->integer);
	return writer_slice(&writer);
}

static struct slice value_bytes(const struct sql_value *value, struct arena *arena)
{
	if (value->type == SQL_IS_UUID)
		return slice_make(value->uuid.bytes, sizeof value->uuid.bytes);
	struct slice bytes = value_text(value, arena);
	return bytes.data ? bytes : SLICE_EMPTY; /* NULL would store NULL */
}

static bool is_number(const struct sql_value *value)
{
	return value->type == SQL_IS_INTEGER || value->type == SQL_IS_BOOLEAN || value->type == SQL_IS_INSTANT;
}

bool postgres_encode(
        unsigned type, const struct sql_value *value, struct arena *arena, struct postgres_parameter *ret_parameter)
{
	struct postgres_parameter parameter = { .is_binary = true };
	bool is_uuid = type == PG_UUID && (value->type == SQL_IS_UUID || value->type == SQL_IS_BLOB);
	bool is_good = true;
	if (value->type == SQL_IS_NULL)
		parameter.is_binary = false;
	else if (is_uuid || type == PG_BYTEA || (is_text(type) && value->type != SQL_IS_UUID))
		parameter.bytes = value_bytes(value, arena);
	else if (is_number(value) && type != PG_NUMERIC && type != PG_FLOAT4 && type != PG_FLOAT8)
		is_good = encode_number(type, value->integer, arena, &parameter.bytes);
	else
		parameter = as_text(value_text(value, arena), arena);
	if (is_good)
		*ret_parameter = parameter;
	return is_good;
}

static uint16_t word_at(struct slice bytes, size_t index)
{
	const unsigned char *at = (const unsigned char *)bytes.data + 2 * index;
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* numeric: digit count, weight, sign, scale, then digits of base 10000; the fraction is cut off. Sums of BIGINT come
 * so. */
static int64_t numeric_integer(struct slice bytes)
{
	enum { HEAD = 4, NEGATIVE = 0x4000 };
	if (bytes.size < 2 * HEAD)
		return 0;
	int count = (int16_t)word_at(bytes, 0), weight = (int16_t)word_at(bytes, 1);
	bool is_negative = word_at(bytes, 2) == NEGATIVE;
	int64_t value = 0;
	for (int i = 0; i <= weight; i++) {
		int64_t digit =
		        i < count && 2 * (size_t)(HEAD + i) < bytes.size ? word_at(bytes, (size_t)(HEAD + i)) : 0;
		if (__builtin_mul_overflow(value, 10000, &value) ||
		        __builtin_sub_overflow(value, digit, &value)) /* downwards, as INT64_MIN has no opposite */
			return is_negative ? INT64_MIN : INT64_MAX;
	}
	if (is_negative)
		return value;
	return value == INT64_MIN ? INT64_MAX : -value;
}

static int64_t float_integer(unsigned type, struct slice bytes)
{
	uint64_t bits = (uint64_t)from_big_endian(bytes);
	uint32_t low = (uint32_t)bits;
	double value = 0;
	float narrow = 0;
	if (type == PG_FLOAT8) {
		memcpy(&value, &bits, sizeof value);
	} else {
		memcpy(&narrow, &low, sizeof narrow);
		value = (double)narrow;
	}
	return value > -9.2e18 && value < 9.2e18 ? (int64_t)value : 0;
}

int64_t postgres_integer(unsigned type, struct slice bytes)
{
	int64_t value = 0;
	if (type == PG_NUMERIC)
		return numeric_integer(bytes);
	if (type == PG_FLOAT4 || type == PG_FLOAT8)
		return float_integer(type, bytes);
	if (is_text(type))
		return slice_to_i64(bytes, &value) ? value : 0;
	if (type == PG_TIMESTAMP || type == PG_TIMESTAMPTZ || type == PG_DATE)
		return postgres_instant(type, bytes);
	return bytes.size <= 8 ? from_big_endian(bytes) : 0;
}

int64_t postgres_instant(unsigned type, struct slice bytes)
{
	int64_t since = from_big_endian(bytes), at;
	if (type == PG_DATE)
		return (since + EPOCH_DAYS) * MICROSECONDS_PER_DAY;
	if (type != PG_TIMESTAMP && type != PG_TIMESTAMPTZ)
		return postgres_integer(type, bytes);
	return __builtin_add_overflow(since, EPOCH_MICROSECONDS, &at) ? INT64_MAX : at;
}

struct uuid postgres_uuid(unsigned type, struct slice bytes)
{
	struct uuid uuid = { 0 };
	if ((type == PG_UUID || type == PG_BYTEA) && bytes.size == sizeof uuid.bytes)
		memcpy(uuid.bytes, bytes.data, sizeof uuid.bytes);
	return uuid;
}

/* inet: family, prefix length, is it a cidr, address length, address. A prefix that names one host is not shown. */
static struct slice inet_text(struct slice bytes, struct arena *arena)
{
	enum { HEAD = 4, IPV4 = 2 };
	char text[INET6_ADDRSTRLEN];
	if (bytes.size < HEAD)
		return SLICE_EMPTY;
	bool is_v4 = bytes.data[0] == IPV4;
	int bits = (unsigned char)bytes.data[1], all = is_v4 ? 32 : 128;
	if (bytes.size != HEAD + (size_t)all / 8 ||
	        !inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes.data + HEAD, text, sizeof text))
		return SLICE_EMPTY;
	return bits == all ? arena_copy(arena, slice_from(text)) : arena_format(arena, "%s/%d", text, bits);
}

struct slice postgres_bytes(unsigned type, struct slice bytes, struct arena *arena)
{
	enum { JSONB_VERSION_SIZE = 1 };
	switch (type) {
	case PG_JSONB:
		return slice_skip(bytes, JSONB_VERSION_SIZE);
	case PG_INET:
	case PG_CIDR:
		return inet_text(bytes, arena);
	case PG_BOOL:
	case PG_INT2:
	case PG_INT4:
	case PG_INT8:
	case PG_NUMERIC:
	case PG_TIMESTAMP:
	case PG_TIMESTAMPTZ:
	case PG_DATE:
		return arena_format(arena, "%lld", (long long)postgres_integer(type, bytes));
	default:
		return bytes;
	}
}
