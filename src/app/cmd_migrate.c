/* agentpay migrate: brings the databases to the form that this program knows. */
#include <stdio.h>
#include <unistd.h>

#include "app/command.h"
#include "app/database.h"

static int migrate(const struct config *config)
{
	static const struct {
		enum setting url;
		const struct migration_list *migrations;
		const char *what;
	} rows[] = {
		{ SETTING_DATABASE_URL, &business_migrations, "business data" },
		{ SETTING_AUDIT_DATABASE_URL, &audit_trail_migrations, "audit trail" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct problem problem = { 0 };
		enum status status = database_prepare(config_text(config, rows[i].url), rows[i].migrations, &problem);
		if (status != STATUS_OK)
			return command_failed_with(status, &problem);
		printf("%s: up to date\n", rows[i].what);
	}
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct config config;
	struct problem problem = { 0 };
	if (config_read(&config, &argc, argv, environ, &problem) != STATUS_OK)
		return command_misused("%s", problem.detail);
	config_apply_log(&config);
	int code = argc == 1 ? migrate(&config) : command_misused("migrate knows no argument \"%s\"", argv[1]);
	config_clean_up(&config);
	return code;
}

const struct command command_migrate = {
	.name = "migrate",
	.arguments = "[SETTINGS]",
	.summary = "bring the databases to the form that this program knows",
	.help = "Applies what is missing to the databases of AGENTPAY_DATABASE_URL and AGENTPAY_AUDIT_DATABASE_URL, "
	        "under a\n"
	        "lock, and refuses a database that a newer agentpay has changed. `agentpay serve` does the same when "
	        "it\n"
	        "starts.\n",
	.run = run,
};
