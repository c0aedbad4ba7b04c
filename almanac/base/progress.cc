#include "almanac/base/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "almanac/base/console.h"
#include "almanac/base/text.h"
#include "almanac/base/time.h"

namespace almanac {
namespace {

class Silent : public Progress {
 public:
  void Begin(std::string_view, int64_t) override {}
  void Advance(int64_t) override {}
  void Note(std::string_view) override {}
  void End(std::string_view) override {}
};

// "12ms", "1.2s", "4m 10s".
std::string FormatElapsed(DurationMs elapsed) {
  constexpr DurationMs kShowMillisecondsBelow = 100;
  if (elapsed < kShowMillisecondsBelow) return fmt::format("{}ms", elapsed);
  if (elapsed < kMsPerMinute) return fmt::format("{:.1f}s", static_cast<double>(elapsed) / 1000.0);
  return FormatDuration(elapsed / kMsPerSecond * kMsPerSecond);
}

// Two spaces between the parts that are there.
std::string Columns(const std::vector<std::string>& parts) {
  std::vector<std::string> present;
  std::copy_if(parts.begin(), parts.end(), std::back_inserter(present),
               [](const std::string& part) { return !part.empty(); });
  return Join(present, "  ");
}

class Console : public Progress {
 public:
  explicit Console(ProgressOutput output) : output_(std::move(output)) {}

  ~Console() override {
    if (drawn_) output_.show_status("");
  }

  void Begin(std::string_view step, int64_t total) override {
    const std::lock_guard<std::mutex> hold(mutex_);
    EndLocked("");
    step_ = step;
    note_.clear();
    total_ = total;
    done_ = 0;
    begun_at_ = output_.now_ms();
    next_note_ = begun_at_ + kNoteEvery;
    running_ = true;
    if (output_.bar) Draw(begun_at_);
  }

  void Advance(int64_t units) override {
    done_ += units;
    RedrawIfDue();
  }

  void Note(std::string_view text) override {
    {
      const std::lock_guard<std::mutex> hold(mutex_);
      note_ = text;
      if (!output_.bar) SayNoteLocked();
    }
    RedrawIfDue();
  }

  void End(std::string_view result) override {
    const std::lock_guard<std::mutex> hold(mutex_);
    EndLocked(result);
  }

 private:
  static constexpr int64_t kRedrawEvery = 100;   // milliseconds
  static constexpr int64_t kNoteEvery = 10'000;  // where nothing is drawn

  // A step that takes minutes would be silent in the log of a timer or a build.
  void SayNoteLocked() {
    const int64_t now = output_.now_ms();
    if (!running_ || now < next_note_) return;
    next_note_ = now + kNoteEvery;
    output_.print_line(Columns({step_, note_, FormatElapsed(now - begun_at_)}));
  }

  void EndLocked(std::string_view result) {
    if (!running_) return;
    running_ = false;
    next_draw_ = std::numeric_limits<int64_t>::max();
    if (drawn_) output_.show_status("");
    drawn_ = false;
    output_.print_line(
        Columns({step_, std::string(result), FormatElapsed(output_.now_ms() - begun_at_)}));
  }

  void RedrawIfDue() {
    if (!output_.bar) return;
    const int64_t now = output_.now_ms();
    if (now < next_draw_) return;
    // Another thread is drawing: it shows these units, or the next redraw does.
    const std::unique_lock<std::mutex> hold(mutex_, std::try_to_lock);
    if (hold.owns_lock() && running_ && now >= next_draw_) Draw(now);
  }

  void Draw(int64_t now) {
    next_draw_ = now + kRedrawEvery;
    drawn_ = true;
    std::string line = Line(now - begun_at_);
    // The last column stays free: a full line would make some terminals scroll.
    const auto limit = static_cast<size_t>(std::max(output_.width() - 1, 0));
    if (line.size() > limit) line.resize(limit);
    output_.show_status(line);
  }

  std::string Line(int64_t elapsed) const {
    const int64_t done = done_;
    const double per_second =
        elapsed > 0 ? 1000.0 * static_cast<double>(done) / static_cast<double>(elapsed) : 0.0;
    std::string rate;
    if (per_second > 0.0) {
      rate = per_second < 10.0 ? fmt::format("{:.1f}/s", per_second)
                               : FormatCount(static_cast<int64_t>(per_second)) + "/s";
    }
    if (total_ <= 0) {
      return Columns(
          {step_, done > 0 ? FormatCount(done) : "", rate, FormatElapsed(elapsed), note_});
    }
    const double part =
        std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0);
    std::string left;
    if (per_second > 0.0 && done < total_) {
      const double seconds = static_cast<double>(total_ - done) / per_second;
      // Past a month the guess says nothing.
      constexpr double kLongestGuess = 30.0 * 86400.0;
      if (seconds < kLongestGuess) {
        left = FormatDuration(std::llround(seconds) * kMsPerSecond) + " left";
      }
    }
    return Columns({step_, Bar(part), fmt::format("{:3}%", static_cast<int>(100.0 * part)),
                    FormatCount(done) + "/" + FormatCount(total_), rate, left, note_});
  }

  static std::string Bar(double part) {
    constexpr size_t kCells = 24;
    const auto full = static_cast<size_t>(part * kCells);
    return "[" + std::string(full, '#') + std::string(kCells - full, '.') + "]";
  }

  ProgressOutput output_;
  std::atomic<int64_t> done_{0};
  std::atomic<int64_t> next_draw_{std::numeric_limits<int64_t>::max()};
  std::mutex mutex_;  // guards what follows
  std::string step_, note_;
  int64_t total_ = 0;
  int64_t begun_at_ = 0;
  int64_t next_note_ = 0;  // when a note is worth a line
  bool running_ = false;
  bool drawn_ = false;
};

}  // namespace

Progress& NoProgress() {
  static Silent silent;
  return silent;
}

std::unique_ptr<Progress> MakeProgress(ProgressOutput output) {
  return std::make_unique<Console>(std::move(output));
}

std::unique_ptr<Progress> MakeConsoleProgress(bool quiet) {
  if (quiet) return std::make_unique<Silent>();
  ProgressOutput output;
  output.bar = StderrIsTerminal();
  output.print_line = &PrintErrorLine;
  output.show_status = &ShowStatusLine;
  output.width = &TerminalWidth;
  output.now_ms = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  };
  return MakeProgress(std::move(output));
}

}  // namespace almanac
