#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the figures of a result agree with one another? What docs/measurement.md says they are, added up again.

usage: consistency.py RESULT...        a sentence for each thing that doesn't; ends with 1 if there is any
"""
import json
import math
import sys

LIFE = ("prepare", "exchange", "up", "open", "run", "close", "down", "finalise")
SETUP, TEARDOWN = LIFE[:4], LIFE[5:]
COUNTS = ("messages_out", "messages_in", "app_bytes_out", "app_bytes_in")
HEADER_BYTES = 40  # IPv4 and TCP, of every packet at least
PACKET_BYTES_MAX = 1500


def problems(document):
    """Sentences; none when all is well."""
    found = []
    for cell in document["cells"]:
        what = " ".join(str(value) for value in cell["cell"].values())
        for block in cell["blocks"]:
            place = f"{what}, block {block['index']}, attempt {block['attempt']}"
            say = _teller(found, place)
            for name, host in block["hosts"].items():
                if host["report"] is not None and "measured" in host["report"]:
                    _look_at_party(host, _teller(found, f"{place}, {name}"))
            if block["status"] == "ok":
                _look_at_block(document, cell, block, say)
        _look_at_cell(cell, _teller(found, what))
    _compare_transports(document, found)
    return found


def _teller(found, place):
    def say(is_so, sentence):
        if not is_so:
            found.append(f"{place}: {sentence}")
    return say


def _same(a, b):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def _look_at_histogram(h, say):
    what = f"{h['metric']} {h['from']} to {h['to']} in {h['phase']}"
    quantiles = [h[key] for key in ("min", "p50", "p90", "p99", "p999", "max") if h[key] is not None]
    say(h["count"] == 0 or quantiles == sorted(quantiles), f"{what}: quantiles fall: {quantiles}")
    if h["count"] > 0:
        say(h["count"] * h["min"] <= h["sum"] <= h["count"] * h["max"],
            f"{what}: the sum is not between count x min and count x max")
        say(abs(h["mean"] - h["sum"] / h["count"]) <= 1, f"{what}: the mean {h['mean']} is not sum / count")


def _total(items, key):
    return sum(item[key] for item in items)


def _look_at_party(host, say):
    """Totals of a party are the sums over its phases, its peers and its histograms."""
    measured, party = host["report"]["measured"], host["party"]
    phases, pairs = measured["phases"], measured["pairs"]
    for key in COUNTS + ("rounds", "wall_ns", "waiting_ns", "compute_ns"):
        say(_total(phases, key) == measured[key], f"{key}: phases add up to {_total(phases, key)}, not {measured[key]}")
    for key in COUNTS:
        say(_total(pairs, key) == measured[key], f"{key}: peers add up to {_total(pairs, key)}, not {measured[key]}")
    for of in [measured] + phases:
        say(of["wall_ns"] == of["waiting_ns"] + of["compute_ns"], f"wall {of['wall_ns']} is not waiting + computing")
    for h in measured["histograms"]:
        _look_at_histogram(h, say)
    for phase in phases:
        rounds = [h for h in measured["histograms"] if h["metric"] == "round_ns" and h["phase"] == phase["name"]]
        for key, of in (("count", "rounds"), ("sum", "waiting_ns")):
            say(_total(rounds, key) == phase[of],
                f"{phase['name']}: {of} is {phase[of]}, by the histograms {_total(rounds, key)}")
    for pair in pairs:
        arrived = [h for h in measured["histograms"] if h["metric"] == "arrival_ns" and h["from"] == pair["peer"]]
        # One that nobody needed may be under way when the party is done.
        say(_total(arrived, "count") <= pair["messages_in"],
            f"from party {pair['peer']}: {_total(arrived, 'count')} arrivals, {pair['messages_in']} messages")
        say(all(h["to"] == party for h in arrived), "arrivals of another party")


def _look_at_block(document, cell, block, say):
    figures, hosts = block["figures"], list(block["hosts"].values())
    parties = {host["party"]: host["report"]["measured"] for host in hosts}
    _look_at_ends(parties, say)
    _look_at_sums(block, parties, say)
    _look_at_time(document, block, parties, say)
    learned = {output["sha256"] for output in (host["report"]["output"] for host in hosts) if output is not None}
    say(len(learned) <= 1, "parties learned different things")
    for host in hosts:
        report = host["report"]
        say(report.get("facts", {}).get("implementation") != "wireguard-go" or report["measured"]["messages_out"] == 0
            or report["process"].get("helpers_cpu_ns", 0) > 0, f"party {host['party']}: its wireguard-go took no CPU time")
    say(figures["attempts"] is None or figures["attempts"] >= 1, "no attempt")
    say(sorted(parties) == list(range(cell["cell"]["parties"])), f"parties are {sorted(parties)}")


def _look_at_ends(parties, say):
    """What one party sent to another is what that one was due to get."""
    for a, measured in parties.items():
        for pair in measured["pairs"]:
            back = next(p for p in parties[pair["peer"]]["pairs"] if p["peer"] == a)
            for sent, got in (("messages_out", "messages_in"), ("app_bytes_out", "app_bytes_in")):
                say(pair[sent] == back[got], f"party {a} to {pair['peer']}: {sent} {pair[sent]}, {got} {back[got]}")


def _look_at_sums(block, parties, say):
    figures = block["figures"]
    sums = {"messages": sum(m["messages_out"] for m in parties.values()),
            "app_bytes": sum(m["app_bytes_out"] for m in parties.values()),
            "rounds": max(m["rounds"] for m in parties.values())}
    for key, value in sums.items():
        say(figures[key] == value, f"{key} is {figures[key]}, by the parties {value}")
    for key in ("messages", "app_bytes"):
        say(_total(figures["phases"], key) == figures[key],
            f"{key}: phases add up to {_total(figures['phases'], key)}, not {figures[key]}")
    for phase in figures["phases"]:
        of = [next((p for p in m["phases"] if p["name"] == phase["name"]), None) for m in parties.values()]
        of = [p for p in of if p is not None]
        say(phase["rounds"] == max(p["rounds"] for p in of), f"phase {phase['name']}: rounds")
        say(phase["wall_ns"] == max(p["wall_ns"] for p in of), f"phase {phase['name']}: wall")
    life = block["phases_ns"]
    say(figures["setup_ns"] == sum(life[key] for key in SETUP), "setup_ns is not its four phases")
    say(figures["teardown_ns"] == sum(life[key] for key in TEARDOWN), "teardown_ns is not its three phases")
    if figures["wire_bytes"] is not None:
        packets = figures["wire_packets"]
        # What nobody needed may still be with the sender's kernel when the run is over.
        say(2 * figures["wire_bytes"] >= figures["app_bytes"],
            f"{figures['wire_bytes']} bytes on the wire carried {figures['app_bytes']}")
        say(HEADER_BYTES * packets <= figures["wire_bytes"] <= PACKET_BYTES_MAX * packets,
            f"{figures['wire_bytes']} bytes in {packets} packets")


def _look_at_time(document, block, parties, say):
    figures = block["figures"]
    wall, floor = figures["wall_ns"], figures["network_floor_ns"]
    longest = max(m["wall_ns"] for m in parties.values())
    emulated = document["provenance"]["inventory"]["backend"] == "emulated"
    say(wall >= longest if emulated else wall == longest, f"the run took {wall}, one of its parties {longest}")
    parts = figures["decomposition"]
    if parts is not None:
        say(sum(parts[part] for part in ("latency_ns", "transfer_ns", "compute_ns", "rest_ns")) == wall,
            f"the decomposition does not add up to {wall}")
        say(min(parts["latency_ns"], parts["transfer_ns"], parts["compute_ns"]) >= 0, f"a part is negative: {parts}")
        if parts["method"] == "critical_path":
            say(max(parts["latency_ns"], parts["compute_ns"]) <= wall, f"a part is more than the whole {wall}: {parts}")
    if floor is None:
        return
    if figures["network_efficiency"] is not None:
        say(_same(figures["network_efficiency"], floor / wall), f"efficiency is not {floor} / {wall}")
    network = document["provenance"]["scenario"]["document"]["network"]
    if emulated:
        longest = _longest_delay_ns(document, len(parties)) * block["delay_scale"]
        say(floor <= figures["rounds"] * longest + 1,
            f"floor {floor} is more than {figures['rounds']} rounds x {longest}")
    if emulated and network.get("jitter_us", 0) == 0:
        say(floor <= wall, f"{wall} is less than the delays alone, {floor}")
    rate = network.get("rate_mbps")
    if emulated and rate is not None:
        most = max((pair["app_bytes_out"] for m in parties.values() for pair in m["pairs"]), default=0)
        say(wall >= 0.9 * most * 8e3 / rate, f"{most} bytes at {rate} Mbit/s take more than {wall} ns")


def _longest_delay_ns(document, n_parties):
    """From one party to another, by the matrix and the scenario that the result embeds."""
    scenario = document["provenance"]["scenario"]["document"]
    matrix = document["provenance"]["matrix"]["document"]
    network, regions = scenario["network"], scenario["parties"]["regions"]
    longest = 0
    for a in range(n_parties):
        for b in range(n_parties):
            here, there = regions[a % len(regions)], regions[b % len(regions)]
            if a == b:
                continue
            if here == there:
                one_way = network.get("intra_region_one_way_us", 150) * 1e3
            else:
                one_way = matrix["rtt"][matrix["sites"].index(here)][matrix["sites"].index(there)] * 1e6 / 2
            longest = max(longest, one_way * network.get("scale", 1))
    return longest


def _look_at_cell(cell, say):
    figures = cell["figures"]
    ok = [b for b in cell["blocks"] if b["status"] == "ok" and b["delay_scale"] == 1]
    if figures is None:
        say(not ok, "no figures of blocks that are ok")
        return
    used = [b for b in ok if not b["taints"]] or ok
    say(figures["blocks_ok"] == len(ok), f"{figures['blocks_ok']} blocks ok, counted {len(ok)}")
    say(figures["uses_tainted"] == all(b["taints"] for b in ok), "uses_tainted")
    for key in ("wall_ns", "rounds", "app_bytes", "messages", "network_efficiency"):
        values = sorted(b["figures"][key] for b in used if b["figures"][key] is not None)
        if figures[key] is None or not values:
            say(not values, f"{key} is missing")
            continue
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        say(_same(figures[key]["min"], values[0]) and _same(figures[key]["max"], values[-1])
            and abs(figures[key]["median"] - middle) <= 1, f"{key} of {values} is {figures[key]}")
    rounds = [h for b in used for host in b["hosts"].values() for h in host["report"]["measured"]["histograms"]
              if h["metric"] == "round_ns"]
    if figures["round_ns"] is not None:
        _look_at_histogram(figures["round_ns"], say)
        for key in ("count", "sum"):
            say(figures["round_ns"][key] == _total(rounds, key),
                f"round_ns/{key}: parties' add up to {_total(rounds, key)}")


def _compare_transports(document, found):
    """One seed: the same messages over every transport."""
    by_work = {}
    for cell in document["cells"]:
        work = " ".join(str(value) for key, value in cell["cell"].items() if key != "transport")
        for block in cell["blocks"]:
            if block["status"] == "ok":
                counts = tuple(block["figures"][key] for key in ("rounds", "messages", "app_bytes", "attempts"))
                by_work.setdefault(work, set()).add(counts)
    for null in document["null"]:
        work = " ".join(str(value) for value in null["cell"].values())
        if null["status"] == "ok" and work in by_work and {c[0] for c in by_work[work]} != {null["rounds"]}:
            found.append(f"{work}: {null['rounds']} rounds without a network, else {by_work[work]}")
    found += [f"{work}: rounds, messages, bytes, attempts differ: {counts}"
              for work, counts in by_work.items() if len(counts) > 1]


def main():
    n = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as text:
            for sentence in problems(json.load(text)):
                print(f"{path}: {sentence}")
                n += 1
    return bool(n)


if __name__ == "__main__":
    sys.exit(main())
