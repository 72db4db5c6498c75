/* The engines of one process, made in wiring and shared by its services. */
#pragma once

#include "platform/committer.h"
#include "platform/outbox.h"
#include "platform/sql.h"

struct engines {
	struct slice database_url;
	struct committer *committer; /* all writes */
	struct sql_pool *readers;    /* all reads outside a commit */
	struct outbox *outbox;       /* events to consume; NULL in tools */
};
