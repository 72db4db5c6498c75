#include "base/problem.h"

#include <stdarg.h>
#include <stdio.h>

enum status problem_set(struct problem *problem, enum status status, const char *param, const char *format, ...)
{
	if (problem) {
		va_list args;
		va_start(args, format);
		vsnprintf(problem->detail, sizeof problem->detail, format, args);
		va_end(args);
		snprintf(problem->param, sizeof problem->param, "%s", param ? param : "");
	}
	return status;
}
