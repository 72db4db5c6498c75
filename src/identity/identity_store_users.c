#include "identity/identity_store.h"
#include "identity/identity_store_sql.h"

enum status user_insert(struct sql *sql, const struct user *user, const struct sha256 *email_hash)
{
	return sql_execute(sql, &identity_sql_user_insert,
	        PARAMETERS(SQL_UUID(user->id.uuid), SQL_BLOB(user->sealed_email), HASH(email_hash),
	                SQL_TEXT(user->name), SQL_INTEGER(user->roles), SQL_TEXT(user->status),
	                SQL_TEXT(user->password_hash), SQL_BOOLEAN(user->must_change_password),
	                SQL_INSTANT(user->created_at)));
}

static struct user user_read(const struct sql_rows *rows, struct arena *arena)
{
	return (struct user) {
		.id = { sql_column_uuid(rows, 0) },
		.sealed_email = sql_column_copy(rows, 1, arena),
		.name = sql_column_copy(rows, 2, arena),
		.roles = (unsigned)sql_column_integer(rows, 3),
		.status = sql_column_copy(rows, 4, arena),
		.password_hash = sql_column_copy(rows, 5, arena),
		.must_change_password = sql_column_boolean(rows, 6),
		.created_at = sql_column_instant(rows, 7),
	};
}

static enum status user_one(struct sql *sql, const struct sql_query *query, struct sql_value key, struct arena *arena,
        struct user *ret_user)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, query, &key, 1, &rows));
	bool found = sql_next(rows);
	struct user user = { 0 };
	if (found)
		user = user_read(rows, arena);
	TRY(sql_end(rows));
	if (!found)
		return ERR_NOT_FOUND;
	*ret_user = user;
	return STATUS_OK;
}

enum status user_by_id(struct sql *sql, struct user_id id, struct arena *arena, struct user *ret_user)
{
	return user_one(sql, &identity_sql_user_by_id, SQL_UUID(id.uuid), arena, ret_user);
}

enum status user_by_email(struct sql *sql, const struct sha256 *email_hash, struct arena *arena, struct user *ret_user)
{
	return user_one(sql, &identity_sql_user_by_email, HASH(email_hash), arena, ret_user);
}

enum status user_list(
        struct sql *sql, const struct page *page, struct arena *arena, struct user **ret_users, size_t *ret_count)
{
	struct user *users = ARENA_ARRAY(arena, struct user, page->limit + 1);
	size_t count = 0;
	struct sql_rows *rows;
	TRY(sql_select(sql, &identity_sql_user_list,
	        PARAMETERS(SQL_INSTANT(page->before_at), SQL_UUID(page->before_id), SQL_INTEGER(page->limit + 1)),
	        &rows));
	while (count <= page->limit && sql_next(rows))
		users[count++] = user_read(rows, arena);
	TRY(sql_end(rows));
	*ret_users = users;
	*ret_count = count;
	return STATUS_OK;
}

enum status user_exists(struct sql *sql, bool *ret_exists)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &identity_sql_user_any, NULL, 0, &rows));
	bool exists = sql_next(rows);
	TRY(sql_end(rows));
	*ret_exists = exists;
	return STATUS_OK;
}

enum status user_set_password(
        struct sql *sql, struct user_id id, struct slice password_hash, bool must_change, int64_t now)
{
	return sql_execute(sql, &identity_sql_user_set_password,
	        PARAMETERS(SQL_UUID(id.uuid), SQL_TEXT(password_hash), SQL_BOOLEAN(must_change), SQL_INSTANT(now)));
}

enum status failures_read(struct sql *sql, const struct sha256 *subject, struct login_failures *ret_failures)
{
	struct login_failures failures = { 0 };
	struct sql_rows *rows;
	TRY(sql_select(sql, &identity_sql_failures_read, PARAMETERS(HASH(subject)), &rows));
	if (sql_next(rows))
		failures = (struct login_failures) {
			.failures = sql_column_integer(rows, 0),
			.window_ends_at = sql_column_instant(rows, 1),
			.locked_until = sql_column_instant(rows, 2),
		};
	TRY(sql_end(rows));
	*ret_failures = failures;
	return STATUS_OK;
}

enum status failures_write(
        struct sql *sql, const struct sha256 *subject, const struct login_failures *failures, int64_t now)
{
	TRY(sql_execute(sql, &identity_sql_failures_forget, PARAMETERS(SQL_INSTANT(now))));
	return sql_execute(sql, &identity_sql_failures_write,
	        PARAMETERS(HASH(subject), SQL_INTEGER(failures->failures), SQL_INSTANT(failures->window_ends_at),
	                SQL_INSTANT_OR_NULL(failures->locked_until)));
}

enum status failures_clear(struct sql *sql, const struct sha256 *subject)
{
	return sql_execute(sql, &identity_sql_failures_clear, PARAMETERS(HASH(subject)));
}
