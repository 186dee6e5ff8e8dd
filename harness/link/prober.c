/* SPDX-License-Identifier: MIT */
/*
 * The prober's thread:
 *   1. makes its endpoint, opens a link to every peer, answers every ping from then on;
 *   2. after prober_go() a timerfd wakes it at each intended time; probe k to peer p is
 *      meant to leave at start + k * interval + p * interval / n;
 *   3. after prober_stop() closes the links and ends.
 * It fails if a channel does not open; a channel lost later only loses probes.
 */
#include "harness/link/prober.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/units.h"
#include "engine/network.h"
#include "harness/link/channel_guard.h"
#include "harness/measure/recorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#define PING        1u
#define PONG        2u
#define PENDING_MAX 64u /* probes under way to one peer; more are lost */

struct probe_send {
	struct link_request request;
	struct prober_peer *peer;
	unsigned char *bytes;
	int is_busy;
};

struct prober_peer {
	struct prober *prober;
	e3_party party;
	struct link *link;
	int is_open, is_lost;
	uint64_t next;                         /* number of the next probe */
	unsigned char is_awaited[PENDING_MAX]; /* probe k at k % PENDING_MAX */
	struct probe_send sends[2 * PENDING_MAX];
};

struct signal_note {
	struct list link;
	e3_party from;
	size_t len;
	unsigned char bytes[];
};

struct prober {
	struct prober_config config;
	struct e3_host host;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_poll_t timer;
	int timer_fd, has_loop, is_going, is_quiet, is_closing, n_links;
	uint64_t start_ns, interval_ns;
	struct e3_endpoint *endpoint;
	struct prober_peer peers[NETWORK_PARTIES_MAX];
	unsigned char *payloads; /* of all sends of all peers */
	/* Shared with other threads, under the lock. */
	pthread_mutex_t lock;
	struct list signals;
	int wants_go, wants_quiet, wants_stop, n_open;
	uv_sem_t became_quiet;
	struct error failure;
};

static void tell_changed(struct prober *prober)
{
	if (prober->config.on_changed != NULL)
		prober->config.on_changed(prober->config.user);
}

static void prober_fail(struct prober *prober, const struct error *why)
{
	pthread_mutex_lock(&prober->lock);
	if (prober->failure.code == 0)
		prober->failure = *why;
	pthread_mutex_unlock(&prober->lock);
	tell_changed(prober);
}

static void on_sent(struct link_request *request, int status)
{
	(void)status;
	container_of(request, struct probe_send, request)->is_busy = 0;
}

/* Lost when all sends are busy or the channel is full: an open loop never waits. */
static int send_probe(struct prober_peer *peer, const void *bytes)
{
	for (uint32_t i = 0; i < 2 * PENDING_MAX; i++) {
		struct probe_send *send = &peer->sends[i];
		struct e3_iov iov = {
		    .base = send->bytes, .len = peer->prober->config.bytes};

		if (send->is_busy)
			continue;
		memcpy(send->bytes, bytes, PROBER_BYTES_MIN);
		if (link_send(peer->link, &send->request, &iov, 1) < 0)
			return -EAGAIN;
		send->is_busy = 1;
		return 0;
	}
	return -EAGAIN;
}

static uint64_t intended_ns(const struct prober_peer *peer, uint64_t k)
{
	const struct prober *prober = peer->prober;

	return prober->start_ns + k * prober->interval_ns +
	       peer->party * prober->interval_ns / prober->config.n_parties;
}

static void ping(struct prober_peer *peer)
{
	struct recorder *recorder = peer->prober->config.recorder;
	unsigned char head[PROBER_BYTES_MIN] = {0};
	uint64_t k = peer->next++;
	unsigned char *is_awaited = &peer->is_awaited[k % PENDING_MAX];

	if (*is_awaited)
		recorder_probe_lost(recorder, peer->party);
	*is_awaited = 0;
	bytes_store_le32(head, PING);
	bytes_store_le64(head + 8, k);
	if (peer->is_lost || send_probe(peer, head) < 0)
		recorder_probe_lost(recorder, peer->party);
	else
		*is_awaited = 1;
}

static void pong(struct prober_peer *peer, uint64_t k, uint64_t now_ns)
{
	if (peer->prober->is_quiet || k >= peer->next || peer->next - k > PENDING_MAX ||
	    !peer->is_awaited[k % PENDING_MAX])
		return;
	peer->is_awaited[k % PENDING_MAX] = 0;
	recorder_probe(
	    peer->prober->config.recorder, peer->party, intended_ns(peer, k), now_ns);
}

static void on_message(void *user, struct e3_iov message, uint64_t arrived_ns)
{
	struct prober_peer *peer = user;
	unsigned char head[PROBER_BYTES_MIN];

	if (message.len != peer->prober->config.bytes)
		return;
	memcpy(head, message.base, sizeof(head));
	if (bytes_load_le32(head) == PONG) {
		pong(peer, bytes_load_le64(head + 8), arrived_ns);
	} else if (!peer->is_lost) {
		bytes_store_le32(head, PONG);
		send_probe(peer, head);
	}
}

static void on_opened(void *user, int status)
{
	struct prober_peer *peer = user;
	struct error why = {0};

	if (status < 0) {
		error_set_errno(&why, status, "probe channel to party %u", peer->party);
		prober_fail(peer->prober, &why);
		return;
	}
	peer->is_open = 1;
	pthread_mutex_lock(&peer->prober->lock);
	peer->prober->n_open++;
	pthread_mutex_unlock(&peer->prober->lock);
	tell_changed(peer->prober);
}

static void on_writable(void *user)
{
	(void)user;
}

static void on_lost(void *user, int status)
{
	(void)status;
	((struct prober_peer *)user)->is_lost = 1;
}

static void on_violated(void *user, const struct error *why)
{
	struct prober_peer *peer = user;

	peer->is_lost = 1;
	prober_fail(peer->prober, why);
}

static const struct link_events probe_events = {
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .violated = on_violated,
};

/* Wake at the earliest intended time of all peers. */
static void arm(struct prober *prober)
{
	struct itimerspec at = {0};
	uint64_t next_ns = UINT64_MAX;

	for (uint32_t p = 0; p < prober->config.n_parties; p++)
		if (p != prober->config.self &&
		    intended_ns(&prober->peers[p], prober->peers[p].next) < next_ns)
			next_ns = intended_ns(&prober->peers[p], prober->peers[p].next);
	at.it_value.tv_sec = (time_t)(next_ns / NS_PER_S);
	at.it_value.tv_nsec = (long)(next_ns % NS_PER_S);
	timerfd_settime(prober->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
	struct prober *prober = poll->data;
	uint64_t expirations, now_ns = clock_monotonic_ns();

	(void)status, (void)events;
	if (read(prober->timer_fd, &expirations, sizeof(expirations)) < 0 ||
	    prober->is_quiet || prober->is_closing)
		return;
	for (uint32_t p = 0; p < prober->config.n_parties; p++) {
		struct prober_peer *peer = &prober->peers[p];

		while (
		    p != prober->config.self && intended_ns(peer, peer->next) <= now_ns)
			ping(peer);
	}
	arm(prober);
}

static void on_link_closed(void *user)
{
	struct prober_peer *peer = user;

	peer->link = NULL;
	peer->prober->n_links--;
}

static void close_all(struct prober *prober)
{
	if (prober->is_closing)
		return;
	prober->is_closing = 1;
	for (uint32_t p = 0; p < prober->config.n_parties; p++)
		if (prober->peers[p].link != NULL)
			link_close(prober->peers[p].link, on_link_closed);
}

static void deliver_signals(struct prober *prober)
{
	struct list taken = LIST_INIT(taken);

	pthread_mutex_lock(&prober->lock);
	list_for_each(&prober->signals, at, after)
	{
		list_remove(at);
		list_push(&taken, at);
	}
	pthread_mutex_unlock(&prober->lock);
	list_for_each(&taken, at, after)
	{
		struct signal_note *note = container_of(at, struct signal_note, link);

		if (prober->endpoint != NULL && !prober->is_closing)
			prober->config.transport->endpoint_signal(prober->endpoint,
			    note->from,
			    (struct e3_iov){.base = note->bytes, .len = note->len});
		free(note);
	}
}

static void on_wake(uv_async_t *wake)
{
	struct prober *prober = wake->data;
	int wants_go, wants_quiet, wants_stop;

	deliver_signals(prober);
	pthread_mutex_lock(&prober->lock);
	wants_go = prober->wants_go;
	wants_quiet = prober->wants_quiet;
	wants_stop = prober->wants_stop;
	pthread_mutex_unlock(&prober->lock);
	if (wants_quiet && !prober->is_quiet) {
		prober->is_quiet = 1;
		uv_sem_post(&prober->became_quiet);
	}
	if (wants_stop) {
		close_all(prober);
	} else if (wants_go && !prober->is_going && !wants_quiet) {
		prober->is_going = 1;
		prober->start_ns = clock_monotonic_ns();
		arm(prober);
	}
}

static void open_links(struct prober *prober)
{
	struct error err = {0};

	if (prober->config.transport->endpoint_create(&prober->host, prober->config.self,
		prober->config.n_parties, prober->config.options,
		&prober->endpoint) < 0) {
		error_set(&err, -EIO, "the probes' endpoint could not be made");
		prober_fail(prober, &err);
		return;
	}
	for (uint32_t p = 0; p < prober->config.n_parties; p++) {
		if (p == prober->config.self)
			continue;
		if (link_open(prober->config.transport, prober->endpoint, p, PROBER_LANE,
			&probe_events, &prober->peers[p], &prober->peers[p].link,
			&err) < 0) {
			prober_fail(prober, &err);
			return;
		}
		prober->n_links++;
	}
}

/* Also a loop that is half made, or none. */
static void close_loop(struct prober *prober)
{
	if (prober->timer.type != UV_UNKNOWN_HANDLE)
		uv_close((uv_handle_t *)&prober->timer, NULL);
	if (prober->wake.type != UV_UNKNOWN_HANDLE)
		uv_close((uv_handle_t *)&prober->wake, NULL);
	if (prober->has_loop) {
		uv_run(&prober->loop, UV_RUN_DEFAULT);
		uv_loop_close(&prober->loop);
	}
	prober->has_loop = 0;
}

static void *prober_main(void *user)
{
	struct prober *prober = user;

	prctl(PR_SET_TIMERSLACK, 1);
	open_links(prober);
	while (!prober->is_closing || prober->n_links > 0)
		uv_run(&prober->loop, UV_RUN_ONCE);
	if (prober->endpoint != NULL)
		prober->config.transport->endpoint_destroy(prober->endpoint);
	close_loop(prober);
	return NULL;
}

static void prober_free(struct prober *prober)
{
	list_for_each(&prober->signals, at, after)
	    free(container_of(at, struct signal_note, link));
	if (prober->timer_fd >= 0)
		close(prober->timer_fd);
	pthread_mutex_destroy(&prober->lock);
	uv_sem_destroy(&prober->became_quiet);
	free(prober->payloads);
	free(prober);
}

static void init_peers(struct prober *prober)
{
	unsigned char *payload = prober->payloads;

	for (uint32_t p = 0; p < prober->config.n_parties; p++) {
		struct prober_peer *peer = &prober->peers[p];

		peer->prober = prober;
		peer->party = p;
		for (uint32_t i = 0; i < 2 * PENDING_MAX;
		     i++, payload += prober->config.bytes)
			peer->sends[i] = (struct probe_send){
			    .peer = peer, .bytes = payload, .request.done = on_sent};
	}
}

static int make_loop(struct prober *prober)
{
	int rc = uv_loop_init(&prober->loop);

	if (rc < 0)
		return rc;
	prober->has_loop = 1;
	rc = uv_async_init(&prober->loop, &prober->wake, on_wake);
	if (rc == 0)
		rc = uv_poll_init(&prober->loop, &prober->timer, prober->timer_fd);
	prober->wake.data = prober->timer.data = prober;
	return rc < 0 ? rc : uv_poll_start(&prober->timer, UV_READABLE, on_timer);
}

static int acquire(struct prober *prober)
{
	const struct prober_config *config = &prober->config;
	int rc;

	prober->payloads = calloc(config->n_parties * 2 * PENDING_MAX, config->bytes);
	if (prober->payloads == NULL)
		return -ENOMEM;
	init_peers(prober);
	prober->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (prober->timer_fd < 0)
		return -errno;
	rc = make_loop(prober);
	if (rc < 0)
		return rc;
	prober->host = config->host;
	prober->host.loop = &prober->loop;
	return -pthread_create(&prober->thread, NULL, prober_main, prober);
}

int prober_start(
    const struct prober_config *config, struct prober **out, struct error *err)
{
	struct prober *prober = calloc(1, sizeof(*prober));
	int rc;

	if (prober == NULL)
		return error_set(err, -ENOMEM, "no memory for the probes");
	prober->config = *config;
	prober->interval_ns = NS_PER_S / config->rate_hz;
	prober->timer_fd = -1;
	pthread_mutex_init(&prober->lock, NULL);
	uv_sem_init(&prober->became_quiet, 0);
	list_init(&prober->signals);
	rc = acquire(prober);
	if (rc < 0) {
		close_loop(prober);
		prober_free(prober);
		return error_set_errno(err, rc, "the probes could not be started");
	}
	*out = prober;
	return 0;
}

int prober_state(struct prober *prober, struct error *err)
{
	int state;

	pthread_mutex_lock(&prober->lock);
	state = prober->n_open == (int)prober->config.n_parties - 1;
	if (prober->failure.code != 0) {
		state = prober->failure.code;
		if (err != NULL)
			*err = prober->failure;
	}
	pthread_mutex_unlock(&prober->lock);
	return state;
}

void prober_signal(struct prober *prober, e3_party from, struct e3_iov message)
{
	struct signal_note *note = malloc(sizeof(*note) + message.len);
	struct error why = {0};

	if (note == NULL) {
		error_set(&why, -ENOMEM, "no memory for a signal from party %u", from);
		prober_fail(prober, &why);
		return;
	}
	note->from = from;
	note->len = message.len;
	memcpy(note->bytes, message.base, message.len);
	pthread_mutex_lock(&prober->lock);
	list_push(&prober->signals, &note->link);
	pthread_mutex_unlock(&prober->lock);
	uv_async_send(&prober->wake);
}

static void ask(struct prober *prober, int *flag)
{
	pthread_mutex_lock(&prober->lock);
	*flag = 1;
	pthread_mutex_unlock(&prober->lock);
	uv_async_send(&prober->wake);
}

void prober_go(struct prober *prober)
{
	ask(prober, &prober->wants_go);
}

void prober_quiet(struct prober *prober)
{
	ask(prober, &prober->wants_quiet);
	uv_sem_wait(&prober->became_quiet);
}

void prober_stop(struct prober *prober)
{
	if (prober == NULL)
		return;
	ask(prober, &prober->wants_stop);
	pthread_join(prober->thread, NULL);
	prober_free(prober);
}
