#include "app/services.h"

#include "app/wiring.h"
#include "app_sql.h"
#include "platform/outbox.h"

const struct service_row service_rows[TARGET_COUNT] = {
	[TARGET_identity] = { 0 },
};

static const struct sql_migrations app_migrations = { app_migration_rows, APP_MIGRATION_COUNT };

const struct migration_list business_migrations = {
	.lists = { &outbox_migrations, &app_migrations },
	.count = 2,
};

const struct migration_list audit_trail_migrations = {
	.lists = { NULL },
	.count = 0,
};
