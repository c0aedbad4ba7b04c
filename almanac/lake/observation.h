// Observations: the uniform long format that makes a new input usable the moment it is collected.
// One Hive partition for each (feature, time_frame, symbol), one Parquet file a year in it
// (docs/lake.md). What was known is never overwritten: a restatement, the same timestamp with a
// later updated_timestamp, stands beside the value that it replaces.
#ifndef ALMANAC_LAKE_OBSERVATION_H_
#define ALMANAC_LAKE_OBSERVATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/time.h"
#include "almanac/lake/candle_store.h"

namespace almanac {

struct Observation {
  TimeMs timestamp = 0;  // what instant the value is about
  double value = 0;
  std::string type;              // "float", "bool", "category"
  TimeMs updated_timestamp = 0;  // the instant from which the value was known
  std::string symbol;
  std::string feature;     // such as "surprise"
  std::string time_frame;  // a timeframe's name, or "event"
  // `date`, the UTC day of `timestamp`, is derived when it is stored.
  friend bool operator==(const Observation&, const Observation&) = default;
};

class ObservationStore {
 public:
  explicit ObservationStore(const Home& home);
  // In another store than the folder home.lake(); the locks and temporary files stay at home.
  ObservationStore(const Home& home, std::shared_ptr<ObjectStore> objects);
  ~ObservationStore();
  ObservationStore(ObservationStore&&) noexcept;

  // By (feature, time_frame, symbol, timestamp, updated_timestamp): a value that is restated later
  // stands beside what was known before. Idempotent, and atomic for each partition. Of equal keys
  // in `observations` the last wins. Throws Error(kBadData), before anything is written, for values
  // that are not finite and unknown types, Error(kUsage) for names that cannot name a partition.
  UpsertStats Upsert(const std::vector<Observation>& observations);
  // Of one partition, from <= timestamp < to, what was known at `as_of`: for each timestamp the
  // value with the latest updated_timestamp <= as_of. Sorted by timestamp; empty if there are none.
  std::vector<Observation> Read(const std::string& feature, const std::string& time_frame,
                                const std::string& symbol, TimeMs from = kMinTime,
                                TimeMs to = kMaxTime, TimeMs as_of = kMaxTime) const;
  // The same with every version of every value, sorted by timestamp, then updated_timestamp.
  std::vector<Observation> ReadVersions(const std::string& feature, const std::string& time_frame,
                                        const std::string& symbol, TimeMs from = kMinTime,
                                        TimeMs to = kMaxTime) const;
  struct Partition {
    std::string feature, time_frame, symbol;
    int64_t rows = 0;
    TimeMs from = 0, to = 0;
  };
  // Sorted by feature, time_frame, symbol; `rows` counts every version.
  std::vector<Partition> List() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_OBSERVATION_H_
