#include "ledger/ledger_client.h"

#include "ledger/ledger_json.h"

struct ledger_client {
	struct neighbour *neighbour;
	struct committer *committer;
};

struct ledger_client *ledger_client_new(struct neighbour *neighbour, struct committer *committer)
{
	struct ledger_client *client = NEW(struct ledger_client);
	client->neighbour = neighbour;
	client->committer = committer;
	return client;
}

void ledger_client_free(struct ledger_client *client)
{
	memory_free(client);
}

/* The refused transfer's place comes back as the problem's parameter "transfers[3]". */
static size_t refused_index(const struct problem *problem)
{
	struct slice param = slice_from(problem->param), head = SLICE("transfers[");
	uint64_t index;
	if (!slice_starts_with(param, head) || param.data[param.size - 1] != ']')
		return 0;
	struct slice digits = { param.data + head.size, param.size - head.size - 1 };
	return slice_to_u64(digits, &index) && index < LEDGER_GROUP_MAX ? (size_t)index : 0;
}

static enum status post_group(
        struct ledger_client *client, const struct ledger_group *group, struct arena *arena, struct problem *problem)
{
	struct writer body = writer_growing(arena);
	const struct json *answer;
	ledger_json_group(&body, group);
	return neighbour_post(
	        client->neighbour, "/internal/v1/ledger/post", writer_slice(&body), arena, &answer, problem);
}

/* The neighbour takes the actor from the headers of the current request. */
static enum status client_post(void *self, const struct actor *actor, const struct ledger_group *group,
        const struct commit_rider *rider, struct ledger_refusal *refusal)
{
	struct ledger_client *client = self;
	struct problem problem = { 0 };
	struct arena arena = { 0 };
	(void)actor;
	enum status status = post_group(client, group, &arena, &problem);
	arena_clean_up(&arena);
	if (refusal)
		refusal->index = refused_index(&problem);
	TRY(status);
	return rider && rider->write ? committer_run(client->committer, rider->write, rider->arg) : STATUS_OK;
}

static enum status client_account_get(
        void *self, struct account_id id, struct arena *arena, struct ledger_account *ret_account)
{
	struct ledger_client *client = self;
	struct writer body = writer_growing(arena);
	struct json_writer json = { .out = &body };
	const struct json *answer;
	struct ledger_account account;
	json_object_open(&json);
	json_key_id(&json, "account_id", ID_PREFIX_account, id.uuid);
	json_object_close(&json);
	TRY(neighbour_post(
	        client->neighbour, "/internal/v1/ledger/account_get", writer_slice(&body), arena, &answer, NULL));
	TRY(ledger_json_read_account(answer, arena, &account));
	*ret_account = account;
	return STATUS_OK;
}

static enum status of_agent(struct ledger_client *client, struct agent_id agent, enum currency currency,
        struct arena *arena, struct account_id *ret_account)
{
	struct writer body = writer_growing(arena);
	struct json_writer json = { .out = &body };
	const struct json *answer, *id;
	json_object_open(&json);
	json_key_id(&json, "agent_id", ID_PREFIX_agent, agent.uuid);
	json_key_text(&json, "currency", slice_from(currency_code(currency)));
	json_object_close(&json);
	TRY(neighbour_post(
	        client->neighbour, "/internal/v1/ledger/account_of_agent", writer_slice(&body), arena, &answer, NULL));
	id = json_member(answer, "account_id");
	return id && account_id_parse(id->text, ret_account) ? STATUS_OK : ERR_NEIGHBOUR_UNAVAILABLE;
}

static enum status client_account_of_agent(
        void *self, struct agent_id agent, enum currency currency, struct account_id *ret_account)
{
	struct arena arena = { 0 };
	enum status status = of_agent(self, agent, currency, &arena, ret_account);
	arena_clean_up(&arena);
	return status;
}

struct ledger_api ledger_client_api(struct ledger_client *client)
{
	return (struct ledger_api) {
		.self = client,
		.shares_commit = false,
		.post = client_post,
		.account_get = client_account_get,
		.account_of_agent = client_account_of_agent,
	};
}
