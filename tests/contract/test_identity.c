/* Identity on both engines: what it promises to people, agents and neighbouring services. */
#include "database.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "identity/identity_service.h"
#include "identity/jose.h"
#include "platform/thread.h"

static const char GOOD_PASSWORD[] = "correct horse battery";
#define ISSUER "http://127.0.0.1:8080"

/* One installation: services may be opened on it more than once, as several processes would. */
struct world {
	const struct database *database;
	char key_folder[64];
	struct committer *committer;
	struct sql_pool *readers;
	struct engines engines;
	struct identity_service *service;
	struct arena arena;
	struct problem problem;
	struct actor actor;
};

static struct identity_service *service_open(struct world *world)
{
	struct identity_service *service;
	const struct identity_options options = {
		.engines = &world->engines,
		.issuer = SLICE(ISSUER),
		.key_folder = slice_from(world->key_folder),
	};
	if (identity_service_start(&options, &service, &world->problem) != STATUS_OK)
		fail_msg("%s", world->problem.detail);
	return service;
}

static void world_open(struct world *world, void **state)
{
	*world = (struct world) { .database = database_of(state) };
	struct sql *sql = database_connect(world->database);
	assert_status(sql_migrate(sql, &outbox_migrations, &world->problem), STATUS_OK);
	assert_status(sql_migrate(sql, &identity_migrations, &world->problem), STATUS_OK);
	sql_close(sql);
	struct slice url = database_url(world->database);
	assert_status(committer_start(url, "test", &world->committer, &world->problem), STATUS_OK);
	assert_status(sql_pool_open(url, 4, &world->readers, &world->problem), STATUS_OK);
	world->engines = (struct engines) {
		.database_url = url,
		.committer = world->committer,
		.readers = world->readers,
	};
	snprintf(world->key_folder, sizeof world->key_folder, "/tmp/agentpay-keys-XXXXXX");
	assert_non_null(mkdtemp(world->key_folder));
	world->actor = (struct actor) { .name = SLICE("anonymous"), .ip_address = SLICE("192.0.2.1") };
	world->service = service_open(world);
}

static void remove_keys(const char *folder)
{
	char path[512];
	DIR *directory = opendir(folder);
	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	closedir(directory);
	rmdir(folder);
}

static void assert_events_follow_their_schemas(const struct world *world);

static void world_close(struct world *world)
{
	assert_events_follow_their_schemas(world);
	identity_service_stop(world->service);
	committer_stop(world->committer);
	sql_pool_close(world->readers);
	remove_keys(world->key_folder);
	arena_clean_up(&world->arena);
}

static int64_t events_of(const struct world *world, const char *type)
{
	char text[128];
	struct sql *sql = database_connect(world->database);
	snprintf(text, sizeof text, "SELECT COUNT(*) FROM outbox WHERE type = '%s'", type);
	int64_t count = database_number(sql, text);
	sql_close(sql);
	return count;
}

static void run_sql(const struct world *world, const char *text)
{
	struct sql *sql = database_connect(world->database);
	assert_status(database_execute(sql, text), STATUS_OK);
	sql_close(sql);
}

static struct user make_user(struct world *world, const char *email, unsigned roles)
{
	const struct user_draft draft = {
		.id = user_id_new(),
		.email = slice_from(email),
		.password = slice_from(GOOD_PASSWORD),
		.name = SLICE("Some One"),
		.roles = roles,
	};
	struct user user;
	assert_status(
	        identity_user_create(world->service, &world->actor, &draft, &world->arena, &user, &world->problem),
	        STATUS_OK);
	return user;
}

static enum status try_login(struct world *world, const char *email, const char *password, struct login *ret_login)
{
	return identity_login(world->service, &world->actor, slice_from(email), slice_from(password), &world->arena,
	        ret_login, &world->problem);
}

static struct login log_in(struct world *world, const char *email)
{
	struct login login;
	assert_status(try_login(world, email, GOOD_PASSWORD, &login), STATUS_OK);
	return login;
}

static enum status authenticate(struct identity_service *service, struct slice token, struct principal *ret_principal)
{
	const struct identity_api api = identity_service_api(service);
	return api.authenticate(api.self, token, clock_now(), ret_principal);
}

static struct agent make_agent(struct world *world, const char *email, struct user_id owner, struct slice *ret_secret)
{
	const struct agent_draft draft = {
		.id = agent_id_new(),
		.name = SLICE("shopper"),
		.email = slice_from(email),
		.owner = owner,
	};
	struct agent agent;
	assert_status(identity_agent_create(world->service, &world->actor, &draft, &world->arena, &agent, ret_secret,
	                      &world->problem),
	        STATUS_OK);
	return agent;
}

static struct slice agent_text(struct world *world, struct agent_id id)
{
	struct writer out = writer_growing(&world->arena);
	write_agent_id(&out, id);
	return writer_slice(&out);
}

static enum status try_token(struct world *world, struct agent_id id, struct slice secret, struct slice *ret_token)
{
	int64_t seconds;
	return identity_agent_token(world->service, agent_text(world, id), secret, &world->arena, ret_token, &seconds);
}

static struct slice agent_token(struct world *world, struct agent_id id, struct slice secret)
{
	struct slice token;
	assert_status(try_token(world, id, secret, &token), STATUS_OK);
	return token;
}

/* The members of every event of a type, in order: those that api/events/<type>.json requires. */
static void assert_events_follow_their_schemas(const struct world *world)
{
	static const struct sql_query query = {
		.name = "events",
		.sqlite = "SELECT type, body FROM outbox",
		.postgres = "SELECT type, body FROM outbox",
	};
	const char *source = getenv("AGENTPAY_SOURCE");
	struct arena arena = { 0 };
	struct sql *sql = database_connect(world->database);
	struct sql_rows *rows;
	assert_status(sql_select(sql, &query, NULL, 0, &rows), STATUS_OK);
	while (sql_next(rows)) {
		char path[512], text[4096];
		const struct json *schema, *body;
		snprintf(path, sizeof path, "%s/api/events/%s.json", source ? source : ".",
		        arena_text(&arena, sql_column_bytes(rows, 0)));
		FILE *file = fopen(path, "r");
		if (!file)
			fail_msg("%s is missing", path);
		size_t size = fread(text, 1, sizeof text, file);
		fclose(file);
		assert_status(json_parse(arena_copy(&arena, slice_make(text, size)), &arena, &schema, NULL), STATUS_OK);
		assert_status(json_parse(sql_column_copy(rows, 1, &arena), &arena, &body, NULL), STATUS_OK);
		const struct json *member = body->first;
		for (const struct json *name = json_member(schema, "required")->first; name; name = name->next) {
			assert_non_null(member);
			assert_slice(member->name, arena_text(&arena, name->text));
			member = member->next;
		}
		assert_null(member);
	}
	assert_status(sql_end(rows), STATUS_OK);
	sql_close(sql);
	arena_clean_up(&arena);
}

/* --- Users and sessions ----------------------------------------------------------------------------------------- */

static void the_first_administrator_is_made_once(void **state)
{
	struct world world;
	char email[64], password[64], again[64];
	bool created;
	world_open(&world, state);
	assert_status(identity_bootstrap(world.service, email, password, &created), STATUS_OK);
	assert_true(created);
	assert_string_equal(email, "admin@localhost");
	assert_true(strlen(password) >= 20);
	assert_status(identity_bootstrap(world.service, email, again, &created), STATUS_OK);
	assert_false(created);
	assert_string_equal(again, "");

	struct login login;
	assert_status(try_login(&world, "admin@localhost", password, &login), STATUS_OK);
	assert_true(login.user.must_change_password);
	assert_int_equal(login.user.roles, ROLE_ADMIN);
	assert_status(try_login(&world, "admin@localhost", password, &login), STATUS_OK);

	struct principal principal;
	assert_status(authenticate(world.service, login.access_token, &principal), STATUS_OK);
	assert_status(identity_password_change(world.service, &world.actor, &principal, slice_from(password),
	                      slice_from(GOOD_PASSWORD), &world.problem),
	        STATUS_OK);
	assert_status(try_login(&world, "admin@localhost", password, &login), ERR_INVALID_CREDENTIALS);
	login = log_in(&world, "admin@localhost");
	assert_false(login.user.must_change_password);
	world_close(&world);
}

struct starter {
	struct identity_service *service;
	struct thread *thread;
	char email[64], password[64];
	bool created;
	enum status status;
};

static void start_up(void *arg)
{
	struct starter *starter = arg;
	starter->status = identity_bootstrap(starter->service, starter->email, starter->password, &starter->created);
}

static void processes_that_start_together_make_one_administrator(void **state)
{
	enum { STARTERS = 4 };
	struct starter starters[STARTERS];
	struct world world;
	int created = 0;
	world_open(&world, state);
	for (int i = 0; i < STARTERS; i++) {
		starters[i] = (struct starter) { .service = world.service };
		assert_status(thread_start("starter", start_up, &starters[i], &starters[i].thread), STATUS_OK);
	}
	for (int i = 0; i < STARTERS; i++) {
		thread_join(starters[i].thread);
		assert_status(starters[i].status, STATUS_OK);
		created += starters[i].created;
		assert_int_equal(starters[i].created, starters[i].password[0] != '\0');
	}
	assert_int_equal(created, 1);
	world_close(&world);
}

static void a_login_gives_a_token_that_says_who_asks(void **state)
{
	struct world world;
	world_open(&world, state);
	struct user user = make_user(&world, "ada@example.com", ROLE_ADMIN | ROLE_AUDITOR);
	struct login login = log_in(&world, "ADA@Example.com");
	struct principal principal;
	assert_slice(login.user.email, "ada@example.com");
	assert_false(login.user.must_change_password);
	assert_int_equal(login.access_token_seconds, 900);
	for (int again = 0; again < 2; again++) {
		assert_status(authenticate(world.service, login.access_token, &principal), STATUS_OK);
		assert_int_equal(principal.kind, PRINCIPAL_USER);
		assert_true(uuid_equal(principal.id, user.id.uuid));
		assert_int_equal(principal.roles, ROLE_ADMIN | ROLE_AUDITOR);
		assert_true(uuid_equal(principal.session.uuid, login.session.uuid));
	}
	assert_int_equal(events_of(&world, "user.created"), 1);
	assert_int_equal(events_of(&world, "user.login"), 1);
	world_close(&world);
}

static void an_address_is_sealed_and_belongs_to_one_user(void **state)
{
	struct world world;
	struct user user;
	world_open(&world, state);
	struct user first = make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct user_draft draft = {
		.id = user_id_new(),
		.email = SLICE("Ada@example.com"),
		.password = slice_from(GOOD_PASSWORD),
		.roles = ROLE_AUDITOR,
	};
	assert_status(identity_user_create(world.service, &world.actor, &draft, &world.arena, &user, &world.problem),
	        ERR_ALREADY_EXISTS);
	assert_string_equal(world.problem.param, "email");
	/* the same identifier again: as if just made */
	draft.id = first.id;
	draft.email = SLICE("ada@example.com");
	assert_status(identity_user_create(world.service, &world.actor, &draft, &world.arena, &user, &world.problem),
	        STATUS_OK);
	assert_int_equal(user.roles, ROLE_ADMIN);
	assert_int_equal(events_of(&world, "user.created"), 1);

	assert_status(identity_user_get(world.service, first.id, &world.arena, &user), STATUS_OK);
	assert_slice(user.email, "ada@example.com");
	assert_null(memmem(user.sealed_email.data, user.sealed_email.size, "ada", 3));
	/* sealed to its row: moved to another one it does not open */
	struct user other = make_user(&world, "bob@example.com", ROLE_AUDITOR);
	run_sql(&world, "UPDATE users SET email = (SELECT email FROM users ORDER BY created_at LIMIT 1)");
	assert_status(identity_user_get(world.service, first.id, &world.arena, &user), STATUS_OK);
	assert_status(identity_user_get(world.service, other.id, &world.arena, &user), ERR_DATABASE_CORRUPT);
	world_close(&world);
}

static void unsound_users_are_refused(void **state)
{
	static const struct {
		const char *email, *password;
		unsigned roles;
		const char *param;
	} rows[] = {
		{ "ada.example.com", "correct horse battery", ROLE_ADMIN, "email" },
		{ "a@b@c", "correct horse battery", ROLE_ADMIN, "email" },
		{ "@example.com", "correct horse battery", ROLE_ADMIN, "email" },
		{ "ada@", "correct horse battery", ROLE_ADMIN, "email" },
		{ "a da@example.com", "correct horse battery", ROLE_ADMIN, "email" },
		{ "ada@example.com", "elevenchars", ROLE_ADMIN, "password" },
		{ "ada@example.com", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", ROLE_ADMIN, "password" },
		{ "ada@example.com", "correct horse battery", 0, "roles" },
		{ "ada@example.com", "correct horse battery", ROLE_AGENT | ROLE_ADMIN, "roles" },
	};
	struct world world;
	world_open(&world, state);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct user user;
		const struct user_draft draft = {
			.id = user_id_new(),
			.email = slice_from(rows[i].email),
			.password = slice_from(rows[i].password),
			.roles = rows[i].roles,
		};
		assert_status(
		        identity_user_create(world.service, &world.actor, &draft, &world.arena, &user, &world.problem),
		        ERR_INVALID_FIELD);
		assert_string_equal(world.problem.param, rows[i].param);
	}
	world_close(&world);
}

/* Makes the user's own count stand at nine, without the time that nine guesses take. */
static void fail_nine_times(struct world *world)
{
	run_sql(world, "UPDATE login_failures SET failures = 9 WHERE failures = 1");
}

static void ten_wrong_passwords_lock_known_and_unknown_alike(void **state)
{
	static const char *const emails[] = { "ada@example.com", "nobody@example.com" };
	struct world world;
	struct login login;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	for (size_t i = 0; i < 2; i++) {
		/* another address each time, or its own count would be raised too */
		world.actor.ip_address = i ? SLICE("192.0.2.2") : SLICE("192.0.2.3");
		assert_status(try_login(&world, emails[i], "wrong password!", &login), ERR_INVALID_CREDENTIALS);
		fail_nine_times(&world);
		assert_status(try_login(&world, emails[i], "wrong password!", &login), ERR_INVALID_CREDENTIALS);
		assert_status(try_login(&world, emails[i], GOOD_PASSWORD, &login), ERR_ACCOUNT_LOCKED);
		assert_status(try_login(&world, emails[i], "wrong password!", &login), ERR_ACCOUNT_LOCKED);
	}
	assert_int_equal(events_of(&world, "user.login_failed"), 4);
	assert_int_equal(events_of(&world, "user.locked"), 2);
	assert_int_equal(events_of(&world, "user.login"), 0);

	/* it is in the database: another process knows it too */
	identity_service_stop(world.service);
	world.service = service_open(&world);
	assert_status(try_login(&world, "ada@example.com", GOOD_PASSWORD, &login), ERR_ACCOUNT_LOCKED);
	world_close(&world);
}

struct guesser {
	struct world *world;
	struct arena arena;
	struct thread *thread;
	enum status status;
};

static void guess(void *arg)
{
	struct guesser *guesser = arg;
	struct login login;
	guesser->status = identity_login(guesser->world->service, &guesser->world->actor, SLICE("ada@example.com"),
	        SLICE("wrong password!"), &guesser->arena, &login, NULL);
}

static void guesses_at_the_same_time_are_ten_too(void **state)
{
	enum { GUESSERS = 14 };
	struct guesser guessers[GUESSERS];
	struct world world;
	int refused = 0, locked = 0;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	for (int i = 0; i < GUESSERS; i++) {
		guessers[i] = (struct guesser) { .world = &world };
		assert_status(thread_start("guesser", guess, &guessers[i], &guessers[i].thread), STATUS_OK);
	}
	for (int i = 0; i < GUESSERS; i++) {
		thread_join(guessers[i].thread);
		arena_clean_up(&guessers[i].arena);
		refused += guessers[i].status == ERR_INVALID_CREDENTIALS;
		locked += guessers[i].status == ERR_ACCOUNT_LOCKED;
	}
	assert_int_equal(refused, LOGIN_FAILURES_OF_USER);
	assert_int_equal(locked, GUESSERS - LOGIN_FAILURES_OF_USER);
	world_close(&world);
}

static void a_good_login_clears_the_count(void **state)
{
	struct world world;
	struct login login;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	assert_status(try_login(&world, "ada@example.com", "wrong password!", &login), ERR_INVALID_CREDENTIALS);
	fail_nine_times(&world);
	log_in(&world, "ada@example.com");
	assert_status(try_login(&world, "ada@example.com", "wrong password!", &login), ERR_INVALID_CREDENTIALS);
	log_in(&world, "ada@example.com");
	world_close(&world);
}

static void fifty_wrong_passwords_lock_an_address(void **state)
{
	struct world world;
	struct login login;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	assert_status(try_login(&world, "nobody@example.com", "wrong password!", &login), ERR_INVALID_CREDENTIALS);
	run_sql(&world, "UPDATE login_failures SET failures = 49");
	assert_status(try_login(&world, "somebody@example.com", "wrong password!", &login), ERR_INVALID_CREDENTIALS);
	assert_status(try_login(&world, "ada@example.com", GOOD_PASSWORD, &login), ERR_ACCOUNT_LOCKED);
	world.actor.ip_address = SLICE("192.0.2.9");
	assert_status(try_login(&world, "ada@example.com", GOOD_PASSWORD, &login), STATUS_OK);
	world_close(&world);
}

static void an_ipv6_network_counts_as_one_address(void **state)
{
	static const struct {
		const char *address;
		enum status status;
	} rows[] = {
		{ "2001:db8:1:2::1", ERR_ACCOUNT_LOCKED },
		{ "2001:db8:1:2:ffff::9", ERR_ACCOUNT_LOCKED },
		{ "2001:db8:1:3::1", STATUS_OK },
		{ "::ffff:192.0.2.2", ERR_ACCOUNT_LOCKED },
		{ "::ffff:192.0.2.7", STATUS_OK },
	};
	struct world world;
	struct login login;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	static const char *const locked[] = { "2001:db8:1:2::ab", "::ffff:192.0.2.2" };
	for (size_t i = 0; i < 2; i++) {
		world.actor.ip_address = slice_from(locked[i]);
		assert_status(try_login(&world, i ? "no@example.com" : "none@example.com", "wrong password!", &login),
		        ERR_INVALID_CREDENTIALS);
		run_sql(&world, "UPDATE login_failures SET failures = 49 WHERE failures = 1");
		assert_status(
		        try_login(&world, i ? "not@example.com" : "nobody@example.com", "wrong password!", &login),
		        ERR_INVALID_CREDENTIALS);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		world.actor.ip_address = slice_from(rows[i].address);
		assert_status(try_login(&world, "ada@example.com", GOOD_PASSWORD, &login), rows[i].status);
	}
	world_close(&world);
}

static void a_disabled_user_is_nobody(void **state)
{
	struct world world;
	struct login login, renewed;
	struct principal principal;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	login = log_in(&world, "ada@example.com");
	run_sql(&world, "UPDATE users SET status = 'disabled'");
	assert_status(authenticate(world.service, login.access_token, &principal), ERR_INVALID_TOKEN);
	assert_status(identity_refresh(world.service, &world.actor, login.refresh_token, &world.arena, &renewed),
	        ERR_INVALID_CREDENTIALS);
	assert_status(try_login(&world, "ada@example.com", GOOD_PASSWORD, &login), ERR_INVALID_CREDENTIALS);
	world_close(&world);
}

static void a_refresh_token_is_good_once(void **state)
{
	struct world world;
	struct principal principal;
	struct login renewed, again;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com");
	assert_status(
	        identity_refresh(world.service, &world.actor, login.refresh_token, &world.arena, &renewed), STATUS_OK);
	assert_false(slice_equal(renewed.refresh_token, login.refresh_token));
	assert_slice(renewed.user.email, "ada@example.com");
	assert_status(authenticate(world.service, renewed.access_token, &principal), STATUS_OK);
	assert_true(uuid_equal(principal.session.uuid, login.session.uuid));

	/* the old one again: somebody has a copy, so all of the family ends, its access tokens too */
	assert_status(identity_refresh(world.service, &world.actor, login.refresh_token, &world.arena, &again),
	        ERR_REFRESH_REUSED);
	assert_status(identity_refresh(world.service, &world.actor, renewed.refresh_token, &world.arena, &again),
	        ERR_INVALID_CREDENTIALS);
	assert_status(authenticate(world.service, renewed.access_token, &principal), ERR_INVALID_TOKEN);
	assert_status(identity_refresh(world.service, &world.actor, SLICE("apr_unknown"), &world.arena, &again),
	        ERR_INVALID_CREDENTIALS);
	assert_int_equal(events_of(&world, "session.refreshed"), 1);
	assert_int_equal(events_of(&world, "session.revoked"), 1);
	world_close(&world);
}

static void a_session_ends(void **state)
{
	struct world world;
	struct login renewed;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com");
	run_sql(&world, "UPDATE sessions SET expires_at = created_at");
	assert_status(identity_refresh(world.service, &world.actor, login.refresh_token, &world.arena, &renewed),
	        ERR_INVALID_CREDENTIALS);
	/* the next login forgets it */
	log_in(&world, "ada@example.com");
	struct sql *sql = database_connect(world.database);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM sessions"), 1);
	assert_int_equal(database_number(sql, "SELECT COUNT(*) FROM refresh_tokens"), 1);
	sql_close(sql);
	world_close(&world);
}

struct racer {
	struct world *world;
	struct slice token;
	struct arena arena;
	struct thread *thread;
	enum status status;
};

static void race_refresh(void *arg)
{
	struct racer *racer = arg;
	struct login login;
	racer->status =
	        identity_refresh(racer->world->service, &racer->world->actor, racer->token, &racer->arena, &login);
}

static void of_concurrent_refreshes_exactly_one_wins(void **state)
{
	enum { RACERS = 8 };
	struct racer racers[RACERS];
	struct world world;
	int won = 0;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com");
	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer) { .world = &world, .token = login.refresh_token };
		assert_status(thread_start("racer", race_refresh, &racers[i], &racers[i].thread), STATUS_OK);
	}
	for (int i = 0; i < RACERS; i++) {
		thread_join(racers[i].thread);
		arena_clean_up(&racers[i].arena);
		won += racers[i].status == STATUS_OK;
		assert_true(racers[i].status == STATUS_OK || racers[i].status == ERR_REFRESH_REUSED);
	}
	assert_int_equal(won, 1);
	world_close(&world);
}

static void a_logout_ends_access_at_once(void **state)
{
	struct world world;
	struct principal principal;
	struct login renewed;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com"), other = log_in(&world, "ada@example.com");
	struct identity_service *elsewhere = service_open(&world);
	assert_status(authenticate(elsewhere, login.access_token, &principal), STATUS_OK);
	assert_status(authenticate(world.service, login.access_token, &principal), STATUS_OK);
	assert_status(identity_logout(world.service, &world.actor, &principal), STATUS_OK);
	assert_status(authenticate(world.service, login.access_token, &principal), ERR_INVALID_TOKEN);
	assert_status(identity_refresh(world.service, &world.actor, login.refresh_token, &world.arena, &renewed),
	        ERR_INVALID_CREDENTIALS);
	assert_status(authenticate(world.service, other.access_token, &principal), STATUS_OK);
	/* another process knows it after at most a second */
	usleep(1050 * 1000);
	assert_status(authenticate(elsewhere, login.access_token, &principal), ERR_INVALID_TOKEN);
	identity_service_stop(elsewhere);
	world_close(&world);
}

static void a_new_password_ends_the_other_sessions(void **state)
{
	struct world world;
	struct principal here, there;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com"), other = log_in(&world, "ada@example.com");
	assert_status(authenticate(world.service, login.access_token, &here), STATUS_OK);
	assert_status(authenticate(world.service, other.access_token, &there), STATUS_OK);
	const struct {
		const char *current, *fresh;
		enum status status;
	} rows[] = {
		{ "wrong password!", "another long one", ERR_INVALID_CREDENTIALS },
		{ GOOD_PASSWORD, "short", ERR_INVALID_FIELD },
		{ GOOD_PASSWORD, GOOD_PASSWORD, ERR_INVALID_FIELD },
		{ GOOD_PASSWORD, "another long one", STATUS_OK },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_status(identity_password_change(world.service, &world.actor, &here, slice_from(rows[i].current),
		                      slice_from(rows[i].fresh), &world.problem),
		        rows[i].status);
	assert_status(authenticate(world.service, login.access_token, &here), STATUS_OK);
	assert_status(authenticate(world.service, other.access_token, &there), ERR_INVALID_TOKEN);
	assert_int_equal(events_of(&world, "user.login_failed"), 1);

	/* a stolen session does not help to guess either */
	fail_nine_times(&world);
	const enum status guesses[] = { ERR_INVALID_CREDENTIALS, ERR_ACCOUNT_LOCKED };
	for (size_t i = 0; i < 2; i++)
		assert_status(identity_password_change(world.service, &world.actor, &here, SLICE("a wild guess"),
		                      SLICE("one more long one"), &world.problem),
		        guesses[i]);
	world_close(&world);
}

/* --- Tokens ----------------------------------------------------------------------------------------------------- */

static void forged_and_old_tokens_are_refused(void **state)
{
	struct world world, foreign;
	struct principal principal;
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com");
	const struct identity_api api = identity_service_api(world.service);
	int64_t now = clock_now();

	static const char *const texts[] = { "", "x", "a.b.c", "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30." };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_status(authenticate(world.service, slice_from(texts[i]), &principal), ERR_INVALID_TOKEN);
	char *altered = arena_text(&world.arena, login.access_token);
	altered[login.access_token.size / 2] ^= 1;
	assert_status(authenticate(world.service, slice_from(altered), &principal), ERR_INVALID_TOKEN);

	assert_status(api.authenticate(api.self, login.access_token, now + 1000 * MICROSECONDS_PER_SECOND, &principal),
	        ERR_TOKEN_EXPIRED);
	assert_status(authenticate(world.service, login.access_token, &principal), STATUS_OK);
	/* remembered, and still not longer than it is good for */
	assert_status(api.authenticate(api.self, login.access_token, now + 1000 * MICROSECONDS_PER_SECOND, &principal),
	        ERR_TOKEN_EXPIRED);

	/* another installation's key, the same database */
	foreign = world;
	snprintf(foreign.key_folder, sizeof foreign.key_folder, "/tmp/agentpay-keys-XXXXXX");
	assert_non_null(mkdtemp(foreign.key_folder));
	struct identity_service *stranger = service_open(&foreign);
	assert_status(authenticate(stranger, login.access_token, &principal), ERR_INVALID_TOKEN);
	identity_service_stop(stranger);
	remove_keys(foreign.key_folder);
	world_close(&world);
}

/* A token with any claims, signed with the installation's own key. */
static struct slice sign_claims(struct world *world, const char *typ, struct slice claims)
{
	char path[128], pem[4096];
	struct slice token;
	struct jwk jwk;
	snprintf(path, sizeof path, "%s/token.pem", world->key_folder);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t size = fread(pem, 1, sizeof pem, file);
	fclose(file);
	struct signing_key *key = signing_key_from_pem(slice_make(pem, size));
	assert_non_null(key);
	jwk_from_signing_key(key, &jwk);
	assert_status(jwt_sign(key, slice_from(jwk.kid), typ, claims, &world->arena, &token), STATUS_OK);
	jwk_clean_up(&jwk);
	signing_key_free(key);
	return token;
}

static void a_good_signature_is_not_enough(void **state)
{
	static const struct {
		const char *typ, *issuer, *audience, *subject, *roles, *more;
		enum status status;
	} rows[] = {
		{ "at+jwt", ISSUER, "agentpay", "USER", "[\"admin\"]", "\"sid\":\"SESSION\"", STATUS_OK },
		{ "at+jwt", ISSUER, "agentpay", "AGENT", "[\"agent\"]", "\"owner\":\"USER\"", STATUS_OK },
		{ "JWT", ISSUER, "agentpay", "USER", "[\"admin\"]", "\"sid\":\"SESSION\"", ERR_INVALID_TOKEN },
		{ "at+jwt", "http://127.0.0.1:8081", "agentpay", "USER", "[\"admin\"]", "\"sid\":\"SESSION\"",
		        ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "others", "USER", "[\"admin\"]", "\"sid\":\"SESSION\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "USER", "[\"agent\"]", "\"sid\":\"SESSION\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "USER", "[\"root\"]", "\"sid\":\"SESSION\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "USER", "[1]", "\"sid\":\"SESSION\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "USER", "[\"admin\"]", "\"sid\":\"USER\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "USER", "[\"admin\"]", "\"sid\":1", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "AGENT", "[\"admin\"]", "\"owner\":\"USER\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "AGENT", "[\"agent\",\"admin\"]", "\"owner\":\"USER\"",
		        ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "AGENT", "[\"agent\"]", "\"sid\":\"SESSION\"", ERR_INVALID_TOKEN },
		{ "at+jwt", ISSUER, "agentpay", "SESSION", "[\"agent\"]", "\"owner\":\"USER\"", ERR_INVALID_TOKEN },
	};
	struct world world;
	struct slice secret;
	struct principal principal;
	world_open(&world, state);
	struct user owner = make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com");
	struct agent agent = make_agent(&world, "bot@example.com", owner.id, &secret);
	struct writer user_text = writer_growing(&world.arena), session_text = writer_growing(&world.arena);
	write_user_id(&user_text, owner.id);
	write_session_id(&session_text, login.session);
	const struct {
		const char *word;
		struct slice text;
	} names[] = { { "USER", writer_slice(&user_text) }, { "SESSION", writer_slice(&session_text) },
		{ "AGENT", agent_text(&world, agent.id) } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice pattern = arena_format(&world.arena,
		        "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"roles\":%s,%s}",
		        rows[i].issuer, rows[i].audience, rows[i].subject,
		        (long long)(clock_now() / MICROSECONDS_PER_SECOND),
		        (long long)(clock_now() / MICROSECONDS_PER_SECOND + 60), rows[i].roles, rows[i].more);
		struct writer claims = writer_growing(&world.arena);
		for (size_t at = 0; at < pattern.size;) {
			size_t used = 1;
			struct slice rest = slice_skip(pattern, at), text = { rest.data, 1 };
			for (size_t name = 0; name < 3; name++)
				if (slice_starts_with(rest, slice_from(names[name].word))) {
					used = strlen(names[name].word);
					text = names[name].text;
				}
			write_slice(&claims, text);
			at += used;
		}
		struct slice token = sign_claims(&world, rows[i].typ, writer_slice(&claims));
		if (authenticate(world.service, token, &principal) != rows[i].status)
			fail_msg("%.*s", SLICE_ARGS(writer_slice(&claims)));
	}
	world_close(&world);
}

static void keys_are_kept_and_kept_secret(void **state)
{
	static const char *const names[] = { "token.pem", "pepper.key", "field.key" };
	struct world world;
	struct principal principal;
	struct stat about;
	char path[128];
	world_open(&world, state);
	make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct login login = log_in(&world, "ada@example.com");
	struct identity_service *restarted = service_open(&world);
	assert_status(authenticate(restarted, login.access_token, &principal), STATUS_OK);
	identity_service_stop(restarted);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", world.key_folder, names[i]);
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 0777, 0600);
		assert_int_equal(chmod(path, 0644), 0);
		const struct identity_options options = {
			.engines = &world.engines,
			.issuer = SLICE(ISSUER),
			.key_folder = slice_from(world.key_folder),
		};
		assert_status(identity_service_start(&options, &restarted, &world.problem), ERR_IO);
		assert_int_equal(chmod(path, 0600), 0);
	}
	struct writer out = writer_growing(&world.arena);
	const struct json *set;
	identity_write_jwks(world.service, &out);
	assert_status(json_parse(writer_slice(&out), &world.arena, &set, NULL), STATUS_OK);
	assert_int_equal(json_member(set, "keys")->count, 1);
	assert_null(json_member(json_member(set, "keys")->first, "d"));
	world_close(&world);
}

/* --- Agents ----------------------------------------------------------------------------------------------------- */

static void an_agent_gets_tokens_for_its_secret(void **state)
{
	struct world world;
	struct slice secret, token;
	struct principal principal;
	world_open(&world, state);
	struct user owner = make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct agent agent = make_agent(&world, "bot@example.com", owner.id, &secret);
	assert_slice(agent.email, "bot@example.com");
	assert_slice(agent.status, "active");
	assert_int_equal(secret.size, 47);
	assert_true(slice_starts_with(secret, SLICE("aps_")));
	token = agent_token(&world, agent.id, secret);
	assert_status(authenticate(world.service, token, &principal), STATUS_OK);
	assert_int_equal(principal.kind, PRINCIPAL_AGENT);
	assert_true(uuid_equal(principal.id, agent.id.uuid));
	assert_true(uuid_equal(principal.owner.uuid, owner.id.uuid));
	assert_int_equal(principal.roles, ROLE_AGENT);

	assert_status(try_token(&world, agent.id, SLICE("aps_wrong"), &token), ERR_INVALID_CLIENT);
	assert_status(try_token(&world, agent.id, SLICE_EMPTY, &token), ERR_INVALID_CLIENT);
	assert_status(try_token(&world, agent_id_new(), secret, &token), ERR_INVALID_CLIENT);
	assert_status(try_token(&world, (struct agent_id) { owner.id.uuid }, secret, &token), ERR_INVALID_CLIENT);
	assert_int_equal(events_of(&world, "agent.created"), 1);
	world_close(&world);
}

static void an_agent_is_made_once(void **state)
{
	struct world world;
	struct slice secret, fresh, token;
	struct agent again;
	world_open(&world, state);
	struct user owner = make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct agent agent = make_agent(&world, "bot@example.com", owner.id, &secret);
	struct agent_draft draft = {
		.id = agent.id,
		.name = SLICE("shopper"),
		.email = SLICE("bot@example.com"),
		.owner = owner.id,
	};
	assert_status(identity_agent_create(
	                      world.service, &world.actor, &draft, &world.arena, &again, &fresh, &world.problem),
	        STATUS_OK);
	assert_true(uuid_equal(again.id.uuid, agent.id.uuid));
	assert_int_equal(again.created_at, agent.created_at);
	assert_status(try_token(&world, agent.id, secret, &token), ERR_INVALID_CLIENT);
	assert_status(try_token(&world, agent.id, fresh, &token), STATUS_OK);
	assert_int_equal(events_of(&world, "agent.created"), 1);

	draft.id = agent_id_new();
	assert_status(identity_agent_create(
	                      world.service, &world.actor, &draft, &world.arena, &again, &fresh, &world.problem),
	        ERR_ALREADY_EXISTS);
	draft.email = SLICE("other@example.com");
	draft.owner = user_id_new();
	assert_status(identity_agent_create(
	                      world.service, &world.actor, &draft, &world.arena, &again, &fresh, &world.problem),
	        ERR_INVALID_FIELD);
	assert_string_equal(world.problem.param, "owner_id");
	world_close(&world);
}

static void a_suspended_agent_stops_at_once(void **state)
{
	struct world world;
	struct slice secret, other;
	struct principal principal;
	world_open(&world, state);
	struct user owner = make_user(&world, "ada@example.com", ROLE_ADMIN);
	struct agent agent = make_agent(&world, "bot@example.com", owner.id, &secret);
	struct slice token = agent_token(&world, agent.id, secret);
	assert_status(authenticate(world.service, token, &principal), STATUS_OK);
	for (int again = 0; again < 2; again++)
		assert_status(
		        identity_agent_set_active(world.service, &world.actor, agent.id, false, &world.arena, &agent),
		        STATUS_OK);
	assert_slice(agent.status, "suspended");
	assert_status(authenticate(world.service, token, &principal), ERR_AGENT_SUSPENDED);
	assert_status(try_token(&world, agent.id, secret, &other), ERR_AGENT_SUSPENDED);
	assert_status(try_token(&world, agent.id, SLICE("aps_wrong"), &other), ERR_INVALID_CLIENT);
	assert_status(identity_agent_set_active(world.service, &world.actor, agent.id, true, &world.arena, &agent),
	        STATUS_OK);
	assert_status(authenticate(world.service, token, &principal), STATUS_OK);
	assert_int_equal(events_of(&world, "agent.suspended"), 1);
	assert_int_equal(events_of(&world, "agent.activated"), 1);
	assert_status(
	        identity_agent_set_active(world.service, &world.actor, agent_id_new(), true, &world.arena, &agent),
	        ERR_NOT_FOUND);
	world_close(&world);
}

/* --- Consents --------------------------------------------------------------------------------------------------- */

static struct consent draft_consent(struct agent_id agent)
{
	return (struct consent) {
		.terms = {
			.id = consent_id_new(),
			.agent = agent,
			.currency = CURRENCY_USD,
			.per_payment_minor = 10000,
			.daily_minor = 20000,
			.monthly_minor = 30000,
			.approval_minor = 5000,
			.rails = 1u << RAIL_BOOK | 1u << RAIL_WIRE,
			.payees = SLICE("acct-1\niban:DE89"),
		},
		.purpose = SLICE("office supplies"),
	};
}

struct consent_world {
	struct world world;
	struct principal principal;
	struct agent agent;
};

static void consent_world_open(struct consent_world *it, void **state)
{
	struct slice secret;
	world_open(&it->world, state);
	struct user owner = make_user(&it->world, "ada@example.com", ROLE_ADMIN);
	it->principal = (struct principal) { .kind = PRINCIPAL_USER, .id = owner.id.uuid, .roles = ROLE_ADMIN };
	it->agent = make_agent(&it->world, "bot@example.com", owner.id, &secret);
}

static struct consent grant(struct consent_world *it, const struct consent *draft)
{
	struct consent consent;
	assert_status(identity_consent_grant(it->world.service, &it->world.actor, &it->principal, draft,
	                      &it->world.arena, &consent, &it->world.problem),
	        STATUS_OK);
	return consent;
}

static struct consent_verdict check_on(struct consent_world *it, struct identity_service *service,
        struct consent_id consent, int64_t minor, int64_t at)
{
	const struct identity_api api = identity_service_api(service);
	const struct consent_question question = {
		.agent = it->agent.id,
		.consent = consent,
		.amount = { minor, CURRENCY_USD },
		.payee = SLICE("acct-1"),
		.at = at,
	};
	struct consent_verdict verdict;
	assert_status(api.consent_check(api.self, &question, &verdict), STATUS_OK);
	return verdict;
}

static struct consent_verdict check(struct consent_world *it, struct consent_id consent, int64_t minor)
{
	return check_on(it, it->world.service, consent, minor, clock_now());
}

static void a_consent_covers_what_it_says(void **state)
{
	struct consent_world it;
	struct consent read;
	consent_world_open(&it, state);
	struct consent draft = draft_consent(it.agent.id), consent = grant(&it, &draft);
	assert_true(consent.terms.valid_from > 0);
	assert_status(identity_consent_get(it.world.service, consent.terms.id, &it.world.arena, &read), STATUS_OK);
	assert_int_equal(read.terms.currency, CURRENCY_USD);
	assert_int_equal(read.terms.per_payment_minor, 10000);
	assert_int_equal(read.terms.daily_minor, 20000);
	assert_int_equal(read.terms.monthly_minor, 30000);
	assert_int_equal(read.terms.approval_minor, 5000);
	assert_int_equal(read.terms.rails, draft.terms.rails);
	assert_int_equal(read.terms.expires_at, 0);
	assert_int_equal(read.terms.revoked_at, 0);
	assert_slice(read.terms.payees, "acct-1\niban:DE89");
	assert_slice(read.purpose, "office supplies");

	for (int again = 0; again < 2; again++) {
		struct consent_verdict verdict = check(&it, consent.terms.id, 5001);
		assert_status(verdict.refusal, STATUS_OK);
		assert_true(uuid_equal(verdict.consent.uuid, consent.terms.id.uuid));
		assert_true(verdict.needs_approval);
		assert_int_equal(verdict.rails, draft.terms.rails);
		assert_true(uuid_is_nil(verdict.account.uuid));
		assert_int_equal(verdict.budget_count, 2);
		assert_int_equal(verdict.budgets[0].period, BUDGET_DAILY);
		assert_int_equal(verdict.budgets[0].limit_minor, 20000);
		assert_int_equal(verdict.budgets[1].period, BUDGET_MONTHLY);
		assert_int_equal(verdict.budgets[1].limit_minor, 30000);
		verdict = check(&it, consent.terms.id, 10001);
		assert_status(verdict.refusal, ERR_CONSENT_PAYMENT_LIMIT);
		assert_false(check(&it, consent.terms.id, 5000).needs_approval);
	}
	assert_int_equal(events_of(&it.world, "consent.granted"), 1);
	/* the same identifier again: as if just granted */
	draft.terms.daily_minor = 10000;
	assert_int_equal(grant(&it, &draft).terms.daily_minor, 20000);
	assert_int_equal(events_of(&it.world, "consent.granted"), 1);
	draft.terms.id = consent_id_new();
	draft.terms.agent = agent_id_new();
	assert_status(identity_consent_grant(it.world.service, &it.world.actor, &it.principal, &draft, &it.world.arena,
	                      &read, &it.world.problem),
	        ERR_INVALID_FIELD);
	assert_string_equal(it.world.problem.param, "agent_id");
	world_close(&it.world);
}

static void budgets_are_named_by_calendar_day_and_month(void **state)
{
	static const struct {
		const char *at;
		bool same_day, same_month;
	} rows[] = {
		{ "2026-11-23T00:00:00Z", true, true },
		{ "2026-11-23T23:59:59Z", true, true },
		{ "2026-11-24T00:00:00Z", false, true },
		{ "2026-12-01T00:00:00Z", false, false },
		{ "2026-12-23T12:00:00Z", false, false },
		{ "2027-11-23T12:00:00Z", false, false },
	};
	struct consent_world it;
	int64_t at;
	consent_world_open(&it, state);
	struct consent draft = draft_consent(it.agent.id);
	draft.terms.valid_from = 1;
	struct consent consent = grant(&it, &draft);
	assert_true(instant_parse(SLICE("2026-11-23T12:00:00Z"), &at));
	struct consent_verdict first = check_on(&it, it.world.service, consent.terms.id, 1, at);
	assert_status(first.refusal, STATUS_OK);
	assert_false(uuid_equal(first.budgets[0].account.uuid, first.budgets[1].account.uuid));
	/* a pure function of consent and period: SHA-256 over the sized parts, as a UUID of version 8 */
	const struct slice parts[] = { SLICE("consent-budget"), slice_make(consent.terms.id.uuid.bytes, 16),
		SLICE("day"), SLICE("2026-11-23") };
	const struct slice month_parts[] = { parts[0], parts[1], SLICE("month"), SLICE("2026-11") };
	assert_true(uuid_equal(first.budgets[0].account.uuid, uuid_derive(parts, 4)));
	assert_true(uuid_equal(first.budgets[1].account.uuid, uuid_derive(month_parts, 4)));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(instant_parse(slice_from(rows[i].at), &at));
		struct consent_verdict verdict = check_on(&it, it.world.service, consent.terms.id, 1, at);
		assert_int_equal(
		        uuid_equal(verdict.budgets[0].account.uuid, first.budgets[0].account.uuid), rows[i].same_day);
		assert_int_equal(
		        uuid_equal(verdict.budgets[1].account.uuid, first.budgets[1].account.uuid), rows[i].same_month);
	}
	world_close(&it.world);
}

static void a_revoked_consent_covers_nothing_at_once(void **state)
{
	struct consent_world it;
	struct consent revoked;
	consent_world_open(&it, state);
	struct consent draft = draft_consent(it.agent.id), consent = grant(&it, &draft);
	const struct consent_id none = { { { 0 } } };
	struct identity_service *elsewhere = service_open(&it.world);
	assert_status(check(&it, consent.terms.id, 1).refusal, STATUS_OK);
	assert_status(check(&it, none, 1).refusal, STATUS_OK);
	assert_status(check_on(&it, elsewhere, consent.terms.id, 1, clock_now()).refusal, STATUS_OK);
	for (int again = 0; again < 2; again++)
		assert_status(identity_consent_revoke(it.world.service, &it.world.actor, consent.terms.id,
		                      SLICE("no longer needed"), &it.world.arena, &revoked),
		        STATUS_OK);
	assert_true(revoked.terms.revoked_at > 0);
	assert_slice(revoked.revoke_reason, "no longer needed");
	assert_status(check(&it, consent.terms.id, 1).refusal, ERR_CONSENT_REVOKED);
	assert_status(check(&it, none, 1).refusal, ERR_CONSENT_NOT_FOUND);
	assert_int_equal(events_of(&it.world, "consent.revoked"), 1);
	/* another process knows it after at most a second */
	usleep(1050 * 1000);
	assert_status(check_on(&it, elsewhere, consent.terms.id, 1, clock_now()).refusal, ERR_CONSENT_REVOKED);
	identity_service_stop(elsewhere);
	world_close(&it.world);
}

static void without_a_name_the_oldest_active_consent_serves(void **state)
{
	const struct consent_id none = { { { 0 } } };
	struct consent_world it;
	struct consent revoked;
	consent_world_open(&it, state);
	assert_status(check(&it, none, 1).refusal, ERR_CONSENT_NOT_FOUND);
	struct consent draft = draft_consent(it.agent.id);
	draft.terms.currency = CURRENCY_EUR;
	grant(&it, &draft);
	assert_status(check(&it, none, 1).refusal, ERR_CONSENT_NOT_FOUND);
	/* one that ends, then one that begins later, then two good ones */
	struct consent rows[4];
	int64_t now = clock_now(), end = now + 3600 * MICROSECONDS_PER_SECOND;
	for (int i = 0; i < 4; i++) {
		draft = draft_consent(it.agent.id);
		draft.terms.expires_at = i == 0 ? end : 0;
		draft.terms.valid_from = i == 1 ? end + MICROSECONDS_PER_SECOND * 3600 : 0;
		rows[i] = grant(&it, &draft);
	}
	assert_true(uuid_equal(check(&it, none, 1).consent.uuid, rows[0].terms.id.uuid));
	/* remembered, and still not used after its end */
	assert_true(uuid_equal(check_on(&it, it.world.service, none, 1, end).consent.uuid, rows[2].terms.id.uuid));
	assert_status(identity_consent_revoke(it.world.service, &it.world.actor, rows[0].terms.id, SLICE_EMPTY,
	                      &it.world.arena, &revoked),
	        STATUS_OK);
	assert_true(uuid_equal(check(&it, none, 1).consent.uuid, rows[2].terms.id.uuid));
	world_close(&it.world);
}

static void a_consent_serves_its_own_agent_only(void **state)
{
	struct consent_world it;
	struct slice secret;
	consent_world_open(&it, state);
	struct consent draft = draft_consent(it.agent.id), consent = grant(&it, &draft);
	assert_status(check(&it, consent_id_new(), 1).refusal, ERR_CONSENT_NOT_FOUND);
	struct agent owner = it.agent;
	it.agent = make_agent(&it.world, "other@example.com", owner.owner, &secret);
	assert_status(check(&it, consent.terms.id, 1).refusal, ERR_CONSENT_NOT_FOUND);
	it.agent.id = agent_id_new();
	assert_status(check(&it, consent.terms.id, 1).refusal, ERR_CONSENT_NOT_FOUND);
	it.agent = owner;
	assert_status(check(&it, consent.terms.id, 1).refusal, STATUS_OK);
	assert_status(
	        identity_agent_set_active(it.world.service, &it.world.actor, owner.id, false, &it.world.arena, &owner),
	        STATUS_OK);
	assert_status(check(&it, consent.terms.id, 1).refusal, ERR_AGENT_SUSPENDED);
	world_close(&it.world);
}

static void lists_go_from_the_newest_to_the_oldest(void **state)
{
	enum { COUNT = 5 };
	struct consent_world it;
	struct consent *rows;
	struct consent_id ids[COUNT];
	struct slice secret;
	size_t count;
	consent_world_open(&it, state);
	for (int i = 0; i < COUNT; i++) {
		struct consent draft = draft_consent(it.agent.id);
		ids[COUNT - 1 - i] = grant(&it, &draft).terms.id;
	}
	struct agent other = make_agent(&it.world, "other@example.com", it.agent.owner, &secret);
	const struct consent foreign = draft_consent(other.id);
	grant(&it, &foreign);

	struct page page = { .limit = 2, .before_at = INT64_MAX };
	for (int i = 0; i < COUNT; i += 2) {
		assert_status(
		        identity_consent_list(it.world.service, &page, it.agent.id, &it.world.arena, &rows, &count),
		        STATUS_OK);
		assert_int_equal(count, COUNT - i > 2 ? 3 : COUNT - i);
		for (int row = 0; row < 2 && i + row < COUNT; row++) {
			assert_true(uuid_equal(rows[row].terms.id.uuid, ids[i + row].uuid));
			page.before_at = rows[row].terms.created_at;
			page.before_id = rows[row].terms.id.uuid;
		}
	}
	page = (struct page) { .limit = 10, .before_at = INT64_MAX };
	assert_status(identity_consent_list(
	                      it.world.service, &page, (struct agent_id) { { { 0 } } }, &it.world.arena, &rows, &count),
	        STATUS_OK);
	assert_int_equal(count, COUNT + 1);
	struct agent *agents;
	assert_status(identity_agent_list(it.world.service, &page, &it.world.arena, &agents, &count), STATUS_OK);
	assert_int_equal(count, 2);
	assert_slice(agents[0].email, "other@example.com");
	struct user *users;
	assert_status(identity_user_list(it.world.service, &page, &it.world.arena, &users, &count), STATUS_OK);
	assert_int_equal(count, 1);
	assert_slice(users[0].email, "ada@example.com");
	world_close(&it.world);
}

TESTS(ON_BOTH(the_first_administrator_is_made_once), ON_BOTH(processes_that_start_together_make_one_administrator),
        ON_BOTH(a_login_gives_a_token_that_says_who_asks), ON_BOTH(an_address_is_sealed_and_belongs_to_one_user),
        ON_BOTH(unsound_users_are_refused), ON_BOTH(ten_wrong_passwords_lock_known_and_unknown_alike),
        ON_BOTH(guesses_at_the_same_time_are_ten_too), ON_BOTH(a_good_login_clears_the_count),
        ON_BOTH(fifty_wrong_passwords_lock_an_address), ON_BOTH(an_ipv6_network_counts_as_one_address),
        ON_BOTH(a_disabled_user_is_nobody), ON_BOTH(a_refresh_token_is_good_once), ON_BOTH(a_session_ends),
        ON_BOTH(of_concurrent_refreshes_exactly_one_wins), ON_BOTH(a_logout_ends_access_at_once),
        ON_BOTH(a_new_password_ends_the_other_sessions), ON_BOTH(forged_and_old_tokens_are_refused),
        ON_SQLITE(a_good_signature_is_not_enough), ON_BOTH(keys_are_kept_and_kept_secret),
        ON_BOTH(an_agent_gets_tokens_for_its_secret), ON_BOTH(an_agent_is_made_once),
        ON_BOTH(a_suspended_agent_stops_at_once), ON_BOTH(a_consent_covers_what_it_says),
        ON_BOTH(budgets_are_named_by_calendar_day_and_month), ON_BOTH(a_revoked_consent_covers_nothing_at_once),
        ON_BOTH(without_a_name_the_oldest_active_consent_serves), ON_BOTH(a_consent_serves_its_own_agent_only),
        ON_BOTH(lists_go_from_the_newest_to_the_oldest))
