#!/usr/bin/env python3
"""Fits the polynomials of src/backend/cpu/cpu_vector.h and prints them with their largest relative errors.

exp(r) for |r| <= log(2) / 2, and P(t) in Phi(-a) = exp(-a^2 / 2) t P(t) with t = 1 / (1 + 0.3 a) for 0 <= a <= 14, Phi being the
normal distribution's. Both minimise the largest relative error, by least squares that weigh more where the error is large.
Needs NumPy and SciPy.
"""
import numpy
from scipy.special import erfcx


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


if __name__ == "__main__":
    main()
