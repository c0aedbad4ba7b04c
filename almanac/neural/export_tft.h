// The Temporal Fusion Transformer in the operators of an exported graph.
#ifndef ALMANAC_NEURAL_EXPORT_TFT_H_
#define ALMANAC_NEURAL_EXPORT_TFT_H_

#include "almanac/neural/export_graph.h"

namespace almanac::neural {

// `windows`: scaled. The result is scaled too.
GraphWriter::Value DescribeTft(const ExportSource& source, const GraphWriter::Value& windows,
                               GraphWriter& graph);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_EXPORT_TFT_H_
