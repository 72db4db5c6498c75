/* agentpay serve: starts the services of this process and runs until it is told to stop. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/example.h"
#include "app/listen_address.h"
#include "app/version.h"
#include "app/wiring.h"

static const char example_path[] = "var/example.env";

static void block_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGINT);
	sigaddset(ret_signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

/* The second signal finds its default action and ends the process at once. */
static void wait_for_signal(const sigset_t *signals)
{
	int number;
	sigwait(signals, &number);
	pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void print_services(const struct wiring *wiring)
{
	for (unsigned i = 0; i < TARGET_COUNT; i++)
		if (wiring_has(wiring, i))
			printf(" %s", targets[i].name);
	putchar('\n');
}

static void print_ready(const struct wiring *wiring)
{
	printf("agentpay " AGENTPAY_VERSION " is ready at %.*s\nservices:", SLICE_ARGS(wiring->public_url));
	print_services(wiring);
	if (wiring_has(wiring, TARGET_sandbox))
		printf("rails:    SIMULATED inside this process at %.*s, no real money moves\n",
		        SLICE_ARGS(wiring->rails_url));
}

static void print_first_administrator(const struct wiring *wiring)
{
	if (wiring->first_email[0])
		printf("first administrator, shown only now:\n  email     %s\n  password  %s\n", wiring->first_email,
		        wiring->first_password);
}

/* On a fresh database the example is made; later starts show what the first one wrote. */
static enum status show_example(const struct wiring *wiring, struct problem *problem)
{
	struct arena arena = { 0 };
	struct example example;
	struct slice url = listen_address_url(wiring->listen, &arena);
	enum status status;
	if (wiring->first_email[0])
		status = example_make(url, slice_from(wiring->first_email), slice_from(wiring->first_password),
		        example_path, &arena, &example, problem);
	else
		status = example_read(example_path, &arena, &example);
	if (status == STATUS_OK)
		example_print(&example, url, stdout);
	else if (status == ERR_NOT_FOUND)
		printf("no example: the database is in use already and %s is not there\n", example_path);
	arena_clean_up(&arena);
	return status == ERR_NOT_FOUND ? STATUS_OK : status;
}

static enum status print_start(const struct wiring *wiring, bool with_example, struct problem *problem)
{
	enum status status = STATUS_OK;
	print_ready(wiring);
	if (with_example)
		status = show_example(wiring, problem);
	if (!with_example || status != STATUS_OK)
		print_first_administrator(wiring);
	fflush(stdout);
	return status;
}

static int serve(const struct config *config, bool with_example)
{
	struct wiring *wiring = NULL;
	struct problem problem = { 0 };
	sigset_t signals;
	block_signals(&signals);
	enum status status = wiring_start(config, &wiring, &problem);
	if (status == ERR_INVALID_PARAMETER)
		return command_misused("%s", problem.detail);
	if (status == STATUS_OK)
		status = print_start(wiring, with_example, &problem);
	if (status == STATUS_OK)
		wait_for_signal(&signals);
	wiring_stop(wiring);
	return status == STATUS_OK ? EXIT_DONE : command_failed_with(status, &problem);
}

static int run(int argc, char **argv)
{
	struct config config;
	struct problem problem = { 0 };
	if (config_read(&config, &argc, argv, environ, &problem) != STATUS_OK)
		return command_misused("%s", problem.detail);
	config_apply_log(&config);
	bool with_example = argc > 1 && strcmp(argv[1], "--example") == 0;
	int known = with_example ? 2 : 1;
	int code = argc == known ? serve(&config, with_example)
	                         : command_misused("serve knows no argument \"%s\"", argv[known]);
	config_clean_up(&config);
	return code;
}

const struct command command_serve = {
	.name = "serve",
	.arguments = "[--example] [SETTINGS]",
	.summary = "run the platform, or some of its services",
	.help = "Runs all services in this process, or those that --target names (identity, ledger, risk, router, "
	        "audit,\n"
	        "notify, sandbox). A service that is elsewhere is reached at its --NAME-url, and its routes are passed "
	        "on\n"
	        "to it. Without --rails-url a rail simulator is started inside. Stops on SIGINT or SIGTERM when "
	        "running\n"
	        "requests are done; a second signal ends it at once. `agentpay config` lists the settings.\n"
	        "\n"
	        "  --example   on a fresh database, make an agent with a wallet, a payee and a consent, keep its\n"
	        "              credentials in var/example.env, and print lines to try it with\n",
	.run = run,
};
