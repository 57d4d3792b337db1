// libcuda.so.1, emulated: device memory is host memory, and a kernel is the function of its name that a C++ compiler
// made. Everything runs at once on the calling thread, but for what a graph captures.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include "emulator.h"
#include "host.h"

#define API extern "C" __attribute__((visibility("default"))) int

namespace emulator {
namespace {

std::recursive_mutex mutex;
using Lock = std::lock_guard<std::recursive_mutex>;

struct Entry {
    std::vector<size_t> sizes;
    bool waits = false;
    const host::Entry *kernel = nullptr;
    std::string name;
};

struct Module {
    std::map<std::string, std::unique_ptr<Entry>> entries;
};

struct Graph {
    std::vector<std::function<int()>> work;
    // Memory that is allocated in it and not freed yet.
    std::map<uint64_t, size_t> open;
};

std::map<uint64_t, size_t> memory;
size_t bytes_now = 0, bytes_peak = 0;
// A thread's own: what it queues goes to a stream of its own, as candle has it.
thread_local std::shared_ptr<Graph> capturing;
std::map<std::string, long> counts;

size_t limit() {
    const char *text = getenv("DESCENT_EMULATOR_MEMORY");
    return text ? strtoull(text, nullptr, 10) : size_t(8) << 30;
}

int devices() {
    const char *text = getenv("DESCENT_EMULATOR_DEVICES");
    return text ? atoi(text) : 1;
}

int refuse(int result, const std::string &why) {
    fprintf(stderr, "emulated GPU: %s\n", why.c_str());
    count("refused");
    return result;
}

// The log is written when the program ends.
struct Log {
    ~Log() {
        const char *path = getenv("DESCENT_EMULATOR_LOG");
        FILE *file = path ? fopen(path, "w") : nullptr;
        if (!file) return;
        fprintf(file, "{\"bytes\": %zu, \"peak\": %zu", bytes_now, bytes_peak);
        for (const auto &[name, number] : counts) fprintf(file, ",\n\"%s\": %ld", name.c_str(), number);
        fprintf(file, "}\n");
        fclose(file);
    }
} log_at_end;

size_t size_of(const std::string &type) {
    if (type.find("64") != std::string::npos) return 8;
    if (type.find("32") != std::string::npos) return 4;
    return type.find("16") != std::string::npos ? 2 : 1;
}

// The size of a parameter from its line: `.param .u64 name_param_0,` or `.param .align 8 .b8 name_param_2[24],`.
size_t parameter_size(const std::string &line) {
    size_t bracket = line.find('[');
    if (bracket != std::string::npos) return strtoull(line.c_str() + bracket + 1, nullptr, 10);
    std::istringstream words(line);
    std::string word;
    words >> word >> word;
    return size_of(word);
}

// The number of this type that many bytes into an image.
template <typename T>
T field(const char *image, size_t at) {
    T number;
    memcpy(&number, image + at, sizeof number);
    return number;
}

// The PTX of a module's image: all of it, or that entry of a fat binary. A fat binary begins with a magic number, the
// size of its header at 6 and that of what follows at 8; an entry with its kind (1 is PTX), the size of its header at 4 and
// that of its data at 8, and says at 16 to how many bytes that is compressed.
std::string ptx_of(const char *image) {
    if (field<uint32_t>(image, 0) != 0xBA55ED50) return image;
    size_t at = field<uint16_t>(image, 6), end = at + field<uint64_t>(image, 8);
    while (at < end) {
        size_t data = at + field<uint32_t>(image, at + 4), size = field<uint64_t>(image, at + 8);
        if (field<uint16_t>(image, at) == 1 && field<uint32_t>(image, at + 16) == 0)
            return std::string(image + data, strnlen(image + data, size));
        at = data + size;
    }
    return "";
}

// The kernels of a module: their parameters' sizes, and whether their threads wait for each other.
Module *parse(const std::string &ptx) {
    auto module = std::make_unique<Module>();
    std::istringstream lines(ptx);
    std::string line;
    Entry *entry = nullptr;
    bool parameters = false;
    while (std::getline(lines, line)) {
        size_t at = line.find(".entry ");
        if (at != std::string::npos) {
            std::string name = line.substr(at + 7);
            name = name.substr(0, name.find_first_of("( \t"));
            auto &slot = module->entries[name];
            slot = std::make_unique<Entry>();
            entry = slot.get();
            entry->name = name;
            for (const auto &known : host::entries())
                if (name == known.name) entry->kernel = &known;
            parameters = line.find("()") == std::string::npos;
        } else if (entry && parameters && line.find(".param") != std::string::npos) {
            entry->sizes.push_back(parameter_size(line.substr(line.find(".param"))));
        } else if (line.find('{') == 0) {
            parameters = false;
        }
        bool waits = line.find("bar.") != std::string::npos || line.find("barrier") != std::string::npos ||
                     line.find("shfl") != std::string::npos || line.find("call") != std::string::npos;
        if (entry && !parameters && waits) entry->waits = true;
    }
    return module->entries.empty() ? nullptr : module.release();
}

uint64_t allocate(size_t bytes) {
    bytes = std::max<size_t>(bytes, 1);
    if (bytes_now + bytes > limit()) return 0;
    void *data = aligned_alloc(256, (bytes + 511) / 256 * 256);
    if (!data) return 0;
    // Not a number in every type: what reads it before it is written shows.
    memset(data, 0xFF, (bytes + 511) / 256 * 256);
    memory[uint64_t(data)] = bytes;
    bytes_now += bytes;
    bytes_peak = std::max(bytes_peak, bytes_now);
    count("allocations");
    return uint64_t(data);
}

int release(uint64_t address) {
    auto found = memory.find(address);
    if (found == memory.end()) return refuse(INVALID_VALUE, "what is freed was not allocated, or is freed twice");
    memset((void *)address, 0xFF, found->second);
    bytes_now -= found->second;
    memory.erase(found);
    free((void *)address);
    count("frees");
    return SUCCESS;
}

int synchronize(const char *how) {
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, std::string(how) + " while a graph is captured");
    count("waits");
    count(how);
    return SUCCESS;
}

int copy(uint64_t to, uint64_t from, size_t bytes, const char *kind) {
    count(kind);
    count(std::string(kind) + " bytes", long(bytes));
    return submit([=] {
        memmove((void *)to, (void *)from, bytes);
        return int(SUCCESS);
    });
}

}  // namespace

int submit(std::function<int()> work) {
    Lock lock(mutex);
    if (!capturing) return work();
    capturing->work.push_back(std::move(work));
    return SUCCESS;
}

bool is_device(uint64_t address, size_t bytes, const char *what) {
    Lock lock(mutex);
    auto after = memory.upper_bound(address);
    if (after != memory.begin()) {
        auto [start, size] = *std::prev(after);
        if (address + bytes <= start + size) return true;
    }
    refuse(ILLEGAL_ADDRESS, std::string(what) + ": not the device's memory, or beyond an allocation's end");
    return false;
}

void count(const std::string &what, long by) {
    Lock lock(mutex);
    counts[what] += by;
}

}  // namespace emulator

using namespace emulator;

API cuInit(unsigned) { return devices() > 0 ? SUCCESS : NO_DEVICE; }
API cuDriverGetVersion(int *version) { return *version = 13000, SUCCESS; }
API cuDeviceGetCount(int *number) { return *number = devices(), SUCCESS; }
API cuDeviceGet(int *device, int ordinal) {
    if (ordinal < 0 || ordinal >= devices()) return INVALID_DEVICE;
    return *device = ordinal, SUCCESS;
}
API cuDeviceGetName(char *name, int length, int device) { return snprintf(name, length, "Emulated GPU %d", device), SUCCESS; }
API cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = limit(), SUCCESS; }
API cuDeviceGetAttribute(int *value, int attribute, int) {
    // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR, _MEMORY_POOLS_SUPPORTED, _WARP_SIZE, _MAX_THREADS_PER_BLOCK
    switch (attribute) {
        case 75: *value = 8; break;
        case 76: *value = 0; break;
        case 115: *value = 1; break;
        case 10: *value = 32; break;
        case 1: *value = 1024; break;
        default: *value = 1;
    }
    return SUCCESS;
}

static thread_local void *context = nullptr;
static char contexts[64];
API cuDevicePrimaryCtxRetain(void **to, int device) { return *to = &contexts[device], SUCCESS; }
API cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
API cuCtxSetCurrent(void *to) { return context = to, SUCCESS; }
API cuCtxGetCurrent(void **to) { return *to = context, SUCCESS; }
API cuCtxSynchronize() { return synchronize("cuCtxSynchronize"); }

API cuStreamCreate(void **stream, unsigned) { return *stream = malloc(1), SUCCESS; }
API cuStreamDestroy_v2(void *stream) { return free(stream), SUCCESS; }
API cuStreamSynchronize(void *) { return synchronize("cuStreamSynchronize"); }
API cuStreamWaitEvent(void *, void *, unsigned) { return SUCCESS; }
API cuEventCreate(void **event, unsigned) { return *event = malloc(1), SUCCESS; }
API cuEventDestroy_v2(void *event) { return free(event), SUCCESS; }
API cuEventRecord(void *, void *) { return SUCCESS; }
API cuEventSynchronize(void *) { return synchronize("cuEventSynchronize"); }

API cuMemGetInfo_v2(size_t *free_bytes, size_t *all) {
    Lock lock(mutex);
    *all = limit();
    return *free_bytes = limit() - std::min(limit(), bytes_now), SUCCESS;
}
API cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    Lock lock(mutex);
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, "cuMemAlloc while a graph is captured");
    return (*address = allocate(bytes)) ? SUCCESS : OUT_OF_MEMORY;
}
API cuMemFree_v2(uint64_t address) {
    Lock lock(mutex);
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, "cuMemFree while a graph is captured");
    return release(address);
}
API cuMemAllocAsync(uint64_t *address, size_t bytes, void *) {
    Lock lock(mutex);
    if (!(*address = allocate(bytes))) return OUT_OF_MEMORY;
    if (!capturing) return SUCCESS;
    // Memory of a graph has the same address in each replay, and nothing in it at its start.
    uint64_t own = *address;
    capturing->open[own] = bytes;
    return submit([=] { return memset((void *)own, 0xFF, bytes), int(SUCCESS); });
}
API cuMemFreeAsync(uint64_t address, void *) {
    Lock lock(mutex);
    if (!capturing) return release(address);
    auto own = capturing->open.find(address);
    if (own == capturing->open.end()) return refuse(INVALID_VALUE, "a graph frees what it has not allocated");
    size_t bytes = own->second;
    capturing->open.erase(own);
    return submit([=] { return memset((void *)address, 0xFF, bytes), int(SUCCESS); });
}
API cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *) {
    if (!is_device(to, bytes, "memset")) return ILLEGAL_ADDRESS;
    return submit([=] { return memset((void *)to, value, bytes), int(SUCCESS); });
}
API cuMemsetD8_v2(uint64_t to, unsigned char value, size_t bytes) { return cuMemsetD8Async(to, value, bytes, nullptr); }
API cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
    Lock lock(mutex);
    if (!is_device(to, bytes, "copy to the device")) return ILLEGAL_ADDRESS;
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, "a copy from the host while a graph is captured: its source may be gone at replay");
    return copy(to, uint64_t(from), bytes, "host to device");
}
API cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) { return cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr); }
API cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
    Lock lock(mutex);
    if (!is_device(from, bytes, "copy to the host")) return ILLEGAL_ADDRESS;
    // Into memory that is not pinned: the host waits.
    int done = synchronize("device to host, waiting");
    return done == SUCCESS ? copy(uint64_t(to), from, bytes, "device to host") : done;
}
API cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) { return cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr); }
API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *) {
    if (!is_device(to, bytes, "copy on the device") || !is_device(from, bytes, "copy on the device")) return ILLEGAL_ADDRESS;
    return copy(to, from, bytes, "device to device");
}
API cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) { return cuMemcpyDtoDAsync_v2(to, from, bytes, nullptr); }

API cuModuleLoadData(void **module, const void *image) {
    Lock lock(mutex);
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, "a module is loaded while a graph is captured");
    count("modules");
    return (*module = parse(ptx_of((const char *)image))) ? SUCCESS : INVALID_IMAGE;
}
API cuModuleUnload(void *) { return SUCCESS; }
API cuModuleGetFunction(void **function, void *module, const char *name) {
    auto &entries = ((Module *)module)->entries;
    auto found = entries.find(name);
    if (found == entries.end()) return refuse(NOT_FOUND, std::string("no kernel ") + name + " in the module");
    return *function = found->second.get(), SUCCESS;
}
API cuFuncGetAttribute(int *value, int, void *) { return *value = 1024, SUCCESS; }
API cuFuncSetAttribute(void *, int, int) { return SUCCESS; }
API cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned, void *, void **parameters, void **) {
    Lock lock(mutex);
    auto &entry = *(Entry *)function;
    if (!entry.kernel) return refuse(NOT_FOUND, "kernel " + entry.name + " has no build for the host");
    if (entry.kernel->parameters != entry.sizes.size())
        return refuse(INVALID_VALUE, "kernel " + entry.name + " has other parameters on the host");
    if (!gx || !gy || !gz || !bx || !by || !bz || bx * by * bz > 1024)
        return refuse(INVALID_VALUE, "kernel " + entry.name + " is launched with no threads, or too many");
    count("launches");
    count("launch " + entry.name);
    // Parameters are copied when a kernel is launched.
    auto values = std::make_shared<std::vector<std::vector<uint64_t>>>();
    for (size_t k = 0; k < entry.sizes.size(); k++) {
        values->emplace_back((entry.sizes[k] + 7) / 8);
        memcpy(values->back().data(), parameters[k], entry.sizes[k]);
    }
    const Entry *own = &entry;
    return submit([=] {
        std::vector<void *> pointers;
        for (auto &value : *values) pointers.push_back(value.data());
        host::waits = own->waits;
        own->kernel->launcher({gx, gy, gz}, {bx, by, bz}, pointers.data());
        host::waits = true;
        return int(SUCCESS);
    });
}

API cuStreamBeginCapture_v2(void *, int) {
    Lock lock(mutex);
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, "two captures at once");
    return capturing = std::make_shared<Graph>(), SUCCESS;
}
API cuStreamIsCapturing(void *, int *status) { return *status = capturing ? 1 : 0, SUCCESS; }
API cuStreamEndCapture(void *, void **graph) {
    Lock lock(mutex);
    if (!capturing) return refuse(INVALID_VALUE, "no capture to end");
    if (!capturing->open.empty()) refuse(INVALID_VALUE, "a graph that is to be replayed does not free all that it allocates");
    // As a driver does where something in between cannot be captured.
    if (std::getenv("DESCENT_EMULATOR_CAPTURES_NOTHING")) return capturing = nullptr, CAPTURE_INVALIDATED;
    *graph = new std::shared_ptr<Graph>(capturing);
    capturing = nullptr;
    count("captures");
    return SUCCESS;
}
API cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
    return *executable = new std::shared_ptr<Graph>(*(std::shared_ptr<Graph> *)graph), SUCCESS;
}
API cuGraphDestroy(void *graph) { return delete (std::shared_ptr<Graph> *)graph, SUCCESS; }
API cuGraphExecDestroy(void *graph) { return cuGraphDestroy(graph); }
API cuGraphUpload(void *, void *) { return SUCCESS; }
API cuGraphLaunch(void *executable, void *) {
    Lock lock(mutex);
    if (capturing) return refuse(CAPTURE_UNSUPPORTED, "a graph in a graph");
    count("replays");
    for (auto &work : (*(std::shared_ptr<Graph> *)executable)->work)
        if (int result = work()) return result;
    return SUCCESS;
}

API cuGetErrorName(int error, const char **name) {
    switch (error) {
        case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
        case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
        case INVALID_DEVICE: *name = "CUDA_ERROR_INVALID_DEVICE"; break;
        default: *name = "CUDA_ERROR";
    }
    return SUCCESS;
}
API cuGetErrorString(int error, const char **text) {
    switch (error) {
        case OUT_OF_MEMORY: *text = "out of memory"; break;
        case NO_DEVICE: *text = "no CUDA-capable device is detected"; break;
        case INVALID_DEVICE: *text = "invalid device ordinal"; break;
        default: *text = "an error of the emulated GPU";
    }
    return SUCCESS;
}
