#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The validator (`busbar plugin check`) against plugins of which each breaks one rule.

    validator_test.py            each case on the plugin that is wrong in it, which passes the quick ones of the same group; the good
                                 plugin in all cases, the kept ones in many
    validator_test.py --matrix [CASE…]
                                 each wrong plugin, or these, in all cases: it fails in that one alone, and in those that
                                 CONSEQUENCES lists (all: some 15 minutes)

Needs .build/stage. The last line is “N passed, N failed”."""

import concurrent.futures
import json
import os
import platform
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "validator"))
import build  # noqa: E402
import languages_test  # noqa: E402

BUSBAR = os.environ.get("BUSBAR", os.path.join(build.ROOT, ".build", "stage", "bin", "busbar"))
BAD = ("failed", "crashed", "stuck")
# What a plugin that was built long ago has to go on doing.
LASTING = ("manifest-valid", "ids-match-binary", "one-export", "loads-now-local", "refuses-wrong-major", "open-and-read",
           "open-close-without-growth", "fifty-links-in-parallel", "tags-obeyed", "keeps-nothing", "reads-no-further", "types-match",
           "recovers-after-loss", "command-takes-effect", "unknown-when-reply-lost", "doubled-answers", "longer-tables",
           "no-optional-service", "isolated-same-values", "isolated-commands")
# Cases that wait for deadlines or repeat something often.
SLOW = {"open-close-without-growth", "open-fails-cleanly", "fifty-links-in-parallel", "deadline-kept", "cancel-within-200-ms",
        "bad-quality-on-loss", "recovers-after-loss", "unknown-when-reply-lost", "truncated-answers", "doubled-answers", "delayed-answers",
        "flipped-bits", "endless-answers", "isolated-recovers"}
# A plugin that is wrong in the one cannot be right in the others: these, each of them, and no more.
CONSEQUENCES = {
    # What close leaves behind it leaves behind too where something failed before.
    "open-close-without-growth": {"open-fails-cleanly"},
    # Cases that do the same on their way to something else.
    "devices-come-and-go": {"isolated-same-values"},
    "two-links-at-once": {"fifty-links-in-parallel", "opens-nothing-itself"},
    # Where part of an answer is lost, or comes late, or never ends, calls run into their deadlines as they do in silence.
    "deadline-kept": {"truncated-answers", "delayed-answers", "endless-answers"},
    "bad-quality-on-loss": {"truncated-answers", "isolated-recovers"},
    "recovers-after-loss": {"truncated-answers", "delayed-answers", "flipped-bits", "endless-answers", "isolated-recovers"},
    # What is done without being sent was done without an answer, and is no more done in a child.
    "command-takes-effect": {"unknown-when-reply-lost", "isolated-commands"},
    "dry-run-changes-nothing": {"isolated-commands"},
    # In a child the far end cuts answers off and closes, too.
    "truncated-answers": {"isolated-recovers"},
    "closed-connections": {"isolated-recovers"},
    # Points have to be sent, good or bad, out of such answers too.
    "flipped-bits": {"every-due-point-answered"},
    # Who takes a late answer for the next one takes the second of two for it.
    "delayed-answers": {"doubled-answers"},
}

# More ways to break the rule of a case, and what it says of them.
WAYS = {"opens-nothing-itself/closes": "failed", "every-due-point-answered/garbled": "failed", "numbers-finite/time": "failed",
        "two-links-at-once/lock": "failed", "reads-no-further/writes": "crashed",
        "unknown-when-reply-lost/repeats": "failed", "permissions-minimal/surplus": "warning",
        # By plugins whose devices connect by themselves.
        "open-close-without-growth/visit": "failed", "keeps-nothing/visit": "crashed", "reads-no-further/visit": "crashed",
        "deadline-kept/visit": "failed", "status-known/visit": "failed", "batches-committed/visit": "failed",
        "bad-quality-on-loss/visit": "failed", "recovers-after-loss/visit": "failed", "command-takes-effect/visit": "failed",
        "nothing-while-alone/done": "failed", "unknown-when-reply-lost/visit": "failed", "unknown-when-reply-lost/visit-fails": "failed",
        "unknown-when-reply-lost/visit-repeats": "failed", "truncated-answers/visit": "crashed",
        "truncated-answers/visit-guesses": "failed", "doubled-answers/visit": "failed", "endless-answers/visit": "failed",
        "closed-connections/visit": "failed", "tags-obeyed/visit": "failed", "delayed-answers/visit": "failed",
        "flipped-bits/visit": "crashed", "isolated-same-values/visit": "failed", "isolated-recovers/visit": "failed",
        "isolated-commands/visit": "failed"}

# What a plugin whose devices connect by themselves has nothing to show in.
UNVISITED = {"cancel-within-200-ms", "every-due-point-answered"}

# Cases of other groups that used to fail with a plugin whose fault is not theirs.
CONFUSED = {"open-and-read": {"bad-quality-on-loss", "back-pressure-honoured", "dry-run-changes-nothing", "isolated-commands"}}


def check(library, *cases, quality=None):
    """Case to (verdict, text)."""
    command = [BUSBAR, "plugin", "check", library, "--json", *(["--quality", quality] if quality else [])]
    for case in cases:
        command += ["--case", case]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    verdicts = {entry["case"]: (entry["verdict"], entry["text"]) for entry in report["cases"]}
    if (done.returncode == 0) == any(verdict in BAD for verdict, _ in verdicts.values()):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}, its verdicts are {verdicts}")
    return verdicts


def main():
    matrix = sys.argv[1:2] == ["--matrix"]
    if sys.argv[1:] and not matrix:
        sys.exit(__doc__)
    listed = json.loads(subprocess.run([BUSBAR, "plugin", "check", "--list", "--json"], check=True, capture_output=True, text=True).stdout)
    groups = {entry["case"]: entry["group"] for entry in listed}
    cases = list(groups)
    wrong = sys.argv[2:] or cases
    if set(wrong) - set(cases):
        sys.exit(f"no case of the validator: {', '.join(sorted(set(wrong) - set(cases)))}")
    results = []

    def result(title, problem):
        results.append(not problem)
        if problem:
            print(f"failed: {title}: {problem}", flush=True)

    with tempfile.TemporaryDirectory() as place, concurrent.futures.ThreadPoolExecutor(2) as pool:
        good = check(build.build("none", place))
        result("the good plugin", ", ".join(f"{name} {verdict}: {text}" for name, (verdict, text) in good.items() if verdict != "passed"))
        visited = check(build.build("none/visit", place))
        result("the good plugin whose device connects by itself", ", ".join(
            f"{name} {verdict}: {text}" for name, (verdict, text) in visited.items() if verdict != ("skipped" if name in UNVISITED else "passed")))
        result("cases for such devices alone", ", ".join(sorted((set(visited) - set(good)) ^ set(build.ALONE))))

        def kept(entry):
            name, path, _ = entry
            return name, check(path, *[case for case in LASTING if case in cases], quality=os.path.join(build.ROOT, "PluginAPI", "Templates", "common", "quality.json"))

        old = list(languages_test.kept_plugins(place)) if platform.machine() == "x86_64" else []
        for name, verdicts in pool.map(kept, old):
            result(f"kept {name}", ", ".join(f"{case} {verdict}: {text}" for case, (verdict, text) in verdicts.items() if verdict in BAD))

        def one(case):
            library = build.build(case, place)
            near = {case} | {name for name in cases if groups[name] == groups[case]} - SLOW | CONFUSED.get(case, set())
            return check(library, *[name for name in cases if matrix or name in near])

        for case, verdicts in zip(wrong, pool.map(one, wrong)):
            verdict, text = verdicts[case]
            result(case, "" if verdict in BAD else f"the plugin that is wrong in it {verdict}: {text}")
            others = {name for name, (verdict, _) in verdicts.items() if verdict in BAD and name != case}
            expected = CONSEQUENCES.get(case, set()) & set(verdicts)
            result(f"{case} alone", "; ".join(
                [f"its plugin also fails {name}: {verdicts[name][1]}" for name in sorted(others - expected)] +
                [f"its plugin passes {name}, which CONSEQUENCES says it fails" for name in sorted(expected - others)]))
        def way(name):
            case = name.split("/")[0]
            return name, check(build.build(name, place), case)[case]

        for name, (verdict, text) in pool.map(way, WAYS if not sys.argv[2:] else []):
            result(name, "" if verdict == WAYS[name] else f"it {verdict}: {text}")
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
