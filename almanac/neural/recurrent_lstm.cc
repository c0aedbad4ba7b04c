#include <algorithm>
#include <cstddef>

#include "almanac/neural/recurrent_cell.h"

// Sizeless vectors do not fit into arrays; SSSE3 gains nothing here that is worth its compilation.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/neural/recurrent_lstm.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#include "almanac/neural/recurrent_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

constexpr size_t kLstmGates = 4;

// Where the values of a tile's first row and unit stand, at one step.
struct LstmPlace {
  float* gates;
  const float* cell_before;
  float* cell_after;
  float* after;
  size_t padded;
};

template <size_t kRows>
HWY_INLINE void LstmTile(const LstmPlace& place, const float* state_rows, const float* weights,
                         size_t depth) {
  const FloatTag tag;
  const size_t padded = place.padded;
  Vector tile[kRows][kLstmGates];
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t gate = 0; gate < kLstmGates; ++gate) {
      tile[i][gate] = hn::LoadU(tag, place.gates + (i * kLstmGates + gate) * padded);
    }
  }
  MultiplyTile(state_rows, padded, 1, weights, depth, tile);
  for (size_t i = 0; i < kRows; ++i) {
    float* gates = place.gates + i * kLstmGates * padded;
    const Vector input = Sigmoid(tile[i][0]), forget = Sigmoid(tile[i][1]);
    const Vector change = Tanh(tile[i][2]), output = Sigmoid(tile[i][3]);
    const Vector before = hn::LoadU(tag, place.cell_before + i * padded);
    const Vector cell = hn::MulAdd(forget, before, hn::Mul(input, change));
    hn::StoreU(input, tag, gates);
    hn::StoreU(forget, tag, gates + padded);
    hn::StoreU(change, tag, gates + 2 * padded);
    hn::StoreU(output, tag, gates + 3 * padded);
    hn::StoreU(cell, tag, place.cell_after + i * padded);
    hn::StoreU(hn::Mul(output, Tanh(cell)), tag, place.after + i * padded);
  }
}

void LstmStep(const CellRows& rows, size_t step, const float* weights) {
  const size_t padded = rows.shape.Padded(), hidden = rows.shape.hidden;
  const size_t batch = rows.shape.batch, lanes = hn::Lanes(FloatTag());
  constexpr size_t kMost = TileRows(kLstmGates);
  // Tiles of nearly equal height: a low one at the end would leave the multipliers idle.
  const size_t tiles = (rows.rows + kMost - 1) / kMost;
  for (size_t unit = 0; unit < padded; unit += lanes) {
    const float* panel = weights + unit * kLstmGates * hidden;
    for (size_t tile = 0; tile < tiles; ++tile) {
      const size_t begin = tile * rows.rows / tiles, end = (tile + 1) * rows.rows / tiles;
      const size_t row = step * batch + rows.first + begin;
      const LstmPlace place = {rows.tape.gates + row * kLstmGates * padded + unit,
                               rows.tape.memory + row * padded + unit,
                               rows.tape.memory + (row + batch) * padded + unit,
                               rows.tape.states + (row + batch) * padded + unit, padded};
      WithConstant<kMost>(end - begin, [&](auto count) {
        LstmTile<decltype(count)::value>(place, rows.tape.states + row * padded, panel, hidden);
      });
    }
  }
}

void LstmForwardRows(const CellRows& rows, const float* weights) {
  for (size_t step = 0; step < rows.shape.steps; ++step) LstmStep(rows, step, weights);
}

// The derivatives by one row's gates; out.cell becomes that by the cell before.
void LstmGateGradients(const CellRows& rows, const CellGradients& out, size_t step, size_t b) {
  const FloatTag tag;
  const size_t padded = rows.shape.Padded(), hidden = rows.shape.hidden;
  const size_t row = step * rows.shape.batch + b;
  const float* gates = rows.tape.gates + row * kLstmGates * padded;
  const float* before = rows.tape.memory + row * padded;
  const float* after = rows.tape.memory + (row + rows.shape.batch) * padded;
  float* gradients = out.gates + row * kLstmGates * padded;
  float* carried = out.cell + b * padded;
  const Vector one = hn::Set(tag, 1.0F);
  for (size_t unit = 0; unit < padded; unit += hn::Lanes(tag)) {
    const Vector input = hn::LoadU(tag, gates + unit);
    const Vector forget = hn::LoadU(tag, gates + padded + unit);
    const Vector change = hn::LoadU(tag, gates + 2 * padded + unit);
    const Vector output = hn::LoadU(tag, gates + 3 * padded + unit);
    Vector d = hn::LoadU(tag, out.hidden + b * padded + unit);
    if (out.output != nullptr && unit < hidden) {
      d = hn::Add(d, LoadSome(out.output + row * hidden + unit, hidden - unit));
    }
    const Vector squashed = Tanh(hn::LoadU(tag, after + unit));
    const Vector d_cell = hn::MulAdd(hn::Mul(d, output), hn::NegMulAdd(squashed, squashed, one),
                                     hn::LoadU(tag, carried + unit));
    const Vector d_input = hn::Mul(hn::Mul(d_cell, change), hn::Mul(input, hn::Sub(one, input)));
    const Vector d_forget = hn::Mul(hn::Mul(d_cell, hn::LoadU(tag, before + unit)),
                                    hn::Mul(forget, hn::Sub(one, forget)));
    const Vector d_change = hn::Mul(hn::Mul(d_cell, input), hn::NegMulAdd(change, change, one));
    const Vector d_output = hn::Mul(hn::Mul(d, squashed), hn::Mul(output, hn::Sub(one, output)));
    hn::StoreU(d_input, tag, gradients + unit);
    hn::StoreU(d_forget, tag, gradients + padded + unit);
    hn::StoreU(d_change, tag, gradients + 2 * padded + unit);
    hn::StoreU(d_output, tag, gradients + 3 * padded + unit);
    hn::StoreU(hn::Mul(d_cell, forget), tag, carried + unit);
  }
}

void LstmGradientRows(const CellRows& rows, const CellGradients& out, size_t step) {
  for (size_t i = 0; i < rows.rows; ++i) LstmGateGradients(rows, out, step, rows.first + i);
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {

HWY_EXPORT(LstmForwardRows);
HWY_EXPORT(LstmGradientRows);

void LstmForward(const CellRows& rows, const float* packed_weights) {
  HWY_DYNAMIC_DISPATCH(LstmForwardRows)(rows, packed_weights);
}

void LstmBackward(const CellRows& rows, const PackedMatrix& recurrent, const CellGradients& out) {
  const size_t padded = rows.shape.Padded();
  for (size_t step = rows.shape.steps; step-- > 0;) {
    HWY_DYNAMIC_DISPATCH(LstmGradientRows)(rows, out, step);
    const float* gates = out.gates + (step * rows.shape.batch + rows.first) * 4 * padded;
    Multiply({gates, rows.rows, 4 * padded, 4 * padded, 1}, recurrent,
             out.hidden + rows.first * padded, padded);
  }
}

}  // namespace almanac::neural
#endif  // HWY_ONCE
