# make demo   the main job, on the embedded key store, into ./demo
# make test   everything that CI runs

SHELL := /bin/sh
GO ?= go
VERSION ?= 0.1.0
BUILD = $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: next comparecrl comparehsm test-hsm-all help build demo test race fuzz bench compare golden clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-9s %s\n", $$1, $$2 }'

build: ## build ./pki
	@$(BUILD) -o pki ./cmd/pki

demo: build ## plan and hold a ceremony in ./demo, and verify it
	@rm -rf demo
	@./pki init demo --example two-tier >/dev/null
	@./pki -C demo plan --out demo/plan.json >/dev/null
	@./pki -C demo apply demo/plan.json --yes >demo/result.txt
	@./pki -C demo verify
	@cat demo/result.txt

test: ## install what the tests need, then vet and test
	@sh test/setup.sh
	@$(GO) vet ./...
	@$(GO) test -timeout 20m ./...

test-hsm-all: ## the suite of key stores on opencryptoki and tpm2-pkcs11 too; as root, on a machine to throw away
	@sh test/hsm-all.sh

race: ## the tests under the race detector
	@sh test/setup.sh
	@$(GO) test -race -timeout 60m ./...

FUZZTIME ?= 30s
fuzz: ## every fuzz target, for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			$(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$p || exit 1; \
		done; \
	done

bench: ## Go benchmarks
	@$(GO) test -run '^$$' -bench . -benchmem ./...

compare: build ## the ceremony beside the same work by openssl, whole processes
	@sh test/compare/ceremony.sh

comparehsm: build ## the same on SoftHSM beside openssl and pkcs11-tool
	@sh test/compare/hsm.sh

comparecrl: ## a million revocations beside openssl and Go in pairs, and five million
	@LONG=5000000 sh test/compare/crl.sh

next: ## the second step of CI: the same under a Go that knows ML-DSA by itself
	@sh test/postquantum/next.sh

golden: ## write the golden files anew; read the difference before you commit
	@$(GO) test ./spec/hclspec ./plan ./lint ./render ./cmd/pki -update

clean: ## remove what make made
	@rm -rf pki demo .tools
