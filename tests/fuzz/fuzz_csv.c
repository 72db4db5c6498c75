/* Bytes as a CSV payment file: no crash, and every order of a file that was read is either refused or complete. */
#include <assert.h>

#include "payfile/payment_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct payment_file file = { 0 };
	if (csv_read(slice_make(data, size), &arena, &file, NULL) == STATUS_OK) {
		for (size_t i = 0; i < file.count; i++) {
			payment_order_check(&file.orders[i], &arena);
			assert(file.orders[i].refusal ||
			        (file.orders[i].amount.size && file.orders[i].end_to_end_id.size));
		}
		csv_report_write(&file, &arena);
		pain002_write(&file, SLICE("report"), 0, &arena);
	}
	arena_clean_up(&arena);
	return 0;
}
