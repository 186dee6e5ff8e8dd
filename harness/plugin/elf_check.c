/* SPDX-License-Identifier: MIT */
#include "harness/plugin/elf_check.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX 64

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#elif defined(__riscv)
#define THIS_MACHINE EM_RISCV
#else
#define THIS_MACHINE EM_NONE /* any: dlopen() will say */
#endif

static int header_check(const char *path, const ElfW(Ehdr) * header, struct error *err)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return error_set(err, -EPROTO, "%s is not a shared object", path);
	if (header->e_ident[EI_CLASS] !=
		(sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    (THIS_MACHINE != EM_NONE && header->e_machine != THIS_MACHINE))
		return error_set(err, -EPROTO,
		    "%s was built for another kind of machine: build it on this one",
		    path);
	if (header->e_type != ET_DYN)
		return error_set(err, -EPROTO, "%s is not a shared object", path);
	if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0 ||
	    header->e_phnum > SEGMENTS_MAX)
		return error_set(err, -EPROTO,
		    "%s has a damaged header: build or copy it again", path);
	return 0;
}

static int segments_check(
    const char *path, int fd, const ElfW(Ehdr) * header, struct error *err)
{
	ElfW(Phdr) segments[SEGMENTS_MAX];
	size_t bytes = header->e_phnum * sizeof(segments[0]);
	struct stat file;

	if (fstat(fd, &file) < 0)
		return error_set_errno(err, -errno, "%s", path);
	if (pread(fd, segments, bytes, (off_t)header->e_phoff) != (ssize_t)bytes)
		return error_set(
		    err, -EPROTO, "%s is cut off: build or copy it again", path);
	for (int i = 0; i < header->e_phnum; i++) {
		uint64_t size = (uint64_t)file.st_size;

		if (segments[i].p_type == PT_NULL)
			continue;
		if (segments[i].p_offset > size ||
		    segments[i].p_filesz > size - segments[i].p_offset)
			return error_set(
			    err, -EPROTO, "%s is cut off: build or copy it again", path);
	}
	return 0;
}

int elf_check(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ElfW(Ehdr) header;
	ssize_t n;
	int rc;

	if (fd < 0)
		return error_set_errno(err, -errno, "%s", path);
	n = pread(fd, &header, sizeof(header), 0);
	if (n < 0)
		rc = error_set_errno(err, -errno, "%s", path);
	else if ((size_t)n < sizeof(header))
		rc = error_set(err, -EPROTO, "%s is not a shared object", path);
	else
		rc = header_check(path, &header, err);
	if (rc == 0)
		rc = segments_check(path, fd, &header, err);
	close(fd);
	return rc;
}
