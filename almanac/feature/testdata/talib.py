"""Calls TA-Lib's C functions on numpy arrays, for the scripts of this folder.

The library (0.6 or newer) is built beside the project from its own sources; nothing of it is part
of the project.
"""
import ctypes

import numpy as np

_DOUBLES = ctypes.POINTER(ctypes.c_double)
_INTS = ctypes.POINTER(ctypes.c_int)


class TaLib:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.TA_GetVersionString.restype = ctypes.c_char_p
        if self.library.TA_Initialize() != 0:
            raise SystemExit(f"{path}: TA_Initialize failed")

    def call(self, name, inputs, options=(), outputs=1, integers=False):
        """The outputs as float arrays as long as the inputs, NaN before the first value.

        Options are ints or floats as the C function declares them.
        """
        size = len(inputs[0])
        arrays = [np.ascontiguousarray(x, dtype=np.float64) for x in inputs]
        kind, pointer = (np.int32, _INTS) if integers else (np.float64, _DOUBLES)
        results = [np.zeros(size, dtype=kind) for _ in range(outputs)]
        begin, count = ctypes.c_int(), ctypes.c_int()
        arguments = [ctypes.c_int(0), ctypes.c_int(size - 1)]
        arguments += [x.ctypes.data_as(_DOUBLES) for x in arrays]
        for option in options:
            number = ctypes.c_double if isinstance(option, float) else ctypes.c_int
            arguments.append(number(option))
        arguments += [ctypes.byref(begin), ctypes.byref(count)]
        arguments += [x.ctypes.data_as(pointer) for x in results]
        status = getattr(self.library, "TA_" + name)(*arguments)
        if status != 0:
            raise SystemExit(f"TA_{name}{options}: error {status}")
        full = []
        for result in results:
            values = np.full(size, np.nan)
            values[begin.value : begin.value + count.value] = result[: count.value]
            full.append(values)
        return full[0] if outputs == 1 else full
