/* ISO 20022 pain.001, versions 03 to 12: validated against its schema (libxml2), then against the rules that a schema
 * cannot say. Parsed without network, entities or document type. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

#include "money/iban.h"
#include "payfile/payment_file.h"

enum { VERSION_FIRST = 3, VERSION_LAST = 12, SUM_DECIMALS = 6 };

static const char namespace_prefix[] = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.";

struct reading {
	struct arena *arena;
	struct payment_file *file;
	struct problem *problem;
	__int128 sum; /* of InstdAmt, whatever the currency, in 1/10^SUM_DECIMALS, as CtrlSum is defined */
};

/* --- The tree ------------------------------------------------------------------------------------------------ */

static const xmlNode *child(const xmlNode *node, const char *name)
{
	for (const xmlNode *at = node ? node->children : NULL; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE && strcmp((const char *)at->name, name) == 0)
			return at;
	return NULL;
}

/* The element at "CdtrAcct/Id/IBAN"; NULL when a step is absent. */
static const xmlNode *element_at(const xmlNode *node, const char *path)
{
	struct slice rest = slice_from(path), step;
	while (node && slice_split(&rest, '/', &step)) {
		char name[32] = "";
		memcpy(name, step.data, step.size < sizeof name ? step.size : sizeof name - 1);
		node = child(node, name);
	}
	return node;
}

static struct slice text_of(const xmlNode *node, struct arena *arena)
{
	struct writer out = writer_growing(arena);
	for (const xmlNode *at = node ? node->children : NULL; at; at = at->next)
		if (at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE)
			write_text(&out, (const char *)at->content);
	return slice_trim(writer_slice(&out));
}

static struct slice text_at(const xmlNode *node, const char *path, struct arena *arena)
{
	return text_of(element_at(node, path), arena);
}

/* The first of several paths that is there: versions and banks name one thing differently. */
static struct slice first_text(const xmlNode *node, const char *const *paths, size_t count, struct arena *arena)
{
	struct slice text = SLICE_EMPTY;
	for (size_t i = 0; i < count && !text.size; i++)
		text = text_at(node, paths[i], arena);
	return text;
}

/* --- Schema -------------------------------------------------------------------------------------------------- */

struct complaint {
	char text[512];
	int line;
};

static void keep_first(void *arg, xmlErrorPtr error)
{
	struct complaint *complaint = arg;
	if (complaint->text[0] || !error)
		return;
	complaint->line = error->line;
	struct writer out = writer_fixed(complaint->text, sizeof complaint->text - 1);
	/* Without the "{namespace}" before each name, which hides what a person looks for. */
	struct slice rest = slice_trim(slice_from(error->message)), part;
	while (slice_split(&rest, '{', &part)) {
		write_slice(&out, part);
		if (rest.data && !slice_split(&rest, '}', &part))
			break;
	}
	if (out.overflowed)
		out.size = sizeof complaint->text - 1;
	complaint->text[out.size] = 0;
}

static enum status validate(xmlDoc *document, const char *path, struct problem *problem)
{
	struct complaint complaint = { .text = "" };
	xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt(path);
	if (parser)
		xmlSchemaSetParserStructuredErrors(parser, keep_first, &complaint);
	xmlSchema *schema = parser ? xmlSchemaParse(parser) : NULL;
	xmlSchemaFreeParserCtxt(parser);
	if (!schema)
		return problem_set(problem, ERR_IO, "", "The schema %.120s cannot be read.", path);
	xmlSchemaValidCtxt *validator = xmlSchemaNewValidCtxt(schema);
	if (validator)
		xmlSchemaSetValidStructuredErrors(validator, keep_first, &complaint);
	int outcome = validator ? xmlSchemaValidateDoc(validator, document) : -1;
	xmlSchemaFreeValidCtxt(validator);
	xmlSchemaFree(schema);
	if (outcome != 0)
		return problem_set(problem, ERR_INVALID_FIELD, "", "Line %d: %.150s", complaint.line, complaint.text);
	return STATUS_OK;
}

/* --- Orders -------------------------------------------------------------------------------------------------- */

/* Adds a decimal of at most SUM_DECIMALS places; what is finer cannot be money and is refused elsewhere. */
static bool add_decimal(struct slice text, __int128 *sum)
{
	struct slice fraction = text, whole_text;
	uint64_t whole, part = 0;
	slice_split(&fraction, '.', &whole_text);
	if (!slice_to_u64(whole_text, &whole))
		return false;
	if (!fraction.data)
		fraction = SLICE_EMPTY;
	while (fraction.size && fraction.data[fraction.size - 1] == '0')
		fraction.size--;
	if (fraction.size > SUM_DECIMALS || (fraction.size && !slice_to_u64(fraction, &part)))
		return false;
	for (size_t i = fraction.size; i < SUM_DECIMALS; i++)
		part *= 10;
	*sum += (__int128)whole * 1000000 + part;
	return true;
}

static void read_account(const xmlNode *entry, struct payment_order *order, struct arena *arena)
{
	order->iban = text_at(entry, "CdtrAcct/Id/IBAN", arena);
	struct slice other = text_at(entry, "CdtrAcct/Id/Othr/Id", arena);
	struct slice member = text_at(entry, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", arena);
	if (slice_starts_with(other, SLICE("acct-"))) {
		order->account_id = other;
	} else if (other.size) {
		order->account_number = other;
		order->routing_number = member;
	}
}

static enum status read_order(struct reading *reading, const xmlNode *entry, struct slice group_id)
{
	static const char *const bics[] = { "CdtrAgt/FinInstnId/BICFI", "CdtrAgt/FinInstnId/BIC" };
	static const char *const references[] = { "RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref" };
	struct arena *arena = reading->arena;
	if (reading->file->count == PAYMENT_ORDERS_MAX)
		return problem_set(reading->problem, ERR_BODY_TOO_LARGE, "", "A file may have at most %d payments.",
		        PAYMENT_ORDERS_MAX);
	struct payment_order *order = payment_file_add(reading->file, arena);
	const xmlNode *amount = element_at(entry, "Amt/InstdAmt");
	xmlChar *currency = amount ? xmlGetNoNsProp(amount, (const xmlChar *)"Ccy") : NULL;
	order->line = (int)xmlGetLineNo(entry);
	order->group_id = group_id;
	order->instruction_id = text_at(entry, "PmtId/InstrId", arena);
	order->end_to_end_id = text_at(entry, "PmtId/EndToEndId", arena);
	order->amount = text_of(amount, arena);
	order->currency = arena_copy(arena, slice_from((const char *)currency));
	order->payee_name = text_at(entry, "Cdtr/Nm", arena);
	order->bic = first_text(entry, bics, 2, arena);
	order->reference = first_text(entry, references, 2, arena);
	xmlFree(currency);
	read_account(entry, order, arena);
	if (!amount)
		payment_order_refuse(order, "AM03", SLICE("Only an instructed amount (InstdAmt) can be paid."));
	else if (!add_decimal(order->amount, &reading->sum))
		payment_order_refuse(order, "AM12", SLICE("The amount has too many decimals."));
	return STATUS_OK;
}

static enum status read_group(struct reading *reading, const xmlNode *group)
{
	struct payment_file *file = reading->file;
	struct slice id = text_at(group, "PmtInfId", reading->arena);
	struct slice declared = text_at(group, "NbOfTxs", reading->arena),
	             debtor = text_at(group, "DbtrAcct/Id/IBAN", reading->arena);
	size_t first = file->count;
	uint64_t count;
	if (!slice_is(text_at(group, "PmtMtd", reading->arena), "TRF"))
		return problem_set(reading->problem, ERR_INVALID_FIELD, "PmtMtd",
		        "Line %ld: only credit transfers (TRF) can be paid.", xmlGetLineNo(group));
	for (const xmlNode *entry = group->children; entry; entry = entry->next)
		if (entry->type == XML_ELEMENT_NODE && strcmp((const char *)entry->name, "CdtTrfTxInf") == 0)
			TRY(read_order(reading, entry, id));
	if (declared.size && (!slice_to_u64(declared, &count) || count != file->count - first))
		return problem_set(reading->problem, ERR_INVALID_FIELD, "NbOfTxs",
		        "Line %ld: NbOfTxs says %.*s, the group has %zu.", xmlGetLineNo(group), SLICE_ARGS(declared),
		        file->count - first);
	for (size_t i = first; debtor.size && !iban_is_valid(debtor) && i < file->count; i++)
		payment_order_refuse(&file->orders[i], "AC02", SLICE("The debtor's IBAN has wrong check digits."));
	return STATUS_OK;
}

static enum status check_totals(const struct reading *reading)
{
	const struct payment_file *file = reading->file;
	__int128 declared = 0;
	uint64_t count;
	if (!slice_to_u64(file->declared_count, &count) || count != file->count)
		return problem_set(reading->problem, ERR_INVALID_FIELD, "NbOfTxs",
		        "NbOfTxs says %.*s, the file has %zu.", SLICE_ARGS(file->declared_count), file->count);
	if (file->declared_sum.size && (!add_decimal(file->declared_sum, &declared) || declared != reading->sum))
		return problem_set(reading->problem, ERR_INVALID_FIELD, "CtrlSum",
		        "CtrlSum says %.*s, which the amounts do not add up to.", SLICE_ARGS(file->declared_sum));
	return STATUS_OK;
}

static enum status read_message(struct reading *reading, const xmlNode *root)
{
	struct payment_file *file = reading->file;
	const xmlNode *message = child(root, "CstmrCdtTrfInitn"), *header = child(message, "GrpHdr");
	if (!header)
		return problem_set(
		        reading->problem, ERR_MISSING_FIELD, "GrpHdr", "The message has no CstmrCdtTrfInitn/GrpHdr.");
	file->message_id = text_at(header, "MsgId", reading->arena);
	file->created = text_at(header, "CreDtTm", reading->arena);
	file->initiator = text_at(header, "InitgPty/Nm", reading->arena);
	file->declared_count = text_at(header, "NbOfTxs", reading->arena);
	file->declared_sum = text_at(header, "CtrlSum", reading->arena);
	if (!file->message_id.size)
		return problem_set(
		        reading->problem, ERR_MISSING_FIELD, "MsgId", "The message has no identification (MsgId).");
	for (const xmlNode *group = message->children; group; group = group->next)
		if (group->type == XML_ELEMENT_NODE && strcmp((const char *)group->name, "PmtInf") == 0)
			TRY(read_group(reading, group));
	return check_totals(reading);
}

/* The namespace decides the version; an unknown one is refused, not guessed. */
static enum status read_version(const xmlNode *root, int *ret_version, struct problem *problem)
{
	struct slice uri = root && root->ns ? slice_from((const char *)root->ns->href) : SLICE_EMPTY;
	uint64_t version;
	if (!root || strcmp((const char *)root->name, "Document") != 0 ||
	        !slice_starts_with(uri, slice_from(namespace_prefix)) || uri.size != sizeof namespace_prefix + 1 ||
	        !slice_to_u64(slice_skip(uri, sizeof namespace_prefix - 1), &version) || version < VERSION_FIRST ||
	        version > VERSION_LAST)
		return problem_set(problem, ERR_INVALID_FIELD, "", "This is no pain.001.001.%02d to .%02d document.",
		        VERSION_FIRST, VERSION_LAST);
	*ret_version = (int)version;
	return STATUS_OK;
}

static enum status read_document(xmlDoc *document, struct slice schemas, struct reading *reading)
{
	const xmlNode *root = xmlDocGetRootElement(document);
	if (document->intSubset || document->extSubset)
		return problem_set(reading->problem, ERR_INVALID_FIELD, "", "A document type definition is not taken.");
	TRY(read_version(root, &reading->file->version, reading->problem));
	if (schemas.size) {
		struct slice path = arena_format(
		        reading->arena, "%.*s/pain.001.001.%02d.xsd", SLICE_ARGS(schemas), reading->file->version);
		TRY(validate(document, path.data, reading->problem));
	}
	return read_message(reading, root);
}

enum status pain001_read(struct slice bytes, struct slice schemas, struct arena *arena, struct payment_file *file,
        struct problem *problem)
{
	struct reading reading = { .arena = arena, .file = file, .problem = problem };
	struct complaint complaint = { .text = "" };
	file->format = PAYMENT_FILE_PAIN001;
	xmlSetStructuredErrorFunc(&complaint, keep_first);
	xmlDoc *document =
	        xmlReadMemory(bytes.data, (int)bytes.size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_BIG_LINES);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (!document)
		return problem_set(problem, ERR_INVALID_FIELD, "", "Line %d: %.150s", complaint.line,
		        complaint.text[0] ? complaint.text : "this is no XML");
	enum status status = read_document(document, schemas, &reading);
	xmlFreeDoc(document);
	return status;
}
