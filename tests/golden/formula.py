"""Test data that the C tests compute alike (tests/graph/support_formula.c)."""
import numpy


def seed(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def hashes(name, n, start=0):
    h = numpy.uint32(seed(name)) + numpy.arange(start, start + n, dtype=numpy.uint32) * numpy.uint32(0x9E3779B9)
    h = (h ^ h >> numpy.uint32(16)) * numpy.uint32(0x85EBCA6B)
    h = (h ^ h >> numpy.uint32(13)) * numpy.uint32(0xC2B2AE35)
    return h ^ h >> numpy.uint32(16)


def fine(name, n):
    """Uniform in [-1, 1) with 24 bits."""
    return (hashes(name, n) >> numpy.uint32(8)) * 2.0**-23 - 1
