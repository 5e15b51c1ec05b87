"""The device "fast_standalone": Brian2's C++ standalone device with a faster build and a faster loop.

    from brian2 import *
    import engine
    set_device("fast_standalone", directory="output")

Everything else in a script for Brian2's own "cpp_standalone" stays as it is.
"""

from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices

from . import brian_versions, symbolic
from .compile import CompileMixin

try:
    from .loop import LoopMixin
except ModuleNotFoundError:

    class LoopMixin:
        """Stands in for the faster loop where that is not there."""


class FastStandaloneDevice(LoopMixin, CompileMixin, CPPStandaloneDevice):
    """Takes the arguments, preferences and calls of `CPPStandaloneDevice`."""


fast_standalone_device = FastStandaloneDevice()


def register():
    """Make the device known to Brian2's `set_device` by its name."""
    all_devices["fast_standalone"] = fast_standalone_device
    symbolic.register(FastStandaloneDevice)
    brian_versions.quicken_cache_keys()
