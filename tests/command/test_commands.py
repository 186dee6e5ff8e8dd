"""The program as a user meets it: help, exit codes, one sentence for each mistake."""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests"))
from tap import Tap  # noqa: E402

tap = Tap()
check = tap.check
e3 = sys.argv[1]


def run(*args, env=None, user=None, stdout=subprocess.PIPE):
    return subprocess.run([e3, *args], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, cwd=root, user=user,
                          env={**os.environ, "E3_HOME": str(root), **(env or {})})


def refused(args, sentence, code=2):
    done = run(*args)
    check((done.returncode, done.stderr, done.stdout) == (code, f"e3: {sentence}\n", ""),
          f"e3 {' '.join(args)}: {done.returncode} {done.stderr.strip()!r} {done.stdout[:80]!r}")


def commands():
    """Names in the overview, and those of the whole table."""
    shown = re.findall(r"^  ([a-z][a-z-]*) +\S", run().stdout, re.MULTILINE)
    table = (root / "harness/command/command_table.c").read_text()
    return shown, re.findall(r"&command_(\w+),", table)


def overview():
    shown, everything = commands()
    check({"plan", "list", "doctor", "schema", "help"} <= set(shown) <= set(everything),
          f"the overview shows {shown}")
    for args in ([], ["help"], ["--help"], ["-h"]):
        done = run(*args)
        check(done.returncode == 0 and done.stdout == run().stdout and not done.stderr,
              f"e3 {' '.join(args)} shows the overview")
    check(max(map(len, run().stdout.splitlines())) <= 100, "the overview fits a terminal")
    version = run("--version").stdout
    check(re.fullmatch(r"e3 \d+\.\d+\.\d+ \((unknown|[0-9a-f]{7,}(-dirty)?)\)\n", version),
          f"--version says {version.strip()!r}")


def helps():
    """Every option of every table stands in its help, and every help ends well."""
    shown, everything = commands()
    sources = {}
    for path in (root / "harness").rglob("*.c"):
        text = path.read_text()
        for name in re.findall(r"^const struct command command_(\w+) = {", text, re.MULTILINE):
            sources[name] = text
    shared = (root / "harness/command/plan_options.h").read_text()
    check(set(sources) == set(everything), "each command of the table has one definition")
    for name, source in sorted(sources.items()):
        if "PLAN_OPTIONS(" in source:
            source += shared
        done = run("help", name)
        wanted = set(re.findall(r'\.name = "([a-z][a-z0-9_-]*)",\s*(?:\\\s*)?(?:\.argument =|\.help =)', source))
        missing = [o for o in wanted if not re.search(rf"^  --{o}\b", done.stdout, re.MULTILINE)]
        check(done.returncode == 0 and done.stdout.startswith(f"usage: e3 {name}") and not missing,
              f"help {name} has its {len(wanted)} options {missing}")
        check(run(name, "--help").stdout == done.stdout, f"{name} --help shows the same")


def mistakes():
    refused(["rnu"], "unknown command 'rnu'; did you mean 'run'?")
    refused(["plna"], "unknown command 'plna'; did you mean 'plan'?")
    refused(["measure"], "unknown command 'measure'; `e3 help` lists them")
    refused(["help", "frobnicate"], "help: no command 'frobnicate'; `e3 help` lists them")
    refused(["plan"], "plan: too few arguments; usage: e3 plan SCENARIO [OPTION...]")
    refused(["plan", "a.json", "--partys", "3"], "plan: unknown option --partys; did you mean --parties?")
    refused(["plan", "a.json", "--parties", "11"], "plan: --parties: 11 is not 1..10")
    refused(["plan", "a.json"],
            "a.json: there is no such file; `e3 list scenarios` shows those of E3")
    refused(["list", "transport"], "list: no kind 'transport'; did you mean 'transports'?")
    refused(["list", "x"], "list: no kind 'x'; there is: transports, workloads, scenarios, regions")
    refused(["schema", "print", "../../x"], "schema: '../../x' is no kind of document")
    for args in (["show", "scenario"], ["print", "scenario", "x"], ["check", "scenario"]):
        refused(["schema", *args], "schema: usage: e3 schema print KIND, or e3 schema check KIND FILE...")
    refused(["schema", "check", "matirx", "x"], "schema: can't check 'matirx'; did you mean 'matrix'?")
    refused(["schema", "check", "result", "x"],
            "schema: can't check 'result'; there is: scenario, matrix, inventory")
    refused(["doctor", "now"], "doctor: unexpected 'now'; it takes no argument")
    with open("/dev/full", "w") as full:
        done = run("help", stdout=full)
    check(done.returncode == 4 and done.stderr == "e3: standard output: No space left on device\n",
          f"a full disk is a failure: {done.returncode} {done.stderr.strip()!r}")
    with tempfile.TemporaryDirectory() as folder:
        done = run("list", "scenarios", env={"E3_HOME": folder})
    check(done.returncode == 2 and done.stderr ==
          f"e3: there is no {folder}/scenarios: set E3_HOME to the folder of E3's sources\n",
          f"a wrong E3_HOME is named: {done.stderr.strip()!r}")


def lists():
    everything = json.loads(run("list", "--json").stdout)
    check(list(everything) == ["transports", "workloads", "scenarios", "regions"], "list --json has all kinds")
    for kind, items in everything.items():
        done = run("list", kind)
        names = [i.get("file", i.get("name")) for i in items]
        check(done.returncode == 0 and names and all(n in done.stdout for n in names) and
              "\033" not in done.stdout, f"list {kind} shows {len(names)}")
        check(json.loads(run("list", kind, "--json").stdout) == {kind: items}, f"list {kind} --json")
    tcp = [t for t in everything["transports"] if t["name"] == "tcp"]
    check(len(tcp) == 1 and tcp[0]["supported"] is True and tcp[0]["encryption"] == "none",
          "tcp is there, with what it declares")
    check([r["rtt_ns"]["nyc"] for r in everything["regions"] if r["name"] == "ams"] == [91000000],
          "regions tell their RTTs")
    check(all("error" not in s for s in everything["scenarios"]), "every scenario can be read")
    files = sorted((root / "scenarios").glob("*.json"))
    wanted = [(f"scenarios/{f.name}", d["description"], d["parties"]["regions"])
              for f, d in ((f, json.loads(f.read_text())) for f in files)]
    check([(s["file"], s["description"], s["regions"]) for s in everything["scenarios"]] == wanted,
          "scenarios are those of the folder, with what they say")
    text = run("list", "scenarios").stdout
    check(re.search(r"^  scenarios/distant-4.json +4 +ams nyc sfo sgp +Four parties", text, re.MULTILINE) and
          re.search(r"^  scenarios/two-nearby.json +1\.\.10 +ams lon +One to ten", text, re.MULTILINE),
          "list scenarios has a row for each")
    text = run("list", "regions").stdout
    check(re.search(r"^  ams +West Europe +- +13 +14 +91 ", text, re.MULTILINE) and
          re.search(r"^  syd .* 132 +-$", text, re.MULTILINE), "list regions shows the matrix")
    # Without E3_HOME the folder above that of the program is meant.
    env = {k: v for k, v in os.environ.items() if k != "E3_HOME"}
    done = subprocess.run([e3, "list", "scenarios", "--json"], capture_output=True, text=True, env=env,
                          timeout=60, cwd="/")
    check(json.loads(done.stdout)["scenarios"] == everything["scenarios"], "E3 finds its folder by itself")


def odd_scenarios():
    """Lists with gaps, and files that are none."""
    with tempfile.TemporaryDirectory() as folder:
        scenarios = pathlib.Path(folder, "scenarios")
        scenarios.mkdir()
        (scenarios / "matrices").symlink_to(root / "scenarios/matrices")
        good = json.loads((root / "scenarios/distant-4.json").read_text())
        good["parties"]["count"] = [2, 4, 8]
        (scenarios / "gaps.json").write_text(json.dumps(good))
        (scenarios / "wrong.json").write_text("{")
        done = run("list", "scenarios", env={"E3_HOME": folder})
        pathlib.Path(os.fsdecode(bytes(scenarios) + b"/no\xff\xc3.json")).write_bytes(b"{")
        odd = subprocess.run([e3, "list", "scenarios", "--json"], capture_output=True, timeout=60,
                             env={**os.environ, "E3_HOME": folder}, check=False).stdout
    check(done.returncode == 0 and re.search(r"gaps.json +2, 4, 8 +ams", done.stdout) and
          re.search(r"wrong.json +\? .*line 1, column 2: expected a key", done.stdout),
          "a scenario that can't be read is listed with what is wrong")
    check("scenarios/no??.json" in [s["file"] for s in json.loads(odd.decode())["scenarios"]],
          "a name that is no UTF-8 becomes some in JSON")


def doctor():
    for args, env in ((["doctor"], {}), (["doctor"], {"NO_COLOR": "1"})):
        done = run(*args, env=env)
        check(done.returncode in (0, 69) and "/dev/net/tun" in done.stdout and "\033" not in done.stdout,
              f"doctor ends with {done.returncode}")
    done = run("doctor", "--json")
    report = json.loads(done.stdout)
    missing = [c for c in report["checks"] if c["level"] == "missing"]
    check(report["can_run_emulated"] == (not missing) == (done.returncode == 0),
          f"doctor --json agrees with its exit code {done.returncode}")
    check(all(("fix" in c) == (c["level"] != "ok") for c in report["checks"]),
          "whatever is not ok comes with what to do")
    if os.geteuid() != 0:
        tap.skip("doctor without root", "needs root to become another user")
        return
    # Its own copy: nobody may not be allowed to read the build folder.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = pathlib.Path(folder, "e3")
        copy.write_bytes(pathlib.Path(e3).read_bytes())
        copy.chmod(0o755)
        pathlib.Path(folder, "scenarios").mkdir(mode=0o755)
        done = subprocess.run([copy, "doctor", "--json"], capture_output=True, text=True, timeout=60,
                              cwd="/", user=65534, group=65534, extra_groups=[],
                              env={"E3_HOME": folder, "PATH": os.environ["PATH"]})
    missing = {c["name"]: c["fix"] for c in json.loads(done.stdout)["checks"] if c["level"] == "missing"}
    check(done.returncode == 69 and missing.get("root", "").startswith("sudo "),
          f"doctor without root: {done.returncode}, {sorted(missing)}")


def schemas():
    for path in sorted((root / "docs/schema").glob("*.schema.json")):
        kind = path.name.split(".")[0]
        done = run("schema", "print", kind)
        check((done.returncode, done.stdout, done.stderr) == (0, path.read_text(), ""), f"schema print {kind}")
    done = run("schema", "print", "nothing")
    check(done.returncode == 2 and done.stderr.endswith("kinds are the files of docs/schema\n"),
          f"schema print nothing: {done.stderr.strip()!r}")


def plans():
    """Every shipped scenario can be planned, and its transports take turns fairly."""
    for path in sorted((root / "scenarios").glob("*.json")):
        name = str(path.relative_to(root))
        done = run("plan", name, "--json", "--blocks", "6")
        if done.returncode != 0:
            check(False, f"plan {name}: {done.stderr.strip()}")
            continue
        plan = json.loads(done.stdout)
        cells, steps = plan["cells"], plan["steps"]
        places = collections.Counter((s["cell"], s["position"]) for s in steps)
        transports = len({c["transport"] for c in cells})
        check(len(steps) == 6 * len(cells) and [s["block"] for s in steps] == sorted(s["block"] for s in steps) and
              all(places[c, p] == 6 // transports for c in range(len(cells)) for p in range(transports)),
              f"plan {name}: {len(cells)} cells, each transport equally often first")
        text = run("plan", name).stdout
        check(text.startswith(path.stem + ": ") and f"\n{len(cells)} cell" in text, f"plan {name} for people")
    done = run("plan", "scenarios/many-distant.json", "--json", "--parties", "3", "--transport", "tcp",
               "--workload", "secret-santa", "--mode", "min", "--size", "high", "--blocks", "1")
    cells = json.loads(done.stdout)["cells"]
    check([(c["parties"], c["transport"], c["workload"], c["mode"], c["size"], c["blocks"]) for c in cells] ==
          [(3, "tcp", "secret-santa", "min", "high", 1)], "plan keeps the cells asked for")


overview()
helps()
mistakes()
lists()
odd_scenarios()
doctor()
plans()
schemas()
sys.exit(tap.end())
