// Patterns of three candles: `a`, `b` and, last, `c`.
#include "almanac/feature/family/candlestick.h"

namespace almanac::candlestick {
namespace {

double TwoCrows(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(a.white(), a.Long(), b.black(), b.BodyAbove(a), c.black(), c.open() < b.open(),
                  c.open() > b.close(), c.close() > a.open(), c.close() < a.close()),
              -100);
}

double UpsideGapTwoCrows(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(a.white(), a.Long(), b.black(), !b.Long(), b.BodyAbove(a), c.black(),
                  c.open() > b.open(), c.close() < b.close(), c.close() > a.close()),
              -100);
}

double ThreeInside(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(a.Long(), !b.Long(), b.top() < a.top(), b.bottom() > a.bottom(), !c.SameColor(a),
                  a.white() ? c.close() < a.open() : c.close() > a.open()),
              -100 * a.color());
}

double ThreeOutside(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(!b.SameColor(a), b.top() > a.top(), b.bottom() < a.bottom(),
                  b.white() ? c.close() > b.close() : c.close() < b.close()),
              100 * b.color());
}

double ThreeStarsInSouth(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  const bool second = All(b.body() < a.body(), b.open() > a.close(), b.open() <= a.high(),
                          b.low() < a.close(), b.low() >= a.low(), b.HasLower());
  const bool third =
      All(c.Short(), c.NoLower(), c.NoUpper(), c.low() > b.low(), c.high() < b.high());
  return When(All(a.black(), b.black(), c.black(), a.Long(), a.LongLower(), second, third), 100);
}

// Three white candles, each closing higher and opening within or near the body before.
bool Advances(const Candle& a, const Candle& b, const Candle& c) {
  return All(a.white(), b.white(), c.white(), c.close() > b.close(), b.close() > a.close(),
             b.open() > a.open(), b.open() <= a.close() + a.near(), c.open() > b.open(),
             c.open() <= b.close() + b.near());
}

double ThreeWhiteSoldiers(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(Advances(a, b, c), a.NoUpper(), b.NoUpper(), c.NoUpper(),
                  b.body() > a.body() - a.far(), c.body() > b.body() - b.far(), c.Long()),
              100);
}

double AdvanceBlock(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  const bool second_fails = All(b.body() < a.body() - a.far(), c.body() < b.body() + b.near());
  const bool third_fails = c.body() < b.body() - b.far();
  const bool ever_shorter = All(c.body() < b.body(), b.body() < a.body(),
                                Any(c.ExceedsShortUpper(), b.ExceedsShortUpper()));
  const bool long_shadow = All(c.body() < b.body(), c.LongUpper());
  return When(All(Advances(a, b, c), a.Long(), a.ShortUpper(),
                  Any(second_fails, third_fails, ever_shorter, long_shadow)),
              -100);
}

double Stalled(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(
      All(a.white(), b.white(), c.white(), c.close() > b.close(), b.close() > a.close(), a.Long(),
          b.Long(), b.NoUpper(), b.open() > a.open(), b.open() <= a.close() + a.near(), c.Short(),
          c.open() >= b.close() - c.body() - b.near()),
      -100);
}

double IdenticalThreeCrows(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(a.black(), b.black(), c.black(), a.NoLower(), b.NoLower(), c.NoLower(),
                  a.close() > b.close(), b.close() > c.close(),
                  Within(b.open(), a.close(), a.equal()), Within(c.open(), b.close(), b.equal())),
              -100);
}

double AbandonedBaby(const Candle& c, double penetration) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  const double depth = a.body() * penetration;
  const bool top = All(c.close() < a.close() - depth, b.Above(a), c.Below(b));
  const bool bottom = All(c.close() > a.close() + depth, b.Below(a), c.Above(b));
  return When(All(a.Long(), b.Doji(), c.Long(), !c.SameColor(a), a.white() ? top : bottom),
              100 * c.color());
}

// A long white candle, a small one whose body gaps up, a long black one that closes well within the
// first body.
bool TurnsDown(const Candle& a, const Candle& b, const Candle& c, double penetration) {
  return All(a.Long(), a.white(), b.BodyAbove(a), c.Long(), c.black(),
             c.close() < a.close() - a.body() * penetration);
}

bool TurnsUp(const Candle& a, const Candle& b, const Candle& c, double penetration) {
  return All(a.Long(), a.black(), b.BodyBelow(a), c.Long(), c.white(),
             c.close() > a.close() + a.body() * penetration);
}

double EveningStar(const Candle& c, double penetration) {
  const Candle b = c.Before(1);
  return When(All(TurnsDown(c.Before(2), b, c, penetration), !b.Long()), -100);
}

double EveningDojiStar(const Candle& c, double penetration) {
  const Candle b = c.Before(1);
  return When(All(TurnsDown(c.Before(2), b, c, penetration), b.Doji()), -100);
}

double MorningStar(const Candle& c, double penetration) {
  const Candle b = c.Before(1);
  return When(All(TurnsUp(c.Before(2), b, c, penetration), !b.Long()), 100);
}

double MorningDojiStar(const Candle& c, double penetration) {
  const Candle b = c.Before(1);
  return When(All(TurnsUp(c.Before(2), b, c, penetration), b.Doji()), 100);
}

double GapSideBySideWhite(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  const bool up = All(b.BodyAbove(a), c.BodyAbove(a));
  const bool down = All(b.BodyBelow(a), c.BodyBelow(a));
  return When(All(Any(up, down), b.white(), c.white(), Within(c.body(), b.body(), b.near()),
                  Within(c.open(), b.open(), b.equal())),
              up ? 100 : -100);
}

double TasukiGap(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  const bool alike = std::abs(b.body() - c.body()) < b.near();
  const bool up = All(b.BodyAbove(a), b.white(), c.black(), c.open() < b.close(),
                      c.open() > b.open(), c.close() < b.open(), c.close() > a.top());
  const bool down = All(b.BodyBelow(a), b.black(), c.white(), c.open() < b.open(),
                        c.open() > b.close(), c.close() > b.open(), c.close() < a.bottom());
  return When(All(alike, Any(up, down)), up ? 100 : -100);
}

// All three are judged by the mean range that the first is judged by.
double Tristar(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  const bool dojis = All(a.Doji(), b.DojiFor(a), c.DojiFor(a));
  const bool top = All(b.BodyAbove(a), c.top() < b.top());
  const bool bottom = All(b.BodyBelow(a), c.bottom() > b.bottom());
  return When(All(dojis, Any(top, bottom)), top ? -100 : 100);
}

double UniqueThreeRiver(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(a.Long(), a.black(), b.black(), b.close() > a.close(), b.open() <= a.open(),
                  b.low() < a.low(), c.Short(), c.white(), c.open() > b.low()),
              100);
}

double GapThreeMethods(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(
      All(a.SameColor(b), !c.SameColor(b), c.open() < b.top(), c.open() > b.bottom(),
          c.close() < a.top(), c.close() > a.bottom(), a.white() ? b.BodyAbove(a) : b.BodyBelow(a)),
      100 * a.color());
}

double StickSandwich(const Candle& c) {
  const Candle a = c.Before(2);
  const Candle b = c.Before(1);
  return When(All(a.black(), b.white(), c.black(), b.low() > a.close(),
                  Within(c.close(), a.close(), a.equal())),
              100);
}

std::vector<Family> Reversals() {
  const std::string depth = ", closing more than penetration % of the body of 1 into it";
  return {
      PatternFamily<TwoCrows, 12>("two_crows",
                                  "1 long white; 2 black, body gap up; 3 black, opens within the "
                                  "body of 2, closes within that of 1",
                                  kDown, "CDL2CROWS"),
      PatternFamily<UpsideGapTwoCrows, 12>("upside_gap_two_crows",
                                           "1 long white; 2 black, not long, body gap up; 3 black, "
                                           "its body covers that of 2, closes "
                                           "above the close of 1",
                                           kDown, "CDLUPSIDEGAP2CROWS"),
      PatternFamily<ThreeInside, 12>("three_inside",
                                     "1 long; 2 not long, its body within that of 1; 3 of the "
                                     "other colour than 1, closes beyond the open of 1; sign of 3",
                                     kColor, "CDL3INSIDE"),
      PatternFamily<ThreeOutside, 3>("three_outside",
                                     "2 of the other colour, its body covers that of 1; 3 closes "
                                     "further the same way; sign of 2",
                                     kColor, "CDL3OUTSIDE"),
      PatternFamily<AbandonedBaby, 12>(
          "abandoned_baby",
          "1 long; 2 doji, gap (of highs and lows) the way of 1; 3 long, other colour, gap back" +
              depth + "; sign of 3",
          kColor, "CDLABANDONEDBABY (its default: 30)"),
      PatternFamily<EveningStar, 12>("evening_star",
                                     "1 long white; 2 not long, body gap up; 3 long black" + depth,
                                     kDown, "CDLEVENINGSTAR (its default: 30)"),
      PatternFamily<EveningDojiStar, 12>("evening_doji_star",
                                         "1 long white; 2 doji, body gap up; 3 long black" + depth,
                                         kDown, "CDLEVENINGDOJISTAR (its default: 30)"),
      PatternFamily<MorningStar, 12>(
          "morning_star", "1 long black; 2 not long, body gap down; 3 long white" + depth, kUp,
          "CDLMORNINGSTAR (its default: 30)"),
      PatternFamily<MorningDojiStar, 12>(
          "morning_doji_star", "1 long black; 2 doji, body gap down; 3 long white" + depth, kUp,
          "CDLMORNINGDOJISTAR (its default: 30)"),
      PatternFamily<Tristar, 12>("tristar",
                                 "three dojis by the mean range before 1; body gap from 1 to 2, 3 "
                                 "not as far as 2; sign against the gap",
                                 kColor, "CDLTRISTAR"),
      PatternFamily<UniqueThreeRiver, 12>("unique_three_river",
                                          "1 long black; 2 black, its body within that of 1 (same "
                                          "open allowed), lower low; 3 short "
                                          "white, opens above the low of 2",
                                          kUp, "CDLUNIQUE3RIVER"),
  };
}

std::vector<Family> Continuations() {
  return {
      PatternFamily<ThreeStarsInSouth, 12>(
          "three_stars_in_south",
          "three black; 1 long with a long lower shadow; 2 shorter, opens above the close of 1 and "
          "not above its high, trades below that close and not below the low of 1, has a lower "
          "shadow; 3 short without shadows, within the range of 2",
          kUp, "CDL3STARSINSOUTH"),
      PatternFamily<ThreeWhiteSoldiers, 12>(
          "three_white_soldiers",
          "three white without upper shadows, each closing higher and opening above the open "
          "before "
          "and not above the close before + near; none far shorter than the one before; 3 long",
          kUp, "CDL3WHITESOLDIERS"),
      PatternFamily<AdvanceBlock, 12>(
          "advance_block",
          "three white, each closing higher and opening above the open before and not above the "
          "close before + near; 1 long, short upper shadow; and 2 far shorter than 1 with 3 below "
          "2 "
          "+ near, or 3 far shorter than 2, or 3 < 2 < 1 with an upper shadow of 2 or 3 not short, "
          "or 3 < 2 with a long upper shadow of 3 (bodies)",
          kDown, "CDLADVANCEBLOCK"),
      PatternFamily<Stalled, 12>(
          "stalled",
          "three white, each closing higher; 1 and 2 long; 2 without upper shadow, opens above the "
          "open of 1 and not above its close + near; 3 short, opens not below close of 2 - body of "
          "3 - near",
          kDown, "CDLSTALLEDPATTERN"),
      PatternFamily<IdenticalThreeCrows, 12>(
          "identical_three_crows",
          "three black without lower shadows, each closing lower; 2 and 3 open equal to the close "
          "before",
          kDown, "CDLIDENTICAL3CROWS"),
      PatternFamily<GapSideBySideWhite, 7>(
          "gap_side_by_side_white",
          "bodies of 2 and 3 both gap the same way from 1; both white, bodies near in size, equal "
          "opens; sign of the gap",
          kColor, "CDLGAPSIDESIDEWHITE"),
      PatternFamily<TasukiGap, 7>(
          "tasuki_gap",
          "2 of the colour of its body gap from 1; 3 of the other colour, opens within the body of "
          "2, closes within the gap; bodies of 2 and 3 near in size; sign of 2",
          kColor, "CDLTASUKIGAP"),
      PatternFamily<GapThreeMethods, 2>(
          "gap_three_methods",
          "1 and 2 of one colour, body gap the way of the colour; 3 of the other, opens within the "
          "body of 2, closes within that of 1; sign of 1",
          kColor, "CDLXSIDEGAP3METHODS"),
      PatternFamily<StickSandwich, 7>(
          "stick_sandwich",
          "black, white, black; low of 2 above the close of 1; 3 closes equal to 1", kUp,
          "CDLSTICKSANDWICH"),
  };
}

}  // namespace

std::vector<Family> ThreeCandlePatterns() {
  std::vector<Family> all = Reversals();
  const std::vector<Family> more = Continuations();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace almanac::candlestick
