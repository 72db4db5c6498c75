#include "base/encoding.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct writer *writer, const unsigned char *bytes, size_t size, const char *letters, bool padded)
{
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
		                 (left > 2 ? bytes[i + 2] : 0);
		char out[4] = { letters[group >> 18], letters[group >> 12 & 63], letters[group >> 6 & 63],
			letters[group & 63] };
		size_t used = left > 2 ? 4 : left + 1;
		write_bytes(writer, out, used);
		if (padded)
			write_bytes(writer, "==", 4 - used);
	}
}

void write_base64(struct writer *writer, const void *data, size_t size)
{
	encode(writer, data, size, alphabet, true);
}

void write_base64url(struct writer *writer, const void *data, size_t size)
{
	encode(writer, data, size, url_alphabet, false);
}

static int letter_value(char c, const char *letters)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == letters[62] ? 62 : c == letters[63] ? 63 : -1;
}

/* Unpadded text; trailing bits must be zero, so that every value has exactly one text. */
static bool decode(struct slice text, const char *letters, unsigned char *out, size_t capacity, size_t *ret_size)
{
	size_t rest = text.size % 4;
	size_t size = text.size / 4 * 3 + (rest ? rest - 1 : 0);
	uint32_t bits = 0;
	unsigned count = 0;
	size_t at = 0;
	if (rest == 1 || size > capacity)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		int value = letter_value(text.data[i], letters);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[at++] = (unsigned char)(bits >> count);
			bits &= (1u << count) - 1;
		}
	}
	if (bits)
		return false;
	*ret_size = size;
	return true;
}

bool base64url_decode(struct slice text, void *buffer, size_t capacity, size_t *ret_size)
{
	return decode(text, url_alphabet, buffer, capacity, ret_size);
}

bool base64_decode(struct slice text, void *buffer, size_t capacity, size_t *ret_size)
{
	if (text.size % 4)
		return false;
	for (int i = 0; i < 2 && text.size && text.data[text.size - 1] == '='; i++)
		text.size--;
	return decode(text, alphabet, buffer, capacity, ret_size);
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct slice text, void *buffer, size_t capacity, size_t *ret_size)
{
	unsigned char *out = buffer;
	if (text.size % 2 || text.size / 2 > capacity)
		return false;
	for (size_t i = 0; i < text.size; i += 2) {
		int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (unsigned char)(high << 4 | low);
	}
	*ret_size = text.size / 2;
	return true;
}

bool percent_decode(struct slice text, bool form, struct arena *arena, struct slice *ret_text)
{
	char *out = arena_alloc(arena, text.size + 1);
	size_t at = 0;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c == '%') {
			size_t one;
			if (text.size - i < 3 || !hex_decode((struct slice) { text.data + i + 1, 2 }, &c, 1, &one))
				return false;
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		out[at++] = c;
	}
	*ret_text = (struct slice) { out, at };
	return true;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void write_percent(struct writer *writer, struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (is_unreserved(text.data[i])) {
			write_char(writer, text.data[i]);
		} else {
			write_char(writer, '%');
			write_hex(writer, text.data + i, 1);
		}
	}
}

bool utf8_is_valid(struct slice text)
{
	const unsigned char *bytes = (const unsigned char *)text.data;
	size_t i = 0;
	while (i < text.size) {
		unsigned char first = bytes[i];
		size_t more = first < 0x80                    ? 0
		              : first >= 0xc2 && first < 0xe0 ? 1
		              : first >= 0xe0 && first < 0xf0 ? 2
		              : first >= 0xf0 && first < 0xf5 ? 3
		                                              : 4;
		if (more == 4 || text.size - i <= more)
			return false;
		for (size_t k = 1; k <= more; k++)
			if ((bytes[i + k] & 0xc0) != 0x80)
				return false;
		if ((first == 0xe0 && bytes[i + 1] < 0xa0) || (first == 0xed && bytes[i + 1] > 0x9f) ||
		        (first == 0xf0 && bytes[i + 1] < 0x90) || (first == 0xf4 && bytes[i + 1] > 0x8f))
			return false;
		i += more + 1;
	}
	return true;
}
