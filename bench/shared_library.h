// A shared library of a peer, opened by its path: benchmarks measure beside it where there is one.
#ifndef ALMANAC_BENCH_SHARED_LIBRARY_H_
#define ALMANAC_BENCH_SHARED_LIBRARY_H_

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace almanac::bench {

class SharedLibrary {
 public:
  // Stays open until the process ends: threads of the library may outlive its use.
  explicit SharedLibrary(const std::string& path)
      : path_(path), handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }

  template <typename Function>
  Function* Get(const char* name) const {
    void* symbol = dlsym(handle_, name);
    if (symbol == nullptr) throw std::runtime_error(path_ + " has no " + name);
    return reinterpret_cast<Function*>(symbol);
  }

 private:
  std::string path_;
  void* handle_;
};

}  // namespace almanac::bench

#endif  // ALMANAC_BENCH_SHARED_LIBRARY_H_
