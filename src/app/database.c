#include "app/database.h"

#include "app/folder.h"
#include "app_sql.h"

static bool is_known(const struct migration_list *migrations, struct slice service, int64_t number)
{
	for (size_t i = 0; i < migrations->count; i++)
		for (size_t k = 0; k < migrations->lists[i]->count; k++) {
			const struct sql_migration *row = &migrations->lists[i]->rows[k];
			if (row->number == number && slice_is(service, row->service))
				return true;
		}
	return false;
}

static enum status refuse_newer(struct sql *sql, const struct migration_list *migrations, struct problem *problem)
{
	struct sql_rows *rows;
	enum status status = STATUS_OK;
	TRY(sql_select(sql, &migrations_applied, NULL, 0, &rows));
	while (status == STATUS_OK && sql_next(rows)) {
		struct slice service = sql_column_bytes(rows, 0);
		int64_t number = sql_column_integer(rows, 1);
		if (!is_known(migrations, service, number))
			status = problem_set(problem, ERR_DATABASE_CORRUPT, "",
			        "the database has migration %lld of %.*s, which this program does not know: it belongs "
			        "to a newer agentpay; use that one",
			        (long long)number, SLICE_ARGS(service));
	}
	enum status ended = sql_end(rows);
	return status != STATUS_OK ? status : ended;
}

static enum status migrate(struct sql *sql, const struct migration_list *migrations, struct problem *problem)
{
	for (size_t i = 0; i < migrations->count; i++)
		TRY(sql_migrate(sql, migrations->lists[i], problem));
	return refuse_newer(sql, migrations, problem);
}

enum status database_prepare(struct slice url, const struct migration_list *migrations, struct problem *problem)
{
	struct sql *sql;
	TRY(folder_make_for_database(url, problem));
	TRY(sql_open(url, &sql, problem));
	enum status status = migrate(sql, migrations, problem);
	sql_close(sql);
	return status;
}
