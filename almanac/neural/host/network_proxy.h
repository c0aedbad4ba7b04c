// Networks among the forecasters that recipes can name: reads their options without LibTorch, and
// opens the module when one is fitted or loaded.
#ifndef ALMANAC_NEURAL_HOST_NETWORK_PROXY_H_
#define ALMANAC_NEURAL_HOST_NETWORK_PROXY_H_

#include "almanac/forecast/forecaster.h"

namespace almanac {

// gru_attention, lstm, dnn, cdnn, clstm, tft and pretrained. Making one throws Error(kFailed) where
// the program was built without LibTorch, Error(kUsage) for options out of range.
void AddNetworkKinds(ForecasterKinds& kinds);

}  // namespace almanac

#endif  // ALMANAC_NEURAL_HOST_NETWORK_PROXY_H_
