#!/bin/sh
# Build E3 for arm64 on this machine and run its tests in qemu-user: docs/arm64.md.
#
# usage: tools/test_arm64.sh            suites unit, conformance, fuzz; same counts as native
#        tools/test_arm64.sh NAME...    only tests whose name contains NAME, or of a suite
#
# Needs Debian's gcc-aarch64-linux-gnu and qemu-user. Libraries for arm64 are taken from
# Debian's archive, by apt-get with a state of its own, into the folder E3_ARM64 (default
# /tmp/e3-arm64, 130 MB; built there too): dpkg and apt of this machine stay as they are.
set -eu
home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
work=${E3_ARM64:-${TMPDIR:-/tmp}/e3-arm64}
triple=aarch64-linux-gnu
libraries='libc6-dev libgmp-dev libssl-dev libcmocka-dev zlib1g-dev libuv1-dev libssh2-1-dev libcjson-dev'

need() {
	command -v "$1" >/dev/null || {
		echo "test_arm64: $1 is missing: apt-get install --no-install-recommends $2" >&2
		exit 69
	}
}

apt_arm64() {
	# Debian's own list where it is a file of its own, else all lists.
	set -- "$@" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
		-o "Dir::State=$work/apt" -o "Dir::State::status=$work/apt/status" \
		-o "Dir::Cache=$work/apt/cache"
	if [ -f /etc/apt/sources.list.d/debian.sources ]; then
		set -- "$@" -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/debian.sources \
			-o Dir::Etc::sourceparts=-
	fi
	apt-get -q -y "$@" >"$work/apt.log" 2>&1 || {
		tail -n 20 "$work/apt.log" >&2
		echo "test_arm64: apt-get failed (its whole output: $work/apt.log)" >&2
		exit 69
	}
}

# The packages' files, their absolute links made relative to the folder.
make_sysroot() {
	rm -rf "$work/apt" "$work/root"
	mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/root/usr/lib"
	: >"$work/apt/status"
	apt_arm64 update
	# shellcheck disable=SC2086
	apt_arm64 --no-install-recommends --download-only install $libraries
	ln -s usr/lib "$work/root/lib"
	for package in "$work"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x -C "$work/root" --keep-directory-symlink --exclude=./usr/share/doc
	done
	find "$work/root" -type l -lname '/*' | while read -r link; do
		ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" \
			"$work/root/$(readlink "$link")")" "$link"
	done
	touch "$work/root/.complete"
}

write_cross_file() {
	cat >"$work/arm64.cross" <<CROSS
[binaries]
c = '$triple-gcc'
ar = '$triple-ar'
strip = '$triple-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$work/root']
[properties]
sys_root = '$work/root'
pkg_config_libdir = '$work/root/usr/lib/$triple/pkgconfig'
[built-in options]
c_args = ['--sysroot=$work/root']
c_link_args = ['--sysroot=$work/root']
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'armv8-a'
endian = 'little'
CROSS
}

# Restarts, rounds, messages and bytes of seeded computations, without the times.
counts() {
	"$@" cost "$home/scenarios/two-distant.json" --workload secret-santa --size low --json |
		grep -v '_ns"'
}

same_counts() {
	if [ ! -x "$home/build/e3" ]; then
		echo "counts: not compared, there is no build/e3 (./dev test makes it)"
		return
	fi
	counts "$home/build/e3" >"$work/counts.native"
	counts qemu-aarch64 -L "$work/root" "$work/build/e3" >"$work/counts.arm64"
	[ -s "$work/counts.arm64" ] && cmp "$work/counts.native" "$work/counts.arm64" || exit 1
	echo "counts: the same as native, $(grep -c '"workload"' "$work/counts.arm64") computations"
}

need $triple-gcc gcc-$triple
need qemu-aarch64 qemu-user
need meson meson
mkdir -p "$work"
[ -f "$work/root/.complete" ] || make_sysroot
write_cross_file
if [ ! -f "$work/build/build.ninja" ]; then
	meson setup --buildtype release -Dwerror=true --cross-file "$work/arm64.cross" \
		"$work/build" "$home" >"$work/setup.log" 2>&1 || { tail -n 20 "$work/setup.log" >&2; exit 70; }
fi
ninja -C "$work/build" >"$work/build.log" 2>&1 || { grep -v '^\[' "$work/build.log" >&2; exit 70; }
echo "compiler: $($triple-gcc --version | head -n 1)"
echo "emulator: $(qemu-aarch64 --version | head -n 1)"
echo "program:  $work/build/e3"
export E3_HOME="$home"
[ $# -gt 0 ] || {
	same_counts
	set -- unit conformance fuzz
}
exec python3 "$home/tools/run_tests.py" --build "$work/build" \
	--emulator "qemu-aarch64 -L $work/root" "$@"
