"""A rival of the suite `search` as a program that is asked and told: search-rival.py kerastuner | optuna-gp | optuna-tpe.

Lines of JSON on stdin, one at a time:
  {"study": {"space": [...], "trials": n, "seed": s}}  begins a study -> {"ok": true}
  {"ask": true}                                        the next values -> {"values": {...}, "ms": how long it took}
  {"tell": score}                                      of the last values, to be minimised -> {"ok": true}
"""
import contextlib
import json
import os
import sys
import tempfile
import time
import types
import warnings

os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
warnings.filterwarnings('ignore')


class KerasTuner:
    """BayesianOptimizationOracle as it comes, in this process."""

    def __init__(self):
        import keras_tuner
        self.kt = keras_tuner
        self.about = f'KerasTuner {keras_tuner.__version__}'

    def study(self, space, trials, seed):
        hp = self.kt.HyperParameters()
        for p in space:
            scope = hp.conditional_scope(p['when']['parent'], p['when']['values']) if 'when' in p else contextlib.nullcontext()
            with scope:
                if p['kind'] == 'choice':
                    hp.Choice(p['name'], p['values'])
                else:
                    number, make = (int, hp.Int) if p['kind'] == 'int' else (float, hp.Float)
                    make(p['name'], number(p['min']), number(p['max']), sampling='log' if p.get('log') else 'linear')
        self.oracle = self.kt.oracles.BayesianOptimizationOracle(objective=self.kt.Objective('score', 'min'), max_trials=trials, seed=seed, hyperparameters=hp)
        self.folder = tempfile.TemporaryDirectory()
        self.oracle._set_project_dir(self.folder.name, 'study')

    def ask(self):
        self.trial = self.oracle.create_trial('worker')
        if self.trial.status != 'RUNNING':
            raise SystemExit(f'KerasTuner has no further trial: {self.trial.status}')
        return self.trial.hyperparameters.values

    def tell(self, score):
        self.oracle.update_trial(self.trial.trial_id, {'score': score})
        self.trial.status = 'COMPLETED'
        self.oracle.end_trial(self.trial)


class Optuna:
    """GPSampler or TPESampler as they come."""

    def __init__(self, sampler):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna, self.sampler = optuna, sampler
        self.about = f'Optuna {optuna.__version__} {sampler.upper()}'
        if sampler == 'gp':
            self.about += allow_old_torch()

    def study(self, space, trials, seed):
        samplers = self.optuna.samplers
        sampler = samplers.GPSampler(seed=seed) if self.sampler == 'gp' else samplers.TPESampler(seed=seed)
        self.space = space
        self.current = self.optuna.create_study(sampler=sampler)

    def ask(self):
        self.trial = self.current.ask()
        values = {}
        for p in self.space:
            if 'when' in p and values.get(p['when']['parent']) not in p['when']['values']:
                continue
            if p['kind'] == 'choice':
                values[p['name']] = self.trial.suggest_categorical(p['name'], p['values'])
            else:
                suggest = self.trial.suggest_int if p['kind'] == 'int' else self.trial.suggest_float
                values[p['name']] = suggest(p['name'], p['min'], p['max'], log=p.get('log', False))
        return values

    def tell(self, score):
        self.current.tell(self.trial, score)


def allow_old_torch():
    """Optuna 5 wants `with torch.device(...)`, which came with torch 2; Debian 12 has 1.13, where all tensors are on the CPU anyway."""
    import torch
    if hasattr(torch.device('cpu'), '__enter__'):
        return f', torch {torch.__version__}'
    import optuna.samplers._gp.sampler as module

    class Torch(types.ModuleType):
        def __getattr__(self, name):
            return getattr(torch, name)

        def device(self, _name):
            return contextlib.nullcontext()

    module.torch = Torch('torch')
    return f', torch {torch.__version__} without device contexts'


def main(name):
    rival = KerasTuner() if name == 'kerastuner' else Optuna(name.removeprefix('optuna-'))
    say = lambda message: print(json.dumps(message), flush=True)
    say({'ready': rival.about})
    for line in sys.stdin:
        message = json.loads(line)
        if 'study' in message:
            rival.study(**message['study'])
            say({'ok': True})
        elif 'ask' in message:
            start = time.perf_counter()
            values = rival.ask()
            say({'values': values, 'ms': (time.perf_counter() - start) * 1000})
        else:
            rival.tell(message['tell'])
            say({'ok': True})


if __name__ == '__main__':
    main(sys.argv[1])
