#include "almanac/neural/fused.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "almanac/neural/fused_dropout.h"

namespace almanac::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What K models of one shape have side by side: the values of model k of a tensor (K, ...); null if
// there are none.
float* Of(const at::Tensor& tensor, int64_t model) {
  if (!tensor.defined() || tensor.numel() == 0) return nullptr;
  return tensor.data_ptr<float>() + model * tensor.stride(0);
}

// Rows one behind the other at one distance, as MatrixView wants them.
at::Tensor WithEvenRows(const at::Tensor& x) {
  const bool is_even = x.stride(3) == 1 && x.stride(2) >= x.size(3) &&
                       (x.size(1) == 1 || x.stride(1) == x.size(2) * x.stride(2));
  return is_even ? x : x.contiguous();
}

MatrixView InputOf(const at::Tensor& x, int64_t model, const RecurrentShape& shape) {
  return {Of(x, model), shape.Rows(), shape.inputs, static_cast<size_t>(x.stride(2)), 1};
}

// The order of the function's tensors.
enum Argument {
  kInput = 1,
  kInputWeights,
  kRecurrentWeights,
  kInputBias,
  kRecurrentBias,
  kHidden,
  kCells,
  kArguments
};
// And of what it keeps.
enum Kept {
  kKeptInput,
  kKeptInputWeights,
  kKeptRecurrentWeights,
  kGateValues,
  kMemory,
  kStates,
  kOutput
};

RecurrentShape ShapeOf(Cell cell, const at::Tensor& input, const at::Tensor& recurrent) {
  const auto size = [](const at::Tensor& tensor, int64_t at) {
    return static_cast<size_t>(tensor.size(at));
  };
  return {cell, size(input, 1), size(input, 2), size(input, 3), size(recurrent, 2)};
}

// Each model on one thread where there are enough of them, or all threads on one after the other.
void ForModels(int64_t models, const std::function<void(int64_t, const Runner&)>& body) {
  const Runner threads = TorchRunner();
  if (models < static_cast<int64_t>(threads.threads)) {
    for (int64_t k = 0; k < models; ++k) body(k, threads);
    return;
  }
  threads.run(static_cast<size_t>(models),
              [&](size_t k) { body(static_cast<int64_t>(k), Runner()); });
}

RecurrentTape TapeOf(const at::Tensor& gates, const at::Tensor& memory, const at::Tensor& states,
                     int64_t k) {
  return {Of(gates, k), Of(memory, k), Of(states, k)};
}

class LayerFunction : public torch::autograd::Function<LayerFunction> {
 public:
  static variable_list forward(AutogradContext* context, int64_t cell, const at::Tensor& input,
                               const at::Tensor& input_weights, const at::Tensor& recurrent_weights,
                               const at::Tensor& input_bias, const at::Tensor& recurrent_bias,
                               const at::Tensor& hidden, const at::Tensor& cells) {
    const at::Tensor x = WithEvenRows(input), w = input_weights.contiguous();
    const at::Tensor u = recurrent_weights.contiguous();
    const at::Tensor b = input_bias.contiguous(), d = recurrent_bias.contiguous();
    const at::Tensor h = hidden.contiguous(), c = cells.contiguous();
    const RecurrentShape shape = ShapeOf(static_cast<Cell>(cell), x, u);
    const int64_t models = x.size(0);
    const auto empty = [&](size_t values) {
      return at::empty({models, static_cast<int64_t>(values)}, x.options());
    };
    const at::Tensor gates = empty(RecurrentTape::GateValues(shape));
    const at::Tensor memory = empty(RecurrentTape::MemoryValues(shape));
    const at::Tensor states = empty(RecurrentTape::StateValues(shape));
    ForModels(models, [&](int64_t k, const Runner& runner) {
      RecurrentForward(shape, {Of(w, k), Of(u, k), Of(b, k), Of(d, k)}, InputOf(x, k, shape),
                       {Of(h, k), Of(c, k)}, TapeOf(gates, memory, states, k), runner);
    });
    variable_list results = Results(shape, memory, states);
    // The states share the output's memory: kept as well, the output tells if it was changed.
    context->save_for_backward({x, w, u, gates, memory, states, results[0]});
    context->set_materialize_grads(false);
    context->saved_data["cell"] = cell;
    context->saved_data["has_biases"] = b.numel() > 0;
    return results;
  }

  static variable_list backward(AutogradContext* context, variable_list losses) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(),
        "the recurrent kernels have no second derivatives; compute in double, or on LibTorch's "
        "own layers, where create_graph is wanted");
    const variable_list kept = context->get_saved_variables();
    const at::Tensor& x = kept[kKeptInput];
    const Cell cell = static_cast<Cell>(context->saved_data["cell"].toInt());
    const RecurrentShape shape = ShapeOf(cell, x, kept[kKeptRecurrentWeights]);
    for (at::Tensor& loss : losses) {
      if (loss.defined()) loss = loss.contiguous();
    }
    const variable_list out = Wanted(context, shape, kept);
    ForModels(x.size(0), [&](int64_t k, const Runner& runner) {
      RecurrentLoss loss = {Of(losses[0], k), Of(losses[1], k), nullptr};
      if (cell == Cell::kLstm) loss.last_cell = Of(losses[2], k);
      RecurrentBackward(shape, {Of(kept[kKeptInputWeights], k), Of(kept[kKeptRecurrentWeights], k)},
                        InputOf(x, k, shape),
                        TapeOf(kept[kGateValues], kept[kMemory], kept[kStates], k), loss,
                        {Of(out[kInput], k), Of(out[kInputWeights], k),
                         Of(out[kRecurrentWeights], k), Of(out[kInputBias], k),
                         Of(out[kRecurrentBias], k), Of(out[kHidden], k), Of(out[kCells], k)},
                        runner);
    });
    return out;
  }

 private:
  // The output, which shares the states' memory and is not a view to autograd, and the last states.
  static variable_list Results(const RecurrentShape& shape, const at::Tensor& memory,
                               const at::Tensor& states) {
    const auto steps = static_cast<int64_t>(shape.steps), batch = static_cast<int64_t>(shape.batch);
    const auto hidden = static_cast<int64_t>(shape.hidden);
    const auto padded = static_cast<int64_t>(shape.Padded());
    at::Tensor output = at::empty({0}, states.options());
    output.set_(states.storage(), batch * padded, {states.size(0), steps, batch, hidden},
                {states.stride(0), batch * padded, padded, 1});
    const auto last = [&](const at::Tensor& values) {
      return values
          .as_strided({values.size(0), batch, hidden}, {values.stride(0), padded, 1},
                      steps * batch * padded)
          .clone(at::MemoryFormat::Contiguous);
    };
    if (shape.cell == Cell::kGru) return {output, last(states)};
    return {output, last(states), last(memory)};
  }

  // Room for the derivatives that are wanted.
  static variable_list Wanted(AutogradContext* context, const RecurrentShape& shape,
                              const variable_list& kept) {
    const at::Tensor& x = kept[kKeptInput];
    const auto wants = [&](Argument which) {
      return context->needs_input_grad(static_cast<size_t>(which) - 1);
    };
    const auto batch = static_cast<int64_t>(shape.batch);
    const auto hidden = static_cast<int64_t>(shape.hidden);
    const auto empty = [&](at::IntArrayRef sizes) { return at::empty(sizes, x.options()); };
    variable_list out(kArguments);
    if (wants(kInput)) out[kInput] = empty(x.sizes());
    if (wants(kInputWeights) || wants(kRecurrentWeights)) {
      out[kInputWeights] = empty(kept[kKeptInputWeights].sizes());
      out[kRecurrentWeights] = empty(kept[kKeptRecurrentWeights].sizes());
    }
    if (context->saved_data["has_biases"].toBool() &&
        (wants(kInputBias) || wants(kRecurrentBias))) {
      const int64_t values = kept[kKeptRecurrentWeights].size(1);
      out[kInputBias] = empty({x.size(0), values});
      out[kRecurrentBias] = empty({x.size(0), values});
    }
    if (wants(kHidden)) out[kHidden] = empty({x.size(0), batch, hidden});
    if (wants(kCells)) out[kCells] = empty({x.size(0), batch, hidden});
    return out;
  }
};

at::Tensor Slice(const at::Tensor& states, int64_t layer) {
  return states.defined() ? states.narrow(0, layer, 1) : states;
}

// All layers of one model; states: by kind (hidden, cell), (layers, B, hidden).
struct Run {
  at::Tensor output;
  std::vector<at::Tensor> states;
};

Run RunLayers(Cell cell, const at::Tensor& input, at::TensorList start, at::TensorList weights,
              const RecurrentLayers& options) {
  const size_t each = options.has_biases ? 4 : 2;
  at::Tensor x = (options.batch_first ? input.transpose(0, 1) : input).unsqueeze(0);
  std::vector<std::vector<at::Tensor>> states(start.size());
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    std::vector<at::Tensor> own;
    for (size_t i = 0; i < each; ++i) {
      own.push_back(weights[static_cast<size_t>(layer) * each + i].unsqueeze(0));
    }
    const at::Tensor cells = start.size() > 1 ? Slice(start[1], layer) : at::Tensor();
    const variable_list results = RunLayer(cell, x, own, Slice(start[0], layer), cells);
    x = results[0];
    for (size_t i = 0; i < states.size(); ++i) states[i].push_back(results[i + 1]);
    const bool is_last = layer + 1 == options.layers;
    if (options.dropout > 0 && options.training && !is_last) {
      x = Dropout(x, options.dropout, /*train=*/true);
    }
  }
  Run run = {x.squeeze(0), {}};
  if (options.batch_first) run.output = run.output.transpose(0, 1);
  for (const auto& kind : states) run.states.push_back(at::cat(kind, 0));
  return run;
}

}  // namespace

Runner TorchRunner() {
  if (at::in_parallel_region()) return {};
  return {static_cast<size_t>(at::get_num_threads()),
          [](size_t count, const std::function<void(size_t)>& body) {
            at::parallel_for(0, static_cast<int64_t>(count), 1, [&](int64_t begin, int64_t end) {
              for (int64_t i = begin; i < end; ++i) body(static_cast<size_t>(i));
            });
          }};
}

bool FitsKernels(const at::Tensor& input, at::TensorList weights) {
  const auto fits = [](const at::Tensor& tensor) {
    return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && !tensor.is_sparse();
  };
  return fits(input) && input.dim() == 3 && input.numel() > 0 &&
         std::all_of(weights.begin(), weights.end(), fits);
}

variable_list RunLayer(Cell cell, const at::Tensor& input, at::TensorList weights,
                       const at::Tensor& hidden, const at::Tensor& cells) {
  const bool has_biases = weights.size() == 4;
  // An autograd function's arguments are there, if empty.
  const at::Tensor none = at::empty({0}, input.options());
  return LayerFunction::apply(static_cast<int64_t>(cell), input, weights[0], weights[1],
                              has_biases ? weights[2] : none, has_biases ? weights[3] : none,
                              hidden.defined() ? hidden : none, cells.defined() ? cells : none);
}

std::tuple<at::Tensor, at::Tensor> Gru(const at::Tensor& input, const at::Tensor& start,
                                       at::TensorList weights, const RecurrentLayers& options) {
  if (!FitsKernels(input, weights)) {
    return at::gru(input, start, weights, options.has_biases, options.layers, options.dropout,
                   options.training, /*bidirectional=*/false, options.batch_first);
  }
  const Run run = RunLayers(Cell::kGru, input, {start}, weights, options);
  return {run.output, run.states[0]};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> Lstm(const at::Tensor& input, at::TensorList start,
                                                    at::TensorList weights,
                                                    const RecurrentLayers& options) {
  if (!FitsKernels(input, weights)) {
    return at::lstm(input, start, weights, options.has_biases, options.layers, options.dropout,
                    options.training, /*bidirectional=*/false, options.batch_first);
  }
  const Run run = RunLayers(Cell::kLstm, input, start, weights, options);
  return {run.output, run.states[0], run.states[1]};
}

}  // namespace almanac::neural
