#include "identity/identity_store.h"
#include "identity/identity_store_sql.h"

enum status session_insert(struct sql *sql, const struct session *session, int64_t now)
{
	TRY(sql_execute(sql, &identity_sql_refresh_forget, PARAMETERS(SQL_UUID(session->user.uuid), SQL_INSTANT(now))));
	TRY(sql_execute(sql, &identity_sql_session_forget, PARAMETERS(SQL_UUID(session->user.uuid), SQL_INSTANT(now))));
	return sql_execute(sql, &identity_sql_session_insert,
	        PARAMETERS(SQL_UUID(session->id.uuid), SQL_UUID(session->user.uuid), SQL_INSTANT(now),
	                SQL_INSTANT(session->expires_at)));
}

enum status session_by_id(struct sql *sql, struct session_id id, struct session *ret_session)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &identity_sql_session_by_id, PARAMETERS(SQL_UUID(id.uuid)), &rows));
	bool found = sql_next(rows);
	struct session session = { .id = id };
	if (found) {
		session.user = (struct user_id) { sql_column_uuid(rows, 0) };
		session.expires_at = sql_column_instant(rows, 1);
		session.revoked_at = sql_column_instant(rows, 2);
		session.user_is_active = slice_is(sql_column_bytes(rows, 3), "active");
	}
	TRY(sql_end(rows));
	if (!found)
		return ERR_NOT_FOUND;
	*ret_session = session;
	return STATUS_OK;
}

enum status session_revoke(struct sql *sql, struct session_id id, int64_t now)
{
	return sql_execute(sql, &identity_sql_session_revoke, PARAMETERS(SQL_UUID(id.uuid), SQL_INSTANT(now)));
}

enum status session_revoke_others(struct sql *sql, struct user_id user, struct session_id kept, int64_t now)
{
	return sql_execute(sql, &identity_sql_session_revoke_others,
	        PARAMETERS(SQL_UUID(user.uuid), SQL_UUID(kept.uuid), SQL_INSTANT(now)));
}

enum status refresh_insert(struct sql *sql, const struct sha256 *token_hash, struct session_id session, int64_t now)
{
	return sql_execute(sql, &identity_sql_refresh_insert,
	        PARAMETERS(HASH(token_hash), SQL_UUID(session.uuid), SQL_INSTANT(now)));
}

enum status refresh_by_hash(
        struct sql *sql, const struct sha256 *token_hash, struct session_id *ret_session, bool *ret_used)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, &identity_sql_refresh_by_hash, PARAMETERS(HASH(token_hash)), &rows));
	bool found = sql_next(rows);
	struct session_id session = { { { 0 } } };
	bool used = false;
	if (found) {
		session = (struct session_id) { sql_column_uuid(rows, 0) };
		used = !sql_column_is_null(rows, 1);
	}
	TRY(sql_end(rows));
	if (!found)
		return ERR_NOT_FOUND;
	*ret_session = session;
	*ret_used = used;
	return STATUS_OK;
}

enum status refresh_use(struct sql *sql, const struct sha256 *token_hash, int64_t now)
{
	return sql_execute(sql, &identity_sql_refresh_use, PARAMETERS(HASH(token_hash), SQL_INSTANT(now)));
}
