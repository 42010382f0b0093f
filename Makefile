# Everything a checkout needs: `make demo` shows it working, `make test` proves it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# System packages beside Rust, Node, make and a C compiler; each is also the name of its command. README names the same.
PACKAGES := cmake curl faketime
CARGO ?= cargo
NPM := npm --no-fund --no-audit --loglevel=error

.PHONY: help demo test drills gate soak clients cost lint slither halmos mutants fuzz bench gas coverage sample vectors proofs setup clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: packages contracts/node_modules/.package-lock.json config/helios/node_modules/.package-lock.json ## system packages, Foundry, solc and Helios from npm, contracts compiled
	cd contracts && ./forge.cjs build --quiet

# Installs the system packages $(1), or says how to.
define install
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
  echo installing $(1); \
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(1) >/dev/null; \
else \
  echo missing: $(1). On Debian: sudo apt-get install -y $(1) >&2; exit 1; \
fi
endef

.PHONY: packages
packages:
	@missing=; for name in $(PACKAGES); do command -v $$name >/dev/null || missing="$$missing $$name"; done; \
	[ -z "$$missing" ] || $(call install,$$missing)

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && $(NPM) ci --ignore-scripts
	@touch $@

.PHONY: binaries
binaries: setup
	$(CARGO) build --workspace --bins --example earlier

demo: binaries ## a chain, a promoted artifact, a proxy: try it (ARGS="--once --report demo.json" to run and exit)
	target/debug/greenlight-loadtest demo $(ARGS)

drills: binaries ## the chaos drills, a line each
	target/debug/greenlight-loadtest drill --all $(ARGS)

gate: binaries ## what it takes for an artifact to become current, and every shortcut refused, a line each (ARGS="--json gate.json")
	target/debug/greenlight-loadtest gate $(ARGS)

soak: binaries ## half an hour of a chain in a minute and a half (ARGS="--minutes 300 --json soak.json" for more)
	target/debug/greenlight-loadtest soak $(ARGS)

clients: binaries ## what curl, wget, Go, Node, Chromium and others are taken for (ARGS="--json clients.json")
	target/debug/greenlight-loadtest clients $(ARGS)

cost: binaries ## CPU of a request: module on, module off, bare Pingora (ARGS="--rounds 50 --json cost.json")
	$(CARGO) build --release -p greenlight --bins --example bare
	target/debug/greenlight-loadtest cost $(ARGS)

test: setup ## every test of every part, drills, soak and demo included
	@mkdir -p target
	cd contracts && ./forge.cjs test 2>&1 | tee ../target/test-solidity.log
	cd config/helios && node --test
	$(CARGO) test --workspace --no-fail-fast 2>&1 | tee target/test-rust.log
	@awk '/^Ran .* test suites? in/ { for (i = 1; i <= NF; i++) { if ($$(i+2) ~ /^passed/) p += $$i; if ($$(i+1) ~ /^failed/) f += $$i } } \
	  END { printf "solidity: %d passed, %d failed\n", p, f }' target/test-solidity.log
	@awk '/^test result:/ { p += $$4; f += $$6 } END { printf "rust: %d passed, %d failed\n", p, f }' target/test-rust.log

lint: setup ## what review asks for
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@for crate in artifact bot-module; do (cd $$crate/fuzz && $(CARGO) fmt --check && $(CARGO) clippy --locked -- -D warnings); done
	@for zkvm in risc0 sp1; do (cd guest/$$zkvm && $(CARGO) fmt --check); done
	cd contracts && ./forge.cjs fmt --check

# Slither and Halmos, for the contracts alone. `forge` is on their path, for they call it.
ANALYSIS := target/analysis/venv/.installed
ANALYSIS_PATH := PATH="$(CURDIR)/target/analysis/venv/bin:$$PATH"

$(ANALYSIS): contracts/analysis/requirements.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || $(call install,python3-venv)
	python3 -m venv --clear target/analysis/venv
	target/analysis/venv/bin/pip install -q --disable-pip-version-check --no-deps -r $<
	ln -sf ../../../../contracts/forge.cjs target/analysis/venv/bin/forge
	@touch $@

slither: contracts/node_modules/.package-lock.json $(ANALYSIS) ## what slither finds in the contracts and nobody has explained
	cd contracts && export FOUNDRY_PROFILE=slither $(ANALYSIS_PATH) && rm -rf ../target/analysis/slither && forge build --quiet && slither . $(ARGS)

halmos: contracts/node_modules/.package-lock.json $(ANALYSIS) ## the registry's rules and the fast checker, proved for every input (ARGS="--function check_kill" for one)
	cd contracts && export FOUNDRY_PROFILE=halmos $(ANALYSIS_PATH) && python analysis/halmos_with_blobs.py --no-status $(ARGS)

mutants: setup ## every mutant of the contracts must fail a test (ARGS="--sample 100 --seed 1" for some of them)
	node contracts/analysis/mutants.mjs $(ARGS)

fuzz: ## every fuzz target for ten minutes (ARGS="-max_total_time=60" for less); needs cargo-fuzz
	@for crate in artifact bot-module; do for target in $$(cd $$crate && $(CARGO) fuzz list); do \
	  (cd $$crate && RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target -- -max_total_time=600 $(ARGS)); done; done

bench: ## score() by number of rows, the light client beside bls12_381, what an adoption checks, and a proof of 200 rows
	$(CARGO) bench -p greenlight-bot --bench score
	@if command -v valgrind >/dev/null; then \
	  bench=$$($(CARGO) bench -q -p greenlight-bot --bench score --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'); \
	  valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*score_a_thousand_times*' "$$bench" --callgrind 2>&1 \
	    | awk '/Collected/ { printf "score/200: %d instructions (callgrind)\n", $$NF / 1000 }'; \
	fi
	$(CARGO) bench -p greenlight-watcher --bench light_client
	$(CARGO) bench -p greenlight-circuit --bench prove
	$(CARGO) bench -p greenlight-watcher --bench adoption

gas: setup ## what each contract call costs, measured again into contracts/snapshots
	cd contracts && npm run --silent gas

coverage: setup ## lines and branches of contracts/src that its tests reach; 98 % at least
	cd contracts && npm run --silent coverage

sample: binaries ## config/sample.json and config/sample.glff, made again from the packages they come from (ARGS=--check to compare)
	cd config/sample && $(NPM) ci --ignore-scripts && node make.mjs $(ARGS)
	target/debug/greenlightctl train --requests config/sample/training.ndjson --holdout config/sample/heldout.ndjson \
	  --candidates config/sample/candidates.json --fixed config/sample/fixed.json --rows 180 --ridge 0.1 \
	  --out config/sample.glff --source-out config/sample.json $(if $(filter --check,$(ARGS)),,--report config/sample/report) $(ARGS)

vectors: ## the corpus that Rust and Solidity answer alike
	$(CARGO) run -q -p greenlight-artifact --features commitment --example vectors > artifact/vectors/v1.json
	$(CARGO) run -q -p greenlight-artifact --features commitment --example vectors commitments > artifact/vectors/commitments.json
	$(CARGO) run -q -p greenlight-artifact --features guest --example journals > artifact/vectors/journals.json

proofs: ## the development key in Solidity, and proofs under it for the contracts' tests
	$(CARGO) run -q -p greenlight-circuit --bin greenlight-ceremony -- solidity --out contracts/src/verifiers/VerifyingKey.sol
	$(CARGO) run -q -p greenlight-circuit --example proofs > contracts/test/kit/Groth16Proofs.sol

clean: ## build products, not the demo's state
	rm -rf target contracts/out contracts/cache contracts/node_modules config/{helios,sample}/node_modules
