#include "src/python/array.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "shoal/core/error.hpp"
#include "shoal/core/text.hpp"

namespace shoal::python {

namespace {

constexpr int cpu_type = nb::device::cpu::value, cuda_type = nb::device::cuda::value;
constexpr std::size_t alignment = 64;

std::string dtype_text(nb::dlpack::dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  if (dtype == nb::dtype<bool>()) return "bool";
  auto const name = [&] {
    switch (Code(dtype.code)) {
      case Code::Int: return "int";
      case Code::UInt: return "uint";
      case Code::Float: return "float";
      case Code::Bfloat: return "bfloat";
      case Code::Complex: return "complex";
      default: return "type of DLPack, ";
    }
  }();
  return fmt::format("{}{}", name, dtype.bits);
}

std::string device_text(int type, int index) {
  if (type == cpu_type) return "cpu";
  if (type == cuda_type) return fmt::format("cuda:{}", index);
  return fmt::format("device {} of DLPack", type);
}

std::string place_text(Place const& place) {
  return place.on_cuda() ? device_text(cuda_type, place.cuda_index) : "cpu";
}

std::string type_text(nb::handle object) { return printable(nb::type_name(object.type()).c_str(), 80); }

[[noreturn]] void no_array(std::string const& label, nb::handle object) {
  throw InputError(fmt::format("{}: of type {}, expected an array that DLPack or the buffer protocol lends", label,
                               type_text(object)));
}

/// What the library that owns a CUDA array lends for work on the stream.
nb::object cuda_capsule(std::string const& label, nb::handle object, Place const& place, std::int64_t stream) {
  if (!nb::hasattr(object, "__dlpack__") || !nb::hasattr(object, "__dlpack_device__")) no_array(label, object);
  auto const device = nb::cast<std::pair<int, int>>(object.attr("__dlpack_device__")());
  if (device != std::pair(cuda_type, place.cuda_index))
    throw InputError(
        fmt::format("{}: on {}, expected {}", label, device_text(device.first, device.second), place_text(place)));
  try {
    return object.attr("__dlpack__")(nb::arg("stream") = stream, nb::arg("max_version") = nb::make_tuple(1, 0));
  } catch (nb::python_error& error) {
    if (!error.matches(PyExc_TypeError)) throw;
    return object.attr("__dlpack__")(nb::arg("stream") = stream);  // a library from before DLPack 1.0
  }
}

nb::ndarray<nb::ro> lend(std::string const& label, nb::handle object, bool writable) {
  nb::ndarray<nb::ro> read;
  if (!writable) {
    if (!nb::try_cast(object, read, false)) no_array(label, object);
    return read;
  }
  nb::ndarray<> written;
  if (nb::try_cast(object, written, false)) return nb::ndarray<nb::ro>(written);
  if (!nb::try_cast(object, read, false)) no_array(label, object);
  throw InputError(fmt::format("{}: a read-only array, expected one that can be written", label));
}

void free_aligned(void* p) { ::operator delete(p, std::align_val_t(alignment)); }

}  // namespace

std::shared_ptr<void> allocate(Place const& place, std::size_t bytes) {
  cuda::DeviceGuard const guard(place.cuda_index);
  if (place.on_cuda()) return cuda::allocate(bytes);
  std::shared_ptr<void> memory(::operator new(std::max(bytes, alignment), std::align_val_t(alignment)), free_aligned);
  std::memset(memory.get(), 0, bytes);
  return memory;
}

Array::Array(void* data, nb::dlpack::dtype dtype, std::vector<std::size_t> shape, std::shared_ptr<void> owner,
             std::shared_ptr<Place> place)
    : data_(data), dtype_(dtype), shape_(std::move(shape)), owner_(std::move(owner)), place_(std::move(place)) {}

std::string Array::dtype() const { return dtype_text(dtype_); }
std::string Array::device() const { return place_text(*place_); }

std::size_t Array::bytes() const {
  std::size_t n = dtype_.bits / 8;
  for (auto const extent : shape_) n *= extent;
  return n;
}

template <class... Kind>
nb::ndarray<Kind...> Array::view_of(void* data, nb::handle owner, int device_type, int device_id) const {
  return {data, shape_.size(), shape_.data(), owner, nullptr, dtype_, device_type, device_id, 'C'};
}

namespace {
nb::capsule keeper(std::shared_ptr<void> const& owner) {
  return {new std::shared_ptr<void>(owner), [](void* p) noexcept { delete static_cast<std::shared_ptr<void>*>(p); }};
}
}  // namespace

nb::object Array::numpy() const {
  auto owner = owner_;
  void* data = data_;
  if (place_->on_cuda()) {
    owner = allocate({}, bytes());
    data = owner.get();
    cuda::DeviceGuard const guard(place_->cuda_index);
    cuda::copy_to_host(data, data_, bytes(), place_->stream);
  }
  return nb::cast(view_of<nb::numpy>(data, keeper(owner), cpu_type, 0));
}

nb::object Array::dlpack(std::optional<std::int64_t> stream, nb::kwargs const& others) const {
  if (place_->on_cuda()) {
    auto const request = parse_stream(stream);
    cuda::DeviceGuard const guard(place_->cuda_index);
    if (request.synchronizes) cuda::wait_for(request.handle, place_->stream);
  } else if (stream) {
    throw InputError(fmt::format("stream = {}: expected None on device \"cpu\"", *stream));
  }
  auto const [type, index] = std::pair(place_->on_cuda() ? cuda_type : cpu_type, std::max(place_->cuda_index, 0));
  return nb::cast(view_of<nb::array_api>(data_, keeper(owner_), type, index)).attr("__dlpack__")(**others);
}

nb::tuple Array::dlpack_device() const {
  return place_->on_cuda() ? nb::make_tuple(cuda_type, place_->cuda_index) : nb::make_tuple(cpu_type, 0);
}

std::string shape_text(std::vector<std::int64_t> const& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Lent borrow(std::string const& label, nb::handle object, Place const& place, std::int64_t stream,
            std::vector<nb::dlpack::dtype> const& dtypes, std::vector<std::int64_t> const& shape, bool writable,
            Borrowed& borrowed) {
  nb::object capsule;
  if (place.on_cuda()) capsule = cuda_capsule(label, object, place, stream);
  auto const array = lend(label, place.on_cuda() ? nb::handle(capsule) : object, writable);
  if (array.device_type() != (place.on_cuda() ? cuda_type : cpu_type))
    throw InputError(fmt::format("{}: on {}, expected {}", label, device_text(array.device_type(), array.device_id()),
                                 place_text(place)));
  if (std::find(dtypes.begin(), dtypes.end(), array.dtype()) == dtypes.end())
    throw InputError(
        fmt::format("{}: dtype {}, expected {}", label, dtype_text(array.dtype()), dtype_text(dtypes.front())));

  Lent lent{const_cast<void*>(array.data()), {}};
  std::vector<std::int64_t> extents;
  for (std::size_t d = 0; d < array.ndim(); ++d) {
    extents.push_back(std::int64_t(array.shape(d)));
    lent.strides.push_back(array.stride(d));
  }
  auto const given = extents;
  if (extents.size() + 1 == shape.size() && shape.back() == 1) {
    extents.push_back(1);
    lent.strides.push_back(1);
  }
  if (extents != shape)
    throw InputError(fmt::format("{}: shape {}, expected shape {}", label, shape_text(given), shape_text(shape)));
  if (reinterpret_cast<std::uintptr_t>(lent.data) % (dtypes.front().bits / 8) != 0)
    throw InputError(fmt::format("{}: memory that is not aligned to its type; expected an aligned array", label));
  borrowed.push_back(array);
  return lent;
}

}  // namespace shoal::python
