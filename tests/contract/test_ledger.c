#include "ledger_house.h"

#include <stdatomic.h>

#include "identity/identity_api.h"
#include "ledger/ledger_client.h"
#include "ledger/ledger_http.h"
#include "platform/thread.h"

#define USD(amount) ((struct money) { (amount), CURRENCY_USD })
#define COUNT_OF(rows) (sizeof(rows) / sizeof *(rows))

enum { CASH = 1, ALICE, BOB, LIMIT, COUNTER, NOBODY };

static struct account_id account(int n)
{
	return (struct account_id) { { { [0] = 0xa0, [15] = (unsigned char)n } } };
}

static struct transfer_id transfer(int n)
{
	return (struct transfer_id) { { { [0] = 0x70, [14] = (unsigned char)(n >> 8), [15] = (unsigned char)n } } };
}

static struct agent_id agent(int n)
{
	return (struct agent_id) { { { [0] = 0xb0, [15] = (unsigned char)n } } };
}

static struct ledger_account opening(int n, enum account_type type, enum ledger_book book, int64_t overdraft)
{
	return (struct ledger_account) { .id = account(n),
		.type = type,
		.book = book,
		.currency = CURRENCY_USD,
		.overdraft_minor = overdraft,
		.name = SLICE("an account"),
		.agent = agent(n) };
}

static struct ledger_transfer move(int n, enum transfer_kind kind, int debit, int credit, int64_t amount)
{
	return (struct ledger_transfer) { .id = transfer(n),
		.kind = kind,
		.debit = account(debit),
		.credit = account(credit),
		.amount = USD(amount),
		.description = SLICE("a test") };
}

static struct ledger_transfer refer(int n, enum transfer_kind kind, int reference, int64_t amount)
{
	return (struct ledger_transfer) {
		.id = transfer(n), .kind = kind, .reference = transfer(reference), .amount = USD(amount)
	};
}

static enum status post(const struct ledger_api *api, const struct ledger_transfer *transfers, size_t count,
        const struct commit_rider *rider, size_t *ret_index)
{
	const struct ledger_group group = { .transfers = transfers, .count = count };
	struct ledger_refusal refusal = { 0 };
	enum status status = api->post(api->self, &actor_system, &group, rider, &refusal);
	if (ret_index)
		*ret_index = refusal.index;
	return status;
}

static enum status post_one(const struct ledger_api *api, struct ledger_transfer one)
{
	return post(api, &one, 1, NULL, NULL);
}

/* Cash without limit, Alice with 100.00, Bob, a budget of 10.00 with its counter account. */
static void furnish(const struct ledger_api *api)
{
	const struct ledger_account open[] = {
		opening(CASH, ACCOUNT_ASSET, BOOK_MONEY, INT64_MAX),
		opening(ALICE, ACCOUNT_LIABILITY, BOOK_MONEY, 0),
		opening(BOB, ACCOUNT_LIABILITY, BOOK_MONEY, 0),
		opening(LIMIT, ACCOUNT_LIABILITY, BOOK_BUDGET, 1000),
		opening(COUNTER, ACCOUNT_LIABILITY, BOOK_BUDGET, 0),
	};
	const struct ledger_transfer deposit = move(1, TRANSFER_SINGLE, CASH, ALICE, 10000);
	const struct ledger_group group = { open, COUNT_OF(open), &deposit, 1 };
	assert_status(api->post(api->self, &actor_system, &group, NULL, NULL), STATUS_OK);
}

static struct ledger_account get(const struct ledger_api *api, int n)
{
	struct arena arena = { 0 };
	struct ledger_account found = { 0 };
	assert_status(api->account_get(api->self, account(n), &arena, &found), STATUS_OK);
	arena_clean_up(&arena);
	found.name = SLICE_EMPTY;
	return found;
}

static int64_t number(const struct database *database, const char *text)
{
	struct sql *sql = database_connect(database);
	int64_t value = database_number(sql, text);
	sql_close(sql);
	return value;
}

static enum status execute(const struct database *database, const char *text)
{
	struct sql *sql = database_connect(database);
	enum status status = database_execute(sql, text);
	sql_close(sql);
	return status;
}

static const char count_transactions[] = "SELECT count(*) FROM transactions";
static const char count_accounts[] = "SELECT count(*) FROM accounts";
static const char count_events[] = "SELECT count(*) FROM outbox";
static const char count_notes[] = "SELECT count(*) FROM notes";

/* --- Riders ---------------------------------------------------------------------------------------------------- */

struct note {
	int64_t id;
	enum status refusal;
	int runs;
};

static enum status write_note(struct sql *sql, void *arg)
{
	static const char text[] = "INSERT INTO notes (id) VALUES ($1)";
	static const struct sql_query insert = { "note_insert", text, text };
	struct note *note = arg;
	const struct sql_value id = SQL_INTEGER(note->id);
	note->runs++;
	if (note->refusal != STATUS_OK)
		return note->refusal;
	return sql_execute(sql, &insert, &id, 1);
}

static void a_group_is_all_or_nothing(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	size_t index;
	ledger_house_open(&house, database);
	assert_status(execute(database, "CREATE TABLE notes (id BIGINT PRIMARY KEY)"), STATUS_OK);
	furnish(&house.api);
	struct note note = { .id = 1 };
	const struct commit_rider rider = { write_note, &note };
	struct ledger_transfer group[] = {
		move(2, TRANSFER_SINGLE, ALICE, BOB, 6000),
		move(3, TRANSFER_SINGLE, BOB, ALICE, 5000),
		move(4, TRANSFER_SINGLE, ALICE, BOB, 9001),
	};
	assert_status(post(&house.api, group, 3, &rider, &index), ERR_INSUFFICIENT_FUNDS);
	assert_int_equal(index, 2);
	assert_int_equal(note.runs, 0);
	assert_int_equal(number(database, count_transactions), 1);
	assert_int_equal(get(&house.api, BOB).credits_posted, 0);

	group[2].amount = USD(9000);
	assert_status(post(&house.api, group, 3, &rider, NULL), STATUS_OK);
	assert_int_equal(number(database, count_notes), 1);
	struct ledger_account alice = get(&house.api, ALICE), bob = get(&house.api, BOB);
	assert_int_equal(account_balance(&alice), 0);
	assert_int_equal(account_balance(&bob), 10000);
	ledger_house_close(&house);
}

static void a_riders_failure_takes_the_group_along(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	struct note note = { .id = 1, .refusal = ERR_STATE_CONFLICT };
	const struct commit_rider rider = { write_note, &note };
	const struct ledger_transfer one = move(2, TRANSFER_SINGLE, ALICE, BOB, 6000);
	assert_status(post(&house.api, &one, 1, &rider, NULL), ERR_STATE_CONFLICT);
	assert_int_equal(number(database, count_transactions), 1);
	assert_int_equal(get(&house.api, BOB).credits_posted, 0);
	ledger_house_close(&house);
}

static void a_refused_group_opens_nothing(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	int64_t accounts = number(database, count_accounts), events = number(database, count_events);
	const struct ledger_account open = opening(NOBODY, ACCOUNT_LIABILITY, BOOK_MONEY, 0);
	struct ledger_transfer one = move(2, TRANSFER_SINGLE, ALICE, NOBODY, 10001);
	struct ledger_group group = { &open, 1, &one, 1 };
	assert_status(house.api.post(house.api.self, &actor_system, &group, NULL, NULL), ERR_INSUFFICIENT_FUNDS);
	assert_int_equal(number(database, count_accounts), accounts);
	assert_int_equal(number(database, count_events), events);
	one.amount = USD(10000);
	assert_status(house.api.post(house.api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
	assert_int_equal(number(database, count_accounts), accounts + 1);
	assert_int_equal(number(database, count_events), events + 1);
	assert_int_equal(get(&house.api, NOBODY).credits_posted, 10000);
	ledger_house_close(&house);
}

/* --- Repeats, holds, closed accounts ----------------------------------------------------------------------------- */

static void a_repeat_has_one_effect(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	assert_status(execute(database, "CREATE TABLE notes (id BIGINT PRIMARY KEY)"), STATUS_OK);
	furnish(&house.api);
	struct note note = { .id = 1 };
	const struct commit_rider rider = { write_note, &note };
	struct ledger_transfer group[] = {
		move(2, TRANSFER_HOLD, ALICE, BOB, 600),
		refer(3, TRANSFER_POST, 2, 500),
		move(4, TRANSFER_SINGLE, LIMIT, COUNTER, 500),
		refer(5, TRANSFER_REVERSAL, 3, 200),
		move(6, TRANSFER_HOLD, ALICE, BOB, 50),
		refer(7, TRANSFER_VOID, 6, 0),
	};
	for (int repeat = 0; repeat < 3; repeat++) {
		note.id = repeat;
		assert_status(post(&house.api, group, COUNT_OF(group), &rider, NULL), STATUS_OK);
	}
	assert_int_equal(note.runs, 3);
	assert_int_equal(number(database, count_transactions), 7);
	struct ledger_account alice = get(&house.api, ALICE), bob = get(&house.api, BOB);
	assert_int_equal(alice.debits_posted, 500);
	assert_int_equal(alice.credits_posted, 10200);
	assert_int_equal(alice.debits_pending, 0);
	assert_int_equal(account_balance(&bob), 300);
	assert_int_equal(get(&house.api, LIMIT).debits_posted, 500);

	for (size_t i = 0; i < COUNT_OF(group); i++) {
		struct ledger_transfer other = group[i];
		other.description = SLICE("something else");
		assert_status(post_one(&house.api, other), ERR_TRANSFER_EXISTS_DIFFERENT);
	}
	struct ledger_transfer twice[] = { move(20, TRANSFER_SINGLE, ALICE, BOB, 1),
		move(20, TRANSFER_SINGLE, ALICE, BOB, 1), move(20, TRANSFER_SINGLE, ALICE, BOB, 2) };
	assert_status(post(&house.api, twice, 3, NULL, NULL), ERR_TRANSFER_EXISTS_DIFFERENT);
	assert_status(post(&house.api, twice, 2, NULL, NULL), STATUS_OK);
	assert_int_equal(number(database, count_transactions), 8);
	ledger_house_close(&house);
}

static void a_hold_ends_once(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	assert_status(post_one(&house.api, move(2, TRANSFER_HOLD, ALICE, BOB, 9000)), STATUS_OK);
	assert_status(post_one(&house.api, move(3, TRANSFER_HOLD, ALICE, BOB, 1001)), ERR_INSUFFICIENT_FUNDS);
	assert_status(post_one(&house.api, refer(4, TRANSFER_POST, 2, 9001)), ERR_HOLD_EXCEEDED);
	assert_status(post_one(&house.api, refer(4, TRANSFER_POST, 3, 1)), ERR_HOLD_NOT_FOUND);
	assert_status(post_one(&house.api, refer(4, TRANSFER_POST, 2, 4000)), STATUS_OK);
	assert_status(post_one(&house.api, refer(5, TRANSFER_POST, 2, 1)), ERR_HOLD_ALREADY_POSTED);
	assert_status(post_one(&house.api, refer(6, TRANSFER_VOID, 2, 0)), ERR_HOLD_ALREADY_POSTED);
	struct ledger_account alice = get(&house.api, ALICE);
	assert_int_equal(alice.debits_pending, 0);
	assert_int_equal(account_available(&alice), 6000);
	assert_status(post_one(&house.api, move(7, TRANSFER_HOLD, ALICE, BOB, 6000)), STATUS_OK);
	assert_status(post_one(&house.api, refer(8, TRANSFER_VOID, 7, 0)), STATUS_OK);
	assert_status(post_one(&house.api, refer(9, TRANSFER_POST, 7, 1)), ERR_HOLD_ALREADY_VOIDED);
	assert_status(post_one(&house.api, refer(10, TRANSFER_REVERSAL, 4, 3000)), STATUS_OK);
	assert_status(post_one(&house.api, move(12, TRANSFER_SINGLE, CASH, BOB, 500)), STATUS_OK);
	assert_status(post_one(&house.api, refer(11, TRANSFER_REVERSAL, 4, 1001)), ERR_REVERSAL_EXCEEDED);
	assert_status(post_one(&house.api, refer(11, TRANSFER_REVERSAL, 2, 1)), ERR_TRANSFER_NOT_FOUND);
	assert_status(post_one(&house.api, refer(11, TRANSFER_REVERSAL, 4, 1000)), STATUS_OK);
	ledger_house_close(&house);
}

static void a_closed_account_takes_nothing_but_what_was_held(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	assert_status(post_one(&house.api, move(2, TRANSFER_HOLD, ALICE, BOB, 100)), STATUS_OK);
	assert_status(execute(database, "UPDATE accounts SET status = 'closed' WHERE debits_pending = 100"), STATUS_OK);
	assert_int_equal(get(&house.api, ALICE).state, ACCOUNT_CLOSED);
	assert_status(post_one(&house.api, move(3, TRANSFER_SINGLE, ALICE, BOB, 1)), ERR_ACCOUNT_CLOSED);
	assert_status(post_one(&house.api, refer(3, TRANSFER_POST, 2, 100)), ERR_ACCOUNT_CLOSED);
	assert_status(post_one(&house.api, refer(3, TRANSFER_VOID, 2, 0)), STATUS_OK);
	assert_status(post_one(&house.api, move(4, TRANSFER_SINGLE, CASH, NOBODY, 1)), ERR_ACCOUNT_NOT_FOUND);
	ledger_house_close(&house);
}

static void the_journal_is_immutable(void **state)
{
	static const char *const texts[] = {
		"UPDATE transactions SET amount = 1",
		"DELETE FROM transactions",
		"DELETE FROM accounts",
		"UPDATE accounts SET currency = 'EUR'",
		"UPDATE accounts SET type = 'asset'",
		"UPDATE accounts SET book = 'budget'",
		"UPDATE accounts SET debits_posted = -1",
	};
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (execute(database, texts[i]) == STATUS_OK)
			fail_msg("%s was done", texts[i]);
	if (database->engine == SQL_POSTGRES)
		assert_true(execute(database, "TRUNCATE transactions") != STATUS_OK);
	assert_int_equal(number(database, "SELECT amount FROM transactions"), 10000);
	assert_int_equal(number(database, count_accounts), 5);
	ledger_house_close(&house);
}

static void an_agent_has_its_oldest_open_account(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	struct account_id found;
	ledger_house_open(&house, database);
	for (int n = 1; n <= 3; n++) {
		struct ledger_account open = opening(10 - n, n == 1 ? ACCOUNT_ASSET : ACCOUNT_LIABILITY, BOOK_MONEY, 0);
		open.agent = agent(1);
		const struct ledger_group group = { .open = &open, .open_count = 1 };
		assert_status(house.api.post(house.api.self, &actor_system, &group, NULL, NULL), STATUS_OK);
	}
	assert_status(house.api.account_of_agent(house.api.self, agent(1), CURRENCY_USD, &found), STATUS_OK);
	assert_true(uuid_equal(found.uuid, account(8).uuid));
	assert_status(
	        house.api.account_of_agent(house.api.self, agent(1), CURRENCY_EUR, &found), ERR_ACCOUNT_NOT_FOUND);
	assert_status(
	        house.api.account_of_agent(house.api.self, agent(2), CURRENCY_USD, &found), ERR_ACCOUNT_NOT_FOUND);
	ledger_house_close(&house);
}

/* --- Many at once ---------------------------------------------------------------------------------------------- */

enum { THREADS = 32, TRIES = 20 };

struct hammer {
	struct ledger_api api;
	int number;
	_Atomic int64_t *taken;
};

static void hit(void *arg)
{
	struct hammer *hammer = arg;
	for (int i = 0; i < TRIES; i++) {
		int64_t amount = 1 + (hammer->number + i) % 7;
		enum status status = post_one(
		        &hammer->api, move(1000 + hammer->number * TRIES + i, TRANSFER_SINGLE, LIMIT, COUNTER, amount));
		if (status == STATUS_OK)
			atomic_fetch_add(hammer->taken, amount);
		else
			assert_status(status, ERR_BUDGET_EXCEEDED);
	}
}

static enum status check_trial(struct sql *sql, void *arg)
{
	struct trial_line *lines;
	size_t count;
	int64_t difference = 0;
	TRY(ledger_store_trial_balance(sql, CURRENCY_NONE, arg, &lines, &count));
	for (size_t i = 0; i < count; i++) {
		if (!lines[i].agrees)
			return ERR_AUDIT_BROKEN;
		difference += lines[i].debits_posted - lines[i].credits_posted;
	}
	return difference ? ERR_AUDIT_BROKEN : STATUS_OK;
}

static void assert_trial(const struct ledger_house *house, enum status expected)
{
	struct arena arena = { 0 };
	assert_status(ledger_service_read(house->service, check_trial, &arena), expected);
	arena_clean_up(&arena);
}

/* Two ledgers on one database, as two processes would be. */
static void not_one_unit_over_the_limit(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house houses[2];
	struct thread *threads[THREADS];
	struct hammer hammers[THREADS];
	_Atomic int64_t taken = 0;
	for (size_t i = 0; i < 2; i++)
		ledger_house_open(&houses[i], database);
	furnish(&houses[0].api);
	for (int i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer) { houses[i % 2].api, i, &taken };
		assert_status(thread_start("hammer", hit, &hammers[i], &threads[i]), STATUS_OK);
	}
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	struct ledger_account limit = get(&houses[0].api, LIMIT);
	assert_int_equal(limit.debits_posted, taken);
	assert_int_equal(account_available(&limit), -1000);
	assert_int_equal(number(database, "SELECT sum(amount) FROM transactions WHERE book = 'budget'"), taken);
	assert_trial(&houses[0], STATUS_OK);
	for (size_t i = 0; i < 2; i++)
		ledger_house_close(&houses[i]);
}

struct racer {
	struct ledger_api api;
	enum status statuses[TRIES];
};

/* Every racer opens the same account and stores the same transfer, again and again. */
static void race(void *arg)
{
	struct racer *racer = arg;
	for (int i = 0; i < TRIES; i++) {
		const struct ledger_account open = opening(100 + i, ACCOUNT_LIABILITY, BOOK_MONEY, 0);
		const struct ledger_transfer one = move(500 + i, TRANSFER_SINGLE, CASH, 100 + i, 7);
		const struct ledger_group group = { &open, 1, &one, 1 };
		racer->statuses[i] = racer->api.post(racer->api.self, &actor_system, &group, NULL, NULL);
	}
}

static void racers_open_and_post_once(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house houses[2];
	struct thread *threads[4];
	struct racer racers[4];
	for (size_t i = 0; i < 2; i++)
		ledger_house_open(&houses[i], database);
	furnish(&houses[0].api);
	for (size_t i = 0; i < 4; i++) {
		racers[i] = (struct racer) { .api = houses[i % 2].api };
		assert_status(thread_start("racer", race, &racers[i], &threads[i]), STATUS_OK);
	}
	for (size_t i = 0; i < 4; i++)
		thread_join(threads[i]);
	for (size_t i = 0; i < 4; i++)
		for (int j = 0; j < TRIES; j++)
			assert_status(racers[i].statuses[j], STATUS_OK);
	for (int j = 0; j < TRIES; j++)
		assert_int_equal(get(&houses[0].api, 100 + j).credits_posted, 7);
	assert_int_equal(number(database, count_transactions), 1 + TRIES);
	assert_trial(&houses[0], STATUS_OK);
	for (size_t i = 0; i < 2; i++)
		ledger_house_close(&houses[i]);
}

static void a_changed_sum_is_noticed(void **state)
{
	static const char *const texts[] = {
		"UPDATE accounts SET debits_posted = debits_posted + 1 WHERE book = 'money'",
		"UPDATE accounts SET credits_posted = credits_posted + 1 WHERE book = 'money'",
		"UPDATE accounts SET debits_pending = debits_pending + 1 WHERE book = 'money'",
		"UPDATE accounts SET credits_pending = credits_pending + 1 WHERE book = 'money'",
		"UPDATE accounts SET balance = balance + 1 WHERE book = 'money'",
	};
	static const char *const undo[] = {
		"UPDATE accounts SET debits_posted = debits_posted - 1 WHERE book = 'money'",
		"UPDATE accounts SET credits_posted = credits_posted - 1 WHERE book = 'money'",
		"UPDATE accounts SET debits_pending = debits_pending - 1 WHERE book = 'money'",
		"UPDATE accounts SET credits_pending = credits_pending - 1 WHERE book = 'money'",
		"UPDATE accounts SET balance = balance - 1 WHERE book = 'money'",
	};
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	assert_status(post_one(&house.api, move(2, TRANSFER_HOLD, ALICE, BOB, 100)), STATUS_OK);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_trial(&house, STATUS_OK);
		assert_status(execute(database, texts[i]), STATUS_OK);
		assert_trial(&house, ERR_AUDIT_BROKEN);
		assert_status(execute(database, undo[i]), STATUS_OK);
	}
	ledger_house_close(&house);
}

/* A clock that goes back, or another machine's that is ahead, does not bring an account's lines out of order. */
static void lines_never_go_back_in_time(void **state)
{
	static const char text[] = "UPDATE accounts SET updated_at = $1 WHERE debits_posted = 0";
	static const struct sql_query update = { "account_ahead", text, text };
	static const char later[] = "SELECT count(*) FROM transactions AS a JOIN accounts AS b "
	                            "ON b.id = a.debit_account_id AND b.updated_at = a.created_at AND b.book = 'money' "
	                            "JOIN accounts AS c ON c.id = a.credit_account_id AND c.updated_at = a.created_at";
	struct database *database = database_of(state);
	struct ledger_house house;
	ledger_house_open(&house, database);
	furnish(&house.api);
	const struct sql_value ahead = SQL_INSTANT(INT64_C(4102444800000000)); /* 2100 */
	struct sql *sql = database_connect(database);
	assert_status(sql_execute(sql, &update, &ahead, 1), STATUS_OK);
	sql_close(sql);
	assert_status(post_one(&house.api, move(2, TRANSFER_SINGLE, ALICE, BOB, 1)), STATUS_OK);
	struct ledger_account bob = get(&house.api, BOB);
	assert_int_equal(bob.credits_posted, 1);
	assert_status(post_one(&house.api, move(3, TRANSFER_SINGLE, CASH, ALICE, 1)), STATUS_OK);
	assert_int_equal(number(database, later), 2);
	ledger_house_close(&house);
}

/* --- Over HTTP --------------------------------------------------------------------------------------------------- */

struct desk {
	struct ledger_house house;
	struct arena arena;
	struct problem problem;
	struct principal principal;
	struct http_response response;
	const struct json *answer;
	uint64_t operations;
};

static void desk_open(struct desk *desk, const struct database *database)
{
	*desk = (struct desk) { .principal = { .kind = PRINCIPAL_USER, .roles = ROLE_ADMIN } };
	desk->principal.id.bytes[15] = 1;
	ledger_house_open(&desk->house, database);
	furnish(&desk->house.api);
}

static void desk_close(struct desk *desk)
{
	ledger_house_close(&desk->house);
	arena_clean_up(&desk->arena);
}

static void desk_agent(struct desk *desk, int n)
{
	desk->principal = (struct principal) { .kind = PRINCIPAL_AGENT, .roles = ROLE_AGENT, .id = agent(n).uuid };
}

/* Calls the route's handler, with `id` for {id}. */
static enum status ask(struct desk *desk, enum http_method method, const char *path, const char *id, const char *query,
        const char *body)
{
	struct http_routes routes = ledger_http_routes(desk->house.service);
	struct http_request request = {
		.method = method,
		.raw_query = slice_from(query),
		.body = slice_from(body),
		.parameters = { slice_from(id) },
		.principal = &desk->principal,
		.actor = &actor_system,
		.arena = &desk->arena,
		.problem = &desk->problem,
		.operation_id = { { 0xee, [15] = (unsigned char)++desk->operations } },
	};
	desk->response = (struct http_response) { 0 };
	desk->problem = (struct problem) { 0 };
	for (size_t i = 0; i < routes.count; i++)
		if (routes.rows[i].method == method && strcmp(routes.rows[i].path, path) == 0) {
			TRY(routes.rows[i].handle(routes.self, &request, &desk->response));
			assert_status(json_parse(desk->response.body, &desk->arena, &desk->answer, NULL), STATUS_OK);
			return STATUS_OK;
		}
	fail_msg("no route %s", path);
	return ERR_NOT_FOUND;
}

/* The member's text as written, or of the element of an array: "data.0.balance". */
static struct slice at(const struct json *json, const char *path)
{
	struct slice rest = slice_from(path), part;
	uint64_t index;
	while (json && slice_split(&rest, '.', &part)) {
		if (json->type == JSON_ARRAY && slice_to_u64(part, &index)) {
			for (json = json->first; json && index; index--)
				json = json->next;
			continue;
		}
		char name[64] = { 0 };
		memcpy(name, part.data, part.size);
		json = json_member(json, name);
	}
	return json ? json->raw : SLICE("(absent)");
}

#define assert_answer(desk, path, expected) assert_slice(at((desk)->answer, (path)), (expected))

#define PAY_8 "pay-00000000-0000-0000-0000-000000000008"
#define PAY_9 "pay-00000000-0000-0000-0000-000000000009"
#define ACCT_ALICE "acct-a0000000-0000-0000-0000-000000000002"
#define ACCT_BOB "acct-a0000000-0000-0000-0000-000000000003"
#define ACCT_CASH "acct-a0000000-0000-0000-0000-000000000001"

static void accounts_are_opened_and_shown(void **state)
{
	struct desk desk;
	struct database *database = database_of(state);
	desk_open(&desk, database);
	int64_t events = number(database, count_events);
	for (int repeat = 0; repeat < 2; repeat++) {
		desk.operations = 100;
		assert_status(ask(&desk, HTTP_POST, "/v1/accounts", "", "",
		                      "{\"type\":\"liability\",\"currency\":\"JPY\",\"name\":\" Yen \",\"agent_id\":"
		                      "\"agent-b0000000-0000-0000-0000-000000000002\"}"),
		        STATUS_OK);
		assert_int_equal(desk.response.status, 201);
		assert_answer(&desk, "name", "\"Yen\"");
		assert_answer(&desk, "balance", "0");
		assert_answer(&desk, "status", "\"open\"");
		assert_answer(&desk, "allow_negative", "false");
	}
	assert_int_equal(number(database, count_events), events + 1);
	assert_status(ask(&desk, HTTP_GET, "/v1/accounts/{id}", ACCT_ALICE, "", ""), STATUS_OK);
	assert_answer(&desk, "balance", "100.00");
	assert_answer(&desk, "available", "100.00");
	static const struct {
		const char *body;
		enum status status;
		const char *param;
	} rows[] = {
		{ "{\"type\":\"liability\",\"currency\":\"USD\"}", ERR_MISSING_FIELD, "name" },
		{ "{\"type\":\"pocket\",\"currency\":\"USD\",\"name\":\"a\"}", ERR_INVALID_FIELD, "type" },
		{ "{\"type\":\"asset\",\"currency\":\"XXX\",\"name\":\"a\"}", ERR_UNKNOWN_CURRENCY, "currency" },
		{ "{\"type\":\"asset\",\"currency\":\"USD\",\"name\":\"  \"}", ERR_INVALID_FIELD, "name" },
		{ "{\"type\":\"asset\",\"currency\":\"USD\",\"name\":\"a\",\"agent_id\":\"x\"}", ERR_INVALID_ID,
		        "agent_id" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_status(ask(&desk, HTTP_POST, "/v1/accounts", "", "", rows[i].body), rows[i].status);
		assert_string_equal(desk.problem.param, rows[i].param);
	}
	assert_status(ask(&desk, HTTP_GET, "/v1/accounts", "", "", ""), STATUS_OK);
	assert_int_equal(json_member(desk.answer, "data")->count, 4); /* budgets are not shown */
	assert_answer(&desk, "data.0.name", "\"Yen\"");
	assert_status(ask(&desk, HTTP_GET, "/v1/accounts", "", "currency=USD&limit=2", ""), STATUS_OK);
	assert_int_equal(json_member(desk.answer, "data")->count, 2);
	assert_answer(&desk, "has_more", "true");
	desk_close(&desk);
}

static void transactions_are_posted_and_listed(void **state)
{
	struct desk desk;
	struct database *database = database_of(state);
	desk_open(&desk, database);
	int64_t events = number(database, count_events);
	for (int repeat = 0; repeat < 2; repeat++) {
		desk.operations = 100;
		assert_status(ask(&desk, HTTP_POST, "/v1/transactions", "", "",
		                      "{\"kind\":\"hold\",\"debit_account_id\":\"" ACCT_ALICE
		                      "\",\"credit_account_id\":\"" ACCT_BOB
		                      "\",\"amount\":10.00,\"currency\":\"USD\",\"description\":\"a hold\"}"),
		        STATUS_OK);
		assert_int_equal(desk.response.status, 201);
		assert_answer(&desk, "amount", "10.00");
	}
	assert_int_equal(number(database, count_events), events + 1);
	const char *hold = arena_text(&desk.arena, at(desk.answer, "id"));
	assert_status(ask(&desk, HTTP_POST, "/v1/transactions", "", "",
	                      arena_format(&desk.arena, "{\"kind\":\"post\",\"reference_id\":%s}%c", hold, 0).data),
	        STATUS_OK);
	assert_answer(&desk, "amount", "10.00");
	assert_answer(&desk, "credit_account_id", "\"" ACCT_BOB "\"");
	const char *posted = arena_text(&desk.arena, at(desk.answer, "id"));
	const char *reversal = arena_format(
	        &desk.arena, "{\"kind\":\"reversal\",\"amount\":\"2.50\",\"reference_id\":%s}%c", posted, 0)
	                               .data;
	assert_status(ask(&desk, HTTP_POST, "/v1/transactions", "", "", reversal), STATUS_OK);
	assert_answer(&desk, "debit_account_id", "\"" ACCT_BOB "\"");
	assert_status(ask(&desk, HTTP_GET, "/v1/transactions", "", "account_id=" ACCT_ALICE "&limit=3", ""), STATUS_OK);
	assert_answer(&desk, "data.0.kind", "\"reversal\"");
	assert_answer(&desk, "data.2.kind", "\"hold\"");
	assert_answer(&desk, "has_more", "true");
	struct slice cursor = json_member(desk.answer, "next_cursor")->text;
	const char *query =
	        arena_format(&desk.arena, "account_id=" ACCT_ALICE "&cursor=%.*s%c", SLICE_ARGS(cursor), 0).data;
	assert_status(ask(&desk, HTTP_GET, "/v1/transactions", "", query, ""), STATUS_OK);
	assert_int_equal(json_member(desk.answer, "data")->count, 1);
	assert_answer(&desk, "data.0.amount", "100.00");
	assert_status(ask(&desk, HTTP_GET, "/v1/transactions", "", "", ""), STATUS_OK);
	assert_int_equal(json_member(desk.answer, "data")->count, 4);
	assert_status(
	        ask(&desk, HTTP_GET, "/v1/transactions", "", "payment_id=pay-00000000-0000-0000-0000-000000000009", ""),
	        STATUS_OK);
	assert_int_equal(json_member(desk.answer, "data")->count, 0);
	desk_close(&desk);
}

static void malformed_transactions_are_refused(void **state)
{
	static const struct {
		const char *body;
		enum status status;
		const char *param;
	} rows[] = {
		{ "{}", ERR_MISSING_FIELD, "debit_account_id" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\"}", ERR_MISSING_FIELD, "credit_account_id" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB "\"}", ERR_MISSING_FIELD,
		        "amount" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB "\",\"amount\":1.00}",
		        ERR_MISSING_FIELD, "currency" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB
		  "\",\"amount\":1.00,\"currency\":\"XYZ\"}",
		        ERR_UNKNOWN_CURRENCY, "currency" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB
		  "\",\"amount\":1.001,\"currency\":\"USD\"}",
		        ERR_INVALID_AMOUNT, "amount" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB
		  "\",\"amount\":0.00,\"currency\":\"USD\"}",
		        ERR_TRANSFER_AMOUNT_ZERO, "" },
		{ "{\"kind\":\"gift\"}", ERR_INVALID_FIELD, "kind" },
		{ "{\"kind\":\"post\"}", ERR_MISSING_FIELD, "reference_id" },
		{ "{\"kind\":\"void\",\"debit_account_id\":\"" ACCT_ALICE "\"}", ERR_INVALID_FIELD,
		        "debit_account_id" },
		{ "{\"kind\":\"void\",\"credit_account_id\":\"" ACCT_ALICE "\"}", ERR_INVALID_FIELD,
		        "credit_account_id" },
		{ "{\"kind\":\"void\",\"reference_id\":\"txn-70000000-0000-0000-0000-000000000001\",\"amount\":1.00}",
		        ERR_INVALID_FIELD, "amount" },
		{ "{\"kind\":\"void\",\"reference_id\":\"txn-70000000-0000-0000-0000-0000000000ff\"}",
		        ERR_HOLD_NOT_FOUND, "" },
		{ "{\"kind\":\"void\",\"reference_id\":\"txn-70000000-0000-0000-0000-000000000001\"}",
		        ERR_HOLD_NOT_FOUND, "" },
		{ "{\"kind\":\"reversal\",\"reference_id\":\"txn-70000000-0000-0000-0000-0000000000ff\"}",
		        ERR_TRANSFER_NOT_FOUND, "" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB
		  "\",\"amount\":1.00,\"currency\":\"USD\",\"reference_id\":"
		  "\"txn-70000000-0000-0000-0000-000000000001\"}",
		        ERR_INVALID_FIELD, "reference_id" },
		{ "{\"debit_account_id\":\"" ACCT_ALICE "\",\"credit_account_id\":\"" ACCT_BOB
		  "\",\"amount\":100.01,\"currency\":\"USD\"}",
		        ERR_INSUFFICIENT_FUNDS, "" },
	};
	struct desk desk;
	desk_open(&desk, database_of(state));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum status status = ask(&desk, HTTP_POST, "/v1/transactions", "", "", rows[i].body);
		if (status != rows[i].status || strcmp(desk.problem.param, rows[i].param) != 0)
			fail_msg("%s: %s at \"%s\"", rows[i].body, status_code(status), desk.problem.param);
	}
	desk_close(&desk);
}

static void statements_run(void **state)
{
	struct desk desk;
	struct database *database = database_of(state);
	desk_open(&desk, database);
	assert_status(post_one(&desk.house.api, move(2, TRANSFER_HOLD, ALICE, BOB, 100)), STATUS_OK);
	assert_status(post_one(&desk.house.api, refer(3, TRANSFER_POST, 2, 60)), STATUS_OK);
	struct ledger_transfer group[] = { move(4, TRANSFER_SINGLE, ALICE, BOB, 40),
		move(5, TRANSFER_SINGLE, BOB, ALICE, 10) };
	assert_status(post(&desk.house.api, group, 2, NULL, NULL), STATUS_OK);
	const char *cursor = "";
	static const char *const balances[] = { "100.00", "99.40", "99.00", "99.10" };
	int64_t events = number(database, count_events);
	for (size_t i = 0; i < COUNT_OF(balances); i++) {
		const char *query = arena_format(&desk.arena, "limit=1&cursor=%s%c", cursor, 0).data;
		assert_status(ask(&desk, HTTP_GET, "/v1/accounts/{id}/statement", ACCT_ALICE, query, ""), STATUS_OK);
		assert_answer(&desk, "data.0.balance", balances[i]);
		assert_answer(&desk, "opening_balance", "0.00");
		assert_answer(&desk, "closing_balance", "99.10");
		assert_answer(&desk, "account.balance", "99.10");
		assert_answer(&desk, "has_more", i + 1 < COUNT_OF(balances) ? "true" : "false");
		cursor = arena_text(&desk.arena, json_member(desk.answer, "next_cursor")->text);
	}
	assert_answer(&desk, "data.0.credit", "0.10");
	assert_answer(&desk, "data.0.debit", "null");
	assert_int_equal(number(database, count_events), events + 4); /* each look of a user is on record */
	assert_status(
	        ask(&desk, HTTP_GET, "/v1/accounts/{id}/statement", ACCT_ALICE, "from=2200-01-01", ""), STATUS_OK);
	assert_answer(&desk, "opening_balance", "99.10");
	assert_answer(&desk, "closing_balance", "99.10");
	assert_int_equal(json_member(desk.answer, "data")->count, 0);
	assert_status(ask(&desk, HTTP_GET, "/v1/accounts/{id}/statement", ACCT_ALICE, "to=2000-01-01T00:00:00Z", ""),
	        STATUS_OK);
	assert_answer(&desk, "closing_balance", "0.00");
	assert_int_equal(json_member(desk.answer, "data")->count, 0);
	assert_status(ask(&desk, HTTP_GET, "/v1/accounts/{id}/statement", ACCT_ALICE, "from=soon", ""),
	        ERR_INVALID_PARAMETER);
	desk_close(&desk);
}

static void the_trial_balance_balances(void **state)
{
	struct desk desk;
	desk_open(&desk, database_of(state));
	assert_status(post_one(&desk.house.api, move(2, TRANSFER_SINGLE, ALICE, BOB, 100)), STATUS_OK);
	assert_status(post_one(&desk.house.api, move(3, TRANSFER_HOLD, ALICE, BOB, 100)), STATUS_OK);
	assert_status(post_one(&desk.house.api, move(4, TRANSFER_SINGLE, LIMIT, COUNTER, 100)), STATUS_OK);
	assert_status(ask(&desk, HTTP_GET, "/v1/reports/trial-balance", "", "", ""), STATUS_OK);
	assert_answer(&desk, "sequence", "4");
	assert_answer(&desk, "currencies.0.currency", "\"USD\"");
	assert_answer(&desk, "currencies.0.balanced", "true");
	assert_answer(&desk, "currencies.0.debits", "101.00");
	assert_answer(&desk, "currencies.0.credits", "101.00");
	assert_int_equal(json_member(json_member(desk.answer, "currencies")->first, "accounts")->count, 3);
	assert_answer(&desk, "currencies.0.accounts.1.balance", "99.00");
	assert_status(ask(&desk, HTTP_GET, "/v1/reports/trial-balance", "", "currency=EUR", ""), STATUS_OK);
	assert_answer(&desk, "currencies", "[]");
	assert_status(ask(&desk, HTTP_GET, "/v1/reports/trial-balance", "", "currency=usd", ""), ERR_INVALID_PARAMETER);
	desk_close(&desk);
}

static void agents_see_their_own(void **state)
{
	struct desk desk;
	struct database *database = database_of(state);
	desk_open(&desk, database);
	struct ledger_transfer paid[] = { move(2, TRANSFER_SINGLE, ALICE, BOB, 100),
		move(3, TRANSFER_SINGLE, CASH, ALICE, 100), move(4, TRANSFER_SINGLE, BOB, ALICE, 1) };
	paid[0].payment = paid[1].payment = (struct payment_id) { { { [15] = 9 } } };
	assert_status(post(&desk.house.api, paid, 3, NULL, NULL), STATUS_OK);
	int64_t events = number(database, count_events);
	desk_agent(&desk, BOB);
	static const struct {
		const char *path, *id, *query;
		enum status status;
		int count;
	} rows[] = {
		{ "/v1/accounts/{id}", ACCT_BOB, "", STATUS_OK, -1 },
		{ "/v1/accounts/{id}", ACCT_ALICE, "", ERR_NOT_FOUND, -1 },
		{ "/v1/accounts/{id}", "acct-a0000000-0000-0000-0000-0000000000ff", "", ERR_NOT_FOUND, -1 },
		{ "/v1/accounts/{id}", "pay-a0000000-0000-0000-0000-0000000000ff", "", ERR_INVALID_ID, -1 },
		{ "/v1/accounts/{id}/statement", ACCT_BOB, "", STATUS_OK, 2 },
		{ "/v1/accounts/{id}/statement", ACCT_ALICE, "", ERR_NOT_FOUND, -1 },
		{ "/v1/accounts", "", "", STATUS_OK, 1 },
		{ "/v1/accounts", "", "agent_id=agent-b0000000-0000-0000-0000-000000000003", STATUS_OK, 1 },
		{ "/v1/accounts", "", "agent_id=agent-b0000000-0000-0000-0000-000000000002", ERR_NOT_FOUND, -1 },
		{ "/v1/transactions", "", "", STATUS_OK, 2 },
		{ "/v1/transactions", "", "account_id=" ACCT_BOB, STATUS_OK, 2 },
		{ "/v1/transactions", "", "payment_id=" PAY_9, STATUS_OK, 1 },
		{ "/v1/transactions", "", "account_id=" ACCT_BOB "&payment_id=" PAY_9, STATUS_OK, 1 },
		{ "/v1/transactions", "", "account_id=" ACCT_BOB "&payment_id=" PAY_8, STATUS_OK, 0 },
		{ "/v1/transactions", "", "account_id=" ACCT_ALICE, ERR_NOT_FOUND, -1 },
		{ "/v1/transactions/{id}", "txn-70000000-0000-0000-0000-000000000002", "", STATUS_OK, -1 },
		{ "/v1/transactions/{id}", "txn-70000000-0000-0000-0000-000000000001", "", ERR_NOT_FOUND, -1 },
		{ "/v1/transactions/{id}", "txn-70000000-0000-0000-0000-0000000000ff", "", ERR_NOT_FOUND, -1 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum status status = ask(&desk, HTTP_GET, rows[i].path, rows[i].id, rows[i].query, "");
		if (status != rows[i].status)
			fail_msg("%s %s: %s", rows[i].path, rows[i].query, status_code(status));
		if (rows[i].count >= 0)
			assert_int_equal(json_member(desk.answer, "data")->count, rows[i].count);
	}
	assert_int_equal(number(database, count_events), events);
	desk_close(&desk);
}

/* --- From another process ------------------------------------------------------------------------------------------
 */

static void the_client_is_the_same_ledger(void **state)
{
	struct database *database = database_of(state);
	struct ledger_house house;
	struct problem problem = { 0 };
	struct http_server *server;
	ledger_house_open(&house, database);
	assert_status(execute(database, "CREATE TABLE notes (id BIGINT PRIMARY KEY)"), STATUS_OK);
	struct http_routes routes = ledger_http_routes(house.service);
	const struct http_server_options options = {
		.listen = SLICE("127.0.0.1:0"), .services = &routes, .service_count = 1
	};
	assert_status(http_server_start(&options, &server, &problem), STATUS_OK);
	char url[64];
	snprintf(url, sizeof url, "http://127.0.0.1:%d", http_server_port(server));
	struct neighbour *neighbour = neighbour_new("ledger", slice_from(url), SLICE("a key"));
	struct ledger_client *client = ledger_client_new(neighbour, house.committer);
	struct ledger_api far = ledger_client_api(client);
	assert_false(far.shares_commit);

	furnish(&far);
	struct note note = { .id = 1 };
	const struct commit_rider rider = { write_note, &note };
	size_t index;
	struct ledger_transfer group[] = { move(2, TRANSFER_HOLD, ALICE, BOB, 100), refer(3, TRANSFER_POST, 2, 60),
		move(4, TRANSFER_SINGLE, LIMIT, COUNTER, 1001) };
	group[0].payment = (struct payment_id) { { { 5 } } };
	assert_status(post(&far, group, 3, &rider, &index), ERR_BUDGET_EXCEEDED);
	assert_int_equal(index, 2);
	assert_int_equal(note.runs, 0);
	group[2].amount = USD(1000);
	assert_status(post(&far, group, 3, &rider, NULL), STATUS_OK);
	assert_int_equal(number(database, count_notes), 1);
	struct note none = { .id = 2 };
	const struct commit_rider again = { write_note, &none };
	assert_status(post(&house.api, group, 3, &again, NULL), STATUS_OK); /* near and far say the same */
	struct ledger_account near_account = get(&house.api, ALICE), far_account = get(&far, ALICE);
	assert_memory_equal(&near_account.id, &far_account.id, sizeof near_account.id);
	assert_int_equal(far_account.debits_posted, 60);
	assert_int_equal(far_account.overdraft_minor, near_account.overdraft_minor);
	assert_int_equal(far_account.created_at, near_account.created_at);
	assert_int_equal(get(&far, LIMIT).book, BOOK_BUDGET);
	assert_int_equal(get(&far, CASH).overdraft_minor, INT64_MAX);
	struct arena arena = { 0 };
	assert_status(far.account_get(far.self, account(NOBODY), &arena, &far_account), ERR_ACCOUNT_NOT_FOUND);
	arena_clean_up(&arena);
	struct account_id found;
	assert_status(far.account_of_agent(far.self, agent(BOB), CURRENCY_USD, &found), STATUS_OK);
	assert_true(uuid_equal(found.uuid, account(BOB).uuid));
	assert_status(far.account_of_agent(far.self, agent(99), CURRENCY_USD, &found), ERR_ACCOUNT_NOT_FOUND);

	ledger_client_free(client);
	neighbour_free(neighbour);
	http_server_stop(server);
	ledger_house_close(&house);
}

TESTS(ON_BOTH(a_group_is_all_or_nothing), ON_BOTH(a_riders_failure_takes_the_group_along),
        ON_BOTH(a_refused_group_opens_nothing), ON_BOTH(a_repeat_has_one_effect), ON_BOTH(a_hold_ends_once),
        ON_BOTH(a_closed_account_takes_nothing_but_what_was_held), ON_BOTH(the_journal_is_immutable),
        ON_BOTH(an_agent_has_its_oldest_open_account), ON_BOTH(not_one_unit_over_the_limit),
        ON_BOTH(racers_open_and_post_once), ON_BOTH(a_changed_sum_is_noticed), ON_BOTH(lines_never_go_back_in_time),
        ON_BOTH(accounts_are_opened_and_shown), ON_BOTH(transactions_are_posted_and_listed),
        ON_BOTH(malformed_transactions_are_refused), ON_BOTH(statements_run), ON_BOTH(the_trial_balance_balances),
        ON_BOTH(agents_see_their_own), ON_BOTH(the_client_is_the_same_ledger))
