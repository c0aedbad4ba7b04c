// The steps of recurrent layers, for some rows of the batch: what recurrent.cc runs on each thread.
#ifndef ALMANAC_NEURAL_RECURRENT_CELL_H_
#define ALMANAC_NEURAL_RECURRENT_CELL_H_

#include <cstddef>

#include "almanac/neural/recurrent.h"

namespace almanac::neural {

// The recurrent weights as the forward pass wants them: for each vector of hidden units, for each
// unit that they weigh, a vector of every gate.
Floats PackGates(const RecurrentShape& shape, const float* weights);

// Rows [first, first + rows) of the batch, through all steps.
struct CellRows {
  RecurrentShape shape;
  RecurrentTape tape;
  size_t first = 0, rows = 0;
};

// tape.gates holds the input's part of the gates and becomes the gates; tape.states (and a LSTM's
// tape.memory) hold the state before the first step. recurrent_bias: GRU, of the gate n, padded.
void GruForward(const CellRows& rows, const float* packed_weights, const float* recurrent_bias);
void LstmForward(const CellRows& rows, const float* packed_weights);

// What the backward steps pass on. Rows of `gates` have 4 * padded values, the derivatives by what
// the gates' functions take: a LSTM's i, f, g, o; a GRU's n, r, z and n's recurrent part. So the
// first `gates` parts belong to the input's product and the last to the recurrent one.
struct CellGradients {
  const float* output = nullptr;  // (rows, hidden) or null: the loss's derivatives
  float* gates = nullptr;         // (rows, 4 * padded), written
  float* hidden = nullptr;        // (batch, padded): after the last step, becomes before the first
  float* cell = nullptr;          // (batch, padded): likewise, LSTM alone
};

// recurrent: (gates * padded, hidden), the gates below each other, each padded with zero rows.
void GruBackward(const CellRows& rows, const PackedMatrix& recurrent, const CellGradients& out);
void LstmBackward(const CellRows& rows, const PackedMatrix& recurrent, const CellGradients& out);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_RECURRENT_CELL_H_
