// Qlib's two data sets, with Qlib's columns in Qlib's order (qlib/contrib/data/loader.py).
#include "almanac/feature/set.h"

namespace almanac {
namespace {

constexpr int64_t kAlpha360Bars = 60;

FeatureSpec LaggedSpec(const char* family, int64_t lag) { return {family, {{"lag", lag}}}; }

std::vector<FeatureSpec> Alpha158Specs() {
  std::vector<FeatureSpec> specs;
  for (const char* family : {"alpha_kmid", "alpha_klen", "alpha_kmid2", "alpha_kup", "alpha_kup2",
                             "alpha_klow", "alpha_klow2", "alpha_ksft", "alpha_ksft2"}) {
    specs.push_back({family, {}});
  }
  for (const char* family : {"alpha_open", "alpha_high", "alpha_low", "alpha_vwap"}) {
    specs.push_back(LaggedSpec(family, 0));
  }
  for (const char* family :
       {"alpha_roc",  "alpha_ma",   "alpha_std",   "alpha_beta",  "alpha_rsqr", "alpha_resi",
        "alpha_max",  "alpha_min",  "alpha_qtlu",  "alpha_qtld",  "alpha_rank", "alpha_rsv",
        "alpha_imax", "alpha_imin", "alpha_imxd",  "alpha_corr",  "alpha_cord", "alpha_cntp",
        "alpha_cntn", "alpha_cntd", "alpha_sump",  "alpha_sumn",  "alpha_sumd", "alpha_vma",
        "alpha_vstd", "alpha_wvma", "alpha_vsump", "alpha_vsumn", "alpha_vsumd"}) {
    for (const int64_t window : {5, 10, 20, 30, 60})
      specs.push_back({family, {{"window", window}}});
  }
  return specs;
}

std::vector<FeatureSpec> Alpha360Specs() {
  std::vector<FeatureSpec> specs;
  for (const char* family :
       {"alpha_close", "alpha_open", "alpha_high", "alpha_low", "alpha_vwap", "alpha_volume"}) {
    for (int64_t lag = kAlpha360Bars - 1; lag >= 0; --lag) specs.push_back(LaggedSpec(family, lag));
  }
  return specs;
}

}  // namespace

NamedSet Alpha158Set() {
  return {{"alpha158", "Qlib's Alpha158: 158 columns of candles and rolling windows of 5 to 60"},
          Alpha158Specs};
}

NamedSet Alpha360Set() {
  return {{"alpha360", "Qlib's Alpha360: prices and volume of the last 60 bars over the last one"},
          Alpha360Specs};
}

}  // namespace almanac
