# What a developer of flowlite types. CI runs bash .ci/check, which `make check` is.
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help build generate lint test test-short test-whole check bench docs

help: ## print this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

build: ## build the flowlite program into ./bin
	CGO_ENABLED=0 go build -trimpath -o bin/flowlite ./cmd/flowlite

generate: ## make generated code anew: queries and pages (needs sqlc; see db/generate.sh)
	sh db/generate.sh
	sh views/generate.sh

lint: ## vet, golangci-lint, and unreachable code
	bash .ci/check vet lint deadcode

test-short: ## tests that need no service and no browser, in a minute
	go test -short ./...

test: ## all Go tests but those of real Prefect clients; services by FLOWLITE_TEST_POSTGRES and FLOWLITE_TEST_REDIS
	go test -timeout 20m $$(go list ./... | grep -vE '/(clienttest|chaostest)$$')

test-whole: ## in full, what CI runs a part of; about two hours, with services as for test
	bash .ci/check clients
	go test ./runtime/schedule -run OfPrefect -schedule.whole
	go test -timeout 60m ./runtime/server -run 'TestPythonFlows|TestEachSlotOnce' -python.all -plan.for 5m
	go test -timeout 60m ./runtime/api -run TestHostileValues -hostile 0
	go test -timeout 60m ./runtime/server/chaostest -chaos.for 20m
	go test -timeout 60m ./cmd/flowlite -run TestKill -kill.rounds 500
	go test -timeout 60m . -run TestKilled -saga.kills 400 -consumer.runs 20

check: ## everything that CI runs, with services of its own
	bash .ci/check

bench: ## benchmarks; each prints the floor of the disk beside its figure
	go test -run '^$$' -bench 'DurableSteps|FanOut|Noop' .
	go test -run '^$$' -bench . ./runtime/orchestrate ./db
	go test -run '^$$' -bench HTTP ./runtime/api

docs: ## make the generated parts of the docs and the golden help texts anew
	go test ./cmd/flowlite -run 'TestHelp$$' -update
	go test ./docs -update
