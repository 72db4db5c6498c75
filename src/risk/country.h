/* The country of an IP address, from a MaxMind DB file. */
#pragma once

#include "base/problem.h"
#include "risk/velocity.h"

struct country_database;

/* ERR_IO with a sentence when the file cannot be read or is no such database. */
enum status country_open(struct slice path, struct country_database **ret_database, struct problem *problem);
/* Accepts NULL. */
void country_close(struct country_database *database);

/* Unknown for a private, unlisted or malformed address, for a damaged record and for a NULL database. Safe from many
 * threads. */
struct country_code country_of_address(const struct country_database *database, struct slice ip_address);

/* "KP": false unless exactly two ASCII letters; lower case is taken too. */
bool country_parse(struct slice text, struct country_code *ret_country);
