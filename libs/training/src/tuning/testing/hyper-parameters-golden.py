"""Writes hyper-parameters-golden.json: what KerasTuner's HyperParameters make of the models of scripted-models.ts.

Made with keras-tuner 1.4.8:  python hyper-parameters-golden.py > hyper-parameters-golden.json
"""
import json
import tempfile

import keras_tuner as kt


def kinds(hp):
    return [
        hp.Int('layers', 1, 4),
        hp.Int('units', 8, 512, step=2, sampling='log', default=64),
        hp.Int('every', 3, 12, step=4),
        hp.Float('rate', 1e-4, 1e-1, sampling='log'),
        hp.Float('dropout', 0.0, 0.5, step=0.1, default=0.2),
        hp.Float('decay', 0.5, 0.999, sampling='reverse_log'),
        hp.Choice('activation', ['relu', 'tanh']),
        hp.Choice('batch', [16, 32, 64], default=32),
        hp.Choice('momentum', [0.0, 0.5, 0.9], ordered=False),
        hp.Boolean('bias', default=True),
        hp.Boolean('norm'),
        hp.Fixed('seed', 7),
        hp.get('rate'),
        hp.Int('layers', 2, 9),
    ]


def scopes(hp):
    values = [hp.Choice('type', ['mlp', 'cnn'])]
    with hp.conditional_scope('type', ['mlp']):
        hp.Int('units', 8, 64, step=8)
        hp.Boolean('deep')
        with hp.conditional_scope('deep', [True]):
            hp.Int('depth', 2, 5)
    with hp.conditional_scope('type', ['cnn']):
        hp.Int('units', 4, 16)
        hp.Int('filters', 8, 32)
    hp.Float('rate', 0.1, 1.0, parent_name='type', parent_values=['cnn', 'mlp'])
    hp.Float('cnn_rate', 0.1, 1.0, parent_name='type', parent_values='cnn')
    return values


def branches(hp):
    values = [hp.Choice('type', ['mlp', 'cnn', 'rnn'])]
    with hp.conditional_scope('type', ['mlp']):
        if hp.get('type') == 'mlp':
            values.append(hp.Int('mlp_units', 8, 64))
    with hp.conditional_scope('type', ['cnn', 'rnn']):
        if hp.get('type') != 'mlp':
            values.append(hp.Int('wide', 1, 3))
            with hp.conditional_scope('wide', [3]):
                if hp.get('wide') == 3:
                    values.append(hp.Boolean('deepest'))
    values.append(hp.Float('rate', 0.1, 1.0))
    return values


def names(hp):
    values = []
    with hp.name_scope('encoder'):
        for i in range(2):
            with hp.name_scope('block_%d' % i):
                values.append(hp.Int('units', 8, 64))
        values.append(hp.Boolean('norm'))
        with hp.conditional_scope('norm', [False]):
            values.append(hp.Float('scale', 0.5, 2.0))
        values.append(hp.get('block_1/units'))
    return values


MODELS = {'kinds': kinds, 'scopes': scopes, 'branches': branches, 'names': names}

GIVEN = {
    'kinds': [{}, {'layers': 3, 'rate': 0.01, 'activation': 'tanh', 'bias': False, 'tuner/epochs': 4}],
    'scopes': [{}, {'type': 'cnn', 'filters': 16}, {'type': 'mlp', 'deep': True, 'depth': 4, 'units': 24}],
    'branches': [{}, {'type': 'rnn', 'wide': 3}],
    'names': [{}, {'encoder/norm': True, 'encoder/block_1/units': 9}],
}


def explored(build):
    """The space that a tuner begins with; null where KerasTuner fails.

    A parameter that was declared while inactive has no value when a later build makes it active: KeyError.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            tuner = kt.RandomSearch(lambda hp: build(hp) and None, objective='val_loss', max_trials=1, directory=folder)
        except KeyError:
            return None
        return tuner.oracle.get_space().get_config()['space']


def run(build, given):
    hp = kt.HyperParameters()
    hp.values = dict(given)
    returned = build(hp)
    return {'given': given, 'returned': returned, 'config': hp.get_config()}


def preset():
    """Parameters that are chosen beforehand stand for those of the model."""
    hp = kt.HyperParameters()
    hp.Fixed('rate', 0.5)
    hp.Int('layers', 2, 3)
    return {'returned': kinds(hp), 'config': hp.get_config()}


print(json.dumps({
    'kerasTuner': kt.__version__,
    'models': {name: {'explored': explored(build), 'builds': [run(build, given) for given in GIVEN[name]]} for name, build in MODELS.items()},
    'preset': preset(),
}))
