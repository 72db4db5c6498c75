#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/random.h"
#include "risk/verdict_memory.h"
#include "risk/velocity.h"

#define SECOND MICROSECONDS_PER_SECOND
#define START (INT64_C(1757246400) * SECOND)

static const struct country_code nowhere = { { 0, 0 } };

struct brute {
	int64_t at, cents;
};

/* The same by counting all: what a window holds exactly, and what it may hold at most when it is approximate. */
static struct risk_figures count_all(const struct brute *all, size_t count, int64_t now, int64_t length)
{
	struct risk_figures figures = { 0 };
	for (size_t i = 0; i < count; i++)
		if (all[i].at > now - length) {
			figures.count++;
			figures.sum_cents += all[i].cents;
		}
	return figures;
}

static void windows_equal_counting_all(void **state)
{
	(void)state;
	enum { PAYMENTS = 20000 };
	static struct brute all[PAYMENTS];
	struct velocity *velocity = velocity_new();
	struct agent_id agent = agent_id_new();
	struct seeded seeded = { 7 };
	int64_t now = START;
	size_t exact = 0, approximate = 0;
	for (size_t i = 0; i < PAYMENTS; i++) {
		/* quiet days between bursts, several payments in one instant, and a clock that steps back */
		uint64_t kind = seeded_below(&seeded, 1000);
		int64_t step = kind < 300   ? 0
		               : kind < 990 ? (int64_t)seeded_below(&seeded, 200000)
		               : kind < 995 ? -(int64_t)seeded_below(&seeded, 1000000)
		                            : (int64_t)seeded_below(&seeded, 40000) * SECOND;
		int64_t asked = now + step;
		now = asked > now ? asked : now;
		all[i] = (struct brute) { now, (int64_t)seeded_below(&seeded, 100000) };
		struct velocity_report report;
		velocity_add(velocity, agent, asked, all[i].cents, nowhere, &report);
		for (unsigned w = 0; w < RISK_WINDOW_COUNT; w++) {
			int64_t length = risk_window_microseconds((enum risk_window)w);
			struct risk_figures least = count_all(all, i + 1, now, length);
			struct risk_figures most = count_all(all, i + 1, now, length + length / 60);
			bool is_exact = report.windows[w].count == least.count &&
			                report.windows[w].sum_cents == least.sum_cents;
			assert_true(report.windows[w].count >= least.count);
			assert_true(report.windows[w].count <= most.count);
			assert_true(report.windows[w].sum_cents >= least.sum_cents);
			assert_true(report.windows[w].sum_cents <= most.sum_cents);
			assert_true(is_exact || report.is_approximate);
			if (least.count <= VELOCITY_EXACT / 2)
				assert_true(is_exact);
			exact += is_exact;
			approximate += !is_exact;
		}
	}
	assert_true(exact > PAYMENTS && approximate > 100);
	velocity_free(velocity);
}

static void a_payment_leaves_when_the_window_is_over(void **state)
{
	(void)state;
	struct velocity *velocity = velocity_new();
	struct agent_id agent = agent_id_new();
	struct velocity_report report;
	velocity_add(velocity, agent, START, 100, nowhere, &report);
	assert_int_equal(report.windows[RISK_MINUTE].count, 1);
	velocity_peek(velocity, agent, START + 60 * SECOND - 1, &report);
	assert_int_equal(report.windows[RISK_MINUTE].count, 1);
	velocity_peek(velocity, agent, START + 60 * SECOND, &report);
	assert_int_equal(report.windows[RISK_MINUTE].count, 0);
	assert_int_equal(report.windows[RISK_HOUR].count, 1);
	velocity_peek(velocity, agent, START + 3600 * SECOND, &report);
	assert_int_equal(report.windows[RISK_HOUR].count, 0);
	assert_int_equal(report.windows[RISK_DAY].sum_cents, 100);
	velocity_peek(velocity, agent, START + MICROSECONDS_PER_DAY, &report);
	assert_int_equal(report.windows[RISK_DAY].count, 0);
	velocity_free(velocity);
}

static void agents_are_apart_and_remember_their_country(void **state)
{
	(void)state;
	struct velocity *velocity = velocity_new();
	struct agent_id one = agent_id_new(), other = agent_id_new();
	struct velocity_report report;
	velocity_add(velocity, one, START, 100, (struct country_code) { { 'D', 'E' } }, &report);
	assert_false(country_is_known(report.country));
	velocity_add(velocity, other, START, 7, nowhere, &report);
	assert_int_equal(report.windows[RISK_DAY].count, 1);
	assert_false(country_is_known(report.country));
	velocity_add(velocity, one, START, 100, nowhere, &report);
	assert_true(country_equal(report.country, (struct country_code) { { 'D', 'E' } }));
	velocity_peek(velocity, one, START, &report);
	assert_true(country_equal(report.country, (struct country_code) { { 'D', 'E' } }));
	velocity_peek(velocity, agent_id_new(), START, &report);
	assert_int_equal(report.windows[RISK_DAY].count, 0);
	velocity_free(velocity);
}

static void sums_do_not_overflow(void **state)
{
	(void)state;
	struct velocity *velocity = velocity_new();
	struct agent_id agent = agent_id_new();
	struct velocity_report report;
	for (int i = 0; i < 3000; i++)
		velocity_add(velocity, agent, START + i, INT64_MAX, nowhere, &report);
	assert_int_equal(report.windows[RISK_DAY].sum_cents, INT64_MAX);
	velocity_add(velocity, agent, START + MICROSECONDS_PER_DAY * 2, 5, nowhere, &report);
	assert_int_equal(report.windows[RISK_DAY].sum_cents, 5);
	velocity_free(velocity);
}

static void many_agents_push_out_the_idle_ones_only(void **state)
{
	(void)state;
	enum { AGENTS = 3 * VELOCITY_SHARDS * VELOCITY_AGENTS_PER_SHARD };
	struct velocity *velocity = velocity_new();
	struct agent_id busy = agent_id_new();
	struct velocity_report report;
	for (int i = 0; i < AGENTS; i++) {
		velocity_add(velocity, agent_id_new(), START + i, 1, nowhere, &report);
		velocity_add(velocity, busy, START + i, 1, nowhere, &report);
		assert_int_equal(report.windows[RISK_MINUTE].count, i + 1);
	}
	velocity_free(velocity);
}

static void verdicts_are_remembered(void **state)
{
	(void)state;
	struct verdict_memory *memory = verdict_memory_new();
	struct risk_settings settings = { 0 };
	assert_status(risk_settings_complete(&settings, NULL), STATUS_OK);
	struct risk_facts facts = { .amount_cents = 2000000, .payee_is_new = true };
	struct risk_verdict verdict, again;
	risk_rules_judge(&settings, &facts, &verdict);
	struct payment_id payment = payment_id_new();
	assert_int_equal(verdict_memory_ask(memory, payment, &again), VERDICT_FRESH);
	assert_int_equal(verdict_memory_ask(memory, payment, &again), VERDICT_COUNTED);
	struct uuid payee = uuid_new();
	assert_true(uuid_is_nil(verdict_memory_new_payee(memory, payment)));
	verdict_memory_keep(memory, payment, &verdict, payee);
	assert_true(uuid_equal(verdict_memory_new_payee(memory, payment), payee));
	assert_int_equal(verdict_memory_ask(memory, payment, &again), VERDICT_JUDGED);
	assert_memory_equal(&again, &verdict, sizeof verdict);
	/* the newest are kept, the memory is bounded */
	for (int i = 0; i < 2 * VERDICT_MEMORY_SIZE; i++)
		verdict_memory_ask(memory, payment_id_new(), &again);
	assert_int_equal(verdict_memory_ask(memory, payment, &again), VERDICT_FRESH);
	verdict_memory_free(memory);
}

static void counting_is_quick(void **state)
{
	(void)state;
	enum { PAYMENTS = 200000, AGENTS = 64 };
	struct velocity *velocity = velocity_new();
	struct agent_id agents[AGENTS];
	struct velocity_report report;
	for (size_t i = 0; i < AGENTS; i++)
		agents[i] = agent_id_new();
	int64_t before = clock_monotonic();
	for (size_t i = 0; i < PAYMENTS; i++)
		velocity_add(velocity, agents[i % AGENTS], START + (int64_t)i * 1000, 100, nowhere, &report);
	print_message("# %.2f us for one payment\n", (double)(clock_monotonic() - before) / PAYMENTS);
	velocity_free(velocity);
}

TESTS(cmocka_unit_test(windows_equal_counting_all), cmocka_unit_test(a_payment_leaves_when_the_window_is_over),
        cmocka_unit_test(agents_are_apart_and_remember_their_country), cmocka_unit_test(sums_do_not_overflow),
        cmocka_unit_test(many_agents_push_out_the_idle_ones_only), cmocka_unit_test(verdicts_are_remembered),
        cmocka_unit_test(counting_is_quick))
