#include "testing.h"

#include <unistd.h>

#include "app/config.h"

enum { ARGUMENTS_MAX = 8 };

/* One start of the program: its arguments and its environment, each ended by NULL. */
struct start {
	const char *arguments[ARGUMENTS_MAX];
	const char *environment[ARGUMENTS_MAX];
};

struct read {
	struct config config;
	struct problem problem;
	struct arena arena;
	int argc;
	char *argv[ARGUMENTS_MAX + 2];
	char *environment[ARGUMENTS_MAX + 1];
};

static enum status read_start(const struct start *start, struct read *read)
{
	*read = (struct read) { .argc = 1, .argv = { "serve" } };
	for (int i = 0; i < ARGUMENTS_MAX && start->arguments[i]; i++)
		read->argv[read->argc++] = arena_text(&read->arena, slice_from(start->arguments[i]));
	for (int i = 0; i < ARGUMENTS_MAX && start->environment[i]; i++)
		read->environment[i] = arena_text(&read->arena, slice_from(start->environment[i]));
	return config_read(&read->config, &read->argc, read->argv, read->environment, &read->problem);
}

static void clean_up(struct read *read)
{
	config_clean_up(&read->config);
	arena_clean_up(&read->arena);
}

static void later_sources_win(void **state)
{
	(void)state;
	static const char path[] = "test_config.env";
	static const struct {
		struct start start;
		const char *listen;
		enum setting_source source;
	} rows[] = {
		{ { { NULL }, { NULL } }, "127.0.0.1:8080", SOURCE_DEFAULT },
		{ { { "--config", path }, { NULL } }, "file:1", SOURCE_FILE },
		{ { { "--config", path }, { "AGENTPAY_LISTEN=env:2" } }, "env:2", SOURCE_ENVIRONMENT },
		{ { { "--config=test_config.env", "--listen=line:3" }, { "AGENTPAY_LISTEN=env:2" } }, "line:3",
		        SOURCE_COMMAND_LINE },
		{ { { "--listen", "line:4" }, { NULL } }, "line:4", SOURCE_COMMAND_LINE },
	};
	FILE *file = fopen(path, "w");
	fputs("# a comment\n\n  AGENTPAY_LISTEN = file:1  \n", file);
	fclose(file);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct read read;
		assert_status(read_start(&rows[i].start, &read), STATUS_OK);
		assert_slice(config_text(&read.config, SETTING_LISTEN), rows[i].listen);
		assert_int_equal(read.config.values[SETTING_LISTEN].source, rows[i].source);
		assert_int_equal(read.argc, 1);
		clean_up(&read);
	}
	unlink(path);
}

static void what_is_wrong_is_refused_with_its_name(void **state)
{
	(void)state;
	static const struct {
		struct start start;
		const char *says;
	} rows[] = {
		{ { { NULL }, { "AGENTPAY_DATABSE_URL=sqlite:x" } }, "AGENTPAY_DATABSE_URL is no setting" },
		{ { { "--rate-limit=-1" }, { NULL } }, "RATE_LIMIT: \"-1\" is not a whole number within 0..1000000" },
		{ { { "--rate-limit=1000001" }, { NULL } }, "RATE_LIMIT" },
		{ { { "--rate-limit=many" }, { NULL } }, "RATE_LIMIT" },
		{ { { "--rate-limit" }, { NULL } }, "--rate-limit needs a value" },
		{ { { "--log=xml" }, { NULL } }, "LOG: \"xml\" is not one of json|text" },
		{ { { "--database-url=mysql://x" }, { NULL } }, "DATABASE_URL: \"mysql://x\" is not sqlite:PATH" },
		{ { { "--rails-url=ftp://x" }, { NULL } }, "RAILS_URL" },
		{ { { "--access-token-lifetime=15" }, { NULL } }, "ACCESS_TOKEN_LIFETIME" },
		{ { { "--access-token-lifetime=0s" }, { NULL } }, "ACCESS_TOKEN_LIFETIME" },
		{ { { "--webhook-private-addresses=maybe" }, { NULL } }, "true or false" },
		{ { { "--config=/nonexistent/file" }, { NULL } }, "cannot be read" },
		{ { { "--risk-review-threshold=80" }, { NULL } }, "RISK_BLOCK_THRESHOLD" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct read read;
		assert_status(read_start(&rows[i].start, &read), ERR_INVALID_PARAMETER);
		if (!strstr(read.problem.detail, rows[i].says))
			fail_msg("\"%s\" does not say \"%s\"", read.problem.detail, rows[i].says);
		arena_clean_up(&read.arena);
	}
}

static void a_bad_line_of_a_file_is_named_by_its_number(void **state)
{
	(void)state;
	static const char path[] = "test_config_bad.env";
	const struct start start = { { "--config", path }, { NULL } };
	struct read read;
	FILE *file = fopen(path, "w");
	fputs("AGENTPAY_LOG=text\nAGENTPAY_LOG\n", file);
	fclose(file);
	assert_status(read_start(&start, &read), ERR_INVALID_PARAMETER);
	assert_string_equal(read.problem.detail, "test_config_bad.env line 2: \"AGENTPAY_LOG\" is not NAME=VALUE");
	arena_clean_up(&read.arena);
	unlink(path);
}

static void settings_are_taken_out_and_the_rest_is_left(void **state)
{
	(void)state;
	const struct start start = { { "first", "--log=text", "--example", "--listen", "a:1", "--", "--log=xml" },
		{ NULL } };
	static const char *const left[] = { "serve", "first", "--example", "--", "--log=xml" };
	struct read read;
	assert_status(read_start(&start, &read), STATUS_OK);
	assert_int_equal(read.argc, 5);
	for (int i = 0; i < 5; i++)
		assert_string_equal(read.argv[i], left[i]);
	assert_null(read.argv[5]);
	clean_up(&read);
}

static void kinds_have_their_numbers(void **state)
{
	(void)state;
	const struct start start = { { "--access-token-lifetime=2h", "--refresh-token-lifetime=7d", "--log-level=error",
		                             "--webhook-private-addresses=true", "--rate-limit=0" },
		{ NULL } };
	struct read read;
	assert_status(read_start(&start, &read), STATUS_OK);
	assert_int_equal(config_integer(&read.config, SETTING_ACCESS_TOKEN_LIFETIME), 7200);
	assert_int_equal(config_integer(&read.config, SETTING_REFRESH_TOKEN_LIFETIME), 604800);
	assert_int_equal(config_integer(&read.config, SETTING_LOG_LEVEL), 3);
	assert_int_equal(config_integer(&read.config, SETTING_WEBHOOK_PRIVATE_ADDRESSES), 1);
	assert_int_equal(config_integer(&read.config, SETTING_RATE_LIMIT), 0);
	clean_up(&read);
}

static void variables_of_the_tests_are_no_settings(void **state)
{
	(void)state;
	const struct start start = { { NULL }, { "AGENTPAY_TEST_POSTGRES=x", "AGENTPAY_SOURCE=y", "HOME=z" } };
	struct read read;
	assert_status(read_start(&start, &read), STATUS_OK);
	clean_up(&read);
}

static void secrets_are_not_printed(void **state)
{
	(void)state;
	const struct start start = { { "--service-key=topsecret", "--database-url=postgres://me:pass@word@host/db" },
		{ NULL } };
	struct read read;
	char *text = NULL;
	size_t size = 0;
	assert_status(read_start(&start, &read), STATUS_OK);
	FILE *out = open_memstream(&text, &size);
	config_print(&read.config, out);
	fclose(out);
	assert_null(strstr(text, "topsecret"));
	assert_null(strstr(text, "pass"));
	assert_null(strstr(text, "word"));
	assert_non_null(strstr(text, "postgres://me:***@host/db  (command line)"));
	free(text);
	clean_up(&read);
}

TESTS(cmocka_unit_test(later_sources_win), cmocka_unit_test(what_is_wrong_is_refused_with_its_name),
        cmocka_unit_test(a_bad_line_of_a_file_is_named_by_its_number),
        cmocka_unit_test(settings_are_taken_out_and_the_rest_is_left), cmocka_unit_test(kinds_have_their_numbers),
        cmocka_unit_test(variables_of_the_tests_are_no_settings), cmocka_unit_test(secrets_are_not_printed))
