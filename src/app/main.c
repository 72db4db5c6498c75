/* agentpay: a payment platform for AI agents. Finds the command and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "app/version.h"

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "app/commands.def"
#undef COMMAND
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_overview(void)
{
	puts("agentpay - payments for AI agents, under their owners' consent\n\n"
	     "usage: agentpay COMMAND [ARGUMENTS]\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!commands[i]->is_hidden)
			printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	puts("  version   print the version\n"
	     "  help      print this, or with a COMMAND what it does\n\n"
	     "`agentpay COMMAND --help` explains a command, `agentpay config` lists every setting.");
}

static void print_help(const struct command *command)
{
	const char *arguments = command->arguments ? command->arguments : "";
	printf("usage: agentpay %s%s%s\n\n%s", command->name, *arguments ? " " : "", arguments, command->help);
}

static int help(const char *name)
{
	if (!name) {
		print_overview();
		return EXIT_DONE;
	}
	const struct command *command = command_find(name);
	if (!command)
		return command_misused("there is no command \"%s\"; see `agentpay --help`", name);
	print_help(command);
	return EXIT_DONE;
}

static bool is_one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_one_of(argv[i], "--help", "-h"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	/* A reader that goes away is an error of its write, not our end. */
	signal(SIGPIPE, SIG_IGN);
	const char *name = argc > 1 ? argv[1] : "--help";
	if (is_one_of(name, "--version", "version")) {
		puts("agentpay " AGENTPAY_VERSION);
		return EXIT_DONE;
	}
	if (is_one_of(name, "--help", "-h"))
		return help(NULL);
	if (strcmp(name, "help") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	const struct command *command = command_find(name);
	if (!command)
		return help(name);
	if (asks_for_help(argc - 1, argv + 1))
		return help(name);
	return command->run(argc - 1, argv + 1);
}
