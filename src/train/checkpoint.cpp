#include "shoal/train/checkpoint.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/serialize/archive.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "shoal/core/error.hpp"
#include "shoal/core/hash.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {

namespace {

constexpr std::int64_t version = 2;

[[noreturn]] void cannot(char const* what, std::string const& path, int error) {
  throw Error(fmt::format("{}: cannot {}: {}", path, what, std::strerror(error)));
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// LibTorch's writer must not see a failure: its destructor would end the program. Errors are told afterwards.
void write_archive(std::string const& path, torch::serialize::OutputArchive& archive) {
  File file(std::fopen(path.c_str(), "wb"), std::fclose);
  if (!file) cannot("write", path, errno);
  int error = 0;
  archive.save_to([&](void const* data, std::size_t size) {
    // An empty tensor may have no memory, and fwrite takes no null.
    if (error == 0 && size > 0 && std::fwrite(data, 1, size, file.get()) != size) error = errno;
    return size;
  });
  if (error == 0 && (std::fflush(file.get()) != 0 || fsync(fileno(file.get())) != 0)) error = errno;
  if (error == 0) return;
  std::remove(path.c_str());
  cannot("write", path, error);
}

std::string read_bytes(std::string const& path) {
  File file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file && errno == ENOENT) throw InputError(fmt::format("{}: no such checkpoint", path));
  if (!file) cannot("read", path, errno);
  std::string bytes;
  for (std::vector<char> part(1 << 20);;) {
    auto const count = std::fread(part.data(), 1, part.size(), file.get());
    if (std::ferror(file.get())) cannot("read", path, errno);
    if (count == 0) return bytes;
    bytes.append(part.data(), count);
  }
}

std::string hashed(std::string const& bytes) {
  TrajectoryHash hash;
  for (std::size_t at = 0; at < bytes.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(4, bytes.size() - at));
    hash.add(word);
  }
  return fmt::format("{:016x}", hash.value());
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
  auto const aside = path + ".partial";
  write_archive(aside, archive);
  std::error_code error;
  std::filesystem::rename(aside, path, error);
  if (!error) return;
  std::remove(aside.c_str());
  throw Error(fmt::format("{}: cannot write: {}", path, error.message()));
}

Checkpoint read_checkpoint(std::string const& path) {
  auto const bytes = read_bytes(path);
  Checkpoint checkpoint{.digest = hashed(bytes)};
  std::int64_t found = 0;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(bytes.data(), bytes.size(), at::Device(at::kCPU));
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
  } catch (std::exception const& error) {  // LibTorch throws several kinds
    if (is_out_of_memory(error)) throw;
    throw BrokenCheckpoint(fmt::format("{}: not a whole checkpoint: cut short, or not written by shoal", path));
  }
  if (found != version)
    throw InputError(
        fmt::format("{}: checkpoint of version {}, expected {}; another version of shoal wrote it: go on with that "
                    "one, or train anew from the run's config.toml",
                    path, found, version));
  return checkpoint;
}

std::string checkpoint_digest(std::string const& path) { return hashed(read_bytes(path)); }

}  // namespace shoal
