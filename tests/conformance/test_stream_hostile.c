/* SPDX-License-Identifier: MIT */
/* The transport tcp against peers that are no E3: strangers on the port, liars, cut and
 * damaged streams. The test itself is the other party, with a plain socket. */
#include "base/random.h"
#include "tests/conformance/suite_mesh.h"
#include "tests/tap.h"
#include "transports/common/frame.h"
#include "transports/common/hello.h"
#include "transports/common/wire_bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRANGERS    300
#define FUZZ_STREAMS 150

static const struct transport_under_test tcp = {
    .plugin = "tcp",
    .parties = 2,
    .has_signals = 1,
};
static const char *const hasty[] = {"open_ms", "400", NULL};
static const char *const brisk[] = {"open_ms", "2000", NULL}; /* outlasts a pause */

/* Party 1 is real and listens; we are party 0 and dial. */
struct scene {
	struct suite_mesh *mesh;
	struct suite_end *end;
	struct hello_where where;
};

static void scene_open(struct scene *scene)
{
	struct suite_mesh *mesh = suite_start(&tcp, 2, NULL);

	scene->mesh = mesh;
	scene->end = suite_open(mesh, 1, 0, 0);
	assert_non_null(mesh->signals);
	assert_int_equal(hello_where_decode(&scene->where,
			     (struct e3_iov){mesh->signals->bytes, mesh->signals->len}),
	    0);
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, text, &at.sin_addr);
	return at;
}

static int dial(const struct scene *scene)
{
	struct sockaddr_in at = address("127.0.0.2", scene->where.port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static struct hello honest(const struct scene *scene)
{
	struct hello hello = {.party = 0, .for_party = 1, .n_parties = 2, .lane = 0};

	memcpy(hello.token, scene->where.dial_token, HELLO_TOKEN_BYTES);
	return hello;
}

static void give(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static int is_refused(struct suite_mesh *mesh, int fd)
{
	unsigned char byte;
	ssize_t n;

	suite_turn(mesh);
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	assert_true(n <= 0);
	return n == 0 || errno != EAGAIN;
}

static int has_answer(struct suite_mesh *mesh, int fd, struct hello *answer)
{
	unsigned char bytes[HELLO_BYTES];

	suite_turn(mesh);
	if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) != HELLO_BYTES)
		return 0;
	assert_int_equal(hello_decode(answer, bytes), 0);
	return 1;
}

/* Say an honest HELLO and be let in. */
static int enter(struct scene *scene)
{
	unsigned char bytes[HELLO_BYTES];
	struct hello hello = honest(scene), answer;
	int fd = dial(scene);

	hello_encode(bytes, &hello);
	give(fd, bytes, sizeof(bytes));
	suite_wait(scene->mesh, has_answer(scene->mesh, fd, &answer));
	assert_memory_equal(answer.token, scene->where.answer_token, HELLO_TOKEN_BYTES);
	assert_int_equal(answer.party, 1);
	suite_wait(scene->mesh, scene->end->n_opened == 1);
	assert_int_equal(scene->end->opened_status, 0);
	return fd;
}

static void wrong_hellos_are_refused(void **state)
{
	struct scene scene;
	int fd;

	(void)state;
	scene_open(&scene);
	for (int wrong = 0; wrong < 7; wrong++) {
		struct hello hello = honest(&scene);
		unsigned char bytes[HELLO_BYTES];

		if (wrong == 0)
			hello.token[15] ^= 1;
		if (wrong == 1)
			hello.party = 1;
		if (wrong == 2)
			hello.party = UINT32_MAX;
		if (wrong == 3)
			hello.for_party = 0;
		if (wrong == 4)
			hello.n_parties = 3;
		if (wrong == 5)
			memcpy(hello.token, scene.where.answer_token, HELLO_TOKEN_BYTES);
		hello_encode(bytes, &hello);
		if (wrong == 6)
			bytes[0] = 'e';
		fd = dial(&scene);
		give(fd, bytes, sizeof(bytes));
		suite_wait(scene.mesh, is_refused(scene.mesh, fd));
		close(fd);
		assert_int_equal(scene.end->n_opened, 0);
	}
	close(enter(&scene));
	suite_finish(scene.mesh);
}

static void strangers_cannot_keep_a_party_out(void **state)
{
	int strangers[STRANGERS];
	struct scene scene;

	(void)state;
	scene_open(&scene);
	for (int i = 0; i < STRANGERS; i++) {
		strangers[i] = dial(&scene);
		if (i % 3 == 0)
			give(strangers[i], "GET / HTTP/1.1\r\n\r\n", 18);
		suite_turn(scene.mesh);
	}
	close(enter(&scene));
	for (int i = 0; i < STRANGERS; i++)
		close(strangers[i]);
	suite_finish(scene.mesh);
}

/* The right token for a lane that is not open, and bytes before the answer. */
static void early_connections_are_held_and_watched(void **state)
{
	struct hello hello, answer;
	unsigned char bytes[HELLO_BYTES];
	struct suite_end *late;
	struct scene scene;
	int quiet, noisy;

	(void)state;
	scene_open(&scene);
	hello = honest(&scene);
	hello.lane = 5;
	hello_encode(bytes, &hello);
	noisy = dial(&scene);
	give(noisy, bytes, sizeof(bytes));
	give(noisy, "too early", 9);
	suite_wait(scene.mesh, is_refused(scene.mesh, noisy));
	quiet = dial(&scene);
	give(quiet, bytes, sizeof(bytes));
	for (int turn = 0; turn < 50; turn++)
		suite_turn(scene.mesh);
	late = suite_open(scene.mesh, 1, 0, 5);
	assert_int_equal(late->n_opened, 0);
	suite_wait(scene.mesh, has_answer(scene.mesh, quiet, &answer));
	assert_int_equal(answer.lane, 5);
	suite_wait(scene.mesh, late->n_opened == 1);
	assert_int_equal(late->opened_status, 0);
	close(quiet);
	close(noisy);
	suite_finish(scene.mesh);
}

static void bytes_one_by_one_are_messages(void **state)
{
	unsigned char frame[4 + 20], bytes[HELLO_BYTES];
	struct hello hello, answer;
	struct scene scene;
	int fd, one = 1;

	(void)state;
	scene_open(&scene);
	fd = dial(&scene);
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	hello = honest(&scene);
	hello_encode(bytes, &hello);
	for (size_t i = 0; i < HELLO_BYTES; i++) {
		give(fd, bytes + i, 1);
		suite_turn(scene.mesh);
	}
	suite_wait(scene.mesh, has_answer(scene.mesh, fd, &answer));
	wire_store_32(frame, 20);
	suite_fill(frame + 4, 20, 0);
	scene.end->on_message = (void (*)(struct suite_end *, struct e3_iov))abort;
	for (size_t i = 0; i < sizeof(frame); i++) {
		if (i + 1 == sizeof(frame))
			scene.end->on_message = NULL;
		give(fd, frame + i, 1);
		for (int turn = 0; turn < 3; turn++)
			suite_turn(scene.mesh);
	}
	suite_wait(scene.mesh, scene.end->n_messages == 1);
	close(fd);
	suite_wait(scene.mesh, scene.end->n_lost == 1);
	assert_int_equal(scene.end->lost_status, -ESHUTDOWN);
	suite_finish(scene.mesh);
}

static void ends_of_streams_are_told_apart(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int resets, status;
	} ends[] = {
	    {"", 0, 0, -ESHUTDOWN},
	    {"\4\0", 2, 0, -ECONNRESET},
	    {"\4\0\0\0abc", 7, 0, -ECONNRESET},
	    {"\0\0\0\0", 4, 0, -ESHUTDOWN},
	    {"\0\0\0\x11", 4, 0, -EPROTO},
	    {"\xff\xff\xff\xff", 4, 0, -EPROTO},
	    {"E3H1 again and again", 20, 0, -EPROTO},
	    {"", 0, 1, -ECONNRESET},
	    {"\0\0\0\1half", 8, 1, -ECONNRESET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct linger now = {.l_onoff = 1, .l_linger = 0};
		struct scene scene;
		int fd;

		scene_open(&scene);
		fd = enter(&scene);
		if (ends[i].len > 0)
			give(fd, ends[i].bytes, ends[i].len);
		if (ends[i].resets)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
		suite_wait(scene.mesh, scene.end->n_lost == 1);
		assert_int_equal(scene.end->lost_status, ends[i].status);
		suite_finish(scene.mesh);
	}
}

static void on_any_message(struct suite_end *end, struct e3_iov message)
{
	(void)end, (void)message;
}

/* Random bytes with plausible lengths strewn in, cut anywhere, a copy of itself behind.
 */
static void random_streams_never_harm(void **state)
{
	struct random_stream random;

	(void)state;
	random_stream_seed(&random, 11);
	for (int i = 0; i < FUZZ_STREAMS; i++) {
		unsigned char bytes[3000];
		size_t len = random_stream_below(&random, sizeof(bytes));
		struct scene scene;
		int fd;

		for (size_t at = 0; at < sizeof(bytes); at++)
			bytes[at] = (unsigned char)random_stream_next(&random);
		for (size_t at = 0; at + 4 <= sizeof(bytes);) {
			uint32_t frame = (uint32_t)random_stream_below(&random, 120);

			wire_store_32(bytes + at, frame);
			at += 4 + frame + (random_stream_below(&random, 30) == 0);
		}
		scene_open(&scene);
		scene.end->on_message = on_any_message;
		fd = enter(&scene);
		give(fd, bytes, len);
		give(fd, bytes, len);
		shutdown(fd, SHUT_WR);
		suite_wait(scene.mesh, scene.end->n_lost == 1);
		close(fd);
		suite_finish(scene.mesh);
	}
}

/* Party 0 is real and dials; we are party 1, listen and answer as we like. */
static void wrong_answers_are_refused(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 6; wrong++) {
		struct suite_mesh *mesh =
		    suite_start(&tcp, 2, wrong == 4 ? hasty : brisk);
		struct sockaddr_in at = address("127.0.0.2", 0);
		struct suite_end *end = suite_open(mesh, 0, 1, 0);
		struct hello answer = {.party = 1, .for_party = 0, .n_parties = 2};
		unsigned char bytes[HELLO_BYTES], signal[HELLO_WHERE_BYTES];
		int listener =
		    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		socklen_t at_bytes = sizeof(at);
		struct hello_where where;
		int fd;

		hello_where_make(&where);
		assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
		if (wrong != 5)
			assert_int_equal(listen(listener, 8), 0);
		getsockname(listener, (struct sockaddr *)&at, &at_bytes);
		where.port = ntohs(at.sin_port);
		hello_where_encode(signal, &where);
		mesh->plugin->table.endpoint_signal(mesh->parties[0].endpoint, 1,
		    (struct e3_iov){signal, sizeof(signal)});
		memcpy(answer.token, wrong == 0 ? where.dial_token : where.answer_token,
		    HELLO_TOKEN_BYTES);
		answer.lane = wrong == 1;
		answer.for_party = wrong == 2;
		hello_encode(bytes, &answer);
		while (end->n_opened == 0) {
			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			suite_turn(mesh);
			if (fd < 0)
				continue;
			suite_turn(mesh);
			/* 3: cut off, 4: silent until the deadline */
			if (wrong != 4)
				send(fd, bytes, wrong == 3 ? 20 : sizeof(bytes),
				    MSG_NOSIGNAL);
			if (wrong == 4)
				suite_wait(mesh, end->n_opened == 1);
			close(fd);
		}
		assert_true(end->opened_status < 0);
		if (wrong < 3)
			assert_int_equal(end->opened_status, -EPROTO);
		if (wrong == 4)
			assert_int_equal(end->opened_status, -ETIMEDOUT);
		if (wrong == 5)
			assert_int_equal(end->opened_status, -ECONNREFUSED);
		assert_non_null(
		    strstr(mesh->parties[0].last_error, "no channel to party 1"));
		close(listener);
		suite_finish(mesh);
	}
}

static void a_port_in_use_is_named(void **state)
{
	struct sockaddr_in at = address("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct suite_mesh *mesh = suite_start(&tcp, 2, NULL);
	const char *options[] = {"port", NULL, NULL};
	struct e3_endpoint *endpoint = NULL;
	socklen_t at_bytes = sizeof(at);
	char port[8];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&at, &at_bytes);
	snprintf(port, sizeof(port), "%u", ntohs(at.sin_port));
	options[1] = port;
	assert_int_equal(mesh->plugin->table.endpoint_create(
			     &mesh->parties[0].host, 0, 2, options, &endpoint),
	    -EADDRINUSE);
	assert_non_null(strstr(mesh->parties[0].last_error, port));
	assert_non_null(strstr(mesh->parties[0].last_error, "is in use"));
	close(fd);
	suite_finish(mesh);
}

static const char *ip6_address(e3_party party)
{
	(void)party;
	return "::1";
}

static void addresses_of_ip6_carry(void **state)
{
	struct transport_under_test ip6 = tcp;
	struct sockaddr_in6 at = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int has_ip6 = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	struct suite_mesh *mesh;
	struct suite_end *a, *b;

	(void)state;
	close(fd);
	if (!has_ip6)
		skip_because("this machine has no IPv6");
	ip6.address = ip6_address;
	mesh = suite_start(&ip6, 2, NULL);
	suite_join(mesh, 0, 1, 0, &a, &b);
	suite_send_all(a, 1000, 5);
	suite_wait(mesh, b->n_messages == 5);
	suite_finish(mesh);
}

static void unknown_congestion_control_is_named(void **state)
{
	struct suite_mesh *mesh = suite_start(&tcp, 2, NULL);
	const char *options[] = {"congestion", "hope", NULL};
	struct e3_endpoint *endpoint = NULL;

	(void)state;
	assert_int_equal(mesh->plugin->table.endpoint_create(
			     &mesh->parties[0].host, 0, 2, options, &endpoint),
	    -EINVAL);
	assert_non_null(strstr(mesh->parties[0].last_error, "'hope'"));
	assert_non_null(strstr(mesh->parties[0].last_error, "cubic"));
	suite_finish(mesh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_hellos_are_refused),
	    cmocka_unit_test(strangers_cannot_keep_a_party_out),
	    cmocka_unit_test(early_connections_are_held_and_watched),
	    cmocka_unit_test(bytes_one_by_one_are_messages),
	    cmocka_unit_test(ends_of_streams_are_told_apart),
	    cmocka_unit_test(random_streams_never_harm),
	    cmocka_unit_test(wrong_answers_are_refused),
	    cmocka_unit_test(a_port_in_use_is_named),
	    cmocka_unit_test(addresses_of_ip6_carry),
	    cmocka_unit_test(unknown_congestion_control_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
