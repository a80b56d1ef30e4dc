"""A client that knows only Lockstep's .proto files: makes a study, asks for trials, evaluates them itself and tells what came of them.

usage: python search.py --tuner HOST:PORT --protos FOLDER
"""
import argparse
import importlib
import json
import math
import os
import sys
import tempfile

import grpc
from grpc_status import rpc_status
from grpc_tools import protoc


def compile_protos(folder):
    """Generates Python messages and stubs from the .proto files, as any user of the contract would."""
    out = tempfile.mkdtemp(prefix="lockstep-protos-")
    files = [os.path.join(at, f) for at, _, names in os.walk(folder) for f in names if f.endswith(".proto")]
    well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    code = protoc.main(["protoc", f"-I{folder}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *files])
    if code != 0:
        raise SystemExit(f"protoc ended with {code}")
    sys.path.insert(0, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("tuner", "protos"):
        parser.add_argument(f"--{flag}", required=True)
    args = parser.parse_args()
    compile_protos(args.protos)
    load = importlib.import_module
    service, rpcs = load("lockstep.tuner.v1.tuner_service_pb2"), load("lockstep.tuner.v1.tuner_service_pb2_grpc")
    study_pb2, space_pb2, trial_pb2 = (load(f"lockstep.tuner.v1.{name}_pb2") for name in ("study", "space", "trial"))
    error_details = load("google.rpc.error_details_pb2")
    tuner = rpcs.TunerServiceStub(grpc.insecure_channel(args.tuner))
    told = {}

    # Several bad fields come back in one answer.
    try:
        tuner.CreateStudy(service.CreateStudyRequest(spec=study_pb2.StudySpec()), timeout=30)
    except grpc.RpcError as error:
        bad = error_details.BadRequest()
        next(d for d in rpc_status.from_call(error).details if d.type_url.endswith("BadRequest")).Unpack(bad)
        told["violations"] = [v.field for v in bad.field_violations]

    x = space_pb2.Parameter(name="x", float_range=space_pb2.FloatRange(min=-5, max=10))
    y = space_pb2.Parameter(name="y", float_range=space_pb2.FloatRange(min=0, max=15))
    spec = study_pb2.StudySpec(
        search_space=space_pb2.SearchSpace(parameters=[x, y]), objectives=[study_pb2.Objective(metric="branin", direction=study_pb2.DIRECTION_MIN)],
        bayesian_optimization=study_pb2.BayesianOptimization(), max_trials=25, seed=3,
    )
    study = tuner.CreateStudy(service.CreateStudyRequest(spec=spec, study_id="python", request_id="python"), timeout=30)
    told["same_study"] = tuner.CreateStudy(service.CreateStudyRequest(spec=spec, study_id="python", request_id="python"), timeout=30).name == study.name

    while True:
        answer = tuner.SuggestTrials(service.SuggestTrialsRequest(parent=study.name, client_id="python"), timeout=60)
        outcome = answer.WhichOneof("outcome")
        if outcome == "over":
            break
        if outcome == "nothing_yet":
            continue
        (trial,) = answer.suggested.trials
        values = {v.name: v.value.float_value for v in trial.values}
        a, b = values["x"], values["y"]
        loss = (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10
        success = service.Success(metrics=[trial_pb2.Metric(name="branin", value=loss)])
        tuner.CompleteTrial(service.CompleteTrialRequest(trial=trial.name, client_id="python", success=success), timeout=30)

    (best,) = tuner.ListBestTrials(service.ListBestTrialsRequest(parent=study.name), timeout=30).trials
    told["best"] = best.succeeded.scores[0]
    study = tuner.GetStudy(service.GetStudyRequest(name=study.name), timeout=30)
    told["state"], told["succeeded"] = study.WhichOneof("state"), study.trials.succeeded
    watching = tuner.WatchStudy(service.WatchStudyRequest(name=study.name), timeout=60)
    told["events"] = []
    for event in watching:
        told["events"].append(event.WhichOneof("event"))
        if event.WhichOneof("event") == "updated" and event.updated.WhichOneof("state") == "completed":
            watching.cancel()
            break
    print(json.dumps(told))


main()
