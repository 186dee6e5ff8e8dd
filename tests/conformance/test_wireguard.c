/* SPDX-License-Identifier: MIT */
#include "tests/conformance/suite_hosts.h"
#include "tests/conformance/transport_suite.h"

static const struct transport_under_test wireguard = {
    .plugin = "wireguard",
    .parties = 3,
    .options_turned = (const char *const[]){"dialer", "higher", NULL},
    .options_hasty = (const char *const[]){"open_ms", "900", NULL},
    .has_signals = 1,
    .is_slow = 1,
    .missing = suite_hosts_missing,
    .hosts_up = suite_hosts_up,
    .hosts_down = suite_hosts_down,
    .enter = suite_hosts_enter,
    .address = suite_hosts_address,
};

int main(void)
{
	return transport_suite_run(&wireguard);
}
