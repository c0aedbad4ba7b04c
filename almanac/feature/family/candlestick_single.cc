// Patterns of one candle.
#include "almanac/feature/family/candlestick.h"

namespace almanac::candlestick {
namespace {

double Doji(const Candle& c) { return When(c.Doji(), 100); }

double DragonflyDoji(const Candle& c) {
  return When(All(c.Doji(), c.NoUpper(), c.HasLower()), 100);
}

double GravestoneDoji(const Candle& c) {
  return When(All(c.Doji(), c.NoLower(), c.HasUpper()), 100);
}

double LongLeggedDoji(const Candle& c) {
  return When(All(c.Doji(), Any(c.LongLower(), c.LongUpper())), 100);
}

double RickshawMan(const Candle& c) {
  const double middle = c.low() + c.range() / 2;
  return When(All(c.Doji(), c.LongLower(), c.LongUpper(), c.bottom() <= middle + c.near(),
                  c.top() >= middle - c.near()),
              100);
}

double Takuri(const Candle& c) { return When(All(c.Doji(), c.NoUpper(), c.VeryLongLower()), 100); }

double HighWave(const Candle& c) {
  return When(All(c.Short(), c.VeryLongUpper(), c.VeryLongLower()), 100 * c.color());
}

double SpinningTop(const Candle& c) {
  return When(All(c.Short(), c.LongUpper(), c.LongLower()), 100 * c.color());
}

double LongLine(const Candle& c) {
  return When(All(c.Long(), c.ShortUpper(), c.ShortLower()), 100 * c.color());
}

double ShortLine(const Candle& c) {
  return When(All(c.Short(), c.ShortUpper(), c.ShortLower()), 100 * c.color());
}

double Marubozu(const Candle& c) {
  return When(All(c.Long(), c.NoUpper(), c.NoLower()), 100 * c.color());
}

double ClosingMarubozu(const Candle& c) {
  return When(All(c.Long(), c.white() ? c.NoUpper() : c.NoLower()), 100 * c.color());
}

double BeltHold(const Candle& c) {
  return When(All(c.Long(), c.white() ? c.NoLower() : c.NoUpper()), 100 * c.color());
}

}  // namespace

std::vector<Family> SingleCandlePatterns() {
  return {
      PatternFamily<Doji, 10>("doji", "doji", kUp, "CDLDOJI"),
      PatternFamily<DragonflyDoji, 10>("dragonfly_doji", "doji; no upper shadow; a lower one", kUp,
                                       "CDLDRAGONFLYDOJI"),
      PatternFamily<GravestoneDoji, 10>("gravestone_doji", "doji; no lower shadow; an upper one",
                                        kUp, "CDLGRAVESTONEDOJI"),
      PatternFamily<LongLeggedDoji, 10>("long_legged_doji", "doji; a long shadow on either side",
                                        kUp, "CDLLONGLEGGEDDOJI"),
      PatternFamily<RickshawMan, 10>("rickshaw_man",
                                     "doji; both shadows long; body near the middle of the range",
                                     kUp, "CDLRICKSHAWMAN"),
      PatternFamily<Takuri, 10>("takuri", "doji; no upper shadow; very long lower one", kUp,
                                "CDLTAKURI"),
      PatternFamily<HighWave, 10>("high_wave", "short body; both shadows very long", kColor,
                                  "CDLHIGHWAVE"),
      PatternFamily<SpinningTop, 10>("spinning_top", "short body; both shadows longer than it",
                                     kColor, "CDLSPINNINGTOP"),
      PatternFamily<LongLine, 10>("long_line", "long body; both shadows short", kColor,
                                  "CDLLONGLINE"),
      PatternFamily<ShortLine, 10>("short_line", "short body; both shadows short", kColor,
                                   "CDLSHORTLINE"),
      PatternFamily<Marubozu, 10>("marubozu", "long body; no shadows", kColor, "CDLMARUBOZU"),
      PatternFamily<ClosingMarubozu, 10>("closing_marubozu",
                                         "long body; no shadow at the end where it closes", kColor,
                                         "CDLCLOSINGMARUBOZU"),
      PatternFamily<BeltHold, 10>("belt_hold", "long body; no shadow at the end where it opens",
                                  kColor, "CDLBELTHOLD"),
  };
}

}  // namespace almanac::candlestick
