// The Temporal Fusion Transformer (Lim, Arik, Loeff, Pfister 2021, "Temporal Fusion Transformers
// for interpretable multi-horizon time series forecasting", International Journal of Forecasting
// 37).
//
// With d = hidden, xi_j a variable as a vector of d (its value times a learnt vector, plus another;
// for the symbol an embedding):
//   GRN(a, c)   LayerNorm(a + GLU(W1 ELU(W2 a + W3 c + b2) + b1)), dropout before the gated unit
//   GLU(x)      sigmoid(W4 x + b4) * (W5 x + b5)
//   selection   the sum of v_j GRN_j(xi_j), v = softmax(GRN(all xi, c_s))
//   contexts    c_s, c_c, c_h, c_e: four GRNs of the selected static vector
//   locality    an LSTM over the past's selected inputs, begun at (c_h, c_c), goes on over the
//               future's; gated, added to its input, normalised
//   enrichment  GRN(., c_e) of every step
//   attention   heads with queries and keys of their own and the values in common, averaged (so
//   that
//               one set of weights can be read); a step sees itself and what was before
//   output      gated, a GRN of every step, gated; a linear layer gives every horizon's outputs
#ifndef ALMANAC_NEURAL_TFT_H_
#define ALMANAC_NEURAL_TFT_H_

#include <memory>

#include "almanac/neural/network.h"

namespace almanac::neural {

// What a forward pass looked at, means over the batch.
struct TftWeights {
  at::Tensor past;       // (features + known): the selection's weights, mean over the steps
  at::Tensor future;     // (known)
  at::Tensor attention;  // (H, T + H): of every horizon on every step
};

std::unique_ptr<Network> MakeTft(const NetworkOptions& options, const NetworkShape& shape);
// Of a network that MakeTft made, without dropout.
TftWeights ExplainTft(Network& network, const NetworkInput& input);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_TFT_H_
