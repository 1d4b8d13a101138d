"""stub"""
from __future__ import annotations
from collections.abc import Callable
from typing import Any
Resolve = Callable[..., Any]
Mapping = Any
def choose(name, known): return None
def shipped_mappings(): return ()
