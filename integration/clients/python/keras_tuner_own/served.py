"""KerasTuner's oracles, answered by a tuner: whatever a test asks an oracle goes over the wire, and what it looks at comes from there.

1. No Python oracle decides anything: the methods that do are replaced, and KerasTuner's own server cannot be made.
2. An oracle becomes a study when something is asked of it for the first time, or when it is served: until then a test may still fill it.
3. An oracle that is reloaded is the study of its project folder: the tuner has saved it.
"""
import os
import threading
import time

import grpc
from forwarder import Forwarder
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief, oracle_client
from keras_tuner.src.engine import oracle as oracle_module
from keras_tuner.src.engine import trial as trial_module
from keras_tuner.src.tuners import bayesian, gridsearch, hyperband, randomsearch

# A call of a worker that is not answered by then has failed.
CALL_TIMEOUT_S = 120
# The tuner has who asks wait in the call. KerasTuner's oracle says IDLE at once: a call that takes so long is one.
IDLE_AFTER_S = 5
CHIEF_TIMEOUT_S = 300
POLL_S = 0.2

STATUS = trial_module.TrialStatus


class WireOracle(oracle_client.OracleClient):
    """KerasTuner's client, of an address."""

    def __init__(self, oracle, address):
        self._oracle = oracle
        self.stub = protos.get_service_grpc().OracleStub(grpc.insecure_channel(address))
        self.tuner_id = "test"
        self.multi_worker = False
        self.should_report = True

    def create_trial(self, tuner_id):
        request = protos.get_service().CreateTrialRequest(tuner_id=tuner_id)
        try:
            answer = self.stub.CreateTrial(request, wait_for_ready=True, timeout=IDLE_AFTER_S)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            return trial_module.Trial(self.get_space(), trial_id="", status=STATUS.IDLE)
        return trial_module.Trial.from_proto(answer.trial)

    def trials(self):
        """All trials by id, in the order of their creation."""
        found = {}
        while True:
            try:
                trial = self.get_trial(str(len(found)))
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
                return found
            found[trial.trial_id] = trial


class Served:
    """An oracle's study."""

    def __init__(self, oracle, study_id, address):
        self.study_id = study_id
        self.address = address
        self.wire = WireOracle(oracle, address)
        self.is_asked = False
        # Brackets that KerasTuner would have kept when a trial was last asked for: see `open_brackets`.
        self.brackets = []


class Service:
    """What one run of tests has of a tuner: the addresses at which it serves studies to KerasTuner, each for one study."""

    def __init__(self, studies, addresses):
        self._studies = studies
        self._free = [(f"kt-{i}", address) for i, address in enumerate(addresses)]
        self._by_project = {}
        self._lock = threading.Lock()
        self.begin()

    def begin(self):
        """A test begins."""
        self._of_test = []
        self._forwarders = []
        self._over = threading.Event()

    def end(self):
        """A test ends. True when it asked the tuner anything."""
        self._over.set()
        for forwarder in self._forwarders:
            forwarder.close()
        return any(served.is_asked for served in self._of_test) or any(forwarder.connections > 0 for forwarder in self._forwarders)

    def of(self, oracle):
        """The oracle's study, made if need be, of which something is asked."""
        served = oracle.__dict__.get("_served") or self._serve(oracle)
        served.is_asked = True
        return served

    def reload(self, oracle):
        """False when there is no study of the oracle's project folder."""
        served = self._by_project.get(oracle._project_dir)
        if served:
            oracle.__dict__["_served"] = served
        return served is not None

    def start_server(self, oracle):
        """Instead of KerasTuner's: serves a study at the port of the environment until it is over."""
        served = self._serve(oracle)
        self._forwarders.append(Forwarder(int(os.environ["KERASTUNER_ORACLE_PORT"]), served.address))
        deadline = time.monotonic() + CHIEF_TIMEOUT_S
        while not self._studies.is_over(served.study_id):
            if self._over.wait(POLL_S):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"studies/{served.study_id} was not over after {CHIEF_TIMEOUT_S} s: a worker has not asked or not ended its trial")

    def _serve(self, oracle):
        with self._lock:
            if not self._free:
                raise AssertionError("the tuner has no more addresses for studies: start it with more of --keras-tuner")
            study_id, address = self._free.pop(0)
        self._studies.create(study_id, oracle)
        served = Served(oracle, study_id, address)
        self._by_project[oracle._project_dir] = oracle.__dict__["_served"] = served
        self._of_test.append(served)
        return served


def open_brackets(oracle, before):
    """Numbers of brackets that are not filled, with that of the newest trial: KerasTuner forgets a filled one when it is asked the next time."""
    numbers = {}
    for trial in before.values():
        bracket, round_number = (trial.hyperparameters.values[f"tuner/{name}"] for name in ("bracket", "round"))
        rounds = numbers.setdefault(bracket, [0] * oracle._get_num_rounds(bracket))
        rounds[round_number] += 1
    return [number for number, rounds in numbers.items() if rounds[-1] != oracle._get_size(number, len(rounds) - 1)]


def replace_oracles(service, patch):
    """Has KerasTuner's oracles asked over the wire. `patch` is pytest's MonkeyPatch."""
    base = oracle_module.Oracle
    original = {name: getattr(base, name) for name in ("get_space", "update_space", "save", "reload")}

    def is_served(oracle):
        return "_served" in oracle.__dict__

    def create_trial(self, tuner_id):
        served = service.of(self)
        if not isinstance(self, hyperband.HyperbandOracle):
            return served.wire.create_trial(tuner_id)
        kept = open_brackets(self, served.wire.trials())
        trial = served.wire.create_trial(tuner_id)
        newest = trial.hyperparameters.values.get("tuner/bracket") if trial.status == STATUS.RUNNING else None
        served.brackets = kept if newest is None or newest in kept else [*kept, newest]
        return trial

    def populate_space(self, trial_id):
        # What a test adds to the space meanwhile, the study is told first.
        served = service.of(self)
        served.wire.update_space(self.hyperparameters)
        trial = served.wire.create_trial(trial_id)
        return {"status": trial.status, "values": trial.hyperparameters.values}

    def brackets(self):
        trials = service.of(self).wire.trials().values()

        def round_of(number, round_number):
            return [{"id": trial.trial_id} for trial in trials if [trial.hyperparameters.values[f"tuner/{name}"] for name in ("bracket", "round")] == [number, round_number]]

        return [{"bracket_num": number, "rounds": [round_of(number, i) for i in range(self._get_num_rounds(number))]} for number in self._served.brackets]

    wired = {
        "create_trial": create_trial,
        "update_trial": lambda self, trial_id, metrics, step=0: service.of(self).wire.update_trial(trial_id, metrics, step),
        "end_trial": lambda self, trial: service.of(self).wire.end_trial(trial),
        "get_trial": lambda self, trial_id: service.of(self).wire.get_trial(trial_id),
        "get_best_trials": lambda self, num_trials=1: service.of(self).wire.get_best_trials(num_trials),
        "get_space": lambda self: service.of(self).wire.get_space() if is_served(self) else original["get_space"](self),
        "update_space": lambda self, space: service.of(self).wire.update_space(space) if is_served(self) else original["update_space"](self, space),
        # The tuner stores before it answers.
        "save": lambda self: None if is_served(self) else original["save"](self),
        "reload": lambda self: None if service.reload(self) else original["reload"](self),
    }
    for name, method in wired.items():
        patch.setattr(base, name, method)
    patch.delattr(gridsearch.GridSearchOracle, "end_trial")
    for kind in (randomsearch.RandomSearchOracle, gridsearch.GridSearchOracle, bayesian.BayesianOptimizationOracle, hyperband.HyperbandOracle):
        patch.setattr(kind, "populate_space", populate_space)

    def all_trials(self):
        return service.of(self).wire.trials()

    def running(self):
        return {trial_id: trial for trial_id, trial in all_trials(self).items() if trial.status == STATUS.RUNNING}

    views = {"trials": all_trials, "start_order": lambda self: list(all_trials(self)), "ongoing_trials": running}
    for name, view in views.items():
        patch.setattr(base, name, view_of(name, is_served, view), raising=False)
    patch.setattr(hyperband.HyperbandOracle, "_brackets", view_of("_brackets", is_served, brackets), raising=False)

    def refuse(*_):
        raise AssertionError("KerasTuner's own server was started")

    patch.setattr(oracle_chief, "OracleServicer", refuse)
    patch.setattr(oracle_chief, "start_server", service.start_server)
    patch.setattr(oracle_client, "TIMEOUT", CALL_TIMEOUT_S)


def view_of(name, is_served, view):
    """An attribute that is the oracle's own until it is served, and the tuner's from then on."""
    own = f"_own{name}"

    def read(self):
        return view(self) if is_served(self) else self.__dict__[own]

    def write(self, value):
        self.__dict__[own] = value

    return property(read, write)
