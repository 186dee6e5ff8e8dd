/* SPDX-License-Identifier: MIT */
/*
 * The life of a party, straight down: each step drives the loop until the controller's
 * next message is here or a deadline has passed; the first failure leads to the same
 * teardown as success does.
 */
#include "harness/party/party.h"
#include "base/clock.h"
#include "engine/mpc.h"
#include "harness/link/loop_wait.h"
#include "harness/party/state_folder.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAN_DEADLINE_MS     30000u
#define BARRIER_DEADLINE_MS  600000u /* other parties' steps have deadlines of their own */
#define TEARDOWN_DEADLINE_MS 5000u

static void party_stopped(struct party *party, const struct error *why)
{
	if (party->stopped.code != 0)
		return;
	party->stopped = *why;
	if (party->mesh != NULL)
		mesh_stop(party->mesh, why);
}

static int take_cards(struct party *party, const cJSON *message, struct error *err)
{
	const cJSON *cards = cJSON_GetObjectItemCaseSensitive(message, "cards"), *item;
	uint32_t p = 0;

	if (cJSON_GetArraySize(cards) != (int)party->plan.n_parties)
		return error_set(err, -EPROTO, "cards: not one of each party");
	cJSON_ArrayForEach(item, cards)
	{
		int64_t len = party_message_bytes(item, "card", party->cards[p].bytes,
		    sizeof(party->cards[p].bytes), err);

		if (len < 0)
			return (int)len;
		party->cards[p++].len = (size_t)len;
	}
	party->has_cards = 1;
	return 0;
}

/* A peer's prober may be ahead of ours; what it says until then is kept, up to this. */
#define EARLY_SIGNALS_BYTES (1u << 20)

struct early_signal {
	struct list link;
	e3_party from;
	size_t len;
	unsigned char bytes[];
};

static int keep_signal(
    struct party *party, e3_party from, struct e3_iov signal, struct error *err)
{
	size_t bytes = sizeof(struct early_signal) + signal.len;
	struct early_signal *early;

	if (party->early_bytes + bytes > EARLY_SIGNALS_BYTES)
		return error_set(err, -EPROTO,
		    "party %u sent more than %u bytes of signals before the probes "
		    "began",
		    from, EARLY_SIGNALS_BYTES);
	early = malloc(bytes);
	if (early == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	party->early_bytes += bytes;
	early->from = from;
	early->len = signal.len;
	memcpy(early->bytes, signal.base, signal.len);
	list_push(&party->early_signals, &early->link);
	return 0;
}

static void release_signals(struct party *party)
{
	list_for_each(&party->early_signals, at, after)
	{
		struct early_signal *early = container_of(at, struct early_signal, link);

		if (party->prober != NULL)
			prober_signal(party->prober, early->from,
			    (struct e3_iov){.base = early->bytes, .len = early->len});
		list_remove(at);
		free(early);
	}
	party->early_bytes = 0;
}

static int take_signal(struct party *party, const cJSON *message, struct error *err)
{
	unsigned char bytes[PARTY_SIGNAL_BYTES_MAX];
	struct e3_iov signal = {.base = bytes};
	uint64_t from, endpoint;
	int64_t len;

	if (party_message_number(message, "from", NETWORK_PARTIES_MAX - 1, &from, err) <
		0 ||
	    party_message_number(message, "endpoint", 1, &endpoint, err) < 0)
		return -EPROTO;
	if (from >= party->plan.n_parties || from == party->plan.self)
		return error_set(err, -EPROTO,
		    "a signal from party %llu, which is no peer",
		    (unsigned long long)from);
	len = party_message_bytes(message, "data", bytes, sizeof(bytes), err);
	if (len < 0)
		return (int)len;
	signal.len = (size_t)len;
	if (endpoint == 1 && party->prober != NULL)
		prober_signal(party->prober, (e3_party)from, signal);
	else if (endpoint == 1 && party->plan.probe_rate_hz > 0)
		return keep_signal(party, (e3_party)from, signal, err);
	else if (endpoint == 0 && party->endpoint != NULL)
		party->plugin->table.endpoint_signal(
		    party->endpoint, (e3_party)from, signal);
	return 0;
}

static int take(struct party *party, const cJSON *message, struct error *err)
{
	const char *type = party_message_text(message, "t", err);

	if (type == NULL)
		return -EPROTO;
	if (strcmp(type, "plan") == 0 && !party->has_plan) {
		party->has_plan = 1;
		return party_plan_parse(&party->plan, message, err);
	}
	if (strcmp(type, "cards") == 0 && party->has_plan && !party->has_cards)
		return take_cards(party, message, err);
	if (strcmp(type, "signal") == 0)
		return take_signal(party, message, err);
	if (strcmp(type, "go") == 0)
		party->may_go = 1;
	else if (strcmp(type, "close") == 0)
		party->may_close = 1;
	else if (strcmp(type, "down") == 0)
		party->may_go_down = 1;
	else if (strcmp(type, "stop") == 0)
		return error_set(err, -ECANCELED, "stopped by the controller");
	else
		return error_set(err, -EPROTO, "unexpected message '%.32s'", type);
	return 0;
}

static void on_message(void *user, const cJSON *message)
{
	struct error err = {0};

	if (take(user, message, &err) < 0)
		party_stopped(user, &err);
}

static void on_console_ended(void *user, const struct error *why)
{
	party_stopped(user, why);
}

static void on_sigterm(uv_signal_t *handle, int number)
{
	struct error why = {0};

	(void)number;
	error_set(&why, -ECANCELED, "terminated");
	party_stopped(handle->data, &why);
}

struct wait {
	struct party *party;
	const int *flag;
};

static int wait_is_over(void *user)
{
	struct wait *wait = user;

	return *wait->flag || wait->party->stopped.code != 0;
}

static int await(struct party *party, const int *flag, uint32_t deadline_ms,
    const char *what, struct error *err)
{
	struct wait wait = {.party = party, .flag = flag};
	int rc = loop_wait(&party->loop, deadline_ms, wait_is_over, &wait);

	if (party->stopped.code != 0) {
		*err = party->stopped;
		return err->code;
	}
	if (rc < 0)
		return error_set(err, -ETIMEDOUT,
		    "no '%s' from the controller within %u ms", what, deadline_ms);
	return 0;
}

static void send_step(
    struct party *party, cJSON *message, const char *key, uint64_t began_ns)
{
	cJSON_AddNumberToObject(message, key, (double)(clock_monotonic_ns() - began_ns));
	console_send(&party->console, message);
}

static int check_supported(struct party *party, struct error *err)
{
	char reason[512] = "";
	int rc;

	if (party->plugin->table.supported == NULL)
		return 0;
	rc = party->plugin->table.supported(reason, sizeof(reason));
	return rc < 0 ? error_set(err, rc, "%s", reason) : 0;
}

static int make_endpoint(struct party *party, struct error *err)
{
	int rc = plugin_load(party->plan.transport, &party->plugin, err);

	if (rc == 0)
		rc = check_supported(party, err);
	if (rc == 0)
		rc = state_folder_make(party->plan.transport, party->state_folder,
		    sizeof(party->state_folder), err);
	if (rc < 0)
		return rc;
	party_host_init(&party->host, &party->console, &party->loop, 0, &party->plan,
	    party->state_folder);
	party_host_init(&party->probe_host, &party->console, NULL, 1, &party->plan,
	    party->state_folder);
	rc = party->plugin->table.endpoint_create(&party->host.table, party->plan.self,
	    party->plan.n_parties, (const char *const *)party->plan.options,
	    &party->endpoint);
	return rc < 0 ? party_host_error(&party->host, rc, party->plan.transport, err)
		      : 0;
}

static int prepare(struct party *party, struct error *err)
{
	uint64_t began_ns = clock_monotonic_ns();
	unsigned char card[E3_CARD_BYTES_MAX];
	size_t len = sizeof(card);
	cJSON *message;
	int rc = make_endpoint(party, err);

	if (rc < 0)
		return rc;
	party->is_prepared = 1;
	if (party->plugin->table.prepare == NULL)
		len = 0;
	else
		rc = party->plugin->table.prepare(
		    party->endpoint, party->plan.step_ms, card, &len);
	if (rc < 0)
		return party_host_error(&party->host, rc, "prepare", err);
	message = party_message("prepared");
	party_message_set_bytes(message, "card", card, len);
	send_step(party, message, "prepare_ns", began_ns);
	return 0;
}

static int bring_up(struct party *party, struct error *err)
{
	struct e3_iov cards[NETWORK_PARTIES_MAX];
	uint64_t began_ns = clock_monotonic_ns(), exchanged_ns;
	cJSON *message;
	int rc = await(party, &party->has_cards, BARRIER_DEADLINE_MS, "cards", err);

	if (rc < 0)
		return rc;
	exchanged_ns = clock_monotonic_ns();
	for (uint32_t p = 0; p < party->plan.n_parties; p++)
		cards[p] = (struct e3_iov){
		    .base = party->cards[p].bytes, .len = party->cards[p].len};
	if (party->plugin->table.up != NULL)
		rc = party->plugin->table.up(party->endpoint, party->plan.step_ms, cards);
	if (rc < 0)
		return party_host_error(&party->host, rc, "up", err);
	message = party_message("up");
	cJSON_AddNumberToObject(
	    message, "exchange_ns", (double)(exchanged_ns - began_ns));
	send_step(party, message, "up_ns", exchanged_ns);
	return 0;
}

/* On the prober's thread. */
static void on_prober_changed(void *user)
{
	uv_async_send(&((struct party *)user)->prober_changed);
}

static int start_prober(struct party *party, struct error *err)
{
	struct prober_config config = {
	    .transport = &party->plugin->table,
	    .host = party->probe_host.table,
	    .options = (const char *const *)party->plan.options,
	    .self = party->plan.self,
	    .n_parties = party->plan.n_parties,
	    .rate_hz = party->plan.probe_rate_hz,
	    .bytes = party->plan.probe_bytes,
	    .recorder = party->recorder,
	    .on_changed = on_prober_changed,
	    .user = party,
	};
	int rc;

	if (config.rate_hz == 0 || config.n_parties == 1)
		return 0;
	if (config.bytes < PROBER_BYTES_MIN)
		config.bytes = PROBER_BYTES_MIN;
	rc = prober_start(&config, &party->prober, err);
	if (rc == 0)
		release_signals(party);
	return rc;
}

static int prober_is_settled(void *user)
{
	struct party *party = user;

	return party->stopped.code != 0 || prober_state(party->prober, NULL) != 0;
}

static int await_prober(struct party *party, struct error *err)
{
	int rc;

	if (party->prober == NULL)
		return 0;
	rc = loop_wait(&party->loop, party->plan.step_ms, prober_is_settled, party);
	if (party->stopped.code != 0) {
		*err = party->stopped;
		return err->code;
	}
	if (rc < 0)
		return error_set(err, -ETIMEDOUT,
		    "the channels of the probes did not open within %u ms",
		    party->plan.step_ms);
	rc = prober_state(party->prober, err);
	return rc < 0 ? rc : 0;
}

static int open_channels(struct party *party, struct error *err)
{
	uint64_t began_ns = clock_monotonic_ns();
	struct mesh_config config = {
	    .loop = &party->loop,
	    .transport = &party->plugin->table,
	    .endpoint = party->endpoint,
	    .self = party->plan.self,
	    .n_parties = party->plan.n_parties,
	    .lane = 0,
	    .round_ms = party->plan.round_ms,
	};
	cJSON *message;
	int rc = recorder_create(config.self, config.n_parties, &party->recorder, err);

	config.recorder = party->recorder;
	if (rc == 0)
		rc = mesh_create(&config, &party->mesh, err);
	if (rc == 0)
		rc = start_prober(party, err);
	if (rc == 0)
		rc = mesh_open(party->mesh, party->plan.step_ms, err);
	if (rc == 0)
		rc = await_prober(party, err);
	if (rc < 0)
		return rc;
	message = party_message("open");
	send_step(party, message, "open_ns", began_ns);
	return 0;
}

/* Once; what is sent before still reaches the peers. */
static int hang_up(struct party *party, struct error *err)
{
	uint64_t began_ns = clock_monotonic_ns();
	int rc = 0;

	if (party->is_hung_up)
		return 0;
	party->is_hung_up = 1;
	prober_stop(party->prober);
	party->prober = NULL;
	if (party->mesh != NULL)
		rc = mesh_close(party->mesh, TEARDOWN_DEADLINE_MS, err);
	party->close_ns = clock_monotonic_ns() - began_ns;
	return rc;
}

/* Closing a connection takes packets of both ends: an overlay that goes down with the
 * first who is done takes the last acknowledgement of the others with it. */
static int close_channels(struct party *party, struct error *err)
{
	cJSON *message;
	int rc = hang_up(party, err);

	if (rc < 0)
		return rc;
	message = party_message("hung_up");
	console_send(&party->console, message);
	return await(party, &party->may_go_down, BARRIER_DEADLINE_MS, "down", err);
}

static int run_steps(struct party *party, const char **phase, struct error *err)
{
	int rc = mpc_warm_up(err);

	if (rc == 0)
		rc = await(party, &party->has_plan, PLAN_DEADLINE_MS, "plan", err);
	*phase = "prepare";
	if (rc == 0)
		rc = prepare(party, err);
	if (rc < 0)
		return rc;
	*phase = "up";
	rc = bring_up(party, err);
	if (rc < 0)
		return rc;
	*phase = "open";
	rc = open_channels(party, err);
	if (rc < 0)
		return rc;
	*phase = "run";
	rc = await(party, &party->may_go, BARRIER_DEADLINE_MS, "go", err);
	if (rc == 0)
		rc = party_work(party, err);
	if (rc == 0)
		rc = await(party, &party->may_close, BARRIER_DEADLINE_MS, "close", err);
	if (rc < 0)
		return rc;
	*phase = "close";
	return close_channels(party, err);
}

static void send_error(struct party *party, const char *phase, const struct error *err)
{
	cJSON *message = party_message("error");

	cJSON_AddStringToObject(message, "phase", phase);
	cJSON_AddStringToObject(
	    message, "code", party_fault_text(party_fault_of(err->code)));
	cJSON_AddStringToObject(message, "text", err->text);
	console_send(&party->console, message);
}

/* One teardown call of an overlay; its failure is told, and the next one still made. */
static void undo(struct party *party, const char *phase,
    int (*call)(struct e3_endpoint *, uint32_t), cJSON *closed, const char *key)
{
	uint64_t began_ns = clock_monotonic_ns();
	struct error err = {0};
	int rc = call == NULL || !party->is_prepared
		     ? 0
		     : call(party->endpoint, TEARDOWN_DEADLINE_MS);

	cJSON_AddNumberToObject(closed, key, (double)(clock_monotonic_ns() - began_ns));
	if (rc < 0) {
		party_host_error(&party->host, rc, phase, &err);
		send_error(party, phase, &err);
	}
}

static void tear_down(struct party *party)
{
	cJSON *closed = party_message("closed");
	struct error err = {0};

	if (hang_up(party, &err) < 0)
		send_error(party, "close", &err);
	cJSON_AddNumberToObject(closed, "close_ns", (double)party->close_ns);
	if (party->plugin != NULL) {
		undo(party, "down", party->plugin->table.down, closed, "down_ns");
		undo(party, "finalise", party->plugin->table.finalise, closed,
		    "finalise_ns");
	}
	if (party->state_folder[0] != '\0' &&
	    state_folder_remove(party->state_folder, &err) < 0)
		send_error(party, "finalise", &err);
	console_send(&party->console, closed);
}

static void release(struct party *party)
{
	release_signals(party);
	mesh_destroy(party->mesh);
	if (party->endpoint != NULL)
		party->plugin->table.endpoint_destroy(party->endpoint);
	recorder_destroy(party->recorder);
	party_host_finish(&party->host);
	party_host_finish(&party->probe_host);
	plugin_destroy(party->plugin);
	party_plan_finish(&party->plan);
	uv_close((uv_handle_t *)&party->on_term, NULL);
	uv_close((uv_handle_t *)&party->prober_changed, NULL);
	console_finish(&party->console);
	uv_run(&party->loop, UV_RUN_NOWAIT);
	uv_loop_close(&party->loop);
	free(party);
}

int party_main(void)
{
	struct party *party = calloc(1, sizeof(*party));
	const struct console_events events = {
	    .message = on_message, .ended = on_console_ended, .user = party};
	const char *phase = "plan";
	struct error err = {0};
	int rc;

	if (party == NULL)
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	list_init(&party->early_signals);
	uv_loop_init(&party->loop);
	uv_signal_init(&party->loop, &party->on_term);
	party->on_term.data = party;
	uv_signal_start(&party->on_term, on_sigterm, SIGTERM);
	uv_async_init(&party->loop, &party->prober_changed, NULL);
	rc = console_init(
	    &party->console, &party->loop, STDIN_FILENO, STDOUT_FILENO, &events, &err);
	if (rc == 0)
		rc = run_steps(party, &phase, &err);
	if (rc < 0)
		send_error(party, phase, &err);
	tear_down(party);
	release(party);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
