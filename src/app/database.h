/* Bringing a database to the form that this program knows. */
#pragma once

#include "app/services.h"

/* Makes the file's folder, opens the database, applies what is missing and refuses a database that a newer program has
 * changed (ERR_DATABASE_CORRUPT). The problem's detail is one sentence for a person. */
enum status database_prepare(struct slice url, const struct migration_list *migrations, struct problem *problem);
