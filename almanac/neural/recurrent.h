// Layers of gated recurrent units (Cho et al. 2014, in the form of PyTorch's nn.GRU) and of long
// short-term memory (Hochreiter and Schmidhuber 1997, nn.LSTM), forward and backward over all steps
// at once, on the CPU in float32.
//
// A step, with x the input, h and c what the step before left, W and U the input's and the
// recurrent weights, b and d their biases, s the logistic function:
//   GRU   r = s(W_r x + b_r + U_r h + d_r)    z = s(W_z x + b_z + U_z h + d_z)
//         n = tanh(W_n x + b_n + r (U_n h + d_n))    h' = n + z (h - n)
//   LSTM  i, f, o = s(W x + b + U h + d)      g = tanh(W_g x + b_g + U_g h + d_g)
//         c' = f c + i g    h' = o tanh(c')
//
// The input's part of all steps is one matrix product, as are the gradients of the weights; only
// the recurrent product runs step by step, from packed weights, and its gates are applied to the
// registers that hold the product. Rows of a batch are independent, so threads share the batch.
//
// Rows are numbered step by step: row t * batch + b. Values of a row that belong to hidden units
// are padded to Padded() with zeros, so that kernels see whole vectors. The same bits come out for
// any number of threads and any batch that a row is in.
#ifndef ALMANAC_NEURAL_RECURRENT_H_
#define ALMANAC_NEURAL_RECURRENT_H_

#include <cstddef>
#include <cstdint>

#include "almanac/neural/recurrent_product.h"

namespace almanac::neural {

enum class Cell : uint8_t { kGru, kLstm };

struct RecurrentShape {
  Cell cell = Cell::kGru;
  size_t steps = 0, batch = 0, inputs = 0, hidden = 0;

  size_t Gates() const { return cell == Cell::kGru ? 3 : 4; }
  size_t Padded() const { return (hidden + 15) / 16 * 16; }  // 16: the most lanes of a vector
  size_t Rows() const { return steps * batch; }
};

// As PyTorch has them: gates r, z, n or i, f, g, o below each other. Without biases both are null.
struct RecurrentWeights {
  const float* input = nullptr;           // (gates * hidden, inputs)
  const float* recurrent = nullptr;       // (gates * hidden, hidden)
  const float* input_bias = nullptr;      // (gates * hidden)
  const float* recurrent_bias = nullptr;  // (gates * hidden)
};

// What a forward pass leaves behind: its result, and what the backward pass needs.
struct RecurrentTape {
  float* gates = nullptr;  // (rows, gates * padded), after their functions
  // GRU: (rows, padded), U_n h + d_n. LSTM: (rows + batch, padded), the cells; the first `batch`
  // rows are the state before the first step.
  float* memory = nullptr;
  float* states = nullptr;  // (rows + batch, padded): h before the first step, then the result

  // Values behind each pointer.
  static size_t GateValues(const RecurrentShape& shape);
  static size_t MemoryValues(const RecurrentShape& shape);
  static size_t StateValues(const RecurrentShape& shape);
};

// The state before the first step: (batch, hidden) each, null for zeros. A GRU has no cell.
struct RecurrentStart {
  const float* hidden = nullptr;
  const float* cell = nullptr;
};

// input: (rows, inputs), row-major.
void RecurrentForward(const RecurrentShape& shape, const RecurrentWeights& weights,
                      const MatrixView& input, const RecurrentStart& start,
                      const RecurrentTape& tape, const Runner& runner = {});

// The loss's derivatives by what the forward pass returned. Null for zeros.
struct RecurrentLoss {
  const float* output = nullptr;       // (rows, hidden)
  const float* last_hidden = nullptr;  // (batch, hidden), besides what `output` has for it
  const float* last_cell = nullptr;    // (batch, hidden)
};

// The loss's derivatives by what the forward pass took, in its layouts. Null where not wanted; the
// biases and the weights are wanted or not as a whole.
struct RecurrentGradients {
  float* input = nullptr;
  float* input_weights = nullptr;
  float* recurrent_weights = nullptr;
  float* input_bias = nullptr;
  float* recurrent_bias = nullptr;
  float* start_hidden = nullptr;
  float* start_cell = nullptr;
};

// The tape stays as it is: a second backward pass gives the same.
void RecurrentBackward(const RecurrentShape& shape, const RecurrentWeights& weights,
                       const MatrixView& input, const RecurrentTape& tape,
                       const RecurrentLoss& loss, const RecurrentGradients& gradients,
                       const Runner& runner = {});

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_RECURRENT_H_
