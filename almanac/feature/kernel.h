// Incremental kernels: the only form in which a feature's arithmetic exists.
//
// A *cell* is a struct with state and one Step, which takes the inputs of one bar and gives its
// outputs. CellKernel turns a cell into a Kernel, which runs blocks of bars through that same Step:
// history is many steps, the live bar is a block of one. State depends on the bars that were seen
// and on nothing else, so history in blocks of any size, bar by bar, or continued from a saved
// state gives the same bits.
//
//   struct Ratio {
//     static constexpr size_t kInputs = 2, kOutputs = 1;
//     void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
//       out[0] = in[0] / in[1];
//     }
//     template <typename Archive> void Visit(Archive& archive) {}  // no state
//   };
//   auto kernel = MakeKernel(Ratio{});
//
// A value that is not known (warm-up, a division by nothing) is NaN, never zero; a NaN input gives
// NaN outputs as long as it lies in the cell's window.
#ifndef ALMANAC_FEATURE_KERNEL_H_
#define ALMANAC_FEATURE_KERNEL_H_

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "almanac/feature/state.h"

namespace almanac {

// Arrays of `rows` values each. Outputs may not overlap inputs.
struct KernelBlock {
  size_t rows = 0;
  const double* const* inputs = nullptr;
  double* const* outputs = nullptr;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual size_t inputs() const = 0;
  virtual size_t outputs() const = 0;
  virtual void Run(const KernelBlock& block) = 0;
  virtual void SaveState(StateWriter& writer) const = 0;
  // Into a kernel made with the same parameters. Throws Error(kBadData) if the bytes are not such a
  // state; the kernel is then of no use.
  virtual void LoadState(StateReader& reader) = 0;
};

template <typename Cell>
class CellKernel final : public Kernel {
 public:
  explicit CellKernel(Cell cell) : cell_(std::move(cell)) {}

  size_t inputs() const override { return Cell::kInputs; }
  size_t outputs() const override { return Cell::kOutputs; }

  void Run(const KernelBlock& block) override {
    std::array<double, Cell::kInputs> in;
    std::array<double, Cell::kOutputs> out;
    for (size_t row = 0; row < block.rows; ++row) {
      for (size_t i = 0; i < Cell::kInputs; ++i) in[i] = block.inputs[i][row];
      cell_.Step(in, out);
      for (size_t o = 0; o < Cell::kOutputs; ++o) block.outputs[o][row] = out[o];
    }
  }

  void SaveState(StateWriter& writer) const override {
    // Visit serves both directions and is therefore not const; the writer changes nothing.
    const_cast<Cell&>(cell_).Visit(writer);
  }
  void LoadState(StateReader& reader) override { cell_.Visit(reader); }

 private:
  Cell cell_;
};

template <typename Cell>
std::unique_ptr<Kernel> MakeKernel(Cell cell) {
  return std::make_unique<CellKernel<Cell>>(std::move(cell));
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_KERNEL_H_
