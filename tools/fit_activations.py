#!/usr/bin/env python3
"""Fits the polynomials of src/backend/cpu/cpu_vector.h and prints them with their largest relative errors.

exp(r) for |r| <= log(2) / 2, and P(t) in Phi(-a) = exp(-a^2 / 2) t P(t) with t = 1 / (1 + 0.3 a) for 0 <= a <= 14, Phi being the
normal distribution's; for |x| < 0.75 and z = x^2, P(z) in tanh(x) = x + x z P(z) and in erf(x) = x P(z). All minimise the largest relative error, by least squares that weigh more where the error is large.
Needs NumPy and SciPy.
"""
import numpy
from scipy.special import erf, erfcx


def fit(x, f, degree):
    powers, weights = numpy.vander(x, degree + 1, increasing=True), numpy.ones_like(x)
    for _ in range(80):
        coefficients = numpy.linalg.lstsq(powers * (weights / f)[:, None], weights, rcond=None)[0]
        error = abs(powers @ coefficients / f - 1)
        weights *= (error / error.mean()) ** 0.4 + 1e-3
        weights /= weights.mean()
    return coefficients, error.max()


def nodes(low, high, n=400):
    return (low + high) / 2 + (high - low) / 2 * numpy.cos(numpy.pi * (numpy.arange(n) + 0.5) / n)


def show(name, fitted):
    coefficients, error = fitted
    print(name, ", ".join(f"{c:.9g}f" for c in coefficients), f"relative error {error:.1e}")


def main():
    r = nodes(-numpy.log(2) / 2, numpy.log(2) / 2)
    show("exp", fit(r, numpy.exp(r), 6))
    t = nodes(1 / (1 + 0.3 * 14), 1)
    a = (1 / t - 1) / 0.3
    show("Phi", fit(t, 0.5 * erfcx(a / numpy.sqrt(2)) / t, 7))
    x = numpy.sqrt(nodes(1e-4, 0.75**2))
    show("tanh", fit(x * x, (numpy.tanh(x) / x - 1) / (x * x), 5))
    show("erf", fit(x * x, erf(x) / x, 6))


if __name__ == "__main__":
    main()
