// Patterns of four and five candles, and the two that are confirmed by a later one.
#include "almanac/feature/family/candlestick.h"

namespace almanac::candlestick {
namespace {

double ThreeBlackCrows(const Candle& d) {
  const Candle before = d.Before(3);
  const Candle a = d.Before(2);
  const Candle b = d.Before(1);
  return When(
      All(before.white(), a.black(), b.black(), d.black(), a.NoLower(), b.NoLower(), d.NoLower(),
          b.open() < a.open(), b.open() > a.close(), d.open() < b.open(), d.open() > b.close(),
          before.high() > a.close(), a.close() > b.close(), b.close() > d.close()),
      -100);
}

bool OpensNear(const Candle& candle, const Candle& before) {
  return All(candle.open() >= before.bottom() - before.near(),
             candle.open() <= before.top() + before.near());
}

double ThreeLineStrike(const Candle& d) {
  const Candle a = d.Before(3);
  const Candle b = d.Before(2);
  const Candle c = d.Before(1);
  const bool up =
      All(c.close() > b.close(), b.close() > a.close(), d.open() > c.close(), d.close() < a.open());
  const bool down =
      All(c.close() < b.close(), b.close() < a.close(), d.open() < c.close(), d.close() > a.open());
  return When(All(a.SameColor(b), b.SameColor(c), !d.SameColor(c), OpensNear(b, a), OpensNear(c, b),
                  c.white() ? up : down),
              100 * c.color());
}

double ConcealingBabySwallow(const Candle& d) {
  const Candle a = d.Before(3);
  const Candle b = d.Before(2);
  const Candle c = d.Before(1);
  return When(All(a.black(), b.black(), c.black(), d.black(), a.NoLower(), a.NoUpper(), b.NoLower(),
                  b.NoUpper(), c.BodyBelow(b), c.HasUpper(), c.high() > b.close(),
                  d.high() > c.high(), d.low() < c.low()),
              100);
}

double Breakaway(const Candle& e) {
  const Candle a = e.Before(4);
  const Candle b = e.Before(3);
  const Candle c = e.Before(2);
  const Candle d = e.Before(1);
  const bool down = All(b.BodyBelow(a), c.high() < b.high(), c.low() < b.low(), d.high() < c.high(),
                        d.low() < c.low(), e.close() > b.open(), e.close() < a.close());
  const bool up = All(b.BodyAbove(a), c.high() > b.high(), c.low() > b.low(), d.high() > c.high(),
                      d.low() > c.low(), e.close() < b.open(), e.close() > a.close());
  return When(All(a.Long(), a.SameColor(b), b.SameColor(d), !d.SameColor(e), a.white() ? up : down),
              100 * e.color());
}

double LadderBottom(const Candle& e) {
  const Candle a = e.Before(4);
  const Candle b = e.Before(3);
  const Candle c = e.Before(2);
  const Candle d = e.Before(1);
  return When(All(a.black(), b.black(), c.black(), a.open() > b.open(), b.open() > c.open(),
                  a.close() > b.close(), b.close() > c.close(), d.black(), d.HasUpper(), e.white(),
                  e.open() > d.open(), e.close() > d.high()),
              100);
}

double MatHold(const Candle& e, double penetration) {
  const Candle a = e.Before(4);
  const Candle b = e.Before(3);
  const Candle c = e.Before(2);
  const Candle d = e.Before(1);
  const double floor = a.close() - a.body() * penetration;
  const bool rest = All(b.Short(), c.Short(), d.Short(), b.black(), b.BodyAbove(a),
                        c.bottom() < a.close(), d.bottom() < a.close(), c.bottom() > floor,
                        d.bottom() > floor, c.top() < b.open(), d.top() < c.top());
  const double highest = std::max(std::max(b.high(), c.high()), d.high());
  return When(All(a.Long(), a.white(), rest, e.white(), e.open() > d.close(), e.close() > highest),
              100);
}

bool MeetsRange(const Candle& candle, const Candle& of) {
  return All(candle.bottom() < of.high(), candle.top() > of.low());
}

double RisingFallingThreeMethods(const Candle& e) {
  const Candle a = e.Before(4);
  const Candle b = e.Before(3);
  const Candle c = e.Before(2);
  const Candle d = e.Before(1);
  const double sign = a.color();
  const bool rest = All(b.Short(), c.Short(), d.Short(), !b.SameColor(a), c.SameColor(b),
                        d.SameColor(c), MeetsRange(b, a), MeetsRange(c, a), MeetsRange(d, a),
                        c.close() * sign < b.close() * sign, d.close() * sign < c.close() * sign);
  return When(All(a.Long(), rest, e.Long(), !e.SameColor(d), e.open() * sign > d.close() * sign,
                  e.close() * sign > a.close() * sign),
              100 * sign);
}

bool InsideBar(const Candle& candle, const Candle& before) {
  return All(candle.high() < before.high(), candle.low() > before.low());
}
bool LowerBar(const Candle& candle, const Candle& before) {
  return All(candle.high() < before.high(), candle.low() < before.low());
}
bool HigherBar(const Candle& candle, const Candle& before) {
  return All(candle.high() > before.high(), candle.low() > before.low());
}

double TrapAt(const Candle& c) {
  const Candle b = c.Before(1);
  const bool inside = InsideBar(b, c.Before(2));
  return When(All(inside, LowerBar(c, b)), 100) + When(All(inside, HigherBar(c, b)), -100);
}

double ModifiedTrapAt(const Candle& d) {
  const Candle b = d.Before(2);
  const Candle c = d.Before(1);
  const bool inside = All(InsideBar(b, d.Before(3)), InsideBar(c, b));
  const bool up = All(inside, LowerBar(d, c), b.close() <= b.low() + b.near());
  const bool down = All(inside, HigherBar(d, c), b.close() >= b.high() - b.near());
  return When(up, 100) + When(down, -100);
}

// Whether `candle` closes beyond the bar before the trap that gave `value`.
bool Confirms(const Candle& candle, const Candle& trap, double value) {
  const Candle inner = trap.Before(1);
  return Any(All(value > 0, candle.close() > inner.high()),
             All(value < 0, candle.close() < inner.low()));
}

// The trap's value where it stands; twice that at the first close, at most three candles later and
// before another trap, that confirms it.
template <double (*kTrap)(const Candle&)>
double Confirmed(const Candle& last) {
  const double now = kTrap(last);
  if (now != 0) return now;
  for (std::ptrdiff_t age = 1; age <= 3; ++age) {
    const Candle trap = last.Before(age);
    const double value = kTrap(trap);
    if (value == 0) continue;
    for (std::ptrdiff_t since = 1; since < age; ++since) {
      if (Confirms(last.Before(since), trap, value)) return 0;
    }
    return Confirms(last, trap, value) ? 2 * value : 0;
  }
  return 0;
}

double Hikkake(const Candle& last) { return Confirmed<TrapAt>(last); }
double ModifiedHikkake(const Candle& last) { return Confirmed<ModifiedTrapAt>(last); }

}  // namespace

std::vector<Family> LongerPatterns() {
  constexpr char kTrap[] = "-200, -100, 0, 100, 200";
  const std::string confirmed =
      "; 200: the first close beyond the bar before the last, at most 3 candles later";
  return {
      PatternFamily<ThreeBlackCrows, 13>(
          "three_black_crows",
          "1 white; 2, 3, 4 black without lower shadows, each closing lower and the last two "
          "opening within the body before; 2 closes below the high of 1",
          kDown, "CDL3BLACKCROWS"),
      PatternFamily<ThreeLineStrike, 8>(
          "three_line_strike",
          "1, 2, 3 of one colour, each closing further and opening within the body before +- near; "
          "4 of the other colour, opens beyond the close of 3, closes beyond the open of 1; sign "
          "of 3",
          kColor, "CDL3LINESTRIKE"),
      PatternFamily<ConcealingBabySwallow, 13>(
          "concealing_baby_swallow",
          "four black; 1 and 2 without shadows; 3 body gap down, upper shadow into the body of 2; "
          "4 covers the range of 3",
          kUp, "CDLCONCEALBABYSWALL"),
      PatternFamily<Breakaway, 14>(
          "breakaway",
          "1 long; 2 of its colour, body gap its way; 3 and 4 with highs and lows further that "
          "way, "
          "4 of the same colour; 5 of the other, closes within the gap; sign of 5",
          kColor, "CDLBREAKAWAY"),
      PatternFamily<LadderBottom, 14>(
          "ladder_bottom",
          "1, 2, 3 black with lower opens and closes; 4 black with an upper shadow; 5 white, opens "
          "above the open of 4, closes above its high",
          kUp, "CDLLADDERBOTTOM"),
      PatternFamily<MatHold, 14>(
          "mat_hold",
          "1 long white; 2 short black, body gap up; 3 and 4 short, falling, reaching into the "
          "body "
          "of 1 by less than penetration %; 5 white, opens above the close of 4, closes above the "
          "highs of 2 to 4",
          kUp, "CDLMATHOLD (its default: 50)"),
      PatternFamily<RisingFallingThreeMethods, 14>(
          "rising_falling_three_methods",
          "1 long; 2, 3, 4 short, of the other colour, within the range of 1, closes going back; 5 "
          "long, colour of 1, opens beyond the close of 4, closes beyond that of 1; sign of 1",
          kColor, "CDLRISEFALL3METHODS"),
      PatternFamily<Hikkake, 5>(
          "hikkake",
          "2 an inside bar; 3 with lower high and low: 100, with higher ones: "
          "-100" +
              confirmed,
          kTrap, "CDLHIKKAKE"),
      PatternFamily<ModifiedHikkake, 10>(
          "modified_hikkake",
          "2 and 3 inside bars; 4 with lower high and low and 2 closing near its low: 100, with "
          "higher ones and 2 closing near its high: -100" +
              confirmed,
          kTrap, "CDLHIKKAKEMOD"),
  };
}

}  // namespace almanac::candlestick
