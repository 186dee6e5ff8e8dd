"""Parties over real sockets on loopback: the whole life cycle, and what each fault becomes."""
import os
import signal
import sys
import time

from small_controller import Crew

program = sys.argv[1]
tests = []


def test(function):
    tests.append(function)
    return function


@test
def every_party_count_agrees_on_a_derangement():
    for n in (1, 2, 3, 5, 10):
        crew = Crew(program, n)
        assert crew.run() == [0] * n
        values = {tuple(p.said["report"]["output"]["values"]) for p in crew.parties}
        assert len(values) == 1, values
        permutation = values.pop()
        assert sorted(permutation) == list(range(4)), permutation
        assert all(i != v for i, v in enumerate(permutation))


@test
def the_same_seed_gives_the_same_run():
    def outcome(seed):
        crew = Crew(program, 3, seed=str(seed), size="8")
        crew.run()
        report = crew.parties[0].said["report"]
        return report["output"], rounds(report)
    assert outcome(5) == outcome(5)
    assert len({str(outcome(seed)) for seed in range(1, 6)}) > 1


def rounds(report):
    return sum(phase["rounds"] for phase in report["measured"]["phases"])


@test
def a_thousand_rounds_are_counted_exactly():
    for n in (2, 3, 10):
        crew = Crew(program, n, workload="rounds", size="1000")
        assert crew.run() == [0] * n
        for party in crew.parties:
            measured = party.said["report"]["measured"]
            assert rounds(party.said["report"]) == 1000, measured["phases"]
            assert sum(p["app_bytes_out"] for p in measured["phases"]) == 8000 * (n - 1)
        assert len({str(p.said["report"]["output"]) for p in crew.parties}) == 1


@test
def counts_of_both_ends_agree():
    crew = Crew(program, 4)
    crew.run()
    reports = [p.said["report"]["measured"] for p in crew.parties]
    sent = sum(phase["app_bytes_out"] for r in reports for phase in r["phases"])
    received = sum(phase["app_bytes_in"] for r in reports for phase in r["phases"])
    assert sent == received > 0, (sent, received)


@test
def probes_are_answered_beside_the_workload():
    crew = Crew(program, 3, probe_rate_hz=500, workload="rounds", size="20000")
    assert crew.run() == [0] * 3
    for party in crew.parties:
        probes = [h for h in party.said["report"]["measured"]["histograms"] if h["loop"] == "open"]
        assert len(probes) == 2, probes
        assert all(h["count"] > 0 and h["min"] > 0 for h in probes), probes


@test
def a_killed_party_is_named_by_the_others():
    crew = Crew(program, 3, workload="rounds", size="100000")
    crew.reach_open()
    crew.parties[2].process.send_signal(signal.SIGKILL)
    crew.tell("go")
    assert crew.until(lambda: all(p.errors for p in crew.parties[:2])), crew.complaints()
    first = [party.errors[0] for party in crew.parties[:2]]
    assert any("party 2" in e["text"] for e in first), first
    # Who hears of it second may see the other one leave first.
    assert all(e["code"] in ("lost", "cancelled") for e in first), first
    assert crew.end()[:2] == [1, 1]


@test
def a_frozen_party_is_a_timeout_that_names_it():
    crew = Crew(program, 3, workload="rounds", size="100000", round_ms=700)
    crew.reach_open()
    crew.parties[1].process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    crew.tell("go")
    awake = (crew.parties[0], crew.parties[2])
    assert crew.until(lambda: all(p.errors for p in awake)), crew.complaints()
    assert time.monotonic() - began < 5
    first = [party.errors[0] for party in awake]
    assert any(e["code"] == "timeout" and "party 1" in e["text"] for e in first), first
    assert all("party 1" in e["text"] or e["code"] == "cancelled" for e in first), first
    crew.parties[1].process.send_signal(signal.SIGCONT)
    assert None not in crew.end()


@test
def nobody_goes_down_before_all_have_hung_up():
    # An overlay that goes down early takes the others' last acknowledgements with it.
    crew = Crew(program, 2)
    crew.reach_open()
    crew.tell("go")
    assert crew.all_said("report"), crew.complaints()
    crew.hang_up()
    crew.parties[0].send({"t": "down"})
    crew.parties[1].send({"t": "stop"})  # it still waits, so that this is an early end
    assert crew.end() == [0, 1], crew.complaints()
    assert [e["code"] for e in crew.parties[1].errors] == ["cancelled"], crew.complaints()
    assert all("closed" in p.said for p in crew.parties), crew.complaints()


@test
def the_end_of_the_controller_ends_the_party():
    for step in ("prepared", "up", "open"):
        crew = Crew(program, 2)
        if step == "prepared":
            assert crew.all_said("prepared")
        else:
            crew.reach_open()
        for party in crew.parties:
            party.process.stdin.close()
        assert crew.end() == [1, 1], step


@test
def bad_messages_end_the_party_with_a_sentence():
    for data, word in ((b"garbage\n", "no message"), (b'{"t":"fly"}\n', "unexpected"),
                       (b'{"t":"plan"}\n', "plan"), (b'[1]\n', "no message"),
                       (b'{"t":"signal","from":0,"endpoint":7,"data":""}\n', "endpoint"),
                       (b'{"t":"signal","from":0,"endpoint":0,"data":""}\n', "no peer"),
                       (b'{"t":"signal","from":1,"endpoint":0,"data":""}\n', "no peer"),
                       (b'{"t":"cards","cards":[]}\n', "cards")):
        crew = Crew(program, 1)
        crew.parties[0].send_bytes(data)
        codes = crew.end()
        assert codes == [1], (data, codes)
        assert word in crew.parties[0].errors[0]["text"], (data, crew.parties[0].errors)


@test
def a_flood_of_early_signals_names_its_sender():
    crew = Crew(program, 2, probe_rate_hz=500)
    assert crew.all_said("prepared")
    signal_of_1 = {"t": "signal", "from": 1, "endpoint": 1, "data": "A" * 80000}
    for _ in range(20):  # 60 000 bytes each
        crew.parties[0].send(signal_of_1)
    assert crew.until(lambda: crew.parties[0].errors), crew.complaints()
    assert "party 1 sent more than" in crew.parties[0].errors[0]["text"], crew.complaints()
    crew.end(0)  # party 1 waits for what never comes


@test
def unknown_names_are_unsupported_or_refused():
    for changes, word in (({"transport": "pigeon"}, "pigeon"), ({"workload": "chess"}, "chess"),
                          ({"size": "none"}, "none"), ({"options": ["colour", "red"]}, "colour")):
        crew = Crew(program, 2, **changes)
        if "workload" in changes or "size" in changes:
            crew.reach_open()
            crew.tell("go")
        crew.until(lambda: all(p.errors for p in crew.parties))
        codes = crew.end()
        assert codes == [1, 1], (changes, codes)
        assert word in crew.parties[0].errors[0]["text"], crew.complaints()


@test
def nothing_is_left_beside_the_program():
    folder = os.path.dirname(os.path.realpath(program))
    assert not [name for name in os.listdir(folder) if name.startswith("state-")]


failed = 0
for number, function in enumerate(tests, 1):
    try:
        function()
        print(f"ok {number} - {function.__name__}", flush=True)
    except Exception as problem:  # a test program reports, whatever broke
        failed += 1
        print(f"not ok {number} - {function.__name__}: {problem!r}", flush=True)
print(f"1..{len(tests)}")
sys.exit(bool(failed))
