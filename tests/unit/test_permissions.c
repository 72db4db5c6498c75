/* Every cell of the permission table, written out by hand: agent, admin, auditor. */
#include "testing.h"

#include "identity/identity_api.h"

static const struct {
	const char *name;
	enum permission permission;
	const char *cells; /* agent admin auditor */
} rows[] = {
	{ "public", PERMISSION_PUBLIC, "yes yes yes" },
	{ "session", PERMISSION_SESSION, "yes yes yes" },
	{ "user_manage", PERMISSION_USER_MANAGE, "no  yes no " },
	{ "agent_manage", PERMISSION_AGENT_MANAGE, "no  yes no " },
	{ "agent_view", PERMISSION_AGENT_VIEW, "yes yes yes" },
	{ "consent_manage", PERMISSION_CONSENT_MANAGE, "no  yes no " },
	{ "consent_view", PERMISSION_CONSENT_VIEW, "yes yes yes" },
	{ "payment_create", PERMISSION_PAYMENT_CREATE, "yes no  no " },
	{ "payment_view", PERMISSION_PAYMENT_VIEW, "yes yes yes" },
	{ "payment_cancel", PERMISSION_PAYMENT_CANCEL, "yes yes no " },
	{ "payment_approve", PERMISSION_PAYMENT_APPROVE, "no  yes no " },
	{ "payment_refund", PERMISSION_PAYMENT_REFUND, "no  yes no " },
	{ "quote_create", PERMISSION_QUOTE_CREATE, "yes yes no " },
	{ "rail_view", PERMISSION_RAIL_VIEW, "yes yes yes" },
	{ "account_manage", PERMISSION_ACCOUNT_MANAGE, "no  yes no " },
	{ "account_view", PERMISSION_ACCOUNT_VIEW, "yes yes yes" },
	{ "transaction_create", PERMISSION_TRANSACTION_CREATE, "no  yes no " },
	{ "transaction_view", PERMISSION_TRANSACTION_VIEW, "yes yes yes" },
	{ "report_view", PERMISSION_REPORT_VIEW, "no  yes yes" },
	{ "alert_view", PERMISSION_ALERT_VIEW, "no  yes yes" },
	{ "audit_view", PERMISSION_AUDIT_VIEW, "no  yes yes" },
	{ "webhook_manage", PERMISSION_WEBHOOK_MANAGE, "no  yes no " },
};

static void every_cell_is_as_written(void **state)
{
	static const enum role roles[] = { ROLE_AGENT, ROLE_ADMIN, ROLE_AUDITOR };
	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
		for (size_t role = 0; role < 3; role++) {
			bool expected = rows[row].cells[role * 4] == 'y';
			if (permission_allows(rows[row].permission, roles[role]) == expected)
				continue;
			print_error("%s: role %d\n", rows[row].name, (int)roles[role]);
			fail();
		}
}

static void the_table_here_is_whole(void **state)
{
	(void)state;
	assert_int_equal(sizeof rows / sizeof *rows, PERMISSION_COUNT);
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
		assert_int_equal(rows[row].permission, row);
}

static void nobody_may_do_what_is_not_public(void **state)
{
	(void)state;
	assert_true(permission_allows(PERMISSION_PUBLIC, 0));
	for (int permission = 1; permission < PERMISSION_COUNT; permission++)
		assert_false(permission_allows((enum permission)permission, 0));
}

static void unknown_permissions_and_roles_are_refused(void **state)
{
	unsigned everybody = ROLE_AGENT | ROLE_ADMIN | ROLE_AUDITOR;
	(void)state;
	assert_false(permission_allows(PERMISSION_COUNT, everybody));
	assert_false(permission_allows((enum permission) - 1, everybody));
	assert_false(permission_allows(PERMISSION_SESSION, 8));
}

static void two_roles_may_do_what_either_may(void **state)
{
	(void)state;
	assert_true(permission_allows(PERMISSION_USER_MANAGE, ROLE_ADMIN | ROLE_AUDITOR));
	assert_false(permission_allows(PERMISSION_PAYMENT_CREATE, ROLE_ADMIN | ROLE_AUDITOR));
}

TESTS(cmocka_unit_test(every_cell_is_as_written), cmocka_unit_test(the_table_here_is_whole),
        cmocka_unit_test(nobody_may_do_what_is_not_public), cmocka_unit_test(unknown_permissions_and_roles_are_refused),
        cmocka_unit_test(two_roles_may_do_what_either_may))
