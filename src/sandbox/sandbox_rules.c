#include "sandbox/sandbox_rules.h"

#include "base/clock.h"
#include "base/random.h"

static bool copy_code(struct slice value, char *code)
{
	if (!value.size || value.size >= SANDBOX_CODE_MAX)
		return false;
	memcpy(code, value.data, value.size);
	code[value.size] = 0;
	return true;
}

static bool parse_duration(struct slice text, int64_t *ret_us)
{
	uint64_t value;
	int64_t unit = MICROSECONDS_PER_SECOND;
	if (text.size > 2 && slice_is(slice_skip(text, text.size - 2), "ms")) {
		unit = 1000;
		text.size -= 2;
	} else if (text.size > 1 && text.data[text.size - 1] == 's') {
		text.size--;
	}
	if (!slice_to_u64(text, &value) || value > 86400)
		return false;
	*ret_us = (int64_t)value * unit;
	return true;
}

static bool parse_word(struct slice word, struct sandbox_behaviour *behaviour)
{
	struct slice value = word, name;
	slice_split(&value, '=', &name);
	bool has_value = value.data != NULL;
	uint64_t number;
	if (slice_is(name, "accept") && !has_value)
		return true;
	if (slice_is(name, "timeout_before") && !has_value)
		return behaviour->timeout_before = true;
	if (slice_is(name, "timeout_after") && !has_value)
		return behaviour->timeout_after = true;
	if (slice_is(name, "duplicate") && !has_value)
		return behaviour->duplicate = true;
	if (!has_value)
		return false;
	if (slice_is(name, "decline"))
		return copy_code(value, behaviour->decline);
	if (slice_is(name, "return"))
		return copy_code(value, behaviour->returns);
	if (slice_is(name, "after"))
		return parse_duration(value, &behaviour->return_after_us);
	if (slice_is(name, "late"))
		return parse_duration(value, &behaviour->late_us);
	if (slice_is(name, "slow"))
		return parse_duration(value, &behaviour->slow_us);
	if (slice_is(name, "error") && slice_to_u64(value, &number) && number >= 400 && number <= 599) {
		behaviour->error = (int)number;
		return true;
	}
	return false;
}

enum status sandbox_parse_words(struct slice words, struct sandbox_behaviour *behaviour)
{
	while (words.size) {
		size_t end = 0;
		while (end < words.size && words.data[end] != ' ' && words.data[end] != ',')
			end++;
		struct slice word = { words.data, end };
		if (word.size && !parse_word(word, behaviour))
			return ERR_INVALID_FIELD;
		words = slice_skip(words, end + 1);
	}
	return STATUS_OK;
}

enum status sandbox_parse_directives(struct slice text, struct sandbox_behaviour *behaviour)
{
	static const char open[] = "[sandbox:";
	while (text.size) {
		const char *start = memmem(text.data, text.size, open, sizeof open - 1);
		if (!start)
			break;
		struct slice rest = slice_skip(text, (size_t)(start - text.data) + sizeof open - 1);
		const char *end = memchr(rest.data, ']', rest.size);
		if (!end)
			return ERR_INVALID_FIELD;
		struct slice words = { rest.data, (size_t)(end - rest.data) };
		TRY(sandbox_parse_words(words, behaviour));
		text = slice_skip(rest, words.size + 1);
	}
	return STATUS_OK;
}

bool sandbox_rule_matches(const struct sandbox_rule *rule, struct slice rail, struct slice payee, struct money amount)
{
	struct slice wanted = slice_from(rule->payee_contains);
	if (rule->times_left == 0 || (rule->rail[0] && !slice_is(rail, rule->rail)))
		return false;
	if (wanted.size && !(payee.size && memmem(payee.data, payee.size, wanted.data, wanted.size)))
		return false;
	return amount.minor_units >= rule->amount_min_minor &&
	       (!rule->amount_max_minor || amount.minor_units <= rule->amount_max_minor);
}

void sandbox_draw(uint64_t seed, struct uuid attempt, const struct sandbox_odds *odds, struct slice rail,
        struct sandbox_behaviour *behaviour)
{
	static const struct {
		const char *rail, *code;
	} declines[] = { { "ach", "R03" }, { "card", "insufficient_funds" }, { "wire", "AC04" },
		{ "instant", "AC03" } };
	struct seeded chance = { seed ^ uuid_hash(attempt) };
	if ((int)seeded_below(&chance, 10000) < odds->decline) {
		const char *code = "declined";
		for (size_t i = 0; i < sizeof declines / sizeof *declines; i++)
			if (slice_is(rail, declines[i].rail))
				code = declines[i].code;
		copy_code(slice_from(code), behaviour->decline);
	}
	behaviour->timeout_before = (int)seeded_below(&chance, 10000) < odds->timeout_before;
	behaviour->timeout_after = (int)seeded_below(&chance, 10000) < odds->timeout_after;
	behaviour->duplicate = (int)seeded_below(&chance, 10000) < odds->duplicate;
	if ((int)seeded_below(&chance, 10000) < odds->late)
		behaviour->late_us = 3 * MICROSECONDS_PER_SECOND;
	if ((int)seeded_below(&chance, 10000) < odds->returned)
		copy_code(slice_from(slice_is(rail, "ach") ? "R01" : "AM09"), behaviour->returns);
}

bool sandbox_parse_odds(struct slice text, int *ret_odds)
{
	struct slice whole_text, fraction = text;
	uint64_t whole, part = 0;
	bool is_percent = text.size && text.data[text.size - 1] == '%';
	if (is_percent)
		fraction.size--;
	slice_split(&fraction, '.', &whole_text);
	size_t digits = is_percent ? 2 : 4;
	if (!slice_to_u64(whole_text, &whole) || whole > 100)
		return false;
	if (fraction.data) {
		if (fraction.size > digits || !slice_to_u64(fraction, &part))
			return false;
		for (size_t i = fraction.size; i < digits; i++)
			part *= 10;
	}
	uint64_t odds = whole * (is_percent ? 100 : 10000) + part;
	if (odds > 10000)
		return false;
	*ret_odds = (int)odds;
	return true;
}

int64_t sandbox_settles_after_us(struct slice rail, int64_t base_us)
{
	static const struct {
		const char *rail;
		int64_t halves; /* of the base time */
	} rails[] = { { "instant", 0 }, { "card", 1 }, { "wire", 1 }, { "ach", 2 } };
	for (size_t i = 0; i < sizeof rails / sizeof *rails; i++)
		if (slice_is(rail, rails[i].rail))
			return base_us * rails[i].halves / 2;
	return base_us;
}
