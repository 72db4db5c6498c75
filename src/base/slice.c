#include "base/slice.h"

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool slice_equal_ignore_case(struct slice a, struct slice b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;
	if (order)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

bool slice_split(struct slice *rest, char separator, struct slice *ret_part)
{
	if (!rest->data)
		return false;
	const char *found = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
	if (!found) {
		*ret_part = *rest;
		*rest = (struct slice) { NULL, 0 };
		return true;
	}
	size_t before = (size_t)(found - rest->data);
	*ret_part = (struct slice) { rest->data, before };
	*rest = slice_skip(*rest, before + 1);
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.size && is_blank(s.data[0]))
		s = slice_skip(s, 1);
	while (s.size && is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

bool slice_to_u64(struct slice s, uint64_t *ret_value)
{
	uint64_t value = 0;
	if (!s.size)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.data[i] - '0');
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) || __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

bool slice_to_i64(struct slice s, int64_t *ret_value)
{
	bool negative = s.size && s.data[0] == '-';
	uint64_t magnitude;
	if (!slice_to_u64(negative ? slice_skip(s, 1) : s, &magnitude))
		return false;
	if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	*ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}
