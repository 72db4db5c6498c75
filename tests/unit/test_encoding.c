#include "testing.h"

#include "base/encoding.h"
#include "base/random.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

/* RFC 4648 section 10, and bytes that use the last two letters. */
static void base64_knows_the_standard_answers(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *base64, *base64url, *hex;
	} rows[] = {
		{ "", "", "", "" },
		{ "f", "Zg==", "Zg", "66" },
		{ "fo", "Zm8=", "Zm8", "666f" },
		{ "foo", "Zm9v", "Zm9v", "666f6f" },
		{ "foob", "Zm9vYg==", "Zm9vYg", "666f6f62" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172" },
		{ "\xfb\xff\xfe", "+//+", "-__-", "fbfffe" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice plain = slice_from(rows[i].plain);
		struct writer out[3] = { writer_growing(&arena), writer_growing(&arena), writer_growing(&arena) };
		char buffer[16];
		size_t size;
		write_base64(&out[0], plain.data, plain.size);
		write_base64url(&out[1], plain.data, plain.size);
		write_hex(&out[2], plain.data, plain.size);
		assert_slice(writer_slice(&out[0]), rows[i].base64);
		assert_slice(writer_slice(&out[1]), rows[i].base64url);
		assert_slice(writer_slice(&out[2]), rows[i].hex);
		assert_true(base64_decode(slice_from(rows[i].base64), buffer, sizeof buffer, &size));
		assert_slice(slice_make(buffer, size), rows[i].plain);
		assert_true(base64url_decode(slice_from(rows[i].base64url), buffer, sizeof buffer, &size));
		assert_slice(slice_make(buffer, size), rows[i].plain);
		assert_true(hex_decode(slice_from(rows[i].hex), buffer, sizeof buffer, &size));
		assert_slice(slice_make(buffer, size), rows[i].plain);
	}
}

static void every_value_has_one_text_only(void **state)
{
	(void)state;
	static const char *base64[] = { "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm8 ", "Zm8=\n",
		" Zm8=", "Z===", "====", "=", "==", "Zg==Zg==", "Z=g=", "-__-", "Zm9v\n", "Zm9v====", "Zm\xc3\xa4" };
	static const char *base64url[] = { "Z", "A", "AAAAA", "Zh", "Zm9", "Zg==", "Zm8=", "Zg ", "\nZg", "+//+",
		"Zm9vY", "Z.", "Zm 8" };
	static const char *hex[] = { "0", "0g", "g0", "0x00", "00 ", " 00", "0:", "/0" };
	char buffer[16];
	size_t size = 99;
	for (size_t i = 0; i < sizeof base64 / sizeof *base64; i++)
		if (base64_decode(slice_from(base64[i]), buffer, sizeof buffer, &size))
			fail_msg("%s is read", base64[i]);
	for (size_t i = 0; i < sizeof base64url / sizeof *base64url; i++)
		if (base64url_decode(slice_from(base64url[i]), buffer, sizeof buffer, &size))
			fail_msg("%s is read", base64url[i]);
	for (size_t i = 0; i < sizeof hex / sizeof *hex; i++)
		if (hex_decode(slice_from(hex[i]), buffer, sizeof buffer, &size))
			fail_msg("%s is read", hex[i]);
	assert_false(hex_decode((struct slice) { "0000", 3 }, buffer, sizeof buffer, &size));
	assert_false(base64url_decode(SLICE("Zm\0v"), buffer, sizeof buffer, &size));
	assert_int_equal(size, 99);
}

static void the_buffer_is_never_exceeded(void **state)
{
	(void)state;
	char buffer[4] = "abc";
	size_t size = 99;
	assert_false(base64_decode(SLICE("Zm9v"), buffer, 2, &size));
	assert_false(base64url_decode(SLICE("Zm9v"), buffer, 2, &size));
	assert_false(base64url_decode(SLICE("Zm8"), buffer, 1, &size));
	assert_false(hex_decode(SLICE("666f6f"), buffer, 2, &size));
	assert_int_equal(buffer[2], 'c');
	assert_int_equal(size, 99);
	assert_true(base64url_decode(SLICE("Zm9v"), buffer, 3, &size));
	assert_int_equal(buffer[3], 0);
}

static void random_bytes_survive(void **state)
{
	(void)state;
	struct seeded seeded = { 4648 };
	for (size_t size = 0; size < 300; size++) {
		unsigned char bytes[300], again[300];
		for (size_t i = 0; i < size; i++)
			bytes[i] = (unsigned char)seeded_next(&seeded);
		struct writer out[3] = { writer_growing(&arena), writer_growing(&arena), writer_growing(&arena) };
		size_t sizes[3] = { 0 };
		write_base64(&out[0], bytes, size);
		assert_true(base64_decode(writer_slice(&out[0]), again, sizeof again, &sizes[0]));
		assert_memory_equal(bytes, again, size);
		write_base64url(&out[1], bytes, size);
		assert_true(base64url_decode(writer_slice(&out[1]), again, sizeof again, &sizes[1]));
		assert_memory_equal(bytes, again, size);
		write_hex(&out[2], bytes, size);
		assert_true(hex_decode(writer_slice(&out[2]), again, sizeof again, &sizes[2]));
		assert_memory_equal(bytes, again, size);
		for (int i = 0; i < 3; i++)
			assert_int_equal(sizes[i], size);
	}
}

static void percent_encoding_goes_both_ways(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool form;
		const char *plain; /* NULL: refused */
	} rows[] = {
		{ "", false, "" },
		{ "a%20b", false, "a b" },
		{ "a+b", false, "a+b" },
		{ "a+b", true, "a b" },
		{ "a%2Bb", true, "a+b" },
		{ "%c3%A4", false, "\xc3\xa4" },
		{ "%25%32%30", false, "%20" },
		{ "%", false, NULL },
		{ "%2", false, NULL },
		{ "a%", true, NULL },
		{ "%2g", false, NULL },
		{ "%%20", false, NULL },
		{ "% 2", false, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice plain = SLICE("untouched");
		bool is_read = percent_decode(slice_from(rows[i].text), rows[i].form, &arena, &plain);
		assert_int_equal(is_read, rows[i].plain != NULL);
		assert_slice(plain, rows[i].plain ? rows[i].plain : "untouched");
	}
	struct writer out = writer_growing(&arena);
	write_percent(&out, SLICE("aZ09-._~ /?&=+%\xc3\xa4"));
	assert_slice(writer_slice(&out), "aZ09-._~%20%2f%3f%26%3d%2b%25%c3%a4");
}

static void utf8_is_well_formed(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_valid;
	} rows[] = {
		{ "", true },
		{ "plain", true },
		{ "\xc2\x80", true },
		{ "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xef\xbf\xbf", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xf0\x9f\x92\xb6!", true },
		{ "\x80", false }, /* a continuation alone */
		{ "\xc2", false }, /* cut off */
		{ "\xc2 ", false },
		{ "\xe2\x82", false },
		{ "\xf0\x9f\x92", false },
		{ "\xc0\x80", false }, /* overlong */
		{ "\xc1\xbf", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false }, /* surrogates */
		{ "\xed\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false }, /* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
		{ "\xff\x80\x80\x80\x80", false },
		{ "\xf8\x88\x80\x80\x80", false },
		{ "\x80\x80\x80\x80\x80", false },
		{ "\xe2\x82\x82\x82", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (utf8_is_valid(slice_from(rows[i].text)) != rows[i].is_valid)
			fail_msg("row %zu", i);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
TESTS(TEST(base64_knows_the_standard_answers), TEST(every_value_has_one_text_only), TEST(the_buffer_is_never_exceeded),
        TEST(random_bytes_survive), TEST(percent_encoding_goes_both_ways), TEST(utf8_is_well_formed))
