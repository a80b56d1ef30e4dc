"""Values of numeric/ and gaussian/ from other implementations, and the Chebyshev tables of normal.ts.

python3 -m venv V && V/bin/pip install mpmath scipy scikit-learn numpy
V/bin/python libs/search/src/numeric/testing/golden.py          rewrites golden.json beside it
V/bin/python libs/search/src/numeric/testing/golden.py tables   prints the tables
"""
import json
import pathlib
import sys

import mpmath as mp
import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from scipy.stats import yeojohnson, yeojohnson_llf
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

mp.mp.dps = 60
SCALE = 5  # of the map t -> (t - SCALE) / (t + SCALE), which takes [0, inf) to [-1, 1)


def mills(t):
    """The upper tail of the standard normal over its density, t >= 0."""
    if t > 1e5:
        total, term = mp.mpf(0), mp.mpf(1)
        for n in range(12):
            total += term
            term *= -(2 * n + 1) / (t * t)
        return total / t
    return mp.sqrt(mp.pi / 2) * mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2))


def loss(t):
    """1 - t mills(t): the standard normal loss function over the density, with digits to spare for its cancellation."""
    with mp.workdps(140):
        return 1 - t * mills(t)


def chebyshev(function, nodes=90):
    angles = [mp.pi * (j + mp.mpf(1) / 2) / nodes for j in range(nodes)]
    values = [function(SCALE * (1 + mp.cos(a)) / (1 - mp.cos(a))) for a in angles]
    terms = [(2 if i else 1) * mp.fsum(v * mp.cos(i * a) for v, a in zip(values, angles)) / nodes for i in range(nodes)]
    last = max(i for i, term in enumerate(terms) if abs(term) > 1e-17)
    return [float(term) for term in terms[: last + 1]]


def tables():
    print('MILLS', chebyshev(lambda t: (1 + t) * mills(t)))
    print('LOSS', chebyshev(lambda t: (1 + t * t) * loss(t)))


def normal():
    z = [3, 1, .5, 0, -.5, -.999, -1.001, -2, -5, -10, -20, -29.9, -30.1, -50, -200, -5000]
    deviation = .37
    p = [1e-12, 1e-6, .01, .02425, .1, .3, .5, .75, .975, .9999, 1 - 1e-9]
    return {
        'mills': [[t, float(mills(mp.mpf(t)))] for t in [0, .1, .5, 1, 2, 5, 20, 100, 1e6]],
        'cdf': [[x, float(mp.ncdf(x))] for x in [-30, -8, -3, -1, -.1, 0, .3, 1, 2.5, 6]],
        'quantile': [[x, float(mp.sqrt(2) * mp.erfinv(2 * mp.mpf(x) - 1))] for x in p],
        'deviation': deviation,
        'logExpectedImprovement': [[x, float(mp.log(deviation * (mp.npdf(mp.mpf(x)) + mp.mpf(x) * mp.ncdf(mp.mpf(x))))) if x > -30 else
                                    float(mp.log(deviation) + mp.log(mp.npdf(mp.mpf(x))) + mp.log(loss(-mp.mpf(x))))] for x in z],
    }


def gaussian():
    random = np.random.RandomState(3)
    points = random.rand(40, 4)
    scores = np.sin(3 * points[:, 0]) + points[:, 1] ** 2 - points[:, 2] * points[:, 3] + .01 * random.randn(40)
    queries = random.rand(25, 4)
    lengthscales, amplitude, noise = [.3, .7, 1.4, .5], 1.7, 1e-3
    kernel = ConstantKernel(amplitude) * Matern(lengthscales, nu=2.5)
    noisy = GaussianProcessRegressor(kernel + WhiteKernel(noise), optimizer=None, alpha=0).fit(points, scores)
    plain = GaussianProcessRegressor(kernel, optimizer=None, alpha=noise).fit(points, scores)
    likelihood, gradient = noisy.log_marginal_likelihood(noisy.kernel_.theta, eval_gradient=True)
    mean, deviation = plain.predict(queries, return_std=True)
    return {
        'points': points.tolist(), 'scores': scores.tolist(), 'queries': queries.tolist(),
        'lengthscales': lengthscales, 'amplitude': amplitude, 'noise': noise,
        'logLikelihood': likelihood, 'gradient': {'amplitude': gradient[0], 'lengthscales': gradient[1:5].tolist(), 'noise': gradient[5]},
        'mean': mean.tolist(), 'deviation': deviation.tolist(),
    }


def warp():
    values = np.random.RandomState(5).gamma(.7, 3, 30)
    standard = (values - values.mean()) / values.std()
    warped, exponent = yeojohnson(standard)
    return {'values': standard.tolist(), 'exponent': exponent, 'logLikelihood': float(yeojohnson_llf(exponent, standard)), 'warped': warped.tolist()}


def rosenbrock(x):
    slopes = np.zeros_like(x)
    slopes[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    slopes[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), slopes


def chain(x):
    """Springs of very different strength, each tied to the next."""
    i = np.arange(len(x))
    strength, rest = 4.0 ** i, (-1.0) ** i * (i + 1) / 2
    apart = np.diff(x)
    slopes = 2 * strength * (x - rest)
    slopes[:-1] -= 2 * apart
    slopes[1:] += 2 * apart
    return np.sum(strength * (x - rest) ** 2) + np.sum(apart ** 2), slopes


def log_sum_exp(x):
    """Convex, and no polynomial."""
    i = np.arange(len(x))
    up, down = np.exp(x - i / 4), np.exp(-(i + 1) * x)
    total = np.sum(up) + np.sum(down)
    return np.log(total), (up - (i + 1) * down) / total


def minima():
    cases = [
        ('rosenbrock', rosenbrock, [-1.2, 1], -2, 2), ('rosenbrock', rosenbrock, [-1.2, 1], -2, .5), ('rosenbrock', rosenbrock, [.2, -1.5, 1.7, .4], -2, 2),
        ('rosenbrock', rosenbrock, [1.5, 1.5, 1.5], 1.2, 2), ('chain', chain, [0] * 6, -4, 4), ('chain', chain, [0] * 6, -.75, 1.25), ('chain', chain, [3, -3, 3, -3, 3], 0, 9),
        ('logSumExp', log_sum_exp, [2, -2, 1], -3, 3), ('logSumExp', log_sum_exp, [2, 2, 2, 2, 2], .4, 3), ('logSumExp', log_sum_exp, [-1, 1], -2, .1),
    ]
    table = []
    for name, function, start, low, high in cases:
        found = minimize(function, np.array(start, float), jac=True, method='L-BFGS-B', bounds=[(low, high)] * len(start), options={'ftol': 0, 'gtol': 1e-12, 'maxiter': 10_000, 'maxfun': 100_000})
        table.append({'function': name, 'start': start, 'low': low, 'high': high, 'x': found.x.tolist(), 'value': float(found.fun)})
    return table


if __name__ == '__main__':
    if sys.argv[1:] == ['tables']:
        tables()
    else:
        golden = {
            'madeBy': f'numeric/testing/golden.py with mpmath {mp.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}',
            'normal': normal(), 'gaussian': gaussian(), 'warp': warp(), 'minima': minima(),
        }
        pathlib.Path(__file__).with_name('golden.json').write_text(json.dumps(golden, indent=1) + '\n')
