"""Sealing: values sealed and opened a second on one core, beside bare AES-GCM; the bar is ten thousand.

Run by ``python -m benchmarks sealing``. ``whole`` is what a register does for a value: its data key unwrapped, sealed,
marked; the other figures leave parts of it out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from secrets import token_bytes

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.harness import Figure, emit
from tms_pipeline.identity.data_keys import where
from tms_pipeline.identity.marks import Marker
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import new_data_key, place, seal

BAR = 10_000
VALUES = 20_000
PER_SUBJECT = 5  # a trainee has five sealed values under one data key


def rate(work: Callable[[], None], times: int = 3) -> float:
    """Values a second, the best of a few tries."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return VALUES / best


def main() -> None:
    """Measure and print the figures. Fails when the bar is missed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ring, marker = new_data_key(), Marker(new_data_key())
    keys = [new_data_key() for _ in range(VALUES // PER_SUBJECT)]
    wrapped = [seal(ring, key, where(f"trainee:HB-{n:05}")) for n, key in enumerate(keys)]
    plain = [f"Made Up Person {n:06}".encode() for n in range(VALUES)]
    places = [place("register.trainee", "full_name", f"HB-{n:05}") for n in range(VALUES)]
    owners = [n // PER_SUBJECT for n in range(VALUES)]
    sealed = [seal(keys[owner], value, here) for owner, value, here in zip(owners, plain, places, strict=True)]

    def bare_seal() -> None:
        for owner, value, here in zip(owners, plain, places, strict=True):
            AESGCM(keys[owner]).encrypt(token_bytes(12), value, here)

    def sealing() -> None:
        for owner, value, here in zip(owners, plain, places, strict=True):
            seal(keys[owner], value, here)

    def whole() -> None:
        with opening_for("trial"):
            for subject, box in enumerate(wrapped):
                key = open_sealed(ring, box, where(f"trainee:HB-{subject:05}"))
                for n in range(subject * PER_SUBJECT, (subject + 1) * PER_SUBJECT):
                    seal(key, plain[n], places[n])
                    marker.mark("full_name", plain[n].decode())

    def bare_open() -> None:
        for owner, box, here in zip(owners, sealed, places, strict=True):
            AESGCM(keys[owner]).decrypt(box[1:13], box[13:], here)

    def opening() -> None:
        with opening_for("trial"):
            for owner, box, here in zip(owners, sealed, places, strict=True):
                open_sealed(keys[owner], box, here)

    seconds = {work.__name__: VALUES / rate(work) for work in (bare_seal, sealing, whole, bare_open, opening)}
    # The limit is the bar of the issue; the peer is AES-GCM of the same library with nothing around it.
    figures = [
        Figure(
            f"{stage}, values", VALUES, seconds[stage], limit=VALUES / BAR, peer=seconds[peer], peer_name="bare AES-GCM",
            limit_name="the bar of 10,000 a second", bound=1.0, facts={"values_per_second": round(VALUES / seconds[stage]),
                              "over_bare": round(seconds[stage] / seconds[peer], 2)},
        )
        for stage, peer in (("sealing", "bare_seal"), ("whole", "bare_seal"), ("opening", "bare_open"))
    ]  # fmt: skip
    emit(figures)
    if not all(figure.met for figure in figures):
        raise SystemExit(f"the bar of {BAR} values a second was missed")


if __name__ == "__main__":
    main()
