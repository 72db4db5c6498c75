/* agentpay audit verify: is the trail as it was written? Needs the database only, no running platform. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "app/command.h"
#include "app/config.h"
#include "audit/audit_verify.h"
#include "base/clock.h"

static void print_hash(const struct sha256 *hash)
{
	for (size_t i = 0; i < sizeof hash->bytes; i++)
		printf("%02x", hash->bytes[i]);
	printf("\n");
}

static int report(const struct audit_finding *finding, int64_t microseconds)
{
	if (finding->fault != AUDIT_INTACT) {
		printf("audit trail NOT intact: %s\n", finding->detail);
		printf("  first bad record  %" PRId64 "\n", finding->sequence);
		printf("  fault             %s\n", audit_fault_name(finding->fault));
		printf("  field             %s\n", *finding->field ? finding->field : "(cannot be told)");
		printf("  intact before it  %" PRId64 " records\n", finding->records);
		return EXIT_FAILED;
	}
	printf("audit trail intact: %" PRId64 " records in %.2f s\n", finding->records, (double)microseconds / 1e6);
	printf("  head  %" PRId64 " ", finding->records);
	print_hash(&finding->head);
	return EXIT_DONE;
}

/* Opening a SQLite file would make it. */
static bool is_there(struct slice url)
{
	struct slice scheme = SLICE("sqlite:");
	char path[4096];
	if (!slice_starts_with(url, scheme))
		return true;
	struct slice file = slice_skip(url, scheme.size);
	if (file.size >= sizeof path)
		return false;
	memcpy(path, file.data, file.size);
	path[file.size] = 0;
	return access(path, R_OK) == 0;
}

static int verify(struct slice url)
{
	struct sql *sql;
	struct problem problem = { 0 };
	struct audit_finding finding;
	if (!is_there(url))
		return command_failed("There is no audit database at %.*s.", SLICE_ARGS(url));
	enum status status = sql_open(url, &sql, &problem);
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	int64_t begin = clock_monotonic();
	status = audit_verify(sql, &finding);
	sql_close(sql);
	/* The engine did not take the question: the tables are not there. */
	if (status == ERR_DATABASE)
		return command_failed("There is no audit trail in the database of AGENTPAY_AUDIT_DATABASE_URL.");
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	return report(&finding, clock_monotonic() - begin);
}

static int run(int argc, char **argv)
{
	struct config config;
	struct problem problem = { 0 };
	if (config_read(&config, &argc, argv, environ, &problem) != STATUS_OK)
		return command_misused("%s", problem.detail);
	bool is_verify = argc == 2 && strcmp(argv[1], "verify") == 0;
	int outcome = is_verify ? verify(config_text(&config, SETTING_AUDIT_DATABASE_URL))
	                        : command_misused("say: agentpay audit verify [--audit-database-url=URL]");
	config_clean_up(&config);
	return outcome;
}

const struct command command_audit = {
	.name = "audit",
	.arguments = "verify [SETTINGS]",
	.summary = "prove that the audit trail is as it was written",
	.help = "agentpay audit verify walks the whole trail, computes every hash again and checks the head. It needs "
	        "the\n"
	        "audit database only (--audit-database-url=sqlite:PATH or postgres://...), no running platform, and\n"
	        "changes nothing. When the trail is not intact it names the first record that was altered, is missing\n"
	        "or was moved, and the altered field where that can be told, and exits with status 1.\n"
	        "\n"
	        "Keep the printed head somewhere else: whoever can rewrite the whole database cannot rewrite that.\n",
	.run = run,
};
