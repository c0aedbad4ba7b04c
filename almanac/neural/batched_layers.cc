#include "almanac/neural/batched_layers.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "almanac/neural/fused.h"

namespace almanac::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool FitsCpu(const at::Tensor& x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; }

// Model k of a contiguous (K, rows, columns).
MatrixView Of(const at::Tensor& x, size_t k) {
  const auto rows = static_cast<size_t>(x.size(1)), columns = static_cast<size_t>(x.size(2));
  return RowMajor(x.data_ptr<float>() + k * rows * columns, rows, columns);
}

// left right (+ bias) of every model.
at::Tensor MultiplyAll(const at::Tensor& left, bool left_transposed, const at::Tensor& right,
                       bool right_transposed, const at::Tensor& bias = {}) {
  const at::Tensor a = left.contiguous(), b = right.contiguous();
  const at::Tensor c = bias.defined() ? bias.contiguous() : bias;
  at::Tensor out = at::empty(
      {a.size(0), a.size(left_transposed ? 2 : 1), b.size(right_transposed ? 1 : 2)}, a.options());
  const auto columns = static_cast<size_t>(out.size(2));
  TorchRunner().run(static_cast<size_t>(a.size(0)), [&](size_t k) {
    const MatrixView l = left_transposed ? Of(a, k).Transposed() : Of(a, k);
    const MatrixView r = right_transposed ? Of(b, k).Transposed() : Of(b, k);
    Onto onto;
    if (c.defined()) onto.bias = c.data_ptr<float>() + k * columns;
    Multiply(l, PackedMatrix(r), out.data_ptr<float>() + k * out.size(1) * columns, columns, onto);
  });
  return out;
}

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    context->save_for_backward({x, weight});
    return MultiplyAll(x, false, weight, true, bias);
  }

  static variable_list backward(AutogradContext* context, variable_list losses) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "the batched kernels have no second derivatives; compute in double");
    const variable_list kept = context->get_saved_variables();
    const at::Tensor loss = losses[0].contiguous();
    variable_list out(3);
    if (context->needs_input_grad(0)) out[0] = MultiplyAll(loss, false, kept[1], false);
    if (context->needs_input_grad(1)) out[1] = MultiplyAll(loss, true, kept[0], false);
    if (context->needs_input_grad(2)) {
      out[2] = at::empty({loss.size(0), loss.size(2)}, loss.options());
      for (int64_t k = 0; k < loss.size(0); ++k) {
        SumRows(Of(loss, static_cast<size_t>(k)), out[2].data_ptr<float>() + k * loss.size(2));
      }
    }
    return out;
  }
};

// One step of every model: the new state, and the cell in place. products: of the input.
at::Tensor Step(Cell cell, const at::Tensor& products, const at::Tensor& recurrent,
                const at::Tensor& state, at::Tensor* memory) {
  if (cell == Cell::kGru) {
    const auto of_input = products.chunk(3, -1), of_state = recurrent.chunk(3, -1);
    const at::Tensor r = at::sigmoid(of_input[0] + of_state[0]);
    const at::Tensor z = at::sigmoid(of_input[1] + of_state[1]);
    const at::Tensor n = at::tanh(of_input[2] + r * of_state[2]);
    return n + z * (state - n);
  }
  const auto gates = (products + recurrent).chunk(4, -1);
  *memory = at::sigmoid(gates[1]) * *memory + at::sigmoid(gates[0]) * at::tanh(gates[2]);
  return at::sigmoid(gates[3]) * at::tanh(*memory);
}

std::vector<at::Tensor> LayerByStep(Cell cell, const at::Tensor& input, at::TensorList weights) {
  const int64_t models = input.size(0), steps = input.size(1), batch = input.size(2);
  const at::Tensor products =
      BatchedLinear(input.reshape({models, steps * batch, -1}), weights[0], weights[2])
          .view({models, steps, batch, -1});
  at::Tensor state = at::zeros({models, batch, weights[1].size(2)}, input.options());
  at::Tensor memory = state;
  std::vector<at::Tensor> outputs;
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor recurrent = BatchedLinear(state, weights[1], weights[3]);
    state = Step(cell, products.select(1, step), recurrent, state, &memory);
    outputs.push_back(state);
  }
  return {at::stack(outputs, 1), state};
}

}  // namespace

at::Tensor BatchedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (FitsCpu(x) && FitsCpu(weight)) return LinearFunction::apply(x, weight, bias);
  return at::baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2));
}

std::vector<at::Tensor> BatchedLayer(Cell cell, const at::Tensor& input, at::TensorList weights) {
  if (!FitsCpu(input) || !FitsCpu(weights[0])) return LayerByStep(cell, input, weights);
  variable_list results = RunLayer(cell, input, weights, {}, {});
  return {results[0], results[1]};
}

at::Tensor BatchedDropout(const at::Tensor& x, const std::vector<double>& rates,
                          std::vector<at::Generator>& generators) {
  const at::NoGradGuard no_gradients;
  at::Tensor factors = at::empty(x.sizes(), x.options());
  for (size_t k = 0; k < rates.size(); ++k) {
    at::Tensor own = factors.select(0, static_cast<int64_t>(k));
    if (rates[k] > 0) {
      own.bernoulli_(1 - rates[k], generators[k]).div_(1 - rates[k]);
    } else {
      own.fill_(1);
    }
  }
  const at::AutoGradMode gradients(true);
  return x * factors;
}

}  // namespace almanac::neural
