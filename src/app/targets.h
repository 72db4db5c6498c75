/* The services by name, and which of them a process runs: `--target=all` (all but the sandbox) or a list. */
#pragma once

#include "app/config.h"

enum target {
#define TARGET(name, url, asks) TARGET_##name,
#include "app/targets.def"
#undef TARGET
	TARGET_COUNT
};

#define TARGET_BIT(name) (1u << TARGET_##name)

struct target_row {
	const char *name;
	enum setting url; /* where the service is when it is in another process */
	unsigned asks;    /* the targets that it asks, as bits */
};
extern const struct target_row targets[TARGET_COUNT];

/* "all" or "ledger,risk" as bits; ERR_INVALID_PARAMETER with a sentence for an unknown name or an empty list. */
enum status targets_parse(struct slice list, unsigned *ret_targets, struct problem *problem);

/* STATUS_OK when every target that one of `here` asks is here too or has an address; else ERR_INVALID_PARAMETER and a
 * sentence that says which setting is missing. */
enum status targets_check(unsigned here, const struct config *config, struct problem *problem);
