// Arrays as DLPack tensors.
#include <dlpack/dlpack.h>

#include <memory>

#include "c/arrays.hpp"
#include "c/call.hpp"

namespace shoal::c {

namespace {

/// A tensor, what its pointers point to, and what keeps its memory.
struct Exported {
  DLManagedTensor tensor{};
  shoal_array array{};
  std::shared_ptr<void const> keeps;
};

void destroy(DLManagedTensor* tensor) { delete static_cast<Exported*>(tensor->manager_ctx); }

DLDataType data_type(int type) {
  auto const code = type == SHOAL_F32 ? kDLFloat : type == SHOAL_I32 ? kDLInt : kDLUInt;
  return {.code = std::uint8_t(code), .bits = std::uint8_t(type == SHOAL_U8 ? 8 : 32), .lanes = 1};
}

DLManagedTensor* to_dlpack(OpenSimulator& s, int array, int group) {
  auto exported = std::make_unique<Exported>();
  exported->array = array_in_use(s, array, group);
  exported->keeps = owner(s, array, group, exported->array.data);
  bool const on_cuda = exported->array.device == SHOAL_CUDA;
  auto& out = exported->tensor.dl_tensor;
  out.data = exported->array.data;
  out.device = {on_cuda ? kDLCUDA : kDLCPU, on_cuda ? s.cuda_device : 0};
  out.ndim = exported->array.rank;
  out.dtype = data_type(exported->array.type);
  out.shape = exported->array.shape;
  out.strides = exported->array.strides;
  exported->tensor.manager_ctx = exported.get();
  exported->tensor.deleter = destroy;
  return &exported.release()->tensor;
}

}  // namespace

}  // namespace shoal::c

using namespace shoal::c;

shoal_status shoal_to_dlpack(shoal_simulator* simulator, int32_t array, int32_t group, DLManagedTensor** tensor) {
  return guarded(__func__, [&] {
    auto& out = checked(tensor, "tensor");
    out = nullptr;
    out = to_dlpack(*Use(simulator), array, group);
  });
}
