/* Folders that an installation needs. */
#pragma once

#include "base/problem.h"

/* Makes the folder, and those above it, with mode 0700 where it is absent; "" is the working folder. ERR_IO with a
 * sentence in the problem. */
enum status folder_make(struct slice path, struct problem *problem);
/* Makes the folder that a "sqlite:PATH" file lies in; other addresses need none. */
enum status folder_make_for_database(struct slice url, struct problem *problem);
