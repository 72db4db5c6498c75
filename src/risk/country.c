#include "risk/country.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>

struct country_database {
	MMDB_s file;
};

enum { PATH_MAX_BYTES = 4096 };

enum status country_open(struct slice path, struct country_database **ret_database, struct problem *problem)
{
	char name[PATH_MAX_BYTES];
	if (path.size >= sizeof name)
		return problem_set(problem, ERR_IO, "country_database", "The path is too long.");
	memcpy(name, path.data, path.size);
	name[path.size] = 0;
	struct country_database *database = NEW(struct country_database);
	int outcome = MMDB_open(name, MMDB_MODE_MMAP, &database->file);
	if (outcome != MMDB_SUCCESS) {
		memory_free(database);
		return problem_set(problem, ERR_IO, "country_database", "The country database cannot be opened: %s.",
		        MMDB_strerror(outcome));
	}
	*ret_database = database;
	return STATUS_OK;
}

void country_close(struct country_database *database)
{
	if (!database)
		return;
	MMDB_close(&database->file);
	memory_free(database);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_address(struct slice text, union address *ret_address)
{
	char name[INET6_ADDRSTRLEN];
	if (text.size == 0 || text.size >= sizeof name)
		return false;
	memcpy(name, text.data, text.size);
	name[text.size] = 0;
	*ret_address = (union address) { .v4 = { .sin_family = AF_INET } };
	if (inet_pton(AF_INET, name, &ret_address->v4.sin_addr) == 1)
		return true;
	*ret_address = (union address) { .v6 = { .sin6_family = AF_INET6 } };
	return inet_pton(AF_INET6, name, &ret_address->v6.sin6_addr) == 1;
}

struct country_code country_of_address(const struct country_database *database, struct slice ip_address)
{
	static const char *const path[] = { "country", "iso_code", NULL };
	struct country_code country = { 0 };
	union address address;
	if (!database || !parse_address(ip_address, &address))
		return country;
	/* The tree is of IPv4 addresses alone: another kind is an error to the library, unknown to us. */
	int error = MMDB_SUCCESS;
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&database->file, &address.any, &error);
	if (error != MMDB_SUCCESS || !found.found_entry)
		return country;
	MMDB_entry_data_s data;
	if (MMDB_aget_value(&found.entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
	        data.type != MMDB_DATA_TYPE_UTF8_STRING)
		return country;
	country_parse(slice_make(data.utf8_string, data.data_size), &country);
	return country;
}

bool country_parse(struct slice text, struct country_code *ret_country)
{
	if (text.size != 2)
		return false;
	struct country_code country;
	for (size_t i = 0; i < 2; i++) {
		char upper = (char)(text.data[i] & ~0x20);
		if (upper < 'A' || upper > 'Z')
			return false;
		country.letters[i] = upper;
	}
	*ret_country = country;
	return true;
}
