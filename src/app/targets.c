#include "app/targets.h"

const struct target_row targets[TARGET_COUNT] = {
#define TARGET(name, url, asks) { #name, SETTING_##url, asks },
#include "app/targets.def"
#undef TARGET
};

static const unsigned all = (1u << TARGET_COUNT) - 1 - TARGET_BIT(sandbox);

static unsigned bit_of(struct slice name)
{
	if (slice_is(name, "all"))
		return all;
	for (unsigned i = 0; i < TARGET_COUNT; i++)
		if (slice_is(name, targets[i].name))
			return 1u << i;
	return 0;
}

enum status targets_parse(struct slice list, unsigned *ret_targets, struct problem *problem)
{
	unsigned found = 0;
	struct slice name;
	while (slice_split(&list, ',', &name)) {
		unsigned bit = bit_of(slice_trim(name));
		if (!bit)
			return problem_set(problem, ERR_INVALID_PARAMETER, "TARGET",
			        "TARGET: there is no service \"%.*s\"; name some of identity, ledger, risk, router, "
			        "audit, notify, sandbox, or all",
			        SLICE_ARGS(name));
		found |= bit;
	}
	*ret_targets = found;
	return STATUS_OK;
}

enum status targets_check(unsigned here, const struct config *config, struct problem *problem)
{
	for (unsigned i = 0; i < TARGET_COUNT; i++)
		for (unsigned k = 0; k < TARGET_COUNT; k++) {
			bool asks = here & 1u << i && targets[i].asks & 1u << k;
			if (asks && !(here & 1u << k) && !config_is_set(config, targets[k].url))
				return problem_set(problem, ERR_INVALID_PARAMETER, "TARGET",
				        "%s asks %s, which is not in this process: set AGENTPAY_%s or add it to "
				        "--target",
				        targets[i].name, targets[k].name, setting_name(targets[k].url));
		}
	return STATUS_OK;
}
