/* SPDX-License-Identifier: MIT */
#include "tests/conformance/suite_mesh.h"

#include "base/clock.h"
#include "base/list.h"
#include "tests/tap.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDLE_TURNS  64
#define IDLE_NAP_US 50
#define PIECES      3u

struct suite_message {
	struct link_request request;
	struct suite_end *end;
	size_t len;
	unsigned char bytes[];
};

uint64_t suite_now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

void suite_enter(struct suite_mesh *mesh, e3_party party)
{
	if (mesh->tested->enter != NULL)
		mesh->tested->enter(party);
}

static e3_nanos host_now(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

__attribute__((format(printf, 3, 4))) static void host_log(
    void *ctx, uint32_t level, const char *fmt, ...)
{
	struct suite_party *party = ctx;
	va_list args;

	if (level != E3_LOG_ERROR)
		return;
	va_start(args, fmt);
	vsnprintf(party->last_error, sizeof(party->last_error), fmt, args);
	va_end(args);
}

static int host_signal(void *ctx, e3_party peer, struct e3_iov message)
{
	struct suite_party *party = ctx;
	struct suite_mesh *mesh = party->mesh;
	struct suite_signal *signal;

	if (message.len > 65536)
		return -E2BIG;
	if (mesh->drops_signals)
		return 0;
	signal = malloc(sizeof(*signal) + message.len);
	assert_non_null(signal);
	signal->next = NULL;
	signal->from = party->self;
	signal->to = peer;
	signal->len = message.len;
	memcpy(signal->bytes, message.base, message.len);
	*mesh->signals_tail = signal;
	mesh->signals_tail = &signal->next;
	return 0;
}

static void signals_deliver(struct suite_mesh *mesh)
{
	while (mesh->signals != NULL) {
		struct suite_signal *signal = mesh->signals;
		struct suite_party *to = &mesh->parties[signal->to];

		mesh->signals = signal->next;
		if (mesh->signals == NULL)
			mesh->signals_tail = &mesh->signals;
		if (to->endpoint != NULL) {
			suite_enter(mesh, to->self);
			mesh->plugin->table.endpoint_signal(to->endpoint, signal->from,
			    (struct e3_iov){signal->bytes, signal->len});
		}
		mesh->n_events++;
		free(signal);
	}
}

static uint64_t loops_turn(struct suite_mesh *mesh)
{
	uint64_t before = mesh->n_events;

	if (mesh->tested->has_one_loop) {
		uv_run(&mesh->shared_loop, UV_RUN_NOWAIT);
	} else {
		for (e3_party p = 0; p < mesh->n; p++) {
			suite_enter(mesh, p);
			uv_run(mesh->parties[p].loop, UV_RUN_NOWAIT);
		}
	}
	signals_deliver(mesh);
	return mesh->n_events - before;
}

void suite_turn(struct suite_mesh *mesh)
{
	static int n_idle;

	n_idle = loops_turn(mesh) > 0 ? 0 : n_idle + 1;
	if (n_idle > IDLE_TURNS)
		usleep(IDLE_NAP_US);
}

static int life_step(struct suite_party *party, const char *what, int rc)
{
	if (rc < 0)
		fail_msg("party %u: %s: %s (%s)", party->self, what, strerror(-rc),
		    party->last_error);
	return rc;
}

static void party_create(
    struct suite_mesh *mesh, e3_party self, const char *const *options)
{
	struct suite_party *party = &mesh->parties[self];

	party->mesh = mesh;
	party->self = self;
	party->loop = mesh->tested->has_one_loop ? &mesh->shared_loop : &party->own_loop;
	if (!mesh->tested->has_one_loop)
		uv_loop_init(&party->own_loop);
	if (mesh->first != NULL)
		strcpy(party->state_folder, mesh->first->parties[self].state_folder);
	else
		strcpy(party->state_folder, "/tmp/e3-suite-XXXXXX");
	assert_true(mesh->first != NULL || mkdtemp(party->state_folder) != NULL);
	party->host = (struct e3_host){
	    .struct_size = sizeof(party->host),
	    .endpoint = mesh->first != NULL,
	    .ctx = party,
	    .loop = party->loop,
	    .now = host_now,
	    .log = host_log,
	    .state_folder = party->state_folder,
	    .addresses = mesh->addresses,
	    .signal = host_signal,
	};
	suite_enter(mesh, self);
	life_step(party, "endpoint_create",
	    mesh->plugin->table.endpoint_create(
		&party->host, self, mesh->n, options, &party->endpoint));
}

static void overlay_up(struct suite_mesh *mesh)
{
	const struct e3_transport *table = &mesh->plugin->table;
	struct e3_iov cards[SUITE_PARTIES_MAX];

	for (e3_party p = 0; p < mesh->n; p++) {
		struct suite_party *party = &mesh->parties[p];

		party->card_bytes = sizeof(party->card);
		suite_enter(mesh, p);
		life_step(party, "prepare",
		    table->prepare(
			party->endpoint, 20000, party->card, &party->card_bytes));
		cards[p] = (struct e3_iov){party->card, party->card_bytes};
	}
	for (e3_party p = 0; p < mesh->n; p++) {
		suite_enter(mesh, p);
		life_step(&mesh->parties[p], "up",
		    table->up(mesh->parties[p].endpoint, 20000, cards));
		mesh->parties[p].is_up = 1;
	}
}

static struct suite_mesh *mesh_create(
    const struct transport_under_test *tested, uint32_t n_parties)
{
	struct suite_mesh *mesh = calloc(1, sizeof(*mesh));
	struct error err = {0};

	assert_non_null(mesh);
	mesh->tested = tested;
	mesh->n = n_parties;
	mesh->signals_tail = &mesh->signals;
	uv_loop_init(&mesh->shared_loop);
	if (plugin_load(tested->plugin, &mesh->plugin, &err) < 0)
		fail_msg("%s", err.text);
	for (e3_party p = 0; p < n_parties; p++) {
		char *text = mesh->address_texts[p];

		if (tested->address != NULL)
			snprintf(text, sizeof(mesh->address_texts[p]), "%s",
			    tested->address(p));
		else
			snprintf(
			    text, sizeof(mesh->address_texts[p]), "127.0.0.%u", p + 1);
		mesh->addresses[p] = text;
	}
	return mesh;
}

struct suite_mesh *suite_start(const struct transport_under_test *tested,
    uint32_t n_parties, const char *const *options)
{
	struct suite_mesh *mesh = mesh_create(tested, n_parties);

	for (e3_party p = 0; p < n_parties; p++)
		party_create(mesh, p, options != NULL ? options : tested->options);
	if (plugin_is_overlay(mesh->plugin))
		overlay_up(mesh);
	return mesh;
}

struct suite_mesh *suite_start_second(struct suite_mesh *first)
{
	struct suite_mesh *mesh = mesh_create(first->tested, first->n);

	mesh->first = first;
	for (e3_party p = 0; p < mesh->n; p++)
		party_create(mesh, p, first->tested->options);
	return mesh;
}

static int remove_entry(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void suite_party_gone(struct suite_party *party)
{
	struct suite_mesh *mesh = party->mesh;
	const struct e3_transport *table = &mesh->plugin->table;

	suite_enter(mesh, party->self);
	if (party->is_up)
		life_step(party, "down", table->down(party->endpoint, 20000));
	party->is_up = 0;
	if (table->finalise != NULL && party->endpoint != NULL && mesh->first == NULL)
		life_step(party, "finalise", table->finalise(party->endpoint, 20000));
	table->endpoint_destroy(party->endpoint);
	party->endpoint = NULL;
}

static void party_finish(struct suite_party *party)
{
	suite_party_gone(party);
	if (party->mesh->first == NULL)
		nftw(party->state_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static uint32_t n_open(const struct suite_mesh *mesh)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < mesh->n_ends; i++)
		n += mesh->ends[i]->link != NULL;
	return n;
}

static int loops_empty(struct suite_mesh *mesh)
{
	int n_alive = uv_loop_alive(&mesh->shared_loop);

	for (e3_party p = 0; p < mesh->n && !mesh->tested->has_one_loop; p++)
		n_alive += uv_loop_alive(mesh->parties[p].loop);
	return n_alive == 0;
}

void suite_finish(struct suite_mesh *mesh)
{
	mesh->is_over = 1;
	for (uint32_t i = 0; i < mesh->n_ends; i++)
		if (!mesh->ends[i]->is_closing)
			suite_close(mesh->ends[i]);
	suite_wait(mesh, n_open(mesh) == 0);
	for (e3_party p = 0; p < mesh->n; p++)
		party_finish(&mesh->parties[p]);
	suite_wait(mesh, loops_empty(mesh));
	for (uint32_t i = 0; i < mesh->n_ends; i++) {
		struct suite_end *end = mesh->ends[i];

		assert_int_equal(end->n_sent, end->n_done);
		free(end->room);
		free(end);
	}
	signals_deliver(mesh);
	for (e3_party p = 0; p < mesh->n && !mesh->tested->has_one_loop; p++)
		assert_int_equal(uv_loop_close(mesh->parties[p].loop), 0);
	assert_int_equal(uv_loop_close(&mesh->shared_loop), 0);
	plugin_destroy(mesh->plugin);
	free(mesh);
}

static void event(struct suite_end *end, enum suite_event what)
{
	end->mesh->n_events++;
	assert_int_equal(end->n_closed, 0);
	if (end->on_event != NULL && !end->mesh->is_over)
		end->on_event(end, what);
}

static void on_opened(void *user, int status)
{
	struct suite_end *end = user;

	end->n_opened++;
	end->opened_status = status;
	event(end, SUITE_OPENED);
}

/* What a message of 8 bytes or more begins with. */
struct message_head {
	uint32_t sequence, len;
};

/* Depends on the length, so that a shorter one is another one. */
static unsigned char pattern(uint64_t sequence, size_t len, size_t at)
{
	return (unsigned char)(sequence * 31 + len * 13 + at * 7 + (at >> 8));
}

void suite_fill(unsigned char *bytes, size_t len, uint64_t sequence)
{
	const struct message_head head = {(uint32_t)sequence, (uint32_t)len};

	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(sequence, len, i);
	if (len >= sizeof(head))
		memcpy(bytes, &head, sizeof(head));
}

static size_t check_head(struct e3_iov message, uint64_t sequence)
{
	struct message_head head;

	memcpy(&head, message.base, sizeof(head));
	if (head.sequence != sequence)
		fail_msg("message %u came when %llu was due", head.sequence,
		    (unsigned long long)sequence);
	if (head.len != message.len)
		fail_msg("message %u came with %zu bytes, %u were sent", head.sequence,
		    message.len, head.len);
	return sizeof(head);
}

static void check_message(struct suite_end *end, struct e3_iov message)
{
	const unsigned char *bytes = message.base;
	uint64_t sequence = end->next_sequence++;
	size_t at =
	    message.len < sizeof(struct message_head) ? 0 : check_head(message, sequence);

	for (; at < message.len; at++)
		if (bytes[at] != pattern(sequence, message.len, at))
			fail_msg("byte %zu of message %llu (%zu bytes) is wrong", at,
			    (unsigned long long)sequence, message.len);
}

static void on_message(void *user, struct e3_iov message, uint64_t arrived_ns)
{
	struct suite_end *end = user;

	assert_true(arrived_ns > 0);
	end->n_messages++;
	end->message_bytes += message.len;
	if (end->on_message != NULL)
		end->on_message(end, message);
	else
		check_message(end, message);
	event(end, SUITE_MESSAGE);
}

static void on_writable(void *user)
{
	struct suite_end *end = user;

	end->n_writable++;
	event(end, SUITE_WRITABLE);
}

static void on_lost(void *user, int status)
{
	struct suite_end *end = user;

	end->n_lost++;
	end->lost_status = status;
	event(end, SUITE_LOST);
}

static void on_violated(void *user, const struct error *why)
{
	(void)user;
	fail_msg("%s", why->text);
}

static void *on_place(void *user, size_t len)
{
	struct suite_end *end = user;
	void *room = NULL;

	end->n_placed++;
	if (end->places) {
		if (len > end->room_bytes) {
			free(end->room);
			end->room = malloc(len);
			assert_non_null(end->room);
			end->room_bytes = len;
		}
		room = end->room;
	}
	event(end, SUITE_PLACE);
	return room;
}

static const struct link_events end_events = {
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .violated = on_violated,
    .place = on_place,
};

struct suite_end *suite_open(
    struct suite_mesh *mesh, e3_party party, e3_party peer, uint32_t lane)
{
	struct suite_end *end = calloc(1, sizeof(*end));
	struct error err = {0};

	assert_non_null(end);
	assert_true(mesh->n_ends < SUITE_ENDS_MAX);
	end->mesh = mesh;
	end->party = &mesh->parties[party];
	end->peer = peer;
	end->lane = lane;
	suite_enter(mesh, party);
	if (link_open(&mesh->plugin->table, end->party->endpoint, peer, lane, &end_events,
		end, &end->link, &err) < 0)
		fail_msg("%s", err.text);
	mesh->ends[mesh->n_ends++] = end;
	return end;
}

void suite_join(struct suite_mesh *mesh, e3_party a, e3_party b, uint32_t lane,
    struct suite_end **end_a, struct suite_end **end_b)
{
	*end_a = suite_open(mesh, a, b, lane);
	*end_b = suite_open(mesh, b, a, lane);
	suite_wait(mesh, (*end_a)->n_opened && (*end_b)->n_opened);
	assert_int_equal((*end_a)->opened_status, 0);
	assert_int_equal((*end_b)->opened_status, 0);
}

static void on_closed(void *user)
{
	struct suite_end *end = user;

	end->n_closed++;
	end->link = NULL;
	end->mesh->n_events++;
	assert_int_equal(end->n_sent, end->n_done);
}

void suite_close(struct suite_end *end)
{
	end->is_closing = 1;
	suite_enter(end->mesh, end->party->self);
	link_close(end->link, on_closed);
}

static void on_done(struct link_request *request, int status)
{
	struct suite_message *message =
	    container_of(request, struct suite_message, request);
	struct suite_end *end = message->end;

	end->n_done++;
	end->n_done_ok += status == 0;
	end->n_cancelled += status == -ECANCELED;
	free(message);
	event(end, SUITE_DONE);
}

int suite_send(struct suite_end *end, size_t len)
{
	struct suite_message *message = malloc(sizeof(*message) + len);
	struct e3_iov iov[PIECES];
	size_t first = len > 20 ? 5 : len, second = len > 20 ? len / 2 : 0;
	int rc;

	assert_non_null(message);
	message->request.done = on_done;
	message->end = end;
	message->len = len;
	suite_fill(message->bytes, len, end->send_sequence);
	iov[0] = (struct e3_iov){message->bytes, first};
	iov[1] = (struct e3_iov){message->bytes + first, second};
	iov[2] = (struct e3_iov){message->bytes + first + second, len - first - second};
	suite_enter(end->mesh, end->party->self);
	rc = link_send(end->link, &message->request, iov, len > 20 ? PIECES : 1);
	if (rc < 0) {
		free(message);
		return rc;
	}
	end->n_sent++;
	end->send_sequence++;
	return 0;
}

void suite_send_all(struct suite_end *end, size_t len, uint64_t n)
{
	while (n > 0) {
		uint64_t writable = end->n_writable;
		int rc = suite_send(end, len);

		if (rc == 0) {
			n--;
			continue;
		}
		assert_int_equal(rc, -EAGAIN);
		suite_wait(end->mesh, end->n_writable > writable);
	}
}
