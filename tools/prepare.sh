# Sourced by ./e3 and ./dev with $home set: Debian packages from packages.txt, meson builds.

# prepare_packages KIND...: install what packages.txt lists for these kinds and is missing.
prepare_packages() {
	# dpkg's database is newer than the stamp whenever a package was added or removed.
	stamp=$home/build/.packages-$(echo "$*" | tr ' ' -)
	if [ "$stamp" -nt "$home/packages.txt" ] && [ "$stamp" -nt /var/lib/dpkg/status ]; then
		return 0
	fi
	missing=
	for kind in "$@"; do
		for name in $(sed -n "s/^$kind  *\([^ ]*\).*/\1/p" "$home/packages.txt"); do
			dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed ||
				missing="$missing $name"
		done
	done
	if [ -n "$missing" ]; then
		if [ "$(id -u)" != 0 ]; then
			echo "E3 needs these packages:$missing" >&2
			echo "Run once:  sudo apt-get install --no-install-recommends -y$missing" >&2
			exit 69
		fi
		prepare_install $missing
	fi
	{ mkdir -p "$home/build" && touch "$stamp"; } 2>/dev/null || true
}

prepare_install() {
	echo "E3: installing $*" >&2
	log=$(mktemp)
	if ! { DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends -y -q "$@" ||
		{ apt-get update -q && DEBIAN_FRONTEND=noninteractive \
			apt-get install --no-install-recommends -y -q "$@"; }; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "E3: apt-get could not install:$(printf ' %s' "$@") (its whole output: $log)" >&2
		exit 69
	fi
	rm -f "$log"
	# Installing sshd starts a server on this machine. E3 only needs the program.
	case " $* " in *" openssh-server "*)
		if [ -d /run/systemd/system ]; then
			systemctl disable --now ssh.service ssh.socket >/dev/null 2>&1 || true
			echo "E3: sshd was installed for the emulated hosts; its service is disabled" >&2
		fi ;;
	esac
}

# prepare_build DIR BUILDTYPE [MESON OPTION...]: configure once, build what changed. Somebody who
# can't write there uses what is built.
prepare_build() {
	dir=$home/$1
	type=$2
	shift 2
	if [ -x "$dir/e3" ] && [ ! -w "$dir" ]; then
		return 0
	fi
	mkdir -p "$dir" || exit 70
	if [ ! -f "$dir/build.ninja" ]; then
		echo "E3: building ($type)" >&2
		meson setup --buildtype "$type" "$@" "$dir" "$home" >"$dir/setup.log" 2>&1 ||
			{ tail -n 20 "$dir/setup.log" >&2; exit 70; }
	fi
	ninja -C "$dir" >"$dir/build.log" 2>&1 ||
		{ grep -v '^\[' "$dir/build.log" | tail -n 40 >&2; exit 70; }
}
