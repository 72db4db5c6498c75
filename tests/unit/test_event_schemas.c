#include "events.h"

#include <dirent.h>

#include "router/payment_rules.h"

static size_t count_members(const struct json *object)
{
	size_t count = 0;
	for (const struct json *member = object->first; member; member = member->next)
		count++;
	return count;
}

/* Each schema is of the right dialect, is named as its file, closed, and requires all that it describes. */
static void every_schema_is_complete(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const char *source = getenv("AGENTPAY_SOURCE");
	size_t files = 0;
	DIR *folder = opendir(arena_format(&arena, "%s/api/events", source ? source : ".").data);
	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		struct slice name = slice_from(entry->d_name);
		if (entry->d_name[0] == '.')
			continue;
		name.size -= strlen(".json");
		const struct json *schema = event_schema(&arena, name);
		assert_slice(json_member(schema, "$schema")->text, "https://json-schema.org/draft/2020-12/schema");
		assert_true(slice_equal(json_member(schema, "title")->text, name));
		assert_true(json_member(schema, "description")->text.size > 0);
		assert_false(json_member(schema, "additionalProperties")->boolean);
		const struct json *properties = json_member(schema, "properties");
		assert_true(slice_equal(json_member(json_member(properties, "event_type"), "const")->text, name));
		assert_slice(json_member(json_member(properties, "timestamp"), "format")->text, "date-time");
		const struct json *required = json_member(schema, "required");
		assert_int_equal(count_members(required), count_members(properties));
		for (const struct json *item = required->first; item; item = item->next)
			assert_non_null(json_member(properties, arena_text(&arena, item->text)));
		files++;
	}
	closedir(folder);
	assert_true(files >= 30);
	arena_clean_up(&arena);
}

static void every_state_of_a_payment_has_a_schema(void **state)
{
	(void)state;
	static const char *const members[] = { "event_type", "payment_id", "agent_id", "amount", "currency", "rail",
		"timestamp" };
	struct arena arena = { 0 };
	for (unsigned status = 0; status < PAYMENT_STATUS_COUNT; status++) {
		const struct json *schema =
		        event_schema(&arena, slice_from(payment_status_event((enum payment_status)status)));
		const struct json *item = json_member(schema, "required")->first;
		for (size_t i = 0; i < sizeof members / sizeof *members; i++, item = item->next)
			assert_slice(item->text, members[i]);
		assert_null(item);
	}
	arena_clean_up(&arena);
}

TESTS(cmocka_unit_test(every_schema_is_complete), cmocka_unit_test(every_state_of_a_payment_has_a_schema))
