/* Bytes as a pain.001 document: no crash, no network, no endless loop; what was read can be reported. */
#include "payfile/payment_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct payment_file file = { 0 };
	if (payment_file_read(slice_make(data, size), SLICE("fuzz"), SLICE_EMPTY, &arena, &file, NULL) == STATUS_OK) {
		char(*keys)[ORDER_KEY_SIZE] = (char(*)[ORDER_KEY_SIZE])arena_array(&arena, file.count, ORDER_KEY_SIZE);
		payment_order_keys(&file, keys, &arena);
		csv_report_write(&file, &arena);
		pain002_write(&file, SLICE("report"), 0, &arena);
	}
	arena_clean_up(&arena);
	return 0;
}
