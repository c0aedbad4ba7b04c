// Arguments of the benches.
#ifndef ALMANAC_BENCH_ARGUMENTS_H_
#define ALMANAC_BENCH_ARGUMENTS_H_

#include <stdexcept>
#include <string>
#include <utility>

namespace almanac::bench {

// "key=value". Throws std::runtime_error for a word without "=".
inline std::pair<std::string, std::string> KeyAndValue(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) throw std::runtime_error(word + ": give key=value");
  return {word.substr(0, equals), word.substr(equals + 1)};
}

}  // namespace almanac::bench

#endif  // ALMANAC_BENCH_ARGUMENTS_H_
