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
    }
    return networks[name](), size


def measure(case, rounds, steps, clock):
    name, size = case.split(":")
    network, batch = make(name, int(size))
    optimizer = torch.optim.Adam(network.parameters())
    x, y = torch.randn(batch, WINDOW, FEATURES), torch.randn(batch, 1)
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
