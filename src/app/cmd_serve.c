/* agentpay serve: starts the services of this process and runs until it is told to stop. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/version.h"
#include "app/wiring.h"

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
	if (wiring->first_email[0])
		printf("first administrator, shown only now:\n  email     %s\n  password  %s\n", wiring->first_email,
		        wiring->first_password);
	fflush(stdout);
}

static int serve(const struct config *config)
{
	struct wiring *wiring = NULL;
	struct problem problem = { 0 };
	sigset_t signals;
	block_signals(&signals);
	enum status status = wiring_start(config, &wiring, &problem);
	if (status == ERR_INVALID_PARAMETER)
		return command_misused("%s", problem.detail);
	if (status != STATUS_OK)
		return command_failed_with(status, &problem);
	print_ready(wiring);
	wait_for_signal(&signals);
	wiring_stop(wiring);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct config config;
	struct problem problem = { 0 };
	if (config_read(&config, &argc, argv, environ, &problem) != STATUS_OK)
		return command_misused("%s", problem.detail);
	config_apply_log(&config);
	int code = argc == 1 ? serve(&config) : command_misused("serve knows no argument \"%s\"", argv[1]);
	config_clean_up(&config);
	return code;
}

const struct command command_serve = {
	.name = "serve",
	.arguments = "[SETTINGS]",
	.summary = "run the platform, or some of its services",
	.help = "Runs all services in this process, or those that --target names (identity, ledger, risk, router, "
	        "audit,\n"
	        "notify, sandbox). A service that is elsewhere is reached at its --NAME-url, and its routes are passed "
	        "on\n"
	        "to it. Without --rails-url a rail simulator is started inside. Stops on SIGINT or SIGTERM when "
	        "running\n"
	        "requests are done; a second signal ends it at once. `agentpay config` lists the settings.\n",
	.run = run,
};
