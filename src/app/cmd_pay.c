/* agentpay pay FILE: pays the orders of a pain.001 or CSV file through the public API. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/command.h"
#include "base/clock.h"
#include "payfile/submission.h"
#include "platform/crypto.h"

enum { BAR_WIDTH = 30 };

static volatile sig_atomic_t interrupted;
static bool is_interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
	is_interrupted = true;
}

static const struct option options[] = {
	{ "server", required_argument, NULL, 's' },
	{ "client-id", required_argument, NULL, 'i' },
	{ "client-secret", required_argument, NULL, 'k' },
	{ "schemas", required_argument, NULL, 'x' },
	{ "report", required_argument, NULL, 'r' },
	{ "connections", required_argument, NULL, 'c' },
	{ "wait", required_argument, NULL, 'w' },
	{ "check", no_argument, NULL, 'n' },
	{ 0 },
};

struct arguments {
	struct submission_options submission;
	const char *path;
	struct slice schemas, report;
	bool only_check;
};

static bool read_count(const char *text, uint64_t least, uint64_t most, uint64_t *ret_count)
{
	return slice_to_u64(slice_from(text), ret_count) && *ret_count >= least && *ret_count <= most;
}

static bool read_argument(int option, const char *value, struct arguments *arguments)
{
	uint64_t count;
	switch (option) {
	case 's':
		arguments->submission.server = slice_from(value);
		return true;
	case 'i':
		arguments->submission.client_id = slice_from(value);
		return true;
	case 'k':
		arguments->submission.client_secret = slice_from(value);
		return true;
	case 'x':
		arguments->schemas = slice_from(value);
		return true;
	case 'r':
		arguments->report = slice_from(value);
		return true;
	case 'c':
		if (!read_count(value, 1, 64, &count))
			return false;
		arguments->submission.connections = count;
		return true;
	case 'w':
		if (!read_count(value, 0, 86400, &count))
			return false;
		arguments->submission.wait_us = (int64_t)count * MICROSECONDS_PER_SECOND;
		return true;
	case 'n':
		arguments->only_check = true;
		return true;
	default:
		return false;
	}
}

static enum status read_file(const char *path, struct arena *arena, struct slice *ret_bytes, struct problem *problem)
{
	struct stat about;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &about) || !S_ISREG(about.st_mode)) {
		const char *why = file < 0 ? strerror(errno) : "not a file";
		if (file >= 0)
			close(file);
		return problem_set(problem, ERR_IO, "", "%.120s: %s.", path, why);
	}
	if (about.st_size > PAYMENT_FILE_SIZE_MAX) {
		close(file);
		return problem_set(problem, ERR_BODY_TOO_LARGE, "", "%.120s is larger than %d MiB.", path,
		        PAYMENT_FILE_SIZE_MAX >> 20);
	}
	char *bytes = arena_alloc(arena, (size_t)about.st_size + 1);
	size_t size = 0;
	for (ssize_t got = 1; size < (size_t)about.st_size && got > 0; size += got > 0 ? (size_t)got : 0)
		got = read(file, bytes + size, (size_t)about.st_size - size);
	close(file);
	*ret_bytes = (struct slice) { bytes, size };
	return STATUS_OK;
}

/* Written beside and renamed: a report is whole or not there. */
static enum status write_file(struct slice path, struct slice text, struct arena *arena, struct problem *problem)
{
	struct slice temporary = arena_format(arena, "%.*s.part", SLICE_ARGS(path));
	int file = open(temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = file >= 0 && write(file, text.data, text.size) == (ssize_t)text.size && fsync(file) == 0;
	int error = errno;
	if (file >= 0)
		close(file);
	if (!good || rename(temporary.data, arena_text(arena, path)))
		return problem_set(problem, ERR_IO, "", "%.120s: %s.", temporary.data, strerror(error));
	return STATUS_OK;
}

static void show_progress(void *arg, size_t answered, size_t final, size_t total)
{
	(void)arg;
	char bar[BAR_WIDTH + 1];
	size_t full = answered * BAR_WIDTH / total, done = final * BAR_WIDTH / total;
	for (size_t i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < done ? '#' : i < full ? '=' : '.';
	bar[BAR_WIDTH] = 0;
	fprintf(stderr, "\r[%s] %3zu %%  %zu of %zu answered, %zu final ", bar, answered * 100 / total, answered, total,
	        final);
}

/* How many orders ended how; the last line of a run. */
static size_t print_summary(const struct payment_file *file)
{
	static const char *const statuses[] = { "ACSC", "ACSP", "PDNG", "RJCT", "CANC" };
	static const char *const meanings[] = { "settled", "accepted, not settled yet", "waiting", "rejected",
		"canceled" };
	size_t rejected = 0;
	for (size_t row = 0; row < sizeof statuses / sizeof *statuses; row++) {
		size_t count = 0;
		for (size_t i = 0; i < file->count; i++)
			count += strcmp(payment_order_iso_status(&file->orders[i]), statuses[row]) == 0;
		if (count)
			printf("%8zu  %s  %s\n", count, statuses[row], meanings[row]);
		if (row == 3)
			rejected = count;
	}
	return rejected;
}

static size_t print_refusals(const struct payment_file *file)
{
	size_t refused = 0;
	for (size_t i = 0; i < file->count; i++) {
		if (!file->orders[i].refusal)
			continue;
		refused++;
		printf("line %d: %.*s: %s %.*s\n", file->orders[i].line, SLICE_ARGS(file->orders[i].end_to_end_id),
		        file->orders[i].refusal, SLICE_ARGS(file->orders[i].refusal_detail));
	}
	return refused;
}

static enum status write_reports(const struct arguments *arguments, const struct payment_file *file,
        struct slice digest, struct arena *arena, struct problem *problem)
{
	struct writer id = writer_growing(arena);
	write_text(&id, "agentpay-");
	write_hex(&id, digest.data, 12);
	struct slice xml = arena_format(arena, "%.*s.pain002.xml", SLICE_ARGS(arguments->report));
	struct slice csv = arena_format(arena, "%.*s.report.csv", SLICE_ARGS(arguments->report));
	TRY(write_file(xml, pain002_write(file, writer_slice(&id), clock_now(), arena), arena, problem));
	TRY(write_file(csv, csv_report_write(file, arena), arena, problem));
	printf("reports: %.*s, %.*s\n", SLICE_ARGS(xml), SLICE_ARGS(csv));
	return STATUS_OK;
}

static bool is_complete(const struct payment_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		if (!file->orders[i].refusal &&
		        !(file->orders[i].is_answered && submission_is_final(file->orders[i].status)))
			return false;
	return true;
}

static int pay(struct arguments *arguments, struct arena *arena)
{
	struct problem problem = { 0 };
	struct payment_file file;
	struct slice bytes = SLICE_EMPTY, name = slice_from(arguments->path);
	const char *slash = strrchr(arguments->path, '/');
	enum status status = read_file(arguments->path, arena, &bytes, &problem);
	if (status == STATUS_OK)
		status = payment_file_read(
		        bytes, slash ? slice_from(slash + 1) : name, arguments->schemas, arena, &file, &problem);
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	if (!arguments->report.size)
		arguments->report = name;
	if (arguments->only_check) {
		size_t refused = print_refusals(&file);
		printf("%zu orders, %zu refused\n", file.count, refused);
		return refused ? EXIT_FAILED : EXIT_DONE;
	}
	arguments->submission.journal_path = arena_format(arena, "%s.journal", arguments->path);
	bool has_terminal = isatty(STDERR_FILENO);
	arguments->submission.progress = has_terminal ? show_progress : NULL;
	status = submission_run(&arguments->submission, &file, arena, &problem);
	if (has_terminal)
		fputc('\n', stderr);
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	size_t rejected = print_summary(&file);
	struct sha256 digest = sha256(bytes);
	status = write_reports(arguments, &file, slice_make(&digest, sizeof digest), arena, &problem);
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	if (is_complete(&file))
		unlink(arguments->submission.journal_path.data);
	else
		puts(interrupted ? "Interrupted: run the same command again to go on; nothing is paid twice."
		                 : "Not all payments are final: run the same command again to bring the report up to "
		                   "date.");
	return rejected || interrupted ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct arena arena = { 0 };
	struct arguments arguments = { .submission = { .server = SLICE("http://127.0.0.1:8080"),
		                               .connections = 8,
		                               .patience_us = 60 * MICROSECONDS_PER_SECOND,
		                               .wait_us = 30 * MICROSECONDS_PER_SECOND,
		                               .is_interrupted = &is_interrupted } };
	const struct {
		const char *name;
		struct slice *value;
	} environment[] = { { "AGENTPAY_SERVER", &arguments.submission.server },
		{ "AGENTPAY_CLIENT_ID", &arguments.submission.client_id },
		{ "AGENTPAY_CLIENT_SECRET", &arguments.submission.client_secret },
		{ "AGENTPAY_SCHEMAS", &arguments.schemas } };
	for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
		if (getenv(environment[i].name))
			*environment[i].value = slice_from(getenv(environment[i].name));
	opterr = 0;
	for (int option, row = 0; (option = getopt_long(argc, argv, ":", options, &row)) != -1;) {
		if (option == '?' || option == ':')
			return command_misused_option(option, argv);
		if (!read_argument(option, optarg, &arguments))
			return command_misused("pay: \"%s\" is not a value of --%s", optarg, options[row].name);
	}
	if (optind + 1 != argc)
		return command_misused("pay takes one file; see agentpay pay --help");
	if (!arguments.only_check && (!arguments.submission.client_id.size || !arguments.submission.client_secret.size))
		return command_misused("pay needs an agent: give AGENTPAY_CLIENT_ID and AGENTPAY_CLIENT_SECRET");
	arguments.path = argv[optind];
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	int exit_status = pay(&arguments, &arena);
	arena_clean_up(&arena);
	return exit_status;
}

const struct command command_pay = {
	.name = "pay",
	.arguments = "FILE [--server URL] [--schemas FOLDER] …",
	.summary = "pay the orders of a pain.001 or CSV file",
	.help = "Pays the orders of FILE as an agent, through the public API, and writes FILE.pain002.xml (ISO 20022 "
	        "status\n"
	        "report) and FILE.report.csv, which say for each order what happened and why. FILE is ISO 20022 "
	        "pain.001\n"
	        "(versions 03 to 12) or CSV with a header: id, amount, currency, and of payee_name, account_id, iban, "
	        "bic,\n"
	        "routing_number, account_number, card_token, reference what is needed.\n"
	        "\n"
	        "Stopped or broken off, the same command goes on where it was: each order has its own Idempotency-Key, "
	        "so\n"
	        "nothing is paid twice. FILE.journal remembers what was answered until all is final.\n"
	        "\n"
	        "  --server URL          the platform (AGENTPAY_SERVER, http://127.0.0.1:8080)\n"
	        "  --client-id ID        the agent (AGENTPAY_CLIENT_ID)\n"
	        "  --client-secret TEXT  its secret; better in AGENTPAY_CLIENT_SECRET, where other users do not see "
	        "it\n"
	        "  --schemas FOLDER      validate against the ISO 20022 schemas there, pain.001.001.09.xsd and so on\n"
	        "                        (AGENTPAY_SCHEMAS); without it only the structure and the rules are checked\n"
	        "  --report PATH         write PATH.pain002.xml and PATH.report.csv instead\n"
	        "  --connections N       orders in flight at once, 1 to 64 (8)\n"
	        "  --wait SECONDS        how long to follow payments that settle later (30)\n"
	        "  --check               only read and check the file; pay nothing\n"
	        "\n"
	        "Exit status: 0 all well, 1 some orders were rejected or could not be sent, 2 wrong usage.\n",
	.run = run,
};
