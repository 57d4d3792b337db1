// The parts of CUDA's language that the kernels use, for a C++ compiler: how they are tested without a GPU.
//
// A block's threads are fibers of one host thread, that give way to each other where they wait for each other
// (__syncthreads, shuffles). Blocks run one after the other, so that shared memory is a static variable. What this
// cannot show is a race: a wait that is missing is only seen where the fibers' fixed order makes it matter.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

namespace host {

struct Barrier {
    unsigned expected = 0, arrived = 0, generation = 0;
};

constexpr unsigned WARP = 32;
constexpr size_t STACK = 64 * 1024;

struct Fiber {
    void *stack_pointer = nullptr;
    bool done = false;
    unsigned shuffles = 0;
};

struct Block {
    std::vector<Fiber> fibers;
    std::vector<char> stacks;
    std::vector<uint64_t> slots[2];
    std::vector<Barrier> warps;
    Barrier all;
    void *scheduler = nullptr;
    unsigned current = 0;
    void (*run)(void *) = nullptr;
    void *kernel = nullptr;
};

inline Block block;

// Whether a kernel's threads wait for each other; else they run one after the other without fibers, which is faster.
inline bool waits = true;
inline dim3 thread_index, block_index, block_size, grid_size;

// Keeps the registers of the caller on its stack, and goes on where another stack was left.
__attribute__((naked, noinline)) static void switch_stacks(void **, void *) {
#if defined(__x86_64__)
    asm("pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15;"
        "movq %rsp, (%rdi); movq %rsi, %rsp;"
        "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp; ret");
#else
#error "the kernels' test build is written for x86-64"
#endif
}

inline void leave() {
    switch_stacks(&block.fibers[block.current].stack_pointer, block.scheduler);
}

inline void arrive(Barrier &barrier) {
    unsigned generation = barrier.generation;
    if (++barrier.arrived == barrier.expected) {
        barrier.arrived = 0;
        barrier.generation++;
        return;
    }
    while (barrier.generation == generation) leave();
}

inline void drop_from(Barrier &barrier) {
    if (--barrier.expected > 0 && barrier.arrived == barrier.expected) {
        barrier.arrived = 0;
        barrier.generation++;
    }
}

inline void enter() {
    block.run(block.kernel);
    block.fibers[block.current].done = true;
    drop_from(block.all);
    drop_from(block.warps[block.current / WARP]);
    leave();
}

// The value of another lane of the warp, or the own one where that lane is not there.
template <class T> T exchange(T value, unsigned lane) {
    static_assert(sizeof(T) <= sizeof(uint64_t));
    unsigned base = block.current / WARP * WARP, own = block.current;
    auto &slots = block.slots[block.fibers[own].shuffles++ % 2];
    std::memcpy(&slots[own], &value, sizeof value);
    arrive(block.warps[own / WARP]);
    unsigned other = base + lane;
    if (lane < WARP && other < block.fibers.size()) std::memcpy(&value, &slots[other], sizeof value);
    return value;
}

inline void set_thread(unsigned t) {
    thread_index = {t % block_size.x, t / block_size.x % block_size.y, t / block_size.x / block_size.y};
}

inline void run_block(unsigned threads) {
    if (!waits) {
        for (unsigned t = 0; t < threads; t++) {
            set_thread(t);
            block.run(block.kernel);
        }
        return;
    }
    block.fibers.assign(threads, Fiber());
    if (block.stacks.size() < threads * STACK) block.stacks.resize(threads * STACK);
    for (auto &slots : block.slots) slots.resize(threads);
    block.all = {threads, 0, 0};
    block.warps.assign((threads + WARP - 1) / WARP, Barrier());
    for (unsigned t = 0; t < threads; t++) block.warps[t / WARP].expected++;
    for (unsigned t = 0; t < threads; t++) {
        // What `switch_stacks` pops: six registers and the address to go on at, with the stack aligned as behind a call.
        auto top = reinterpret_cast<uintptr_t>(block.stacks.data() + (t + 1) * STACK) & ~uintptr_t(15);
        auto frame = reinterpret_cast<void **>(top) - 8;
        frame[6] = reinterpret_cast<void *>(&enter);
        block.fibers[t].stack_pointer = frame;
    }
    for (unsigned left = threads; left > 0;) {
        for (unsigned t = 0; t < threads; t++) {
            if (block.fibers[t].done) continue;
            block.current = t;
            set_thread(t);
            switch_stacks(&block.scheduler, block.fibers[t].stack_pointer);
            left -= block.fibers[t].done;
        }
    }
}

// Calls a kernel with the arguments that `parameters` point to, as cuLaunchKernel does.
template <class... A> struct Call {
    void (*kernel)(A...);
    void **parameters;
    template <size_t... I> void with(std::index_sequence<I...>) {
        kernel(*static_cast<std::remove_reference_t<A> *>(parameters[I])...);
    }
    static void run(void *self) { static_cast<Call *>(self)->with(std::index_sequence_for<A...>()); }
};

template <class... A>
void launch(void (*kernel)(A...), dim3 grid, dim3 threads, void **parameters) {
    Call<A...> call{kernel, parameters};
    block.run = &Call<A...>::run;
    block.kernel = &call;
    block_size = threads;
    grid_size = grid;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                block_index = {x, y, z};
                run_block(threads.x * threads.y * threads.z);
            }
}

using Launcher = void (*)(dim3, dim3, void **);

struct Entry {
    const char *name;
    Launcher launcher;
    size_t parameters;
};

inline std::vector<Entry> &entries() {
    static std::vector<Entry> all;
    return all;
}

template <auto kernel> struct Registered;
template <class... A, void (*kernel)(A...)> struct Registered<kernel> {
    explicit Registered(const char *name) {
        auto launcher = [](dim3 grid, dim3 threads, void **parameters) { launch(kernel, grid, threads, parameters); };
        entries().push_back({name, launcher, sizeof...(A)});
    }
};

}  // namespace host

#define threadIdx host::thread_index
#define blockIdx host::block_index
#define blockDim host::block_size
#define gridDim host::grid_size

inline void __syncthreads() { host::arrive(host::block.all); }
inline void __syncwarp(unsigned = ~0u) { host::arrive(host::block.warps[host::block.current / host::WARP]); }
template <class T> T __shfl_xor_sync(unsigned, T value, unsigned mask, unsigned = 32) {
    return host::exchange(value, host::block.current % host::WARP ^ mask);
}
template <class T> T __shfl_down_sync(unsigned, T value, unsigned by, unsigned = 32) {
    return host::exchange(value, host::block.current % host::WARP + by);
}
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }

// A kernel that `descent_launch` knows by its name.
#define KERNEL(name, ...)                                        \
    extern "C" void name(__VA_ARGS__);                           \
    static const host::Registered<name> registered_##name(#name); \
    extern "C" void name(__VA_ARGS__)

// Runs a kernel. Gives 0, 1 where there is none of this name, 2 where the number of arguments is another.
extern "C" int descent_launch(const char *name, const unsigned grid[3], const unsigned threads[3], void **parameters,
                              size_t count) {
    for (const auto &entry : host::entries()) {
        if (std::strcmp(entry.name, name) != 0) continue;
        if (entry.parameters != count) return 2;
        entry.launcher({grid[0], grid[1], grid[2]}, {threads[0], threads[1], threads[2]}, parameters);
        return 0;
    }
    return 1;
}
