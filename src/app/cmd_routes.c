/* agentpay routes: every public route of every service, for the tool that compares them with the API's document. */
#include <stdio.h>

#include "app/command.h"
#include "app/meta_http.h"
#include "app/services.h"

static void print_routes(const struct http_routes *routes)
{
	for (size_t i = 0; i < routes->count; i++)
		if (!(routes->rows[i].flags & HTTP_ROUTE_INTERNAL))
			printf("%s %s\n", http_method_name(routes->rows[i].method), routes->rows[i].path);
}

static int run(int argc, char **argv)
{
	const struct services none = { 0 };
	const struct http_routes meta = meta_http_routes(NULL);
	if (argc > 1)
		return command_misused("routes knows no argument \"%s\"", argv[1]);
	print_routes(&meta);
	for (unsigned i = 0; i < TARGET_COUNT; i++) {
		if (!service_rows[i].routes)
			continue;
		const struct http_routes routes = service_rows[i].routes(&none);
		print_routes(&routes);
	}
	return EXIT_DONE;
}

const struct command command_routes = {
	.name = "routes",
	.summary = "print every public route",
	.help = "Prints METHOD PATH of every public route, one a line.\n",
	.is_hidden = true,
	.run = run,
};
