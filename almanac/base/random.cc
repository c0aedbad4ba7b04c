#include "almanac/base/random.h"

#include <bit>
#include <cmath>

namespace almanac {
namespace {

uint64_t SplitMix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// FNV-1a, so that a stream's name becomes a number.
uint64_t NameHash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// Two streams of one seed never get the same seed: for a given seed this is one-to-one. It is not
// symmetric either: stream 2 of seed 1 is not stream 1 of seed 2.
uint64_t StreamSeed(uint64_t seed, uint64_t stream) {
  uint64_t mixed = SplitMix(seed) + stream;
  return SplitMix(mixed);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_.words) word = SplitMix(seed);
}

Random::Random(uint64_t seed, std::string_view stream) : Random(seed, NameHash(stream)) {}

Random::Random(uint64_t seed, uint64_t stream) : Random(StreamSeed(seed, stream)) {}

uint64_t Random::Next() {
  auto& s = state_.words;
  const uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 45);
  return result;
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

uint64_t Random::Below(uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(Next()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t threshold = -bound % bound;
    while (static_cast<uint64_t>(product) < threshold) {
      product = static_cast<Wide>(Next()) * bound;
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

double Random::Normal() {
  if (state_.has_spare) {
    state_.has_spare = false;
    return state_.spare;
  }
  double u = 0, v = 0, square = 0;
  do {
    u = 2.0 * Uniform() - 1.0;
    v = 2.0 * Uniform() - 1.0;
    square = u * u + v * v;
  } while (square >= 1.0 || square == 0.0);
  const double factor = std::sqrt(-2.0 * std::log(square) / square);
  state_.spare = v * factor;
  state_.has_spare = true;
  return u * factor;
}

double Random::Exponential() { return -std::log1p(-Uniform()); }

double Random::Gamma(double shape) {
  // Below 1 a draw of shape + 1 is scaled down by U^(1/shape).
  if (shape < 1.0) return Gamma(shape + 1.0) * std::pow(1.0 - Uniform(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = Normal();
    const double t = 1.0 + c * x;
    if (t <= 0.0) continue;
    const double v = t * t * t;
    const double u = 1.0 - Uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Random::StudentT(double degrees) {
  const double normal = Normal();
  return normal / std::sqrt(Gamma(degrees / 2.0) / (degrees / 2.0));
}

int64_t Random::Poisson(double mean) {
  double remaining = mean;
  int64_t count = -1;
  while (remaining >= 0.0) {
    remaining -= Exponential();
    ++count;
  }
  return mean <= 0.0 ? 0 : count;
}

}  // namespace almanac
