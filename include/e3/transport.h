/* SPDX-License-Identifier: MIT */
/*
 * A transport: how the parties of one computation reach one another.
 *
 * A plugin is one shared object, e3-NAME.so, exporting one function that
 * returns one constant table. docs/transports.md tells the life cycle;
 * transports/loopback is the smallest complete example.
 *
 * Rules that hold for every call below:
 *
 *   Threads     Everything of an endpoint runs on the thread of its loop. A
 *               library with threads of its own hops back with uv_async_send()
 *               before calling anyone. Two endpoints of a party may live at
 *               once, on two loops and threads: share nothing unlocked.
 *   Re-entry    A callback is never made from inside the call that caused it.
 *   Errors      0 or a negative errno. A failed call has no effect at all.
 *   Memory      Who allocates, frees. Pointers are borrowed for the call,
 *               unless the comment says "until".
 *   Completion  Each request accepted (0 returned) completes exactly once;
 *               with -ECANCELED if its channel is closed first.
 */
#ifndef E3_TRANSPORT_H
#define E3_TRANSPORT_H

#include <e3/host.h>

#define E3_ABI_MAJOR 1u /* bump = plugins must be rebuilt; they are refused */

/* What a transport can do at most. The harness ignores bits it doesn't know. */
#define E3_CAP_SECURE  (UINT64_C(1) << 0) /* peer authenticated, bytes sealed */
#define E3_CAP_NAT     (UINT64_C(1) << 1) /* needs no inbound reachability */
#define E3_CAP_BROWSER (UINT64_C(1) << 2) /* the peer may be a browser */
#define E3_CAP_LANES   (UINT64_C(1) << 3) /* lanes don't block one another */
#define E3_CAP_THREADS (UINT64_C(1) << 4) /* spends CPU outside the loop */

struct e3_endpoint; /* defined by the plugin: this party's side of everything */
struct e3_channel;  /* defined by the plugin: an ordered, reliable link */

/* One message on its way out. Embed it; recover yours with container_of(). */
struct e3_send {
	void (*done)(struct e3_send *send, int status);
	void *plugin[4]; /* the plugin's, until done */
};

/* How a channel talks back. */
struct e3_channel_events {
	uint32_t struct_size;

	/* Usable from now on (0) or never (negative). Exactly once. */
	void (*opened)(void *user, int status);

	/* One whole message. `message` may point to where `place` said. */
	void (*message)(void *user, struct e3_iov message);

	/* After channel_send() returned -EAGAIN: try again. */
	void (*writable)(void *user);

	/* The peer or the network is gone; channel_close() is still due. -ESHUTDOWN: the
	 * peer has closed, all it had sent was delivered. -EPROTO: what came is no
	 * message (hostile or broken peer). -ETIMEDOUT: silent for too long. Else the
	 * errno. While paused it may be late. */
	void (*lost)(void *user, int status);

	/* Optional (may be NULL). A message of `len` bytes is coming: where should
	 * its bytes be written? NULL: into the plugin's own buffer. The place stays
	 * valid until message() or lost(). A plugin may never ask; it saves a copy. */
	void *(*place)(void *user, size_t len);
};

struct e3_channel_config {
	uint32_t struct_size;
	e3_party peer;
	uint32_t lane; /* 0 .. ; a separate order of messages to the same peer */
	const struct e3_channel_events *events; /* until closed */
	void *user;                             /* first argument of events */
};

struct e3_channel_stats {
	uint32_t struct_size;         /* set by the caller */
	uint64_t wire_bytes_sent;     /* framing and retransmits included, */
	uint64_t wire_bytes_received; /*   or E3_UNKNOWN, as all below */
	uint64_t retransmits;         /* packets */
	uint64_t rtt_ns;              /* smoothed */
	uint64_t queued_bytes;        /* accepted, not yet with the kernel */
};

/* What a report says of a transport; every text one line. */
struct e3_declared {
	uint32_t struct_size;
	const char *layer; /* "4 (TCP)", "3 (UDP-encapsulated IP)" */
	const char *needs; /* rights, devices, programs */
	const char
	    *third_parties; /* who else takes part, and what each could do; "none" */
	const char *key_distribution;
	const char *encryption; /* "none", or the construction */
	const char *identity;   /* what a peer is known by, and how strong that is */
	const char *steps;      /* what a person must do on each host */
};

/* What the controller hands round, made by `prepare`, read by `up` of the others. Public.
 */
#define E3_CARD_BYTES_MAX 4096u

/*
 * Life of a transport on one host, in this order, each call made once by the harness:
 *
 *   endpoint_create -> prepare -> [cards of all parties] -> up -> channel_open ...
 *   -> channel_close -> down -> finalise -> endpoint_destroy
 *
 * A *channel* transport leaves prepare, up, down, finalise NULL. An *overlay* fills them,
 * and its channels are the shared TCP channel over the addresses of the overlay. down and
 * finalise also succeed in a fresh process after a crash of any earlier step: what they
 * need to know is in host->state_folder or can be found on the host.
 */
struct e3_transport {
	uint32_t abi_major;   /* E3_ABI_MAJOR. First, for ever. */
	uint32_t struct_size; /* of this table, as the plugin was compiled */

	const char *name;     /* "tcp": the one in scenarios and results */
	const char *summary;  /* one line for `e3 list` */
	uint64_t caps;        /* E3_CAP_* */
	uint64_t message_max; /* bytes */
	const struct e3_declared *declared;

	/* Become party `self` of `n_parties`. `options` is key, value, key,
	 * value, ..., NULL. -EINVAL for an unknown key or a bad value, having
	 * logged which. `host` stays valid until endpoint_destroy(). */
	int (*endpoint_create)(const struct e3_host *host, e3_party self,
	    uint32_t n_parties, const char *const *options, struct e3_endpoint **out);

	/* Its channels must have closed. NULL is fine. */
	void (*endpoint_destroy)(struct e3_endpoint *endpoint);

	/* Take what the plugin at `from` gave to host->signal(). The bytes are
	 * hostile input. The harness keeps what comes before endpoint_create(). */
	void (*endpoint_signal)(
	    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message);

	/* Both parties open; the transport decides who dials. -EEXIST: that lane is open
	 * already and not being closed; -EINVAL: there is no such party. */
	int (*channel_open)(struct e3_endpoint *endpoint,
	    const struct e3_channel_config *config, struct e3_channel **out);

	/* Send the pieces as one message. The bytes and `send` belong to the
	 * plugin until send->done; the iov array only for the call. `flags` is
	 * 0 for now. -EAGAIN: full, nothing taken, writable() will follow.
	 * -EMSGSIZE: above message_max. -ENOTCONN: not open. */
	int (*channel_send)(struct e3_channel *channel, struct e3_send *send,
	    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags);

	/* Stop (1) or resume (0) message(): the reader's brake. The plugin must
	 * pass it on to the peer's sender, not buffer without end. */
	void (*channel_pause)(struct e3_channel *channel, int paused);

	/* Legal in any state, once, even from inside an event. From this call on
	 * no event fires. Sends accepted so far still reach the peer, which may take
	 * some seconds; those that can't complete with -ECANCELED. Then closed(), never
	 * from inside this call, and the channel is gone. */
	void (*channel_close)(struct e3_channel *channel, void (*closed)(void *user));

	/* Optional from here on: NULL, or absent from an older table. */

	int (*channel_stats)(struct e3_channel *channel, struct e3_channel_stats *out);

	/* Look once, without waiting, whether bytes have come, and deliver whole
	 * messages. Events may fire from inside this call (the one exception to
	 * Re-entry). The harness calls it while it has nothing else to do. */
	void (*channel_poll)(struct e3_channel *channel);

	/* 0 when this host has all that is needed; -ENOTSUP with a sentence of what is
	 * missing and the command that installs it in `reason`. May be called without
	 * an endpoint, by `e3 doctor`. */
	int (*supported)(char *reason, size_t reason_bytes);

	/* Facts as negotiated, one "key=value" a line (congestion control, cipher,
	 * implementation, versions), for the result. */
	int (*endpoint_facts)(struct e3_endpoint *endpoint, char *out, size_t out_bytes);

	/* Overlay: make or load the identity; its private part never leaves the
	 * state folder. Writes this party's card and its length (in: room). Each of
	 * these four calls may block for up to `deadline_ms`; on failure the sentence
	 * goes to host->log at E3_LOG_ERROR. Idempotent. -ENOTSUP: something is missing.
	 */
	int (*prepare)(struct e3_endpoint *endpoint, uint32_t deadline_ms, void *card,
	    size_t *card_bytes);
	/* cards[p] of every party, own one included; hostile input. Returns when peers
	 * can be addressed (not: reached). */
	int (*up)(struct e3_endpoint *endpoint, uint32_t deadline_ms,
	    const struct e3_iov *cards);
	/* Interfaces, routes, sockets, processes are gone afterwards. */
	int (*down)(struct e3_endpoint *endpoint, uint32_t deadline_ms);
	/* Keys and files too: the host is as it was. */
	int (*finalise)(struct e3_endpoint *endpoint, uint32_t deadline_ms);

	/* Would endpoint_create() take these keys and values, on whatever host? 0, or
	 * -EINVAL with a sentence in `reason`. Without an endpoint, by `e3 plan`, so that
	 * a slip of the pen is told before hours of a run. */
	int (*options_check)(
	    const char *const *options, char *reason, size_t reason_bytes);
};

/* First line of every table, so that nobody fills these by hand. */
#define E3_TRANSPORT_HEADER                                                              \
	.abi_major = E3_ABI_MAJOR, .struct_size = sizeof(struct e3_transport)

#ifdef __cplusplus
#define E3_EXTERN_C extern "C"
#else
#define E3_EXTERN_C
#endif

/* Last line of every plugin. A function, since dlsym() of data is fragile. */
#define E3_TRANSPORT_ENTRY(table)                                                        \
	E3_EXTERN_C __attribute__((visibility("default"))) const struct e3_transport *   \
	e3_transport_entry(void);                                                        \
	const struct e3_transport *e3_transport_entry(void)                              \
	{                                                                                \
		return &(table);                                                         \
	}                                                                                \
	struct e3_transport /* takes the semicolon */

typedef const struct e3_transport *(*e3_transport_entry_fn)(void);

#endif
