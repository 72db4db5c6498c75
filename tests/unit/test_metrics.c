#include "testing.h"

#include <pthread.h>
#include <stdio.h>

#include "base/arena.h"
#include "platform/metrics.h"

static struct arena arena;

static const char *written(void)
{
	struct writer out = writer_growing(&arena);
	metrics_write(&out);
	return arena_text(&arena, writer_slice(&out));
}

static int forget(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

#define assert_written(text) \
	do { \
		const char *all_ = written(); \
		if (!strstr(all_, (text))) { \
			print_error("missing:\n%s\nin:\n%s\n", (text), all_); \
			fail(); \
		} \
	} while (0)

static void shows_every_metric_from_the_start(void **state)
{
	(void)state;
	assert_written("# HELP rate_limited_total Requests refused by the rate limit.\n"
	               "# TYPE rate_limited_total counter\nrate_limited_total 0\n");
	assert_written(
	        "# HELP http_connections Open HTTP connections.\n# TYPE http_connections gauge\nhttp_connections 0\n");
	assert_written("# TYPE http_request_seconds histogram\n# HELP");
}

static void counts(void **state)
{
	(void)state;
	metric_add(METRIC_http_requests_total, "200", 2);
	metric_add(METRIC_http_requests_total, "404", 1);
	metric_add(METRIC_http_requests_total, "200", 3);
	metric_add(METRIC_rate_limited_total, "", 7);
	assert_written("http_requests_total{status=\"200\"} 5\n");
	assert_written("http_requests_total{status=\"404\"} 1\n");
	assert_written("\nrate_limited_total 7\n");
}

static void gauges_go_both_ways(void **state)
{
	(void)state;
	metric_set(METRIC_http_connections, "", 9);
	metric_set(METRIC_http_connections, "", 4);
	metric_set(METRIC_event_lag, "projection", -1);
	assert_written("\nhttp_connections 4\n");
	assert_written("event_lag{consumer=\"projection\"} -1\n");
}

static void observes_into_cumulative_buckets(void **state)
{
	(void)state;
	static const int64_t observations[] = { 0, 500, 501, 2000000, 10000000, 10000001 };
	for (size_t i = 0; i < sizeof observations / sizeof *observations; i++)
		metric_observe(METRIC_commit_seconds, "ledger", observations[i]);
	assert_written("# TYPE commit_seconds histogram\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.0005\"} 2\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.001\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.0025\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.005\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.01\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.025\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.05\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.1\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.25\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"0.5\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"1\"} 3\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"2.5\"} 4\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"5\"} 4\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"10\"} 5\n"
	               "commit_seconds_bucket{committer=\"ledger\",le=\"+Inf\"} 6\n"
	               "commit_seconds_sum{committer=\"ledger\"} 22.001002\n"
	               "commit_seconds_count{committer=\"ledger\"} 6\n");
}

static void escapes_labels(void **state)
{
	(void)state;
	metric_add(METRIC_events_total, "a\"b\\c\nd", 1);
	assert_written("events_total{type=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void bounds_the_number_of_labels(void **state)
{
	(void)state;
	char label[200];
	for (int i = 0; i < 200; i++) {
		snprintf(label, sizeof label, "label-%d", i);
		metric_add(METRIC_logins_total, label, 1);
	}
	assert_written("logins_total{outcome=\"label-127\"} 1\n");
	assert_null(strstr(written(), "label-128"));
	assert_written("logins_total{outcome=\"other\"} 72\n");
	/* Known ones count on. */
	metric_add(METRIC_logins_total, "label-5", 1);
	assert_written("logins_total{outcome=\"label-5\"} 2\n");
	memset(label, 'x', sizeof label - 1);
	label[sizeof label - 1] = '\0';
	metric_add(METRIC_risk_alerts_total, label, 1);
	assert_written("risk_alerts_total{alert_type=\"other\"} 1\n");
}

enum { THREADS = 4, ROUNDS = 10000 };

static void *count_often(void *arg)
{
	char label[16];
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(label, sizeof label, "l%d", i % 20);
		metric_add(METRIC_payments_total, label, 1);
	}
	return NULL;
}

static void loses_nothing_between_threads(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 20; i++) {
		char line[64];
		snprintf(line, sizeof line, "payments_total{status=\"l%d\"} %d\n", i, THREADS * ROUNDS / 20);
		assert_written(line);
	}
}

TESTS(cmocka_unit_test_teardown(shows_every_metric_from_the_start, forget), cmocka_unit_test_teardown(counts, forget),
        cmocka_unit_test_teardown(gauges_go_both_ways, forget),
        cmocka_unit_test_teardown(observes_into_cumulative_buckets, forget),
        cmocka_unit_test_teardown(escapes_labels, forget),
        cmocka_unit_test_teardown(bounds_the_number_of_labels, forget),
        cmocka_unit_test_teardown(loses_nothing_between_threads, forget))
