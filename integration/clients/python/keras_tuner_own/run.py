"""KerasTuner's own tests against a tuner that serves studies to KerasTuner's workers.

usage: python run.py --checkout FOLDER --tuner HOST:PORT --oracles HOST:PORT,... --protos FOLDER [--only FILE]
--checkout: of keras-team/keras-tuner; only its tests are used, the KerasTuner that is tested with is the installed one.
--oracles: of the tuner's --keras-tuner HOST:PORT=kt-0, kt-1, ...: each test uses up one, or some.
--only: one file of listed.json.
The last line is JSON: {unlisted, absent, outcomes: {FILE: {TEST: "passed" | "different" | what went wrong}}}.
"""
import argparse
import ast
import json
import pathlib
import shutil
import sys
import tempfile

import pytest
from names import use_repository_names
from plugin import Plugin
from served import Service
from study import Studies, compile_protos

HERE = pathlib.Path(__file__).parent
PACKAGE = "keras_tuner"
# What the tests import beside KerasTuner itself, and what sets their seeds.
SUPPORT = ["conftest.py", "test_utils/mock_distribute.py"]
# A test that hangs says where after so long; what it waits for has deadlines of its own.
TRACEBACK_AFTER_S = 200


def tests_in(file):
    return [node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def named(entry):
    """All tests of a file that the list has."""
    return [*entry.get("served", []), *entry.get("client", {}), *entry.get("different", {}), *entry.get("notServed", {})]


def compare(listed, sources):
    """Tests of the checkout that nobody has decided about, and decisions about tests that it does not have."""
    folders = {file.partition("/")[0] for file in listed if not file.startswith("engine/")}
    files = {*listed, *(path.relative_to(sources).as_posix() for folder in folders for path in (sources / folder).glob("*_test.py"))}
    present = {f"{file}::{test}" for file in files if (sources / file).exists() for test in tests_in(sources / file)}
    decided = {f"{file}::{test}" for file, entry in listed.items() for test in named(entry)}
    return sorted(present - decided), sorted(decided - present)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("checkout", "tuner", "oracles", "protos"):
        parser.add_argument(f"--{flag}", required=True)
    parser.add_argument("--only")
    args = parser.parse_args()
    listed = json.loads((HERE / "listed.json").read_text())
    sources = pathlib.Path(args.checkout) / PACKAGE
    missing = next((sources / file for file in [*SUPPORT, *listed] if not (sources / file).exists()), None)
    if missing:
        parser.error(f"{missing} does not exist: --checkout is to be the root folder of a checkout of github.com/keras-team/keras-tuner")
    unlisted, absent = compare(listed, sources)

    with tempfile.TemporaryDirectory(prefix="lockstep-keras-tuner-") as folder:
        # Away from the checkout's own keras_tuner, which is not what workers have installed.
        tests, messages = pathlib.Path(folder).resolve() / "tests", pathlib.Path(folder) / "messages"
        messages.mkdir()
        compile_protos(args.protos, messages)
        sys.path.append(str(messages))
        chosen = [file for file in listed if args.only in (None, file)]
        for file in [*SUPPORT, *chosen]:
            (tests / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sources / file, tests / file)
        nodes = [
            f"{tests / file}::{test}" for file in chosen for test in tests_in(tests / file)
            if test not in listed[file].get("notServed", {}) and f"{file}::{test}" not in unlisted
        ]
        outcomes = run(tests, nodes, listed, args)
    found = {file: {} for file in chosen}
    for node, outcome in outcomes.items():
        file, _, test = node.partition("::")
        found[file][test] = outcome
    print(json.dumps({"unlisted": unlisted, "absent": absent, "outcomes": found}))


def run(tests, nodes, listed, args):
    use_repository_names(tests)
    plugin = Plugin(Service(Studies(args.tuner), args.oracles.split(",")), listed)
    pytest.main(
        [
            f"--rootdir={tests}", "-c", "/dev/null", "--import-mode=importlib", "-p", "no:cacheprovider", "-o", f"faulthandler_timeout={TRACEBACK_AFTER_S}",
            f"--basetemp={tests.parent / 'tmp'}", "-W", "ignore", "-q", "--durations=5", *nodes,
        ],
        plugins=[plugin],
    )
    return plugin.outcomes


main()
