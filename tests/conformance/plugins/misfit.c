/* SPDX-License-Identifier: MIT */
/* Plugins for the tests of the loader: one MISFIT_... each is wrong in one way, or merely
 * older or newer than the loader. */
#include <e3/transport.h>

#include <errno.h>

#ifndef MISFIT_NAME
#define MISFIT_NAME "misfit"
#endif

static int misfit_endpoint_create(const struct e3_host *host, e3_party self,
    uint32_t n_parties, const char *const *options, struct e3_endpoint **out)
{
	(void)host, (void)self, (void)n_parties, (void)options, (void)out;
	return -ENOTSUP;
}

static void misfit_endpoint_destroy(struct e3_endpoint *endpoint)
{
	(void)endpoint;
}

static void misfit_endpoint_signal(
    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	(void)endpoint, (void)from, (void)message;
}

static int misfit_channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	(void)endpoint, (void)config, (void)out;
	return -ENOTSUP;
}

#ifndef MISFIT_INCOMPLETE
static int misfit_channel_send(struct e3_channel *channel, struct e3_send *send,
    const struct e3_iov *iov, uint32_t n_iov, uint32_t flags)
{
	(void)channel, (void)send, (void)iov, (void)n_iov, (void)flags;
	return -ENOTSUP;
}
#endif

static void misfit_channel_pause(struct e3_channel *channel, int paused)
{
	(void)channel, (void)paused;
}

static void misfit_channel_close(struct e3_channel *channel, void (*closed)(void *user))
{
	(void)channel, (void)closed;
}

static int misfit_channel_stats(struct e3_channel *channel, struct e3_channel_stats *out)
{
	(void)channel, (void)out;
	return -ENOTSUP;
}

#ifdef MISFIT_HALF_OVERLAY
static int misfit_down(struct e3_endpoint *endpoint, uint32_t deadline_ms)
{
	(void)endpoint, (void)deadline_ms;
	return 0;
}
#endif

static const struct e3_declared misfit_declared = {
    .struct_size = sizeof(struct e3_declared),
    .layer = "none",
    .needs = "none",
    .third_parties = "none",
    .key_distribution = "none",
    .encryption = "none",
    .identity = "none",
#ifndef MISFIT_SILENT
    .steps = "none",
#endif
};

/* As a plugin of a later E3 would have it. */
struct longer {
	struct e3_transport table;
	int (*something_new[4])(struct e3_endpoint *endpoint);
};

static const struct longer misfit = {
    .table =
	{
#if defined(MISFIT_NEWER)
	    .abi_major = E3_ABI_MAJOR + 1,
#else
	    .abi_major = E3_ABI_MAJOR,
#endif
#if defined(MISFIT_SHORTER)
	    .struct_size = offsetof(struct e3_transport, channel_stats),
#elif defined(MISFIT_LONGER)
	    .struct_size = sizeof(struct longer),
#elif defined(MISFIT_ABSURD)
	    .struct_size = 0x7ffffff8u,
#elif defined(MISFIT_TINY)
	    .struct_size = 16,
#else
	    .struct_size = sizeof(struct e3_transport),
#endif
	    .name = MISFIT_NAME,
	    .summary = "for the tests of the loader",
	    .message_max = 1,
	    .declared = &misfit_declared,
	    .endpoint_create = misfit_endpoint_create,
	    .endpoint_destroy = misfit_endpoint_destroy,
	    .endpoint_signal = misfit_endpoint_signal,
	    .channel_open = misfit_channel_open,
#ifndef MISFIT_INCOMPLETE
	    .channel_send = misfit_channel_send,
#endif
	    .channel_pause = misfit_channel_pause,
	    .channel_close = misfit_channel_close,
	    .channel_stats = misfit_channel_stats,
#ifdef MISFIT_HALF_OVERLAY
	    .down = misfit_down,
#endif
	},
};

#if defined(MISFIT_NO_ENTRY)
const void *some_other_symbol(void);
__attribute__((visibility("default"))) const void *some_other_symbol(void)
{
	return &misfit;
}
#else
__attribute__((visibility("default"))) const struct e3_transport *e3_transport_entry(
    void);
const struct e3_transport *e3_transport_entry(void)
{
#ifdef MISFIT_NO_TABLE
	(void)misfit;
	return NULL;
#else
	return &misfit.table;
#endif
}
#endif
