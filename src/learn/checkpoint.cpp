#include "shoal/learn/checkpoint.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/serialize/archive.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "shoal/core/error.hpp"

namespace shoal {

namespace {

constexpr std::int64_t version = 1;

void write_file(std::string const& path, std::string const& bytes) {
  auto const fail = [&] { throw Error(fmt::format("{}: cannot write: {}", path, std::strerror(errno))); };
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
  if (!file) fail();
  bool const written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
                       std::fflush(file.get()) == 0 && fsync(fileno(file.get())) == 0;
  if (!written) {
    int const error = errno;
    std::remove(path.c_str());
    errno = error;
    fail();
  }
}

}  // namespace

void write_checkpoint(std::string const& path, Checkpoint const& checkpoint) {
  torch::serialize::OutputArchive archive;
  archive.write("version", c10::IValue(version));
  c10::Dict<std::string, at::Tensor> tensors;
  for (auto const& [name, tensor] : checkpoint.tensors) tensors.insert(name, tensor.detach().cpu().contiguous());
  c10::Dict<std::string, std::string> texts;
  for (auto const& [name, text] : checkpoint.texts) texts.insert(name, text);
  archive.write("tensors", c10::IValue(tensors));
  archive.write("texts", c10::IValue(texts));
  std::string bytes;
  archive.save_to([&](void const* data, std::size_t size) {
    bytes.append(static_cast<char const*>(data), size);
    return size;
  });
  auto const aside = path + ".partial";
  write_file(aside, bytes);
  std::error_code error;
  std::filesystem::rename(aside, path, error);
  if (!error) return;
  std::remove(aside.c_str());
  throw Error(fmt::format("{}: cannot write: {}", path, error.message()));
}

Checkpoint read_checkpoint(std::string const& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) throw InputError(fmt::format("{}: no such checkpoint", path));
  Checkpoint checkpoint;
  std::int64_t found = 0;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path, at::Device(at::kCPU));
    c10::IValue value;
    archive.read("version", value);
    found = value.toInt();
    if (found == version) {
      archive.read("tensors", value);
      for (auto const& entry : value.toGenericDict())
        checkpoint.tensors[entry.key().toStringRef()] = entry.value().toTensor();
      archive.read("texts", value);
      for (auto const& entry : value.toGenericDict())
        checkpoint.texts[entry.key().toStringRef()] = entry.value().toStringRef();
    }
  } catch (std::exception const&) {  // LibTorch throws several kinds
    throw BrokenCheckpoint(fmt::format("{}: not a whole checkpoint: cut short, or not written by shoal", path));
  }
  if (found != version)
    throw InputError(fmt::format("{}: checkpoint of version {}, expected {}", path, found, version));
  return checkpoint;
}

}  // namespace shoal
