/* SPDX-License-Identifier: MIT */
#include "tests/conformance/suite_hosts.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define HOSTS_MAX      10
#define SNAPSHOT_BYTES 65536

static int outside = -1, router = -1, hosts[HOSTS_MAX];
static uint32_t n_hosts;

const char *suite_hosts_missing(void)
{
	if (geteuid() != 0)
		return "network namespaces need root: sudo ./dev test";
	if (access("/dev/net/tun", F_OK) < 0)
		return "no /dev/net/tun: modprobe tun";
	return NULL;
}

static void go(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0) {
		perror("setns");
		exit(1);
	}
}

void suite_hosts_enter(uint32_t host)
{
	go(hosts[host]);
}

void suite_hosts_leave(void)
{
	go(outside);
}

__attribute__((format(printf, 1, 2))) static int run(const char *fmt, ...)
{
	char command[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return system(command) == 0 ? 0 : -1;
}

static int make_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0 || run("ip link set lo up") < 0)
		return -1;
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* `ip` takes a path where it takes the name of a namespace; ours is inherited only there.
 */
static int join(uint32_t host)
{
	go(router);
	if (run("ip link add r%u type veth peer name e%u netns /proc/%d/fd/%d", host,
		host, (int)getpid(), hosts[host]) < 0 ||
	    run("ip address add 10.99.%u.1/24 dev r%u && ip link set r%u up", host, host,
		host) < 0)
		return -1;
	go(hosts[host]);
	return run("ip link set e%u name eth0 && ip link set eth0 addrgenmode none && "
		   "ip address add 10.99.%u.2/24 dev eth0 && ip link set eth0 up && "
		   "ip route add default via 10.99.%u.1",
	    host, host, host);
}

/* Control sockets of overlays lie there, also those of other tests. */
static int make_own_run_folder(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tmpfs", "/run", "tmpfs", 0, "mode=0755");
}

int suite_hosts_up(uint32_t n)
{
	outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	router = make_namespace();
	if (outside < 0 || router < 0 || make_own_run_folder() < 0 ||
	    run("echo 1 >/proc/sys/net/ipv4/ip_forward") < 0)
		return -1;
	for (n_hosts = 0; n_hosts < n; n_hosts++) {
		hosts[n_hosts] = make_namespace();
		if (hosts[n_hosts] < 0 || join(n_hosts) < 0)
			return -1;
	}
	go(outside);
	return 0;
}

void suite_hosts_down(void)
{
	go(outside);
	while (n_hosts > 0)
		close(hosts[--n_hosts]);
	close(router);
	close(outside);
}

const char *suite_hosts_address(uint32_t host)
{
	static char text[HOSTS_MAX][16];

	snprintf(text[host], sizeof(text[host]), "10.99.%u.2", host);
	return text[host];
}

void suite_hosts_cut(uint32_t host)
{
	go(router);
	/* Keeping the address resolved: an unreachable neighbour would be reported. */
	if (run("ip neigh replace 10.99.%u.2 lladdr 02:00:00:00:00:01 "
		"nud permanent dev r%u",
		host, host) < 0)
		exit(1);
	go(hosts[host]);
	if (run("ip neigh replace 10.99.%u.1 lladdr 02:00:00:00:00:02 nud permanent dev "
		"eth0",
		host) < 0)
		exit(1);
	go(outside);
}

static void append_output(char *text, const char *command)
{
	size_t used = strlen(text);
	FILE *pipe = popen(command, "re");

	used += fread(text + used, 1, SNAPSHOT_BYTES - used - 1, pipe);
	text[used] = '\0';
	pclose(pipe);
}

char *suite_hosts_snapshot(uint32_t host, const char *const *folders)
{
	char *text = calloc(1, SNAPSHOT_BYTES), command[512];

	suite_hosts_enter(host);
	append_output(
	    text, "ip -o link | cut -d' ' -f2; ip -o address | cut -d' ' -f2-7");
	append_output(
	    text, "ip route show table all; ip rule; ip -6 route show table all");
	append_output(text, "ss -Hlntux | grep -v -F '@' | sed 's/  */ /g' | sort");
	snprintf(command, sizeof(command),
	    "awk '$4 == %d && $2 != \"(sh)\" && $2 != \"(awk)\" {print $2}' "
	    "/proc/[0-9]*/stat 2>/dev/null",
	    (int)getpid());
	append_output(text, command);
	for (; *folders != NULL; folders++) {
		snprintf(
		    command, sizeof(command), "find %s 2>/dev/null | sort", *folders);
		append_output(text, command);
	}
	suite_hosts_leave();
	return text;
}
