#include "almanac/neural/export_onnx.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "almanac/base/error.h"

namespace almanac::neural {
namespace {

constexpr int64_t kIrVersion = 8;        // of ONNX 1.12
constexpr int64_t kOperatorSet = 17;     // LayerNormalization came with it
constexpr const char* kBatch = "batch";  // the axis of free length

using Integers = std::vector<int64_t>;

// One block of rows a gate, in ONNX's order of the gates instead of PyTorch's.
at::Tensor ReorderGates(const at::Tensor& weight, RecurrentKind kind) {
  // PyTorch: reset, update, new; input, forget, cell, output. ONNX: update, reset, new; input,
  // output, forget, cell.
  const Integers order = kind == RecurrentKind::kGru ? Integers{1, 0, 2} : Integers{0, 3, 1, 2};
  const std::vector<at::Tensor> gates = weight.chunk(static_cast<int64_t>(order.size()), 0);
  std::vector<at::Tensor> ordered;
  for (const int64_t gate : order) ordered.push_back(gates[static_cast<size_t>(gate)]);
  return at::cat(ordered, 0);
}

class OnnxWriter final : public GraphWriter {
 public:
  explicit OnnxWriter(const ExportSource& source) : GraphWriter(source.weights), source_(source) {}

  onnx::ModelProto Finish() {
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("almanac");
    model_.add_opset_import()->set_version(kOperatorSet);
    graph_ = model_.mutable_graph();
    graph_->set_name(std::string(Name(source_.options.architecture)));
    const NetworkShape& shape = source_.shape;
    AddInput(kWindowsInput, onnx::TensorProto::FLOAT, {shape.steps, shape.features});
    if (source_.has_known()) {
      AddInput(kKnownInput, onnx::TensorProto::FLOAT, {shape.steps + shape.horizons, shape.known});
      AddInput(kGroupInput, onnx::TensorProto::INT64, {});
    }
    const Value answer = DescribeNetwork(source_, *this);
    RequireAllUsed();
    Node("Identity", {answer}, {kForecastsOutput});
    Describe(kForecastsOutput, onnx::TensorProto::FLOAT, {shape.horizons, shape.outputs},
             graph_->add_output());
    onnx::StringStringEntryProto* about = model_.add_metadata_props();
    about->set_key("almanac");
    about->set_value(source_.about.dump());
    return std::move(model_);
  }

  Value Constant(const std::string& name, const at::Tensor& value) override {
    return Initializer(name, value);
  }
  Value Weight(const std::string& name) override { return Initializer(name, Find(name)); }
  Value Linear(const Value& x, const std::string& name, bool bias) override {
    const Value product =
        MatrixProduct(x, Initializer(name + ".weight.t", Find(name + ".weight").t()));
    return bias ? Apply(Binary::kAdd, product, Weight(name + ".bias")) : product;
  }
  Value Apply(Unary function, const Value& x) override {
    constexpr const char* kNames[] = {"Relu", "Elu", "Sigmoid"};
    return Node(kNames[static_cast<size_t>(function)], {x});
  }
  Value Apply(Binary function, const Value& a, const Value& b) override {
    constexpr const char* kNames[] = {"Add", "Sub", "Mul"};
    return Node(kNames[static_cast<size_t>(function)], {a, b});
  }
  Value MatrixProduct(const Value& a, const Value& b) override { return Node("MatMul", {a, b}); }
  Value Softmax(const Value& x, int64_t axis) override {
    return With("axis", axis, Node("Softmax", {x}));
  }
  Value BatchNorm(const Value& x, const std::string& name) override {
    return With("epsilon", 1e-5F,
                Node("BatchNormalization",
                     {x, Weight(name + ".weight"), Weight(name + ".bias"),
                      Weight(name + ".running_mean"), Weight(name + ".running_var")}));
  }
  Value LayerNorm(const Value& x, const std::string& name) override {
    const Value normed =
        Node("LayerNormalization", {x, Weight(name + ".weight"), Weight(name + ".bias")});
    return With("axis", -1, With("epsilon", 1e-5F, normed));
  }
  Value Convolution(const Value& x, const std::string& name) override {
    const int64_t width = Find(name + ".weight").size(2);
    const Value found = Node("Conv", {x, Weight(name + ".weight"), Weight(name + ".bias")});
    With("kernel_shape", Integers{width}, found);
    return With("pads", Integers{width / 2, width / 2}, found);
  }
  States Recurrent(const Value& x, const std::string& name, const RecurrentSpec& spec) override {
    States states;
    Value steps = Permute(x, {1, 0, 2});  // (T, B, inputs)
    for (int64_t layer = 0; layer < spec.layers; ++layer) {
      states = Layer(steps, name, layer, spec);
      steps = states.all;
    }
    states.all = Permute(states.all, {1, 0, 2});
    return states;
  }
  Value Lookup(const std::string& name, const Value& rows) override {
    return With("axis", 0, Node("Gather", {Weight(name), rows}));
  }
  Value Permute(const Value& x, const std::vector<int64_t>& order) override {
    return With("perm", order, Node("Transpose", {x}));
  }
  Value Reshape(const Value& x, const std::vector<int64_t>& shape) override {
    return Node("Reshape", {x, List(shape)});
  }
  Value Narrow(const Value& x, int64_t axis, int64_t start, int64_t length) override {
    return Node("Slice", {x, List({start}), List({start + length}), List({axis})});
  }
  Value Select(const Value& x, int64_t axis, int64_t index) override {
    return With("axis", axis, Node("Gather", {x, Number(index)}));
  }
  Value Unsqueeze(const Value& x, int64_t axis) override {
    return Node("Unsqueeze", {x, List({axis})});
  }
  Value Squeeze(const Value& x, int64_t axis) override {
    return Node("Squeeze", {x, List({axis})});
  }
  Value Concatenate(const std::vector<Value>& parts, int64_t axis) override {
    return With("axis", axis, Node("Concat", parts));
  }
  Value Sum(const Value& x, int64_t axis) override {
    return With("keepdims", 0, Node("ReduceSum", {x, List({axis})}));
  }
  Value Mean(const Value& x, int64_t axis) override {
    return With("keepdims", 0, With("axes", Integers{axis}, Node("ReduceMean", {x})));
  }
  Value Sort(const Value& x, int64_t size) override {
    const Value sorted = Fresh();
    Node("TopK", {x, List({size})}, {sorted, Fresh()});
    return With("sorted", 1, With("largest", 0, With("axis", -1, sorted)));
  }

 private:
  Value Fresh() { return fmt::format("v{}", ++count_); }

  void Node(const std::string& type, const std::vector<Value>& inputs,
            const std::vector<Value>& outputs) {
    onnx::NodeProto* node = graph_->add_node();
    node->set_op_type(type);
    node->set_name(fmt::format("{}_{}", type, graph_->node_size()));
    for (const Value& input : inputs) node->add_input(input);
    for (const Value& output : outputs) node->add_output(output);
  }
  Value Node(const std::string& type, const std::vector<Value>& inputs) {
    Value output = Fresh();
    Node(type, inputs, {output});
    return output;
  }

  // An attribute of the last node, whose output is handed on.
  onnx::AttributeProto* Attribute(const char* name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto* attribute =
        graph_->mutable_node(graph_->node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }
  Value With(const char* name, int64_t number, const Value& output) {
    Attribute(name, onnx::AttributeProto::INT)->set_i(number);
    return output;
  }
  Value With(const char* name, int number, const Value& output) {
    return With(name, int64_t{number}, output);
  }
  Value With(const char* name, float number, const Value& output) {
    Attribute(name, onnx::AttributeProto::FLOAT)->set_f(number);
    return output;
  }
  Value With(const char* name, const Integers& numbers, const Value& output) {
    onnx::AttributeProto* attribute = Attribute(name, onnx::AttributeProto::INTS);
    for (const int64_t number : numbers) attribute->add_ints(number);
    return output;
  }

  // From (T, B, inputs) to (T, B, units).
  States Layer(const Value& steps, const std::string& name, int64_t layer,
               const RecurrentSpec& spec) {
    const auto gates = [&](const char* what) {
      return ReorderGates(Find(fmt::format("{}.{}_l{}", name, what, layer)), spec.kind);
    };
    const auto keep = [&](const char* what, const at::Tensor& value) {
      return Initializer(fmt::format("{}.{}_l{}.onnx", name, what, layer), value.unsqueeze(0));
    };
    std::vector<Value> inputs = {steps, keep("weight_ih", gates("weight_ih")),
                                 keep("weight_hh", gates("weight_hh")),
                                 keep("bias", at::cat({gates("bias_ih"), gates("bias_hh")}, 0))};
    if (spec.start) {
      const std::string every_step;  // no lengths: the sequences are whole
      inputs.insert(inputs.end(), {every_step, spec.start->first, spec.start->second});
    }
    const Value all = Fresh();
    States states{"", Fresh(), ""};
    if (spec.kind == RecurrentKind::kGru) {
      Node("GRU", inputs, {all, states.hidden});
      // As PyTorch has it: the reset gate applies to the product with the recurrent weights.
      With("linear_before_reset", 1, all);
    } else {
      states.cell = Fresh();
      Node("LSTM", inputs, {all, states.hidden, states.cell});
    }
    With("hidden_size", spec.units, all);
    states.all = Squeeze(all, 1);  // the axis of directions
    return states;
  }

  Value Initializer(const std::string& name, const at::Tensor& value) {
    if (!initializers_.insert(name).second) return name;
    onnx::TensorProto* tensor = graph_->add_initializer();
    tensor->set_name(name);
    for (const int64_t extent : value.sizes()) tensor->add_dims(extent);
    const at::Tensor stored = value.detach().to(at::kCPU).contiguous();
    tensor->set_data_type(stored.scalar_type() == at::kLong ? onnx::TensorProto::INT64
                                                            : onnx::TensorProto::FLOAT);
    tensor->set_raw_data(stored.data_ptr(), stored.nbytes());
    return name;
  }
  Value List(const Integers& numbers) {
    return Initializer(fmt::format("list.{}", fmt::join(numbers, ".")),
                       at::tensor(numbers, at::kLong));
  }
  Value Number(int64_t number) {
    return Initializer(fmt::format("number.{}", number), at::scalar_tensor(number, at::kLong));
  }

  // (batch, extents).
  static void Describe(const char* name, int32_t type, const Integers& extents,
                       onnx::ValueInfoProto* value) {
    value->set_name(name);
    onnx::TypeProto::Tensor* tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape()->add_dim()->set_dim_param(kBatch);
    for (const int64_t extent : extents) tensor->mutable_shape()->add_dim()->set_dim_value(extent);
  }
  void AddInput(const char* name, int32_t type, const Integers& extents) {
    Describe(name, type, extents, graph_->add_input());
  }

  const ExportSource& source_;
  onnx::ModelProto model_;
  onnx::GraphProto* graph_ = nullptr;
  std::set<std::string> initializers_;
  int64_t count_ = 0;
};

}  // namespace

std::string OnnxOf(const ExportSource& source) {
  const onnx::ModelProto model = OnnxWriter(source).Finish();
  if (model.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw Error(ErrorCode::kFailed, "onnx", "the network is larger than the format's 2 GiB",
                "export it as torchscript");
  }
  return model.SerializeAsString();
}

}  // namespace almanac::neural
