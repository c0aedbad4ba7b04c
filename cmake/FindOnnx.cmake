# Finds ONNX's protobuf messages and its checker (Debian: libonnx-dev, libprotobuf-dev). Defines
# Onnx::proto and Onnx::onnx; sources that include their headers need Onnx_DEFINITIONS.
find_path(Onnx_INCLUDE_DIR onnx/onnx_pb.h)
find_library(Onnx_PROTO_LIBRARY NAMES onnx_proto)
find_library(Onnx_LIBRARY NAMES onnx)
find_library(Onnx_PROTOBUF_LIBRARY NAMES protobuf)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Onnx REQUIRED_VARS Onnx_PROTO_LIBRARY Onnx_LIBRARY
                                  Onnx_PROTOBUF_LIBRARY Onnx_INCLUDE_DIR)
if(Onnx_FOUND AND NOT TARGET Onnx::proto)
  add_library(Onnx::proto UNKNOWN IMPORTED)
  set_target_properties(Onnx::proto PROPERTIES IMPORTED_LOCATION "${Onnx_PROTO_LIBRARY}"
                        INTERFACE_INCLUDE_DIRECTORIES "${Onnx_INCLUDE_DIR}"
                        INTERFACE_LINK_LIBRARIES "${Onnx_PROTOBUF_LIBRARY}")
  add_library(Onnx::onnx UNKNOWN IMPORTED)
  set_target_properties(Onnx::onnx PROPERTIES IMPORTED_LOCATION "${Onnx_LIBRARY}"
                        INTERFACE_LINK_LIBRARIES Onnx::proto)
endif()
set(Onnx_DEFINITIONS ONNX_NAMESPACE=onnx ONNX_ML=1)
mark_as_advanced(Onnx_INCLUDE_DIR Onnx_PROTO_LIBRARY Onnx_LIBRARY Onnx_PROTOBUF_LIBRARY)
