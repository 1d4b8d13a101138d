"""`python -m tms_pipeline.ssg.simulator`: start the simulator (docs/simulator.md)."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .config import ConfigError, load, read_document
from .server import PortTakenError, serve


def _number(value: str) -> int:
    port = int(value)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return port


def refuse_production() -> None:
    """It plays SSG for tests and demos; beside settings of the real one it could only be mistaken for it."""
    if os.environ.get("ENVIRONMENT", "").lower() == "production" or os.environ.get("SSG_ENV", "").lower() in (
        "uat", "production",
    ):  # fmt: skip
        raise ConfigError("ENVIRONMENT or SSG_ENV names the real SSG here, and the simulator never runs beside it")


def main(arguments: list[str] | None = None) -> int:
    """Exit codes: 0 stopped, 2 bad option or file, 3 port taken."""
    parser = argparse.ArgumentParser(
        prog="python -m tms_pipeline.ssg.simulator", description="A simulated SSG TPGateway on loopback."
    )
    parser.add_argument("--port", type=_number, default=8900, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback addresses only")
    parser.add_argument("--public-port", type=_number, default=0, help="with --tls: port of the OAuth2 host")
    parser.add_argument("--data", type=Path, help="apps, courses and other records (JSON or YAML)")
    parser.add_argument("--faults", type=Path, help="faults to arm (JSON or YAML)")
    parser.add_argument("--seed", default="0", help="seed of the faults' dice and of generated ids")
    parser.add_argument("--uen", default="", help="UEN of the first app")
    parser.add_argument(
        "--key", default=os.environ.get("SSG_SIMULATOR_KEY", ""), help="its AES-256 key, base64"
    )
    parser.add_argument("--tls", type=Path, metavar="DIR", help="mutual TLS; certificates are made in DIR")
    parser.add_argument("--state-file", type=Path, help="journal: loaded at start, survives a kill")
    parser.add_argument("--ready-file", type=Path, help="written when it listens: port, pid, base_url")
    given = parser.parse_args(arguments)
    try:
        refuse_production()
        config = load(
            given.data,
            given.uen,
            given.key,
            host=given.host,
            port=given.port,
            public_port=given.public_port,
            seed=given.seed,
            tls_dir=given.tls,
            state_file=given.state_file,
            ready_file=given.ready_file,
            faults=read_document(given.faults) if given.faults else [],
        )
        serve(config)
    except PortTakenError as error:
        sys.stderr.write(f"The simulator cannot start: {error}.\n")
        return 3
    except ConfigError as error:
        sys.stderr.write(f"The simulator cannot start: {error}.\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
