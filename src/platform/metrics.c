#include "platform/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };
enum { LABELS_MAX = 128, SLOTS = 2 * LABELS_MAX, LABEL_SIZE = 96 };

static const struct {
	const char *name;
	enum kind kind;
	const char *label;
	const char *help;
} rows[METRIC_COUNT] = {
#define METRIC(name, kind, label, help) { #name, kind, label, help },
#include "platform/metrics.def"
#undef METRIC
};

static const char *const kind_names[] = { "counter", "gauge", "histogram" };

/* Upper bounds in microseconds, and as Prometheus shows them. */
static const struct {
	int64_t microseconds;
	const char *seconds;
} bounds[] = {
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
};
enum { BOUNDS = sizeof bounds / sizeof *bounds };

/* The values of one metric under one label. Lives as long as the process. */
struct series {
	char label[LABEL_SIZE];
	_Atomic int64_t value;                /* counter, gauge; histogram: sum of microseconds */
	_Atomic uint64_t buckets[BOUNDS + 1]; /* not cumulative; the last one is beyond all bounds */
};

/* Open addressing; a slot is filled once and never emptied, so readers need no lock. */
static struct {
	_Atomic(struct series *) slots[SLOTS];
	_Atomic(struct series *) other; /* labels beyond LABELS_MAX or longer than LABEL_SIZE */
	_Atomic unsigned count;
} table[METRIC_COUNT];

static uint32_t hash_label(const char *label, size_t *ret_size)
{
	uint32_t hash = UINT32_C(2166136261);
	size_t size = 0;
	for (; label[size]; size++)
		hash = (hash ^ (unsigned char)label[size]) * UINT32_C(16777619);
	*ret_size = size;
	return hash ^ hash >> 15;
}

/* Puts a new series in the empty slot; another thread may be faster. */
static struct series *fill(_Atomic(struct series *) *slot, const char *label, size_t size)
{
	struct series *expected = NULL, *series = NEW(struct series);
	memcpy(series->label, label, size);
	if (atomic_compare_exchange_strong(slot, &expected, series))
		return series;
	memory_free(series);
	return expected;
}

static struct series *find_other(enum metric metric)
{
	struct series *other = table[metric].other;
	return other ? other : fill(&table[metric].other, "other", 5);
}

static struct series *find(enum metric metric, const char *label)
{
	size_t size;
	uint32_t at = hash_label(label, &size);
	if (size >= LABEL_SIZE)
		return find_other(metric);
	for (;; at++) {
		_Atomic(struct series *) *slot = &table[metric].slots[at % SLOTS];
		struct series *series = atomic_load_explicit(slot, memory_order_acquire);
		if (!series) {
			if (atomic_fetch_add(&table[metric].count, 1) >= LABELS_MAX) {
				atomic_fetch_sub(&table[metric].count, 1);
				return find_other(metric);
			}
			series = fill(slot, label, size);
		}
		if (memcmp(series->label, label, size + 1) == 0)
			return series;
	}
}

void metric_add(enum metric metric, const char *label, uint64_t count)
{
	atomic_fetch_add_explicit(&find(metric, label)->value, (int64_t)count, memory_order_relaxed);
}

void metric_set(enum metric metric, const char *label, int64_t value)
{
	atomic_store_explicit(&find(metric, label)->value, value, memory_order_relaxed);
}

void metric_observe(enum metric metric, const char *label, int64_t microseconds)
{
	struct series *series = find(metric, label);
	size_t bucket = 0;
	while (bucket < BOUNDS && microseconds > bounds[bucket].microseconds)
		bucket++;
	atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&series->value, microseconds, memory_order_relaxed);
}

/* --- Writing ----------------------------------------------------------------------------------------------------- */

static void write_escaped(struct writer *out, const char *text, bool is_label)
{
	for (; *text; text++) {
		if (*text == '\\')
			write_text(out, "\\\\");
		else if (*text == '\n')
			write_text(out, "\\n");
		else if (*text == '"' && is_label)
			write_text(out, "\\\"");
		else
			write_char(out, *text);
	}
}

/* `name_suffix{label="value",le="bound"} ` */
static void write_name(struct writer *out, enum metric metric, const char *suffix, const char *label, const char *bound)
{
	bool has_label = rows[metric].label[0] != '\0';
	write_text(out, rows[metric].name);
	write_text(out, suffix);
	if (has_label || bound)
		write_char(out, '{');
	if (has_label) {
		writef(out, "%s=\"", rows[metric].label);
		write_escaped(out, label, true);
		write_char(out, '"');
	}
	if (bound)
		writef(out, "%sle=\"%s\"", has_label ? "," : "", bound);
	if (has_label || bound)
		write_char(out, '}');
	write_char(out, ' ');
}

static void write_count(struct writer *out, uint64_t count)
{
	write_u64(out, count);
	write_char(out, '\n');
}

static void write_histogram(struct writer *out, enum metric metric, const struct series *series)
{
	uint64_t total = 0;
	for (size_t i = 0; i <= BOUNDS; i++) {
		total += series->buckets[i];
		write_name(out, metric, "_bucket", series->label, i < BOUNDS ? bounds[i].seconds : "+Inf");
		write_count(out, total);
	}
	int64_t sum = series->value;
	write_name(out, metric, "_sum", series->label, NULL);
	writef(out, "%lld.%06lld\n", (long long)(sum / 1000000), (long long)(sum % 1000000));
	write_name(out, metric, "_count", series->label, NULL);
	write_count(out, total);
}

static void write_series(struct writer *out, enum metric metric, const struct series *series)
{
	if (rows[metric].kind == HISTOGRAM) {
		write_histogram(out, metric, series);
		return;
	}
	write_name(out, metric, "", series->label, NULL);
	write_i64(out, series->value);
	write_char(out, '\n');
}

static void write_metric(struct writer *out, enum metric metric)
{
	static const struct series nothing;
	writef(out, "# HELP %s ", rows[metric].name);
	write_escaped(out, rows[metric].help, false);
	writef(out, "\n# TYPE %s %s\n", rows[metric].name, kind_names[rows[metric].kind]);
	for (size_t i = 0; i < SLOTS; i++) {
		const struct series *series = table[metric].slots[i];
		if (series)
			write_series(out, metric, series);
	}
	const struct series *other = table[metric].other;
	if (other)
		write_series(out, metric, other);
	/* Without a label there is exactly one series, and it exists from the start. */
	if (!rows[metric].label[0] && !table[metric].count)
		write_series(out, metric, &nothing);
}

void metrics_write(struct writer *out)
{
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
		write_metric(out, metric);
}
