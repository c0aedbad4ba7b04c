// The logistic function and tanh of vectors of float32, for the kernels of recurrent networks. To
// be included under foreach_target.
//
// Both rest on e^y = 2^n (1 + p(r)) with n = round(y / ln 2) and r = y - n ln 2 in [-ln 2 / 2,
// ln 2 / 2], where p(r) = r + r^2 q(r) and q is the polynomial of degree 4 that minimises the
// largest relative error of p there (0.23 units of 2^-24; Lawson's algorithm).
//
// Errors against the exact value, tested: at most 2.5 units in the last place (2.23 and 2.39 were
// the worst found), with and without fused multiply-add. Sigmoid(x) for x < -87 is Sigmoid(-87),
// 2^-125.5. NaN gives NaN.
#if defined(ALMANAC_NEURAL_RECURRENT_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALMANAC_NEURAL_RECURRENT_MATH_INL_H_
#undef ALMANAC_NEURAL_RECURRENT_MATH_INL_H_
#else
#define ALMANAC_NEURAL_RECURRENT_MATH_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, as what is padded to the lanes is padded to 16.
using FloatTag = hn::CappedTag<float, 16>;
using Vector = hn::Vec<FloatTag>;

// 2^n and 2^n p(r) of y in [-87, 87]: their sum is e^y, and e^y - 1 has no cancellation.
struct Exponential {
  Vector power, rest;
};

HWY_INLINE Exponential Exponentiate(Vector y) {
  const FloatTag tag;
  const hn::RebindToSigned<FloatTag> integers;
  const auto n = hn::NearestInt(hn::Mul(y, hn::Set(tag, 1.44269504F)));
  const Vector whole = hn::ConvertTo(tag, n);
  // ln 2 in two parts, the first of so few bits that n times it is exact.
  Vector r = hn::NegMulAdd(whole, hn::Set(tag, 0.693359375F), y);
  r = hn::NegMulAdd(whole, hn::Set(tag, -2.12194440e-4F), r);
  Vector q = hn::Set(tag, 1.3882516e-3F);
  q = hn::MulAdd(q, r, hn::Set(tag, 8.3665475e-3F));
  q = hn::MulAdd(q, r, hn::Set(tag, 4.16672e-2F));
  q = hn::MulAdd(q, r, hn::Set(tag, 0.16666543F));
  q = hn::MulAdd(q, r, hn::Set(tag, 0.49999997F));
  const Vector p = hn::MulAdd(hn::Mul(r, r), q, r);
  const auto exponent = hn::ShiftLeft<23>(hn::Add(n, hn::Set(integers, 127)));
  const Vector power = hn::BitCast(tag, exponent);
  return {power, hn::Mul(power, p)};
}

// 1 / (1 + e^-x). Where x is NaN, the limits give way to it (their order matters on x86).
HWY_INLINE Vector Sigmoid(Vector x) {
  const FloatTag tag;
  const Vector one = hn::Set(tag, 1.0F);
  const Vector y = hn::Min(hn::Set(tag, 87.0F), hn::Max(hn::Set(tag, -87.0F), hn::Neg(x)));
  const Exponential e = Exponentiate(y);
  return hn::Div(one, hn::Add(hn::Add(one, e.power), e.rest));
}

// (e^2|x| - 1) / (e^2|x| + 1) with the sign of x.
HWY_INLINE Vector Tanh(Vector x) {
  const FloatTag tag;
  const Vector size = hn::Abs(x);
  const Vector y = hn::Min(hn::Set(tag, 20.0F), hn::Add(size, size));  // 1 from 9.1 on
  const Exponential e = Exponentiate(y);
  const Vector less_one = hn::Add(hn::Sub(e.power, hn::Set(tag, 1.0F)), e.rest);
  return hn::CopySign(hn::Div(less_one, hn::Add(less_one, hn::Set(tag, 2.0F))), x);
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard, once for each instruction set
