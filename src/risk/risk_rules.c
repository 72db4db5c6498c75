#include "risk/risk_rules.h"

#include "base/clock.h"

enum measure {
	AMOUNT_DOLLARS,
	TIMES_USUAL,   /* amount / usual amount */
	COUNT_PERCENT, /* of the limit, in the window where that is most */
	SUM_PERCENT,
	NEW_PAYEE,
	COUNTRY_CHANGED,
	COUNTRY_BLOCKED,
	MEASURE_COUNT
};

/* Amounts below this are never called unusual: ten times of next to nothing is still little. */
enum { UNUSUAL_DOLLARS_MIN = 100 };

/* The rules. A row applies when its measure reaches `at_least`. The weights say: a large amount or a new payee alone
 * passes, both together are reviewed; being over a velocity limit adds to the rest, twice the limit is reviewed and
 * four times blocked whatever the rest says. */
static const struct {
	const char *code;
	enum measure measure;
	int64_t at_least;
	int points;
} rules[] = {
	{ "blocked_country", COUNTRY_BLOCKED, 1, 75 },
	{ "high_velocity", COUNT_PERCENT, 100, 30 },
	{ "high_velocity", COUNT_PERCENT, 200, 65 },
	{ "high_velocity", COUNT_PERCENT, 400, 80 },
	{ "high_volume", SUM_PERCENT, 100, 30 },
	{ "high_volume", SUM_PERCENT, 200, 65 },
	{ "high_volume", SUM_PERCENT, 400, 80 },
	{ "large_amount", AMOUNT_DOLLARS, 10000, 30 },
	{ "large_amount", AMOUNT_DOLLARS, 100000, 35 },
	{ "large_amount", AMOUNT_DOLLARS, 1000000, 65 },
	{ "new_payee", NEW_PAYEE, 1, 35 },
	{ "unusual_amount", TIMES_USUAL, 10, 15 },
	{ "unusual_amount", TIMES_USUAL, 100, 25 },
	{ "country_changed", COUNTRY_CHANGED, 1, 15 },
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

/* The windows and their default limits for one agent. */
static const struct {
	int64_t seconds;
	int64_t count;
	int64_t dollars;
} windows[RISK_WINDOW_COUNT] = {
	[RISK_MINUTE] = { 60, 10000, 10000000 },
	[RISK_HOUR] = { 3600, 200000, 50000000 },
	[RISK_DAY] = { SECONDS_PER_DAY, 2000000, 250000000 },
};

enum { REVIEW_DEFAULT = 65, BLOCK_DEFAULT = 75, SCORE_MAX = 100, NEVER = SCORE_MAX + 1 };

static const int64_t minor_per_dollar[CURRENCY_COUNT] = {
	[CURRENCY_NONE] = 100,
#define RATE(currency, minor) [CURRENCY_##currency] = (minor),
#include "risk/rates.def"
#undef RATE
};

static const char *const decision_names[] = {
	[RISK_ALLOW] = "allow",
	[RISK_REVIEW] = "review",
	[RISK_BLOCK] = "block",
};

static void measure_all(
        const struct risk_settings *settings, const struct risk_facts *facts, int64_t values[MEASURE_COUNT]);
static void add_reason(struct risk_verdict *verdict, const char *code, int points);

void risk_rules_judge(
        const struct risk_settings *settings, const struct risk_facts *facts, struct risk_verdict *ret_verdict)
{
	int64_t values[MEASURE_COUNT];
	measure_all(settings, facts, values);
	struct risk_verdict verdict = { 0 };
	for (size_t i = 0; i < RULE_COUNT; i++) {
		/* Rows of one code stand together, the one with the most points last. */
		bool next_applies = i + 1 < RULE_COUNT && rules[i + 1].measure == rules[i].measure &&
		                    values[rules[i + 1].measure] >= rules[i + 1].at_least;
		if (values[rules[i].measure] >= rules[i].at_least && !next_applies)
			add_reason(&verdict, rules[i].code, rules[i].points);
	}
	if (verdict.score > SCORE_MAX)
		verdict.score = SCORE_MAX;
	verdict.decision = verdict.score >= settings->block_threshold    ? RISK_BLOCK
	                   : verdict.score >= settings->review_threshold ? RISK_REVIEW
	                                                                 : RISK_ALLOW;
	*ret_verdict = verdict;
}

/* Keeps the reasons sorted, most points first, equal ones in the order of the table. */
static void add_reason(struct risk_verdict *verdict, const char *code, int points)
{
	size_t at = verdict->reason_count++;
	for (; at > 0 && verdict->reasons[at - 1].points < points; at--)
		verdict->reasons[at] = verdict->reasons[at - 1];
	verdict->reasons[at] = (struct risk_reason) { .points = points };
	memcpy(verdict->reasons[at].code, code, strlen(code) + 1);
	verdict->score += points;
}

static int64_t percent(int64_t part, int64_t whole)
{
	__int128 percent = (__int128)part * 100 / whole;
	return percent > INT64_MAX ? INT64_MAX : (int64_t)percent;
}

static void measure_all(
        const struct risk_settings *settings, const struct risk_facts *facts, int64_t values[MEASURE_COUNT])
{
	int64_t dollars = facts->amount_cents / 100, count_percent = 0, sum_percent = 0;
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++) {
		int64_t count = percent(facts->windows[i].count, settings->count_limits[i]);
		int64_t sum = percent(facts->windows[i].sum_cents / 100, settings->sum_limits[i]);
		count_percent = count > count_percent ? count : count_percent;
		sum_percent = sum > sum_percent ? sum : sum_percent;
	}
	bool may_be_unusual = dollars >= UNUSUAL_DOLLARS_MIN && facts->usual_cents > 0;
	values[AMOUNT_DOLLARS] = dollars;
	values[TIMES_USUAL] = may_be_unusual ? facts->amount_cents / facts->usual_cents : 0;
	values[COUNT_PERCENT] = count_percent;
	values[SUM_PERCENT] = sum_percent;
	values[NEW_PAYEE] = facts->payee_is_new;
	values[COUNTRY_CHANGED] = facts->country_changed;
	values[COUNTRY_BLOCKED] = facts->country_is_blocked;
}

int64_t risk_window_microseconds(enum risk_window window)
{
	return windows[window].seconds * MICROSECONDS_PER_SECOND;
}

static enum status complete_limit(int64_t *limit, int64_t standard, struct problem *problem)
{
	if (*limit < 0)
		return problem_set(problem, ERR_INVALID_PARAMETER, "risk", "A velocity limit must be positive.");
	if (*limit == 0)
		*limit = standard;
	return STATUS_OK;
}

enum status risk_settings_complete(struct risk_settings *settings, struct problem *problem)
{
	struct risk_settings complete = *settings;
	if (complete.review_threshold == 0)
		complete.review_threshold = REVIEW_DEFAULT;
	if (complete.block_threshold == 0)
		complete.block_threshold = BLOCK_DEFAULT;
	if (complete.review_threshold < 1 || complete.block_threshold > NEVER)
		return problem_set(
		        problem, ERR_INVALID_PARAMETER, "risk", "Thresholds must be within 1 and %d.", NEVER);
	if (complete.block_threshold < complete.review_threshold)
		return problem_set(problem, ERR_INVALID_PARAMETER, "risk",
		        "The block threshold %d is below the review threshold %d.", complete.block_threshold,
		        complete.review_threshold);
	for (size_t i = 0; i < RISK_WINDOW_COUNT; i++) {
		TRY(complete_limit(&complete.count_limits[i], windows[i].count, problem));
		TRY(complete_limit(&complete.sum_limits[i], windows[i].dollars, problem));
	}
	*settings = complete;
	return STATUS_OK;
}

int64_t risk_cents(struct money amount)
{
	__int128 cents = (__int128)amount.minor_units * 100 / minor_per_dollar[amount.currency];
	return cents > INT64_MAX ? INT64_MAX : (int64_t)cents;
}

int64_t risk_usual_cents(struct risk_figures day, int64_t amount_cents)
{
	int64_t earlier = day.count - 1;
	if (earlier < RISK_USUAL_COUNT_MIN || day.sum_cents == INT64_MAX)
		return 0;
	int64_t mean = (day.sum_cents - amount_cents) / earlier;
	return mean > 0 ? mean : 1;
}

/* Each code once, in the order of the rules. */
const char *risk_code_name(unsigned code)
{
	unsigned at = 0;
	for (size_t i = 0; i < RULE_COUNT; i++) {
		if (i > 0 && rules[i].measure == rules[i - 1].measure)
			continue;
		if (at++ == code)
			return rules[i].code;
	}
	return "";
}

unsigned risk_code_find(struct slice name)
{
	unsigned code = 0;
	while (code < RISK_CODE_COUNT && !slice_is(name, risk_code_name(code)))
		code++;
	return code;
}

const char *risk_decision_name(enum risk_decision decision)
{
	return decision_names[decision];
}

bool risk_decision_parse(struct slice name, enum risk_decision *ret_decision)
{
	for (unsigned i = 0; i < sizeof decision_names / sizeof *decision_names; i++)
		if (slice_is(name, decision_names[i])) {
			*ret_decision = (enum risk_decision)i;
			return true;
		}
	return false;
}
