"""The faster loop of the device "fast_standalone"."""

from .mixin import LoopMixin

__all__ = ["LoopMixin"]
