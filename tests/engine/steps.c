/* SPDX-License-Identifier: MIT */
#include "tests/engine/steps.h"

#include "tests/engine/operand.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

void steps_finish(struct steps *steps)
{
	free(steps->steps);
	memset(steps, 0, sizeof(*steps));
}

#if defined(__x86_64__) && !defined(IS_SANITIZED)

const char *steps_impossible(void)
{
	return NULL;
}

/* One process, so this much is the same in all children. */
static void run_child(void (*body)(void))
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(EPERM);
	raise(SIGSTOP);
	body();
	raise(SIGSTOP);
	_exit(0);
}

static struct operand_registers numbered(const struct user_regs_struct *r)
{
	return (struct operand_registers){r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp,
	    r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};
}

/* The child's code is ours, at the same place. */
static void note(struct steps *steps, const struct user_regs_struct *registers)
{
	struct operand_registers operands = numbered(registers);
	int is_gather;
	uint64_t address =
	    operand_address((const unsigned char *)registers->rip, &operands, &is_gather);

	steps->steps[steps->n] = (struct step){registers->rip, address};
	steps->n_gathers += (size_t)is_gather;
}

/* 1 = it stopped itself, 0 = one step further, negative = it is gone. */
static int wait_for(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return -EPROTO;
	return WSTOPSIG(status) == SIGSTOP   ? 1
	       : WSTOPSIG(status) == SIGTRAP ? 0
					     : -EPROTO;
}

static int step_through(struct steps *steps, pid_t child)
{
	struct user_regs_struct registers;
	int state = wait_for(child);

	if (state != 1)
		return -EPERM;
	for (state = 0; state == 0 && steps->n < STEPS_MAX; steps->n++) {
		if (ptrace(PTRACE_GETREGS, child, NULL, &registers) < 0)
			return -EPROTO;
		note(steps, &registers);
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) < 0)
			return -EPROTO;
		state = wait_for(child);
	}
	return state == 1 ? 0 : -EPROTO;
}

int steps_take(struct steps *steps, void (*body)(void), struct error *err)
{
	pid_t child;
	int rc;

	memset(steps, 0, sizeof(*steps));
	steps->steps = malloc(STEPS_MAX * sizeof(*steps->steps));
	if (steps->steps == NULL)
		return error_set(err, -ENOMEM, "no memory for %u steps", STEPS_MAX);
	child = fork();
	if (child == 0)
		run_child(body);
	rc = child < 0 ? -EPERM : step_through(steps, child);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	if (rc < 0)
		return error_set(err, rc,
		    rc == -EPERM ? "this machine forbids to trace a child"
				 : "the traced child died, or had no end");
	return 0;
}

#else

const char *steps_impossible(void)
{
	return "steps are taken on x86-64 without sanitizers";
}

int steps_take(struct steps *steps, void (*body)(void), struct error *err)
{
	(void)body;
	memset(steps, 0, sizeof(*steps));
	return error_set(err, -EPERM, "%s", steps_impossible());
}

#endif
