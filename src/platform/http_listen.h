/* The socket that a server listens on. */
#pragma once

#include "base/problem.h"
#include "base/slice.h"

/* Listens on "127.0.0.1:8080", "[::1]:8080", ":8080" (every address) or "localhost:8080"; port 0 means any free one.
 * ERR_IO with a sentence in the problem. The caller closes the descriptor, which does not block. */
enum status http_listen(struct slice listen, int *ret_socket, struct problem *problem);
/* The port that a listening descriptor got. */
int http_listen_port(int descriptor);
