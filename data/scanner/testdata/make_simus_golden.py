"""Regenerates simus_golden.json: the reference array simulated with SIMUS.

SIMUS (Garcia 2022) is the far-field, frequency-domain simulator of PyMUST; it
knows nothing of the Go code. Two things are stored, in beamformed baseband:

  psf    lateral and axial -6 dB and -20 dB widths of a point at six depths
  patch  speckle of the same point scatterers that the Go test images

    python3 -m venv env && env/bin/pip install pymust==0.1.9 scipy
    env/bin/python make_simus_golden.py > simus_golden.json      (a few minutes)
    env/bin/python make_simus_golden.py --time      how long SIMUS would take for a whole frame
"""
import json
import sys
import time

import numpy as np
import pymust
from scipy.signal import hilbert

C, FC = 1540.0, 6.5e6                    # m/s, Hz
RADIUS = 10e-3                           # array curvature, m
PITCH = RADIUS * np.deg2rad(150) / 192   # m
LISTEN, FIRE, FOCUS, FNUMBER = 64, 40, 25e-3, 2.0

angles = (np.arange(LISTEN) - (LISTEN - 1) / 2) * PITCH / RADIUS
ex = RADIUS * np.sin(angles)
chord = RADIUS * np.cos(angles.max())    # PyMUST's z = 0 is the outermost chord
ez = RADIUS * np.cos(angles) - chord


def probe():
    p = pymust.getparam("C5-2v")
    p.fc, p.bandwidth, p.radius, p.Nelements = FC, 70, RADIUS, LISTEN
    p.pitch, p.kerf, p.width = PITCH, 0.02e-3, PITCH - 0.02e-3
    p.height, p.focus, p.c, p.attenuation, p.fs = 5e-3, 25e-3, C, 0.0, 8 * FC
    return p


P = probe()
fire = slice((LISTEN - FIRE) // 2, (LISTEN + FIRE) // 2)
to_focus = np.hypot(ex[fire], ez[fire] - (RADIUS + FOCUS - chord))
DELAYS = np.full((1, LISTEN), np.nan)
DELAYS[0, fire] = (to_focus.max() - to_focus) / C
START = to_focus.max() / C - FOCUS / C   # when a wave at the apex would have left


def line(r, theta, amplitude, depths):
    """Baseband samples at the depths of the line at angle 0."""
    x, z = r * np.sin(theta), r * np.cos(theta) - chord
    rf, _ = pymust.simus(np.atleast_1d(x), np.atleast_1d(z), np.atleast_1d(amplitude), DELAYS, P)
    analytic = hilbert(rf, axis=0)
    clock = np.arange(analytic.shape[0]) / P.fs
    out = np.zeros(len(depths), complex)
    for i, d in enumerate(depths):
        half = max(d / FNUMBER / 2, 1e-3)
        w = np.where(np.abs(ex) <= half, 0.54 + 0.46 * np.cos(np.pi * ex / half), 0)
        when = d / C + START + np.hypot(ex, ez - (RADIUS + d - chord)) / C
        for e in np.flatnonzero(w):
            out[i] += w[e] * (np.interp(when[e], clock, analytic[:, e].real, 0, 0)
                              + 1j * np.interp(when[e], clock, analytic[:, e].imag, 0, 0))
    return out * np.exp(-4j * np.pi * FC / C * np.asarray(depths))


def width(x, y, level):
    y = y / y.max()
    left = right = y.argmax()
    while y[left] > level:
        left -= 1
    while y[right] > level:
        right += 1
    a = np.interp(level, [y[left], y[left + 1]], [x[left], x[left + 1]])
    b = np.interp(level, [y[right], y[right - 1]], [x[right], x[right - 1]])
    return float(b - a)


def psf(depth):
    turn = np.deg2rad(np.linspace(0, 6, 25))
    depths = depth + np.arange(-0.5e-3, 0.501e-3, 2e-5)
    image = np.abs([line(RADIUS + depth, t, 1.0, depths) for t in turn])
    lateral = image.max(1)
    x = (RADIUS + depth) * np.concatenate([-turn[:0:-1], turn]) * 1e3
    lateral = np.concatenate([lateral[:0:-1], lateral])
    return {"depth_mm": depth * 1e3, "lateral_6db_mm": width(x, lateral, 0.5),
            "lateral_20db_mm": width(x, lateral, 0.1), "axial_6db_mm": width(depths * 1e3, image[0], 0.5)}


def patch():
    random = np.random.default_rng(1)
    lo, hi, turn = 22.8e-3, 27.2e-3, np.deg2rad(5.5)
    n = 900
    r = RADIUS + random.uniform(lo, hi, n)
    theta = random.uniform(-turn, turn, n)
    amplitude = random.normal(size=n)
    lines = np.deg2rad(0.3) * np.arange(-10, 11)
    depths = 24e-3 + 0.075e-3 * np.arange(28)
    image = np.array([line(r, theta - t, amplitude, depths) for t in lines])
    image /= np.sqrt(np.mean(np.abs(image) ** 2))
    digits = lambda v, k: [round(float(x), k) for x in np.ravel(v)]
    return {"radius_mm": digits(r * 1e3, 5), "theta_rad": digits(theta, 7), "amplitude": digits(amplitude, 5),
            "line_rad": digits(lines, 8), "depth_mm": digits(depths * 1e3, 5),
            "re": digits(image.real, 4), "im": digits(image.imag, 4)}


def time_frame():
    """Times a line over its own scatterers, as dense as in the patch and as far to the sides as its lines look, and
    extrapolates to the lines of a frame."""
    random = np.random.default_rng(2)
    deep, turn, lines = 45e-3, np.deg2rad(5.5), 500
    per_area = 900 / (2 * turn * ((RADIUS + 27.2e-3) ** 2 - (RADIUS + 22.8e-3) ** 2) / 2)
    n = int(per_area * 2 * turn * ((RADIUS + deep) ** 2 - RADIUS ** 2) / 2)
    r = np.sqrt(random.uniform((RADIUS + 1e-3) ** 2, (RADIUS + deep) ** 2, n))
    began = time.perf_counter()
    line(r, random.uniform(-turn, turn, n), random.normal(size=n), 1e-3 + 2e-5 * np.arange(2200))
    took = time.perf_counter() - began
    print(f"{n} scatterers near a line: {took:.1f} s; {lines} lines of 0.3 degrees: {lines * took:.0f} s a frame, extrapolated")


if "--time" in sys.argv:
    time_frame()
    sys.exit()
json.dump({"pymust": "0.1.9", "psf": [psf(d) for d in (10e-3, 15e-3, 20e-3, 25e-3, 30e-3, 40e-3)],
           "patch": patch()}, sys.stdout)
