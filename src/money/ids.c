#include "money/ids.h"

bool id_parse(struct slice text, const char *prefix, struct uuid *ret_uuid)
{
	struct slice head = slice_from(prefix);
	if (!slice_starts_with(text, head) || text.size <= head.size || text.data[head.size] != '-')
		return false;
	return uuid_parse(slice_skip(text, head.size + 1), ret_uuid);
}

void write_id(struct writer *writer, const char *prefix, struct uuid uuid)
{
	write_text(writer, prefix);
	write_char(writer, '-');
	write_uuid(writer, uuid);
}
