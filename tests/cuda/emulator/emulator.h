// What the parts of the emulated GPU share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace emulator {

enum Result { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901 };

// Runs work, or while a graph is captured keeps it for the graph.
int submit(std::function<int()> work);

// Whether `bytes` from `address` on are device memory. Says so where they are not.
bool is_device(uint64_t address, size_t bytes, const char *what);

// Counts something for the log.
void count(const std::string &what, long by = 1);

}  // namespace emulator
