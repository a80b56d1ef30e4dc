"""A client that knows only Lockstep's .proto files: submits a training job, watches it, breaks off, resumes, downloads the model.

usage: python train.py --cluster CLUSTER.JSON --protos FOLDER --module VERSION --examples VERSION --output NAME --to FOLDER
CLUSTER.JSON holds {"coordinator": "host:port", "artifact": "host:port"}: `lockstep up` writes it into its data folder.
"""
import argparse
import hashlib
import importlib
import json
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
    for flag in ("cluster", "protos", "module", "examples", "output", "to"):
        parser.add_argument(f"--{flag}", required=True)
    args = parser.parse_args()
    with open(args.cluster, encoding="utf-8") as file:
        cluster = json.load(file)
    compile_protos(args.protos)
    load = importlib.import_module
    coordinator_pb2, coordinator_grpc = load("lockstep.coordinator.v1.coordinator_pb2"), load("lockstep.coordinator.v1.coordinator_pb2_grpc")
    job_pb2 = load("lockstep.coordinator.v1.job_pb2")
    artifact_pb2, artifact_grpc = load("lockstep.artifact.v1.artifact_service_pb2"), load("lockstep.artifact.v1.artifact_service_pb2_grpc")
    error_details = load("google.rpc.error_details_pb2")

    jobs = coordinator_grpc.CoordinatorServiceStub(grpc.insecure_channel(cluster["coordinator"]))
    artifacts = artifact_grpc.ArtifactServiceStub(grpc.insecure_channel(cluster["artifact"]))
    told = {}

    # Several bad fields come back in one answer.
    try:
        jobs.CreateTrainJob(coordinator_pb2.CreateTrainJobRequest(spec=job_pb2.TrainJobSpec()), timeout=30)
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        bad = error_details.BadRequest()
        next(d for d in status.details if d.type_url.endswith("BadRequest")).Unpack(bad)
        told["violations"] = [v.field for v in bad.field_violations]

    spec = job_pb2.TrainJobSpec(module=args.module, examples=[args.examples], output=f"artifacts/{args.output}", seed=5,
                                workers=job_pb2.WorkerCount(min=2, max=2))
    request = coordinator_pb2.CreateTrainJobRequest(spec=spec, request_id=f"python-{args.output}")
    job = jobs.CreateTrainJob(request, timeout=60)
    told["same_job"] = jobs.CreateTrainJob(request, timeout=60).name == job.name

    # Watch, break off after three events, and go on after the last one that was seen.
    events = []
    watching = jobs.WatchJob(coordinator_pb2.WatchJobRequest(name=job.name), timeout=120)
    for event in watching:
        events.append(event)
        if len(events) == 3:
            watching.cancel()
            break
    for event in jobs.WatchJob(coordinator_pb2.WatchJobRequest(name=job.name, after_sequence=events[-1].sequence), timeout=120):
        events.append(event)
    again = list(jobs.WatchJob(coordinator_pb2.WatchJobRequest(name=job.name), timeout=120))
    told["events"] = [e.WhichOneof("event") for e in events]
    told["resumed_equals_whole"] = [e.sequence for e in events] == [e.sequence for e in again]

    job = jobs.GetTrainJob(coordinator_pb2.GetTrainJobRequest(name=job.name), timeout=30)
    told["state"] = job_pb2.JobState.Name(job.state)
    told["model_digest"] = job.result.model_digest

    # The model, blob by blob, each checked against its name.
    version = artifacts.GetVersion(artifact_pb2.GetVersionRequest(name=job.result.model), timeout=30)
    for entry in version.entries:
        path = os.path.join(args.to, entry.path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            for blob in entry.blobs:
                data = b"".join(part.data for part in artifacts.ReadBlob(artifact_pb2.ReadBlobRequest(sha256=blob.sha256), timeout=60))
                if hashlib.sha256(data).hexdigest() != blob.sha256:
                    raise SystemExit(f"{entry.path}: a blob does not have its digest")
                file.write(data)
    told["files"] = sorted(entry.path for entry in version.entries)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
