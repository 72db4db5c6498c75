/* What time and crashes decide about payments; what people decide is in router_service.h. */
#pragma once

#include "router/router_internal.h"

/* Goes on with a payment that a crash left in `created`. Nothing when somebody else does or did. */
enum status payment_resume(struct router_service *service, struct payment_id id);
/* Ends the waiting of a payment that nobody approved in time. */
enum status payment_expire(struct router_service *service, struct payment_id id);
