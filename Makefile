# Every command of the project. `make dev` and `make test` install what they lack and need nothing else.
#
# One profile (release) and one target folder, outside the clone, serve everything: RocksDB is built once, and
# ccache remembers even that. The server that users get holds no test hooks, and Cargo unifies features over
# one build; so what has hooks is built by commands of its own, and each result is kept in a folder of its own.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/meridian/target
export MERIDIAN_CACHE ?= $(HOME)/.cache/meridian
export PATH := /usr/lib/ccache:$(MERIDIAN_CACHE)/tools/bin:$(PATH)

SHIPPED := $(CARGO_TARGET_DIR)/shipped
HOOKED := $(CARGO_TARGET_DIR)/hooked
DATASETS := $(MERIDIAN_CACHE)/datasets/vega-datasets-3.2.1
ACCEPTED := $(CARGO_TARGET_DIR)/accepted/$(shell \
	git describe --always --abbrev=12 --dirty=-$$(date +%s) 2>/dev/null || date +%s)

# Programs that Cargo installs, each at its version.
DENY := $(MERIDIAN_CACHE)/tools/bin/cargo-deny@0.20.2
FUZZ := $(MERIDIAN_CACHE)/tools/bin/cargo-fuzz@0.13.2
HOOKS := meridian-node/planted

# Seeds of the simulator's part in `make test`.
SEEDS_IN_TEST ?= 20
# Seeds of each scenario in `accept`.
SEEDS_IN_ACCEPT ?= 300
# What the simulator puts regions through.
SCENARIOS := converge clusters register liveness membership
# CPU time that each fuzz target gets.
FUZZ_SECONDS ?= 5
# Every test that links no test hooks: the simulator has them, so its tests are a build of their own.
TEST := cargo test --release --workspace --exclude meridian-sim
# Where the black-box tests find what they drive.
BLACKBOX := MERIDIAN_SHIPPED=$(SHIPPED) MERIDIAN_HOOKED=$(HOOKED) MERIDIAN_DATASETS=$(DATASETS)/package/data

.PHONY: dev release test accept check fuzz sim deps rivals datasets shipped hooked simulator
.DEFAULT_GOAL := release

# Three regions in one process, durable under ./data.
#   make dev LATENCY=us-east-1:eu-west-1=80ms
# Or several nodes of each region.
#   make dev NODES=3
dev: shipped
	exec $(SHIPPED)/meridian-server dev $(if $(LATENCY),--latency $(LATENCY)) \
		$(if $(NODES),--nodes $(NODES))

# The three binaries.
release: shipped simulator
	@echo "meridian-server, meridian and meridian-sim are in $(SHIPPED)"

# Everything that must hold, at the counts that a change can wait for.
test: check fuzz shipped hooked simulator datasets
	cargo test --release -p meridian-sim
	$(BLACKBOX) $(TEST)
	for scenario in $(SCENARIOS); do $(SHIPPED)/meridian-sim run $$scenario --seeds $(SEEDS_IN_TEST) || exit 1; done

# Format, lints, and what may enter the build.
check: deps $(DENY)
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --release --workspace --all-targets --quiet -- -D warnings
	cargo deny --log-level error check bans licenses sources
	$(TEST) --test style

# Every fuzz target for a while, or one of them on an input that it failed on:
#   make fuzz TARGET=frame INPUT=…
fuzz: deps $(FUZZ)
	.ci/fuzz $(if $(TARGET),replay $(TARGET) $(INPUT),$(FUZZ_SECONDS))

# The simulator on its own, from seed 0 or SEED on:
#   make sim SCENARIO=register SEEDS=1000
sim: simulator
	$(SHIPPED)/meridian-sim run $(or $(SCENARIO),converge) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED))

shipped: deps
	cargo build --release -p meridian-node -p meridian-client
	@install -D -t $(SHIPPED) $(CARGO_TARGET_DIR)/release/meridian-server $(CARGO_TARGET_DIR)/release/meridian

hooked: deps
	cargo build --release -p meridian-node -p meridian-client --features $(HOOKS)
	@install -D -t $(HOOKED) $(CARGO_TARGET_DIR)/release/meridian-server

simulator: deps
	cargo build --release -p meridian-sim
	@install -D -t $(SHIPPED) $(CARGO_TARGET_DIR)/release/meridian-sim

# The same tests at full counts, one at a time, times judged. Each part's figures are kept, by commit, as JSON:
# a run that was broken off goes on where it stopped. A tree with changes of its own has no commit to go by.
PARTS := walk movies flights pause kill power_cut planted bad_input bad_bytes $(SCENARIOS) hunt fuzz nodes leaders members \
	splits tls presplit speed latency rivals overload beyond_memory hostility nodes_cost
accept: $(PARTS:%=$(ACCEPTED)/%.json)
	@cat $^

$(ACCEPTED)/converge.json: SEEDS_IN_ACCEPT = 1000
$(SCENARIOS:%=$(ACCEPTED)/%.json): $(ACCEPTED)/%.json: | simulator $(ACCEPTED)
	$(SHIPPED)/meridian-sim run $* --seeds $(SEEDS_IN_ACCEPT) --json > $@.partial
	@mv $@.partial $@

$(ACCEPTED)/hunt.json: | simulator $(ACCEPTED)
	$(SHIPPED)/meridian-sim planted --seeds 1000 --json > $@.partial
	@mv $@.partial $@

$(ACCEPTED)/fuzz.json: FUZZ_SECONDS = 1440
$(ACCEPTED)/fuzz.json: | deps $(FUZZ) $(ACCEPTED)
	.ci/fuzz $(FUZZ_SECONDS) $@.partial
	@mv $@.partial $@

$(ACCEPTED)/rivals.json: | rivals

$(ACCEPTED)/%.json: | shipped hooked datasets $(ACCEPTED)
	@rm -f $@.partial
	$(BLACKBOX) MERIDIAN_ACCEPT=1 MERIDIAN_COUNT=100 MERIDIAN_REPORT=$@.partial \
		$(TEST) --test blackbox -- --test-threads=1 --nocapture $*::
	@mv $@.partial $@

$(ACCEPTED):
	@mkdir -p $@

# What a bare Debian machine lacks for the build; elsewhere these are the user's to install.
deps:
	@.ci/install build-essential libclang-dev ccache

# What the region is measured beside, as Debian packages it.
rivals:
	@.ci/install redis-server redis-tools etcd-server

$(DENY) $(FUZZ): $(MERIDIAN_CACHE)/tools/bin/%: | deps
	cargo install --locked --root $(MERIDIAN_CACHE)/tools --target-dir $(MERIDIAN_CACHE)/tools/target $*
	@ln -f $(MERIDIAN_CACHE)/tools/bin/$(firstword $(subst @, ,$*)) $@

# Real, messy input for the import tests: two files of the npm package vega-datasets.
datasets: $(DATASETS)/complete

$(DATASETS)/complete:
	@command -v npm >/dev/null || .ci/install npm
	@mkdir -p $(DATASETS)
	cd $(DATASETS) && npm pack --silent vega-datasets@3.2.1 \
		&& tar -xzf vega-datasets-3.2.1.tgz package/data/movies.json package/data/flights-200k.json
	@touch $@
