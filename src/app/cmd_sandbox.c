/* agentpay sandbox: the rail simulator as a server of its own. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/command.h"
#include "platform/http_server.h"
#include "sandbox/sandbox_http.h"

enum { OPTION_ODDS = 1000 };

/* Chances by option name. */
static const struct {
	const char *name;
	size_t offset;
} odds_options[] = {
	{ "decline", offsetof(struct sandbox_odds, decline) },
	{ "timeout-before", offsetof(struct sandbox_odds, timeout_before) },
	{ "timeout-after", offsetof(struct sandbox_odds, timeout_after) },
	{ "duplicate", offsetof(struct sandbox_odds, duplicate) },
	{ "late", offsetof(struct sandbox_odds, late) },
	{ "return", offsetof(struct sandbox_odds, returned) },
};

static const struct option options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "database-url", required_argument, NULL, 'd' },
	{ "secret", required_argument, NULL, 's' },
	{ "seed", required_argument, NULL, 'n' },
	{ "settle-ms", required_argument, NULL, 'm' },
	{ "hang-ms", required_argument, NULL, 'h' },
	{ "decline", required_argument, NULL, OPTION_ODDS },
	{ "timeout-before", required_argument, NULL, OPTION_ODDS + 1 },
	{ "timeout-after", required_argument, NULL, OPTION_ODDS + 2 },
	{ "duplicate", required_argument, NULL, OPTION_ODDS + 3 },
	{ "late", required_argument, NULL, OPTION_ODDS + 4 },
	{ "return", required_argument, NULL, OPTION_ODDS + 5 },
	{ 0 },
};

struct arguments {
	struct slice listen;
	struct sandbox_options sandbox;
};

static bool read_milliseconds(const char *text, int64_t *ret_us)
{
	uint64_t value;
	if (!slice_to_u64(slice_from(text), &value) || value > 3600000)
		return false;
	*ret_us = (int64_t)value * 1000;
	return true;
}

static bool read_argument(int option, const char *value, struct arguments *arguments)
{
	if (option >= OPTION_ODDS)
		return sandbox_parse_odds(slice_from(value),
		        (int *)((char *)&arguments->sandbox.odds + odds_options[option - OPTION_ODDS].offset));
	switch (option) {
	case 'l':
		arguments->listen = slice_from(value);
		return true;
	case 'd':
		arguments->sandbox.database_url = slice_from(value);
		return true;
	case 's':
		arguments->sandbox.secret = slice_from(value);
		return true;
	case 'n':
		return slice_to_u64(slice_from(value), &arguments->sandbox.seed);
	case 'm':
		return read_milliseconds(value, &arguments->sandbox.settle_base_us);
	case 'h':
		return read_milliseconds(value, &arguments->sandbox.hang_us);
	default:
		return false;
	}
}

static int serve(const struct arguments *arguments)
{
	struct problem problem = { 0 };
	struct sandbox_service *sandbox = NULL;
	struct http_server *server = NULL;
	sigset_t signals;
	int number;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	enum status status = sandbox_service_start(&arguments->sandbox, &sandbox, &problem);
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	const struct http_routes routes = sandbox_http_routes(sandbox);
	const struct http_server_options server_options = {
		.listen = arguments->listen, .services = &routes, .service_count = 1
	};
	status = http_server_start(&server_options, &server, &problem);
	if (status != STATUS_OK) {
		sandbox_service_stop(sandbox);
		return command_failed_with(status, &problem);
	}
	printf("agentpay sandbox: simulated rails on port %d\n", http_server_port(server));
	fflush(stdout);
	sigwait(&signals, &number);
	/* Hanging answers end first, or the server would wait for them. */
	sandbox_service_interrupt(sandbox);
	http_server_stop(server);
	sandbox_service_stop(sandbox);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = { .listen = SLICE("127.0.0.1:8090"),
		.sandbox = { .database_url = SLICE("sqlite:var/sandbox.db") } };
	const char *from_environment = getenv("AGENTPAY_RAILS_SECRET");
	arguments.sandbox.secret = slice_from(from_environment);
	opterr = 0;
	for (int option, row = 0; (option = getopt_long(argc, argv, ":", options, &row)) != -1;) {
		if (option == '?' || option == ':')
			return command_misused_option(option, argv);
		if (!read_argument(option, optarg, &arguments))
			return command_misused("sandbox: \"%s\" is not a value of --%s", optarg, options[row].name);
	}
	if (optind < argc)
		return command_misused("sandbox knows no argument \"%s\"", argv[optind]);
	if (!arguments.sandbox.secret.size)
		return command_misused(
		        "sandbox: give the secret for notifications, --secret whsec_… or AGENTPAY_RAILS_SECRET");
	return serve(&arguments);
}

const struct command command_sandbox = {
	.name = "sandbox",
	.arguments = "[--listen ADDRESS] [--seed N] [--decline 5%] …",
	.summary = "simulate external rails: accept, decline, hang, notify late or twice",
	.help = "A stateful simulator of the ach, wire, instant and card rails. It takes money at most once per "
	        "attempt and\n"
	        "remembers what it took. Point the platform to it with AGENTPAY_RAILS_URL.\n"
	        "\n"
	        "  --listen ADDRESS      where to serve (127.0.0.1:8090)\n"
	        "  --database-url URL    its memory (sqlite:var/sandbox.db)\n"
	        "  --secret whsec_…      signs notifications (AGENTPAY_RAILS_SECRET)\n"
	        "  --settle-ms N         usual time from acceptance to settlement (2000; instant settles at once)\n"
	        "  --hang-ms N           how long a simulated time-out hangs (30000)\n"
	        "  --seed N              makes chance repeatable\n"
	        "  --decline, --timeout-before, --timeout-after, --duplicate, --late, --return SHARE\n"
	        "                        share of payments that meet this fate by chance, such as 5% or 0.05\n"
	        "\n"
	        "One payment's fate is chosen by a directive in its payee or reference: [sandbox: decline=R03],\n"
	        "[sandbox: timeout_before], [sandbox: timeout_after], [sandbox: late=5s], [sandbox: slow=2s],\n"
	        "[sandbox: duplicate], [sandbox: return=R01 after=3s], [sandbox: error=503]. POST /v1/script sets "
	        "rules for\n"
	        "many; GET /v1/state lists what was taken.\n",
	.run = run,
};
