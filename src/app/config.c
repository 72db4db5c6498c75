#include "app/config.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/writer.h"

enum setting_kind { TEXT, INTEGER, BOOLEAN, SECRET, URL, DATABASE, DURATION, CHOICE };

enum { NAME_MAX_SIZE = 48, LINE_SIZE_MAX = 4096 };

static const struct row {
	const char *name;
	enum setting_kind kind;
	const char *fallback;
	const char *bounds;
	const char *meaning;
} rows[SETTING_COUNT] = {
#define SETTING(name, kind, fallback, bounds, meaning) { #name, kind, fallback, bounds, meaning },
#include "app/config.def"
#undef SETTING
};

static const struct slice environment_prefix = SLICE("AGENTPAY_");

/* Variables of ours that are no settings, by how they begin: those of `agentpay pay`, and those that tell the test
 * programs where things are and how long to go on. */
static const char *const foreign[] = { "AGENTPAY_SERVER", "AGENTPAY_CLIENT_", "AGENTPAY_SCHEMAS", "AGENTPAY_TEST_",
	"AGENTPAY_SOURCE", "AGENTPAY_BINARY", "AGENTPAY_LOAD", "AGENTPAY_SHARED", "AGENTPAY_KEEP", "AGENTPAY_CRASH_",
	"AGENTPAY_FUZZ_", "AGENTPAY_SEED", "AGENTPAY_OPERATIONS" };

/* "DATABASE_URL" as the option's "database-url". */
static struct slice option_name(const struct row *row, char buffer[NAME_MAX_SIZE])
{
	struct writer out = writer_fixed(buffer, NAME_MAX_SIZE);
	for (const char *c = row->name; *c; c++)
		write_char(&out, *c == '_' ? '-' : (char)(*c + ('a' - 'A') * (*c >= 'A' && *c <= 'Z')));
	return writer_slice(&out);
}

static bool find_by_name(struct slice name, enum setting *ret_setting)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (slice_is(name, rows[i].name)) {
			*ret_setting = (enum setting)i;
			return true;
		}
	return false;
}

static bool find_by_option(struct slice option, enum setting *ret_setting)
{
	char buffer[NAME_MAX_SIZE];
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (slice_equal(option, option_name(&rows[i], buffer))) {
			*ret_setting = (enum setting)i;
			return true;
		}
	return false;
}

static bool read_integer(struct slice text, const char *bounds, int64_t *ret_value)
{
	struct slice most = slice_from(bounds), least = most;
	const char *dots = strstr(bounds, "..");
	int64_t value, low, high;
	if (!dots || !slice_to_i64(text, &value))
		return false;
	least.size = (size_t)(dots - bounds);
	most = slice_skip(most, least.size + 2);
	if (!slice_to_i64(least, &low) || !slice_to_i64(most, &high) || value < low || value > high)
		return false;
	*ret_value = value;
	return true;
}

static bool read_choice(struct slice text, const char *bounds, int64_t *ret_value)
{
	struct slice rest = slice_from(bounds), choice;
	for (int64_t place = 0; slice_split(&rest, '|', &choice); place++)
		if (slice_equal(choice, text)) {
			*ret_value = place;
			return true;
		}
	return false;
}

static bool read_duration(struct slice text, int64_t *ret_seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	int64_t count;
	if (text.size < 2 || text.size > 9 || !slice_to_i64((struct slice) { text.data, text.size - 1 }, &count) ||
	        count <= 0)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (text.data[text.size - 1] == units[i].unit) {
			*ret_seconds = count * units[i].seconds;
			return true;
		}
	return false;
}

static bool starts_with_one_of(struct slice text, const char *const *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_starts_with(text, slice_from(prefixes[i])))
			return true;
	return false;
}

static bool is_url(struct slice text)
{
	static const char *const schemes[] = { "http://", "https://" };
	return text.size == 0 || starts_with_one_of(text, schemes, 2);
}

static bool is_database(struct slice text)
{
	static const char *const schemes[] = { "sqlite:", "postgres://", "postgresql://" };
	return starts_with_one_of(text, schemes, 3);
}

/* NULL when the text is a value of that kind; else what it should have been, for the end of a sentence. */
static const char *check(const struct row *row, struct slice text, int64_t *ret_integer)
{
	switch (row->kind) {
	case TEXT:
	case SECRET:
		return NULL;
	case INTEGER:
		return read_integer(text, row->bounds, ret_integer) ? NULL : "a whole number within";
	case BOOLEAN:
		return read_choice(text, "false|true", ret_integer) ? NULL : "true or false";
	case URL:
		return is_url(text) ? NULL : "an http:// or https:// address";
	case DATABASE:
		return is_database(text) ? NULL : "sqlite:PATH or postgres://...";
	case DURATION:
		return read_duration(text, ret_integer) ? NULL : "a duration such as 30s, 15m, 24h or 7d";
	case CHOICE:
		return read_choice(text, row->bounds, ret_integer) ? NULL : "one of";
	}
	return NULL;
}

static enum status assign(struct config *config, enum setting setting, struct slice text, enum setting_source source,
        const char *where, struct problem *problem)
{
	const struct row *row = &rows[setting];
	bool shows_bounds = row->kind == INTEGER || row->kind == CHOICE;
	const char *wanted = check(row, text, &config->values[setting].integer);
	if (wanted)
		return problem_set(problem, ERR_INVALID_PARAMETER, row->name, "%s%s: \"%.*s\" is not %s%s%s", where,
		        row->name, SLICE_ARGS(text), wanted, shows_bounds ? " " : "", shows_bounds ? row->bounds : "");
	config->values[setting].text = arena_copy(&config->arena, text);
	config->values[setting].source = source;
	return STATUS_OK;
}

const char *setting_name(enum setting setting)
{
	return rows[setting].name;
}

enum status config_set(struct config *config, enum setting setting, struct slice text, struct problem *problem)
{
	return assign(config, setting, text, SOURCE_COMMAND_LINE, "", problem);
}

static void assign_defaults(struct config *config)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		config->values[i].text = slice_from(rows[i].fallback);
		check(&rows[i], config->values[i].text, &config->values[i].integer);
	}
}

/* "AGENTPAY_NAME=VALUE" of a file or of the environment. */
static enum status assign_line(struct config *config, struct slice line, enum setting_source source, const char *where,
        struct problem *problem)
{
	struct slice value = line, name;
	enum setting setting;
	slice_split(&value, '=', &name);
	name = slice_trim(name);
	if (!value.data)
		return problem_set(
		        problem, ERR_INVALID_PARAMETER, "", "%s\"%.*s\" is not NAME=VALUE", where, SLICE_ARGS(line));
	if (!slice_starts_with(name, environment_prefix) ||
	        !find_by_name(slice_skip(name, environment_prefix.size), &setting))
		return problem_set(problem, ERR_INVALID_PARAMETER, "",
		        "%s%.*s is no setting; `agentpay config` lists them", where, SLICE_ARGS(name));
	return assign(config, setting, slice_trim(value), source, where, problem);
}

static enum status read_file(struct config *config, const char *path, struct problem *problem)
{
	char line[LINE_SIZE_MAX];
	enum status status = STATUS_OK;
	FILE *file = fopen(path, "re");
	if (!file)
		return problem_set(problem, ERR_INVALID_PARAMETER, "", "the configuration file %s cannot be read: %s",
		        path, strerror(errno));
	for (int number = 1; status == STATUS_OK && fgets(line, sizeof line, file); number++) {
		struct slice text = slice_trim(slice_from(line));
		struct arena scratch = { 0 };
		const char *where = arena_format(&scratch, "%s line %d: ", path, number).data;
		if (text.size && text.data[0] != '#')
			status = assign_line(config, text, SOURCE_FILE, where, problem);
		arena_clean_up(&scratch);
	}
	fclose(file);
	return status;
}

static enum status read_environment(struct config *config, char *const *environment, struct problem *problem)
{
	for (char *const *variable = environment; *variable; variable++) {
		struct slice text = slice_from(*variable);
		if (!slice_starts_with(text, environment_prefix) ||
		        starts_with_one_of(text, foreign, sizeof foreign / sizeof *foreign))
			continue;
		TRY(assign_line(config, text, SOURCE_ENVIRONMENT, "environment: ", problem));
	}
	return STATUS_OK;
}

/* Splits "--name=VALUE", or "--name" with its value in the next argument. True when it is a setting or --config. */
static bool take_option(int argc, char **argv, int at, struct slice *ret_name, const char **ret_value, int *ret_used)
{
	struct slice rest = slice_from(argv[at]), name;
	enum setting ignored;
	if (!slice_starts_with(rest, SLICE("--")))
		return false;
	rest = slice_skip(rest, 2);
	slice_split(&rest, '=', &name);
	if (!slice_is(name, "config") && !find_by_option(name, &ignored))
		return false;
	*ret_name = name;
	*ret_value = rest.data ? rest.data : at + 1 < argc ? argv[at + 1] : NULL;
	*ret_used = rest.data || at + 1 == argc ? 1 : 2;
	return true;
}

/* Calls for every setting on the command line, up to "--". `file_pass`: only --config counts; else all but it. */
static enum status read_command_line(
        struct config *config, int argc, char **argv, bool file_pass, struct problem *problem)
{
	struct slice name;
	const char *value;
	enum setting setting;
	for (int i = 1, used = 1; i < argc && strcmp(argv[i], "--") != 0; i += used) {
		used = 1;
		if (!take_option(argc, argv, i, &name, &value, &used))
			continue;
		if (!value)
			return problem_set(
			        problem, ERR_INVALID_PARAMETER, "", "--%.*s needs a value", SLICE_ARGS(name));
		if (slice_is(name, "config") != file_pass)
			continue;
		if (file_pass)
			TRY(read_file(config, value, problem));
		else if (find_by_option(name, &setting))
			TRY(assign(config, setting, slice_from(value), SOURCE_COMMAND_LINE, "command line: ", problem));
	}
	return STATUS_OK;
}

/* Leaves only what is no setting. */
static void remove_options(int *argc, char **argv)
{
	struct slice name;
	const char *value;
	int kept = 1, i = 1;
	for (int used; i < *argc && strcmp(argv[i], "--") != 0; i += used) {
		used = 1;
		if (!take_option(*argc, argv, i, &name, &value, &used))
			argv[kept++] = argv[i];
	}
	for (; i < *argc; i++)
		argv[kept++] = argv[i];
	argv[kept] = NULL;
	*argc = kept;
}

static enum status read_all(
        struct config *config, int argc, char **argv, char *const *environment, struct problem *problem)
{
	assign_defaults(config);
	TRY(read_command_line(config, argc, argv, true, problem));
	TRY(read_environment(config, environment, problem));
	TRY(read_command_line(config, argc, argv, false, problem));
	if (config_integer(config, SETTING_RISK_BLOCK_THRESHOLD) <
	        config_integer(config, SETTING_RISK_REVIEW_THRESHOLD))
		return problem_set(problem, ERR_INVALID_PARAMETER, "RISK_BLOCK_THRESHOLD",
		        "RISK_BLOCK_THRESHOLD may not be below RISK_REVIEW_THRESHOLD");
	return STATUS_OK;
}

enum status config_read(
        struct config *config, int *argc, char **argv, char *const *environment, struct problem *problem)
{
	*config = (struct config) { 0 };
	enum status status = read_all(config, *argc, argv, environment, problem);
	if (status == STATUS_OK)
		remove_options(argc, argv);
	else
		config_clean_up(config);
	return status;
}

void config_clean_up(struct config *config)
{
	arena_clean_up(&config->arena);
}

/* "postgres://user:password@host/db?password=..." with *** for both passwords. */
static void print_address(struct slice text, FILE *out)
{
	static const char parameter[] = "password=";
	const char *end = text.data + text.size;
	const char *scheme = memmem(text.data, text.size, "://", 3);
	const char *question = scheme ? memchr(scheme, '?', (size_t)(end - scheme)) : NULL;
	const char *host_end = question ? question : end;
	const char *at = scheme ? memrchr(scheme, '@', (size_t)(host_end - scheme)) : NULL;
	const char *colon = at ? memchr(scheme + 3, ':', (size_t)(at - scheme - 3)) : NULL;
	const char *secret =
	        question ? memmem(question, (size_t)(end - question), parameter, sizeof parameter - 1) : NULL;
	const char *from = text.data;
	if (colon) {
		fprintf(out, "%.*s***", (int)(colon + 1 - from), from);
		from = at;
	}
	if (secret) {
		secret += sizeof parameter - 1;
		const char *next = memchr(secret, '&', (size_t)(end - secret));
		fprintf(out, "%.*s***", (int)(secret - from), from);
		from = next ? next : end;
	}
	fprintf(out, "%.*s", (int)(end - from), from);
}

static void print_value(const struct row *row, struct slice text, FILE *out)
{
	if (!text.size)
		fputs("(empty)", out);
	else if (row->kind == SECRET)
		fputs("***", out);
	else
		print_address(text, out);
}

void config_print(const struct config *config, FILE *out)
{
	static const char *const sources[] = { "default", "file", "environment", "command line" };
	char buffer[NAME_MAX_SIZE];
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct row *row = &rows[i];
		struct slice option = option_name(row, buffer);
		fprintf(out, "AGENTPAY_%s  --%.*s\n    ", row->name, SLICE_ARGS(option));
		print_value(row, config->values[i].text, out);
		fprintf(out, "  (%s)\n    %s", sources[config->values[i].source], row->meaning);
		if (*row->bounds)
			fprintf(out, " [%s]", row->bounds);
		fputs("\n", out);
	}
}

void config_apply_log(const struct config *config)
{
	log_configure((enum log_level)config_integer(config, SETTING_LOG_LEVEL),
	        config_integer(config, SETTING_LOG) ? LOG_PLAIN : LOG_JSON);
}
