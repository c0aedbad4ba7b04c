#include "almanac/neural/export_torchscript.h"

#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace almanac::neural {
namespace {

using torch::jit::Module;

constexpr const char* kClass = "__torch__.almanac.Network";
constexpr const char* kAboutFile = "almanac.json";

std::vector<std::string> PartsOf(const std::string& name) {
  std::vector<std::string> parts;
  std::istringstream stream(name);
  for (std::string part; std::getline(stream, part, '.');) {
    // A module has a method of that name.
    parts.push_back(part == "forward" ? "forward_" : part);
  }
  return parts;
}

// The source of one forward method, statement by statement, and the module that its weights are in,
// nested as their names are.
class TorchScriptWriter final : public GraphWriter {
 public:
  explicit TorchScriptWriter(const ExportSource& source)
      : GraphWriter(source.weights),
        source_(source),
        units_(std::make_shared<torch::jit::CompilationUnit>()),
        module_(kClass, units_) {}

  Module Finish() {
    const Value answer = DescribeNetwork(source_, *this);
    RequireAllUsed();
    const bool known = source_.has_known();
    module_.define(
        fmt::format("def forward(self, windows: Tensor{}) -> Tensor:\n{}{}    return {}\n",
                    known ? ", known: Tensor, group: Tensor" : "", Checks(), body_, answer));
    module_.eval();
    return module_;
  }

  Value Constant(const std::string& name, const at::Tensor& value) override {
    return Register(name, value, /*is_buffer=*/true);
  }
  Value Weight(const std::string& name) override {
    const bool is_buffer = name.ends_with(".running_mean") || name.ends_with(".running_var");
    return Register(name, Find(name), is_buffer);
  }
  Value Linear(const Value& x, const std::string& name, bool bias) override {
    return Assign("torch.linear({}, {}, {})", x, Weight(name + ".weight"),
                  bias ? Weight(name + ".bias") : "None");
  }
  Value Apply(Unary function, const Value& x) override {
    constexpr const char* kNames[] = {"relu", "elu", "sigmoid"};
    return Assign("torch.{}({})", kNames[static_cast<size_t>(function)], x);
  }
  Value Apply(Binary function, const Value& a, const Value& b) override {
    constexpr const char* kNames[] = {"add", "sub", "mul"};
    return Assign("torch.{}({}, {})", kNames[static_cast<size_t>(function)], a, b);
  }
  Value MatrixProduct(const Value& a, const Value& b) override {
    return Assign("torch.matmul({}, {})", a, b);
  }
  Value Softmax(const Value& x, int64_t axis) override {
    return Assign("torch.softmax({}, {})", x, axis);
  }
  Value BatchNorm(const Value& x, const std::string& name) override {
    return Assign("torch.batch_norm({}, {}, {}, {}, {}, False, 0.1, 1e-05, False)", x,
                  Weight(name + ".weight"), Weight(name + ".bias"), Weight(name + ".running_mean"),
                  Weight(name + ".running_var"));
  }
  Value LayerNorm(const Value& x, const std::string& name) override {
    return Assign("torch.layer_norm({}, [{}], {}, {}, 1e-05, False)", x,
                  Find(name + ".weight").numel(), Weight(name + ".weight"), Weight(name + ".bias"));
  }
  Value Convolution(const Value& x, const std::string& name) override {
    return Assign("torch.conv1d({}, {}, {}, [1], [{}])", x, Weight(name + ".weight"),
                  Weight(name + ".bias"), Find(name + ".weight").size(2) / 2);
  }
  States Recurrent(const Value& x, const std::string& name, const RecurrentSpec& spec) override {
    std::vector<std::string> weights;
    for (int64_t layer = 0; layer < spec.layers; ++layer) {
      for (const char* what : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) {
        weights.push_back(Weight(fmt::format("{}.{}_l{}", name, what, layer)));
      }
    }
    const std::string rest = fmt::format("[{}], True, {}, 0.0, False, False, True",
                                         fmt::join(weights, ", "), spec.layers);
    std::pair<Value, Value> start;
    if (spec.start) {
      start = *spec.start;
    } else {
      start.first = Assign("torch.zeros([{}, {}.size(0), {}], dtype={}.dtype, device={}.device)",
                           spec.layers, x, spec.units, x, x);
      start.second = start.first;
    }
    const States states{Fresh(), Fresh(), Fresh()};
    if (spec.kind == RecurrentKind::kGru) {
      Say("{}, {} = torch.gru({}, {}, {})", states.all, states.hidden, x, start.first, rest);
    } else {
      Say("{}, {}, {} = torch.lstm({}, [{}, {}], {})", states.all, states.hidden, states.cell, x,
          start.first, start.second, rest);
    }
    return states;
  }
  Value Lookup(const std::string& name, const Value& rows) override {
    return Assign("torch.embedding({}, {})", Weight(name), rows);
  }
  Value Permute(const Value& x, const std::vector<int64_t>& order) override {
    return Assign("torch.permute({}, [{}])", x, fmt::join(order, ", "));
  }
  Value Reshape(const Value& x, const std::vector<int64_t>& shape) override {
    return Assign("torch.reshape({}, [{}])", x, fmt::join(shape, ", "));
  }
  Value Narrow(const Value& x, int64_t axis, int64_t start, int64_t length) override {
    return Assign("torch.narrow({}, {}, {}, {})", x, axis, start, length);
  }
  Value Select(const Value& x, int64_t axis, int64_t index) override {
    return Assign("torch.select({}, {}, {})", x, axis, index);
  }
  Value Unsqueeze(const Value& x, int64_t axis) override {
    return Assign("torch.unsqueeze({}, {})", x, axis);
  }
  Value Squeeze(const Value& x, int64_t axis) override {
    return Assign("torch.squeeze({}, {})", x, axis);
  }
  Value Concatenate(const std::vector<Value>& parts, int64_t axis) override {
    return Assign("torch.cat([{}], {})", fmt::join(parts, ", "), axis);
  }
  Value Sum(const Value& x, int64_t axis) override {
    return Assign("torch.sum({}, [{}])", x, axis);
  }
  Value Mean(const Value& x, int64_t axis) override {
    return Assign("torch.mean({}, [{}])", x, axis);
  }
  Value Sort(const Value& x, int64_t /*size*/) override {
    const Value sorted = Fresh(), places = Fresh();
    Say("{}, {} = torch.sort({}, -1)", sorted, places, x);
    return sorted;
  }

 private:
  Value Fresh() { return fmt::format("v{}", ++count_); }

  template <typename... Arguments>
  void Say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    body_ += "    " + fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
  }
  template <typename... Arguments>
  Value Assign(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    const Value value = Fresh();
    body_ += "    " + value + " = ";
    body_ += fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
    return value;
  }

  // The expression of the tensor, which is added to its module if it is not there yet.
  Value Register(const std::string& name, const at::Tensor& tensor, bool is_buffer) {
    const auto found = expressions_.find(name);
    if (found != expressions_.end()) return found->second;
    const std::vector<std::string> parts = PartsOf(name);
    Module module = module_;
    std::string expression = "self", path;
    const auto enter = [&](const std::string& part) {
      const bool is_number = std::isdigit(static_cast<unsigned char>(part.front())) != 0;
      expression = is_number ? fmt::format("getattr({}, \"{}\")", expression, part)
                             : fmt::format("{}.{}", expression, part);
    };
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      path += "." + parts[i];
      module = Child(module, path, parts[i]);
      enter(parts[i]);
    }
    enter(parts.back());
    if (is_buffer) {
      module.register_buffer(parts.back(), tensor.clone());
    } else {
      module.register_parameter(parts.back(), tensor.detach().clone().set_requires_grad(true),
                                /*is_buffer=*/false);
    }
    expressions_.emplace(name, expression);
    return expression;
  }

  Module Child(Module& parent, const std::string& path, const std::string& name) {
    const auto found = modules_.find(path);
    if (found != modules_.end()) return found->second;
    const Module child("__torch__.almanac.Part", units_, /*shouldMangle=*/true);
    parent.register_module(name, child);
    modules_.emplace(path, child);
    return child;
  }

  std::string Checks() const {
    const NetworkShape& shape = source_.shape;
    std::string text = Check(kWindowsInput, shape.steps, shape.features);
    if (source_.has_known()) {
      text += Check(kKnownInput, shape.steps + shape.horizons, shape.known);
    }
    return text;
  }
  static std::string Check(const char* input, int64_t rows, int64_t columns) {
    return fmt::format(
        "    assert {0}.dim() == 3 and {0}.size(1) == {1} and {0}.size(2) == {2}, "
        "\"{0} must have the shape (batch, {1}, {2})\"\n",
        input, rows, columns);
  }

  const ExportSource& source_;
  std::shared_ptr<torch::jit::CompilationUnit> units_;
  Module module_;
  std::map<std::string, Module> modules_;           // by path
  std::map<std::string, std::string> expressions_;  // by tensor
  std::string body_;
  int64_t count_ = 0;
};

}  // namespace

std::string TorchScriptOf(const ExportSource& source) {
  const Module module = TorchScriptWriter(source).Finish();
  std::ostringstream bytes;
  module.save(bytes, {{kAboutFile, source.about.dump(2)}});
  return bytes.str();
}

}  // namespace almanac::neural
