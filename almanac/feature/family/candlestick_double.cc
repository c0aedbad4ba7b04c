// Patterns of two candles: `a` and, last, `b`.
#include "almanac/feature/family/candlestick.h"

namespace almanac::candlestick {
namespace {

double Hammer(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(b.Short(), b.LongLower(), b.NoUpper(), b.bottom() <= a.low() + a.near()), 100);
}

double HangingMan(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(b.Short(), b.LongLower(), b.NoUpper(), b.bottom() >= a.high() - a.near()), -100);
}

double InvertedHammer(const Candle& b) {
  return When(All(b.Short(), b.LongUpper(), b.NoLower(), b.BodyBelow(b.Before(1))), 100);
}

double ShootingStar(const Candle& b) {
  return When(All(b.Short(), b.LongUpper(), b.NoLower(), b.BodyAbove(b.Before(1))), -100);
}

double DojiStar(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(a.Long(), b.Doji(), a.white() ? b.BodyAbove(a) : b.BodyBelow(a)),
              -100 * a.color());
}

double Engulfing(const Candle& b) {
  const Candle a = b.Before(1);
  const bool covers = All(b.top() >= a.top(), b.bottom() <= a.bottom());
  const bool beyond_top = b.top() > a.top();
  const bool beyond_bottom = b.bottom() < a.bottom();
  const double value = All(beyond_top, beyond_bottom) ? 100 : 80;
  return When(All(!b.SameColor(a), covers, Any(beyond_top, beyond_bottom)), value * b.color());
}

// The body of `b` within that of `a`, which is long: 100, or 80 where one end is the same.
double Inside(const Candle& a, const Candle& b, bool small) {
  const bool inside = All(b.top() <= a.top(), b.bottom() >= a.bottom());
  const bool strictly = All(b.top() < a.top(), b.bottom() > a.bottom());
  return When(All(a.Long(), small, inside), (strictly ? -100 : -80) * a.color());
}

double Harami(const Candle& b) { return Inside(b.Before(1), b, !b.Long()); }
double HaramiCross(const Candle& b) { return Inside(b.Before(1), b, b.Doji()); }

double DarkCloudCover(const Candle& b, double penetration) {
  const Candle a = b.Before(1);
  return When(All(a.white(), a.Long(), b.black(), b.open() > a.high(), b.close() > a.open(),
                  b.close() < a.close() - a.body() * penetration),
              -100);
}

// A long black candle, then a white one that opens below its low.
bool OpensBelowBlack(const Candle& a, const Candle& b) {
  return All(a.black(), a.Long(), b.white(), b.open() < a.low());
}

double Piercing(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(OpensBelowBlack(a, b), b.Long(), b.close() < a.open(),
                  b.close() > a.close() + a.body() * 0.5),
              100);
}

double InNeck(const Candle& b) {
  const Candle a = b.Before(1);
  return When(
      All(OpensBelowBlack(a, b), b.close() >= a.close(), b.close() <= a.close() + a.equal()), -100);
}

double OnNeck(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(OpensBelowBlack(a, b), Within(b.close(), a.low(), a.equal())), -100);
}

double Thrusting(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(OpensBelowBlack(a, b), b.close() > a.close() + a.equal(),
                  b.close() <= a.close() + a.body() * 0.5),
              -100);
}

double Counterattack(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(!a.SameColor(b), a.Long(), b.Long(), Within(b.close(), a.close(), a.equal())),
              100 * b.color());
}

double SeparatingLines(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(!a.SameColor(b), Within(b.open(), a.open(), a.equal()), b.Long(),
                  b.white() ? b.NoLower() : b.NoUpper()),
              100 * b.color());
}

bool IsMarubozu(const Candle& c) { return All(c.Long(), c.NoUpper(), c.NoLower()); }

bool IsKicking(const Candle& a, const Candle& b) {
  return All(!a.SameColor(b), IsMarubozu(a), IsMarubozu(b), a.black() ? b.Above(a) : b.Below(a));
}

double Kicking(const Candle& b) { return When(IsKicking(b.Before(1), b), 100 * b.color()); }

double KickingByLength(const Candle& b) {
  const Candle a = b.Before(1);
  const double longer = b.body() > a.body() ? b.color() : a.color();
  return When(IsKicking(a, b), 100 * longer);
}

double HomingPigeon(const Candle& b) {
  const Candle a = b.Before(1);
  return When(
      All(a.black(), b.black(), a.Long(), !b.Long(), b.open() < a.open(), b.close() > a.close()),
      100);
}

double MatchingLow(const Candle& b) {
  const Candle a = b.Before(1);
  return When(All(a.black(), b.black(), Within(b.close(), a.close(), a.equal())), 100);
}

}  // namespace

std::vector<Family> TwoCandlePatterns() {
  constexpr char kHalf[] = "-100, -80, 0, 80, 100";
  const std::string below = "1 long black; 2 white, opens below the low of 1, closes ";
  return {
      PatternFamily<Hammer, 11>(
          "hammer", "2 short, long lower shadow, no upper one, its body not above low of 1 + near",
          kUp, "CDLHAMMER"),
      PatternFamily<HangingMan, 11>(
          "hanging_man",
          "2 short, long lower shadow, no upper one, its body not below high of 1 - near", kDown,
          "CDLHANGINGMAN"),
      PatternFamily<InvertedHammer, 11>("inverted_hammer",
                                        "2 short, long upper shadow, no lower one, body gap down",
                                        kUp, "CDLINVERTEDHAMMER"),
      PatternFamily<ShootingStar, 11>("shooting_star",
                                      "2 short, long upper shadow, no lower one, body gap up",
                                      kDown, "CDLSHOOTINGSTAR"),
      PatternFamily<DojiStar, 11>("doji_star",
                                  "1 long; 2 doji, body gap the way that 1 went; sign against 1",
                                  kColor, "CDLDOJISTAR"),
      PatternFamily<Engulfing, 2>("engulfing",
                                  "2 of the other colour, its body covers that of 1; 80 where one "
                                  "end is the same; sign of 2",
                                  kHalf, "CDLENGULFING"),
      PatternFamily<Harami, 11>("harami",
                                "1 long; 2 not long, its body within that of 1; 80 where one end "
                                "is the same; sign against 1",
                                kHalf, "CDLHARAMI"),
      PatternFamily<HaramiCross, 11>("harami_cross",
                                     "1 long; 2 doji, its body within that of 1; 80 where one end "
                                     "is the same; sign against 1",
                                     kHalf, "CDLHARAMICROSS"),
      PatternFamily<DarkCloudCover, 11>(
          "dark_cloud_cover",
          "1 long white; 2 black, opens above the high of 1, closes within the body of 1 and more "
          "than penetration % of it below its close",
          kDown, "CDLDARKCLOUDCOVER (its default: 50)"),
      PatternFamily<Piercing, 11>(
          "piercing", below + "within the body of 1, above its middle; 2 long", kUp, "CDLPIERCING"),
      PatternFamily<InNeck, 11>("in_neck", below + "at or up to equal above the close of 1", kDown,
                                "CDLINNECK"),
      PatternFamily<OnNeck, 11>("on_neck", below + "equal to the low of 1", kDown, "CDLONNECK"),
      PatternFamily<Thrusting, 11>(
          "thrusting", below + "more than equal above the close of 1, not above the middle of 1",
          kDown, "CDLTHRUSTING"),
      PatternFamily<Counterattack, 11>("counterattack",
                                       "both long, of two colours, equal closes; sign of 2", kColor,
                                       "CDLCOUNTERATTACK"),
      PatternFamily<SeparatingLines, 11>(
          "separating_lines",
          "two colours, equal opens; 2 long, no shadow where it opens; sign of 2", kColor,
          "CDLSEPARATINGLINES"),
      PatternFamily<Kicking, 11>("kicking",
                                 "both long without shadows, of two colours; gap (of highs and "
                                 "lows) the way of 2; sign of 2",
                                 kColor, "CDLKICKING"),
      PatternFamily<KickingByLength, 11>("kicking_by_length",
                                         "as candle_kicking; sign of the one with the longer body",
                                         kColor, "CDLKICKINGBYLENGTH"),
      PatternFamily<HomingPigeon, 11>("homing_pigeon",
                                      "1 long black; 2 black, not long, its body within that of 1",
                                      kUp, "CDLHOMINGPIGEON"),
      PatternFamily<MatchingLow, 6>("matching_low", "both black, equal closes", kUp,
                                    "CDLMATCHINGLOW"),
  };
}

}  // namespace almanac::candlestick
