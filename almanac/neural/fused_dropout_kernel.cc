#include "almanac/neural/fused_dropout_kernel.h"

// Sizeless vectors do not fit into arrays; SSSE3 gains nothing here that is worth its compilation.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/neural/fused_dropout_kernel.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#include "almanac/neural/recurrent_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

using WordTag = hn::RebindToUnsigned<FloatTag>;
using Words = hn::Vec<WordTag>;

HWY_INLINE Words Mixed(Words x) {
  const WordTag tag;
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<16>(x)), hn::Set(tag, 0x7feb352du));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<15>(x)), hn::Set(tag, 0x846ca68bu));
  return hn::Xor(x, hn::ShiftRight<16>(x));
}

void DropSome(const float* in, float* out, size_t begin, size_t end, uint64_t key, double rate) {
  const FloatTag tag;
  const WordTag words;
  const size_t lanes = hn::Lanes(tag);
  const Words lane = hn::Iota(words, 0u);
  const Vector scale = hn::Set(tag, static_cast<float>(1 / (1 - rate)));
  const Words dropped_below = hn::Set(words, static_cast<uint32_t>(rate * 4294967296.0));
  const Words second = hn::Set(words, static_cast<uint32_t>(key >> 32));
  for (size_t i = begin; i < end; i += lanes) {
    // The upper half of a number's place is part of the key: 2^32 numbers further on is another.
    const auto first = static_cast<uint32_t>(key) ^ static_cast<uint32_t>((i >> 32) * 0x9e3779b9u);
    const Words place = hn::Add(hn::Set(words, static_cast<uint32_t>(i)), lane);
    const Words drawn = Mixed(hn::Xor(Mixed(hn::Xor(place, hn::Set(words, first))), second));
    const Vector kept = hn::Mul(LoadSome(in + i, end - i), scale);
    const auto is_dropped = hn::RebindMask(tag, hn::Lt(drawn, dropped_below));
    StoreSome(hn::IfThenZeroElse(is_dropped, kept), out + i, end - i);
  }
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {

HWY_EXPORT(DropSome);

void DropPass(const float* in, float* out, size_t begin, size_t end, uint64_t key, double rate) {
  HWY_DYNAMIC_DISPATCH(DropSome)(in, out, begin, end, key, rate);
}

}  // namespace almanac::neural
#endif  // HWY_ONCE
