#include "almanac/neural/precision.h"

#include <ATen/autocast_mode.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "almanac/base/error.h"

namespace almanac::neural {
namespace {

constexpr double kFirstScale = 65536;
constexpr int64_t kStepsToGrow = 2000;

// The major number of a CUDA device's compute capability, 0 if it cannot be found. Asked of the
// driver, which is there wherever a device is: LibTorch's own way needs CUDA's headers.
int ComputeCapability(int device) {
  constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return 0;
  const auto initialise = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto ask = reinterpret_cast<int (*)(int*, int, int)>(dlsym(driver, "cuDeviceGetAttribute"));
  int handle = 0, major = 0;
  if (initialise == nullptr || get == nullptr || ask == nullptr || initialise(0) != 0 ||
      get(&handle, device) != 0 || ask(&major, kMajor, handle) != 0) {
    return 0;
  }
  return major;
}

// Autocast's switches took the kind of device as an argument from LibTorch 2.4 on.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool IsEnabled(at::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
void Enable(at::DeviceType device, bool enable) {
  at::autocast::set_autocast_enabled(device, enable);
}
at::ScalarType TypeOf(at::DeviceType device) { return at::autocast::get_autocast_dtype(device); }
void SetType(at::DeviceType device, at::ScalarType type) {
  at::autocast::set_autocast_dtype(device, type);
}
#else
bool IsEnabled(at::DeviceType device) {
  return device == at::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
void Enable(at::DeviceType device, bool enable) {
  device == at::kCPU ? at::autocast::set_cpu_enabled(enable) : at::autocast::set_enabled(enable);
}
at::ScalarType TypeOf(at::DeviceType device) {
  return device == at::kCPU ? at::autocast::get_autocast_cpu_dtype()
                            : at::autocast::get_autocast_gpu_dtype();
}
void SetType(at::DeviceType device, at::ScalarType type) {
  device == at::kCPU ? at::autocast::set_autocast_cpu_dtype(type)
                     : at::autocast::set_autocast_gpu_dtype(type);
}
#endif

}  // namespace

std::optional<at::ScalarType> MixedType(Precision precision, at::Device device) {
  if (!device.is_cuda()) {
    if (precision != Precision::kMixed) return std::nullopt;
    throw Error(ErrorCode::kUsage, "training.precision",
                "mixed precision is for CUDA devices, and training is on " + device.str(),
                "say auto, or float32");
  }
  if (precision == Precision::kFloat32) return std::nullopt;
  constexpr int kMultipliesBfloat16 = 8;
  const int index = device.has_index() ? device.index() : 0;
  return ComputeCapability(index) >= kMultipliesBfloat16 ? at::kBFloat16 : at::kHalf;
}

std::string DescribePrecision(std::optional<at::ScalarType> mixed) {
  if (!mixed) return "float32";
  return *mixed == at::kBFloat16 ? "mixed (bfloat16)" : "mixed (float16)";
}

Autocast::Autocast(at::DeviceType device, std::optional<at::ScalarType> type)
    : is_on_(type.has_value()), device_(device) {
  if (!is_on_) return;
  was_enabled_ = IsEnabled(device_);
  before_ = TypeOf(device_);
  SetType(device_, *type);
  Enable(device_, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!is_on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  Enable(device_, was_enabled_);
  SetType(device_, before_);
}

LossScale::LossScale(std::optional<at::ScalarType> type)
    : is_dynamic_(type == at::kHalf), value_(is_dynamic_ ? kFirstScale : 1) {}

void LossScale::Update(bool were_finite) {
  if (!is_dynamic_) return;
  if (!were_finite) {
    value_ /= 2;
    good_steps_ = 0;
    if (value_ >= 1) return;
    throw Error(ErrorCode::kFailed, "training.precision",
                "gradients in float16 are not finite at any scale of the loss",
                "say float32, or lower training.learning_rate");
  }
  if (++good_steps_ < kStepsToGrow) return;
  value_ *= 2;
  good_steps_ = 0;
}

Json LossScale::ToJson() const { return {{"scale", value_}, {"good_steps", good_steps_}}; }

void LossScale::Restore(const Json& json) {
  if (!is_dynamic_) return;
  json.at("scale").get_to(value_);
  json.at("good_steps").get_to(good_steps_);
}

}  // namespace almanac::neural
