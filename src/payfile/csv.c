/* CSV (RFC 4180): a header names the columns, in any order; fields may be quoted. */
#include "payfile/payment_file.h"

enum { COLUMNS_MAX = 32 };

static const struct {
	const char *name;
	size_t offset;
	bool is_required;
} columns[] = {
	{ "id", offsetof(struct payment_order, end_to_end_id), true },
	{ "amount", offsetof(struct payment_order, amount), true },
	{ "currency", offsetof(struct payment_order, currency), true },
	{ "payee_name", offsetof(struct payment_order, payee_name), false },
	{ "account_id", offsetof(struct payment_order, account_id), false },
	{ "iban", offsetof(struct payment_order, iban), false },
	{ "bic", offsetof(struct payment_order, bic), false },
	{ "routing_number", offsetof(struct payment_order, routing_number), false },
	{ "account_number", offsetof(struct payment_order, account_number), false },
	{ "card_token", offsetof(struct payment_order, card_token), false },
	{ "reference", offsetof(struct payment_order, reference), false },
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

struct reader {
	struct slice rest;
	int line;
	struct arena *arena;
	struct problem *problem;
};

static enum status fail(const struct reader *reader, const char *what)
{
	return problem_set(reader->problem, ERR_INVALID_FIELD, "", "Line %d: %s.", reader->line, what);
}

/* Behind the opening quote: up to the closing one, doubled quotes made single. */
static enum status read_quoted(struct reader *reader, struct slice *ret_field)
{
	struct writer out = writer_growing(reader->arena);
	while (reader->rest.size) {
		char c = reader->rest.data[0];
		reader->rest = slice_skip(reader->rest, 1);
		if (c == '"') {
			if (!reader->rest.size || reader->rest.data[0] != '"') {
				*ret_field = writer_slice(&out);
				return STATUS_OK;
			}
			reader->rest = slice_skip(reader->rest, 1);
		}
		reader->line += c == '\n';
		write_char(&out, c);
	}
	return fail(reader, "a quoted field does not end");
}

/* One row; `*ret_count` fields. An empty line gives one empty field. */
static enum status read_row(struct reader *reader, struct slice fields[COLUMNS_MAX], size_t *ret_count)
{
	size_t count = 0;
	for (;;) {
		if (count == COLUMNS_MAX)
			return fail(reader, "too many columns");
		if (reader->rest.size && reader->rest.data[0] == '"') {
			reader->rest = slice_skip(reader->rest, 1);
			TRY(read_quoted(reader, &fields[count]));
		} else {
			size_t size = 0;
			while (size < reader->rest.size && reader->rest.data[size] != ',' &&
			        reader->rest.data[size] != '\n' && reader->rest.data[size] != '\r')
				size++;
			fields[count] = slice_trim((struct slice) { reader->rest.data, size });
			reader->rest = slice_skip(reader->rest, size);
		}
		count++;
		if (!reader->rest.size)
			break;
		char end = reader->rest.data[0];
		reader->rest = slice_skip(reader->rest, 1);
		if (end == ',')
			continue;
		if (end == '\r' && reader->rest.size && reader->rest.data[0] == '\n')
			reader->rest = slice_skip(reader->rest, 1);
		else if (end != '\n')
			return fail(reader, "something follows a quoted field");
		break;
	}
	*ret_count = count;
	return STATUS_OK;
}

/* Which of our columns stands at each place of the header. */
static enum status read_header(struct reader *reader, int ret_places[COLUMNS_MAX], size_t *ret_count)
{
	struct slice names[COLUMNS_MAX];
	bool found[COLUMN_COUNT] = { false };
	TRY(read_row(reader, names, ret_count));
	for (size_t place = 0; place < *ret_count; place++) {
		ret_places[place] = -1;
		for (int column = 0; column < COLUMN_COUNT; column++)
			if (slice_equal_ignore_case(names[place], slice_from(columns[column].name)))
				ret_places[place] = column;
		if (ret_places[place] < 0)
			return problem_set(reader->problem, ERR_UNKNOWN_FIELD, "",
			        "Line 1: there is no column \"%.*s\".",
			        (int)(names[place].size < 40 ? names[place].size : 40), names[place].data);
		if (found[ret_places[place]])
			return fail(reader, "a column stands twice");
		found[ret_places[place]] = true;
	}
	for (int column = 0; column < COLUMN_COUNT; column++)
		if (columns[column].is_required && !found[column])
			return problem_set(reader->problem, ERR_MISSING_FIELD, "",
			        "Line 1: the column \"%s\" is missing.", columns[column].name);
	return STATUS_OK;
}

enum status csv_read(struct slice bytes, struct arena *arena, struct payment_file *file, struct problem *problem)
{
	struct reader reader = { .rest = bytes, .line = 1, .arena = arena, .problem = problem };
	struct slice fields[COLUMNS_MAX];
	int places[COLUMNS_MAX];
	size_t width, count;
	file->format = PAYMENT_FILE_CSV;
	TRY(read_header(&reader, places, &width));
	while (reader.rest.size) {
		int line = ++reader.line;
		TRY(read_row(&reader, fields, &count));
		if (count == 1 && !fields[0].size)
			continue;
		if (count != width)
			return problem_set(problem, ERR_INVALID_FIELD, "", "Line %d: %zu fields instead of %zu.", line,
			        count, width);
		if (file->count == PAYMENT_ORDERS_MAX)
			return problem_set(problem, ERR_BODY_TOO_LARGE, "", "A file may have at most %d payments.",
			        PAYMENT_ORDERS_MAX);
		struct payment_order *order = payment_file_add(file, arena);
		order->line = line;
		for (size_t place = 0; place < width; place++)
			*(struct slice *)((char *)order + columns[places[place]].offset) = fields[place];
		if (!order->end_to_end_id.size)
			return problem_set(problem, ERR_MISSING_FIELD, "id", "Line %d: the id is missing.", line);
	}
	return STATUS_OK;
}

/* --- The report ---------------------------------------------------------------------------------------------- */

/* Quoted where needed, and never a formula for a spreadsheet. */
static void write_field(struct writer *out, struct slice field, char end)
{
	bool is_formula = field.size && strchr("=+-@", field.data[0]);
	bool is_quoted = is_formula;
	for (size_t i = 0; i < field.size; i++)
		is_quoted |=
		        field.data[i] == ',' || field.data[i] == '"' || field.data[i] == '\n' || field.data[i] == '\r';
	if (is_quoted)
		write_text(out, is_formula ? "\"'" : "\"");
	for (size_t i = 0; i < field.size; i++) {
		if (field.data[i] == '"')
			write_char(out, '"');
		write_char(out, field.data[i]);
	}
	if (is_quoted)
		write_char(out, '"');
	write_char(out, end);
}

struct slice csv_report_write(const struct payment_file *file, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	write_text(&out, "line,group_id,id,amount,currency,payee_name,payment_id,status,iso_status,iso_reason,code,"
	                 "detail,rail,fee\n");
	for (size_t i = 0; i < file->count; i++) {
		const struct payment_order *order = &file->orders[i];
		const char *iso_status = payment_order_iso_status(order);
		bool is_rejected = strcmp(iso_status, "RJCT") == 0;
		const struct slice fields[] = { order->group_id, order->end_to_end_id, order->amount, order->currency,
			order->payee_name, order->payment_id,
			order->refusal       ? SLICE("refused")
			: order->is_answered ? order->status
			                     : SLICE("not_sent"),
			slice_from(iso_status), is_rejected ? slice_from(payment_order_iso_reason(order)) : SLICE_EMPTY,
			order->code, order->refusal ? order->refusal_detail : order->detail, order->rail, order->fee };
		enum { FIELDS = sizeof fields / sizeof *fields };
		writef(&out, "%d,", order->line);
		for (size_t k = 0; k < FIELDS; k++)
			write_field(&out, fields[k], k + 1 < FIELDS ? ',' : '\n');
	}
	return writer_slice(&out);
}
