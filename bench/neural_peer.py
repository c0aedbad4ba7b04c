"""The networks of neural_bench in PyTorch. Prints one line a case: name and seconds a step.

Usage: neural_peer.py THREADS ROUNDS STEPS CASE...     cases: gru_attention:32, lstm:256, small_gru:8
Seconds are the processor's with one thread and the wall's with more; the best of the rounds counts.
"""

import sys
import time

try:
    import torch
except ImportError:
    sys.exit(1)

FEATURES, WINDOW, HIDDEN = 44, 60, 128


class Recurrent(torch.nn.Module):
    def __init__(self, kind, features, hidden, layers, dense):
        super().__init__()
        self.layers = kind(features, hidden, layers, batch_first=True)
        self.head = head(hidden, dense)

    def forward(self, x):
        return self.head(self.layers(x)[0][:, -1])


class GruAttention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.input = torch.nn.Linear(FEATURES, HIDDEN)
        self.gru = torch.nn.GRU(HIDDEN, HIDDEN, 2, batch_first=True)
        self.attention = torch.nn.Linear(HIDDEN, 1)
        self.head = head(HIDDEN, [64, 32])

    def forward(self, x):
        states = self.gru(self.input(x))[0]
        weights = torch.softmax(self.attention(states), 1)
        return self.head(torch.bmm(weights.transpose(1, 2), states).squeeze(1))


class Clstm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv1d(FEATURES, 64, 3, padding=1)
        self.second = torch.nn.Conv1d(64, 64, 3, padding=1)
        self.rest = Recurrent(torch.nn.LSTM, 64, HIDDEN, 1, [64])

    def forward(self, x):
        x = torch.relu(self.first(x.transpose(1, 2).contiguous()))
        return self.rest(torch.relu(self.second(x)).transpose(1, 2).contiguous())


class Dnn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = head(FEATURES * WINDOW, [256, 128, 64])

    def forward(self, x):
        return self.head(x.flatten(1))


class Cdnn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv1d(FEATURES, 32, 3, padding=1)
        self.second = torch.nn.Conv1d(32, 64, 3, padding=1)
        self.head = head(64 * WINDOW, [64])

    def forward(self, x):
        x = torch.relu(self.first(x.transpose(1, 2).contiguous()))
        return self.head(torch.relu(self.second(x)).flatten(1))


class GateAddNorm(torch.nn.Module):
    def __init__(self, inputs, units, dropout):
        super().__init__()
        self.dropout = torch.nn.Dropout(dropout)
        self.gate = torch.nn.Linear(inputs, 2 * units)
        self.norm = torch.nn.LayerNorm(units)

    def forward(self, x, skip):
        return self.norm(skip + torch.nn.functional.glu(self.gate(self.dropout(x)), -1))


class GatedResidual(torch.nn.Module):
    def __init__(self, inputs, units, outputs, context, dropout):
        super().__init__()
        self.second = torch.nn.Linear(inputs, units)
        self.context = torch.nn.Linear(context, units, bias=False) if context else None
        self.first = torch.nn.Linear(units, units)
        self.out = GateAddNorm(units, outputs, dropout)
        self.skip = torch.nn.Linear(inputs, outputs) if inputs != outputs else None

    def forward(self, a, context=None):
        hidden = self.second(a)
        if context is not None:
            hidden = hidden + self.context(context)
        hidden = self.first(torch.nn.functional.elu(hidden))
        return self.out(hidden, a if self.skip is None else self.skip(a))


class Selection(torch.nn.Module):
    def __init__(self, variables, units, context, dropout):
        super().__init__()
        self.weights = GatedResidual(variables * units, units, variables, context, dropout)
        self.each = torch.nn.ModuleList(
            GatedResidual(units, units, units, 0, dropout) for _ in range(variables)
        )

    def forward(self, x, context=None):
        weights = torch.softmax(self.weights(x.flatten(-2), context), -1)
        found = torch.stack([one(x[..., j, :]) for j, one in enumerate(self.each)], -2)
        return (found * weights.unsqueeze(-1)).sum(-2)


class Embedded(torch.nn.Module):
    def __init__(self, variables, units):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(variables, units) * 0.1)
        self.bias = torch.nn.Parameter(torch.zeros(variables, units))

    def forward(self, x):
        return x.unsqueeze(-1) * self.weight + self.bias


class Attention(torch.nn.Module):
    def __init__(self, units, heads, dropout):
        super().__init__()
        self.heads, self.width = heads, units // heads
        self.query, self.key = torch.nn.Linear(units, units), torch.nn.Linear(units, units)
        self.value = torch.nn.Linear(units, self.width)
        self.out = torch.nn.Linear(self.width, units, bias=False)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, x, horizons):
        steps = x.shape[1]
        query = self.query(x[:, -horizons:]).unflatten(-1, (self.heads, self.width))
        key = self.key(x).unflatten(-1, (self.heads, self.width))
        scores = query.transpose(1, 2) @ key.permute(0, 2, 3, 1) / self.width**0.5
        hidden = torch.ones(horizons, steps, dtype=torch.bool).triu(steps - horizons + 1)
        weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1)
        return self.out(self.dropout(weights).mean(1) @ self.value(x))


class Tft(torch.nn.Module):
    def __init__(self, features=12, known=6, units=32, heads=4, dropout=0.1):
        super().__init__()
        self.group = torch.nn.Embedding(1, units)
        self.past, self.known = Embedded(features, units), Embedded(known, units)
        self.select_static = Selection(1, units, 0, dropout)
        self.select_past = Selection(features + known, units, units, dropout)
        self.select_future = Selection(known, units, units, dropout)
        self.contexts = torch.nn.ModuleList(
            GatedResidual(units, units, units, 0, dropout) for _ in range(4)
        )
        self.encoder = torch.nn.LSTM(units, units, batch_first=True)
        self.decoder = torch.nn.LSTM(units, units, batch_first=True)
        self.locality = GateAddNorm(units, units, dropout)
        self.enrichment = GatedResidual(units, units, units, units, dropout)
        self.attention = Attention(units, heads, dropout)
        self.attended = GateAddNorm(units, units, dropout)
        self.last_residual = GatedResidual(units, units, units, 0, dropout)
        self.last = GateAddNorm(units, units, dropout)
        self.output = torch.nn.Linear(units, 1)
        self.inputs = features

    def forward(self, x):
        steps = x.shape[1] - 1
        known = self.known(x[..., self.inputs :])
        fixed = self.select_static(self.group(torch.zeros(len(x), 1, dtype=torch.long)))
        select, cell, hidden, enrich = (context(fixed) for context in self.contexts)
        select = select.unsqueeze(1)
        windows = self.past(x[:, :steps, : self.inputs])
        past = self.select_past(torch.cat([windows, known[:, :steps]], -2), select)
        future = self.select_future(known[:, steps:], select)
        encoded, state = self.encoder(past, (hidden[None], cell[None]))
        decoded, _ = self.decoder(future, state)
        local = self.locality(torch.cat([encoded, decoded], 1), torch.cat([past, future], 1))
        enriched = self.enrichment(local, enrich.unsqueeze(1))
        after = self.attended(self.attention(enriched, 1), enriched[:, steps:])
        return self.output(self.last(self.last_residual(after), local[:, steps:])).squeeze(-1)


def head(inputs, units):
    layers = []
    for outputs in units:
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
        inputs = outputs
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 1))


def make(name, size):
    """The network and its batch; of the small ones, `size` is the number of units."""
    if name == "small_gru":
        return Recurrent(torch.nn.GRU, FEATURES, size, 1, [16]), 32
    if name == "small_lstm":
        return Recurrent(torch.nn.LSTM, FEATURES, size, 1, [16]), 32
    networks = {
        "gru_attention": GruAttention,
        "lstm": lambda: Recurrent(torch.nn.LSTM, FEATURES, HIDDEN, 2, [64]),
        "clstm": Clstm,
        "dnn": Dnn,
        "cdnn": Cdnn,
        "tft": Tft,
    }
    return networks[name](), size


def measure(case, rounds, steps, clock):
    name, size = case.split(":")
    network, batch = make(name, int(size))
    optimizer = torch.optim.Adam(network.parameters())
    # Of tft 12 features and 6 known inputs, which reach one step further.
    shape = (WINDOW + 1, 18) if name == "tft" else (WINDOW, FEATURES)
    x, y = torch.randn(batch, *shape), torch.randn(batch, 1)
    best = float("inf")
    for _ in range(rounds + 1):  # one to warm up
        start = clock()
        for _ in range(steps):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x), y).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        best = min(best, (clock() - start) / steps)
    print(case, best, flush=True)


def main():
    threads, rounds, steps = (int(a) for a in sys.argv[1:4])
    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    for case in sys.argv[4:]:
        measure(case, rounds, steps, clock)


if __name__ == "__main__":
    main()
