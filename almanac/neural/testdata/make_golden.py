#!/usr/bin/env python3
"""Answers of PyTorch's own modules, optimizers and schedules, for network_test and others.

Usage: make_golden.py > golden.json      (needs torch; written with 1.13)

Weights and inputs are not stored: both sides compute them by `pattern`.
"""
import json
import math

import torch
from torch import nn


def pattern(shape, phase, scale):
    count = math.prod(shape)
    values = [scale * math.sin(0.7 * i + phase) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


class Head(nn.Module):
    def __init__(self, inputs, units, outputs, normalise=False):
        super().__init__()
        self.dense, self.norm = nn.ModuleList(), nn.ModuleList()
        for width in units:
            self.dense.append(nn.Linear(inputs, width))
            if normalise:
                self.norm.append(nn.BatchNorm1d(width))
            inputs = width
        self.output = nn.Linear(inputs, outputs)

    def forward(self, x):
        for i, layer in enumerate(self.dense):
            x = torch.relu(layer(x))
            if len(self.norm):
                x = self.norm[i](x)
        return self.output(x)


class GruAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Linear(3, 6)
        self.gru = nn.GRU(6, 6, 2, batch_first=True)
        self.attention = nn.Linear(6, 1)
        self.head = Head(6, [5, 4], 2, True)

    def forward(self, x):
        states, _ = self.gru(self.input(x))
        weights = torch.softmax(self.attention(states), 1)
        return self.head((weights * states).sum(1))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, 2, batch_first=True)
        self.head = Head(6, [5], 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Dnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = Head(7 * 3, [5, 4], 2)

    def forward(self, x):
        return self.head(x.flatten(1))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.ModuleList([nn.Conv1d(3, 4, 3, padding=1), nn.Conv1d(4, 5, 3, padding=1)])

    def found(self, x):
        x = x.transpose(1, 2)
        for layer in self.conv:
            x = torch.relu(layer(x))
        return x


class Cdnn(Convolutions):
    def __init__(self):
        super().__init__()
        self.head = Head(5 * 7, [4], 2)

    def forward(self, x):
        return self.head(self.found(x).flatten(1))


class Clstm(Convolutions):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 6, 1, batch_first=True)
        self.head = Head(6, [4], 2)

    def forward(self, x):
        return self.head(self.lstm(self.found(x).transpose(1, 2))[0][:, -1])


# The Temporal Fusion Transformer, from the paper's equations, step by step and head by head.
class GateAddNorm(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.gate, self.norm = nn.Linear(inputs, 2 * units), nn.LayerNorm(units)

    def forward(self, x, skip):
        value, gate = self.gate(x).chunk(2, -1)
        return self.norm(skip + torch.sigmoid(gate) * value)


class Residual(nn.Module):
    def __init__(self, inputs, units, outputs, context=0):
        super().__init__()
        self.second, self.first = nn.Linear(inputs, units), nn.Linear(units, units)
        self.out = GateAddNorm(units, outputs)
        if context:
            self.context = nn.Linear(context, units, bias=False)
        if inputs != outputs:
            self.skip = nn.Linear(inputs, outputs)

    def forward(self, a, c=None):
        hidden = self.second(a)
        if hasattr(self, "context"):
            hidden = hidden + self.context(c)
        skip = self.skip(a) if hasattr(self, "skip") else a
        return self.out(self.first(nn.functional.elu(hidden)), skip)


class Selection(nn.Module):
    def __init__(self, variables, units, context=0):
        super().__init__()
        self.weights = Residual(variables * units, units, variables, context)
        self.variable = nn.ModuleList([Residual(units, units, units) for _ in range(variables)])

    def forward(self, variables, c=None):
        v = torch.softmax(self.weights(torch.cat(variables, -1), c), -1)
        return sum(v[..., j : j + 1] * self.variable[j](x) for j, x in enumerate(variables)), v


class Embedded(nn.Module):
    def __init__(self, variables, units):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(variables, units))
        self.bias = nn.Parameter(torch.zeros(variables, units))

    def forward(self, x):
        return [x[..., j : j + 1] * self.weight[j] + self.bias[j] for j in range(len(self.weight))]


class Attention(nn.Module):
    def __init__(self, units, heads):
        super().__init__()
        self.heads, width = heads, units // heads
        self.query, self.key = nn.Linear(units, units), nn.Linear(units, units)
        self.value, self.out = nn.Linear(units, width), nn.Linear(width, units, bias=False)

    def forward(self, x, first):
        rows, all_weights = [], []
        for step in range(first, x.shape[1]):
            heads, weights = [], []
            for q, k in zip(
                self.query(x[:, step]).chunk(self.heads, -1), self.key(x).chunk(self.heads, -1)
            ):
                scores = (k[:, : step + 1] * q[:, None]).sum(-1) / q.shape[-1] ** 0.5
                a = torch.softmax(scores, -1)
                heads.append((a[..., None] * self.value(x)[:, : step + 1]).sum(1))
                weights.append(nn.functional.pad(a, (0, x.shape[1] - step - 1)))
            rows.append(self.out(sum(heads) / self.heads))
            all_weights.append(sum(weights) / self.heads)
        return torch.stack(rows, 1), torch.stack(all_weights, 1)


class Tft(nn.Module):
    def __init__(self, features=3, known=6, units=4, horizons=2):
        super().__init__()
        self.group = nn.Embedding(3, units)
        self.past, self.known = Embedded(features, units), Embedded(known, units)
        self.select_static = Selection(1, units)
        self.select_past = Selection(features + known, units, units)
        self.select_future = Selection(known, units, units)
        self.encoder = nn.LSTM(units, units, batch_first=True)
        self.decoder = nn.LSTM(units, units, batch_first=True)
        self.locality = GateAddNorm(units, units)
        self.enrichment = Residual(units, units, units, units)
        self.attention = Attention(units, 2)
        self.attended = GateAddNorm(units, units)
        self.forward_ = Residual(units, units, units)
        self.last = GateAddNorm(units, units)
        self.output = nn.Linear(units, 3)
        for name in ["selection", "cell", "hidden", "enrichment"]:
            setattr(self, "context_" + name, Residual(units, units, units))

    def forward(self, x):
        steps = x.shape[1]
        known = pattern((4, steps + 2, 6), 5.0, 1.0)
        fixed, _ = self.select_static([self.group(torch.tensor([0, 2, 1, 2]))])
        c_s = self.context_selection(fixed)[:, None]
        embedded = self.known(known)
        past, past_weights = self.select_past(
            self.past(x) + [e[:, :steps] for e in embedded], c_s.expand(-1, steps, -1)
        )
        future, future_weights = self.select_future(
            [e[:, steps:] for e in embedded], c_s.expand(-1, 2, -1)
        )
        start = (self.context_hidden(fixed)[None], self.context_cell(fixed)[None])
        encoded, state = self.encoder(past, start)
        decoded, _ = self.decoder(future, state)
        local = self.locality(
            torch.cat([encoded, decoded], 1), torch.cat([past, future], 1)
        )
        enriched = self.enrichment(local, self.context_enrichment(fixed)[:, None])
        attended, attention = self.attention(enriched, steps)
        after = self.attended(attended, enriched[:, steps:])
        last = self.last(self.forward_(after), local[:, steps:])
        self.seen = (past_weights, future_weights, attention)
        return self.output(last)


def network(model):
    model = model.double()
    named = [
        (name.replace("head.", "").replace("forward_", "forward"), p)
        for name, p in model.named_parameters()
    ]
    for name, parameter in named:
        # By name, so that the order of layers does not matter.
        parameter.data = pattern(parameter.shape, sum(map(ord, name)), 0.4)
    x = pattern((4, 7, 3), 1.0, 1.0)
    target = pattern((4, 2, 3) if isinstance(model, Tft) else (4, 2), 2.0, 1.0)
    model.eval()
    answers = model(x)
    model.train()
    loss = nn.functional.mse_loss(model(x), target)
    loss.backward()
    return {
        "parameters": sum(p.numel() for _, p in named),
        "answers": answers.flatten().tolist(),
        "loss": loss.item(),
        # One number a tensor: enough to tell a wrong gradient, small enough to keep.
        "gradients": {
            name: (p.grad * pattern(p.shape, 3.0, 1.0)).sum().item() for name, p in named
        },
    }


def tft():
    model = Tft()
    golden = network(model)
    past, future, attention = model.seen
    golden["past"] = past.mean((0, 1)).tolist()
    golden["future"] = future.mean((0, 1)).tolist()
    golden["attention"] = attention.mean(0).flatten().tolist()
    return golden


def optimizer(make):
    weight = nn.Parameter(pattern((5,), 0.5, 1.0))
    steps = make([weight])
    values = []
    for step in range(4):
        steps.zero_grad()
        (weight**2 * pattern((5,), step, 1.0)).sum().backward()
        nn.utils.clip_grad_norm_([weight], 1.0)
        steps.step()
        values.append(weight.tolist())
    return values


def schedule(make, total):
    weight = nn.Parameter(torch.zeros(1))
    steps = torch.optim.SGD([weight], 0.1)
    rates, along = [], make(steps)
    for _ in range(total):
        rates.append(steps.param_groups[0]["lr"])
        steps.step()
        along.step()
    return rates


def main():
    losses = {}
    forecasts, targets = pattern((3, 2, 1), 1.0, 2.0), pattern((3, 2), 2.0, 2.0)
    for name in ["mse_loss", "l1_loss", "huber_loss"]:
        losses[name] = getattr(nn.functional, name)(forecasts.squeeze(-1), targets).item()
    logits, classes = pattern((3, 2, 4), 1.0, 2.0), torch.tensor([[0, 1], [2, 3], [1, 1]])
    losses["cross_entropy"] = nn.functional.cross_entropy(
        logits.flatten(0, 1), classes.flatten()
    ).item()
    golden = {
        "networks": {
            "gru_attention": network(GruAttention()),
            "lstm": network(Lstm()),
            "dnn": network(Dnn()),
            "cdnn": network(Cdnn()),
            "clstm": network(Clstm()),
            "tft": tft(),
        },
        "losses": losses,
        "optimizers": {
            "adam": optimizer(lambda w: torch.optim.Adam(w, 0.1, weight_decay=0.01)),
            "adamw": optimizer(lambda w: torch.optim.AdamW(w, 0.1, weight_decay=0.01)),
            "sgd": optimizer(lambda w: torch.optim.SGD(w, 0.1, momentum=0.9, weight_decay=0.01)),
        },
        "schedules": {
            "cosine": schedule(lambda s: torch.optim.lr_scheduler.CosineAnnealingLR(s, 20), 20),
            "one_cycle": schedule(lambda s: torch.optim.lr_scheduler.OneCycleLR(s, 0.1, 20), 20),
        },
    }
    print(json.dumps(golden, indent=1))


main()
