#include "app/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(const char *format, va_list args)
{
	fputs("agentpay: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int command_misused(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_USAGE;
}

int command_misused_option(int option, char **argv)
{
	/* getopt_long has stepped over the argument. What follows "=" may be a secret. */
	const char *text = argv[optind - 1];
	int size = (int)strcspn(text, "=");
	bool is_long = text[0] == '-' && text[1] == '-';
	if (option == ':')
		return command_misused("%s: %.*s needs a value", argv[0], size, text);
	if (optopt && is_long)
		return command_misused("%s: %.*s takes no value", argv[0], size, text);
	return command_misused("%s knows no option %.*s; see `agentpay %s --help`", argv[0], size, text, argv[0]);
}

int command_failed(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_FAILED;
}

int command_failed_with(enum status status, const struct problem *problem)
{
	return command_failed("%s", problem && problem->detail[0] ? problem->detail : status_sentence(status));
}
