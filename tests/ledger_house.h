/* A ledger in this process on a test's database. */
#pragma once

#include "database.h"
#include "ledger/ledger_service.h"

struct ledger_house {
	struct committer *committer;
	struct sql_pool *readers;
	struct engines engines;
	struct ledger_service *service;
	struct ledger_api api;
};

static inline void ledger_house_open(struct ledger_house *house, const struct database *database)
{
	struct problem problem = { 0 };
	struct sql *sql = database_connect(database);
	assert_status(sql_migrate(sql, &outbox_migrations, &problem), STATUS_OK);
	assert_status(sql_migrate(sql, &ledger_migrations, &problem), STATUS_OK);
	sql_close(sql);
	assert_status(committer_start(database_url(database), "commit", &house->committer, &problem), STATUS_OK);
	assert_status(sql_pool_open(database_url(database), 2, &house->readers, &problem), STATUS_OK);
	house->engines = (struct engines) { database_url(database), house->committer, house->readers, NULL };
	const struct ledger_options options = { &house->engines };
	assert_status(ledger_service_start(&options, &house->service, &problem), STATUS_OK);
	house->api = ledger_service_api(house->service);
}

static inline void ledger_house_close(struct ledger_house *house)
{
	ledger_service_stop(house->service);
	sql_pool_close(house->readers);
	committer_stop(house->committer);
}
