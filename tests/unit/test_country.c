#include "testing.h"

#include <dirent.h>
#include <stdio.h>

#include "risk/country.h"

/* The databases that others published stand beside the source tree; see vectors.h. */
static struct slice data_path(struct arena *arena, const char *name)
{
	const char *shared = getenv("AGENTPAY_SHARED"), *source = getenv("AGENTPAY_SOURCE");
	return shared ? arena_format(arena, "%s/data/geo/%s", shared, name)
	              : arena_format(arena, "%s/../shared/data/geo/%s", source ? source : ".", name);
}

static DIR *open_folder(struct arena *arena, const char *name)
{
	const char *ci = getenv("CI"), *path = arena_text(arena, data_path(arena, name));
	DIR *folder = opendir(path);
	if (!folder && ci && strcmp(ci, "true") == 0)
		fail_msg("no test data: %s", path);
	if (!folder) {
		print_message("no test data: %s\n", path);
		arena_clean_up(arena);
		skip();
	}
	return folder;
}

static void addresses_have_their_country(void **state)
{
	(void)state;
	static const struct {
		const char *address, *country;
	} rows[] = {
		{ "2.125.160.216", "GB" },
		{ "81.2.69.160", "GB" },
		{ "89.160.20.112", "SE" },
		{ "216.160.83.56", "US" },
		{ "2001:218::1", "JP" },
		{ "::ffff:89.160.20.112", "SE" },
		{ "127.0.0.1", "" },
		{ "1.1.1.1", "" },
		{ "", "" },
		{ "not an address", "" },
		{ "89.160.20", "" },
		{ "89.160.20.112.89.160.20.112.89.160.20.112.89.160.20.112", "" },
	};
	struct arena arena = { 0 };
	closedir(open_folder(&arena, "mmdb"));
	struct country_database *database;
	struct problem problem = { 0 };
	if (country_open(data_path(&arena, "mmdb/GeoIP2-Country-Test.mmdb"), &database, &problem) != STATUS_OK)
		fail_msg("%s", problem.detail);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct country_code country = country_of_address(database, slice_from(rows[i].address));
		char text[3] = { country.letters[0], country.letters[1], 0 };
		if (strcmp(text, rows[i].country) != 0)
			fail_msg("%s is in %s, not %s", rows[i].address, rows[i].country, text);
	}
	country_close(database);
	assert_false(country_is_known(country_of_address(NULL, SLICE("89.160.20.112"))));
	arena_clean_up(&arena);
}

/* Opens every file and asks for addresses all over the space: an error or no country, never a crash. */
static size_t ask_all(const char *folder_name)
{
	struct arena arena = { 0 };
	size_t files = 0;
	DIR *folder = open_folder(&arena, folder_name);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		struct slice path = arena_format(&arena, "%s/%s", folder_name, entry->d_name);
		struct country_database *database;
		struct problem problem = { 0 };
		files++;
		enum status status = country_open(data_path(&arena, arena_text(&arena, path)), &database, &problem);
		if (status != STATUS_OK) {
			assert_status(status, ERR_IO);
			assert_true(strlen(problem.detail) > 0);
			continue;
		}
		for (int i = 0; i < 256; i++) {
			country_of_address(database, arena_format(&arena, "%d.%d.0.1", i, i * 7 % 256));
			country_of_address(database, arena_format(&arena, "%x::1", i * 257));
		}
		country_close(database);
	}
	closedir(folder);
	arena_clean_up(&arena);
	return files;
}

static void damaged_databases_do_no_harm(void **state)
{
	(void)state;
	assert_true(ask_all("bad-data") >= 20);
	assert_true(ask_all("mmdb") >= 20);
}

static void codes_are_two_letters(void **state)
{
	(void)state;
	struct country_code country;
	assert_true(country_parse(SLICE("kp"), &country));
	assert_true(country_equal(country, (struct country_code) { { 'K', 'P' } }));
	static const char *const wrong[] = { "", "K", "KPX", "K1", "\xc3\x84" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(country_parse(slice_from(wrong[i]), &country));
}

TESTS(cmocka_unit_test(addresses_have_their_country), cmocka_unit_test(damaged_databases_do_no_harm),
        cmocka_unit_test(codes_are_two_letters))
