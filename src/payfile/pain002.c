/* ISO 20022 pain.002: what became of each order of a file. Version 03 answers pain.001.001.03, version 10 the rest. */
#include "payfile/payment_file.h"

#include "base/clock.h"
#include "money/ids.h"

enum { MAX_35 = 35, MAX_105 = 105 };

/* Characters that XML has no place for become '?'; text is cut to what the schema allows, between characters. */
static void write_escaped(struct writer *out, struct slice text, size_t max)
{
	size_t characters = 0;
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool starts_character = (c & 0xc0) != 0x80;
		if (starts_character && ++characters > max)
			return;
		if (c == '&')
			write_text(out, "&amp;");
		else if (c == '<')
			write_text(out, "&lt;");
		else if (c == '>')
			write_text(out, "&gt;");
		else
			write_char(out, c < 0x20 && c != '\t' ? '?' : (char)c);
	}
}

static void write_element(struct writer *out, const char *name, struct slice text, size_t max)
{
	if (!text.size)
		return;
	writef(out, "<%s>", name);
	write_escaped(out, text, max);
	writef(out, "</%s>\n", name);
}

/* The payment's identifier without its dashes: 35 characters is all that the schema leaves. */
static void write_status_id(struct writer *out, struct slice payment)
{
	struct payment_id id;
	if (!payment_id_parse(payment, &id))
		return;
	write_text(out, "<StsId>");
	write_hex(out, id.uuid.bytes, sizeof id.uuid.bytes);
	write_text(out, "</StsId>\n");
}

static void write_order(struct writer *out, const struct payment_order *order)
{
	const char *status = payment_order_iso_status(order);
	write_text(out, "<TxInfAndSts>\n");
	write_status_id(out, order->payment_id);
	write_element(out, "OrgnlInstrId", order->instruction_id, MAX_35);
	write_element(out, "OrgnlEndToEndId", order->end_to_end_id, MAX_35);
	write_element(out, "TxSts", slice_from(status), 4);
	if (strcmp(status, "RJCT") == 0 || strcmp(status, "PDNG") == 0) {
		struct slice detail = order->refusal       ? order->refusal_detail
		                      : order->detail.size ? order->detail
		                                           : order->status;
		bool is_rejected = strcmp(status, "RJCT") == 0;
		write_text(out, "<StsRsnInf>\n");
		if (is_rejected)
			writef(out, "<Rsn><Cd>%s</Cd></Rsn>\n", payment_order_iso_reason(order));
		write_element(out, "AddtlInf", detail, MAX_105);
		if (is_rejected && order->code.size)
			write_element(out, "AddtlInf", order->code, MAX_105);
		write_text(out, "</StsRsnInf>\n");
	}
	write_text(out, "</TxInfAndSts>\n");
}

/* RJCT when all are rejected, ACSC when all are settled, PART when some are rejected, else ACSP. */
static const char *group_status(const struct payment_file *file)
{
	size_t rejected = 0, settled = 0;
	for (size_t i = 0; i < file->count; i++) {
		const char *status = payment_order_iso_status(&file->orders[i]);
		rejected += strcmp(status, "RJCT") == 0;
		settled += strcmp(status, "ACSC") == 0;
	}
	if (rejected == file->count)
		return "RJCT";
	if (rejected)
		return "PART";
	return settled == file->count ? "ACSC" : "ACSP";
}

struct slice pain002_write(const struct payment_file *file, struct slice report_id, int64_t now, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	bool is_old = file->format == PAYMENT_FILE_PAIN001 && file->version <= 3;
	const char *original = file->format == PAYMENT_FILE_PAIN001 ? "pain.001.001." : "pain.001.001.09";
	writef(&out,
	        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document "
	        "xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.%s\">\n<CstmrPmtStsRpt>\n",
	        is_old ? "03" : "10");
	write_text(&out, "<GrpHdr>\n");
	write_element(&out, "MsgId", report_id, MAX_35);
	write_text(&out, "<CreDtTm>");
	write_instant(&out, now / MICROSECONDS_PER_SECOND * MICROSECONDS_PER_SECOND);
	write_text(&out, "</CreDtTm>\n</GrpHdr>\n<OrgnlGrpInfAndSts>\n");
	write_element(&out, "OrgnlMsgId", file->message_id, MAX_35);
	write_text(&out, "<OrgnlMsgNmId>");
	write_text(&out, original);
	if (file->format == PAYMENT_FILE_PAIN001)
		writef(&out, "%02d", file->version);
	writef(&out, "</OrgnlMsgNmId>\n<OrgnlNbOfTxs>%zu</OrgnlNbOfTxs>\n<GrpSts>%s</GrpSts>\n</OrgnlGrpInfAndSts>\n",
	        file->count, group_status(file));
	for (size_t i = 0; i < file->count; i++) {
		const struct payment_order *order = &file->orders[i];
		bool is_first = i == 0 || !slice_equal(file->orders[i - 1].group_id, order->group_id);
		bool is_last = i + 1 == file->count || !slice_equal(file->orders[i + 1].group_id, order->group_id);
		if (is_first) {
			write_text(&out, "<OrgnlPmtInfAndSts>\n");
			write_element(&out, "OrgnlPmtInfId", order->group_id.size ? order->group_id : file->message_id,
			        MAX_35);
		}
		write_order(&out, order);
		if (is_last)
			write_text(&out, "</OrgnlPmtInfAndSts>\n");
	}
	write_text(&out, "</CstmrPmtStsRpt>\n</Document>\n");
	return writer_slice(&out);
}
