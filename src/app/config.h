/* Settings: one table (config.def), four sources, each over the one before: default, file (--config FILE, lines
 * AGENTPAY_NAME=VALUE), environment (AGENTPAY_NAME), command line (--name=VALUE or --name VALUE). */
#pragma once

#include <stdio.h>

#include "base/arena.h"
#include "base/problem.h"

enum setting {
#define SETTING(name, kind, fallback, bounds, meaning) SETTING_##name,
#include "app/config.def"
#undef SETTING
	SETTING_COUNT
};

enum setting_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_COMMAND_LINE };

struct config {
	struct {
		struct slice text;
		int64_t integer; /* INTEGER as written, BOOLEAN 0 or 1, DURATION in seconds, CHOICE its place from 0 */
		enum setting_source source;
	} values[SETTING_COUNT];
	struct arena arena;
};

/* Reads all sources. Settings' options are taken out of argc and argv; what is left is the command's own. On a failure
 * (ERR_INVALID_PARAMETER; the problem says which setting, from where, and what is wrong) the config is cleaned up. */
enum status config_read(
        struct config *config, int *argc, char **argv, char *const *environment, struct problem *problem);
void config_clean_up(struct config *config);

static inline struct slice config_text(const struct config *config, enum setting setting)
{
	return config->values[setting].text;
}

static inline int64_t config_integer(const struct config *config, enum setting setting)
{
	return config->values[setting].integer;
}

static inline bool config_is_set(const struct config *config, enum setting setting)
{
	return config->values[setting].text.size > 0;
}

/* "DATABASE_URL": without AGENTPAY_. */
const char *setting_name(enum setting setting);

/* NUL-terminated, lives as long as the config. */
static inline const char *config_string(const struct config *config, enum setting setting)
{
	return config->values[setting].text.data;
}

/* Replaces a value, as if the command line had said it; the text is checked and copied. */
enum status config_set(struct config *config, enum setting setting, struct slice text, struct problem *problem);

/* Each setting with its value (a secret as ***, an address without its password), source and meaning. */
void config_print(const struct config *config, FILE *out);

/* Applies LOG and LOG_LEVEL. */
void config_apply_log(const struct config *config);
