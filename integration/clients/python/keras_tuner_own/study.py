"""Studies of a tuner, made from what a Python oracle says of itself."""
import importlib
import json
import pathlib
import subprocess
import sys

import grpc
from keras_tuner.src.engine import objective as objectives
from keras_tuner.src.tuners import bayesian, gridsearch, hyperband, randomsearch

TIMEOUT_S = 60


def compile_protos(protos, out):
    """Generates the tuner's messages and stubs, in a process of its own: the compiler and TensorFlow in one process abort (grpcio-tools 1.85, TensorFlow 2.21)."""
    files = [str(file) for service in ("tuner", "coordinator") for file in (pathlib.Path(protos) / "lockstep" / service).rglob("*.proto")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"--python_out={out}", f"--grpc_python_out={out}", *files], check=True, timeout=TIMEOUT_S)


class Studies:
    """The tuner's own face. What `compile_protos` made has to lie in sys.path."""

    def __init__(self, tuner):
        self._service, rpcs, self._study, self._space = (
            importlib.import_module(f"lockstep.tuner.v1.{name}") for name in ("tuner_service_pb2", "tuner_service_pb2_grpc", "study_pb2", "space_pb2")
        )
        self._stub = rpcs.TunerServiceStub(grpc.insecure_channel(tuner))

    def create(self, study_id, oracle):
        """Makes the study that the oracle describes, with the trials that a test has put into it as history."""
        kind, settings = self._algorithm(oracle)
        given = {name: getattr(oracle, name) for name in ("max_trials", "max_retries_per_trial", "max_consecutive_failed_trials") if getattr(oracle, name) is not None}
        spec = self._study.StudySpec(objectives=self._objectives(oracle.objective), seed=oracle.seed, **{kind: settings}, **given)
        is_kerastuners = kind != "random_search" or isinstance(oracle, randomsearch.RandomSearchOracle)
        if is_kerastuners or oracle.hyperparameters.space:
            spec.discovery.SetInParent()
        else:
            # The values of a test's own oracle come from nowhere: any that do not run out will do.
            spec.search_space.parameters.add(name="hp1", float_range=self._space.FloatRange(min=0, max=1))
        study = self._stub.CreateStudy(self._service.CreateStudyRequest(study_id=study_id, spec=spec), timeout=TIMEOUT_S)
        if oracle.hyperparameters.space or oracle.trials:
            self._import(study.name, oracle)

    def is_over(self, study_id):
        study = self._stub.GetStudy(self._service.GetStudyRequest(name=f"studies/{study_id}"), timeout=TIMEOUT_S)
        return study.WhichOneof("state") != "active"

    def _import(self, name, oracle):
        files = self._service.KerasTunerTrials(
            oracle_json=json.dumps({"hyperparameters": oracle.hyperparameters.get_config()}),
            trial_json=[json.dumps(trial.get_state()) for trial in oracle.trials.values()],
        )
        answer = self._stub.ImportTrials(self._service.ImportTrialsRequest(parent=name, keras_tuner=files), timeout=TIMEOUT_S)
        if answer.skipped:
            raise AssertionError(f"{name} did not take up: {'; '.join(answer.skipped)}")

    def _algorithm(self, oracle):
        """The field of the spec and its message. Settings of KerasTuner's own model (alpha, beta) are not another model's."""
        if isinstance(oracle, gridsearch.GridSearchOracle):
            return "grid_search", self._study.GridSearch()
        if isinstance(oracle, hyperband.HyperbandOracle):
            return "hyperband", self._study.Hyperband(max_epochs=oracle.max_epochs, factor=oracle.factor, iterations=oracle.hyperband_iterations)
        if isinstance(oracle, bayesian.BayesianOptimizationOracle):
            return "bayesian_optimization", self._study.BayesianOptimization(num_initial_points=oracle.num_initial_points)
        return "random_search", self._study.RandomSearch()

    def _objectives(self, objective):
        several = objective.objectives if isinstance(objective, objectives.MultiObjective) else [objective]
        directions = {"min": self._study.DIRECTION_MIN, "max": self._study.DIRECTION_MAX}
        return [self._study.Objective(metric=one.name, direction=directions[one.direction]) for one in several]
