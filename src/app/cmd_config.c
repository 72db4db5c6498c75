/* agentpay config: what is set, by whom, and what it means. */
#include <stdio.h>
#include <unistd.h>

#include "app/command.h"
#include "app/config.h"

static int run(int argc, char **argv)
{
	struct config config;
	struct problem problem = { 0 };
	if (config_read(&config, &argc, argv, environ, &problem) != STATUS_OK)
		return command_misused("%s", problem.detail);
	if (argc == 1)
		config_print(&config, stdout);
	config_clean_up(&config);
	return argc == 1 ? EXIT_DONE : command_misused("config knows no argument \"%s\"", argv[1]);
}

const struct command command_config = {
	.name = "config",
	.arguments = "[SETTINGS]",
	.summary = "list every setting with its value, source and meaning",
	.help = "Lists every setting: its environment variable and option, its value (secrets as ***), where the "
	        "value\n"
	        "comes from, and what it means. Sources, each over the one before: the default, a file (--config FILE\n"
	        "with lines AGENTPAY_NAME=VALUE), the environment (AGENTPAY_NAME), the command line (--name=VALUE).\n",
	.run = run,
};
