/* A command of the program: `agentpay NAME [ARGUMENTS]`. Each command is one file cmd_NAME.c that defines
 * `const struct command command_NAME`; its row in commands.def makes it known. */
#pragma once

#include "base/problem.h"
#include "base/status.h"

/* What a command gives back to the shell. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *arguments; /* for the usage line: "FILE [--resume]" */
	const char *summary;   /* one line for `agentpay --help` */
	const char *help;      /* paragraphs for `agentpay NAME --help`, ending with a line end */
	bool is_hidden;        /* for tools: not listed */
	/* argv[0] is the command's name; --help never arrives here. Returns EXIT_DONE, EXIT_FAILED or EXIT_USAGE, the
	 * last two after one sentence on standard error. */
	int (*run)(int argc, char **argv);
};

/* Say one sentence on standard error, after "agentpay: ", and return EXIT_USAGE or EXIT_FAILED. */
int command_misused(const char *format, ...) __attribute__((format(printf, 1, 2)));
int command_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says which option getopt_long has just refused by giving '?' or ':'. */
int command_misused_option(int option, char **argv);
/* The problem's detail, or the status' own sentence when it has none. */
int command_failed_with(enum status status, const struct problem *problem);

#define COMMAND(name) extern const struct command command_##name;
#include "app/commands.def"
#undef COMMAND
