#include "almanac/neural/libraries.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>

#include <filesystem>
#include <string>

namespace almanac {
namespace {

// The file that LibTorch's matrix products come from: what its reference to sgemm was bound to.
std::string BlasFile() {
  void* function = dlsym(RTLD_DEFAULT, "sgemm_");
  if (function == nullptr) {
    // The module was opened for itself: look among what LibTorch brought along.
    if (void* torch = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD)) {
      function = dlsym(torch, "sgemm_");
      dlclose(torch);
    }
  }
  Dl_info info;
  if (function == nullptr || dladdr(function, &info) == 0) return "";
  std::error_code error;
  const auto file = std::filesystem::canonical(info.dli_fname, error);
  return error ? info.dli_fname : file.string();
}

// "OpenBLAS 0.3.21 for SkylakeX" from "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." and the
// kernels.
std::string OpenBlasVersion() {
  void* library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return "OpenBLAS";
  using Text = char* (*)();
  const auto config = reinterpret_cast<Text>(dlsym(library, "openblas_get_config"));
  const auto kernels = reinterpret_cast<Text>(dlsym(library, "openblas_get_corename"));
  std::string text = config != nullptr ? config() : "OpenBLAS";
  const size_t version = text.find(' ');
  text = text.substr(0, version == text.npos ? version : text.find(' ', version + 1));
  if (kernels != nullptr) text += std::string(" for ") + kernels();
  dlclose(library);
  return text;
}

}  // namespace

NeuralLibraries FindLibraries() {
  NeuralLibraries libraries;
  libraries.torch = TORCH_VERSION;
  const std::string file = BlasFile();
  if (file.find("openblas") != file.npos) {
    libraries.blas = OpenBlasVersion();
  } else if (file.find("mkl") != file.npos || at::hasMKL()) {
    libraries.blas = "MKL";
  } else {
    libraries.blas = file.empty() ? "unknown" : file;
    // Builds from pytorch.org carry their own; the distribution's reference BLAS is a file of its
    // own name.
    libraries.blas_is_fast = file.find("libblas") == file.npos;
  }
  libraries.threads = at::get_num_threads();
  libraries.cuda_devices =
      at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
  return libraries;
}

}  // namespace almanac
