/* Counters, gauges and histograms in Prometheus text format. A table of names in metrics.def; values are atomics, one
 * label at most. */
#pragma once

#include "base/slice.h"
#include "base/writer.h"

enum metric {
#define METRIC(name, kind, label, help) METRIC_##name,
#include "platform/metrics.def"
#undef METRIC
	METRIC_COUNT
};

/* Adds to a counter; `label` is a short constant text (a status code, a rail, a route path), "" when the metric has
 * none. At most 128 label values a metric, further ones count as "other". */
void metric_add(enum metric metric, const char *label, uint64_t count);
/* Sets a gauge. */
void metric_set(enum metric metric, const char *label, int64_t value);
/* Adds an observation to a histogram of seconds. */
void metric_observe(enum metric metric, const char *label, int64_t microseconds);
/* All of them, as text/plain; version=0.0.4. */
void metrics_write(struct writer *out);
