#include "router/router_http.h"

#include "identity/identity_api.h"

static const struct http_route routes[] = {
	{ HTTP_POST, "/v1/payments", payments_post, PERMISSION_PAYMENT_CREATE, HTTP_ROUTE_IDEMPOTENT },
	{ HTTP_GET, "/v1/payments", payments_get, PERMISSION_PAYMENT_VIEW, 0 },
	{ HTTP_GET, "/v1/payments/{id}", payment_get_one, PERMISSION_PAYMENT_VIEW, 0 },
	{ HTTP_POST, "/v1/payments/{id}/cancel", payment_post_cancel, PERMISSION_PAYMENT_CANCEL, 0 },
	{ HTTP_POST, "/v1/payments/{id}/approve", payment_post_approve, PERMISSION_PAYMENT_APPROVE, 0 },
	{ HTTP_POST, "/v1/payments/{id}/refund", payment_post_refund, PERMISSION_PAYMENT_REFUND, 0 },
	{ HTTP_POST, "/v1/quotes", quotes_post, PERMISSION_QUOTE_CREATE, 0 },
	{ HTTP_GET, "/v1/rails", rails_get, PERMISSION_RAIL_VIEW, 0 },
	{ HTTP_POST, "/v1/rails/notifications", rail_notifications_post, PERMISSION_PUBLIC,
	        HTTP_ROUTE_NO_KEY | HTTP_ROUTE_ANY_BODY },
};

struct http_routes router_http_routes(struct router_service *service)
{
	return (struct http_routes) {
		.service = "router", .rows = routes, .count = sizeof routes / sizeof *routes, .self = service
	};
}
