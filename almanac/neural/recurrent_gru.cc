#include <algorithm>
#include <cstddef>

#include "almanac/neural/recurrent_cell.h"

// Sizeless vectors do not fit into arrays; SSSE3 gains nothing here that is worth its compilation.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/neural/recurrent_gru.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "almanac/neural/recurrent_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

constexpr size_t kGruGates = 3;

// Where the values of a tile's first row and unit stand, at one step.
struct GruPlace {
  float* gates;
  float* recurrent_part;
  const float* before;
  float* after;
  size_t padded;
};

template <size_t kRows>
HWY_INLINE void GruTile(const GruPlace& place, const float* state_rows, const float* weights,
                        const float* bias, size_t depth) {
  const FloatTag tag;
  const size_t padded = place.padded;
  Vector tile[kRows][kGruGates];
  for (size_t i = 0; i < kRows; ++i) {
    const float* gates = place.gates + i * kGruGates * padded;
    tile[i][0] = hn::LoadU(tag, gates);
    tile[i][1] = hn::LoadU(tag, gates + padded);
    tile[i][2] = hn::LoadU(tag, bias);
    // The next panel's, which lies in no line that this one touches.
    for (size_t gate = 0; gate < kGruGates; ++gate) {
      hwy::Prefetch(gates + gate * padded + hn::Lanes(tag));
    }
  }
  MultiplyTile(state_rows, padded, 1, weights, depth, tile);
  for (size_t i = 0; i < kRows; ++i) {
    float* gates = place.gates + i * kGruGates * padded;
    const Vector r = Sigmoid(tile[i][0]), z = Sigmoid(tile[i][1]);
    const Vector n = Tanh(hn::MulAdd(r, tile[i][2], hn::LoadU(tag, gates + 2 * padded)));
    const Vector before = hn::LoadU(tag, place.before + i * padded);
    hn::StoreU(r, tag, gates);
    hn::StoreU(z, tag, gates + padded);
    hn::StoreU(n, tag, gates + 2 * padded);
    hn::StoreU(tile[i][2], tag, place.recurrent_part + i * padded);
    hn::StoreU(hn::MulAdd(z, hn::Sub(before, n), n), tag, place.after + i * padded);
  }
}

void GruStep(const CellRows& rows, size_t step, const float* weights, const float* bias) {
  const size_t padded = rows.shape.Padded(), hidden = rows.shape.hidden;
  const size_t lanes = hn::Lanes(FloatTag());
  constexpr size_t kMost = TileRows(kGruGates);
  for (size_t unit = 0; unit < padded; unit += lanes) {
    const float* panel = weights + unit * kGruGates * hidden;
    for (size_t i = 0; i < rows.rows; i += kMost) {
      const size_t row = step * rows.shape.batch + rows.first + i;
      const float* before = rows.tape.states + row * padded;
      const GruPlace place = {rows.tape.gates + row * kGruGates * padded + unit,
                              rows.tape.memory + row * padded + unit, before + unit,
                              rows.tape.states + (row + rows.shape.batch) * padded + unit, padded};
      WithConstant<kMost>(std::min(kMost, rows.rows - i), [&](auto count) {
        GruTile<decltype(count)::value>(place, before, panel, bias + unit, hidden);
      });
    }
  }
}

void GruForwardRows(const CellRows& rows, const float* weights, const float* bias) {
  for (size_t step = 0; step < rows.shape.steps; ++step) GruStep(rows, step, weights, bias);
}

// The derivatives by one row's gates; out.hidden becomes the part that does not go through them.
void GruGateGradients(const CellRows& rows, const CellGradients& out, size_t step, size_t b) {
  const FloatTag tag;
  const size_t padded = rows.shape.Padded(), hidden = rows.shape.hidden;
  const size_t row = step * rows.shape.batch + b;
  const float* gates = rows.tape.gates + row * kGruGates * padded;
  const float* recurrent_part = rows.tape.memory + row * padded;
  const float* before = rows.tape.states + row * padded;
  float* gradients = out.gates + row * 4 * padded;
  float* carried = out.hidden + b * padded;
  const Vector one = hn::Set(tag, 1.0F);
  for (size_t unit = 0; unit < padded; unit += hn::Lanes(tag)) {
    const Vector r = hn::LoadU(tag, gates + unit), z = hn::LoadU(tag, gates + padded + unit);
    const Vector n = hn::LoadU(tag, gates + 2 * padded + unit);
    Vector d = hn::LoadU(tag, carried + unit);
    if (out.output != nullptr && unit < hidden) {
      d = hn::Add(d, LoadSome(out.output + row * hidden + unit, hidden - unit));
    }
    const Vector rest = hn::Sub(one, z);
    const Vector d_n = hn::Mul(hn::Mul(d, rest), hn::NegMulAdd(n, n, one));
    const Vector d_z =
        hn::Mul(hn::Mul(d, hn::Sub(hn::LoadU(tag, before + unit), n)), hn::Mul(z, rest));
    const Vector d_r =
        hn::Mul(hn::Mul(d_n, hn::LoadU(tag, recurrent_part + unit)), hn::Mul(r, hn::Sub(one, r)));
    hn::StoreU(d_n, tag, gradients + unit);
    hn::StoreU(d_r, tag, gradients + padded + unit);
    hn::StoreU(d_z, tag, gradients + 2 * padded + unit);
    hn::StoreU(hn::Mul(d_n, r), tag, gradients + 3 * padded + unit);
    hn::StoreU(hn::Mul(d, z), tag, carried + unit);
  }
}

void GruGradientRows(const CellRows& rows, const CellGradients& out, size_t step) {
  for (size_t i = 0; i < rows.rows; ++i) GruGateGradients(rows, out, step, rows.first + i);
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {

HWY_EXPORT(GruForwardRows);
HWY_EXPORT(GruGradientRows);

void GruForward(const CellRows& rows, const float* packed_weights, const float* recurrent_bias) {
  HWY_DYNAMIC_DISPATCH(GruForwardRows)(rows, packed_weights, recurrent_bias);
}

void GruBackward(const CellRows& rows, const PackedMatrix& recurrent, const CellGradients& out) {
  const size_t padded = rows.shape.Padded();
  for (size_t step = rows.shape.steps; step-- > 0;) {
    HWY_DYNAMIC_DISPATCH(GruGradientRows)(rows, out, step);
    const float* gates = out.gates + (step * rows.shape.batch + rows.first) * 4 * padded + padded;
    Multiply({gates, rows.rows, 3 * padded, 4 * padded, 1}, recurrent,
             out.hidden + rows.first * padded, padded, {nullptr, true});
  }
}

}  // namespace almanac::neural
#endif  // HWY_ONCE
