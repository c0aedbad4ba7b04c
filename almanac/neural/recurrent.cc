#include "almanac/neural/recurrent.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "almanac/neural/recurrent_cell.h"

namespace almanac::neural {
namespace {

constexpr size_t kFewestRows = 8;  // a thread with less would leave its multipliers idle
constexpr size_t kMostRows = 48;   // whose values of one step stay in the first cache

using Order = std::array<size_t, 4>;  // where each gate stands

// As PyTorch has them, and as CellGradients::gates has those of the input's product.
constexpr Order kGiven = {0, 1, 2, 3};
Order GradientOrder(Cell cell) { return cell == Cell::kGru ? Order{1, 2, 0, 3} : kGiven; }

// The gates' blocks of `hidden` rows at their places, each padded with zero rows.
Floats PadGates(const RecurrentShape& shape, const float* rows, size_t columns,
                const Order& order) {
  const size_t padded = shape.Padded(), used = shape.hidden * columns;
  Floats out = AllocateFloats(shape.Gates() * padded * columns);
  for (size_t gate = 0; gate < shape.Gates(); ++gate) {
    float* block = out.get() + order[gate] * padded * columns;
    std::copy_n(rows + gate * used, used, block);
    std::fill(block + used, block + padded * columns, 0.0F);
  }
  return out;
}

// The reverse. Rows of `padded` may be wider than the columns that are taken.
void UnpadGates(const RecurrentShape& shape, const float* padded, size_t columns,
                const Order& order, float* out) {
  for (size_t gate = 0; gate < shape.Gates(); ++gate) {
    std::copy_n(padded + order[gate] * shape.Padded() * columns, shape.hidden * columns,
                out + gate * shape.hidden * columns);
  }
}

void PadRows(const RecurrentShape& shape, const float* from, float* to) {
  const size_t padded = shape.Padded();
  if (from == nullptr) {
    std::fill_n(to, shape.batch * padded, 0.0F);
    return;
  }
  for (size_t row = 0; row < shape.batch; ++row) {
    std::copy_n(from + row * shape.hidden, shape.hidden, to + row * padded);
    std::fill(to + row * padded + shape.hidden, to + (row + 1) * padded, 0.0F);
  }
}

void UnpadRows(const RecurrentShape& shape, const float* from, float* to) {
  for (size_t row = 0; row < shape.batch; ++row) {
    std::copy_n(from + row * shape.Padded(), shape.hidden, to + row * shape.hidden);
  }
}

// What the input's product starts with, and what a GRU's recurrent product does.
struct Biases {
  std::vector<float> input, recurrent;
};

Biases PadBiases(const RecurrentShape& shape, const RecurrentWeights& weights) {
  const size_t padded = shape.Padded(), hidden = shape.hidden;
  Biases biases;
  biases.input.assign(shape.Gates() * padded, 0.0F);
  biases.recurrent.assign(padded, 0.0F);
  if (weights.input_bias == nullptr) return biases;
  for (size_t gate = 0; gate < shape.Gates(); ++gate) {
    const bool is_apart = shape.cell == Cell::kGru && gate == 2;
    for (size_t j = 0; j < hidden; ++j) {
      const float other = weights.recurrent_bias[gate * hidden + j];
      biases.input[gate * padded + j] =
          weights.input_bias[gate * hidden + j] + (is_apart ? 0.0F : other);
      if (is_apart) biases.recurrent[j] = other;
    }
  }
  return biases;
}

// The batch in pieces for the threads.
void ForRows(const RecurrentShape& shape, const RecurrentTape& tape, const Runner& runner,
             const std::function<void(const CellRows&)>& body) {
  const size_t fewest = (shape.batch + kMostRows - 1) / kMostRows;
  const size_t most = (shape.batch + kFewestRows - 1) / kFewestRows;
  // As many for each thread.
  const size_t wanted = (fewest + runner.threads - 1) / runner.threads * runner.threads;
  const size_t pieces = std::min(most, wanted);
  runner.run(pieces, [&](size_t piece) {
    const size_t begin = piece * shape.batch / pieces, end = (piece + 1) * shape.batch / pieces;
    body({shape, tape, begin, end - begin});
  });
}

// The derivatives by the gates of every row, and by the state before the first step.
struct GateGradients {
  Floats gates, hidden, cell;
};

GateGradients RunBack(const RecurrentShape& shape, const RecurrentWeights& weights,
                      const RecurrentTape& tape, const RecurrentLoss& loss, const Runner& runner) {
  const size_t padded = shape.Padded();
  GateGradients all = {AllocateFloats(shape.Rows() * 4 * padded),
                       AllocateFloats(shape.batch * padded), AllocateFloats(shape.batch * padded)};
  PadRows(shape, loss.last_hidden, all.hidden.get());
  PadRows(shape, loss.last_cell, all.cell.get());
  const Floats rows = PadGates(shape, weights.recurrent, shape.hidden, kGiven);
  const PackedMatrix recurrent(RowMajor(rows.get(), shape.Gates() * padded, shape.hidden), runner);
  const CellGradients out = {loss.output, all.gates.get(), all.hidden.get(), all.cell.get()};
  ForRows(shape, tape, runner, [&](const CellRows& piece) {
    if (shape.cell == Cell::kGru) {
      GruBackward(piece, recurrent, out);
    } else {
      LstmBackward(piece, recurrent, out);
    }
  });
  return all;
}

// The sums over rows of left^T right, where left has the gates' columns.
void WeightGradient(const RecurrentShape& shape, const MatrixView& gates, const MatrixView& right,
                    const Order& order, float* out, const Runner& runner) {
  const PackedMatrix packed(right, runner);
  Floats padded = AllocateFloats(gates.columns * right.columns);
  Multiply(gates.Transposed(), packed, padded.get(), right.columns, {}, runner);
  UnpadGates(shape, padded.get(), right.columns, order, out);
}

void BiasGradients(const RecurrentShape& shape, const float* gates,
                   const RecurrentGradients& gradients) {
  const size_t padded = shape.Padded();
  std::vector<float> sums(4 * padded);
  SumRows(RowMajor(gates, shape.Rows(), 4 * padded), sums.data());
  UnpadGates(shape, sums.data(), 1, GradientOrder(shape.cell), gradients.input_bias);
  const float* recurrent = sums.data() + (4 - shape.Gates()) * padded;
  UnpadGates(shape, recurrent, 1, kGiven, gradients.recurrent_bias);
}

}  // namespace

Floats PackGates(const RecurrentShape& shape, const float* weights) {
  const size_t lanes = VectorLanes(), gates = shape.Gates(), hidden = shape.hidden;
  Floats packed = AllocateFloats(shape.Padded() * gates * hidden);
  float* out = packed.get();
  for (size_t unit = 0; unit < shape.Padded(); unit += lanes, out += lanes * gates * hidden) {
    for (size_t gate = 0; gate < gates; ++gate) {
      for (size_t lane = 0; lane < lanes; ++lane) {
        float* to = out + gate * lanes + lane;
        const float* from = weights + (gate * hidden + unit + lane) * hidden;
        const bool is_there = unit + lane < hidden;
        for (size_t k = 0; k < hidden; ++k) to[k * gates * lanes] = is_there ? from[k] : 0.0F;
      }
    }
  }
  return packed;
}

size_t RecurrentTape::GateValues(const RecurrentShape& shape) {
  return shape.Rows() * shape.Gates() * shape.Padded();
}

size_t RecurrentTape::MemoryValues(const RecurrentShape& shape) {
  const size_t rows = shape.cell == Cell::kGru ? shape.Rows() : shape.Rows() + shape.batch;
  return rows * shape.Padded();
}

size_t RecurrentTape::StateValues(const RecurrentShape& shape) {
  return (shape.Rows() + shape.batch) * shape.Padded();
}

void RecurrentForward(const RecurrentShape& shape, const RecurrentWeights& weights,
                      const MatrixView& input, const RecurrentStart& start,
                      const RecurrentTape& tape, const Runner& runner) {
  const size_t width = shape.Gates() * shape.Padded();
  const Biases biases = PadBiases(shape, weights);
  const Floats rows = PadGates(shape, weights.input, shape.inputs, kGiven);
  const PackedMatrix packed(RowMajor(rows.get(), width, shape.inputs).Transposed(), runner);
  Multiply(input, packed, tape.gates, width, {biases.input.data()}, runner);
  PadRows(shape, start.hidden, tape.states);
  if (shape.cell == Cell::kLstm) PadRows(shape, start.cell, tape.memory);
  const Floats recurrent = PackGates(shape, weights.recurrent);
  ForRows(shape, tape, runner, [&](const CellRows& piece) {
    if (shape.cell == Cell::kGru) {
      GruForward(piece, recurrent.get(), biases.recurrent.data());
    } else {
      LstmForward(piece, recurrent.get());
    }
  });
}

void RecurrentBackward(const RecurrentShape& shape, const RecurrentWeights& weights,
                       const MatrixView& input, const RecurrentTape& tape,
                       const RecurrentLoss& loss, const RecurrentGradients& gradients,
                       const Runner& runner) {
  const size_t padded = shape.Padded(), width = shape.Gates() * padded;
  const GateGradients all = RunBack(shape, weights, tape, loss, runner);
  const Order order = GradientOrder(shape.cell);
  const MatrixView of_input = {all.gates.get(), shape.Rows(), width, 4 * padded, 1};
  if (gradients.input != nullptr) {
    const Floats rows = PadGates(shape, weights.input, shape.inputs, order);
    const PackedMatrix packed(RowMajor(rows.get(), width, shape.inputs), runner);
    Multiply(of_input, packed, gradients.input, shape.inputs, {}, runner);
  }
  if (gradients.input_weights != nullptr) {
    WeightGradient(shape, of_input, input, order, gradients.input_weights, runner);
    MatrixView of_recurrent = of_input;
    of_recurrent.data += 4 * padded - width;
    const MatrixView before = {tape.states, shape.Rows(), shape.hidden, padded, 1};
    WeightGradient(shape, of_recurrent, before, kGiven, gradients.recurrent_weights, runner);
  }
  if (gradients.input_bias != nullptr) BiasGradients(shape, all.gates.get(), gradients);
  if (gradients.start_hidden != nullptr) UnpadRows(shape, all.hidden.get(), gradients.start_hidden);
  if (gradients.start_cell != nullptr) UnpadRows(shape, all.cell.get(), gradients.start_cell);
}

}  // namespace almanac::neural
