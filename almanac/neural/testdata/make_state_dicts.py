#!/usr/bin/env python3
"""State dicts of the modules in docs/networks-export.md and their answers, for import_test.

Usage: make_state_dicts.py FOLDER      (needs torch; written with 1.13)

The modules are the very text of the documentation. Inputs are not stored: both sides compute them.
"""
import collections
import json
import math
import os
import pathlib
import re
import sys

import torch

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs/networks-export.md"


def pattern(shape, phase, scale):
    count = math.prod(shape)
    values = [scale * math.sin(0.7 * i + phase) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).float()


def documented_modules():
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names = {}
    exec(next(block for block in blocks if "class GruAttention" in block), names)
    return names


def disturbed(module):
    """With statistics and biases that are not those of a new module."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.dtype == torch.float32:
                tensor.add_(torch.rand_like(tensor) * 0.3)
    return module.eval()


class RunsSomething:
    def __reduce__(self):
        return os.getenv, ("HOME",)


def main():
    folder = pathlib.Path(sys.argv[1])
    python = documented_modules()
    torch.manual_seed(7)
    networks = {
        "gru_attention": python["GruAttention"](3, 6, 2, [5, 4], 2),
        "lstm": python["Lstm"](3, 6, 2, [5], 2),
        "dnn": python["Dnn"](7, 3, [5, 4], 2),
        "cdnn": python["Cdnn"](7, 3, [4, 5], [4], 3, 2),
        "clstm": python["Clstm"](3, [4, 5], 6, 1, [4], 3, 2),
        "tft": python["Tft"](3, 4, 2, 3, 2),
    }
    windows, known = pattern((4, 7, 3), 1.0, 1.0), pattern((4, 9, 6), 5.0, 1.0)
    answers = {}
    for name, network in networks.items():
        disturbed(network)
        torch.save(network.state_dict(), folder / f"{name}.pt")
        inputs = (windows, known, torch.tensor([0, 2, 1, 2])) if name == "tft" else (windows,)
        answers[name] = network(*inputs).flatten().tolist()
    (folder / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")

    dnn = networks["dnn"]
    optimizer = torch.optim.Adam(dnn.parameters())
    dnn(windows).sum().backward()
    optimizer.step()  # its state is of tensors too
    state = torch.load(folder / "dnn.pt")
    wrapped = collections.OrderedDict(("module." + k, v.double()) for k, v in state.items())
    torch.save(
        {
            "epoch": 3,
            "loss": 0.25,
            "done": False,
            "name": None,
            "model_state_dict": wrapped,
            "optimizer_state_dict": optimizer.state_dict(),
        },
        folder / "dnn_checkpoint.pt",
    )
    # What must be refused.
    torch.save(state, folder / "dnn_old_format.pt", _use_new_zipfile_serialization=False)
    torch.save({"weight": torch.ones(2), "other": RunsSomething()}, folder / "runs_something.pt")
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), folder / "torchscript.pt")


main()
