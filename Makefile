# "make" lists the commands. Everything needs Go; "make test" installs the
# rest by itself on Debian and Ubuntu.

GO    ?= go
TOOL  := $(GO) tool -modfile=$(CURDIR)/tools/go.mod
# What takes longest begins first.
TESTS ?= ./tests/faults ./store/etcd ./store/postgres ./tests/endtoend ./connect ./store/sqlite ./store/mariadb \
	./store/redis ./cmd/editlock ./tests/abuse ./...
# All packages are built with the race detector: what one is built without shares
# functions of generic types, such as atomic pointers, with the others, and so it
# reports races that are none.
RACE = CGO_ENABLED=1 $(GO) test -race
# More flags for go test, for example: make test TESTFLAGS=-v
TESTFLAGS ?=

# Without cgo, as the releases are: one build serves all parts of "make test"
# but the race detector, which needs it.
export CGO_ENABLED = 0

.DEFAULT_GOAL := help
.PHONY: help run test check vet test/program test/go test/race test/whole test/bench test/engines test/browser test/python test/api \
	test/mcp test/packages test/long test/mutants test/packages/quick build/all lint vuln bench bench/compare fuzz generate verify setup dist

help: ## list these commands
	@grep -hE '^[a-z/]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-20s %s\n", $$1, $$2 }'

run: ## build and serve the demo, on an embedded database in editlock.db
	@[ -x bin/editlock ] || echo 'Building editlock. The first time, Go fetches and compiles what it needs: a minute or two.'
	@$(GO) build -ldflags='-s -w' -o bin/editlock ./cmd/editlock
	@exec bin/editlock serve --demo

check: ## for the inner loop: vet, lint and unit tests of what differs from main; a minute
	@scripts/check.sh "$(GO)" "$(TOOL)" $(BASE)

# Two at a time, what takes longest first: pages and leases are waited for while
# others compute. The output of each comes when it has ended.
LANES = test/race test/browser test/python test/whole test/bench test/api test/mcp build/all vuln
PROGRAM = $(CURDIR)/bin/test/editlock
test: setup vet lint test/program ## everything that CI checks
	@EDITLOCK_PROGRAM=$(PROGRAM) $(MAKE) --no-print-directory --keep-going --jobs=2 \
		$(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(LANES)

test/program: # one build for all tests that start the program
	@$(GO) build -o $(PROGRAM) ./cmd/editlock

setup: # what the tests need beside Go: found, or installed
	@scripts/setup.sh

vet:
	$(GO) vet ./...
	$(GO) -C bench vet ./...

test/go: test/race test/whole test/bench

test/race:
	# Many tests wait for leases and for disks: three packages at a time. Vet has
	# its own target.
	$(RACE) -vet=off -p 3 -shuffle=on -timeout 30m $(TESTFLAGS) $(TESTS)

test/whole:
	# The race detector makes these ten times slower, so test/race checks short
	# histories on them; these are the whole 50,000 operations, and 100,000
	# simulated ones.
	$(GO) test -vet=off -p 3 -shuffle=on -timeout 30m -run '^TestStore$$|^TestStoreWith|^TestTwoStores|^TestSimulation|^TestCrash|^TestCommit' $(TESTFLAGS) \
		./store/core ./store/memory ./store/sqlite ./store/postgres ./store/redis

test/bench:
	$(GO) -C bench test -shuffle=on $(TESTFLAGS) ./...

test/engines: setup ## the conformance suite and the end-to-end tests on every engine
	$(RACE) -shuffle=on $(TESTFLAGS) ./store/... ./locktest/... ./tests/endtoend/...

test/api: ## the API, called as its OpenAPI document describes it
	@scripts/schemathesis.sh

test/mcp: ## the tools for agents, by the protocol's own suite and Python client
	@scripts/mcp.sh

test/browser: ## the pages, in Chromium; some scenarios in Firefox
	@scripts/setup.sh browser
	@scripts/browser.sh

test/python: ## the Python client, and the drop-in beside the original m3-mutex
	@scripts/python.sh

test/packages: ## a release twice, the Debian package under systemd, the container; as root, half an hour
	@scripts/packages.sh

test/long: ## the slow proofs: more histories, more crashes, more of everything
	EDITLOCK_LONG=1 EDITLOCK_TEST_KILLS=500 $(RACE) -shuffle=on -count=5 -timeout 120m $(TESTFLAGS) \
		./store/... ./locktest/... ./tests/endtoend/...
	EDITLOCK_LONG=1 $(GO) test -v -timeout 90m $(TESTFLAGS) ./tests/faults
	$(RACE) -run Model -timeout 60m $(TESTFLAGS) . -rapid.checks=5000
	EDITLOCK_LONG=1 scripts/python.sh

test/mutants: ## plant bugs one by one; the tests must fail for each
	$(GO) run ./scripts/mutants

lint: ## style, common bugs and the architecture's import rules
	$(TOOL) golangci-lint run ./...
	cd bench && $(TOOL) golangci-lint run ./...

vuln: ## known vulnerabilities in what is called
	@scripts/vuln.sh $(TOOL) govulncheck ./...
	@scripts/vuln.sh $(TOOL) govulncheck -C bench ./...

build/all: # without cgo, for the systems that people run
	GOOS=linux $(GO) build ./...
	GOOS=darwin $(GO) build ./...
	GOOS=windows $(GO) build ./...
	GOOS=darwin $(GO) -C bench build -o /dev/null ./...
	GOOS=windows $(GO) -C bench build -o /dev/null ./...
	GOOS=linux GOARCH=386 $(GO) build . ./client ./internal/wire/... # no int may need 64 bits

test/packages/quick: ## of that, what needs no container and no root: the package, the unit, the manifests
	@scripts/packages.sh quick

# The last commit with the rules of a transaction once per engine.
BEFORE ?= 381fd13
bench: ## editlock beside its raw limits, its peers and its past; writes docs/benchmarks.md
	$(GO) -C bench run . -before "$(BEFORE)" >docs/benchmarks.new && mv docs/benchmarks.new docs/benchmarks.md

ENGINES ?= memory,sqlite,postgres,redis,etcd # and mariadb, where both commits know it
bench/compare: ## this tree beside another commit: make bench/compare BASE=main [ENGINES=sqlite,redis]
	@test -n "$(BASE)" || { echo "bench/compare: say which commit: make bench/compare BASE=main" >&2; exit 2; }
	@$(GO) -C bench run . -compare "$(BASE)" -engines $(ENGINES) $(FLAGS)

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME (30s)
	@scripts/fuzz.sh $(GO) $(FUZZTIME)

dist: ## a release of the version in VERSION, for all systems, into dist/
	packaging/release.sh "$$(cat VERSION)" dist

generate: ## rewrite generated files
	$(GO) generate ./...
	scripts/version.sh

verify: ## generated files are current, modules are intact, the import rules bite
	@scripts/verify.sh "$(GO)" "$(TOOL)"
