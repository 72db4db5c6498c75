#include "identity/identity_store.h"
#include "identity/identity_store_sql.h"

enum status agent_insert(struct sql *sql, const struct agent *agent, const struct sha256 *email_hash)
{
	return sql_execute(sql, &identity_sql_agent_insert,
	        PARAMETERS(SQL_UUID(agent->id.uuid), SQL_TEXT(agent->name), SQL_BLOB(agent->sealed_email),
	                HASH(email_hash), SQL_UUID(agent->owner.uuid), HASH(&agent->secret_hash),
	                SQL_INSTANT(agent->created_at)));
}

static struct agent agent_read(const struct sql_rows *rows, struct arena *arena)
{
	struct agent agent = {
		.id = { sql_column_uuid(rows, 0) },
		.name = sql_column_copy(rows, 1, arena),
		.sealed_email = sql_column_copy(rows, 2, arena),
		.owner = { sql_column_uuid(rows, 3) },
		.status = sql_column_copy(rows, 5, arena),
		.created_at = sql_column_instant(rows, 6),
		.updated_at = sql_column_instant(rows, 7),
	};
	/* A hash of another size matches no secret. */
	struct slice hash = sql_column_bytes(rows, 4);
	if (hash.size == sizeof agent.secret_hash.bytes)
		memcpy(agent.secret_hash.bytes, hash.data, hash.size);
	return agent;
}

static enum status agent_one(struct sql *sql, const struct sql_query *query, struct sql_value key, struct arena *arena,
        struct agent *ret_agent)
{
	struct sql_rows *rows;
	TRY(sql_select(sql, query, &key, 1, &rows));
	bool found = sql_next(rows);
	struct agent agent = { 0 };
	if (found)
		agent = agent_read(rows, arena);
	TRY(sql_end(rows));
	if (!found)
		return ERR_NOT_FOUND;
	*ret_agent = agent;
	return STATUS_OK;
}

enum status agent_by_id(struct sql *sql, struct agent_id id, struct arena *arena, struct agent *ret_agent)
{
	return agent_one(sql, &identity_sql_agent_by_id, SQL_UUID(id.uuid), arena, ret_agent);
}

enum status agent_by_email(
        struct sql *sql, const struct sha256 *email_hash, struct arena *arena, struct agent *ret_agent)
{
	return agent_one(sql, &identity_sql_agent_by_email, HASH(email_hash), arena, ret_agent);
}

enum status agent_list(
        struct sql *sql, const struct page *page, struct arena *arena, struct agent **ret_agents, size_t *ret_count)
{
	struct agent *agents = ARENA_ARRAY(arena, struct agent, page->limit + 1);
	size_t count = 0;
	struct sql_rows *rows;
	TRY(sql_select(sql, &identity_sql_agent_list,
	        PARAMETERS(SQL_INSTANT(page->before_at), SQL_UUID(page->before_id), SQL_INTEGER(page->limit + 1)),
	        &rows));
	while (count <= page->limit && sql_next(rows))
		agents[count++] = agent_read(rows, arena);
	TRY(sql_end(rows));
	*ret_agents = agents;
	*ret_count = count;
	return STATUS_OK;
}

enum status agent_set_status(struct sql *sql, struct agent_id id, struct slice status, int64_t now)
{
	return sql_execute(
	        sql, &identity_sql_agent_set_status, PARAMETERS(SQL_UUID(id.uuid), SQL_TEXT(status), SQL_INSTANT(now)));
}

enum status agent_set_secret(struct sql *sql, struct agent_id id, const struct sha256 *secret_hash, int64_t now)
{
	return sql_execute(sql, &identity_sql_agent_set_secret,
	        PARAMETERS(SQL_UUID(id.uuid), HASH(secret_hash), SQL_INSTANT(now)));
}
