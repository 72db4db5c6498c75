#include "app/example.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "platform/http_client.h"

enum { LINE_SIZE_MAX = 1024 };

/* The file's lines, NAME=VALUE. */
static const struct {
	const char *name;
	size_t offset;
} rows[] = {
	{ "ADMIN_EMAIL", offsetof(struct example, email) },
	{ "ADMIN_PASSWORD", offsetof(struct example, password) },
	{ "CLIENT_ID", offsetof(struct example, client_id) },
	{ "CLIENT_SECRET", offsetof(struct example, client_secret) },
	{ "PAYEE", offsetof(struct example, payee) },
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static struct slice *field(struct example *example, size_t row)
{
	return (struct slice *)(void *)((char *)example + rows[row].offset);
}

/* A conversation with the platform. */
struct caller {
	struct http_client *client;
	struct slice url;
	struct slice authorization; /* "" before log-in */
	struct arena *arena;
	struct problem *problem;
};

static enum status refused(struct caller *caller, const char *path, const struct http_answer *answer)
{
	return problem_set(caller->problem, ERR_IO, "", "the example could not be made: POST %s answered %d %.*s", path,
	        answer->status, SLICE_ARGS(answer->body));
}

static enum status post(struct caller *caller, const char *path, struct slice body, const struct json **ret_answer)
{
	struct http_answer answer = { 0 };
	struct writer key = writer_growing(caller->arena);
	write_uuid(&key, uuid_new());
	const struct http_call call = {
		.method = HTTP_POST,
		.url = arena_format(caller->arena, "%.*s%s", SLICE_ARGS(caller->url), path),
		.body = body,
		.headers = { { "Content-Type", SLICE("application/json") }, { "Idempotency-Key", writer_slice(&key) },
		        { "Authorization", caller->authorization } },
		.header_count = caller->authorization.size ? 3 : 2,
	};
	TRY(http_client_call(caller->client, &call, caller->arena, &answer));
	if (answer.status < 200 || answer.status > 299)
		return refused(caller, path, &answer);
	return json_parse(answer.body, caller->arena, ret_answer, caller->problem);
}

/* The text of a member, copied; "" when there is none. */
static struct slice text_of(const struct json *object, const char *name, struct arena *arena)
{
	const struct json *member = json_member(object, name);
	return arena_copy(arena, member ? member->text : SLICE_EMPTY);
}

static enum status log_in(struct caller *caller, const struct example *example)
{
	const struct json *answer;
	TRY(post(caller, "/v1/auth/login",
	        arena_format(caller->arena, "{\"email\":\"%.*s\",\"password\":\"%.*s\"}", SLICE_ARGS(example->email),
	                SLICE_ARGS(example->password)),
	        &answer));
	struct slice token = text_of(answer, "access_token", caller->arena);
	caller->authorization = arena_format(caller->arena, "Bearer %.*s", SLICE_ARGS(token));
	return STATUS_OK;
}

/* `more` are further members of the account, with a comma before each. */
static enum status make_account(
        struct caller *caller, const char *type, const char *name, struct slice more, struct slice *ret_id)
{
	const struct json *answer;
	TRY(post(caller, "/v1/accounts",
	        arena_format(caller->arena, "{\"type\":\"%s\",\"currency\":\"USD\",\"name\":\"%s\"%.*s}", type, name,
	                SLICE_ARGS(more)),
	        &answer));
	*ret_id = text_of(answer, "id", caller->arena);
	return STATUS_OK;
}

static enum status make_agent(struct caller *caller, struct example *example, struct slice *ret_agent)
{
	const struct json *answer;
	TRY(post(caller, "/v1/agents", SLICE("{\"name\":\"example-agent\",\"email\":\"agent@example.com\"}"), &answer));
	*ret_agent = text_of(answer, "id", caller->arena);
	example->client_id = text_of(answer, "client_id", caller->arena);
	example->client_secret = text_of(answer, "client_secret", caller->arena);
	return STATUS_OK;
}

static enum status fund(struct caller *caller, struct slice cash, struct slice wallet)
{
	const struct json *answer;
	return post(caller, "/v1/transactions",
	        arena_format(caller->arena,
	                "{\"debit_account_id\":\"%.*s\",\"credit_account_id\":\"%.*s\",\"amount\":\"10000.00\","
	                "\"currency\":\"USD\",\"description\":\"Example funds\"}",
	                SLICE_ARGS(cash), SLICE_ARGS(wallet)),
	        &answer);
}

static enum status consent(struct caller *caller, struct slice agent)
{
	const struct json *answer;
	return post(caller, "/v1/consents",
	        arena_format(caller->arena,
	                "{\"agent_id\":\"%.*s\",\"currency\":\"USD\",\"per_payment_limit\":\"1000.00\","
	                "\"daily_limit\":\"5000.00\",\"monthly_limit\":\"20000.00\",\"purpose\":\"Example\"}",
	                SLICE_ARGS(agent)),
	        &answer);
}

static enum status make_all(struct caller *caller, struct example *example)
{
	struct slice agent, cash, wallet;
	TRY(log_in(caller, example));
	TRY(make_agent(caller, example, &agent));
	struct slice owner = arena_format(caller->arena, ",\"agent_id\":\"%.*s\"", SLICE_ARGS(agent));
	TRY(make_account(caller, "asset", "Example cash", SLICE(",\"allow_negative\":true"), &cash));
	TRY(make_account(caller, "liability", "Example wallet", owner, &wallet));
	TRY(make_account(caller, "liability", "Example payee", SLICE_EMPTY, &example->payee));
	TRY(fund(caller, cash, wallet));
	return consent(caller, agent);
}

static enum status write_file(struct example *example, const char *path, struct problem *problem)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *out = file < 0 ? NULL : fdopen(file, "w");
	if (!out) {
		if (file >= 0)
			close(file);
		return problem_set(problem, ERR_IO, "", "cannot write %s: %s", path, strerror(errno));
	}
	for (size_t i = 0; i < ROW_COUNT; i++)
		fprintf(out, "%s=%.*s\n", rows[i].name, SLICE_ARGS(*field(example, i)));
	return fclose(out) == 0 ? STATUS_OK : problem_set(problem, ERR_IO, "", "cannot write %s", path);
}

enum status example_make(struct slice url, struct slice email, struct slice password, const char *path,
        struct arena *arena, struct example *ret_example, struct problem *problem)
{
	struct example example = { .email = arena_copy(arena, email), .password = arena_copy(arena, password) };
	struct caller caller = { .client = http_client_new(&(struct http_client_options) { 0 }),
		.url = url,
		.arena = arena,
		.problem = problem };
	enum status status = make_all(&caller, &example);
	http_client_free(caller.client);
	TRY(status);
	TRY(write_file(&example, path, problem));
	*ret_example = example;
	return STATUS_OK;
}

static void take_line(struct slice line, struct arena *arena, struct example *example)
{
	struct slice value = line, name;
	slice_split(&value, '=', &name);
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (value.data && slice_is(name, rows[i].name))
			*field(example, i) = arena_copy(arena, value);
}

enum status example_read(const char *path, struct arena *arena, struct example *ret_example)
{
	char line[LINE_SIZE_MAX];
	struct example example = { 0 };
	FILE *file = fopen(path, "re");
	if (!file)
		return ERR_NOT_FOUND;
	while (fgets(line, sizeof line, file))
		take_line(slice_trim(slice_from(line)), arena, &example);
	fclose(file);
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (!field(&example, i)->size)
			return ERR_IO;
	*ret_example = example;
	return STATUS_OK;
}

void example_print(const struct example *example, struct slice url, FILE *out)
{
	fprintf(out,
	        "\nThe first administrator (change the password soon: POST /v1/auth/password):\n"
	        "  email     %.*s\n  password  %.*s\n\n"
	        "An example agent with 10,000.00 USD and a consent is set up. Copy these lines into another shell:\n\n",
	        SLICE_ARGS(example->email), SLICE_ARGS(example->password));
	fprintf(out,
	        "TOKEN=$(curl -s %.*s/v1/oauth/token -d grant_type=client_credentials -d client_id=%.*s -d "
	        "client_secret=%.*s | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n",
	        SLICE_ARGS(url), SLICE_ARGS(example->client_id), SLICE_ARGS(example->client_secret));
	fprintf(out,
	        "PAYMENT=$(curl -s %.*s/v1/payments -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: "
	        "application/json' -H \"Idempotency-Key: $(date +%%s%%N)\" -d '{\"amount\":25.00,\"currency\":\"USD\","
	        "\"payee\":{\"account_id\":\"%.*s\"},\"reference\":\"first payment\"}'); echo \"$PAYMENT\"\n",
	        SLICE_ARGS(url), SLICE_ARGS(example->payee));
	fprintf(out,
	        "curl -s %.*s/v1/payments/$(echo \"$PAYMENT\" | sed 's/.*\"id\":\"\\(pay-[^\"]*\\)\".*/\\1/') -H "
	        "\"Authorization: Bearer $TOKEN\"; echo\n\n",
	        SLICE_ARGS(url));
}
