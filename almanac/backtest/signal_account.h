// One account of a signal strategy walking through bars: the state machine that docs/backtest.md
// describes under "what happens on a bar". Bars on which nothing can happen are passed over by
// their extremes, a block at a time; the result is the same as looking at each. Inside this room.
#ifndef ALMANAC_BACKTEST_SIGNAL_ACCOUNT_H_
#define ALMANAC_BACKTEST_SIGNAL_ACCOUNT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "almanac/backtest/execution_bars.h"
#include "almanac/backtest/open_trade.h"
#include "almanac/backtest/signal_strategy.h"
#include "almanac/backtest/signal_totals.h"
#include "almanac/backtest/simulator.h"

namespace almanac {

// Notional traded, by day (UTC): what fee tiers go by.
using TradedDays = std::vector<std::pair<int64_t, double>>;

class SignalAccount {
 public:
  // Borrows all of them. `equity` receives the account value at each of bars.marks. With `record`
  // its trades, weight and traded are written, too; the latter two have a place for each mark.
  SignalAccount(const ExecutionBars& bars, const SignalTable& table, const SignalConfig& config,
                double* equity, Simulation* record = nullptr);

  // Walks the bars before `end`; each bar once, in order.
  void Advance(size_t end);
  const SignalTotals& totals() const { return totals_; }
  std::optional<TimeMs> ruined_at() const { return ruined_at_; }

  // One position of a portfolio (signal_portfolio.h), which shares the cash of the others. What
  // they mean for this one; alone: nothing.
  struct Others {
    double value = 0;     // of their positions, signed, at the prices of the moment
    double required = 0;  // their maintenance margin
    // This long's part of the cash that the account has borrowed; below 0: its own cash says it.
    double borrowed = -1;
    double room = std::numeric_limits<double>::infinity();  // that its own value may take
    bool may_enter = true;
    TradedDays* traded_days = nullptr;  // of the whole portfolio
  };
  // Before each of the three steps of a bar, which are taken in their order.
  void Join(double cash, const Others& others, size_t mark);
  void OpenBar(size_t bar);
  void DecideBar(size_t bar);
  void InsideBar(size_t bar);
  // Nothing is held, waited for or decided at `bar`: its steps would do nothing.
  bool IsIdle(size_t bar) const;
  // |signal| of the decision that `bar` executes; below 0 where there is none.
  double StrengthAt(size_t bar) const;
  // The least favourable price that a position is held at inside `bar`.
  double WorstPrice(size_t bar) const;
  double units() const { return units_; }
  double cash() const { return cash_; }
  // Units that entries still wait for, and what they may cost at `price` (of a limit: its own).
  double ReservedValue(double price) const;
  // What is held is closed whole at the close of `bar`; entries are given up.
  void CloseAt(size_t bar, TimeMs time, ExitReason reason);
  // Decisions that no bar executed.
  void CountMissed();
  void ForgetRuin() { ruined_at_.reset(); }
  // The notional traded since the last call.
  double TakeTraded() { return std::exchange(traded_since_mark_, 0); }

 private:
  enum class Pays { kTaker, kMaker };
  bool held() const { return units_ != 0; }
  TradedDays& Days() { return others_.traded_days ? *others_.traded_days : traded_days_; }
  const TradedDays& Days() const {
    return others_.traded_days ? *others_.traded_days : traded_days_;
  }
  // The equity without this position.
  double Funds() const { return cash_ + others_.value; }
  bool is_long() const { return units_ > 0; }
  size_t NextOpenEvent();
  bool ChangesNothing(size_t row) const;
  void PassDecisions(size_t bar);
  size_t FirstLoud(size_t from, size_t to);
  size_t FirstLoudTrailing(size_t from, size_t to);
  void Step(size_t bar);
  void Charge(size_t bar);
  void ProtectAtOpen(size_t bar);
  void GoOnExiting(size_t bar);
  void Decide(size_t bar);
  void Follow(size_t bar, double weight);
  void LimitAtOpen(size_t bar);
  void Inside(size_t bar);
  void Walk(size_t bar, double from, double to);
  void Mark(size_t bar);
  void MarkQuiet(size_t end);
  template <typename BarOf>
  void MarkEach(size_t first, const BarOf& bar_of);
  void CloseAtEnd(size_t bar);

  void TryToEnter(size_t bar, double weight);
  // The next thing that the price meets between `from` and `to`, and where.
  enum class Meets { kNothing, kLiquidation, kStop, kTake, kLimit };
  struct Meeting {
    Meets what = Meets::kNothing;
    double price = 0;
  };
  Meeting NextMeeting(double from, double to) const;
  bool Reaches(double level, double to, bool down, bool limit) const;
  double Rate(size_t bar, Pays pays, double units) const;
  double RateWithoutImpact(size_t bar, Pays pays) const;
  const FeeTier& Tier(TimeMs time) const;
  void Enter(size_t bar, double weight);
  void PlaceLimit(size_t bar, double weight);
  void Resize(size_t bar, double weight);
  bool BigEnough(double units, double price);
  void FillEntryAtOpen(size_t bar);
  void FillLimit(size_t bar, double price, Pays pays, TimeMs time);
  void Exit(size_t bar, double price, Pays pays, TimeMs time, ExitReason reason);
  void Fill(size_t bar, double change, double price, Pays pays, TimeMs time);
  void BeginTrade(size_t bar, double change, double price, TimeMs time);
  void FinishTrade(TimeMs time);
  void Liquidate(size_t bar, double price, TimeMs time);
  void FindLevels();
  double TrailingLevel(double best) const;

  const ExecutionBars& bars_;
  const SignalExecution& how_;
  const SignalTable& table_;
  const SignalConfig& config_;
  const double *signal_, *size_;  // the columns that the rule reads
  double* equity_;
  Simulation* record_;

  size_t bar_ = 0;   // the next one
  size_t mark_ = 0;  // the next one, index into bars_.marks
  size_t row_ = 0;   // the next decision
  // The next decision that changes anything while nothing else does, kUnknown
  // where it has to be found. Those before it are taken when their bars are passed.
  static constexpr size_t kUnknown = static_cast<size_t>(-1);
  size_t ahead_ = kUnknown;
  size_t charge_ = 0;
  double cash_;
  Others others_;
  double units_ = 0;
  double entry_left_ = 0;  // of a market entry, signed
  bool exiting_ = false;   // an exit goes on at the next open
  double limit_left_ = 0;  // of a limit entry, signed
  double limit_price_ = 0;
  size_t limit_last_ = 0;  // the last bar of its validity
  size_t limit_placed_ = 0;
  size_t timeout_bar_ = 0;
  TimeMs quiet_until_ = kMinTime;  // cool-down: no entry before
  int blocked_side_ = 0;
  double best_ = 0;
  double fixed_stop_ = 0;
  double stop_ = 0, take_ = 0, liquidation_ = 0;  // prices; 0 where there is none
  double budget_ = 0;                             // units that this bar may still fill
  OpenTrade open_;
  ExitReason reason_ = ExitReason::kDecision;
  SignalTotals totals_;
  double traded_since_mark_ = 0;
  TradedDays traded_days_;
  std::optional<TimeMs> ruined_at_;
};

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_ACCOUNT_H_
