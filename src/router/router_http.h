/* The router's routes; also callable with NULL, to know them. */
#pragma once

#include "platform/http_server.h"

struct router_service;

struct http_routes router_http_routes(struct router_service *service);

/* payments_http.c */
http_handler payments_post, payments_get, payment_get_one, payment_post_cancel, payment_post_approve,
        payment_post_refund;
/* rails_http.c */
http_handler quotes_post, rails_get, rail_notifications_post;
