// For tests: what testdata/make_golden.py and they both compute instead of storing it.
#ifndef ALMANAC_NEURAL_GOLDEN_FOR_TEST_H_
#define ALMANAC_NEURAL_GOLDEN_FOR_TEST_H_

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>
#include <string>

#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/places_for_test.h"
#include "almanac/neural/network.h"

namespace almanac::neural {

inline Json Golden() {
  return Json::parse(ReadFile(SourceFolder() / "almanac/neural/testdata/golden.json"));
}

inline at::Tensor Pattern(at::IntArrayRef shape, double phase, double scale) {
  const at::Tensor at = at::arange(c10::multiply_integers(shape), at::kDouble);
  return ((at * 0.7 + phase).sin() * scale).reshape(shape);
}

// In double, each tensor's values told by its name.
inline void FillWithPatterns(Network& network) {
  const at::NoGradGuard no_gradients;
  for (auto [name, weight] : network.parameters().learnt()) {
    double phase = 0;
    for (const char c : name) phase += c;
    weight.set_data(Pattern(weight.sizes(), phase, 0.4));
  }
  for (auto [name, buffer] : network.parameters().buffers()) {
    buffer.set_data(buffer.to(at::kDouble));
  }
}

// The sizes that make_golden.py's networks have; no dropout.
inline NetworkOptions SmallOptions(Architecture architecture) {
  NetworkOptions options = NetworkOptions::Defaults(architecture);
  options.steps = 7;
  options.hidden = 6;
  options.dropout = 0;
  options.dense = {5, 4};
  if (architecture == Architecture::kLstm) options.dense = {5};
  if (architecture == Architecture::kTft) {
    options.hidden = 4;
    options.heads = 2;
  }
  if (architecture == Architecture::kCdnn || architecture == Architecture::kClstm) {
    options.channels = {4, 5};
    options.dense = {4};
  }
  return options;
}

constexpr NetworkShape kSmallShape = {7, 3, 2, 1, 0, 1};

// `outputs` 0: as make_golden.py has it.
inline NetworkShape SmallShape(Architecture architecture, int64_t outputs = 0) {
  NetworkShape shape = kSmallShape;
  if (architecture == Architecture::kTft) shape = {7, 3, 2, 3, 6, 3};
  if (outputs > 0) shape.outputs = outputs;
  return shape;
}

// Four windows.
inline NetworkInput SmallInput(at::ScalarType type = at::kDouble) {
  return {Pattern({4, 7, 3}, 1.0, 1.0).to(type), Pattern({4, 9, 6}, 5.0, 1.0).to(type),
          at::tensor({0, 2, 1, 2}, at::kLong)};
}

inline constexpr Architecture kEveryArchitecture[] = {
    Architecture::kGruAttention, Architecture::kLstm,  Architecture::kDnn,
    Architecture::kCdnn,         Architecture::kClstm, Architecture::kTft};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_GOLDEN_FOR_TEST_H_
