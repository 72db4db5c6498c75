#include "app/command.h"

#include <stdarg.h>
#include <stdio.h>

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
