"""What the documents point to exists: linked files, named files, commands, options."""
import pathlib
import re
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
documents = [root / "README.md", root / "CONTRIBUTING.md", *sorted(root.glob("docs/*.md")),
             *sorted(root.glob("scenarios/**/*.md"))]
FOLDERS = "base|engine|harness|testbed|transports|include|tests|tools|docs|scenarios|data|terraform|web"


def commands():
    """Names and options, from the tables of the commands."""
    sources = [p.read_text() for p in (root / "harness").rglob("*.[ch]")]
    # The emulator is no command, but its process is shown like one.
    names = {"wan"} | {n.replace("_", "-") for s in sources for n in re.findall(r"^const struct command command_(\w+)", s, re.M)}
    options = {o for s in sources for o in re.findall(r'\.name = "([a-z][a-z0-9-]*)",\s*\\?\s*\.(?:argument =|help =)', s)}
    return names, options | {"help", "version"}


def broken(path, names, options):
    text = path.read_text()
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if not link.startswith("http") and not (path.parent / link).exists():
            yield f"links to {link}"
    for name in set(re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", text)):
        # A C module is named without its ending.
        if not (root / name).exists() and not (root / (name + ".c")).exists() and not list(root.glob(name + "*")):
            yield f"names {name}"
    for command, rest in re.findall(r"(?:^|`|\./)e3 ([a-z][a-z-]*)([^`\n]*)", text, re.M):
        if command not in names:
            yield f"names the command e3 {command}"
        for option in re.findall(r"--([a-z][a-z0-9-]*)", rest):
            if option not in options:
                yield f"names the option e3 {command} --{option}"


names, options = commands()
failures = 0
for number, path in enumerate(documents, 1):
    wrong = list(broken(path, names, options))
    failures += bool(wrong)
    print(("not ok" if wrong else "ok") + f" {number} - {path.relative_to(root)} {'; '.join(wrong)}")
with tempfile.TemporaryDirectory() as folder:
    example = pathlib.Path(folder, "example.md")
    example.write_text("[a](gone.md) `engine/gone.c`\n`./e3 gone` and `e3 plan --gone`\n")
    found = len(list(broken(example, names, options)))
failures += found != 4
print(("ok" if found == 4 else "not ok") + f" {len(documents) + 1} - what is gone is found: {found} of 4")
print(f"1..{len(documents) + 1}")
sys.exit(failures > 0)
