// Which column of a file is the label, which the weight, which are left out: LightGBM's
// label_column, weight_column, ignore_column and categorical_feature.
#ifndef ALMANAC_GBDT_COLUMN_ROLES_H_
#define ALMANAC_GBDT_COLUMN_ROLES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "almanac/gbdt/number_table.h"

namespace almanac::gbdt {

// As in a configuration: "name:label", "name:a,b", or numbers. The label's number counts all
// columns from 0; the others count without the label. Empty: not given (the label is then column
// 0).
struct RoleTexts {
  std::string label, weight, ignore, categorical;
};

struct ColumnRoles {
  size_t label = 0;
  std::optional<size_t> weight;
  std::vector<size_t> features;  // columns of the table, in its order
  std::vector<int> categorical;  // places in `features`, ascending
};

// `where` is the place in errors. Throws Error(kUsage) for a column that there is not, that has two
// roles, or where no feature is left.
ColumnRoles AssignRoles(const RoleTexts& texts, const NumberTable& table, const std::string& where);

// The columns of another file with the same roles: by name if both files have a header, by place
// otherwise. Throws Error(kBadData) naming the column that it lacks.
ColumnRoles SameRoles(const ColumnRoles& roles, const NumberTable& table, const NumberTable& other);

// The columns that a model asks for: by name, if the table has a header and the model's names are
// not "Column_0", ...; otherwise by place: all columns, or if these are more than the model has,
// those that `texts` leaves. Throws Error(kBadData) naming what is missing.
std::vector<size_t> MatchFeatures(const std::vector<std::string>& features,
                                  const NumberTable& table, const RoleTexts& texts);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_COLUMN_ROLES_H_
