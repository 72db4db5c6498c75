/* /internal/v1/identity/…: the identity_api for services in other processes. */
#include "identity/identity_http.h"
#include "identity/identity_wire.h"

enum status internal_authenticate(void *service, struct http_request *request, struct http_response *response)
{
	const struct identity_api api = identity_service_api(service);
	struct writer out = writer_growing(request->arena);
	struct principal principal;
	struct slice token;
	int64_t now;
	TRY(read_token_question(request->body, request->arena, &token, &now, request->problem));
	TRY(api.authenticate(api.self, token, now, &principal));
	write_principal(&out, &principal);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

enum status internal_consent_check(void *service, struct http_request *request, struct http_response *response)
{
	const struct identity_api api = identity_service_api(service);
	struct writer out = writer_growing(request->arena);
	struct consent_question question;
	struct consent_verdict verdict;
	TRY(read_consent_question(request->body, request->arena, &question, request->problem));
	TRY(api.consent_check(api.self, &question, &verdict));
	write_consent_verdict(&out, &verdict);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}
